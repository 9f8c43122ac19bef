//! Scores contacts again that changed, or whose time has come.

use anyhow::{Context, Result};
use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use switchboard_app::Services;
use switchboard_app::scoring::{Rescoring, ScoreMessage, handle};
use switchboard_lambda::{Aws, Message, handle_each, log_to_stdout};

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_to_stdout();
    let services = Aws::from_environment().await.services()?;
    let services = &services;
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move { Ok::<_, Error>(handle_each(event.payload, |message| score(services, message)).await) })).await
}

async fn score(services: &Services, message: Message) -> Result<()> {
    let asked: ScoreMessage = serde_json::from_str(&message.body).context("the message does not name a contact to be scored")?;
    let outcome = match Box::pin(handle(services, &asked)).await? {
        Rescoring::Changed(_) => "its score says something else now",
        Rescoring::Unchanged(_) => "its score says what it said",
        Rescoring::Deleted => "it was set aside: it is deleted",
        Rescoring::Erased => "it was set aside: there is no such contact",
    };
    tracing::info!(tenant.id = %asked.tenant, contact.id = %asked.contact, outcome, message.redelivered = message.redelivered, "a contact was looked at to be scored");
    Ok(())
}
