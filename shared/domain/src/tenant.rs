//! An organisation that uses Switchboard.

use serde_json::json;

use crate::audit::{Audited, Fields};
use crate::change::Revisioned;
use crate::ids::TenantId;

/// A tenant's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// What all records have.
    pub record: Revisioned,
    /// The word for it in drop folders: lower-case letters, digits and hyphens.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// IANA time zone of its counters and of contacts whose own is unknown.
    pub time_zone: String,
    /// ISO 3166-1 country in which numbers without a prefix are read.
    pub country: String,
    /// How many partitions its lists are spread over; only grows.
    pub shards: u32,
    /// The keyring, encrypted by KMS.
    pub wrapped_keyring: Vec<u8>,
}

/// Whether a text can be a tenant's slug: 1 to 63 lower-case letters, digits and inner hyphens.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

impl Audited for Tenant {
    const ENTITY_TYPE: &'static str = "tenant";

    fn audit_fields(&self) -> Fields {
        Fields::from([("name".to_owned(), json!(self.name)), ("timeZone".to_owned(), json!(self.time_zone)), ("country".to_owned(), json!(self.country))])
    }
}
