//! Seals the days of the audit trail: signs, each hour, what was archived of them since.

use std::sync::Arc;

use anyhow::Result;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::Value;
use switchboard_app::audit::Sealer;
use switchboard_lambda::{Aws, SystemClock, audit_lock, log_to_stdout, stop_at};

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_to_stdout();
    let aws = Aws::from_environment().await;
    let (archive, signer, lock) = (aws.files("AUDIT_ARCHIVE_BUCKET")?, aws.signer("AUDIT_SEAL_KEY")?, audit_lock()?);
    let sealer = Sealer { archive, signer, clock: Arc::new(SystemClock), lock };
    let sealer = &sealer;
    // The schedule's event says nothing that isn't in the archive.
    run(service_fn(|event: LambdaEvent<Value>| async move {
        let stop = stop_at(&SystemClock, event.context.deadline);
        let report = Box::pin(sealer.seal(stop)).await.inspect_err(|error| tracing::error!(%error, "the audit's days could not be sealed"))?;
        tracing::info!(report.tenants, report.sealed, report.damaged, report.unfinished, "the audit's days were sealed");
        // An error, so that the alarm goes off: it is tried again, and goes on where this run was.
        if report.unfinished {
            return Err(Error::from("there was no time for all days of the audit"));
        }
        Ok::<_, Error>(())
    }))
    .await
}
