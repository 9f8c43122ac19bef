//! A signing key in the process: what of the key service sealing asks for, on the client's own wire.

use std::sync::Arc;

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use data_encoding::BASE64;
use serde_json::{Value, json};
use switchboard_platform::Signer;

/// A key that signs.
#[derive(Debug, Clone)]
pub struct SigningKey {
    name: String,
    pair: Arc<EcdsaKeyPair>,
}

impl SigningKey {
    /// A new key under a name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        Self { name: name.to_owned(), pair: Arc::new(pair) }
    }

    /// The key as the code knows it.
    #[must_use]
    pub fn signer(&self) -> Signer {
        let config = aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .retry_config(aws_sdk_kms::config::retry::RetryConfig::disabled())
            .http_client(SharedHttpClient::new(self.clone()))
            .endpoint_url("http://keys.test")
            .region(Region::new("ca-central-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "testkit"));
        Signer::new(aws_sdk_kms::Client::from_conf(config.build()), self.name.clone())
    }

    fn answer(&self, request: &HttpRequest) -> Value {
        let body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default()).unwrap_or_default();
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        match operation {
            "Sign" => {
                let digest = BASE64.decode(body["Message"].as_str().unwrap_or_default().as_bytes()).unwrap_or_default();
                let digest = Digest::import_less_safe(&digest, &SHA256).expect("a digest");
                let signature = self.pair.sign_digest(&digest).expect("a signature");
                json!({ "KeyId": self.name, "Signature": BASE64.encode(signature.as_ref()), "SigningAlgorithm": "ECDSA_SHA_256" })
            }
            "GetPublicKey" => {
                let public: PublicKeyX509Der<'_> = self.pair.public_key().as_der().expect("a public key");
                json!({ "KeyId": self.name, "PublicKey": BASE64.encode(public.as_ref()), "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY" })
            }
            _ => json!({}),
        }
    }
}

impl HttpConnector for SigningKey {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let status = StatusCode::try_from(200).expect("a status");
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(self.answer(&request).to_string()))))
    }
}

impl HttpClient for SigningKey {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}
