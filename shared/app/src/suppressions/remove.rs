//! Taking a number off the suppression list.

use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::SuppressionId;
use switchboard_domain::permission::Permission;
use switchboard_domain::phone;
use switchboard_domain::suppression::{self, Suppression};
use switchboard_store::suppressions;

use super::{ATTEMPTS, busy, mark};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be taken off the list: a number, or an entry by its id.
#[derive(Debug, Clone, Default)]
pub struct RemoveSuppression {
    /// The number.
    pub phone: Option<String>,
    /// The entry.
    pub id: Option<GivenId<SuppressionId>>,
    /// Why.
    pub reason: String,
}

/// Takes a number off the list, and the mark from its contact. The entry stays and says so. 3 requests: 2 R, 1 W and 1 for index 1; with a marked
/// contact 2 requests more, 1 R, 1 W, 1 for index 1 and 2 for index 2.
///
/// # Errors
/// [`AppError::Forbidden`] without `suppression:remove`, [`AppError::NotFound`] when the id names no entry; those of the database, also when the
/// entry is written and the contact still marked: asked again, it isn't. What a person can mend is in the inner result: `CONFLICT` when the number
/// was taken off before.
pub async fn remove(services: &Services, viewer: &Viewer, request: RemoveSuppression) -> Result<Result<Suppression, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::SuppressionRemove)?;
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let (field, id, reason) = match (named(viewer, &request), suppression::required_reason("reason", &request.reason)) {
        (Ok((field, id)), Ok(reason)) => (field, id.ok_or(AppError::NotFound)?, reason),
        (named, reason) => return Ok(Err(named.err().into_iter().chain(reason.err().map(UserError::from)).collect())),
    };
    let change = Change::new("suppression.removed", services.clock.now(), viewer.origin());
    let mut tried: Option<Suppression> = None;
    for _ in 0..ATTEMPTS {
        let Some(existing) = suppressions::find(core, scope, &id).await? else {
            return if field == "id" { Err(AppError::NotFound) } else { Ok(Err(vec![never_listed()])) };
        };
        // The answer to an earlier attempt may have been lost.
        if tried.as_ref() == Some(&existing) {
            mark(services, viewer, &existing).await?;
            return Ok(Ok(existing));
        }
        let removed = match existing.removed(field, reason.clone(), change.clone()) {
            Ok(removed) => removed,
            Err(error) => {
                mark(services, viewer, &existing).await?;
                return Ok(Err(vec![error.into()]));
            }
        };
        if suppressions::write(core, scope, &removed, Some(existing.record.revision), Vec::new()).await? {
            mark(services, viewer, &removed).await?;
            return Ok(Ok(removed));
        }
        tried = Some(removed);
    }
    Err(busy())
}

/// The entry that is meant, and the field that names it.
fn named(viewer: &Viewer, request: &RemoveSuppression) -> Result<(&'static str, GivenId<SuppressionId>), UserError> {
    let tenant = &viewer.tenant;
    match (&request.phone, &request.id) {
        (Some(phone), None) => Ok(("phone", Some(suppression::id_of(&tenant.keyring, &phone::parse("phone", phone, &tenant.record.country)?.e164)))),
        (None, Some(id)) => Ok(("id", id.clone())),
        (None, None) => Err(UserError::new("phone", FieldErrorCode::Blank, "Neither phone nor id is given. Give one of them.")),
        (Some(_), Some(_)) => Err(UserError::new("id", FieldErrorCode::Invalid, "Both phone and id are given. Give only one of them.")),
    }
}

fn never_listed() -> UserError {
    UserError::new("phone", FieldErrorCode::NotFound, "This number was never on the suppression list. Nothing is left to do.")
}
