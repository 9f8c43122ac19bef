//! A user pool in the process, on the client's own wire: it keeps identities, and to whom messages were sent.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_cognitoidentityprovider::config::retry::RetryConfig;
use aws_sdk_cognitoidentityprovider::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use switchboard_platform::Identities;

/// A user pool that makes identities and finds them, and knows nothing else.
#[derive(Debug, Clone, Default)]
pub struct UserPool(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    addresses: BTreeSet<String>,
    messages: Vec<String>,
}

impl UserPool {
    /// The pool as the code knows it.
    #[must_use]
    pub fn identities(&self) -> Identities {
        let config = aws_sdk_cognitoidentityprovider::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .retry_config(RetryConfig::disabled())
            .http_client(SharedHttpClient::new(self.clone()))
            .endpoint_url("http://pool.test")
            .region(Region::new("ca-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "testkit"));
        Identities::new(aws_sdk_cognitoidentityprovider::Client::from_conf(config.build()), "pool")
    }

    /// Gives an address an identity, as somebody did who isn't looked at here; its subject.
    pub fn register(&self, email: &str) -> String {
        self.kept().addresses.insert(email.to_owned());
        subject(email)
    }

    /// The addresses that have an identity.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        self.kept().addresses.iter().cloned().collect()
    }

    /// The addresses that messages were sent to, in that order.
    #[must_use]
    pub fn messages(&self) -> Vec<String> {
        self.kept().messages.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &HttpRequest) -> (u16, Value) {
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default().to_owned();
        let request: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let email = request["Username"].as_str().unwrap_or_default();
        let attributes = json!([{ "Name": "sub", "Value": subject(email) }]);
        let mut kept = self.kept();
        let is_there = kept.addresses.contains(email);
        match (operation.as_str(), request["MessageAction"].as_str()) {
            ("AdminCreateUser", Some("RESEND")) if is_there => kept.messages.push(email.to_owned()),
            ("AdminCreateUser", None | Some("SUPPRESS")) if is_there => return (400, json!({ "__type": "UsernameExistsException", "message": "taken" })),
            ("AdminCreateUser", action @ (None | Some("SUPPRESS"))) => {
                kept.addresses.insert(email.to_owned());
                if action.is_none() {
                    kept.messages.push(email.to_owned());
                }
            }
            ("AdminGetUser", _) if is_there => return (200, json!({ "Username": email, "UserAttributes": attributes })),
            ("AdminDisableUser" | "AdminUserGlobalSignOut" | "AdminEnableUser", _) if is_there => {}
            ("AdminCreateUser" | "AdminGetUser", _) => return (400, json!({ "__type": "UserNotFoundException", "message": "nobody" })),
            _ => return (400, json!({ "__type": "InvalidParameterException", "message": "this pool can't do that" })),
        }
        (200, json!({ "User": { "Username": email, "Attributes": attributes } }))
    }
}

fn subject(email: &str) -> String {
    format!("the subject of {email}")
}

impl HttpConnector for UserPool {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (status, answer) = self.answer(&request);
        HttpConnectorFuture::ready(Ok(HttpResponse::new(StatusCode::try_from(status).expect("a status"), SdkBody::from(answer.to_string()))))
    }
}

impl HttpClient for UserPool {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
