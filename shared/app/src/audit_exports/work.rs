//! Writing the file of an export. A worker may be killed anywhere, and two may meet: each event is in the file once.

use std::time::Instant;

use switchboard_domain::audit_export::{AuditExport, AuditExportFormat, Next};
use switchboard_platform::{Download, Files, Queue};

use super::contents::Contents;
use super::{ExportMessage, Place};
use crate::error::AppError;
use crate::jobs::{FileWriter, Form, Steps, Stopped};
use crate::services::Services;

const TOO_LARGE: &str = "The file would be larger than 8 GiB. Narrow the export, by time for instance, and export in parts.";
const LOST: &str = "What was written of the file was removed before it was complete, because it took longer than a day. Export again.";

const CSV: Form = Form { download: Download { content_type: "text/csv; charset=utf-8", file_name: "audit.csv" }, too_large: TOO_LARGE, lost: LOST };
const JSON_LINES: Form = Form { download: Download { content_type: "application/x-ndjson", file_name: "audit.jsonl" }, too_large: TOO_LARGE, lost: LOST };

/// What writes exports.
#[derive(Clone)]
pub struct ExportWorker {
    /// The database, the archive, keys, time and randomness.
    pub services: Services,
    /// The bucket of exported files.
    pub results: Files,
    /// The queue the messages come from, and to which goes what is left when the time is over.
    pub queue: Queue,
}

impl ExportWorker {
    /// Works on an export until it ends, another worker goes on with it, or the deadline is there, from which no further step is begun: then the rest is sent
    /// as a message of its own. One step is made even when the deadline is over; it takes seconds, unless a worker takes up in the middle of a day, whose files
    /// before that it reads again.
    ///
    /// For each part of 8 MiB 2 requests that write the record and 1 to the bucket, and 1 that looks at the record for each 1,000 events; beside that those of what it
    /// has in it: of one record 1 for each 500 events, else 1 for each file of the archive; where it is readable 1 for each 100 contacts that events are about, 1 R each;
    /// with seals 1 for each seal of the tenant, and 1 for each day that matters.
    ///
    /// # Errors
    /// Those of the services; [`AppError::Broken`] for a message that names nothing there is. The message may then come again.
    pub async fn work(&self, message: &ExportMessage, deadline: Instant) -> Result<Stopped, AppError> {
        let (steps, export) = Steps::take_up::<AuditExport>(&self.services, message.tenant, message.export, deadline).await?;
        let place = Place { tenant: message.tenant, export: message.export };
        let form = match export.format {
            AuditExportFormat::Csv => &CSV,
            AuditExportFormat::JsonLines => &JSON_LINES,
        };
        let writer = FileWriter { steps: &steps, results: &self.results, form, key: place.file(export.format), rest: place.rest() };
        let mut contents = Contents::of(&steps, &export);
        let step = async |export: &AuditExport| {
            let now = self.services.clock.now();
            match export.next() {
                Next::Nothing => Ok(Some(export.clone())),
                Next::Begin => steps.advance(export, |export| export.begun(now)).await,
                Next::Write => writer.write(export, &mut contents).await,
                Next::Join => writer.join(export).await,
                Next::Cancel => {
                    writer.give_up(export).await?;
                    steps.advance(export, |export| export.cancelled(now)).await
                }
            }
        };
        let stopped = steps.run(export, step).await?;
        if stopped == Stopped::OutOfTime {
            self.queue.send(&[*message]).await?;
        }
        Ok(stopped)
    }
}
