//! The one request path to the core table: every key is checked against the tenant, every write is conditional, every batch is completed.

mod batch_get;
mod body;
mod due;
mod insert;
mod query;
mod transaction;
mod whole;

pub(crate) use batch_get::get_batch;
pub(crate) use insert::{Statements, insert_many};
pub use query::{Examined, Filter, ListQuery, Order, beyond};
pub use transaction::{Change, Part};

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, ReturnValuesOnConditionCheckFailure, WriteRequest};

use crate::error::StoreError;
use crate::item::{Item, text};
use crate::keys::Key;
use crate::scope::TenantScope;

/// Items that `BatchGetItem` takes at once.
pub(crate) const BATCH_GET: usize = 100;
/// Statements that `BatchExecuteStatement`, and items that `BatchWriteItem`, take at once.
const BATCH_WRITE: usize = 25;
/// Batches that are on their way at once.
const AT_ONCE: usize = 8;
/// The attributes that say in which partition of an index an item stands.
const INDEX_PARTITIONS: [&str; 2] = ["GSI1PK", "GSI2PK"];
/// How often an incomplete batch is asked for again before it counts as unavailable.
const BATCH_ATTEMPTS: u32 = 8;

/// How fresh what is read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Everything written before is seen. A read unit per started 4 KB.
    Strong,
    /// What was written within about the last second may be missing. Half a read unit per started 4 KB.
    Eventual,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The entries.
    pub entries: Vec<T>,
    /// Whether there are more after them.
    pub has_more: bool,
}

/// What became of a conditional write.
#[derive(Debug, Clone, PartialEq)]
pub enum Written {
    /// It was written.
    Done,
    /// The condition didn't hold; the item that is there, if there is one.
    Refused(Option<Item>),
}

/// The core table.
#[derive(Debug, Clone)]
pub struct CoreTable {
    client: Client,
    name: String,
}

