//! Writing the demo data's tenants, settings and people: for the operator's seed, and for tests. What is there stays.

use switchboard_domain::actor::STAFF_EMAIL;
use switchboard_domain::change::{Change, Origin, Revisioned};
use switchboard_domain::demo::{self, DemoTenant};
use switchboard_domain::ids::UserId;
use switchboard_domain::permission::SEEDED_ROLES;
use switchboard_domain::person::{ADMIN, Agent, AgentTeam, User, UserStatus};
use switchboard_domain::status;
use switchboard_domain::team::{self, Membership, Team};
use switchboard_domain::tenant::{BOOKING_BUFFER_MINUTES, CALLING_DAY_START, HEARTBEAT_TIMEOUT_SECONDS, RETENTION_DAYS, Tenant};
use switchboard_store::table::Part;
use switchboard_store::tenants::{self, OpenTenant};
use switchboard_store::{people, settings};

use crate::error::AppError;
use crate::people::{ATTEMPTS, back_off};
use crate::services::Services;
use crate::tenant_creation::{seeded_role, seeded_status};

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
        calling_day_start: CALLING_DAY_START,
        booking_buffer_minutes: BOOKING_BUFFER_MINUTES,
        heartbeat_timeout_seconds: HEARTBEAT_TIMEOUT_SECONDS,
        retention_days: RETENTION_DAYS,
        record_contact_views: false,
        shards: 1,
        wrapped_keyring,
    }
}

/// Writes the seeded statuses and roles. 1 request and 1 W each.
///
/// # Errors
/// Those of the database.
pub async fn write_settings(services: &Services, tenant: &OpenTenant, demo: &DemoTenant) -> Result<(), AppError> {
    for seeded in &status::SEEDED {
        let status = seeded_status(seeded, demo.status_id(seeded.code), created(demo, "contact_status.created"));
        settings::create_status(&services.core, &tenant.scope, &status).await?;
    }
    for seeded in &SEEDED_ROLES {
        let role = seeded_role(seeded, demo.role_id(seeded.code), created(demo, "role.created"));
        settings::create_role(&services.core, &tenant.scope, &role).await?;
    }
    Ok(())
}

/// Writes one of the tenant's people, as user and as agent in their teams, who signs in as `subject`. 2 requests, 1 R; a transaction of 8 W and 2 for
/// index 1, and for an administrator 1 R and 2 W more.
///
/// # Errors
/// Those of the database; [`AppError::Broken`] when the address or the subject is somebody else's.
pub async fn write_person(services: &Services, tenant: &OpenTenant, demo: &DemoTenant, index: usize, subject: &str) -> Result<(), AppError> {
    let (core, scope, person) = (&services.core, &tenant.scope, &demo.people[index]);
    let id = demo.user_id(index);
    for attempt in 0..ATTEMPTS {
        if people::user(core, scope, id).await?.is_some() {
            return Ok(());
        }
        let (user, agent) = (user(services, tenant, demo, index, subject), agent(services, tenant, demo, index));
        let mut parts = vec![
            people::insert_user(scope, &user)?,
            people::insert_agent(scope, &agent)?,
            people::claim_email(tenant, person.email, id),
            tenants::subject_part(scope, subject, id),
        ];
        if person.role == ADMIN {
            parts.push(among_administrators(services, tenant, id).await?);
        }
        if core.commit(scope, parts).await? {
            return Ok(());
        }
        back_off(services, attempt).await;
    }
    Err(AppError::Broken(format!("the address or the subject of {} is somebody else's", person.name)))
}

/// The part of a transaction by which a user becomes one of the active administrators.
async fn among_administrators(services: &Services, tenant: &OpenTenant, id: UserId) -> Result<Part, AppError> {
    let before = people::administrators(&services.core, &tenant.scope).await?;
    let users = before.users.iter().copied().chain([id]).collect();
    Ok(people::write_administrators(&tenant.scope, &before, users))
}

fn user(services: &Services, tenant: &OpenTenant, demo: &DemoTenant, index: usize, subject: &str) -> User {
    let person = &demo.people[index];
    User {
        id: demo.user_id(index),
        record: created(demo, "user.created"),
        subject: subject.to_owned(),
        name: person.name.to_owned(),
        sealed_email: sealed_email(services, tenant, demo, index),
        status: UserStatus::Active,
        roles: vec![demo.role_id(person.role)],
        grants: Vec::new(),
        signed_out_at: None,
        activated_at: Some(demo.created_at()),
    }
}

fn agent(services: &Services, tenant: &OpenTenant, demo: &DemoTenant, index: usize) -> Agent {
    let teams = demo.teams_of(index).map(|place| AgentTeam { team: demo.team_id(place.team), role: place.role, assigned_at: demo.created_at() });
    Agent {
        id: demo.user_id(index).into(),
        record: created(demo, "agent.created"),
        name: demo.people[index].name.to_owned(),
        sealed_email: sealed_email(services, tenant, demo, index),
        employee_id: Some(format!("E{:03}", index + 1)),
        time_zone: None,
        teams: teams.collect(),
        deleted_at: None,
    }
}

fn sealed_email(services: &Services, tenant: &OpenTenant, demo: &DemoTenant, index: usize) -> Vec<u8> {
    let id = demo.user_id(index).to_string();
    tenant.keyring.seal_for_tenant(STAFF_EMAIL, &id, services.entropy.as_ref(), demo.people[index].email.as_bytes())
}

/// Writes the tenant's teams with their members. 2 requests and 1 R each, and a transaction of 4 W, 1 for index 1 and 2 W a member.
///
/// # Errors
/// Those of the database; [`AppError::Broken`] when the name is another team's.
pub async fn write_teams(services: &Services, tenant: &OpenTenant, demo: &DemoTenant) -> Result<(), AppError> {
    let (core, scope) = (&services.core, &tenant.scope);
    for (index, name) in demo.teams.iter().enumerate() {
        let id = demo.team_id(index);
        if people::team(core, scope, id).await?.is_some() {
            continue;
        }
        let members =
            demo.members_of(index).map(|place| Membership { team: id, agent: demo.user_id(place.person).into(), role: place.role, assigned_at: demo.created_at() });
        let memberships = members.map(|member| people::insert_membership(scope, &member)).collect::<Result<Vec<_>, _>>()?;
        let member_count = u32::try_from(memberships.len()).unwrap_or(u32::MAX);
        let team = Team { id, record: created(demo, "team.created"), name: (*name).to_owned(), member_count, deleted_at: None };
        let mut parts = vec![people::insert_team(scope, &team)?, people::claim_team_name(scope, &team::folded_name(name), id)];
        parts.extend(memberships);
        if !core.commit(scope, parts).await? {
            return Err(AppError::Broken(format!("the name {name} is another team's")));
        }
    }
    Ok(())
}

fn created(demo: &DemoTenant, action: &str) -> Revisioned {
    Revisioned::created(Change::new(action, demo.created_at(), Origin::system()))
}
