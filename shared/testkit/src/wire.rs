//! The connection between a client and its engine, which a test can cut before or after a request was carried out, once or for good.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// What goes wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It never arrives.
    CutBefore,
    /// It is carried out, but the answer never arrives.
    CutAfter,
}

/// The wire of one client.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    due: Arc<Mutex<Due>>,
}

/// What is to go wrong.
#[derive(Debug, Default)]
struct Due {
    once: Option<(String, Fault)>,
    for_good: Option<Death>,
}

/// The end of whoever makes the requests.
#[derive(Debug)]
struct Death {
    /// Requests that still come through before it.
    left: usize,
    /// What goes wrong with the request at which it comes; none that follow arrive.
    fault: Fault,
    came: bool,
}

impl Wire {
    /// Cuts the next request of an operation, such as `PutItem`. The SDK tries again by itself.
    pub fn cut_next(&self, operation: &str, fault: Fault) {
        self.due().once = Some((operation.to_owned(), fault));
    }

    /// Cuts the wire for good at the request behind the next `left`, of whatever operation, as if the process were killed there. Until it is mended no request
    /// arrives. Over a client that tries nothing again, see [`crate::Database::without_retries`], what was being done ends there.
    pub fn cut_for_good(&self, left: usize, fault: Fault) {
        self.due().for_good = Some(Death { left, fault, came: false });
    }

    /// Mends a wire that was, or was to be, cut for good; tells whether it was.
    pub fn mend(&self) -> bool {
        self.due().for_good.take().is_some_and(|death| death.came)
    }

    fn due(&self) -> MutexGuard<'_, Due> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The HTTP client that goes over this wire.
    pub(crate) fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(CutClient { inner: aws_smithy_http_client::Builder::new().build_http(), wire: self.clone() })
    }

    fn take(&self, request: &HttpRequest) -> Option<Fault> {
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        let mut due = self.due();
        if let Some(death) = &mut due.for_good {
            if death.came {
                return Some(Fault::CutBefore);
            }
            if death.left == 0 {
                death.came = true;
                return Some(death.fault);
            }
            death.left -= 1;
        }
        due.once.take_if(|(name, _)| name == operation).map(|(_, fault)| fault)
    }
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
        }
    }
}