impl CoreTable {
    /// The table of this name.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// Reads one item, strongly consistent. 1 request, 1 read unit per started 4 KB.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn get(&self, scope: &TenantScope, key: &Key) -> Result<Option<Item>, StoreError> {
        check(scope, &key.pk)?;
        self.read(key).await
    }

    /// Reads one of the few items that stand outside every tenant and lead into one: `SUB#`, `SLUG#` and the tenant's own record.
    pub(crate) async fn get_entrance(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let entrance = ["SUB#", "SLUG#"].iter().any(|start| key.pk.starts_with(start)) || key.sk == "TENANT";
        if !entrance {
            return Err(StoreError::OutsideTenant);
        }
        self.read(key).await
    }

    async fn read(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        let answer = self.client.get_item().table_name(&self.name).set_key(Some(key_item(key))).consistent_read(true).send().await?;
        Ok(answer.item)
    }

    /// Writes a new item; refused when its key is taken, with what is there. 1 request, 1 write unit per started KB and per index entry.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn insert(&self, scope: &TenantScope, item: Item) -> Result<Written, StoreError> {
        check_item(scope, &item)?;
        self.put(item, "attribute_not_exists(PK)", None).await
    }

    /// Writes an item outside every tenant that leads into this one; refused when its key is taken.
    pub(crate) async fn insert_entrance(&self, item: Item) -> Result<Written, StoreError> {
        self.put(item, "attribute_not_exists(PK)", None).await
    }

    /// Replaces an item whose revision is `revision`; refused otherwise, with what is there. 1 request, 1 write unit per started KB of the
    /// larger of the two, and those of the index entries that change.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn replace(&self, scope: &TenantScope, item: Item, revision: u32) -> Result<Written, StoreError> {
        check_item(scope, &item)?;
        self.put(item, "revision = :revision", Some(revision)).await
    }

    async fn put(&self, item: Item, condition: &str, revision: Option<u32>) -> Result<Written, StoreError> {
        let mut request = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some(revision) = revision {
            request = request.expression_attribute_values(":revision", AttributeValue::N(revision.to_string()));
        }
        match request.send().await {
            Ok(_) => Ok(Written::Done),
            Err(SdkError::ServiceError(error)) if matches!(error.err(), PutItemError::ConditionalCheckFailedException(_)) => match error.into_err() {
                PutItemError::ConditionalCheckFailedException(refused) => Ok(Written::Refused(refused.item)),
                other => Err(StoreError::Refused(other.to_string())),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// Writes and removes many items that aren't audited, whatever was there. 1 request per 25, 1 write unit per started KB each.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`]; some may be done before it fails.
    pub async fn write_many(&self, scope: &TenantScope, puts: Vec<Item>, deletes: Vec<Key>) -> Result<(), StoreError> {
        let refused = |error: aws_sdk_dynamodb::error::BuildError| StoreError::Refused(error.to_string());
        let mut requests = Vec::with_capacity(puts.len() + deletes.len());
        for item in puts {
            check_item(scope, &item)?;
            requests.push(WriteRequest::builder().put_request(PutRequest::builder().set_item(Some(item)).build().map_err(refused)?).build());
        }
        for key in deletes {
            check(scope, &key.pk)?;
            requests.push(WriteRequest::builder().delete_request(DeleteRequest::builder().set_key(Some(key_item(&key))).build().map_err(refused)?).build());
        }
        self.write_all(&requests).await
    }

    /// Carries out many writes, 25 at a time, each batch until it is complete.
    async fn write_all(&self, requests: &[WriteRequest]) -> Result<(), StoreError> {
        for batch in requests.chunks(BATCH_WRITE) {
            let mut left = batch.to_vec();
            for attempt in 0..BATCH_ATTEMPTS {
                let answer = self.client.batch_write_item().request_items(&self.name, std::mem::take(&mut left)).send().await?;
                left = answer.unprocessed_items.unwrap_or_default().remove(&self.name).unwrap_or_default();
                if left.is_empty() {
                    break;
                }
                back_off(attempt).await;
            }
            if !left.is_empty() {
                return Err(StoreError::Unavailable("unprocessed items were left".to_owned()));
            }
        }
        Ok(())
    }
}

/// The second look at every key, whatever the code above believes.
fn check(scope: &TenantScope, pk: &str) -> Result<(), StoreError> {
    if scope.holds(pk) { Ok(()) } else { Err(StoreError::OutsideTenant) }
}

/// What leads into a tenant from outside names the tenant it leads to, and stands where only that can stand.
fn check_entrance(item: &Item) -> Result<(), StoreError> {
    let pk = text(item, "PK").unwrap_or_default();
    if ["SUB#", "SLUG#"].iter().any(|start| pk.starts_with(start)) { Ok(()) } else { Err(StoreError::OutsideTenant) }
}

fn check_item(scope: &TenantScope, item: &Item) -> Result<(), StoreError> {
    check(scope, text(item, "PK").unwrap_or_default())?;
    for index in INDEX_PARTITIONS {
        if let Some(pk) = text(item, index) {
            check(scope, pk)?;
        }
    }
    Ok(())
}

fn key_item(key: &Key) -> Item {
    Item::from([("PK".to_owned(), AttributeValue::S(key.pk.clone())), ("SK".to_owned(), AttributeValue::S(key.sk.clone()))])
}

/// Waits longer with each attempt: 25 ms, doubling, at most 3.2 s.
async fn back_off(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(25 << attempt.min(7))).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tenant_prefix;
    use jiff::Timestamp;
    use switchboard_domain::ids::TenantId;

    #[test]
    fn a_key_of_another_tenant_is_stopped_wherever_it_stands() {
        let tenant = |seed: u8| TenantId::new(Timestamp::UNIX_EPOCH, &[seed; 10]);
        let scope = TenantScope::vouched(tenant(1));
        let item = |pk: String, index: String| Item::from([("PK".to_owned(), AttributeValue::S(pk)), ("GSI1PK".to_owned(), AttributeValue::S(index))]);
        let (own, other) = (format!("{}X", tenant_prefix(tenant(1))), format!("{}X", tenant_prefix(tenant(2))));
        assert!(check_item(&scope, &item(own.clone(), own.clone())).is_ok());
        assert!(matches!(check_item(&scope, &item(other.clone(), own.clone())), Err(StoreError::OutsideTenant)));
        assert!(matches!(check_item(&scope, &item(own, other)), Err(StoreError::OutsideTenant)));
        assert!(matches!(check(&scope, "SUB#x"), Err(StoreError::OutsideTenant)));
        assert!(matches!(check(&scope, ""), Err(StoreError::OutsideTenant)));
    }
}
