//! The demo data, loaded through the same write path as everything else. Run again it changes nothing.

use std::sync::Arc;

use anyhow::{Context, Result};
use switchboard_app::Services;
use switchboard_domain::actor::STAFF_EMAIL;
use switchboard_domain::change::{Change, Origin, Revisioned};
use switchboard_domain::contact::{Contact, ContactDraft, OnInvalid};
use switchboard_domain::demo::{self, DemoTenant};
use switchboard_domain::permission::SEEDED_ROLES;
use switchboard_domain::person::{Agent, Role, User, UserStatus};
use switchboard_domain::sealing::TenantKeyring;
use switchboard_domain::status::{self, ContactStatus};
use switchboard_domain::team::Team;
use switchboard_domain::tenant::Tenant;
use switchboard_lambda::{Aws, setting};
use switchboard_platform::{Identities, NewIdentity};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{contacts, people, settings, tenants};

/// Contacts written between two lines of progress.
const BATCH: usize = 500;

/// Seeds both tenants.
pub(crate) async fn run(aws: &Aws) -> Result<()> {
    let services = aws.services()?;
    let identities = aws.identities()?;
    let password = setting("DEMO_PASSWORD")?;
    for demo in &demo::TENANTS {
        let tenant = tenant(aws, &services, demo).await?;
        seed_settings(&services, &tenant, demo).await?;
        seed_people(&services, &identities, &tenant, demo, &password).await?;
        println!("{}: {} users, {} teams", demo.slug, demo.people.len(), demo.teams.len());
        seed_contacts(&services, &tenant, demo).await?;
    }
    Ok(())
}

fn created(demo: &DemoTenant, action: &str) -> Revisioned {
    Revisioned::created(Change::new(action, demo.created_at(), Origin::system()))
}

async fn tenant(aws: &Aws, services: &Services, demo: &DemoTenant) -> Result<Arc<OpenTenant>> {
    if tenants::load(&services.core, demo.id()).await?.is_none() {
        let keyring = TenantKeyring::generate(demo.id(), services.entropy.as_ref());
        let wrapped_keyring = aws.keys().wrap_keyring(&setting("TENANT_KEY_ARN")?, demo.id(), &keyring.to_bytes()).await?;
        let tenant = Tenant {
            id: demo.id(),
            record: created(demo, "tenant.created"),
            slug: demo.slug.to_owned(),
            name: demo.name.to_owned(),
            time_zone: demo::TIME_ZONE.to_owned(),
            country: demo::COUNTRY.to_owned(),
            shards: 1,
            wrapped_keyring,
        };
        tenants::create(&services.core, &tenant).await?.with_context(|| format!("the slug {} belongs to another tenant", demo.slug))?;
    }
    services.tenants.open(demo.id()).await?.context("the tenant was made and is not there")
}

async fn seed_settings(services: &Services, tenant: &OpenTenant, demo: &DemoTenant) -> Result<()> {
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

async fn seed_people(services: &Services, identities: &Identities, tenant: &OpenTenant, demo: &DemoTenant, password: &str) -> Result<()> {
    for (index, person) in demo.people.iter().enumerate() {
        let (NewIdentity::Created(subject) | NewIdentity::Exists(subject)) = identities.create_with_password(person.email, password).await?;
        let id = demo.user_id(index);
        let sealed_email = tenant.keyring.seal_for_tenant(STAFF_EMAIL, &id.to_string(), services.entropy.as_ref(), person.email.as_bytes());
        let user = User {
            id,
            record: created(demo, "user.created"),
            subject: subject.clone(),
            name: person.name.to_owned(),
            sealed_email: sealed_email.clone(),
            status: UserStatus::Active,
            roles: vec![demo.role_id(person.role)],
        };
        people::create_user(&services.core, &tenant.scope, &user).await?;
        let agent =
            Agent { id: id.into(), record: created(demo, "agent.created"), name: person.name.to_owned(), sealed_email, employee_id: Some(format!("E{:03}", index + 1)) };
        people::create_agent(&services.core, &tenant.scope, &agent).await?;
        tenants::create_subject(&services.core, &tenant.scope, &subject, id).await?;
    }
    for (index, name) in demo.teams.iter().enumerate() {
        let team = Team { id: demo.team_id(index), record: created(demo, "team.created"), name: (*name).to_owned() };
        people::create_team(&services.core, &tenant.scope, &team).await?;
    }
    Ok(())
}

async fn seed_contacts(services: &Services, tenant: &OpenTenant, demo: &DemoTenant) -> Result<()> {
    let settings = settings::load(&services.core, &tenant.scope).await?;
    let defaults = tenant.defaults();
    let mut batch = Vec::with_capacity(BATCH);
    let (mut seen, mut written) = (0, 0);
    let mut contacts = demo.contacts().peekable();
    while let Some(contact) = contacts.next() {
        let draft =
            ContactDraft::validate(&contact.input, &defaults, OnInvalid::Fail).map_err(|errors| anyhow::anyhow!("a demo contact is not valid: {errors:?}"))?.draft;
        let id = tenant.keyring.slot(&draft.phone.e164);
        let assignee = contact.assignee.map(|index| demo.user_id(index).into());
        let team = contact.team.map(|index| demo.team_id(index));
        batch.push(Contact {
            id,
            record: Revisioned::created(Change::new("contact.created", contact.created_at, Origin::system())),
            details: draft.into_details(&defaults, demo.status_id(contact.status), assignee, team),
            deleted_at: None,
            import_marks: Vec::new(),
        });
        if batch.len() == BATCH || contacts.peek().is_none() {
            seen += batch.len();
            let created = contacts::create_many(&services.core, tenant, &settings, std::mem::take(&mut batch), services.entropy.as_ref()).await?;
            written += created.into_iter().filter(|created| *created).count();
            println!("{}: {seen} of {} contacts, {written} new", demo.slug, demo.contacts);
        }
    }
    Ok(())
}
