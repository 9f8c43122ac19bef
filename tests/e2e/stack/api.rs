//! The GraphQL API as a client uses it. What holds for every answer is checked on every answer.

use reqwest::header::{ACCEPT, HeaderMap};
use serde_json::{Value, json};

use super::setting;

/// The media type of clients that know nothing better.
pub(crate) const PLAIN: &str = "application/json";

/// The codes a top-level error may have.
const CODES: [&str; 10] =
    ["UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "BAD_REQUEST", "BAD_CURSOR", "LIMIT_EXCEEDED", "QUERY_TOO_COMPLEX", "RATE_LIMITED", "UNAVAILABLE", "INTERNAL"];

/// The API for one caller.
#[derive(Clone)]
pub(crate) struct Api {
    http: reqwest::Client,
    token: Option<String>,
}

/// What the API answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// Reads an answer; every error in it has a code and names its request.
    pub(crate) async fn of(response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("status {status} with a body that is not JSON: {text}"));
        for error in body["errors"].as_array().into_iter().flatten() {
            let code = error["extensions"]["code"].as_str().unwrap_or_else(|| panic!("an error without a code: {error}"));
            assert!(CODES.contains(&code), "an unknown code: {error}");
            assert!(error["extensions"]["requestId"].as_str().is_some_and(|id| !id.is_empty()), "an error that does not name its request: {error}");
        }
        Self { status, headers, body }
    }

    /// The codes of its errors.
    pub(crate) fn codes(&self) -> Vec<&str> {
        self.body["errors"].as_array().into_iter().flatten().filter_map(|error| error["extensions"]["code"].as_str()).collect()
    }

    /// A header as text; empty when there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Api {
    pub(crate) fn new(http: reqwest::Client, token: Option<String>) -> Self {
        Self { http, token }
    }

    /// A request that asks for a media type, to be completed.
    pub(crate) fn post(&self, accept: &str) -> reqwest::RequestBuilder {
        let request = self.http.post(setting("GRAPHQL_URL")).header(ACCEPT, accept);
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Asks and takes whatever comes.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Answer {
        Answer::of(self.post(PLAIN).json(&json!({ "query": query, "variables": variables })).send().await.unwrap()).await
    }

    /// Asks for something that must be answered without errors.
    pub(crate) async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.ask(query, variables).await;
        assert!(answer.status == 200 && answer.body["errors"].is_null(), "status {} and {}", answer.status, answer.body);
        answer.body["data"].take()
    }

    /// Asks for something that must be refused as a whole, for one reason.
    pub(crate) async fn refusal(&self, query: &str, variables: Value) -> String {
        let answer = self.ask(query, variables).await;
        let codes = answer.codes();
        assert!(codes.len() == 1 && answer.body["data"].is_null(), "not refused for one reason: {}", answer.body);
        codes[0].to_owned()
    }
}

/// Creates a contact; the payload with its contact and its errors.
pub(crate) async fn create(api: &Api, input: Value) -> Value {
    let query = "mutation($input: ContactCreateInput!) { contactCreate(input: $input) {
        contact { id phone name email address city region postalCode country timeZone source attributes nextContactAt version createdAt status { id code } assignee { id } }
        userErrors { field code message existingId index }
    } }";
    let payload = api.data(query, json!({ "input": input })).await["contactCreate"].take();
    assert_eq!(payload["contact"].is_null(), payload["userErrors"].as_array().is_some_and(|errors| !errors.is_empty()), "{payload}");
    payload
}

/// Creates a contact that there is no reason to refuse.
pub(crate) async fn created(api: &Api, input: Value) -> Value {
    let mut payload = create(api, input).await;
    assert_eq!(payload["userErrors"], json!([]));
    payload["contact"].take()
}

/// The fields and codes of a payload's errors, in order of their fields.
pub(crate) fn user_errors(payload: &Value) -> Vec<(String, String)> {
    let mut errors: Vec<(String, String)> = Vec::new();
    for error in payload["userErrors"].as_array().unwrap() {
        let field: Vec<&str> = error["field"].as_array().unwrap().iter().map(|part| part.as_str().unwrap()).collect();
        assert!(error["message"].as_str().is_some_and(|message| message.ends_with('.')), "no sentence: {error}");
        errors.push((field.join("/"), error["code"].as_str().unwrap().to_owned()));
    }
    errors.sort();
    errors
}

/// The text behind a global id: its type and the record's own id.
pub(crate) fn inside(id: &Value) -> (String, String) {
    let bytes = data_encoding::BASE64URL_NOPAD.decode(id.as_str().unwrap().as_bytes()).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (kind, id) = text.split_once(':').unwrap();
    (kind.to_owned(), id.to_owned())
}

/// The short id of the caller's tenant, as keys and messages have it.
pub(crate) async fn tenant_of(api: &Api) -> String {
    inside(&api.data("{ viewer { tenant { id } } }", json!({})).await["viewer"]["tenant"]["id"]).1
}
