//! Tenants of the tests' own, made by the operator's command as on AWS, and the people in them: what is tried on them concerns nobody else.

use std::process::{Command, Output};

use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::api::Api;
use super::mutations::{done, with_fragments};
use super::{Stack, fresh, setting};

/// The slug of the tenant that tests share, and its administrator's address.
static SHARED: Mutex<Option<(String, String)>> = Mutex::const_new(None);

/// Someone who signed in.
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) user: Value,
    /// Null for who has no entry in the staff directory.
    pub(crate) agent: Value,
    pub(crate) api: Api,
}

/// A tenant as its administrator sees it.
pub(crate) struct Tenant {
    pub(crate) stack: Stack,
    pub(crate) slug: String,
    pub(crate) admin: Person,
    pub(crate) api: Api,
}

/// Runs the operator's program to its end.
pub(crate) async fn operator(arguments: &[&str]) -> Output {
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    spawn_blocking(move || Command::new(setting("SWITCHBOARD_OPERATOR")).args(arguments).output().unwrap()).await.unwrap()
}

/// An address that nobody has.
pub(crate) fn address(who: &str) -> String {
    format!("{}@example.com", fresh::word(who))
}

/// Makes a tenant; its slug and its administrator's address.
async fn made(options: &[&str]) -> (String, String) {
    let slug = fresh::word("tenant");
    let (name, email) = (format!("The {slug}"), format!("{slug}@example.com"));
    let output = operator(&[&["tenant", "create", &slug, "--name", &name, "--admin", &email, "--admin-name", "Mona Maker"][..], options].concat()).await;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (slug, email)
}

impl Tenant {
    /// A tenant for one test alone, which may change what all its people have in common.
    pub(crate) async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same, made with more options.
    pub(crate) async fn with(options: &[&str]) -> Self {
        let (slug, email) = made(options).await;
        Self::opened(slug, &email).await
    }

    /// The tenant of all tests that only add to it: people, teams and roles of their own.
    pub(crate) async fn shared() -> Self {
        let mut shared = SHARED.lock().await;
        if shared.is_none() {
            *shared = Some(made(&[]).await);
        }
        let (slug, email) = shared.clone().unwrap();
        drop(shared);
        Self::opened(slug, &email).await
    }

    async fn opened(slug: String, email: &str) -> Self {
        let stack = Stack::connect().await;
        let api = stack.sign_in(email).await;
        let admin = Person::behind(email, api.clone()).await;
        Self { stack, slug, admin, api }
    }

    /// The ids of roles, by their codes.
    pub(crate) async fn roles(&self, codes: &[&str]) -> Value {
        let data = self.api.data("{ roles { id code } }", json!({})).await;
        let roles = data["roles"].as_array().unwrap();
        let id = |code: &&str| roles.iter().find(|role| role["code"] == **code).unwrap_or_else(|| panic!("no role {code}: {data}"))["id"].clone();
        codes.iter().map(id).collect()
    }

    /// Makes an agent who has yet to sign in. Name and address are made up when they aren't given.
    pub(crate) async fn appoint(&self, input: Value) -> Value {
        done(&self.api, "agentCreate", filled(input)).await["agent"].take()
    }

    /// Makes an agent with roles, who then signs in.
    pub(crate) async fn hire(&self, codes: &[&str]) -> Person {
        let agent = self.appoint(json!({ "roles": self.roles(codes).await })).await;
        self.admit(&agent["email"]).await
    }

    /// Invites a user who is no agent and has yet to sign in. Name and address are made up when they aren't given.
    pub(crate) async fn invite(&self, input: Value) -> Value {
        done(&self.api, "userInvite", filled(input)).await["user"].take()
    }

    /// Signs in for the first time who was invited, by the address.
    pub(crate) async fn admit(&self, email: &Value) -> Person {
        let email = email.as_str().unwrap();
        give_password(&self.stack, email).await;
        Person::behind(email, self.stack.sign_in(email).await).await
    }

    /// Makes a team with a name of its own.
    pub(crate) async fn team(&self) -> Value {
        done(&self.api, "teamCreate", json!({ "name": fresh::word("Team") })).await["team"].take()
    }
}

fn filled(mut input: Value) -> Value {
    if input["email"].is_null() {
        input["email"] = json!(address("staff"));
    }
    if input["name"].is_null() {
        input["name"] = json!(fresh::word("Staff"));
    }
    input
}

/// Gives an identity the password with which tests sign in, as if its owner had followed the invitation.
async fn give_password(stack: &Stack, email: &str) {
    let request = stack.cognito().admin_set_user_password().user_pool_id(setting("USER_POOL_ID")).username(email);
    request.password(setting("DEMO_PASSWORD")).permanent(true).send().await.unwrap();
}

impl Person {
    /// Who is behind a token.
    async fn behind(email: &str, api: Api) -> Self {
        let user = api.data("{ viewer { user { id email status agent { id } } } }", json!({})).await["viewer"]["user"].take();
        assert_eq!((&user["email"], &user["status"]), (&json!(email), &json!("ACTIVE")));
        Self { email: email.to_owned(), user: user["id"].clone(), agent: user["agent"]["id"].clone(), api }
    }

    /// The API under a token of a new sign-in.
    pub(crate) async fn signed_in_again(&self, stack: &Stack) -> Api {
        let (token, _) = stack.tokens(&setting("USER_POOL_ID"), &setting("USER_POOL_CLIENT_ID"), &self.email, &setting("DEMO_PASSWORD")).await;
        Api::new(stack.http.clone(), Some(token))
    }

    /// What they are doing, as they see it.
    pub(crate) async fn presence(&self) -> Value {
        let query = with_fragments("query($id: ID!) { agent(id: $id) { presence { ...presence } } }");
        self.api.data(&query, json!({ "id": self.agent })).await["agent"]["presence"].take()
    }
}
