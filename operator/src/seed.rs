//! The demo data, loaded through the same write path as everything else. Run again it changes nothing.

use std::sync::Arc;

use anyhow::{Context, Result};
use switchboard_app::{Services, demo as data};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::contact::{Contact, ContactDraft, OnInvalid};
use switchboard_domain::demo::{self, DemoTenant};
use switchboard_domain::sealing::TenantKeyring;
use switchboard_lambda::{Aws, setting};
use switchboard_platform::NewIdentity;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{contacts, settings, tenants};

/// Contacts written between two lines of progress.
const BATCH: usize = 500;

/// Seeds both tenants.
pub(crate) async fn run(aws: &Aws) -> Result<()> {
    let services = aws.services()?;
    let identities = aws.identities()?;
    let password = setting("DEMO_PASSWORD")?;
    aws.let_items_expire().await?;
    aws.lock_archive().await?;
    for demo in &demo::TENANTS {
        let tenant = tenant(aws, &services, demo).await?;
        data::write_settings(&services, &tenant, demo).await?;
        for (index, person) in demo.people.iter().enumerate() {
            let (NewIdentity::Created(subject) | NewIdentity::Exists(subject)) = identities.register(person.email).await?;
            identities.set_password(person.email, &password).await?;
            data::write_person(&services, &tenant, demo, index, &subject).await?;
        }
        data::write_teams(&services, &tenant, demo).await?;
        println!("{}: {} users, {} teams", demo.slug, demo.people.len(), demo.teams.len());
        seed_contacts(&services, &tenant, demo).await?;
    }
    Ok(())
}

async fn tenant(aws: &Aws, services: &Services, demo: &DemoTenant) -> Result<Arc<OpenTenant>> {
    if tenants::load(&services.core, demo.id()).await?.is_none() {
        let keyring = TenantKeyring::generate(demo.id(), services.entropy.as_ref());
        let wrapped = aws.keys().wrap_keyring(&setting("TENANT_KEY_ARN")?, demo.id(), &keyring.to_bytes()).await?;
        let created = tenants::create(&services.core, &data::tenant(demo, wrapped)).await?;
        created.with_context(|| format!("the slug {} belongs to another tenant", demo.slug))?;
    }
    services.tenants.open(demo.id()).await?.context("the tenant was made and is not there")
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
        let details = draft.into_details(&defaults, demo.status_id(contact.status), assignee, team);
        batch.push(Contact::created(id, details, Change::new("contact.created", contact.created_at, Origin::system())));
        if batch.len() == BATCH || contacts.peek().is_none() {
            seen += batch.len();
            let created = contacts::create_many(&services.core, tenant, &settings, &mut std::mem::take(&mut batch), services.entropy.as_ref()).await?;
            written += created.into_iter().filter(|created| *created).count();
            println!("{}: {seen} of {} contacts, {written} new", demo.slug, demo.contacts);
        }
    }
    Ok(())
}
