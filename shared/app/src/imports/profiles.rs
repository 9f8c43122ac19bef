//! Mappings that are kept under names: saved with the mapping of an import, listed and deleted. Each change is decided on the profile as it is, and decided anew
//! when somebody was faster.

use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::imports::{MOST_PROFILES, Profile, ProfileInput, ProfileKey};
use switchboard_domain::permission::Permission;
use switchboard_store::import_profiles;

use super::access::{check_any, check_kind};
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// How often a change is decided anew because others were faster.
const ATTEMPTS: usize = 5;

/// Keeps a mapping under its name: a new one, or over the one of that name; nothing is written when that says the same. 1 R per started 4 KB (about 60 columns) and 1
/// W per started KB (about 15), 2 requests; a new one 1 request more, and 1 R per 4 KB of all there are. Two that are new at the same moment may be one too many.
///
/// # Errors
/// [`AppError::Forbidden`] without what an import of its kind needs; those of the database. What a person can mend is in the inner result: `LIMIT_EXCEEDED` beyond 100.
pub(super) async fn save(services: &Services, viewer: &Viewer, given: ProfileInput) -> Result<Result<Profile, Vec<UserError>>, AppError> {
    check_kind(viewer, given.kind)?;
    let (core, scope, now) = (&services.core, &viewer.tenant.scope, services.clock.now());
    for _ in 0..ATTEMPTS {
        let before = import_profiles::get(core, scope, &given.key).await?;
        if let Some(before) = before.as_ref().filter(|before| before.is_live()) {
            check_kind(viewer, before.kind)?;
        }
        let Some(after) = Profile::saved(before.as_ref(), given.clone(), now, viewer.origin()) else {
            return before.map(Ok).ok_or_else(|| AppError::Broken("nothing says what is to be kept".to_owned()));
        };
        let is_new = !before.as_ref().is_some_and(Profile::is_live);
        if is_new && import_profiles::list(core, scope).await?.len() >= MOST_PROFILES {
            let message = format!("There are {MOST_PROFILES} mappings already, and no more are kept. Delete one that is not used, or use its name.");
            return Ok(Err(vec![UserError::new("saveAsProfile", FieldErrorCode::LimitExceeded, message)]));
        }
        if import_profiles::save(core, scope, &after, before.map(|before| before.record.revision)).await? {
            return Ok(Ok(after));
        }
    }
    Err(AppError::Unavailable("a mapping that keeps changing"))
}

/// The mappings that are kept, in the order of their names. 1 request per started MB, 1 R per started 4 KB (about 60 columns).
///
/// # Errors
/// [`AppError::Forbidden`] without `import:read` for the whole tenant; those of the database.
pub async fn list(services: &Services, viewer: &Viewer) -> Result<Vec<Profile>, AppError> {
    viewer.require_all(Permission::ImportRead)?;
    Ok(import_profiles::list(&services.core, &viewer.tenant.scope).await?)
}

/// Deletes a mapping; answers with it, its columns included, which it hasn't any more. Imports made with it stay as they are; files dropped in its folder fail from now on. 2 requests: 1 R per started 4 KB (about 60 columns) and 1 W per
/// started KB (about 15).
///
/// # Errors
/// [`AppError::Forbidden`] without the permission for imports of its kind; those of the database. What a person can mend is in the inner result: `NOT_FOUND` of `name`.
pub async fn delete(services: &Services, viewer: &Viewer, name: &str) -> Result<Result<Profile, Vec<UserError>>, AppError> {
    check_any(viewer)?;
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let missing = || UserError::new("name", FieldErrorCode::NotFound, "No mapping of this name is kept. importProfiles lists those that are.");
    let Some(key) = ProfileKey::of(name) else {
        return Ok(Err(vec![missing()]));
    };
    let change = Change::new("import_profile.deleted", services.clock.now(), viewer.origin());
    let mut was = None;
    for _ in 0..ATTEMPTS {
        match import_profiles::get(core, scope, &key).await? {
            Some(before) if before.is_live() && check_kind(viewer, before.kind).is_ok() => {
                let deleted = before.deleted(change.clone());
                let is_deleted = import_profiles::save(core, scope, &deleted, Some(before.record.revision)).await?;
                let answer = Profile { columns: before.columns, ..deleted };
                if is_deleted {
                    return Ok(Ok(answer));
                }
                was = Some(answer);
            }
            // What the attempt before wrote, whose answer was lost.
            Some(deleted) if deleted.record.last_change == change => return Ok(was.ok_or_else(|| vec![missing()])),
            _ => return Ok(Err(vec![missing()])),
        }
    }
    Err(AppError::Unavailable("a mapping that keeps changing"))
}
