//! What it costs to put on record who looks, takes data out and is refused, for the page of costs.

use std::sync::Arc;

use switchboard_app::audit::{AccessLog, permission_denied};
use switchboard_app::contacts::{self, CreateContact};
use switchboard_app::tenant_settings::{self, UpdateTenant};
use switchboard_app::users::{self, DisableUser};
use switchboard_app::viewer::{RequestOrigin, SignIn, SignIns};
use switchboard_app::{AppError, Services, Viewer, bulk};
use switchboard_domain::audit::EACH_A_MINUTE;
use switchboard_domain::bulk_job::{BulkAction, BulkJob, BulkJobStatus};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{ContactFilter, ContactInput};
use switchboard_domain::ids::BulkJobId;
use switchboard_domain::person::{ADMIN, TELEPHONIST};
use switchboard_domain::tenant_settings::TenantPatch;
use switchboard_testkit::{Usage, World};

/// What happens in between costs.
async fn of<T>(world: &World, work: impl Future<Output = T>) -> (Usage, T) {
    world.database.meter.reset();
    let result = work.await;
    (world.database.meter.usage(), result)
}

/// What each costs.
pub(crate) async fn rows() -> Vec<(&'static str, Usage)> {
    let mut rows = looking().await;
    rows.extend(refused().await);
    rows
}

async fn looking() -> Vec<(&'static str, Usage)> {
    let world = World::new().await;
    let (services, now) = (&world.services, world.clock.now());
    let admin = world.viewer(ADMIN).await;
    let input = ContactInput { phone: "514-555-0001".to_owned(), name: Some("Zoé Roy".to_owned()), ..ContactInput::default() };
    let id = contacts::create(services, &admin, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap().id;
    let patch = TenantPatch { record_contact_views: Some(Some(true)), ..TenantPatch::default() };
    tenant_settings::update(services, &admin, UpdateTenant { expected_version: 1, patch }).await.unwrap().unwrap();
    let tenant = services.tenants.open(world.tenant.record.id).await.unwrap().unwrap();
    let admin = Viewer { tenant, ..admin };
    let (opened, contact) = of(&world, contacts::get(services, &admin, &id)).await;
    contact.unwrap().unwrap();
    let (again, contact) = of(&world, contacts::get(services, &admin, &id)).await;
    contact.unwrap().unwrap();
    let job = BulkJobId::new(now, &services.entropy.id());
    let job = BulkJob::asked(job, BulkAction::Export, ContactFilter::default(), admin.origin(), now, now);
    let job = BulkJob { status: BulkJobStatus::Completed, finished_at: Some(now), ..job };
    let (link, given) = of(&world, bulk::file_url(services, &admin, &job)).await;
    given.unwrap().unwrap();
    vec![
        ("`contact`, where openings are recorded", opened),
        ("… again by the same user within the minute", again),
        ("`fileUrl` of an export, once a minute for each user and file", link),
    ]
}

async fn refused() -> Vec<(&'static str, Usage)> {
    let world = World::new().await;
    let at = world.clock.now();
    let telephonist = world.viewer(TELEPHONIST).await;
    let denied = async |services: &Services, operation: &str| assert!(permission_denied(services, &telephonist, vec![operation.to_owned()]).await);
    let (first, ()) = of(&world, denied(&world.services, "users")).await;
    let another = Services { access: Arc::new(AccessLog::default()), ..world.services.clone() };
    let (second, ()) = of(&world, denied(&another, "imports")).await;
    for _ in 2..EACH_A_MINUTE {
        denied(&world.services, "users").await;
    }
    denied(&world.services, "users").await;
    let (counted, ()) = of(&world, denied(&world.services, "users")).await;

    world.clock.advance(jiff::SignedDuration::from_secs(60));
    let disabling = DisableUser { id: Some(telephonist.user.id), expected_version: 1, reason: "left".to_owned(), ..DisableUser::default() };
    assert!(matches!(users::disable(&world.services, &world.viewer(ADMIN).await, disabling).await, Err(AppError::Platform(_))));
    let (sign_ins, sign_in) = (SignIns::default(), SignIn { subject: "telephonist@demo.test", at });
    let comes = async || assert!(matches!(sign_ins.viewer(&world.services, sign_in, RequestOrigin::default()).await, Err(AppError::Unauthenticated)));
    comes().await;
    let (disabled, ()) = of(&world, comes()).await;
    vec![
        ("a request answered `FORBIDDEN`, beside what it asks for", first),
        ("… when another process recorded one before in the same minute", second),
        ("… from the eleventh in a minute on", counted),
        ("a request of who is disabled, within 20 seconds of another", disabled),
    ]
}
