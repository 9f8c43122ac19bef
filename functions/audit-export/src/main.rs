//! Writes files of audit events, for as long as an invocation may run, and lets another go on.

use std::time::Instant;

use anyhow::{Context, Result};
use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use switchboard_app::audit_exports::{ExportMessage, ExportWorker};
use switchboard_lambda::{Aws, Message, SystemClock, handle_each, log_to_stdout, stop_at};

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_to_stdout();
    let aws = Aws::from_environment().await;
    let worker = ExportWorker { services: aws.services()?, results: aws.files("RESULTS_BUCKET")?, queue: aws.queue("AUDIT_EXPORT_QUEUE_URL")? };
    let worker = &worker;
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let stop = stop_at(&SystemClock, event.context.deadline);
        Ok::<_, Error>(handle_each(event.payload, |message| work(worker, message, stop)).await)
    }))
    .await
}

async fn work(worker: &ExportWorker, message: Message, stop: Instant) -> Result<()> {
    let export: ExportMessage = serde_json::from_str(&message.body).context("the message is not an export of audit events")?;
    Box::pin(worker.work(&export, stop)).await?;
    tracing::info!(message.id = message.id, message.redelivered = message.redelivered, "a part of an export of audit events was written");
    Ok(())
}
