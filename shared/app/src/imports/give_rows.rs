//! Rows that another program gives: written down as a file, planned at once, and checked and written like those of any other.

use serde::Serialize;
use serde_json::Value;
use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::{GivenRows, Import, ImportKind, ImportOptions, ImportSourceType, ImportStatus, NewImport, Phase, given_rows};
use switchboard_store::TenantScope;
use switchboard_store::imports::{self, Planned};
use switchboard_store::tenants::OpenTenant;

use super::access::check_kind;
use super::rows::Step;
use super::start::check_again;
use super::{ImportServices, lanes};
use crate::error::{AppError, UserError};
use crate::idempotency::{Pending, Recalled, key_taken, recall};
use crate::viewer::Viewer;

/// Longest name of the product that rows come from, in characters.
const PLATFORM_LENGTH: usize = 50;

/// What is to be imported.
#[derive(Debug, Clone, Serialize)]
pub struct GiveRows {
    /// What the rows become.
    pub kind: ImportKind,
    /// Where they come from; not a file.
    pub source_type: ImportSourceType,
    /// The product they come from: lower-case letters, digits, `_` and `-`.
    pub source_platform: String,
    /// The rows, each an object of fields by their names in the API and their values.
    pub rows: Vec<Value>,
    /// What is done with rows that leave a choice.
    pub options: ImportOptions,
    /// The client's own key for these rows: the same key and input are one import, and go on with it where it stopped.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// Imports up to 1,000 rows. They are checked and written by workers; the answer doesn't wait for them. 1 request for the file; 1 W and 1 for index 1, 1 W per chunk
/// (up to three), 1 W and 1 R; 1 request to the queue. With an idempotency key 1 R more and a transaction.
///
/// When the import was made and its rows could not be sent, the answer is an error, and the same request with the same key sends them; without a key the import
/// fails. That of a process which is killed in between waits for the same request, or to be cancelled.
///
/// # Errors
/// [`AppError::Forbidden`] without what an import of this kind needs; those of the services. What a person can mend is in the inner result.
pub async fn give_rows(services: &ImportServices, viewer: &Viewer, request: GiveRows) -> Result<Result<Import, Vec<UserError>>, AppError> {
    check_kind(viewer, request.kind)?;
    let tenant = &viewer.tenant;
    let pending = match known(services, tenant, &request).await? {
        Recalled::New(pending) => pending,
        Recalled::Answer(id) => return asked_before(services, tenant, &request, &id).await.map(Ok),
        Recalled::Refused(error) => return Ok(Err(vec![error])),
    };
    let (given, options) = match check(&request) {
        Ok(checked) => checked,
        Err(errors) => return Ok(Err(errors)),
    };
    let now = services.services.clock.now();
    let id = ImportId::new(now, &services.services.entropy.id());
    let file_key = file_key(&tenant.scope, id);
    let new = NewImport {
        id,
        kind: request.kind,
        source_type: request.source_type,
        source_platform: request.source_platform.clone(),
        file_name: format!("rows from {}", request.source_platform),
        file_bytes: given.file.len() as u64,
        file_tag: services.uploads.put(&file_key, "text/csv", given.file.clone()).await?,
        file_key,
        change: Change::new("import.created", now, viewer.origin()),
    };
    let import = Import { options, ..Import::new(new) };
    let has_key = pending.is_some();
    if !create(services, tenant, &import, pending).await? {
        // Two requests with one key met, and the other one was faster.
        return match known(services, tenant, &request).await? {
            Recalled::Answer(id) => asked_before(services, tenant, &request, &id).await.map(Ok),
            Recalled::New(_) | Recalled::Refused(_) => Ok(Err(vec![key_taken()])),
        };
    }
    match begin(services, tenant, &import, given).await {
        Err(error) if !has_key => {
            let reason = "The rows could not be handed to a worker. Give them again.";
            imports::fail(&services.services.core, &tenant.scope, id, reason, services.services.clock.now()).await?;
            Err(error)
        }
        begun => begun.map(Ok),
    }
}

/// The key of the file of given rows, in the uploads bucket.
fn file_key(scope: &TenantScope, import: ImportId) -> String {
    format!("rows/{}/{import}.csv", scope.tenant())
}

async fn known(services: &ImportServices, tenant: &OpenTenant, request: &GiveRows) -> Result<Recalled, AppError> {
    recall(&services.services, tenant, "importRows", request.idempotency_key.as_deref(), request).await
}

fn check(request: &GiveRows) -> Result<(GivenRows, ImportOptions), Vec<UserError>> {
    let mut errors: Vec<UserError> = Vec::new();
    if request.source_type == ImportSourceType::Csv {
        let message = "Rows of a file are imported by importCreate. Give API, MANUAL_UI or WEBHOOK.";
        errors.push(UserError::new("sourceType", FieldErrorCode::Invalid, message));
    }
    let platform = &request.source_platform;
    if platform.is_empty() {
        errors.push(UserError::new("sourcePlatform", FieldErrorCode::Blank, "sourcePlatform is empty. Give the name of the product, such as genesys."));
    } else if platform.chars().count() > PLATFORM_LENGTH {
        errors.push(UserError::new("sourcePlatform", FieldErrorCode::TooLong, "sourcePlatform is longer than 50 characters. Shorten it."));
    } else if !platform.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')) {
        let message = "sourcePlatform has only lower-case letters, digits, _ and -, such as five9. Change it.";
        errors.push(UserError::new("sourcePlatform", FieldErrorCode::Invalid, message));
    }
    let options = request.options.clone().checked().map_err(|error| errors.push(error.into())).ok();
    let given = given_rows(&request.rows, request.kind).map_err(|wrong| errors.extend(wrong.into_iter().map(UserError::from))).ok();
    match (given, options) {
        (Some(given), Some(options)) if errors.is_empty() => Ok((given, options)),
        _ => Err(errors),
    }
}

