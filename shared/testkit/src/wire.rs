//! The connection between a client and its service, which a test can break at a request, once or for good: before or after it is carried out, by turning it away, or by
//! carrying half of it out.

mod partial;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives.
    CutBefore,
    /// It is carried out, but the answer never arrives.
    CutAfter,
    /// It is turned away because the service has no time, and not carried out.
    Throttled,
    /// The first half of it is carried out, and the answer says that there was no time for the rest. A request that is no batch is turned away whole.
    Partial,
}

/// The wire of one client, or of several.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    due: Arc<Mutex<Due>>,
}

/// What is to go wrong, and what was asked for.
#[derive(Debug, Default)]
struct Due {
    once: Option<(String, Fault)>,
    planned: Option<Break>,
    /// The operations of all requests that write.
    writes: Vec<String>,
}

/// A request at which the wire breaks.
#[derive(Debug)]
struct Break {
    /// Requests that still come through before it.
    left: usize,
    /// Whether only those that write count.
    only_writes: bool,
    /// What goes wrong with it.
    fault: Fault,
    /// Whether none that follow arrive, because whoever makes them was killed there.
    for_good: bool,
    came: bool,
}

impl Wire {
    /// Breaks the next request of an operation, such as `PutItem`; a bucket's operations are the methods of HTTP. The SDK tries again by itself.
    pub fn cut_next(&self, operation: &str, fault: Fault) {
        self.due().once = Some((operation.to_owned(), fault));
    }

    /// Cuts the wire for good at the request behind the next `left`, of whatever operation, as if the process were killed there. Until it is mended no request
    /// arrives. Over a client that tries nothing again, see [`crate::Database::without_retries`], what was being done ends there.
    pub fn cut_for_good(&self, left: usize, fault: Fault) {
        self.plan(Break { left, only_writes: false, fault, for_good: true, came: false });
    }

    /// The same, counting only requests that write.
    pub fn cut_for_good_at_write(&self, left: usize, fault: Fault) {
        self.plan(Break { left, only_writes: true, fault, for_good: true, came: false });
    }

    /// Breaks one request that writes, the one behind the next `left` of them; those that follow come through, and so does the same one when it is tried again.
    pub fn break_write(&self, left: usize, fault: Fault) {
        self.plan(Break { left, only_writes: true, fault, for_good: false, came: false });
    }

    /// Whether the request came that was to go wrong.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.due().planned.as_ref().is_some_and(|planned| planned.came)
    }

    /// Mends a wire that was, or was to be, broken at some request; tells whether it was.
    pub fn mend(&self) -> bool {
        self.due().planned.take().is_some_and(|planned| planned.came)
    }

    /// The operations of all requests so far that write, those included with which something went wrong.
    #[must_use]
    pub fn writes(&self) -> Vec<String> {
        self.due().writes.clone()
    }

    fn plan(&self, planned: Break) {
        self.due().planned = Some(planned);
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The HTTP client that goes over this wire.
    pub(crate) fn client(&self) -> SharedHttpClient {
        self.over(aws_smithy_http_client::Builder::new().build_http())
    }

    /// An HTTP client whose requests go over this wire first.
    pub(crate) fn over(&self, inner: SharedHttpClient) -> SharedHttpClient {
        SharedHttpClient::new(CutClient { inner, wire: self.clone() })
    }

    fn take(&self, request: &HttpRequest) -> Option<Fault> {
        let operation = operation(request);
        let is_write = is_write(operation);
        let mut due = self.due();
        if is_write {
            due.writes.push(operation.to_owned());
        }
        if let Some(planned) = &mut due.planned {
            if planned.came {
                if planned.for_good {
                    return Some(Fault::CutBefore);
                }
            } else if is_write || !planned.only_writes {
                if planned.left == 0 {
                    planned.came = true;
                    return Some(planned.fault);
                }
                planned.left -= 1;
            }
        }
        due.once.take_if(|(name, _)| name == operation).map(|(_, fault)| fault)
    }
}

/// The operation of a request. A bucket's have no name of their own but the method.
fn operation(request: &HttpRequest) -> &str {
    request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_else(|| request.method())
}

/// Whether an operation changes what a service keeps.
fn is_write(operation: &str) -> bool {
    matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem" | "TransactWriteItems" | "BatchWriteItem" | "BatchExecuteStatement")
        || matches!(operation, "SendMessage" | "SendMessageBatch" | "PUT" | "POST" | "DELETE")
}

/// How the service that a request goes to says that it has no time.
fn throttled(request: &HttpRequest) -> HttpResponse {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let (status, body) = if target.starts_with("DynamoDB") {
        (400, r#"{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"Rate of requests exceeds the allowed throughput."}"#)
    } else if target.starts_with("AmazonSQS") {
        (400, r#"{"__type":"com.amazonaws.sqs#RequestThrottled","message":"Rate of requests per second exceeds the allowed limits."}"#)
    } else {
        (503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>")
    };
    answer(status, body.to_owned())
}

fn answer(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(StatusCode::try_from(status).expect("a status"), SdkBody::from(body))
}

#[derive(Debug)]
struct CutClient {
    inner: SharedHttpClient,
    wire: Wire,
}

impl HttpClient for CutClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(CutConnector { inner: self.inner.http_connector(settings, components), wire: self.wire.clone() })
    }
}

#[derive(Debug)]
struct CutConnector {
    inner: SharedHttpConnector,
    wire: Wire,
}

impl HttpConnector for CutConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let cut = |when: &str| ConnectorError::io(format!("cut {when} the request was carried out").into());
        match self.wire.take(&request) {
            None => self.inner.call(request),
            Some(Fault::CutBefore) => HttpConnectorFuture::ready(Err(cut("before"))),
            Some(Fault::CutAfter) => {
                let answer = self.inner.call(request);
                HttpConnectorFuture::new(async move {
                    answer.await?;
                    Err(cut("after"))
                })
            }
            Some(Fault::Throttled) => HttpConnectorFuture::ready(Ok(throttled(&request))),
            Some(Fault::Partial) => partial::call(&self.inner, request),
        }
    }
}
