//! The user pool's public keys, fetched when an unknown one is named, and kept.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::JwkSet;

/// Keys are asked for again at most this often, however many unknown ones are named.
const PAUSE: Duration = Duration::from_secs(60);
/// How long the pool may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why there is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoKey {
    /// The pool has no such key.
    Unknown,
    /// The pool's keys can't be had now.
    Unavailable,
}

#[derive(Default)]
struct Known {
    keys: HashMap<String, Arc<DecodingKey>>,
    asked: Option<Instant>,
}

/// The keys of one user pool.
pub(crate) struct PoolKeys {
    url: String,
    client: reqwest::Client,
    known: Mutex<Known>,
}

impl PoolKeys {
    /// The keys at this address.
    pub(crate) fn new(url: String) -> Result<Self> {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        Ok(Self { url, client, known: Mutex::default() })
    }

    /// These keys and no others; for tests of what is done with them.
    #[cfg(test)]
    pub(crate) fn fixed(set: &JwkSet) -> Self {
        let known = Known { keys: decoding_keys(set), asked: Some(Instant::now()) };
        Self { url: String::new(), client: reqwest::Client::new(), known: Mutex::new(known) }
    }

    /// A key by its id. 1 request to the pool the first time, and when an unknown id is named at most once a minute.
    pub(crate) async fn get(&self, id: &str) -> Result<Arc<DecodingKey>, NoKey> {
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(key) = known.keys.get(id) {
                return Ok(Arc::clone(key));
            }
            if known.asked.is_some_and(|asked| asked.elapsed() < PAUSE) {
                return Err(NoKey::Unknown);
            }
            known.asked = Some(Instant::now());
        }
        let fetched = self.fetch().await;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match fetched {
            Ok(keys) => {
                known.keys = keys;
                known.keys.get(id).cloned().ok_or(NoKey::Unknown)
            }
            Err(error) => {
                known.asked = None;
                tracing::error!(error = format!("{error:#}"), "the user pool's keys can't be had");
                Err(NoKey::Unavailable)
            }
        }
    }

    async fn fetch(&self) -> Result<HashMap<String, Arc<DecodingKey>>> {
        let answer = self.client.get(&self.url).send().await.context("no answer")?.error_for_status().context("refused")?;
        let set: JwkSet = answer.json().await.context("not a set of keys")?;
        Ok(decoding_keys(&set))
    }
}

fn decoding_keys(set: &JwkSet) -> HashMap<String, Arc<DecodingKey>> {
    set.keys.iter().filter_map(|key| Some((key.common.key_id.clone()?, Arc::new(DecodingKey::from_jwk(key).ok()?)))).collect()
}
