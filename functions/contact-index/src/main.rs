//! Follows contacts that changed: keeps what they are found by in step with them.

use anyhow::{Context, Result};
use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use switchboard_app::contact_index::{IndexMessage, Indexer};
use switchboard_lambda::{Aws, Message, handle_each, log_to_stdout};

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_to_stdout();
    let services = Aws::from_environment().await.services()?;
    let indexer = Indexer { core: services.core, tenants: services.tenants, clock: services.clock, entropy: services.entropy };
    let indexer = &indexer;
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move { Ok::<_, Error>(handle_each(event.payload, |message| index(indexer, message)).await) })).await
}

async fn index(indexer: &Indexer, message: Message) -> Result<()> {
    let changed: IndexMessage = serde_json::from_str(&message.body).context("the message does not name changed contacts")?;
    let indexed = Box::pin(indexer.index(&changed)).await?;
    tracing::info!(
        tenant.id = %changed.tenant,
        contacts = changed.contacts.len(),
        indexed.changed,
        indexed.marked,
        indexed.erased,
        indexed.seconds_behind = indexed.behind.as_secs_f64(),
        message.redelivered = message.redelivered,
        "changed contacts were indexed"
    );
    Ok(())
}
