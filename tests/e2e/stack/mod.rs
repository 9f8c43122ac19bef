//! The deployed stack: its coordinates, clients for its services, and its users, signed in.

pub(crate) mod api;
pub(crate) mod canaries;
pub(crate) mod contacts;
pub(crate) mod drops;
pub(crate) mod emulator;
pub(crate) mod exports;
pub(crate) mod fresh;
pub(crate) mod history;
pub(crate) mod imports;
pub(crate) mod jobs;
pub(crate) mod keeping;
pub(crate) mod mutations;
pub(crate) mod scores;
pub(crate) mod staff;
pub(crate) mod tenant;
pub(crate) mod uploads;
pub(crate) mod waiting;

use std::collections::BTreeMap;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_cognitoidentityprovider::types::AuthFlowType;
use tokio::sync::Mutex;

use api::Api;

/// A user of the first demo tenant with every permission.
pub(crate) const ADMIN: &str = "admin@demo.test";
/// The same in the second.
pub(crate) const OTHER_ADMIN: &str = "admin@other.test";

/// ID tokens by e-mail address: they are good for an hour, and signing in is slow.
static TOKENS: Mutex<BTreeMap<String, String>> = Mutex::const_new(BTreeMap::new());

/// A setting of the environment.
pub(crate) fn setting(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run these tests with ./dev test e2e"))
}

/// The stack under test. Each test connects by itself, because clients live and die with the runtime they were made in.
#[derive(Clone)]
pub(crate) struct Stack {
    pub(crate) http: reqwest::Client,
    config: SdkConfig,
}

impl Stack {
    pub(crate) async fn connect() -> Self {
        Self { http: reqwest::Client::new(), config: aws_config::defaults(BehaviorVersion::latest()).load().await }
    }

    /// The stack, and its API as [`ADMIN`] sees it: what most tests begin with.
    pub(crate) async fn as_admin() -> (Self, Api) {
        let stack = Self::connect().await;
        let api = stack.sign_in(ADMIN).await;
        (stack, api)
    }

    pub(crate) fn config(&self) -> &SdkConfig {
        &self.config
    }

    pub(crate) fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::new(&self.config)
    }

    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&self.config).force_path_style(self.config.endpoint_url().is_some()).build())
    }

    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        aws_sdk_sqs::Client::new(&self.config)
    }

    pub(crate) fn cognito(&self) -> aws_sdk_cognitoidentityprovider::Client {
        aws_sdk_cognitoidentityprovider::Client::new(&self.config)
    }

    pub(crate) fn iam(&self) -> aws_sdk_iam::Client {
        aws_sdk_iam::Client::new(&self.config)
    }

    /// The API without a token.
    pub(crate) fn anonymous(&self) -> Api {
        Api::new(self.http.clone(), None)
    }

    /// The API as a demo user sees it.
    pub(crate) async fn sign_in(&self, email: &str) -> Api {
        Api::new(self.http.clone(), Some(self.id_token(email).await))
    }

    /// The ID token of a demo user.
    pub(crate) async fn id_token(&self, email: &str) -> String {
        let mut tokens = TOKENS.lock().await;
        if let Some(token) = tokens.get(email) {
            return token.clone();
        }
        let token = self.tokens(&setting("USER_POOL_ID"), &setting("USER_POOL_CLIENT_ID"), email, &setting("DEMO_PASSWORD")).await.0;
        tokens.insert(email.to_owned(), token.clone());
        token
    }

    /// The ID token and the access token that a pool gives one of its users.
    pub(crate) async fn tokens(&self, pool: &str, client: &str, email: &str, password: &str) -> (String, String) {
        let request = self.cognito().admin_initiate_auth().user_pool_id(pool).client_id(client).auth_flow(AuthFlowType::AdminUserPasswordAuth);
        let answer = request.auth_parameters("USERNAME", email).auth_parameters("PASSWORD", password).send().await.unwrap();
        let result = answer.authentication_result.unwrap();
        (result.id_token.unwrap(), result.access_token.unwrap())
    }
}
