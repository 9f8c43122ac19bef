//! Bodies of requests that are written here and not by the SDK, of which an import makes very many (`docs/decisions/0035-bodies-of-inserts.md` says what that saves).
//! All else of a request, its signature, its retries, its answer, is the SDK's.

use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_smithy_types::body::SdkBody;
use data_encoding::BASE64;

/// Gives a request a body instead of the one the SDK made, before it is signed and sent for the first time.
#[derive(Debug)]
pub(super) struct Body(SdkBody);

impl Body {
    /// Of this JSON.
    pub(super) fn new(json: Vec<u8>) -> Self {
        Self(SdkBody::from(json))
    }
}

impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }

    fn modify_before_retry_loop(&self, context: &mut BeforeTransmitInterceptorContextMut<'_>, _: &RuntimeComponents, _: &mut ConfigBag) -> Result<(), BoxError> {
        let body = self.0.try_clone().ok_or("the body is in memory")?;
        let request = context.request_mut();
        request.headers_mut().insert("content-length", body.content_length().unwrap_or_default().to_string());
        *request.body_mut() = body;
        Ok(())
    }
}

/// Writes a value with the name of its type.
pub(super) fn tagged<T>(json: &mut Vec<u8>, kind: &str, value: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    json.extend_from_slice(b"{\"");
    json.extend_from_slice(kind.as_bytes());
    json.extend_from_slice(b"\":");
    let said = value(json);
    json.push(b'}');
    said
}

/// Writes a text.
pub(super) fn quoted(json: &mut Vec<u8>, text: &str) -> Result<(), serde_json::Error> {
    // Without a branch for each byte, of which hardly one is ever escaped.
    let is_plain = text.bytes().fold(true, |plain, byte| plain & (byte >= b' ') & (byte != b'"') & (byte != b'\\'));
    if !is_plain {
        return serde_json::to_writer(json, text);
    }
    json.push(b'"');
    json.extend_from_slice(text.as_bytes());
    json.push(b'"');
    Ok(())
}

/// Writes bytes.
pub(super) fn encoded(json: &mut Vec<u8>, bytes: &[u8]) {
    json.push(b'"');
    let start = json.len();
    json.resize(start + BASE64.encode_len(bytes.len()), 0);
    BASE64.encode_mut(bytes, &mut json[start..]);
    json.push(b'"');
}
