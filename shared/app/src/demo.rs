//! Writing the demo data's tenants, settings and people: for the operator's seed, and for tests.

use switchboard_domain::actor::STAFF_EMAIL;
use switchboard_domain::change::{Change, Origin, Revisioned};
use switchboard_domain::demo::{self, DemoTenant};
use switchboard_domain::permission::SEEDED_ROLES;
use switchboard_domain::person::{Agent, Role, User, UserStatus};
use switchboard_domain::status::{self, ContactStatus};
use switchboard_domain::team::Team;
use switchboard_domain::tenant::Tenant;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{people, settings, tenants};

use crate::error::AppError;
use crate::services::Services;

/// A demo tenant's record.
#[must_use]
pub fn tenant(demo: &DemoTenant, wrapped_keyring: Vec<u8>) -> Tenant {
    Tenant {
        id: demo.id(),
        record: created(demo, "tenant.created"),
        slug: demo.slug.to_owned(),
        name: demo.name.to_owned(),
        time_zone: demo::TIME_ZONE.to_owned(),
        country: demo::COUNTRY.to_owned(),
        shards: 1,
        wrapped_keyring,
    }
}

/// Writes the seeded statuses and roles; what is there stays. 1 request and 1 W each.
///
/// # Errors
/// Those of the database.
pub async fn write_settings(services: &Services, tenant: &OpenTenant, demo: &DemoTenant) -> Result<(), AppError> {
    for seeded in &status::SEEDED {
        let status = ContactStatus {
            id: demo.status_id(seeded.code),
            record: created(demo, "contact_status.created"),
            code: seeded.code.to_owned(),
            name: seeded.name.to_owned(),
            color: seeded.color.to_owned(),
            order: seeded.order,
            exclude_from_call_list: seeded.exclude_from_call_list,
            system: seeded.system,
            retired: false,
            deleted_at: None,
        };
        settings::create_status(&services.core, &tenant.scope, &status).await?;
    }
    for seeded in &SEEDED_ROLES {
        let role = Role {
            id: demo.role_id(seeded.code),
            record: created(demo, "role.created"),
            code: seeded.code.to_owned(),
            name: seeded.name.to_owned(),
            grants: seeded.grants.to_vec(),
            system: true,
        };
        settings::create_role(&services.core, &tenant.scope, &role).await?;
    }
    Ok(())
}

/// Writes one of the tenant's people, as user and as agent, who signs in as `subject`; what is there stays. 3 requests, 3 W.
///
/// # Errors
/// Those of the database.
pub async fn write_person(services: &Services, tenant: &OpenTenant, demo: &DemoTenant, index: usize, subject: &str) -> Result<(), AppError> {
    let person = &demo.people[index];
    let id = demo.user_id(index);
    let sealed_email = tenant.keyring.seal_for_tenant(STAFF_EMAIL, &id.to_string(), services.entropy.as_ref(), person.email.as_bytes());
    let user = User {
        id,
        record: created(demo, "user.created"),
        subject: subject.to_owned(),
        name: person.name.to_owned(),
        sealed_email: sealed_email.clone(),
        status: UserStatus::Active,
        roles: vec![demo.role_id(person.role)],
    };
    people::create_user(&services.core, &tenant.scope, &user).await?;
    let employee_id = Some(format!("E{:03}", index + 1));
    let agent = Agent { id: id.into(), record: created(demo, "agent.created"), name: person.name.to_owned(), sealed_email, employee_id };
    people::create_agent(&services.core, &tenant.scope, &agent).await?;
    tenants::create_subject(&services.core, &tenant.scope, subject, id).await?;
    Ok(())
}

/// Writes the tenant's teams; what is there stays. 1 request and 1 W each.
///
/// # Errors
/// Those of the database.
pub async fn write_teams(services: &Services, tenant: &OpenTenant, demo: &DemoTenant) -> Result<(), AppError> {
    for (index, name) in demo.teams.iter().enumerate() {
        let team = Team { id: demo.team_id(index), record: created(demo, "team.created"), name: (*name).to_owned() };
        people::create_team(&services.core, &tenant.scope, &team).await?;
    }
    Ok(())
}

fn created(demo: &DemoTenant, action: &str) -> Revisioned {
    Revisioned::created(Change::new(action, demo.created_at(), Origin::system()))
}
