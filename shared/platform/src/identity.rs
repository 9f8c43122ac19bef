//! Identities in the Cognito user pool.

use aws_sdk_cognitoidentityprovider::Client;
use aws_sdk_cognitoidentityprovider::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cognitoidentityprovider::operation::admin_create_user::builders::AdminCreateUserFluentBuilder;
use aws_sdk_cognitoidentityprovider::types::{AttributeType, AuthFlowType, DeliveryMediumType, MessageActionType};

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

    /// Creates an identity for a lower-case e-mail address, without sending a message. 1 request, 2 when the address has one.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn register(&self, email: &str) -> Result<NewIdentity, PlatformError> {
        self.create(email, self.client.admin_create_user().message_action(MessageActionType::Suppress)).await
    }

    /// Gives an identity a password that stays. 1 request.
    ///
    /// # Errors
    /// Those of the service; [`PlatformError::NotFound`] when the address has no identity.
    pub async fn set_password(&self, email: &str, password: &str) -> Result<(), PlatformError> {
        let request = self.client.admin_set_user_password().user_pool_id(&self.pool).username(email).password(password).permanent(true);
        request.send().await.map_err(|error| sorted("password", &error))?;
        Ok(())
    }

    /// Creates an identity for a lower-case e-mail address, and sends it the message with a password that is to be replaced at the first sign-in. The address
    /// counts as verified: who follows the message has it. Where the address has an identity nothing is sent. 1 request, 2 when the address has one.
    ///
    /// # Errors
    /// Those of the service; [`PlatformError::Unavailable`] when the identity was made and the message not sent: asked again, the address has one.
    pub async fn invite(&self, email: &str) -> Result<NewIdentity, PlatformError> {
        self.create(email, self.client.admin_create_user().desired_delivery_mediums(DeliveryMediumType::Email)).await
    }

    /// Sends the message of [`Self::invite`] again, with another password. False when a password was chosen already, and nothing is left to invite to. 1 request.
    ///
    /// # Errors
    /// Those of the service; [`PlatformError::NotFound`] when the address has no identity.
    pub async fn resend(&self, email: &str) -> Result<bool, PlatformError> {
        let request = self.client.admin_create_user().user_pool_id(&self.pool).username(email);
        let request = request.message_action(MessageActionType::Resend).desired_delivery_mediums(DeliveryMediumType::Email);
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|service| service.is_unsupported_user_state_exception()) => Ok(false),
            Err(error) => Err(sorted("invitation", &error)),
        }
    }

    /// Stops an identity from signing in and from renewing its tokens, also one that is stopped already. 1 request.
    ///
    /// # Errors
    /// Those of the service. An address without an identity is none: nobody can sign in with it.
    pub async fn disable(&self, email: &str) -> Result<(), PlatformError> {
        match self.client.admin_disable_user().user_pool_id(&self.pool).username(email).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|service| service.is_user_not_found_exception()) => Ok(()),
            Err(error) => Err(sorted("disabling", &error)),
        }
    }

    /// Lets an identity sign in again, also one that can. 1 request.
    ///
    /// # Errors
    /// Those of the service; [`PlatformError::NotFound`] when the address has no identity.
    pub async fn enable(&self, email: &str) -> Result<(), PlatformError> {
        let request = self.client.admin_enable_user().user_pool_id(&self.pool).username(email);
        request.send().await.map(|_| ()).map_err(|error| sorted("enabling", &error))
    }

    /// Makes a password useless and sends the message with which another is chosen. False in a state in which there is none to reset: nobody chose one yet, or
    /// the identity is disabled. 1 request.
    ///
    /// # Errors
    /// Those of the service; [`PlatformError::NotFound`] when the address has no identity.
    pub async fn reset_password(&self, email: &str) -> Result<bool, PlatformError> {
        match self.client.admin_reset_user_password().user_pool_id(&self.pool).username(email).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(|service| service.is_not_authorized_exception()) => Ok(false),
            Err(error) => Err(sorted("password", &error)),
        }
    }

    /// Ends all sessions of an identity: its tokens can't be renewed any more. 1 request.
    ///
    /// # Errors
    /// Those of the service. An address without an identity and a disabled one are none: they have no sessions.
    pub async fn sign_out(&self, email: &str) -> Result<(), PlatformError> {
        match self.client.admin_user_global_sign_out().user_pool_id(&self.pool).username(email).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|service| service.is_user_not_found_exception() || service.is_not_authorized_exception()) => Ok(()),
            Err(error) => Err(sorted("sign-out", &error)),
        }
    }

    /// Creates an identity, or finds the one there is.
    async fn create(&self, email: &str, request: AdminCreateUserFluentBuilder) -> Result<NewIdentity, PlatformError> {
        let attribute = |name: &str, value: &str| AttributeType::builder().name(name).value(value).build().map_err(|error| PlatformError::Refused(error.to_string()));
        let request = request.user_pool_id(&self.pool).username(email).user_attributes(attribute("email", email)?).user_attributes(attribute("email_verified", "true")?);
        match request.send().await {
            Ok(answer) => Ok(NewIdentity::Created(subject(answer.user.and_then(|user| user.attributes))?)),
            Err(error) if error.as_service_error().is_some_and(|service| service.is_username_exists_exception()) => {
                let request = self.client.admin_get_user().user_pool_id(&self.pool).username(email);
                let answer = request.send().await.map_err(|error| sorted("identity", &error))?;
                Ok(NewIdentity::Exists(subject(answer.user_attributes)?))
            }
            Err(error) => Err(sorted("identity", &error)),
        }
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
        let answer = request.send().await.map_err(|error| sorted("sign-in", &error))?;
        let token = answer.authentication_result.and_then(|result| result.id_token);
        token.ok_or_else(|| PlatformError::Refused("sign-in: the pool asks for more than a password".to_owned()))
    }
}

fn subject(attributes: Option<Vec<AttributeType>>) -> Result<String, PlatformError> {
    let attributes = attributes.unwrap_or_default();
    let subject = attributes.into_iter().find(|attribute| attribute.name() == "sub").and_then(|attribute| attribute.value);
    subject.ok_or_else(|| PlatformError::Refused("identity: the pool gave no subject".to_owned()))
}

/// Sorts an error of the pool. A message that could not be sent, and a limit on how many are, pass with time.
fn sorted<E, R>(what: &str, error: &SdkError<E, R>) -> PlatformError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    const PASSING: [&str; 3] = ["CodeDeliveryFailureException", "InternalErrorException", "LimitExceededException"];
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
    match PlatformError::of(what, error) {
        PlatformError::Refused(text) if code.is_some_and(|code| PASSING.contains(&code)) => PlatformError::Unavailable(text),
        error => error,
    }
}
