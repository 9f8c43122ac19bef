//! GraphQL over HTTP: media types and statuses, what is refused before it is read, and what a query may ask for.

use reqwest::header::CONTENT_TYPE;
use serde_json::json;

use crate::stack::api::{Answer, Api, PLAIN, create};
use crate::stack::{Stack, setting};

const MODERN: &str = "application/graphql-response+json";
/// Bytes of the largest body.
const LARGEST_BODY: usize = 5 * 1024 * 1024;
const QUERY: &str = "{ viewer { user { id } } }";

/// The status and the codes of a request's answer, in both media types.
async fn in_both(api: &Api, content_type: &str, body: &str) -> [(u16, Vec<String>); 2] {
    let mut answers = Vec::new();
    for accept in [PLAIN, MODERN] {
        let answer = Answer::of(api.post(accept).header(CONTENT_TYPE, content_type).body(body.to_owned()).send().await.unwrap()).await;
        assert!(answer.header("content-type").starts_with(accept), "{}", answer.header("content-type"));
        assert_eq!(answer.header("cache-control"), "no-store");
        answers.push((answer.status, answer.codes().into_iter().map(str::to_owned).collect()));
    }
    answers.try_into().unwrap()
}

fn code(code: &str) -> Vec<String> {
    vec![code.to_owned()]
}

