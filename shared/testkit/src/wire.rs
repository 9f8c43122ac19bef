//! The connection between a client and its engine, which a test can cut before or after a request was carried out.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// What goes wrong with a request, once.
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
    due: Arc<Mutex<Option<(String, Fault)>>>,
}

impl Wire {
    /// Cuts the next request of an operation, such as `PutItem`. The SDK tries again by itself.
    pub fn cut_next(&self, operation: &str, fault: Fault) {
        *self.due.lock().unwrap_or_else(PoisonError::into_inner) = Some((operation.to_owned(), fault));
    }

    /// The HTTP client that goes over this wire.
    pub(crate) fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(CutClient { inner: aws_smithy_http_client::Builder::new().build_http(), wire: self.clone() })
    }

    fn take(&self, request: &HttpRequest) -> Option<Fault> {
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.take_if(|(name, _)| name == operation).map(|(_, fault)| fault)
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
