//! What is signed of a tenant's day: how many events were recorded on it, the root over them, and the seal before.

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ids::TenantId;

/// The seal of one day (UTC, by the time of recording) of one tenant. Its members are in alphabetical order, which is their order in the signed text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DaySeal {
    /// The day.
    pub day: Date,
    /// How many events were recorded on it.
    pub events: u64,
    /// 0 for the first seal of the day; more when events of the day were archived after it. Each covers the whole day as far as it was archived then.
    pub number: u32,
    /// SHA-256 of the text of the tenant's seal before this one, in hexadecimal; none for the first.
    pub previous: Option<String>,
    /// The root over the events' hashes, in hexadecimal.
    pub root: String,
    /// When it was sealed.
    #[serde(with = "crate::clock::millis")]
    pub sealed_at: Timestamp,
    /// The tenant.
    pub tenant: TenantId,
}

impl DaySeal {
    /// The text that is signed: JSON without white space, its names in order.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads the text of a seal; none when it isn't one, or not written as [`Self::text`] writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(|seal: &Self| seal.text() == text)
    }

    /// What the next seal calls its previous one.
    #[must_use]
    pub fn hash(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.text()))
    }
}

/// A seal with its signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignedSeal {
    /// The text of the seal.
    pub seal: String,
    /// The signature over the text: ECDSA on P-256 with SHA-256, in DER and base64.
    pub signature: String,
    /// The key that signed, by the key service's name for it.
    pub key: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_reads_back_from_its_text_and_from_no_other() {
        let seal = DaySeal {
            day: jiff::civil::date(2026, 11, 30),
            events: 3,
            number: 0,
            previous: None,
            root: "ab".repeat(32),
            sealed_at: Timestamp::UNIX_EPOCH,
            tenant: TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]),
        };
        let text = seal.text();
        assert!(text.starts_with(r#"{"day":"2026-11-30","events":3,"number":0,"previous":null,"root":"abab"#), "{text}");
        assert_eq!(DaySeal::parse(&text), Some(seal.clone()));
        assert_eq!(DaySeal::parse(&format!("{text} ")), None);
        assert_eq!(DaySeal::parse(&text.replace("\"events\":3", "\"events\":3,\"more\":1")), None);
        assert_ne!(DaySeal { events: 4, ..seal.clone() }.hash(), seal.hash());
    }
}
