//! Wrapping and unwrapping tenants' keyrings with KMS.

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use switchboard_domain::ids::TenantId;

use crate::error::PlatformError;

/// The encryption context a keyring is bound to: KMS opens it for no other tenant.
const CONTEXT: &str = "tenant";

/// The key service.
#[derive(Debug, Clone)]
pub struct Keys {
    client: Client,
}

impl Keys {
    /// The key service of this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Opens a tenant's wrapped keyring. 1 request, which counts against KMS's requests.
    ///
    /// # Errors
    /// Those of the service; a keyring of another tenant is refused.
    pub async fn unwrap_keyring(&self, tenant: TenantId, wrapped: &[u8]) -> Result<Vec<u8>, PlatformError> {
        let request = self.client.decrypt().ciphertext_blob(Blob::new(wrapped)).encryption_context(CONTEXT, tenant.to_string());
        let answer = request.send().await.map_err(|error| PlatformError::of("keyring", &error))?;
        answer.plaintext.map(Blob::into_inner).ok_or_else(|| PlatformError::Refused("keyring: no plaintext".to_owned()))
    }

    /// Wraps a tenant's keyring under a KMS key. 1 request.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn wrap_keyring(&self, kms_key: &str, tenant: TenantId, keyring: &[u8]) -> Result<Vec<u8>, PlatformError> {
        let request = self.client.encrypt().key_id(kms_key).plaintext(Blob::new(keyring)).encryption_context(CONTEXT, tenant.to_string());
        let answer = request.send().await.map_err(|error| PlatformError::of("keyring", &error))?;
        answer.ciphertext_blob.map(Blob::into_inner).ok_or_else(|| PlatformError::Refused("keyring: no ciphertext".to_owned()))
    }
}
