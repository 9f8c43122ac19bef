//! Exports: the contacts of a filter in one file. They are read twice, for the names of their attributes and for their values, and the file is
//! uploaded in parts, so that memory stays flat and a worker that is killed costs one part.

use std::collections::{BTreeSet, HashMap};

use futures::stream::{StreamExt, TryStreamExt};
use switchboard_domain::bulk_job::{BulkJob, ExportState, Next};
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::ContactId;
use switchboard_domain::imports::{Sheet, exported_names};
use switchboard_platform::{Download, Files, PlatformError};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Freshness, Order, contacts as stored};

use super::Place;
use super::steps::{Steps, Stopped};
use crate::contacts;
use crate::error::AppError;
use crate::services::Services;

/// Contacts of one step through the list. Each takes about 2 KB of memory; one with fifty attributes of a thousand characters, 200 KB.
const PAGE: usize = 300;
/// Contacts read in one request, and requests under way at once.
const READ: usize = 100;
const READS_AT_ONCE: usize = 3;
/// A part is uploaded when it holds this much; the bucket takes none below 5 MiB but the last.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Most parts of a file: 8 GiB, about 40 million contacts.
const MOST_PARTS: usize = 1_000;
/// Most part numbers, those of overtaken workers included, as the bucket has it.
const MOST_NUMBERS: u32 = 10_000;
/// Longest header in bytes: an import reads one of 64 KiB.
const MOST_HEADER_BYTES: usize = 48 * 1024;

const DOWNLOAD: Download<'static> = Download { content_type: "text/csv; charset=utf-8", file_name: "contacts.csv" };

const TOO_MANY_COLUMNS: &str = "The contacts have more attributes than one file has columns for. Narrow the filter, by source for instance, and export in parts.";
const TOO_LARGE: &str = "The file would be larger than 8 GiB. Narrow the filter, by time of creation for instance, and export in parts.";
const LOST: &str = "What was written of the file was removed before it was complete, because it took longer than a day. Export again.";

/// Contacts to be exported, and where to go on.
#[derive(Debug, Clone, Default)]
pub struct ExportPage {
    /// The contacts, in the order of the list.
    pub contacts: Vec<Contact>,
    /// The place from which to go on; none at the end.
    pub next: Option<String>,
}

/// The next contacts that an export means. What [`contacts::walk`] examines for 300 contacts; 1 request per 100 contacts, half an R each.
///
/// # Errors
/// As [`contacts::walk`].
pub async fn export_page(services: &Services, tenant: &OpenTenant, job: &BulkJob, after: Option<&str>) -> Result<ExportPage, AppError> {
    let settings = services.tenants.settings(&tenant.scope).await?;
    let walked = contacts::walk(services, tenant, &settings, &job.meant(), after, PAGE, Order::Ascending).await?;
    let mut ids: Vec<ContactId> = walked.contacts.into_iter().map(|row| row.id).collect();
    ids.dedup();
    let read: Vec<Vec<stored::StoredContact>> = futures::stream::iter(ids.chunks(READ))
        .map(|ids| stored::get_many(&services.core, tenant, ids, Freshness::Eventual))
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await?;
    let mut found: HashMap<ContactId, Contact> = read.into_iter().flatten().map(|stored| (stored.contact.id.clone(), stored.contact)).collect();
    // What was deleted since the list was read would come back with the file.
    let contacts = ids.iter().filter_map(|id| found.remove(id)).filter(|contact| contact.deleted_at.is_none()).collect();
    Ok(ExportPage { contacts, next: walked.next })
}

/// Works on an export until it ends, another worker goes on with it, or the deadline is there.
pub(super) async fn write_file(steps: &Steps<'_>, results: &Files, mut job: BulkJob) -> Result<Stopped, AppError> {
    loop {
        let now = steps.services.clock.now();
        let stepped = match job.next() {
            Next::Nothing => return Ok(Stopped::Ended),
            Next::Begin => steps.begin(&job).await,
            Next::Names => names(steps, &job).await,
            Next::Rows => rows(steps, results, &job).await,
            Next::Join => join(steps, results, &job).await,
            Next::Cancel => {
                give_up(steps, results, &job).await?;
                steps.advance(&job, |job| job.cancelled(now)).await
            }
            Next::Take | Next::Apply => Err(AppError::Broken("an export has no batches".to_owned())),
        };
        let stepped = match stepped {
            // What was searched for can't be searched for any more.
            Err(AppError::Asked(reason)) => steps.fail(&job, &reason).await?,
            stepped => stepped?,
        };
        let Some(next) = stepped else {
            return Ok(Stopped::Overtaken);
        };
        job = next;
        if !job.is_ended() && steps.is_out_of_time() {
            return Ok(Stopped::OutOfTime);
        }
    }
}

fn state(job: &BulkJob) -> Result<&ExportState, AppError> {
    job.export.as_ref().ok_or_else(|| AppError::Broken("an export has no state".to_owned()))
}

/// Collects the names of the attributes of some contacts.
async fn names(steps: &Steps<'_>, job: &BulkJob) -> Result<Option<BulkJob>, AppError> {
    let ExportPage { contacts, next } = export_page(steps.services, steps.tenant().await?.as_ref(), job, job.after.as_deref()).await?;
    let names: BTreeSet<String> = contacts.iter().flat_map(|contact| exported_names(&contact.details)).cloned().collect();
    let all: BTreeSet<String> = state(job)?.columns.union(&names).cloned().collect();
    if Sheet::new(&all).header_bytes() > MOST_HEADER_BYTES {
        return steps.fail(job, TOO_MANY_COLUMNS).await;
    }
    steps.advance(job, |job| job.named(names.clone(), next.clone())).await
}

