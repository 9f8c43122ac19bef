//! Messages to one queue.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use serde::Serialize;

use crate::error::PlatformError;

/// Messages that `SendMessageBatch` takes at once.
const BATCH: usize = 10;
/// How often messages that the queue had no time for are sent again.
const ATTEMPTS: u32 = 6;

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
            tokio::time::sleep(std::time::Duration::from_millis(50 << attempt)).await;
        }
        Err(PlatformError::Unavailable("the queue had no time for some messages".to_owned()))
    }
}
