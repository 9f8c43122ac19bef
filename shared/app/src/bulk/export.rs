//! Exports: the contacts of a filter in one file. They are read twice, for the names of their attributes and for their values.

use std::collections::{BTreeSet, HashMap};

use futures::stream::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use switchboard_domain::bulk_job::{BulkJob, ExportState, Next};
use switchboard_domain::contact::Contact;
use switchboard_domain::file_parts::{FilePart, FileParts};
use switchboard_domain::ids::ContactId;
use switchboard_domain::imports::{Sheet, exported_names};
use switchboard_platform::{Download, Files};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Freshness, Order, contacts as stored};

use super::Place;
use super::steps::begin;
use crate::contacts;
use crate::error::AppError;
use crate::jobs::{Content, FileJob, FileWriter, Form, Steps, Stopped};
use crate::services::Services;

/// Contacts of one step through the list. Each takes about 2 KB of memory; one with fifty attributes of a thousand characters, 200 KB.
const PAGE: usize = 300;
/// Contacts read in one request, and requests under way at once.
const READ: usize = 100;
const READS_AT_ONCE: usize = 3;
/// Longest header in bytes: an import reads one of 64 KiB.
const MOST_HEADER_BYTES: usize = 48 * 1024;

const TOO_MANY_COLUMNS: &str = "The contacts have more attributes than one file has columns for. Narrow the filter, by source for instance, and export in parts.";

const FORM: Form = Form {
    download: Download { content_type: "text/csv; charset=utf-8", file_name: "contacts.csv" },
    too_large: "The file would be larger than 8 GiB. Narrow the filter, by time of creation for instance, and export in parts.",
    lost: "What was written of the file was removed before it was complete, because it took longer than a day. Export again.",
};

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
pub(super) async fn write_file(steps: &Steps<'_>, results: &Files, job: BulkJob) -> Result<Stopped, AppError> {
    let place = Place::of(&steps.tenant().await?.scope, job.id);
    let writer = FileWriter { steps, results, form: &FORM, key: place.file(), rest: place.rest() };
    let step = async |job: &BulkJob| {
        let now = steps.services.clock.now();
        match job.next() {
            Next::Nothing => Ok(Some(job.clone())),
            Next::Begin => begin(steps, job).await,
            Next::Names => names(steps, job).await,
            Next::Rows => writer.write(job, &mut Rows { steps, job, sheet: Sheet::new(&state(job)?.columns) }).await,
            Next::Join => writer.join(job).await,
            Next::Cancel => {
                writer.give_up(job).await?;
                steps.advance(job, |job| job.cancelled(now)).await
            }
            Next::Take | Next::Apply => Err(AppError::Broken("an export has no batches".to_owned())),
        }
    };
    steps.run(job, step).await
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

impl FileJob for BulkJob {
    type Place = String;
    type Count = u64;

    fn parts(&self) -> Option<&FileParts> {
        self.export.as_ref().map(|export| &export.file)
    }

    fn place(&self) -> Option<String> {
        self.after.clone()
    }

    fn numbered(&self, upload: &str) -> Self {
        Self::numbered(self, upload)
    }

    fn uploaded(&self, part: Option<FilePart>, rows: &u64, next: Option<String>) -> Self {
        Self::uploaded(self, part, *rows, next)
    }

    fn put_aside(&self, rest: &str, rows: &u64, next: String) -> Self {
        self.set_aside(rest, *rows, &next)
    }

    fn completed(&self, rows: &u64, now: Timestamp) -> Self {
        self.exported(*rows, now)
    }
}

/// The rows of a file, behind their header.
struct Rows<'a> {
    steps: &'a Steps<'a>,
    job: &'a BulkJob,
    sheet: Sheet,
}

impl Content<BulkJob> for Rows<'_> {
    async fn next(&mut self, after: Option<String>, out: &mut Vec<u8>) -> Result<(u64, Option<String>), AppError> {
        if after.is_none() {
            self.sheet.write_header(out).map_err(broken)?;
        }
        let ExportPage { contacts, next } = export_page(self.steps.services, self.steps.tenant().await?.as_ref(), self.job, after.as_deref()).await?;
        self.sheet.write_rows(contacts.iter().map(|contact| &contact.details), out).map_err(broken)?;
        Ok((contacts.len() as u64, next))
    }
}

fn broken(error: impl std::fmt::Display) -> AppError {
    AppError::Broken(format!("rows could not be written: {error}"))
}
