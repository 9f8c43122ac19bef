//! Making an import whose file is uploaded to it.

use std::time::Duration;

use serde::Serialize;
use switchboard_domain::change::Change;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::{Import, ImportKind, ImportSourceType, NewImport};
use switchboard_platform::UploadTarget;
use switchboard_store::imports;

use super::access::check_kind;
use super::{ImportServices, uploaded_key};
use crate::error::{AppError, UserError};
use crate::idempotency::{Recalled, key_taken, recall};
use crate::viewer::Viewer;

/// Largest file that is uploaded through a form, which is the largest one a bucket takes at once.
const MOST_UPLOADED: u64 = 5 * 1024 * 1024 * 1024;
/// Longest name of a file, in characters.
const NAME_LENGTH: usize = 255;
/// How long a file can be uploaded.
const UPLOAD_TAKES: Duration = Duration::from_secs(60 * 60);

/// What is to be imported.
#[derive(Debug, Clone, Serialize)]
pub struct CreateImport {
    /// What its rows become.
    pub kind: ImportKind,
    /// The name of the file.
    pub file_name: String,
    /// Its size in bytes. A file that turns out larger is refused by the bucket.
    pub file_bytes: i64,
    /// The client's own key for this import: the same key and input answer as before, with another form for the upload.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// An import, and the form with which its file is uploaded.
#[derive(Debug, Clone)]
pub struct Created {
    /// The import.
    pub import: Import,
    /// The form.
    pub upload: UploadTarget,
}

/// Makes an import and the form for its file: exactly this file's place, at most its size, within the hour. 1 W and 1 for index 1; with an idempotency key 1 R more
/// and a transaction.
///
/// # Errors
/// [`AppError::Forbidden`] without the permission for imports of its kind; those of the database and of signing. What a person can mend is in the inner result.
pub async fn create(services: &ImportServices, viewer: &Viewer, request: CreateImport) -> Result<Result<Created, Vec<UserError>>, AppError> {
    check_kind(viewer, request.kind)?;
    let (tenant, core) = (&viewer.tenant, &services.services.core);
    let pending = match recall(&services.services, tenant, "importCreate", request.idempotency_key.as_deref(), &request).await? {
        Recalled::New(pending) => pending,
        Recalled::Answer(id) => return asked_before(services, viewer, &id).await.map(Ok),
        Recalled::Refused(error) => return Ok(Err(vec![error])),
    };
    let (name, bytes) = match check(&request) {
        Ok(checked) => checked,
        Err(errors) => return Ok(Err(errors)),
    };
    let now = services.services.clock.now();
    let id = ImportId::new(now, &services.services.entropy.id());
    let import = Import::new(NewImport {
        id,
        kind: request.kind,
        source_type: ImportSourceType::Csv,
        source_platform: "n/a".to_owned(),
        file_name: name,
        file_bytes: bytes,
        file_key: uploaded_key(&tenant.scope, id),
        file_tag: String::new(),
        change: Change::new("import.created", now, viewer.origin()),
    });
    match pending {
        None => drop(imports::create(core, &tenant.scope, import.clone()).await?),
        Some(pending) => {
            let parts = vec![pending.part(tenant, id, now), imports::creation(&tenant.scope, &import)?];
            if !core.commit(&tenant.scope, parts).await? {
                // Two requests with one key met, and the other one was faster.
                return Ok(Err(vec![key_taken()]));
            }
        }
    }
    let upload = services.uploads.presigned_post(&import.file_key, bytes, UPLOAD_TAKES, now).await?;
    Ok(Ok(Created { import, upload }))
}

fn check(request: &CreateImport) -> Result<(String, u64), Vec<UserError>> {
    let mut errors = Vec::new();
    let name = request.file_name.trim();
    if name.is_empty() {
        errors.push(UserError::new("fileName", FieldErrorCode::Blank, "Give the name of the file."));
    } else if name.chars().count() > NAME_LENGTH {
        errors.push(UserError::new("fileName", FieldErrorCode::TooLong, "The name of the file is longer than 255 characters. Shorten it."));
    } else if name.chars().any(char::is_control) {
        errors.push(UserError::new("fileName", FieldErrorCode::Invalid, "The name of the file has control characters. Rename the file."));
    }
    let bytes = match u64::try_from(request.file_bytes) {
        Ok(0) | Err(_) => {
            errors.push(UserError::new("fileBytes", FieldErrorCode::Invalid, "A file has at least 1 byte. Give its size in bytes."));
            0
        }
        Ok(bytes) if bytes > MOST_UPLOADED => {
            let message = "A file of more than 5 GiB can't be uploaded here. Drop it in the uploads bucket under drop/<tenant>/, as docs/imports.md says, or split it.";
            errors.push(UserError::new("fileBytes", FieldErrorCode::LimitExceeded, message));
            0
        }
        Ok(bytes) => bytes,
    };
    if errors.is_empty() { Ok((name.to_owned(), bytes)) } else { Err(errors) }
}

async fn asked_before(services: &ImportServices, viewer: &Viewer, id: &str) -> Result<Created, AppError> {
    let broken = || AppError::Broken("an idempotency entry names no import there is".to_owned());
    let id = ImportId::parse(id).ok_or_else(broken)?;
    let import = imports::get(&services.services.core, &viewer.tenant.scope, id).await?.ok_or_else(broken)?;
    let upload = services.uploads.presigned_post(&import.file_key, import.file_bytes, UPLOAD_TAKES, services.services.clock.now()).await?;
    Ok(Created { import, upload })
}
