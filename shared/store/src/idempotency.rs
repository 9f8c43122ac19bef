//! Answers remembered by the key a client gave with a creation, for seven days.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::error::StoreError;
use crate::item::{Item, from_item};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Part};

/// How long an answer is remembered.
const KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What a key was used for. It holds no personal data: the request only as a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key the client gave.
    pub key: String,
    /// The keyed hash of the request.
    pub request: String,
    /// The id of what was created.
    pub result: String,
    /// When it was made.
    pub made_at: Timestamp,
}

#[derive(Deserialize)]
struct EntryItem {
    request: String,
    result: String,
    expires_at: i64,
}

impl Entry {
    /// When the key may be used for something else.
    fn expires_at(&self) -> Timestamp {
        self.made_at.saturating_add(KEPT).unwrap_or(self.made_at)
    }

    /// The part of a transaction that remembers this; it doesn't hold when the key is remembered for something else. 2 W.
    #[must_use]
    pub fn part(&self, scope: &TenantScope) -> Part {
        Part::Insert { item: self.to_item(scope), expired_before: Some(self.made_at.as_second()) }
    }

    /// As an item.
    #[must_use]
    pub fn to_item(&self, scope: &TenantScope) -> Item {
        let key = keys::idempotency(scope, &self.key);
        Item::from([
            ("PK".to_owned(), AttributeValue::S(key.pk)),
            ("SK".to_owned(), AttributeValue::S(key.sk)),
            ("type".to_owned(), AttributeValue::S("idempotency".to_owned())),
            ("request".to_owned(), AttributeValue::S(self.request.clone())),
            ("result".to_owned(), AttributeValue::S(self.result.clone())),
            ("expires_at".to_owned(), AttributeValue::N(self.expires_at().as_second().to_string())),
        ])
    }
}

/// What a key was used for, unless that is over. 1 request, 1 R.
///
/// # Errors
/// Those of the database.
pub async fn find(table: &CoreTable, scope: &TenantScope, key: &str, now: Timestamp) -> Result<Option<Entry>, StoreError> {
    let Some(item) = table.get(scope, &keys::idempotency(scope, key)).await? else {
        return Ok(None);
    };
    let item: EntryItem = from_item("idempotency", item)?;
    let expires_at = Timestamp::from_second(item.expires_at).map_err(|error| StoreError::undecodable("idempotency", error))?;
    let made_at = expires_at.saturating_sub(KEPT).unwrap_or(expires_at);
    Ok((expires_at > now).then(|| Entry { key: key.to_owned(), request: item.request, result: item.result, made_at }))
}
