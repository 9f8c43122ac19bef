//! A batch of messages from a queue, each handled by itself: one that can't be handled fails alone.

use std::panic::AssertUnwindSafe;

use anyhow::Result;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use futures::FutureExt;

/// One message.
#[derive(Debug, Clone)]
pub struct Message {
    /// The queue's id of it.
    pub id: String,
    /// What it says.
    pub body: String,
    /// It may have been handled before, in whole or in part.
    pub redelivered: bool,
}

/// Hands each message to `handle` in turn; those that fail or panic go back to the queue, and after its last attempt to the dead-letter queue.
pub async fn handle_each<F>(event: SqsEvent, handle: impl Fn(Message) -> F) -> SqsBatchResponse
where
    F: Future<Output = Result<()>>,
{
    let mut response = SqsBatchResponse::default();
    for record in event.records {
        let id = record.message_id.unwrap_or_default();
        let attempt = record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse::<u32>().ok()).unwrap_or(1);
        let message = Message { id: id.clone(), body: record.body.unwrap_or_default(), redelivered: attempt > 1 };
        let reason = match AssertUnwindSafe(handle(message)).catch_unwind().await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "the handler panicked".to_owned(),
        };
        tracing::error!(message.id = id, message.attempt = attempt, reason, "a message could not be handled");
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = id;
        response.batch_item_failures.push(failure);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lambda_events::sqs::SqsMessage;

    fn message(id: &str, body: &str) -> SqsMessage {
        let mut message = SqsMessage::default();
        message.message_id = Some(id.to_owned());
        message.body = Some(body.to_owned());
        message.attributes.insert("ApproximateReceiveCount".to_owned(), "2".to_owned());
        message
    }

    fn wait<T>(future: impl Future<Output = T>) -> T {
        futures::executor::block_on(future)
    }

    #[test]
    fn a_message_that_fails_or_panics_fails_alone() {
        let mut event = SqsEvent::default();
        event.records = vec![message("1", "good"), message("2", "bad"), message("3", "worse"), message("4", "good")];
        let response = wait(handle_each(event, |message| async move {
            assert!(message.redelivered);
            match message.body.as_str() {
                "bad" => anyhow::bail!("no"),
                "worse" => panic!("very much no"),
                _ => Ok(()),
            }
        }));
        let failed: Vec<&str> = response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        assert_eq!(failed, ["2", "3"]);
    }
}