fn request(query: &str) -> String {
    json!({ "query": query }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_status_follows_the_media_type_that_was_asked_for() {
    let (stack, api) = Stack::as_admin().await;
    for (content_type, body, plain, modern, errors) in [
        (PLAIN, request(QUERY), 200, 200, vec![]),
        ("application/json; charset=utf-8", request(QUERY), 200, 200, vec![]),
        (PLAIN, request("{ viewer {"), 200, 400, code("BAD_REQUEST")),
        (PLAIN, request("{ nonsense }"), 200, 400, code("BAD_REQUEST")),
        (PLAIN, request("query($a: Int!) { contacts(first: $a) { nodes { id } } }"), 200, 400, code("BAD_REQUEST")),
        (PLAIN, "{".to_owned(), 400, 400, code("BAD_REQUEST")),
        (PLAIN, String::new(), 400, 400, code("BAD_REQUEST")),
        (PLAIN, "{}".to_owned(), 400, 400, code("BAD_REQUEST")),
        (PLAIN, json!({ "query": 1 }).to_string(), 400, 400, code("BAD_REQUEST")),
        (PLAIN, json!({ "query": QUERY, "variables": [] }).to_string(), 400, 400, code("BAD_REQUEST")),
        (PLAIN, json!({ "query": QUERY, "qwery": QUERY }).to_string(), 400, 400, code("BAD_REQUEST")),
        (PLAIN, json!([{ "query": QUERY }]).to_string(), 400, 400, code("BAD_REQUEST")),
        (PLAIN, json!([{ "query": QUERY }, { "query": QUERY }]).to_string(), 400, 400, code("BAD_REQUEST")),
        ("text/plain", request(QUERY), 415, 415, code("BAD_REQUEST")),
        ("application/x-www-form-urlencoded", format!("query={QUERY}"), 415, 415, code("BAD_REQUEST")),
        (
            "multipart/form-data; boundary=x",
            format!("--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{}\r\n--x--", request(QUERY)),
            415,
            415,
            code("BAD_REQUEST"),
        ),
    ] {
        assert_eq!(in_both(&api, content_type, &body).await, [(plain, errors.clone()), (modern, errors)], "{content_type} {body}");
    }
    assert_eq!(in_both(&stack.anonymous(), PLAIN, &request(QUERY)).await, [401, 401].map(|status| (status, code("UNAUTHENTICATED"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_ran_has_no_data_and_one_that_ran_has_some_or_null() {
    let (stack, api) = Stack::as_admin().await;
    for query in ["{ viewer {", "{ nonsense }"] {
        let answer = api.ask(query, json!({})).await;
        assert!(answer.body.get("data").is_none(), "{}", answer.body);
    }
    let telephonist = stack.sign_in("telephonist@demo.test").await;
    let answer = telephonist.ask("query($id: ID!) { contact(id: $id) { id } viewer { user { email } } }", json!({ "id": "x" })).await;
    assert_eq!(answer.body, json!({ "data": { "contact": null, "viewer": { "user": { "email": "telephonist@demo.test" } } } }));
    let forbidden = telephonist.ask("{ imports { nodes { id } } viewer { user { email } } }", json!({})).await;
    assert!(forbidden.body.get("data").is_some_and(serde_json::Value::is_null), "{}", forbidden.body);
    assert_eq!(in_both(&telephonist, PLAIN, &request("{ imports { nodes { id } } }")).await, [200, 200].map(|status| (status, code("FORBIDDEN"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_of_more_than_5_mb_is_refused() {
    let (_, api) = Stack::as_admin().await;
    let padded = |bytes: usize| {
        let body = json!({ "query": QUERY, "extensions": { "padding": "" } }).to_string();
        body.replace("\"padding\":\"\"", &format!("\"padding\":\"{}\"", "x".repeat(bytes - body.len())))
    };
    assert_eq!(in_both(&api, PLAIN, &padded(LARGEST_BODY)).await, [200, 200].map(|status| (status, vec![])));
    assert_eq!(in_both(&api, PLAIN, &padded(LARGEST_BODY + 1)).await, [413, 413].map(|status| (status, code("LIMIT_EXCEEDED"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_schema_does_not_know_is_a_bad_request() {
    let (_, api) = Stack::as_admin().await;
    let create = |input: &str| format!("mutation {{ contactCreate(input: {input}) {{ contact {{ id }} }} }}");
    for query in [
        "{ contacts { nodes { nonsense } } }".to_owned(),
        "{ contacts(last: 1) { nodes { id } } }".to_owned(),
        "{ contacts(first: \"1\") { nodes { id } } }".to_owned(),
        "{ contact { id } }".to_owned(),
        "mutation { contactErase(id: 1) { id } }".to_owned(),
        "subscription { contacts { id } }".to_owned(),
        create("{ phone: \"+15145550000\", nickname: \"x\" }"),
        create("{ phone: 5145550000 }"),
        create("{ name: \"x\" }"),
        create("{ phone: null }"),
        create("{ phone: \"+15145550000\", nextContactAt: \"tomorrow\" }"),
        "query A { viewer { user { id } } } query B { viewer { user { id } } }".to_owned(),
        String::new(),
    ] {
        let answer = api.ask(&query, json!({})).await;
        assert!(!answer.codes().is_empty() && answer.codes().iter().all(|code| *code == "BAD_REQUEST"), "{query}: {}", answer.body);
    }
    let variables = json!({ "input": { "phone": "+15145550000", "nickname": "x" } });
    assert_eq!(api.refusal("mutation($input: ContactCreateInput!) { contactCreate(input: $input) { contact { id } } }", variables).await, "BAD_REQUEST");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_asks_for_too_much_is_too_complex() {
    let (_, api) = Stack::as_admin().await;
    let aliases = |count: usize| format!("{{ {} }}", (0..count).map(|index| format!("a{index}: viewer {{ permissions }} ")).collect::<String>());
    let fields = |count: usize| format!("{{ viewer {{ {} }} }}", "permissions ".repeat(count - 1));
    let nested = |depth: usize| format!("{{ viewer {{ {} id {} }} }}", "user { agent { ".repeat(depth), "} } ".repeat(depth));
    assert!(api.data(&aliases(30), json!({})).await["a29"].is_object());
    assert!(api.data(&fields(500), json!({})).await["viewer"].is_object());
    assert!(api.data(&nested(6), json!({})).await["viewer"].is_object());
    let fragment = format!("{{ viewer {{ ...a }} }} fragment a on Viewer {{ {} }}", "permissions ".repeat(500));
    let page =
        |first: i64, events: i64, fields: &str| format!("{{ contacts(first: {first}) {{ nodes {{ auditEvents(first: {events}) {{ nodes {{ {fields} }} }} }} }} }}");
    let every_field = "id action entityType entityId entityVersion at outcome requestId ipAddress userAgent importId hash previousHash";
    for query in [
        aliases(31),
        fields(501),
        fragment,
        nested(9),
        page(100, 100, "id"),
        page(50, 50, every_field),
        page(i64::from(i32::MAX), i64::from(i32::MAX), every_field),
        format!("{{ viewer {{ permissions }} }} # {}", "x".repeat(50_000)),
    ] {
        let answer = api.ask(&query, json!({})).await;
        assert_eq!(answer.codes(), ["QUERY_TOO_COMPLEX"], "{query:.80}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_callers_own_request_id_is_echoed_and_errors_name_the_gateways() {
    let (_, api) = Stack::as_admin().await;
    for query in [QUERY, "{ nonsense }"] {
        let request = api.post(PLAIN).header("x-request-id", "my-own-1").json(&json!({ "query": query }));
        assert_eq!(Answer::of(request.send().await.unwrap()).await.header("x-request-id"), "my-own-1");
    }
    let answer = api.ask("{ nonsense }", json!({})).await;
    let id = answer.header("x-request-id");
    assert!(!id.is_empty());
    assert_eq!(answer.body["errors"][0]["extensions"]["requestId"], id);
    let too_long = "x".repeat(129);
    let request = api.post(PLAIN).header("x-request-id", &too_long).json(&json!({ "query": QUERY }));
    let answer = Answer::of(request.send().await.unwrap()).await;
    assert!(answer.header("x-request-id") != too_long && !answer.header("x-request-id").is_empty());
}

#[tokio::test]
async fn health_needs_no_token() {
    let stack = Stack::connect().await;
    let address = setting("GRAPHQL_URL").replace("/graphql", "/health");
    let answer = Answer::of(stack.http.get(address).send().await.unwrap()).await;
    assert_eq!((answer.status, &answer.body, answer.header("cache-control")), (200, &json!({ "status": "ok" }), "no-store"));
}

#[tokio::test]
async fn graphiql_is_one_page_that_loads_nothing() {
    let stack = Stack::connect().await;
    let response = stack.http.get(setting("GRAPHQL_URL")).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.headers()[CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
    let page = response.text().await.unwrap();
    assert!(page.contains("GraphiQL"));
    // Inside the page's one style and its one script the parser looks for nothing but their ends.
    let (style, script) = (between(&page, "<style>", "</style>"), between(&page, "<script>", "</script>"));
    let markup = page.replace(style, "").replace(script, "");
    for address in markup.split("src=").skip(1).chain(markup.split("href=").skip(1)) {
        assert!(address.starts_with("\"data:"), "{address}");
    }
    assert!(!markup.contains("<style") && !markup.contains("<script") && !markup.contains("<iframe"), "{markup}");
    assert!(!style.contains("@import"));
    for address in style.split("url(").skip(1) {
        assert!(address.trim_start_matches(['"', '\'']).starts_with("data:"), "{address:.80}");
    }
    for place in ["unpkg.com", "jsdelivr", "cdnjs", "esm.sh", "fonts.googleapis", "importScripts("] {
        assert!(!script.contains(place), "the script names {place}");
    }
}

/// What stands from a text to another, both included.
fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    let begin = text.find(from).unwrap_or_else(|| panic!("no {from}"));
    let end = begin + text[begin..].find(to).unwrap_or_else(|| panic!("no {to}")) + to.len();
    &text[begin..end]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_not_repeated() {
    let (_, api) = Stack::as_admin().await;
    let secret = "Not-to-be-repeated";
    let answer = api.ask("query($after: String) { contacts(after: $after) { nodes { id } } }", json!({ "after": secret })).await;
    assert!(!answer.codes().is_empty() && !answer.body.to_string().contains(secret), "{}", answer.body);
    let payload = create(&api, json!({ "phone": secret, "email": secret })).await;
    assert!(!payload.to_string().contains(secret), "{payload}");
}
