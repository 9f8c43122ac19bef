//! The mutations of statuses.

use async_graphql::{Context, ID, InputObject, MaybeUndefined, Object, Result, SimpleObject};
use switchboard_app::UserError as AppUserError;
use switchboard_app::statuses::{self, CreateStatus, DeleteStatus, UpdateStatus};
use switchboard_domain::ids::StatusId;
use switchboard_domain::status::{StatusInput, StatusPatch};

use super::ContactStatus;
use crate::bulk_job::BulkJob;
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};
use crate::node_id::NodeId;

/// A status to be created.
#[derive(InputObject)]
pub(crate) struct ContactStatusCreateInput {
    /// What people read: at most 50 characters, unique in the tenant whatever its capitals and accents.
    name: String,
    /// A lower-case letter, then lower-case letters, digits and underscores, at most 50 in all; unique in the tenant, deleted statuses included. Made of
    /// the name when not given.
    code: Option<String>,
    /// `#RRGGBB`.
    color: String,
    /// Its place among the statuses, 0 to 65535; lower is called first.
    order: i32,
    /// Contacts with it are not offered for calling.
    #[graphql(default)]
    exclude_from_call_list: bool,
    /// The client's own key for this creation, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// A status to be changed: what isn't given stays.
#[derive(InputObject)]
pub(crate) struct ContactStatusUpdateInput {
    /// The status.
    id: ID,
    /// Its version as it was read; another one is STALE.
    expected_version: i32,
    /// What people read.
    name: MaybeUndefined<String>,
    /// `#RRGGBB`.
    color: MaybeUndefined<String>,
    /// Its place among the statuses, 0 to 65535.
    order: MaybeUndefined<i32>,
    /// Contacts with it are not offered for calling. Of a system status it can't change.
    exclude_from_call_list: MaybeUndefined<bool>,
}

/// A status to be deleted.
#[derive(InputObject)]
pub(crate) struct ContactStatusDeleteInput {
    /// The status.
    id: ID,
    /// Its version as it was read; another one is STALE.
    expected_version: i32,
}

/// What came of creating a status.
#[derive(SimpleObject)]
pub(crate) struct ContactStatusCreatePayload {
    /// The status; null exactly when there are errors.
    contact_status: Option<ContactStatus>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of changing a status.
#[derive(SimpleObject)]
pub(crate) struct ContactStatusUpdatePayload {
    /// The status as it is now; null exactly when there are errors.
    contact_status: Option<ContactStatus>,
    /// The job that moves its contacts in the calling order; null when neither order nor exclusion changed.
    job: Option<BulkJob>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of deleting a status.
#[derive(SimpleObject)]
pub(crate) struct ContactStatusDeletePayload {
    /// The status, deleted; null exactly when there are errors.
    contact_status: Option<ContactStatus>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// Errors name contacts that are in the way, no other records.
fn shown(errors: Vec<AppUserError>) -> Vec<UserError> {
    errors.into_iter().map(|error| UserError::from(AppUserError { existing: None, ..error })).collect()
}

fn status_id(id: &ID) -> Option<StatusId> {
    match NodeId::parse(id) {
        Some(NodeId::ContactStatus(id)) => Some(id),
        _ => None,
    }
}

/// The mutations of statuses.
#[derive(Default)]
pub(crate) struct ContactStatusMutation;

#[Object]
impl ContactStatusMutation {
    /// Creates a status. A name or code that another one has is TAKEN. It can be half a minute until it is listed, and can be given, everywhere.
    async fn contact_status_create(&self, ctx: &Context<'_>, #[graphql(desc = "The status.")] input: ContactStatusCreateInput) -> Result<ContactStatusCreatePayload> {
        let values = StatusInput { name: input.name, code: input.code, color: input.color, order: input.order, exclude_from_call_list: input.exclude_from_call_list };
        let request = CreateStatus { input: values, idempotency_key: input.idempotency_key };
        Ok(match statuses::create(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(status) => ContactStatusCreatePayload { contact_status: Some(ContactStatus(status)), user_errors: Vec::new() },
            Err(errors) => ContactStatusCreatePayload { contact_status: None, user_errors: shown(errors) },
        })
    }

    /// Changes a status. Another order or exclusion moves the contacts that have it in the calling order, in a job.
    async fn contact_status_update(&self, ctx: &Context<'_>, #[graphql(desc = "The changes.")] input: ContactStatusUpdateInput) -> Result<ContactStatusUpdatePayload> {
        let patch =
            StatusPatch { name: input.name.into(), color: input.color.into(), order: input.order.into(), exclude_from_call_list: input.exclude_from_call_list.into() };
        let request = UpdateStatus { id: status_id(&input.id), expected_version: input.expected_version, patch };
        Ok(match statuses::update(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(updated) => {
                ContactStatusUpdatePayload { contact_status: Some(ContactStatus(updated.status)), job: updated.job.map(BulkJob::from), user_errors: Vec::new() }
            }
            Err(errors) => ContactStatusUpdatePayload { contact_status: None, job: None, user_errors: shown(errors) },
        })
    }

    /// Deletes a status that no contact has; else IN_USE says how many have it, deleted ones aside, up to 1,000. System statuses are
    /// NOT_ALLOWED. Its code stays taken, its name doesn't.
    async fn contact_status_delete(&self, ctx: &Context<'_>, #[graphql(desc = "The status.")] input: ContactStatusDeleteInput) -> Result<ContactStatusDeletePayload> {
        let request = DeleteStatus { id: status_id(&input.id), expected_version: input.expected_version };
        Ok(match statuses::delete(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(status) => ContactStatusDeletePayload { contact_status: Some(ContactStatus(status)), user_errors: Vec::new() },
            Err(errors) => ContactStatusDeletePayload { contact_status: None, user_errors: shown(errors) },
        })
    }
}
