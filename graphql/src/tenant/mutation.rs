//! The mutation of the organisation.

use async_graphql::{Context, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use switchboard_app::tenant_settings::{self, UpdateTenant};
use switchboard_domain::tenant_settings::TenantPatch;

use super::Tenant;
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};

/// Settings of the organisation to be changed: what isn't given stays.
#[derive(InputObject)]
pub(crate) struct TenantUpdateInput {
    /// Its version as it was read; another one is STALE.
    expected_version: i32,
    /// What people call it: at most 255 characters.
    name: MaybeUndefined<String>,
    /// IANA time zone, such as `America/Toronto`. Contacts keep the time zone they have.
    time_zone: MaybeUndefined<String>,
    /// ISO 3166-1 country of two letters, such as `CA`: numbers without a prefix are read in it from then on.
    country: MaybeUndefined<String>,
    /// When its day begins, as `HH:MM` from 00:00 to 23:59.
    calling_day_start: MaybeUndefined<String>,
    /// Minutes kept free between two bookings of an agent, 0 to 480.
    booking_buffer_minutes: MaybeUndefined<i32>,
    /// Seconds without a heartbeat after which an agent counts as offline, 15 to 3600.
    heartbeat_timeout_seconds: MaybeUndefined<i32>,
    /// Days for which audit events are kept, 365 to 3653.
    retention_days: MaybeUndefined<i32>,
    /// Whether every opening of a contact goes on record.
    record_contact_views: MaybeUndefined<bool>,
}

/// What came of changing the organisation.
#[derive(SimpleObject)]
pub(crate) struct TenantUpdatePayload {
    /// The organisation as it is now; null exactly when there are errors.
    tenant: Option<Tenant>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// The mutation of the organisation.
#[derive(Default)]
pub(crate) struct TenantMutation;

#[Object]
impl TenantMutation {
    /// Changes the settings of one's organisation. It can be half a minute until they are known everywhere.
    async fn tenant_update(&self, ctx: &Context<'_>, #[graphql(desc = "The changes.")] input: TenantUpdateInput) -> Result<TenantUpdatePayload> {
        let patch = TenantPatch {
            name: input.name.into(),
            time_zone: input.time_zone.into(),
            country: input.country.into(),
            calling_day_start: input.calling_day_start.into(),
            booking_buffer_minutes: input.booking_buffer_minutes.into(),
            heartbeat_timeout_seconds: input.heartbeat_timeout_seconds.into(),
            retention_days: input.retention_days.into(),
            record_contact_views: input.record_contact_views.into(),
        };
        let request = UpdateTenant { expected_version: input.expected_version, patch };
        Ok(match tenant_settings::update(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(tenant) => TenantUpdatePayload { tenant: Some(Tenant(tenant)), user_errors: Vec::new() },
            Err(errors) => TenantUpdatePayload { tenant: None, user_errors: errors.into_iter().map(UserError::from).collect() },
        })
    }
}
