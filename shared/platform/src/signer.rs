//! Signing with a key that never leaves the key service, and checking what it signed without asking it.

use std::sync::{Arc, OnceLock};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ParsedPublicKey};
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MessageType, SigningAlgorithmSpec};
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use crate::error::PlatformError;

const BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const END: &str = "-----END PUBLIC KEY-----";
/// Characters of a line between the two, as RFC 7468 has them.
const LINE: usize = 64;

/// One key of the key service that signs by ECDSA on the curve P-256 with SHA-256.
#[derive(Debug, Clone)]
pub struct Signer {
    client: Client,
    key: String,
    public: Arc<OnceLock<Vec<u8>>>,
}

impl Signer {
    /// The key of this name.
    #[must_use]
    pub fn new(client: Client, key: impl Into<String>) -> Self {
        Self { client, key: key.into(), public: Arc::default() }
    }

    /// The key's name.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Signs a message of any length; the signature is in DER. 1 request, which counts against KMS's requests.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn sign(&self, message: &[u8]) -> Result<Vec<u8>, PlatformError> {
        let digest = Blob::new(Sha256::digest(message).to_vec());
        let request = self.client.sign().key_id(&self.key).message(digest).message_type(MessageType::Digest);
        let answer = request.signing_algorithm(SigningAlgorithmSpec::EcdsaSha256).send().await.map_err(|error| PlatformError::of("signature", &error))?;
        answer.signature.map(Blob::into_inner).ok_or_else(|| PlatformError::Refused("signature: there is none".to_owned()))
    }

    /// The public half of the key in DER, as a SubjectPublicKeyInfo (RFC 5280). It never changes: 1 request the first time.
    ///
    /// # Errors
    /// Those of the service.
    pub async fn public_key(&self) -> Result<Vec<u8>, PlatformError> {
        if let Some(known) = self.public.get() {
            return Ok(known.clone());
        }
        let answer = self.client.get_public_key().key_id(&self.key).send().await.map_err(|error| PlatformError::of("public key", &error))?;
        let key = answer.public_key.map(Blob::into_inner).ok_or_else(|| PlatformError::Refused("public key: there is none".to_owned()))?;
        Ok(self.public.get_or_init(|| key).clone())
    }
}

/// What tells whether a message, given first, has a signature in DER of the key whose public half this is. No request.
///
/// # Errors
/// [`PlatformError::Refused`] when the key isn't one on the curve P-256.
pub fn signature_checker(der_spki: &[u8]) -> Result<impl Fn(&[u8], &[u8]) -> bool + Send + Sync + use<>, PlatformError> {
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, der_spki).map_err(|error| PlatformError::Refused(format!("public key: {error}")))?;
    Ok(move |message: &[u8], signature: &[u8]| key.verify_sig(message, signature).is_ok())
}

/// A public key in DER as the text that tools exchange (RFC 7468), with a line break at its end.
#[must_use]
pub fn public_key_pem(der_spki: &[u8]) -> String {
    let text = BASE64.encode(der_spki);
    let mut pem = format!("{BEGIN}\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(LINE));
        pem.push_str(line);
        pem.push('\n');
        rest = behind;
    }
    pem.push_str(END);
    pem.push('\n');
    pem
}

/// Reads what [`public_key_pem`] and other tools write; what stands before and behind the key is passed over.
///
/// # Errors
/// [`PlatformError::Refused`] when there is no public key in it.
pub fn public_key_from_pem(text: &str) -> Result<Vec<u8>, PlatformError> {
    let refused = |what: &str| PlatformError::Refused(format!("public key: {what}"));
    let (_, behind) = text.split_once(BEGIN).ok_or_else(|| refused("the text has no line -----BEGIN PUBLIC KEY-----"))?;
    let (inside, _) = behind.split_once(END).ok_or_else(|| refused("the text has no line -----END PUBLIC KEY-----"))?;
    let inside: String = inside.split_ascii_whitespace().collect();
    BASE64.decode(inside.as_bytes()).map_err(|error| refused(&error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};

    /// Made with `openssl ecparam -name prime256v1 -genkey -noout | openssl ec -pubout` and `openssl dgst -sha256 -sign`.
    const PEM: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEtew8jrTN2j85DpVBaKopvkO1/xTG
6AgS6YwUVsoRrmad9GpSXQinsRsazO71JDXuBNAjZ+hpmKVN1ksxdc6FWA==
-----END PUBLIC KEY-----
";
    const MESSAGE: &[u8] = br#"{"day":"2026-11-30"}"#;
    const SIGNATURE: &str = "MEUCIBIa1kLPqXEUOSTbaO1LYy1SlkQhsNGbdGbHg5v+m+NSAiEAqN0Q+BulYblQ0RdMlGBBoi/kR1HHaQOgSTeIo40BJBw=";

    fn pair() -> (EcdsaKeyPair, Vec<u8>) {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let public: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
        let public = public.as_ref().to_vec();
        (pair, public)
    }

    #[test]
    fn what_a_key_signed_is_told_from_anything_else() {
        let (pair, public) = pair();
        let signature = pair.sign(&SystemRandom::new(), MESSAGE).unwrap();
        let signed = signature_checker(&public).unwrap();
        assert!(signed(MESSAGE, signature.as_ref()));
        assert!(!signed(b"something else", signature.as_ref()) && !signed(MESSAGE, b"") && !signed(MESSAGE, &signature.as_ref()[1..]));
        let (_, other) = self::pair();
        assert!(!signature_checker(&other).unwrap()(MESSAGE, signature.as_ref()));
        assert!(signature_checker(b"no key").is_err());
    }

    #[test]
    fn a_signature_of_another_tool_is_understood() {
        let signed = signature_checker(&public_key_from_pem(PEM).unwrap()).unwrap();
        assert!(signed(MESSAGE, &BASE64.decode(SIGNATURE.as_bytes()).unwrap()));
    }

    #[test]
    fn a_key_reads_back_from_its_text_which_is_written_as_other_tools_write_it() {
        assert_eq!(public_key_pem(&public_key_from_pem(PEM).unwrap()), PEM);
        let (_, public) = pair();
        assert_eq!(public_key_from_pem(&format!("a key:\r\n{}and more", public_key_pem(&public).replace('\n', "\r\n"))).unwrap(), public);
        for wrong in ["", BEGIN, &format!("{BEGIN}\n?\n{END}"), "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----"] {
            assert!(public_key_from_pem(wrong).is_err(), "{wrong}");
        }
    }
}
