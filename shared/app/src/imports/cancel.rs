//! Stopping an import. What was written stays, and starting it again goes on where it stopped.

use switchboard_domain::change::Change;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::Import;
use switchboard_store::imports;

use super::rows::Step;
use super::start::find;
use super::{ImportServices, lanes};
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::viewer::Viewer;

/// How often it is looked at again because it went on meanwhile.
const ATTEMPTS: usize = 4;

/// Stops an import. Workers that write its rows leave within a second or two, and count what they wrote. 2 R, 1 W and 1 for index 1, 1 request to the queue.
///
/// # Errors
/// [`AppError::Forbidden`] without the permission for imports of its kind, [`AppError::NotFound`]; those of the database and of the queue. What a person can mend is in the inner result.
pub async fn cancel(services: &ImportServices, viewer: &Viewer, id: GivenId<ImportId>) -> Result<Result<Import, Vec<UserError>>, AppError> {
    let (core, scope) = (&services.services.core, &viewer.tenant.scope);
    let change = Change::new("import.cancelled", services.services.clock.now(), viewer.origin());
    for attempt in 0..ATTEMPTS {
        let import = find(services, viewer, id).await?;
        // What the attempt before wrote, whose answer was lost.
        let is_done = attempt > 0 && import.last_change.as_ref() == Some(&change);
        if !is_done && let Err(error) = import.check_cancellable() {
            return Ok(Err(vec![error.into()]));
        }
        if is_done || imports::cancel(core, scope, import.id, &change).await? {
            let import = find(services, viewer, id).await?;
            if import.writing_since.is_some() {
                lanes::send(services, scope, &import, [Step::Finish]).await?;
            }
            return Ok(Ok(import));
        }
    }
    Err(AppError::Unavailable("an import that keeps changing"))
}
