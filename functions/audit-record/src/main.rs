//! Records the audit trail: every change of the core table's stream becomes an event.

use std::sync::Arc;

use anyhow::Result;
use aws_lambda_events::dynamodb::Event;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use switchboard_app::audit::Recorder;
use switchboard_lambda::{Aws, SystemEntropy, log_to_stdout, stream_records};

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_to_stdout();
    let aws = Aws::from_environment().await;
    let services = aws.services()?;
    let recorder = Recorder {
        tenants: services.tenants,
        core: services.core,
        events: services.audit,
        dead_letters: aws.files("AUDIT_DEAD_LETTER_BUCKET")?,
        results: services.results,
        archive: services.archive,
        clock: services.clock,
        entropy: Arc::new(SystemEntropy),
    };
    let recorder = &recorder;
    run(service_fn(|event: LambdaEvent<Event>| async move {
        let report =
            Box::pin(recorder.record(stream_records(event.payload))).await.inspect_err(|error| tracing::error!(%error, "a batch of changes could not be recorded"))?;
        tracing::info!(report.recorded, report.repeated, report.technical, report.isolated, "a batch of changes was recorded");
        Ok::<_, Error>(())
    }))
    .await
}
