//! GraphQL over HTTP: what comes in is checked before it is parsed, and every answer names its request.

use std::sync::Arc;

use async_graphql::Response as GraphqlResponse;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use lambda_http::request::RequestContext;
use serde::Deserialize;
use switchboard_app::audit::permission_denied;
use switchboard_app::viewer::{RequestOrigin, SignIn, SignIns};
use switchboard_app::{AppError, Services, Viewer};
use switchboard_graphql::{Api, ApiSchema, Code, error_response, finish, refused_fields, request_data};

use crate::token::{BadToken, TokenVerifier};

/// Largest body read, which is what a thousand rows may take. An invocation's own limit of 6 MB counts the body as a text in JSON, where quotes count twice; beyond
/// it the gateway answers 413 by itself.
const BODY_BYTES: usize = 5 * 1024 * 1024;
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const GRAPHQL_RESPONSE: &str = "application/graphql-response+json";

/// What the function serves with.
pub(crate) struct Server {
    /// The schema.
    pub(crate) schema: ApiSchema,
    /// What resolvers work with.
    pub(crate) api: Api,
    /// The database, keys, time and randomness.
    pub(crate) services: Services,
    /// Users seen lately.
    pub(crate) sign_ins: SignIns,
    /// The judge of tokens.
    pub(crate) tokens: TokenVerifier,
    /// The page at `GET /graphql`, locally.
    pub(crate) graphiql: Option<String>,
}

/// The routes.
pub(crate) fn router(server: Arc<Server>) -> Router {
    Router::new().route("/health", get(health)).route("/graphql", get(explore).post(graphql)).layer(DefaultBodyLimit::max(BODY_BYTES)).with_state(server)
}

async fn health() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")], r#"{"status":"ok"}"#)
}

async fn explore(State(server): State<Arc<Server>>) -> Response {
    match &server.graphiql {
        Some(page) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CACHE_CONTROL, "no-store")], page.clone()).into_response(),
        None => (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")]).into_response(),
    }
}

/// Where a request came from, as the gateway saw it, and the id the caller wants it to be known by.
struct Incoming {
    origin: RequestOrigin,
    echo: HeaderValue,
}

impl<S: Send + Sync> FromRequestParts<S> for Incoming {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let mut origin =
            RequestOrigin { user_agent: parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).map(str::to_owned), ..RequestOrigin::default() };
        if let Some(RequestContext::ApiGatewayV2(context)) = parts.extensions.get::<RequestContext>() {
            origin.request_id = context.request_id.clone().unwrap_or_default();
            origin.ip_address = context.http.source_ip.clone();
        }
        let own = parts.headers.get(REQUEST_ID).filter(|value| value.len() <= 128 && !value.is_empty()).cloned();
        let echo = own.or_else(|| HeaderValue::from_str(&origin.request_id).ok()).unwrap_or(HeaderValue::from_static(""));
        Ok(Self { origin, echo })
    }
}

async fn graphql(
    State(server): State<Arc<Server>>,
    Incoming { origin, echo }: Incoming,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    let modern = accepts(&headers, GRAPHQL_RESPONSE);
    let (status, response) = answer(&server, &origin, &headers, body, modern).await;
    let body = body_of(&response);
    let content_type = if modern { "application/graphql-response+json; charset=utf-8" } else { "application/json; charset=utf-8" };
    let mut answer = (status, [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store")], body).into_response();
    answer.headers_mut().insert(REQUEST_ID, echo);
    if status == StatusCode::UNAUTHORIZED {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

/// Authenticate, read, execute. The status follows "GraphQL over HTTP": for its own media type errors of the request are 4xx, for plain JSON a
/// request that could be read is 200.
async fn answer(
    server: &Server,
    origin: &RequestOrigin,
    headers: &HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
    modern: bool,
) -> (StatusCode, GraphqlResponse) {
    let refuse = |status: StatusCode, code: Code, message: &str| (status, error_response(code, message, &origin.request_id));
    let Ok(body) = body else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, Code::LimitExceeded, "The request is larger than 5 MB. Ask for less at once.");
    };
    if !is_json(headers) {
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::BadRequest, "Send the request as application/json.");
    }
    let viewer = match sign_in(server, origin, headers).await {
        Ok(viewer) => viewer,
        Err(AppError::Unauthenticated) => return refuse(StatusCode::UNAUTHORIZED, Code::Unauthenticated, "Sign in: send an ID token as Authorization: Bearer <token>."),
        Err(error) if error.is_transient() => {
            tracing::warn!(%error, "a user could not be looked up");
            return refuse(StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable, "The service is busy. Try again in a moment.");
        }
        Err(error) => {
            tracing::error!(%error, request.id = origin.request_id, "a user could not be looked up");
            return refuse(
                StatusCode::INTERNAL_SERVER_ERROR,
                Code::Internal,
                "Something went wrong on our side. Try again; if it stays, name the request id to support.",
            );
        }
    };
    let request = match read(&body) {
        Ok(request) => request,
        Err(message) => return refuse(StatusCode::BAD_REQUEST, Code::BadRequest, message),
    };
    let mut request = request;
    let (query, operation) = (request.query.clone(), request.operation_name.clone());
    request.data = request_data(&server.api, viewer.clone());
    let response = finish(server.schema.execute(request).await, &origin.request_id);
    let refused = refused_fields(&query, operation.as_deref(), &response);
    if !refused.is_empty() {
        permission_denied(&server.services, &viewer, refused).await;
    }
    for error in &response.errors {
        let code = error.extensions.as_ref().and_then(|extensions| extensions.get("code")).map(ToString::to_string).unwrap_or_default();
        tracing::info!(request.id = origin.request_id, error.code = code, "a request was answered with an error");
    }
    let status = if modern && never_ran(&response) { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    (status, response)
}

/// Whether nothing was executed: errors of fields have a path, those of the request itself have none.
fn never_ran(response: &GraphqlResponse) -> bool {
    !response.errors.is_empty() && response.errors.iter().all(|error| error.path.is_empty())
}

/// The answer as JSON; without `data` when nothing was executed, as the specification has it.
fn body_of(response: &GraphqlResponse) -> Vec<u8> {
    let mut json = serde_json::to_value(response).unwrap_or_default();
    if never_ran(response)
        && let Some(object) = json.as_object_mut()
    {
        object.remove("data");
    }
    serde_json::to_vec(&json).unwrap_or_default()
}

async fn sign_in(server: &Server, origin: &RequestOrigin, headers: &HeaderMap) -> Result<Viewer, AppError> {
    let token = bearer(headers).map_err(|reason| refused(origin, reason))?;
    let claims = server.tokens.verify(token).await.map_err(|error| match error {
        BadToken::Refused => refused(origin, "INVALID"),
        BadToken::Expired => refused(origin, "EXPIRED"),
        BadToken::Unavailable => AppError::Unavailable("the user pool's keys"),
    })?;
    let sign_in = SignIn::of(&claims.sub, claims.auth_time).map_err(|_| refused(origin, "INVALID"))?;
    server.sign_ins.viewer(&server.services, sign_in, origin.clone()).await
}

/// The token of a request, or why there is none.
fn bearer(headers: &HeaderMap) -> Result<&str, &'static str> {
    let value = headers.get(header::AUTHORIZATION).ok_or("NO_TOKEN")?;
    let (scheme, token) = value.to_str().ok().and_then(|value| value.split_once(' ')).ok_or("INVALID")?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err("INVALID") }
}

