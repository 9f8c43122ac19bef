//! Takes files in that were dropped or uploaded: tells what they are, cuts them into chunks, and sends these to be checked when nobody is waited for.

mod event;

use anyhow::Result;
use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use switchboard_app::imports::{CHUNK_ROWS, ImportServices, Received, receive};
use switchboard_lambda::{Aws, Message, handle_each, log_to_stdout};

#[tokio::main]
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
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move { Ok::<_, Error>(handle_each(event.payload, |message| plan(services, message)).await) })).await
}

async fn plan(services: &ImportServices, message: Message) -> Result<()> {
    for file in event::dropped_files(&message.body)? {
        match Box::pin(receive(services, &file)).await? {
            Received::Planned(import) => tracing::info!(import.id = %import, file.bytes = file.bytes, "an import was planned"),
            // Why is in the import: it may quote the file, which is about people.
            Received::Failed(import, _) => tracing::warn!(import.id = %import, file.bytes = file.bytes, "a file could not be imported"),
            Received::Rejected(reason) => {
                tracing::warn!(event = "import.rejected", file.bytes = file.bytes, folder = file.key.split('/').nth(1).unwrap_or_default(), reason, "a file was rejected")
            }
        }
    }
    Ok(())
}
