//! Learns models of scoring from what became of contacts, each within one invocation.

use std::time::Instant;

use anyhow::{Context, Result};
use aws_lambda_events::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use switchboard_app::Services;
use switchboard_app::scoring::models::train::{TrainingMessage, train_model};
use switchboard_lambda::{Aws, Message, SystemClock, handle_each, log_to_stdout, stop_at};

#[tokio::main]
async fn main() -> Result<(), Error> {
    log_to_stdout();
    let aws = Aws::from_environment().await;
    let services = Services { score_train_queue: aws.queue("SCORE_TRAIN_QUEUE_URL")?, ..aws.services()? };
    let services = &services;
    run(service_fn(|event: LambdaEvent<SqsEvent>| async move {
        let stop = stop_at(&SystemClock, event.context.deadline);
        Ok::<_, Error>(handle_each(event.payload, |message| learn(services, message, stop)).await)
    }))
    .await
}

async fn learn(services: &Services, message: Message, stop: Instant) -> Result<()> {
    let training: TrainingMessage = serde_json::from_str(&message.body).context("the message is not the training of a scoring model")?;
    let stopped = Box::pin(train_model(services, &training, stop)).await?;
    tracing::info!(message.id = message.id, message.redelivered = message.redelivered, training.id = %training.training, ?stopped, "the training of a scoring model was worked on");
    Ok(())
}
