//! A queue in the process, on the client's own wire: it keeps what was sent until a test takes it.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use switchboard_platform::Queue;

use crate::wire::Wire;

/// A queue that nobody reads but a test.
#[derive(Debug, Clone, Default)]
pub struct Mailbox {
    sent: Arc<Mutex<Vec<String>>>,
    wire: Wire,
}

impl Mailbox {
    /// A queue that messages reach over this wire.
    #[must_use]
    pub fn over(wire: &Wire) -> Self {
        Self { sent: Arc::default(), wire: wire.clone() }
    }

    /// The queue as the code knows it.
    #[must_use]
    pub fn queue(&self) -> Queue {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .retry_config(aws_sdk_sqs::config::retry::RetryConfig::disabled())
            .http_client(self.wire.over(SharedHttpClient::new(self.clone())))
            .endpoint_url("http://queue.test")
            .region(Region::new("ca-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "testkit"));
        Queue::new(aws_sdk_sqs::Client::from_conf(config.build()), "http://queue.test/queue")
    }

    /// What was sent since it was last asked, in the order it was sent in.
    #[must_use]
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.sent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn answer(&self, request: &HttpRequest) -> Value {
        let request: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let entries = request["Entries"].as_array().cloned().unwrap_or_else(|| vec![request]);
        let bodies = entries.iter().filter_map(|entry| entry["MessageBody"].as_str()).map(str::to_owned);
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).extend(bodies);
        let taken = |entry: &Value| json!({ "Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": "1" });
        json!({ "MessageId": "1", "Successful": entries.iter().map(taken).collect::<Vec<_>>(), "Failed": [] })
    }
}

impl HttpConnector for Mailbox {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = SdkBody::from(self.answer(&request).to_string());
        HttpConnectorFuture::ready(Ok(HttpResponse::new(StatusCode::try_from(200).expect("a status"), answer)))
    }
}

impl HttpClient for Mailbox {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
