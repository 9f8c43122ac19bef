//! The file of the rows that failed, gathered from what each chunk left.

use futures::{StreamExt, TryStreamExt, stream};
use switchboard_domain::file_parts::FilePart;
use switchboard_domain::imports::{Import, errors_header};
use switchboard_platform::Download;
use switchboard_store::imports;
use switchboard_store::tenants::OpenTenant;

use super::{ImportServices, Place};
use crate::error::AppError;

/// A part is uploaded when it holds this much; the bucket takes none below 5 MiB but the last.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Files that are asked for at once.
const AT_ONCE: usize = 8;

const FORM: Download<'static> = Download { content_type: "text/csv; charset=utf-8", file_name: "errors.csv" };

/// Gathers the rows of which the check says that they will fail. 1 request per chunk, and 1 for the file, or 1 per 8 MiB and 2; 1 W.
pub(super) async fn gather_found(services: &ImportServices, tenant: &OpenTenant, import: &Import) -> Result<(), AppError> {
    let place = Place::of(&tenant.scope, import.id);
    let files = (1..=import.chunks).map(|chunk| place.found_rows(import.check_run, chunk)).collect();
    gather(services, tenant, import, &place, files).await
}

/// Gathers the rows that failed as they were written. The same, and 1 R per 20 chunks.
pub(super) async fn gather_failed(services: &ImportServices, tenant: &OpenTenant, import: &Import) -> Result<(), AppError> {
    let place = Place::of(&tenant.scope, import.id);
    let chunks = imports::chunks(&services.services.core, &tenant.scope, import.id).await?;
    let files = chunks.iter().filter(|chunk| chunk.written).map(|chunk| place.failed_rows(chunk)).collect();
    gather(services, tenant, import, &place, files).await
}

/// Writes the files one behind the other, below the header. Memory holds a part and some files; nothing is written when all are empty.
async fn gather(services: &ImportServices, tenant: &OpenTenant, import: &Import, place: &Place, files: Vec<String>) -> Result<(), AppError> {
    let results = &services.results;
    let key = place.errors_file();
    let mut text = errors_header(import.mapping.iter().map(|column| column.column.as_str()));
    let header = text.len();
    let (mut upload, mut parts): (Option<String>, Vec<FilePart>) = (None, Vec::new());
    let found = stream::iter(files).map(|file| async move { results.get(&file).await });
    let mut found = std::pin::pin!(found.buffered(AT_ONCE));
    while let Some(rows) = found.try_next().await? {
        text.extend(rows.unwrap_or_default());
        if text.len() >= PART_BYTES {
            let upload = match &mut upload {
                Some(upload) => &*upload,
                none => none.insert(results.create_multipart(&key, &FORM).await?),
            };
            let number = u32::try_from(parts.len() + 1).unwrap_or(u32::MAX);
            parts.push(results.upload_part(&key, upload, number, std::mem::take(&mut text)).await?);
        }
    }
    let is_there = upload.is_some() || text.len() > header;
    match upload {
        None if is_there => results.put_download(&key, &FORM, text).await?,
        None => {}
        Some(upload) => {
            if !text.is_empty() {
                let number = u32::try_from(parts.len() + 1).unwrap_or(u32::MAX);
                parts.push(results.upload_part(&key, &upload, number, text).await?);
            }
            results.complete_multipart(&key, &upload, &parts).await?;
        }
    }
    if is_there != import.has_errors_file {
        imports::keep_errors_file(&services.services.core, &tenant.scope, import.id, is_there).await?;
    }
    Ok(())
}
