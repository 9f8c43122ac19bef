//! Putting a number on the suppression list.

use switchboard_domain::change::Change;
use switchboard_domain::ids::{ContactId, SuppressionId};
use switchboard_domain::permission::Permission;
use switchboard_domain::phone;
use switchboard_domain::suppression::{self, Suppression};
use switchboard_store::suppressions;

use super::{ATTEMPTS, busy, mark};
use crate::error::{AppError, UserError};
use crate::idempotency::{Recalled, recall};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be put on the list.
#[derive(Debug, Clone, Default)]
pub struct AddSuppression {
    /// The number.
    pub phone: String,
    /// Why.
    pub reason: Option<String>,
    /// Where the entry comes from; `manual` when nothing is said.
    pub source: Option<String>,
    /// The client's own key for this request: the same key and input answer as before.
    pub idempotency_key: Option<String>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedSuppression {
    /// The entry of the number, new or as it was.
    pub suppression: Suppression,
    /// The contact whose number it is.
    pub contact: Option<ContactId>,
}

/// Puts a number on the list, at once for all who ask the list, and marks its contact. A number that is on it already stays as it is. 3 requests: 2 R,
/// 1 W and 1 for index 1; with a contact that isn't marked yet 2 requests more, 1 R, 1 W, 1 for index 1 and 2 for index 2; with an idempotency key
/// 1 R more, and a transaction of 4 W.
///
/// # Errors
/// [`AppError::Forbidden`] without `suppression:add`; those of the database, also when the entry is written and the contact not yet marked: asked
/// again, it is. What a person can mend is in the inner result.
pub async fn add(services: &Services, viewer: &Viewer, request: AddSuppression) -> Result<Result<AddedSuppression, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::SuppressionAdd)?;
    let suppression = match write(services, viewer, &request).await? {
        Ok(suppression) => suppression,
        Err(errors) => return Ok(Err(errors)),
    };
    let contact = mark(services, viewer, &suppression).await?;
    Ok(Ok(AddedSuppression { suppression, contact }))
}

async fn write(services: &Services, viewer: &Viewer, request: &AddSuppression) -> Result<Result<Suppression, Vec<UserError>>, AppError> {
    let (core, tenant) = (&services.core, &viewer.tenant);
    let form = (&request.phone, &request.reason, &request.source);
    let now = services.clock.now();
    for _ in 0..ATTEMPTS {
        // Asked in every attempt: what was refused may have been the key, used a moment ago.
        let pending = match recall(services, tenant, "suppressionAdd", request.idempotency_key.as_deref(), &form).await? {
            Recalled::New(pending) => pending,
            Recalled::Answer(id) => return remembered(services, viewer, &id).await.map(Ok),
            Recalled::Refused(error) => return Ok(Err(vec![error])),
        };
        let mut errors: Vec<UserError> = Vec::new();
        let phone = phone::parse("phone", &request.phone, &tenant.record.country).map_err(|error| errors.push(error.into())).ok();
        let reason = request.reason.as_deref().map(|given| suppression::reason("reason", given)).transpose().map_err(|error| errors.push(error.into())).ok();
        let source = suppression::source("source", request.source.as_deref()).map_err(|error| errors.push(error.into())).ok();
        let (Some(phone), Some(reason), Some(source)) = (phone, reason, source) else {
            return Ok(Err(errors));
        };
        let reason = reason.flatten();
        let id = suppression::id_of(&tenant.keyring, &phone.e164);
        let others: Vec<_> = pending.map(|pending| pending.part(tenant, &id, now)).into_iter().collect();
        let change = Change::new("suppression.added", now, viewer.origin());
        let existing = suppressions::find(core, &tenant.scope, &id).await?;
        let (entry, replaced) = match existing {
            None => (Suppression::added(id, tenant.keyring.slot(&phone.e164), reason, source, change), None),
            Some(existing) if existing.is_in_force() => {
                // The key is remembered all the same: when the number is taken off, the same request come late must not put it back.
                if others.is_empty() || core.transact(&tenant.scope, others).await? {
                    return Ok(Ok(existing));
                }
                continue;
            }
            Some(existing) => (existing.added_again(reason, source, change), Some(existing.record.revision)),
        };
        if suppressions::write(core, &tenant.scope, &entry, replaced, others).await? {
            return Ok(Ok(entry));
        }
    }
    Err(busy())
}

/// The entry that a request with the same key wrote before, as it is now.
async fn remembered(services: &Services, viewer: &Viewer, id: &str) -> Result<Suppression, AppError> {
    let broken = || AppError::Broken("an idempotency entry names no suppression".to_owned());
    let id = SuppressionId::parse(id).ok_or_else(broken)?;
    suppressions::find(&services.core, &viewer.tenant.scope, &id).await?.ok_or_else(broken)
}
