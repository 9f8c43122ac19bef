//! Checks the rows of imports, and then writes them, a chunk at a time, for as long as an invocation may run.

use std::time::Instant;

use anyhow::{Context, Result};
use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use switchboard_app::imports::{CHUNK_ROWS, ImportServices, RowsMessage, handle};
use switchboard_lambda::{Aws, Message, SystemClock, handle_each, log_to_stdout, stop_at};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log_to_stdout();
    let aws = Aws::from_environment().await;
    let services = ImportServices {
        services: aws.services()?,
        uploads: aws.files("UPLOADS_BUCKET")?,
        results: aws.files("RESULTS_BUCKET")?,
        rows: aws.queue("IMPORT_ROWS_QUEUE_URL")?,
        chunk_rows: CHUNK_ROWS,
    };
    let services = &services;
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let stop = stop_at(&SystemClock, event.context.deadline);
        Ok::<_, Error>(handle_each(event.payload, |message| step(services, message, stop)).await)
    }))
    .await
}

async fn step(services: &ImportServices, message: Message, stop: Instant) -> Result<()> {
    let step: RowsMessage = serde_json::from_str(&message.body).context("the message is not a step of an import")?;
    let outcome = Box::pin(handle(services, &step, message.redelivered, stop)).await?;
    tracing::info!(import.id = %step.import, import.step = ?step.step, message.redelivered = message.redelivered, ?outcome, "a step of an import was handled");
    Ok(())
}
