//! Reads of many items by their keys, 100 in a request.

use aws_sdk_dynamodb::Client;
use futures::StreamExt as _;
use futures::stream::FuturesOrdered;

use super::body::{Body, quoted, tagged};
use super::{AT_ONCE, BATCH_ATTEMPTS, BATCH_GET, CoreTable, Freshness, back_off, check};
use crate::error::StoreError;
use crate::item::{Item, text};
use crate::keys::Key;
use crate::scope::TenantScope;

/// What a key takes of a body, about.
const KEY_BYTES: usize = 150;

impl CoreTable {
    /// Reads many items in no particular order; absent ones are left out. 1 request per 100 keys.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn batch_get(&self, scope: &TenantScope, keys: &[Key], freshness: Freshness) -> Result<Vec<Item>, StoreError> {
        keys.iter().try_for_each(|key| check(scope, &key.pk))?;
        let mut items = Vec::new();
        for keys in keys.chunks(AT_ONCE * BATCH_GET) {
            let mut requests: FuturesOrdered<_> = keys.chunks(BATCH_GET).map(|keys| get_batch(&self.client, &self.name, keys, freshness)).collect();
            while let Some(found) = requests.next().await {
                items.append(&mut found?);
            }
        }
        Ok(items)
    }
}

/// Reads what one request takes, strongly consistent or not, until nothing is left of it; absent ones are left out, the order is any. At most 100 keys.
pub(crate) async fn get_batch(client: &Client, table: &str, keys: &[Key], freshness: Freshness) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    let mut body = body(table, keys, freshness)?;
    for attempt in 0..BATCH_ATTEMPTS {
        let answer = client.batch_get_item().customize().interceptor(Body::new(body)).send().await?;
        items.append(&mut answer.responses.unwrap_or_default().remove(table).unwrap_or_default());
        let unprocessed = answer.unprocessed_keys.unwrap_or_default().remove(table).map(|left| left.keys).unwrap_or_default();
        if unprocessed.is_empty() {
            return Ok(items);
        }
        let left: Option<Vec<Key>> = unprocessed.iter().map(|key| Some(Key { pk: text(key, "PK")?.to_owned(), sk: text(key, "SK")?.to_owned() })).collect();
        let left = left.ok_or_else(|| StoreError::Unavailable("what was left of a batch has no keys".to_owned()))?;
        body = self::body(table, &left, freshness)?;
        back_off(attempt).await;
    }
    Err(StoreError::Unavailable("unprocessed keys were left".to_owned()))
}

/// The body of a `BatchGetItem`.
fn body(table: &str, keys: &[Key], freshness: Freshness) -> Result<Vec<u8>, StoreError> {
    let write = |json: &mut Vec<u8>| {
        json.extend_from_slice(br#"{"RequestItems":{"#);
        quoted(json, table)?;
        json.extend_from_slice(if freshness == Freshness::Strong { br#":{"ConsistentRead":true,"Keys":["# } else { br#":{"Keys":["# });
        for (index, key) in keys.iter().enumerate() {
            json.extend_from_slice(if index == 0 { br#"{"PK":"# } else { br#",{"PK":"# });
            tagged(json, "S", |json| quoted(json, &key.pk))?;
            json.extend_from_slice(br#","SK":"#);
            tagged(json, "S", |json| quoted(json, &key.sk))?;
            json.push(b'}');
        }
        json.extend_from_slice(b"]}}}");
        Ok(())
    };
    let mut json = Vec::with_capacity(keys.len() * KEY_BYTES);
    write(&mut json).map_err(|error: serde_json::Error| StoreError::Refused(error.to_string()))?;
    Ok(json)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn key(pk: &str, sk: &str) -> Key {
        Key { pk: pk.to_owned(), sk: sk.to_owned() }
    }

    #[test]
    fn a_body_names_each_key_and_how_fresh_what_it_says_must_be() {
        let keys = [key("T#1#C#\"a\"", "C"), key("\u{1f4de}\n", "")];
        let written = |freshness| serde_json::from_slice::<Value>(&body("the table", &keys, freshness).unwrap()).unwrap();
        let expected = json!([{ "PK": { "S": "T#1#C#\"a\"" }, "SK": { "S": "C" } }, { "PK": { "S": "\u{1f4de}\n" }, "SK": { "S": "" } }]);
        assert_eq!(written(Freshness::Strong), json!({ "RequestItems": { "the table": { "ConsistentRead": true, "Keys": expected } } }));
        assert_eq!(written(Freshness::Eventual), json!({ "RequestItems": { "the table": { "Keys": expected } } }));
    }
}