/// Makes the import; false when the key was used meanwhile.
async fn create(services: &ImportServices, tenant: &OpenTenant, import: &Import, pending: Option<Pending>) -> Result<bool, AppError> {
    let core = &services.services.core;
    match pending {
        None => {
            imports::create(core, &tenant.scope, import.clone()).await?;
            Ok(true)
        }
        Some(pending) => {
            let parts = vec![pending.part(tenant, import.id, import.created_at), imports::creation(&tenant.scope, import)?];
            Ok(core.commit(&tenant.scope, parts).await?)
        }
    }
}

/// Plans the file and sends its chunks to be checked. Done again, it does what is left.
async fn begin(services: &ImportServices, tenant: &OpenTenant, import: &Import, given: GivenRows) -> Result<Import, AppError> {
    let (core, scope) = (&services.services.core, &tenant.scope);
    for range in &given.plan.chunks {
        imports::create_chunk(core, scope, import.id, *range).await?;
    }
    let planned = Planned {
        staged: None,
        dialect: given.dialect,
        mapping: given.mapping,
        options: import.options.clone(),
        rows: given.plan.rows,
        chunks: u32::try_from(given.plan.chunks.len()).unwrap_or(u32::MAX),
        status: ImportStatus::Processing,
    };
    imports::plan(core, scope, import.id, &planned, services.services.clock.now()).await?;
    send(services, tenant, &find(services, tenant, import.id).await?).await
}

/// Sends the chunks to be checked, unless some were.
async fn send(services: &ImportServices, tenant: &OpenTenant, import: &Import) -> Result<Import, AppError> {
    if import.phase == Phase::Checking && import.chunks_checked == 0 {
        let run = import.check_run;
        lanes::begin(services, &tenant.scope, import, |piece| Step::Check { chunk: piece.chunk, run }).await?;
    }
    Ok(import.clone())
}

/// The import that the same request made. Whoever made it may not have come to its end: it goes on from there.
async fn asked_before(services: &ImportServices, tenant: &OpenTenant, request: &GiveRows, id: &str) -> Result<Import, AppError> {
    let id = ImportId::parse(id).ok_or_else(|| AppError::Broken("an idempotency entry names no import".to_owned()))?;
    let import = find(services, tenant, id).await?;
    if import.phase == Phase::Planning
        && let Ok((given, _)) = check(request)
    {
        return begin(services, tenant, &import, given).await;
    }
    if import.phase == Phase::Checking {
        // Some of its chunks may never have been sent.
        check_again(services, &tenant.scope, &import).await?;
    }
    Ok(import)
}

async fn find(services: &ImportServices, tenant: &OpenTenant, id: ImportId) -> Result<Import, AppError> {
    let import = imports::get(&services.services.core, &tenant.scope, id).await?;
    import.ok_or_else(|| AppError::Broken("an import that was made is gone".to_owned()))
}