/// Of a request without a good token it isn't known whose it is, so no tenant's audit trail can have it: the log says it. A metric goes by `event` and
/// `reason`.
fn refused(origin: &RequestOrigin, reason: &str) -> AppError {
    tracing::info!(request.id = origin.request_id, event = "auth.denied", reason, "a token was refused");
    AppError::Unauthenticated
}

/// A request's body; anything else in it is refused, so that a misspelt part isn't silently ignored.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    query: String,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    variables: Option<serde_json::Map<String, serde_json::Value>>,
    #[serde(default)]
    #[expect(dead_code, reason = "allowed by the specification, and of no use to us")]
    extensions: Option<serde_json::Map<String, serde_json::Value>>,
}

fn read(body: &[u8]) -> Result<async_graphql::Request, &'static str> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err("Batches are not accepted. Send one request at a time.");
    }
    let body: Body = serde_json::from_slice(body).map_err(|_| "The body is not a GraphQL request. Send a JSON object with query, variables and operationName.")?;
    let mut request = async_graphql::Request::new(body.query);
    if let Some(name) = body.operation_name {
        request = request.operation_name(name);
    }
    if let Some(variables) = body.variables {
        request = request.variables(async_graphql::Variables::from_json(serde_json::Value::Object(variables)));
    }
    Ok(request)
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).and_then(|value| value.split(';').next());
    media_type.is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/json"))
}

fn accepts(headers: &HeaderMap, media_type: &str) -> bool {
    headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(|value| value.to_ascii_lowercase().contains(media_type))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_single_well_formed_request_is_read() {
        assert!(read(br#"{"query":"{viewer{user{id}}}","variables":{"a":1},"operationName":null,"extensions":{}}"#).is_ok());
        for wrong in [
            "",
            "[]",
            " [{\"query\":\"{a}\"}]",
            "{}",
            "{\"query\":1}",
            "{\"query\":\"{a}\",\"qwery\":1}",
            "null",
            "{\"query\":\"\\ud800\"}",
            "{\"query\":\"{a}\",\"variables\":[]}",
        ] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_token_is_what_stands_behind_its_scheme() {
        let headers = |value: &'static str| HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static(value))]);
        assert_eq!((bearer(&headers("Bearer a.b.c")), bearer(&headers("bearer  a.b.c "))), (Ok("a.b.c"), Ok("a.b.c")));
        assert_eq!(bearer(&HeaderMap::new()), Err("NO_TOKEN"));
        for wrong in ["", "a.b.c", "Bearer", "Basic a.b.c"] {
            assert_eq!(bearer(&headers(wrong)), Err("INVALID"), "{wrong}");
        }
    }

    #[test]
    fn the_media_type_is_json_whatever_its_parameters() {
        let headers = |value: &'static str| HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))]);
        assert!(is_json(&headers("application/json; charset=utf-8")) && is_json(&headers("Application/JSON")));
        assert!(!is_json(&headers("multipart/form-data; boundary=x")) && !is_json(&headers("text/plain")) && !is_json(&HeaderMap::new()));
    }
}
