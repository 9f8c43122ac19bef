//! Identities in the Cognito user pool.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, AuthFlowType, MessageActionType};

use crate::error::PlatformError;

/// One user pool.
#[derive(Debug, Clone)]
pub struct Identities {
    client: Client,
    pool: String,
}

/// What became of creating an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewIdentity {
    /// It is new; its subject.
    Created(String),
    /// The address has one; its subject.
    Exists(String),
}

impl Identities {
    /// The pool of this id.
    #[must_use]
    pub fn new(client: Client, pool: impl Into<String>) -> Self {
        Self { client, pool: pool.into() }
    }

    /// Creates an identity for a lower-case e-mail address, without sending a message, with a password that stays. 2 requests.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn create_with_password(&self, email: &str, password: &str) -> Result<NewIdentity, PlatformError> {
        let attribute = |name: &str, value: &str| AttributeType::builder().name(name).value(value).build().map_err(|error| PlatformError::Refused(error.to_string()));
        let request = self
            .client
            .admin_create_user()
            .user_pool_id(&self.pool)
            .username(email)
            .message_action(MessageActionType::Suppress)
            .user_attributes(attribute("email", email)?)
            .user_attributes(attribute("email_verified", "true")?);
        let identity = match request.send().await {
            Ok(answer) => NewIdentity::Created(subject(answer.user.and_then(|user| user.attributes))?),
            Err(error) if error.as_service_error().is_some_and(|service| service.is_username_exists_exception()) => {
                let request = self.client.admin_get_user().user_pool_id(&self.pool).username(email);
                let answer = request.send().await.map_err(|error| PlatformError::of("identity", &error))?;
                NewIdentity::Exists(subject(answer.user_attributes)?)
            }
            Err(error) => return Err(PlatformError::of("identity", &error)),
        };
        let request = self.client.admin_set_user_password().user_pool_id(&self.pool).username(email).password(password).permanent(true);
        request.send().await.map_err(|error| PlatformError::of("identity", &error))?;
        Ok(identity)
    }

    /// Signs in with a password, as an operator may, and returns the ID token. 1 request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn sign_in(&self, client_id: &str, email: &str, password: &str) -> Result<String, PlatformError> {
        let request = self
            .client
            .admin_initiate_auth()
            .user_pool_id(&self.pool)
            .client_id(client_id)
            .auth_flow(AuthFlowType::AdminUserPasswordAuth)
            .auth_parameters("USERNAME", email)
            .auth_parameters("PASSWORD", password);
        let answer = request.send().await.map_err(|error| PlatformError::of("sign-in", &error))?;
        let token = answer.authentication_result.and_then(|result| result.id_token);
        token.ok_or_else(|| PlatformError::Refused("sign-in: the pool asks for more than a password".to_owned()))
    }
}

fn subject(attributes: Option<Vec<AttributeType>>) -> Result<String, PlatformError> {
    let attributes = attributes.unwrap_or_default();
    let subject = attributes.into_iter().find(|attribute| attribute.name() == "sub").and_then(|attribute| attribute.value);
    subject.ok_or_else(|| PlatformError::Refused("identity: the pool gave no subject".to_owned()))
}
