//! Changing the tenant's settings.

use futures::future::join_all;
use jiff::SignedDuration;
use switchboard_app::tenant_settings::{self, UpdateTenant};
use switchboard_app::{AppError, UserError};
use switchboard_domain::audit::Audited;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::tenant::Tenant;
use switchboard_domain::tenant_settings::TenantPatch;
use switchboard_store::tenants;
use switchboard_testkit::World;

use crate::made;

fn named(expected_version: i32, name: &str) -> UpdateTenant {
    UpdateTenant { expected_version, patch: TenantPatch { name: Some(Some(name.to_owned())), ..TenantPatch::default() } }
}

fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

async fn stored(world: &World) -> Tenant {
    tenants::load(&world.database.core, world.tenant.record.id).await.unwrap().unwrap().1
}

#[tokio::test]
async fn only_who_may_changes_the_settings() {
    let world = World::new().await;
    for role in ["manager", "supervisor", "telephonist", "agent"] {
        let viewer = world.viewer(role).await;
        assert!(matches!(tenant_settings::update(&world.services, &viewer, named(1, "Mine")).await, Err(AppError::Forbidden)), "{role}");
    }
    assert_eq!(stored(&world).await.name, "Demo Inc.");
}

#[tokio::test]
async fn a_change_is_written_known_at_once_and_on_record() {
    let world = World::new().await;
    let admin = world.viewer("admin").await;
    let patch = TenantPatch { calling_day_start: Some(Some("04:00".to_owned())), heartbeat_timeout_seconds: Some(Some(90)), ..TenantPatch::default() };
    let after = tenant_settings::update(&world.services, &admin, UpdateTenant { expected_version: 1, patch }).await.unwrap().unwrap();
    assert_eq!((after.calling_day_start, after.heartbeat_timeout(), after.record.version), (240, SignedDuration::from_secs(90), 2));
    assert_eq!((after.record.last_change.action.as_str(), &after.record.last_change.origin), ("tenant.updated", &admin.origin()));
    assert_eq!(after.audit_fields()["callingDayStart"], 240);
    assert_eq!(stored(&world).await, after);
    let opened = world.services.tenants.open(after.id).await.unwrap().unwrap();
    assert_eq!(opened.record, after, "read again although the half minute isn't over");
}

#[tokio::test]
async fn what_is_wrong_stale_or_the_same_is_not_written() {
    let world = World::new().await;
    let admin = world.viewer("admin").await;
    let before = made::everything(&world.database).await;
    let wrong = TenantPatch { time_zone: Some(Some("Amerika/Toronto".to_owned())), retention_days: Some(Some(1)), ..TenantPatch::default() };
    let errors = tenant_settings::update(&world.services, &admin, UpdateTenant { expected_version: 1, patch: wrong }).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("timeZone", FieldErrorCode::Invalid), ("retentionDays", FieldErrorCode::Invalid)]);
    let errors = tenant_settings::update(&world.services, &admin, named(2, "Other")).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("expectedVersion", FieldErrorCode::Stale)]);
    world.database.meter.reset();
    let same = tenant_settings::update(&world.services, &admin, named(1, " Demo Inc. ")).await.unwrap().unwrap();
    assert_eq!((same.record.version, world.database.meter.usage().total_write_units()), (1, 0.0));
    assert_eq!(made::everything(&world.database).await.len(), before.len());
}

#[tokio::test]
async fn of_several_who_change_the_same_version_one_does() {
    let world = World::new().await;
    let admin = world.viewer("admin").await;
    let names: Vec<String> = (0..8).map(|index| format!("Name {index}")).collect();
    let outcomes = join_all(names.iter().map(|name| tenant_settings::update(&world.services, &admin, named(1, name)))).await;
    let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
    let won: Vec<&Tenant> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    assert_eq!(won, [&stored(&world).await]);
    for errors in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(codes(errors), [("expectedVersion", FieldErrorCode::Stale)]);
    }
}

#[tokio::test]
async fn a_change_of_the_keys_meanwhile_is_kept_and_makes_nothing_stale() {
    let world = World::new().await;
    let admin = world.viewer("admin").await;
    assert!(tenants::set_keyring(&world.database.core, &world.tenant, vec![7]).await.unwrap());
    let after = tenant_settings::update(&world.services, &admin, named(1, "Renamed")).await.unwrap().unwrap();
    assert_eq!((after.wrapped_keyring.as_slice(), after.record.version, after.record.revision), (&[7][..], 2, 3));
}
