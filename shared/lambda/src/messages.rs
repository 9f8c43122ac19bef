//! A batch of messages from a queue, each handled by itself: one that can't be handled fails alone, or with those that must not overtake it.

use std::collections::HashSet;
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
///
/// Of a FIFO queue, the later messages of a failed one's group go back unhandled: handled now, they would be deleted, and the failed one would come
/// after them.
pub async fn handle_each<F>(event: SqsEvent, handle: impl Fn(Message) -> F) -> SqsBatchResponse
where
    F: Future<Output = Result<()>>,
{
    let mut response = SqsBatchResponse::default();
    let mut failed_groups: HashSet<String> = HashSet::new();
    for record in event.records {
        let id = record.message_id.unwrap_or_default();
        let attempt = record.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse::<u32>().ok()).unwrap_or(1);
        let group = record.attributes.get("MessageGroupId").cloned();
        if group.as_ref().is_some_and(|group| failed_groups.contains(group)) {
            tracing::warn!(message.id = id, message.attempt = attempt, "a message waits for one of its group that could not be handled");
            response.batch_item_failures.push(failure(id));
            continue;
        }
        let message = Message { id: id.clone(), body: record.body.unwrap_or_default(), redelivered: attempt > 1 };
        let reason = match AssertUnwindSafe(handle(message)).catch_unwind().await {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => "the handler panicked".to_owned(),
        };
        tracing::error!(message.id = id, message.attempt = attempt, reason, "a message could not be handled");
        response.batch_item_failures.push(failure(id));
        failed_groups.extend(group);
    }
    response
}

fn failure(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lambda_events::sqs::SqsMessage;
    use std::cell::RefCell;

    fn message(id: &str, body: &str) -> SqsMessage {
        let mut message = SqsMessage::default();
        message.message_id = Some(id.to_owned());
        message.body = Some(body.to_owned());
        message.attributes.insert("ApproximateReceiveCount".to_owned(), "2".to_owned());
        message
    }

    fn failed(response: &SqsBatchResponse) -> Vec<&str> {
        response.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
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
        assert_eq!(failed(&response), ["2", "3"]);
    }

    #[test]
    fn after_a_message_that_fails_or_panics_its_group_is_left_alone_and_no_other_group_is() {
        let in_group = |group: &str, id: &str, body: &str| {
            let mut message = message(id, body);
            message.attributes.insert("MessageGroupId".to_owned(), group.to_owned());
            message
        };
        let mut event = SqsEvent::default();
        event.records = vec![
            in_group("a", "1", "good"),
            in_group("a", "2", "bad"),
            in_group("b", "3", "good"),
            in_group("a", "4", "good"),
            in_group("c", "5", "worse"),
            in_group("b", "6", "good"),
            in_group("c", "7", "good"),
        ];
        let handled = RefCell::new(Vec::new());
        let response = wait(handle_each(event, |message| {
            handled.borrow_mut().push(message.id.clone());
            async move {
                match message.body.as_str() {
                    "bad" => anyhow::bail!("no"),
                    "worse" => panic!("very much no"),
                    _ => Ok(()),
                }
            }
        }));
        assert_eq!(*handled.borrow(), ["1", "2", "3", "5", "6"]);
        assert_eq!(failed(&response), ["2", "4", "5", "7"]);
    }
}
