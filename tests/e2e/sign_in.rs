//! Signing in: only an ID token of this pool, for this client, as it was signed, of someone who is a user here, is good.

use aws_sdk_cognitoidentityprovider::types::{AttributeType, ExplicitAuthFlowsType, MessageActionType};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::stack::api::{Answer, Api, PLAIN};
use crate::stack::fresh;
use crate::stack::{ADMIN, OTHER_ADMIN, Stack, setting};

const QUERY: &str = "{ viewer { user { id } } }";
const PASSWORD: &str = "Another-password-1";

async fn assert_unauthenticated(stack: &Stack, token: &str, why: &str) {
    let answer = Api::new(stack.http.clone(), Some(token.to_owned())).ask(QUERY, json!({})).await;
    assert_eq!((answer.status, answer.codes(), answer.header("www-authenticate")), (401, vec!["UNAUTHENTICATED"], "Bearer"), "{why}");
    assert!(answer.body["data"].is_null(), "{why}");
}

/// A client of a pool, for signing in with a password.
async fn new_client(stack: &Stack, pool: &str) -> String {
    let request = stack.cognito().create_user_pool_client().user_pool_id(pool).client_name(fresh::word("client"));
    let answer = request.explicit_auth_flows(ExplicitAuthFlowsType::AllowAdminUserPasswordAuth).send().await.unwrap();
    answer.user_pool_client.unwrap().client_id.unwrap()
}

/// An identity in a pool, about which this product knows nothing.
async fn new_identity(stack: &Stack, pool: &str, email: &str) {
    let attribute = |name: &str, value: &str| AttributeType::builder().name(name).value(value).build().unwrap();
    let request = stack.cognito().admin_create_user().user_pool_id(pool).username(email).message_action(MessageActionType::Suppress);
    request.user_attributes(attribute("email", email)).user_attributes(attribute("email_verified", "true")).send().await.unwrap();
    stack.cognito().admin_set_user_password().user_pool_id(pool).username(email).password(PASSWORD).permanent(true).send().await.unwrap();
}

#[tokio::test]
async fn without_a_token_nothing_is_answered() {
    let stack = Stack::connect().await;
    let answer = stack.anonymous().ask(QUERY, json!({})).await;
    assert_eq!((answer.status, answer.codes(), answer.header("www-authenticate")), (401, vec!["UNAUTHENTICATED"], "Bearer"));
    let token = stack.id_token(ADMIN).await;
    for authorization in ["", "Bearer", "Bearer ", &token, &format!("Basic {token}"), &format!("Bearer {token} {token}")] {
        let request = stack.anonymous().post(PLAIN).header("authorization", authorization).json(&json!({ "query": QUERY }));
        let answer = Answer::of(request.send().await.unwrap()).await;
        assert_eq!((answer.status, answer.codes()), (401, vec!["UNAUTHENTICATED"]), "{authorization:.20}");
    }
}

#[tokio::test]
async fn without_a_token_even_what_could_not_be_read_is_unauthenticated() {
    let answer = Stack::connect().await.anonymous().ask("{ nonsense", json!({})).await;
    assert_eq!((answer.status, answer.codes()), (401, vec!["UNAUTHENTICATED"]));
}

#[tokio::test]
async fn a_token_that_is_not_one_is_refused() {
    let stack = Stack::connect().await;
    for garbage in ["garbage", "a.b.c", "..", &"x".repeat(5_000), "null", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0."] {
        assert_unauthenticated(&stack, garbage, garbage).await;
    }
}

#[tokio::test]
async fn a_token_is_refused_once_any_part_of_it_was_changed() {
    let stack = Stack::connect().await;
    let (token, other) = (stack.id_token(ADMIN).await, stack.id_token(OTHER_ADMIN).await);
    let parts: Vec<&str> = token.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!("not three parts") };
    let mut claims: Value = serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap();
    let write = |claims: &Value| BASE64URL_NOPAD.encode(claims.to_string().as_bytes());
    claims["email"] = json!(OTHER_ADMIN);
    assert_unauthenticated(&stack, &format!("{header}.{}.{signature}", write(&claims)), "another address").await;
    claims["exp"] = json!(4_000_000_000_u64);
    assert_unauthenticated(&stack, &format!("{header}.{}.{signature}", write(&claims)), "a later expiry").await;
    let their_payload = other.split('.').nth(1).unwrap();
    assert_unauthenticated(&stack, &format!("{header}.{their_payload}.{signature}"), "somebody else's payload").await;
    let none = BASE64URL_NOPAD.encode(br#"{"alg":"none"}"#);
    assert_unauthenticated(&stack, &format!("{none}.{payload}."), "no signature").await;
    assert_unauthenticated(&stack, &format!("{header}.{payload}."), "an empty signature").await;
    let reversed: String = signature.chars().rev().collect();
    assert_unauthenticated(&stack, &format!("{header}.{payload}.{reversed}"), "another signature").await;
}

#[tokio::test]
async fn an_access_token_is_not_an_id_token() {
    let stack = Stack::connect().await;
    let (_, access) = stack.tokens(&setting("USER_POOL_ID"), &setting("USER_POOL_CLIENT_ID"), ADMIN, &setting("DEMO_PASSWORD")).await;
    assert_unauthenticated(&stack, &access, "an access token").await;
}

#[tokio::test]
async fn a_token_of_another_pool_is_refused_even_for_the_same_address() {
    let stack = Stack::connect().await;
    let pool = stack.cognito().create_user_pool().pool_name(fresh::word("pool")).send().await.unwrap().user_pool.unwrap().id.unwrap();
    let client = new_client(&stack, &pool).await;
    new_identity(&stack, &pool, ADMIN).await;
    let (token, _) = stack.tokens(&pool, &client, ADMIN, PASSWORD).await;
    stack.cognito().delete_user_pool().user_pool_id(&pool).send().await.unwrap();
    assert_unauthenticated(&stack, &token, "another pool").await;
}

#[tokio::test]
async fn a_token_for_another_client_of_the_pool_is_refused() {
    let stack = Stack::connect().await;
    let pool = setting("USER_POOL_ID");
    let client = new_client(&stack, &pool).await;
    let (token, _) = stack.tokens(&pool, &client, ADMIN, &setting("DEMO_PASSWORD")).await;
    stack.cognito().delete_user_pool_client().user_pool_id(&pool).client_id(&client).send().await.unwrap();
    assert_unauthenticated(&stack, &token, "another client").await;
}

#[tokio::test]
async fn an_identity_that_is_no_user_is_refused() {
    let stack = Stack::connect().await;
    let (pool, email) = (setting("USER_POOL_ID"), format!("{}@example.com", fresh::word("stranger")));
    new_identity(&stack, &pool, &email).await;
    let (token, _) = stack.tokens(&pool, &setting("USER_POOL_CLIENT_ID"), &email, PASSWORD).await;
    stack.cognito().admin_delete_user().user_pool_id(&pool).username(&email).send().await.unwrap();
    assert_unauthenticated(&stack, &token, "no user").await;
}