/// What a worker has written and not yet uploaded.
struct Written {
    bytes: Vec<u8>,
    rows: u64,
}

/// Writes rows until they make a part, the list ends, or the deadline is there.
async fn rows(steps: &Steps<'_>, results: &Files, job: &BulkJob) -> Result<Option<BulkJob>, AppError> {
    let export = state(job)?;
    let sheet = Sheet::new(&export.columns);
    let mut written = Written { bytes: begin(results, job, &sheet).await?, rows: 0 };
    let mut after = job.after.clone();
    loop {
        let ExportPage { contacts, next } = export_page(steps.services, steps.tenant().await?.as_ref(), job, after.as_deref()).await?;
        sheet.write_rows(contacts.iter().map(|contact| &contact.details), &mut written.bytes).map_err(broken)?;
        written.rows += contacts.len() as u64;
        let Some(place) = next else {
            return finish(steps, results, job, written).await;
        };
        if written.bytes.len() >= PART_BYTES {
            return part(steps, results, job, written, Some(place)).await;
        }
        if steps.is_out_of_time() {
            return set_aside(steps, results, job, written, &place).await;
        }
        // A part takes a while: somebody may want to stop it, or another worker have taken over.
        match steps.look_again(job).await? {
            None => return Ok(None),
            Some(asked) if asked.cancel_requested => return Ok(Some(asked)),
            Some(_) => after = Some(place),
        }
    }
}

/// What stands before the next row in the part that is being written: the header, what was put aside, or nothing.
async fn begin(results: &Files, job: &BulkJob, sheet: &Sheet) -> Result<Vec<u8>, AppError> {
    let mut bytes = Vec::new();
    if let Some(rest) = &state(job)?.rest {
        bytes = results.get(rest).await?.ok_or_else(|| AppError::Broken("the rows that were put aside are gone".to_owned()))?;
    } else if job.after.is_none() {
        sheet.write_header(&mut bytes).map_err(broken)?;
    }
    Ok(bytes)
}

/// Ends the file: a small one is written at once, a larger one gets its last part.
async fn finish(steps: &Steps<'_>, results: &Files, job: &BulkJob, written: Written) -> Result<Option<BulkJob>, AppError> {
    let now = steps.services.clock.now();
    if !state(job)?.parts.is_empty() {
        return part(steps, results, job, written, None).await;
    }
    let rows = written.rows;
    results.put_download(&place(steps, job).await?.file(), &DOWNLOAD, written.bytes).await?;
    steps.advance(job, |job| job.exported(rows, now)).await
}

/// Uploads a part, under a number that no other worker has.
async fn part(steps: &Steps<'_>, results: &Files, job: &BulkJob, written: Written, next: Option<String>) -> Result<Option<BulkJob>, AppError> {
    let Written { bytes, rows } = written;
    if bytes.is_empty() {
        return steps.advance(job, |job| job.uploaded(None, rows, next.clone())).await;
    }
    let key = place(steps, job).await?.file();
    let export = state(job)?;
    if export.parts.len() >= MOST_PARTS || export.numbered >= MOST_NUMBERS {
        give_up(steps, results, job).await?;
        return steps.fail(job, TOO_LARGE).await;
    }
    let upload = match &export.upload {
        Some(upload) => upload.clone(),
        None => results.create_multipart(&key, &DOWNLOAD).await?,
    };
    let Some(job) = steps.advance(job, |job| job.numbered(&upload)).await? else {
        return Ok(None);
    };
    let part = match results.upload_part(&key, &upload, state(&job)?.numbered, bytes).await {
        Err(PlatformError::NotFound(_)) => return steps.fail(&job, LOST).await,
        part => part?,
    };
    steps.advance(&job, |job| job.uploaded(Some(part.clone()), rows, next.clone())).await
}

/// Puts the rows since the last part aside: too few for a part, and no time to write more.
async fn set_aside(steps: &Steps<'_>, results: &Files, job: &BulkJob, written: Written, next: &str) -> Result<Option<BulkJob>, AppError> {
    let key = place(steps, job).await?.rest(&steps.writer, job.revision);
    results.put(&key, DOWNLOAD.content_type, written.bytes).await?;
    steps.advance(job, |job| job.set_aside(&key, written.rows, next)).await
}

/// Makes one file of the parts. A worker that was killed after that finds the file and no upload.
async fn join(steps: &Steps<'_>, results: &Files, job: &BulkJob) -> Result<Option<BulkJob>, AppError> {
    let now = steps.services.clock.now();
    let key = place(steps, job).await?.file();
    let export = state(job)?;
    let upload = export.upload.as_deref().ok_or_else(|| AppError::Broken("an export in parts has no upload".to_owned()))?;
    let joined = results.complete_multipart(&key, upload, &export.parts).await;
    if matches!(joined, Err(PlatformError::NotFound(_))) {
        if !results.exists(&key).await? {
            return steps.fail(job, LOST).await;
        }
    } else {
        joined?;
    }
    steps.advance(job, |job| job.exported(0, now)).await
}

/// Removes the parts of a file that will not be.
async fn give_up(steps: &Steps<'_>, results: &Files, job: &BulkJob) -> Result<(), AppError> {
    let Some(upload) = &state(job)?.upload else {
        return Ok(());
    };
    match results.abort_multipart(&place(steps, job).await?.file(), upload).await {
        Ok(()) | Err(PlatformError::NotFound(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn place(steps: &Steps<'_>, job: &BulkJob) -> Result<Place, AppError> {
    Ok(Place::of(&steps.tenant().await?.scope, job.id))
}

fn broken(error: impl std::fmt::Display) -> AppError {
    AppError::Broken(format!("rows could not be written: {error}"))
}
