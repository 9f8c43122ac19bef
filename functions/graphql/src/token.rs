//! Verifying ID tokens ourselves: signature, algorithm, issuer, audience, use and time.

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;

use crate::keys::{NoKey, PoolKeys};

/// Longest token read; Cognito's are below 4 KB.
const LONGEST: usize = 16 * 1024;

/// What a good token says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Claims {
    /// The identity in the pool.
    pub(crate) sub: String,
    /// When it signed in, in seconds since 1970; tokens renewed later keep it.
    pub(crate) auth_time: i64,
    token_use: String,
}

/// Why a token isn't good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BadToken {
    /// It isn't one of ours.
    Refused,
    /// It was one of ours, and is over.
    Expired,
    /// It can't be told now.
    Unavailable,
}

/// Verifies the tokens of one pool and client.
pub(crate) struct TokenVerifier {
    keys: PoolKeys,
    validation: Validation,
}

impl TokenVerifier {
    /// The verifier for tokens of this issuer for this client.
    pub(crate) fn new(keys: PoolKeys, issuer: &str, client: &str) -> Self {
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[client]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.validate_nbf = true;
        validation.leeway = 0;
        Self { keys, validation }
    }

    /// The claims of a good token.
    pub(crate) async fn verify(&self, token: &str) -> Result<Claims, BadToken> {
        if token.len() > LONGEST {
            return Err(BadToken::Refused);
        }
        let header = decode_header(token).map_err(|_| BadToken::Refused)?;
        let id = header.kid.ok_or(BadToken::Refused)?;
        if header.alg != Algorithm::RS256 {
            return Err(BadToken::Refused);
        }
        let key = self.keys.get(&id).await.map_err(|error| match error {
            NoKey::Unknown => BadToken::Refused,
            NoKey::Unavailable => BadToken::Unavailable,
        })?;
        // What is said of the time is said of a token whose signature is good.
        let decoded = decode::<Claims>(token, &key, &self.validation).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => BadToken::Expired,
            _ => BadToken::Refused,
        })?;
        let claims = decoded.claims;
        if claims.token_use == "id" && !claims.sub.is_empty() { Ok(claims) } else { Err(BadToken::Refused) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use jsonwebtoken::jwk::{Jwk, JwkSet};
    use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
    use serde_json::{Value, json};

    const ISSUER: &str = "https://cognito-idp.ca-central-1.amazonaws.com/ca-central-1_pool";

    struct Pool {
        key: EncodingKey,
        id: String,
    }

    impl Pool {
        fn new(id: &str) -> Self {
            let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
            let der = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&pair).unwrap();
            // The PKCS#8 wrapping of an RSA key is 26 bytes long; what follows is the PKCS#1 form that the library takes.
            Self { key: EncodingKey::from_rsa_der(&der.as_ref()[26..]), id: id.to_owned() }
        }

        fn verifier(&self) -> TokenVerifier {
            let mut jwk = Jwk::from_encoding_key(&self.key, Algorithm::RS256).unwrap();
            jwk.common.key_id = Some(self.id.clone());
            TokenVerifier::new(PoolKeys::fixed(&JwkSet { keys: vec![jwk] }), ISSUER, "client")
        }

        fn sign(&self, claims: &Value) -> String {
            encode(&Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::RS256) }, claims, &self.key).unwrap()
        }
    }

    fn claims() -> Value {
        json!({ "sub": "s", "iss": ISSUER, "aud": "client", "token_use": "id", "exp": get_current_timestamp() + 60, "iat": get_current_timestamp(), "auth_time": get_current_timestamp() })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn without(name: &str) -> Value {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    #[tokio::test]
    async fn only_a_token_that_is_right_in_every_way_is_good() {
        let pool = Pool::new("k1");
        let verifier = pool.verifier();
        assert_eq!(verifier.verify(&pool.sign(&claims())).await.unwrap().sub, "s");
        let now = get_current_timestamp();
        for (why, wrong) in [
            ("without the time of its sign-in", without("auth_time")),
            ("expiry as text", with("exp", json!("9999999999"))),
            ("no expiry", without("exp")),
            ("not valid yet", with("nbf", json!(now + 600))),
            ("another pool", with("iss", json!("https://cognito-idp.ca-central-1.amazonaws.com/other"))),
            ("no issuer", without("iss")),
            ("another client", with("aud", json!("other"))),
            ("no audience", without("aud")),
            ("an access token", with("token_use", json!("access"))),
            ("no use", without("token_use")),
            ("no subject", without("sub")),
            ("empty subject", with("sub", json!(""))),
        ] {
            assert_eq!(verifier.verify(&pool.sign(&wrong)).await, Err(BadToken::Refused), "{why}");
        }
        assert_eq!(verifier.verify(&pool.sign(&with("exp", json!(now - 1)))).await, Err(BadToken::Expired));
    }

    #[tokio::test]
    async fn that_a_token_is_over_is_said_of_our_own_only() {
        let over = with("exp", json!(get_current_timestamp() - 1));
        let verifier = Pool::new("k1").verifier();
        assert_eq!(verifier.verify(&Pool::new("k1").sign(&over)).await, Err(BadToken::Refused), "another key under the same name");
    }

    #[tokio::test]
    async fn a_token_signed_otherwise_is_refused() {
        let pool = Pool::new("k1");
        let verifier = pool.verifier();
        let good = pool.sign(&claims());
        let parts: Vec<&str> = good.split('.').collect();
        let changed = pool.sign(&with("sub", json!("admin")));
        let payload = changed.split('.').nth(1).unwrap();
        assert_eq!(verifier.verify(&format!("{}.{payload}.{}", parts[0], parts[2])).await, Err(BadToken::Refused), "changed payload");
        assert_eq!(verifier.verify(&Pool::new("k1").sign(&claims())).await, Err(BadToken::Refused), "another key under the same name");
        assert_eq!(verifier.verify(&Pool::new("k2").sign(&claims())).await, Err(BadToken::Refused), "unknown key");
        let hmac = encode(&Header { kid: Some("k1".to_owned()), ..Header::new(Algorithm::HS256) }, &claims(), &EncodingKey::from_secret(b"x")).unwrap();
        assert_eq!(verifier.verify(&hmac).await, Err(BadToken::Refused), "HMAC with a public key");
        for text in ["", "a.b.c", "Bearer", &format!("{}.{}.", parts[0], parts[1]), &"x".repeat(LONGEST + 1)] {
            assert_eq!(verifier.verify(text).await, Err(BadToken::Refused));
        }
    }
}
