//! Passes on which contacts changed: from the core table's stream to the queues of those that follow contacts and that score them.

use anyhow::Result;
use aws_lambda_events::dynamodb::Event;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use switchboard_app::changes::Relay;
use switchboard_app::scoring::Watch;
use switchboard_lambda::{Aws, log_to_stdout, stream_records};

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_to_stdout();
    let aws = Aws::from_environment().await;
    let services = aws.services()?;
    let watch = Watch::new(services.core, services.clock);
    let relay = Relay { index: aws.queue("CONTACT_INDEX_QUEUE_URL")?, score: aws.queue("SCORE_QUEUE_URL")?, watch };
    let relay = &relay;
    run(service_fn(|event: LambdaEvent<Event>| async move {
        let batch = stream_records(event.payload);
        let report = Box::pin(relay.relay(batch)).await.inspect_err(|error| tracing::error!(%error, "a batch of changes could not be passed on"))?;
        tracing::info!(report.contacts, report.messages, report.passed_over, report.scored, report.set_aside, "a batch of changes was passed on");
        Ok::<_, Error>(())
    }))
    .await
}
