//! Archives the audit trail: what arrives in the audit table goes into files that nobody can change.

use anyhow::Result;
use aws_lambda_events::dynamodb::Event;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use switchboard_app::audit::Archiver;
use switchboard_lambda::{Aws, audit_stream_records, log_to_stdout};

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_to_stdout();
    let aws = Aws::from_environment().await;
    let archiver = Archiver { archive: aws.files("AUDIT_ARCHIVE_BUCKET")? };
    let archiver = &archiver;
    run(service_fn(|event: LambdaEvent<Event>| async move {
        let report = Box::pin(archiver.archive(audit_stream_records(event.payload)))
            .await
            .inspect_err(|error| tracing::error!(%error, "a batch of events could not be archived"))?;
        tracing::info!(report.archived, report.files, report.passed_over, report.unreadable, "a batch of events was archived");
        Ok::<_, Error>(())
    }))
    .await
}
