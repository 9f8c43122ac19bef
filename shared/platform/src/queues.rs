//! Messages to one queue.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde::Serialize;

use crate::error::PlatformError;

/// Messages that `SendMessageBatch` takes at once.
const BATCH: usize = 10;
/// How often messages that the queue had no time for are sent again.
const ATTEMPTS: u32 = 6;

/// A message of a queue that keeps order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FifoMessage<M> {
    /// Its group: messages of one group are handled one after the other, in the order they were sent in. At most 128 characters.
    pub group: String,
    /// What it has in common with the same message sent again, of which the queue takes one in five minutes. At most 128 characters.
    pub deduplication: String,
    /// What it says.
    pub body: M,
}

/// One queue.
#[derive(Debug, Clone)]
pub struct Queue {
    client: Client,
    url: String,
}

impl Queue {
    /// The queue at this address.
    #[must_use]
    pub fn new(client: Client, url: impl Into<String>) -> Self {
        Self { client, url: url.into() }
    }

    /// Sends messages as JSON. 1 request per 10. When it fails, some may have been sent: handlers bear messages that come twice.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn send(&self, messages: &[impl Serialize]) -> Result<(), PlatformError> {
        for batch in messages.chunks(BATCH) {
            let mut entries = Vec::with_capacity(batch.len());
            for (index, message) in batch.iter().enumerate() {
                let body = serde_json::to_string(message).map_err(|error| PlatformError::Refused(error.to_string()))?;
                let entry = SendMessageBatchRequestEntry::builder().id(index.to_string()).message_body(body).build();
                entries.push(entry.map_err(|error| PlatformError::Refused(error.to_string()))?);
            }
            self.send_entries(entries).await?;
        }
        Ok(())
    }

    /// Sends a message as JSON that nobody gets before `delay` is over: at most 15 minutes, whole seconds. 1 request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn send_delayed(&self, message: &impl Serialize, delay: Duration) -> Result<(), PlatformError> {
        let body = serde_json::to_string(message).map_err(|error| PlatformError::Refused(error.to_string()))?;
        let seconds = i32::try_from(delay.as_secs()).map_err(|error| PlatformError::Refused(error.to_string()))?;
        let request = self.client.send_message().queue_url(&self.url).message_body(body).delay_seconds(seconds);
        request.send().await.map_err(|error| PlatformError::of("queue", &error))?;
        Ok(())
    }

    /// Sends messages as JSON to a queue that keeps order, each group's in theirs. 1 request per 10 messages of different groups. When it fails,
    /// some may have been sent; sent again within five minutes, they are not taken twice.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn send_fifo(&self, messages: &[FifoMessage<impl Serialize>]) -> Result<(), PlatformError> {
        for batch in batches(messages) {
            let mut entries = Vec::with_capacity(batch.len());
            for (index, message) in batch.into_iter().enumerate() {
                let body = serde_json::to_string(&message.body).map_err(|error| PlatformError::Refused(error.to_string()))?;
                let entry = SendMessageBatchRequestEntry::builder()
                    .id(index.to_string())
                    .message_group_id(&message.group)
                    .message_deduplication_id(&message.deduplication)
                    .message_body(body)
                    .build();
                entries.push(entry.map_err(|error| PlatformError::Refused(error.to_string()))?);
            }
            self.send_entries(entries).await?;
        }
        Ok(())
    }

    async fn send_entries(&self, mut entries: Vec<SendMessageBatchRequestEntry>) -> Result<(), PlatformError> {
        for attempt in 0..ATTEMPTS {
            let answer = self.client.send_message_batch().queue_url(&self.url).set_entries(Some(entries.clone())).send().await;
            let answer = answer.map_err(|error| PlatformError::of("queue", &error))?;
            if let Some(failure) = answer.failed.iter().find(|failure| failure.sender_fault) {
                return Err(PlatformError::Refused(format!("queue: {}", failure.code)));
            }
            entries.retain(|entry| answer.failed.iter().any(|failure| failure.id == entry.id));
            if entries.is_empty() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
        }
        Err(PlatformError::Unavailable("the queue had no time for some messages".to_owned()))
    }
}

/// Batches to be sent one after the other. None has two messages of a group: of a batch the queue may take one message and leave another, which
/// would come after what it was sent before.
fn batches<M>(messages: &[FifoMessage<M>]) -> Vec<Vec<&FifoMessage<M>>> {
    let mut batches: Vec<Vec<&FifoMessage<M>>> = Vec::new();
    let mut first_open: HashMap<&str, usize> = HashMap::new();
    for message in messages {
        let open = first_open.entry(&message.group).or_default();
        while batches.get(*open).is_some_and(|batch| batch.len() == BATCH) {
            *open += 1;
        }
        if *open == batches.len() {
            batches.push(Vec::new());
        }
        batches[*open].push(message);
        *open += 1;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_are_full_and_keep_the_order_within_a_group() {
        let message = |(group, body): (usize, usize)| FifoMessage { group: group.to_string(), deduplication: format!("{group} {body}"), body };
        let messages: Vec<FifoMessage<usize>> =
            [(0, 0), (0, 1), (1, 0), (0, 2)].into_iter().chain((2..14).map(|group| (group, 0))).chain([(13, 1)]).map(message).collect();
        let batches = batches(&messages);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [10, 5, 2]);
        for batch in &batches {
            let groups: std::collections::HashSet<&str> = batch.iter().map(|message| message.group.as_str()).collect();
            assert_eq!(groups.len(), batch.len());
        }
        let of_group = |group: &str| batches.iter().flatten().filter(|message| message.group == group).map(|message| message.body).collect::<Vec<_>>();
        assert_eq!((of_group("0"), of_group("13"), of_group("5")), (vec![0, 1, 2], vec![0, 1], vec![0]));
    }
}
