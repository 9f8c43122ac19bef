//! Passes on which contacts changed: from the core table's stream to the queue of those that follow contacts.

use anyhow::Result;
use aws_lambda_events::dynamodb::Event;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use switchboard_app::changes::Relay;
use switchboard_lambda::{Aws, log_to_stdout, stream_records};

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_to_stdout();
    let aws = Aws::from_environment().await;
    let relay = Relay { index: aws.queue("CONTACT_INDEX_QUEUE_URL")? };
    let relay = &relay;
    run(service_fn(|event: LambdaEvent<Event>| async move {
        let report = relay.relay(stream_records(event.payload)).await.inspect_err(|error| tracing::error!(%error, "a batch of changes could not be passed on"))?;
        tracing::info!(report.contacts, report.messages, report.passed_over, "a batch of changes was passed on");
        Ok::<_, Error>(())
    }))
    .await
}
