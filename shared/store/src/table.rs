//! The one request path to the core table: every key is checked against the tenant, every write is conditional, every batch is completed.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, BatchStatementErrorCodeEnum, BatchStatementRequest, ConditionCheck, Delete, DeleteRequest, KeysAndAttributes, Put, PutRequest,
    ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update, WriteRequest,
};

use crate::error::{StoreError, TRANSIENT_CODES};
use crate::item::{Item, text};
use crate::keys::{Key, parse_tenant, tenant_prefix};
use crate::scope::TenantScope;

/// Items that `BatchGetItem` takes at once.
const BATCH_GET: usize = 100;
/// Statements that `BatchExecuteStatement`, and items that `BatchWriteItem`, take at once.
const BATCH_WRITE: usize = 25;
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

/// A conditional update: an expression with its names and values.
#[derive(Debug, Clone)]
pub struct Change {
    /// The item.
    pub key: Key,
    /// The update expression.
    pub update: String,
    /// The condition under which it is made.
    pub condition: String,
    /// Names that stand in the expressions, such as `#status`.
    pub names: Vec<(&'static str, &'static str)>,
    /// Values that stand in the expressions, such as `:now`.
    pub values: Vec<(&'static str, AttributeValue)>,
}

/// A part of a transaction.
#[derive(Debug, Clone)]
pub enum Part {
    /// Writes a new item; refused when one is there, unless it expired before this second.
    Insert {
        /// The item.
        item: Item,
        /// What expired before this second may be overwritten.
        expired_before: Option<i64>,
    },
    /// Writes an item over the one that has this revision.
    Replace {
        /// The item.
        item: Item,
        /// The revision that is replaced.
        revision: u32,
    },
    /// Changes an item under a condition.
    Change(Change),
    /// Removes an item that isn't audited, under a condition.
    Delete {
        /// The item.
        key: Key,
        /// The condition under which it is removed.
        condition: String,
        /// Values that stand in the condition, such as `:owner`.
        values: Vec<(&'static str, AttributeValue)>,
    },
    /// Changes nothing; the rest is done only when the condition holds.
    Check {
        /// The item.
        key: Key,
        /// The condition.
        condition: String,
        /// Values that stand in the condition.
        values: Vec<(&'static str, AttributeValue)>,
    },
}

/// In which order sort keys are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The smallest first: of times, the oldest.
    Ascending,
    /// The largest first: of times, the newest.
    Descending,
}

/// What entries of an index must be to be returned; the others are examined, and paid, all the same.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Conditions, all of which must hold.
    pub conditions: Vec<String>,
    /// Names that stand in them, such as `#status`.
    pub names: HashMap<String, String>,
    /// Values that stand in them, such as `:status`.
    pub values: HashMap<String, AttributeValue>,
}

/// A part of one partition of index 1.
#[derive(Debug, Clone)]
pub struct ListQuery<'a> {
    /// The partition.
    pub partition: &'a str,
    /// The smallest sort key, inclusive.
    pub low: &'a str,
    /// The largest sort key, inclusive.
    pub high: &'a str,
    /// In which order.
    pub order: Order,
    /// How many entries are examined at most.
    pub limit: usize,
    /// What entries must be.
    pub filter: &'a Filter,
}

/// What a query of a list gave.
#[derive(Debug, Clone, Default)]
pub struct Examined {
    /// The entries that pass the filter, in the order asked for.
    pub items: Vec<Item>,
    /// How many entries were examined.
    pub count: usize,
    /// The sort key of the last entry examined, when there may be more beyond it.
    pub reached: Option<String>,
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

    /// Reads many items in no particular order; absent ones are left out. 1 request per 100 keys.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn batch_get(&self, scope: &TenantScope, keys: &[Key], freshness: Freshness) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::with_capacity(keys.len());
        for keys in keys.chunks(BATCH_GET) {
            for key in keys {
                check(scope, &key.pk)?;
            }
            let mut wanted: Vec<Item> = keys.iter().map(key_item).collect();
            for attempt in 0..BATCH_ATTEMPTS {
                let request = KeysAndAttributes::builder().set_keys(Some(std::mem::take(&mut wanted))).consistent_read(freshness == Freshness::Strong).build();
                let request = request.map_err(|error| StoreError::Refused(error.to_string()))?;
                let answer = self.client.batch_get_item().request_items(&self.name, request).send().await?;
                items.extend(answer.responses.unwrap_or_default().remove(&self.name).unwrap_or_default());
                wanted = answer.unprocessed_keys.unwrap_or_default().remove(&self.name).map(|left| left.keys).unwrap_or_default();
                if wanted.is_empty() {
                    break;
                }
                back_off(attempt).await;
            }
            if !wanted.is_empty() {
                return Err(StoreError::Unavailable("unprocessed keys were left".to_owned()));
            }
        }
        Ok(items)
    }

    /// Reads the items of one partition whose sort keys start with `start`, in order, strongly consistent. 1 request per started MB.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn partition(&self, scope: &TenantScope, pk: &str, start: &str) -> Result<Vec<Item>, StoreError> {
        check(scope, pk)?;
        let mut items = Vec::new();
        let mut next = None;
        loop {
            let mut query = self.client.query().table_name(&self.name).consistent_read(true).set_exclusive_start_key(next);
            query = query.expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()));
            query = if start.is_empty() {
                query.key_condition_expression("PK = :pk")
            } else {
                query.key_condition_expression("PK = :pk AND begins_with(SK, :start)").expression_attribute_values(":start", AttributeValue::S(start.to_owned()))
            };
            let answer = query.send().await?;
            items.extend(answer.items.unwrap_or_default());
            next = answer.last_evaluated_key;
            if next.is_none() {
                return Ok(items);
            }
        }
    }

    /// Reads up to `limit` entries of one partition of index 1, newest first, only those before `before`. 1 request, half a unit per started
    /// 4 KB of what is read.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn newest(&self, scope: &TenantScope, index_pk: &str, before: Option<&str>, limit: usize) -> Result<Vec<Item>, StoreError> {
        check(scope, index_pk)?;
        let mut query = self.client.query().table_name(&self.name).index_name("GSI1").scan_index_forward(false).limit(i32::try_from(limit).unwrap_or(i32::MAX));
        query = query.expression_attribute_values(":pk", AttributeValue::S(index_pk.to_owned()));
        query = match before {
            None => query.key_condition_expression("GSI1PK = :pk"),
            Some(before) => {
                query.key_condition_expression("GSI1PK = :pk AND GSI1SK < :before").expression_attribute_values(":before", AttributeValue::S(before.to_owned()))
            }
        };
        Ok(query.send().await?.items.unwrap_or_default())
    }

    /// Reads one page of the items of a partition whose sort keys start with `start`, those beyond `after`, strongly consistent. 1 request per
    /// started MB, 1 R per started 4 KB.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn range(&self, scope: &TenantScope, pk: &str, start: &str, after: Option<&str>, limit: usize, order: Order) -> Result<Page<Item>, StoreError> {
        check(scope, pk)?;
        let (low, high) = beyond(start, &format!("{start}\u{10FFFF}"), after, order);
        let mut items = Vec::new();
        let mut next = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.name)
                .consistent_read(true)
                .key_condition_expression("PK = :pk AND SK BETWEEN :low AND :high")
                .expression_attribute_values(":pk", AttributeValue::S(pk.to_owned()))
                .expression_attribute_values(":low", AttributeValue::S(low.clone()))
                .expression_attribute_values(":high", AttributeValue::S(high.clone()))
                .scan_index_forward(order == Order::Ascending)
                .limit(i32::try_from(limit + 1 - items.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(next);
            let answer = query.send().await?;
            items.extend(answer.items.unwrap_or_default());
            next = answer.last_evaluated_key;
            if next.is_none() || items.len() > limit {
                let has_more = items.len() > limit;
                items.truncate(limit);
                return Ok(Page { entries: items, has_more });
            }
        }
    }

    /// Examines entries of one partition of index 1. 1 request per started MB, half a unit per started 4 KB of what is examined.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn examine(&self, scope: &TenantScope, asked: &ListQuery<'_>) -> Result<Examined, StoreError> {
        check(scope, asked.partition)?;
        let mut examined = Examined::default();
        if asked.low > asked.high || asked.limit == 0 {
            return Ok(examined);
        }
        let mut next = None;
        loop {
            let mut query = self
                .client
                .query()
                .table_name(&self.name)
                .index_name("GSI1")
                .key_condition_expression("GSI1PK = :pk AND GSI1SK BETWEEN :low AND :high")
                .expression_attribute_values(":pk", AttributeValue::S(asked.partition.to_owned()))
                .expression_attribute_values(":low", AttributeValue::S(asked.low.to_owned()))
                .expression_attribute_values(":high", AttributeValue::S(asked.high.to_owned()))
                .scan_index_forward(asked.order == Order::Ascending)
                .limit(i32::try_from(asked.limit - examined.count).unwrap_or(i32::MAX))
                .set_exclusive_start_key(next);
            if !asked.filter.conditions.is_empty() {
                query = query.filter_expression(asked.filter.conditions.join(" AND "));
                for (name, attribute) in &asked.filter.names {
                    query = query.expression_attribute_names(name, attribute);
                }
                for (name, value) in &asked.filter.values {
                    query = query.expression_attribute_values(name, value.clone());
                }
            }
            let answer = query.send().await?;
            examined.count += usize::try_from(answer.scanned_count).unwrap_or(0);
            examined.items.extend(answer.items.unwrap_or_default());
            next = answer.last_evaluated_key;
            let Some(last) = &next else {
                examined.reached = None;
                return Ok(examined);
            };
            examined.reached = text(last, "GSI1SK").map(str::to_owned);
            if examined.count >= asked.limit {
                return Ok(examined);
            }
        }
    }

    /// Reads the entries of one partition of index 2, at most `limit`, and whether these are all. 1 request per started MB, half a unit per
    /// started 4 KB.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn work(&self, scope: &TenantScope, partition: &str, limit: usize) -> Result<Page<Item>, StoreError> {
        check(scope, partition)?;
        let mut items = Vec::new();
        let mut next = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.name)
                .index_name("GSI2")
                .key_condition_expression("GSI2PK = :pk")
                .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
                .limit(i32::try_from(limit + 1 - items.len()).unwrap_or(i32::MAX))
                .set_exclusive_start_key(next);
            let answer = query.send().await?;
            items.extend(answer.items.unwrap_or_default());
            next = answer.last_evaluated_key;
            if next.is_none() || items.len() > limit {
                let has_more = items.len() > limit;
                items.truncate(limit);
                return Ok(Page { entries: items, has_more });
            }
        }
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

    /// Changes one item under a condition. 1 request, 1 write unit per started KB.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn change(&self, scope: &TenantScope, change: Change) -> Result<bool, StoreError> {
        check(scope, &change.key.pk)?;
        let mut request =
            self.client.update_item().table_name(&self.name).set_key(Some(key_item(&change.key))).update_expression(change.update).condition_expression(change.condition);
        for (name, attribute) in change.names {
            request = request.expression_attribute_names(name, attribute);
        }
        for (name, value) in change.values {
            request = request.expression_attribute_values(name, value);
        }
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(aws_sdk_dynamodb::operation::update_item::UpdateItemError::is_conditional_check_failed_exception) => {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Does all of it or nothing; false when a condition didn't hold. 1 request, twice the units of its parts.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn transact(&self, scope: &TenantScope, parts: Vec<Part>) -> Result<bool, StoreError> {
        let mut actions = Vec::with_capacity(parts.len());
        for part in parts {
            actions.push(match part {
                Part::Insert { item, expired_before } => {
                    check_item(scope, &item)?;
                    let put = Put::builder().table_name(&self.name).set_item(Some(item));
                    let put = match expired_before {
                        None => put.condition_expression("attribute_not_exists(PK)").build(),
                        Some(second) => put
                            .condition_expression("attribute_not_exists(PK) OR expires_at <= :now")
                            .expression_attribute_values(":now", AttributeValue::N(second.to_string()))
                            .build(),
                    };
                    TransactWriteItem::builder().put(put.map_err(|error| StoreError::Refused(error.to_string()))?).build()
                }
                Part::Replace { item, revision } => {
                    check_item(scope, &item)?;
                    let put = Put::builder()
                        .table_name(&self.name)
                        .set_item(Some(item))
                        .condition_expression("revision = :revision")
                        .expression_attribute_values(":revision", AttributeValue::N(revision.to_string()))
                        .build();
                    TransactWriteItem::builder().put(put.map_err(|error| StoreError::Refused(error.to_string()))?).build()
                }
                Part::Delete { key, condition, values } => {
                    check(scope, &key.pk)?;
                    let values: HashMap<String, AttributeValue> = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                    let delete = Delete::builder()
                        .table_name(&self.name)
                        .set_key(Some(key_item(&key)))
                        .condition_expression(condition)
                        .set_expression_attribute_values((!values.is_empty()).then_some(values))
                        .build();
                    TransactWriteItem::builder().delete(delete.map_err(|error| StoreError::Refused(error.to_string()))?).build()
                }
                Part::Check { key, condition, values } => {
                    check(scope, &key.pk)?;
                    let values: HashMap<String, AttributeValue> = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                    let check = ConditionCheck::builder()
                        .table_name(&self.name)
                        .set_key(Some(key_item(&key)))
                        .condition_expression(condition)
                        .set_expression_attribute_values((!values.is_empty()).then_some(values))
                        .build();
                    TransactWriteItem::builder().condition_check(check.map_err(|error| StoreError::Refused(error.to_string()))?).build()
                }
                Part::Change(change) => {
                    check(scope, &change.key.pk)?;
                    let names: HashMap<String, String> = change.names.into_iter().map(|(name, attribute)| (name.to_owned(), attribute.to_owned())).collect();
                    let values: HashMap<String, AttributeValue> = change.values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                    let update = Update::builder()
                        .table_name(&self.name)
                        .set_key(Some(key_item(&change.key)))
                        .update_expression(change.update)
                        .condition_expression(change.condition)
                        .set_expression_attribute_names((!names.is_empty()).then_some(names))
                        .set_expression_attribute_values((!values.is_empty()).then_some(values))
                        .build();
                    TransactWriteItem::builder().update(update.map_err(|error| StoreError::Refused(error.to_string()))?).build()
                }
            });
        }
        for attempt in 0..BATCH_ATTEMPTS {
            let error = match self.client.transact_write_items().set_transact_items(Some(actions.clone())).send().await {
                Ok(_) => return Ok(true),
                Err(error) => error,
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
                return Err(error.into());
            };
            let codes: Vec<&str> = cancelled.cancellation_reasons().iter().filter_map(|reason| reason.code()).collect();
            if codes.contains(&"ConditionalCheckFailed") {
                return Ok(false);
            }
            if !codes.iter().any(|code| TRANSIENT_CODES.contains(code)) {
                return Err(error.into());
            }
            // Two transactions met at an item, as those of an import's chunks do at its counters: the SDK leaves that to its caller.
            back_off(attempt).await;
        }
        Err(StoreError::Unavailable("a transaction kept meeting others".to_owned()))
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

    /// Writes many new items; tells for each whether it was written (false: its key was taken). 1 request per 25, units as [`Self::insert`].
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`]; items before the failing one may be written.
    pub async fn insert_many(&self, scope: &TenantScope, items: Vec<Item>) -> Result<Vec<bool>, StoreError> {
        for item in &items {
            check_item(scope, item)?;
        }
        insert_many(&self.client, &self.name, items).await
    }
}

/// Inserts items with PartiQL, 25 at a time, trying again those that the database had no time for.
pub(crate) async fn insert_many(client: &Client, table: &str, items: Vec<Item>) -> Result<Vec<bool>, StoreError> {
    let mut outcomes = vec![false; items.len()];
    let mut left: Vec<(usize, Item)> = items.into_iter().enumerate().collect();
    let mut attempt = 0;
    while !left.is_empty() {
        let mut again = Vec::new();
        for batch in left.chunks(BATCH_WRITE) {
            let statements: Result<Vec<BatchStatementRequest>, StoreError> = batch.iter().map(|(_, item)| insert_statement(table, item)).collect();
            let answer = client.batch_execute_statement().set_statements(Some(statements?)).send().await?;
            let responses = answer.responses.unwrap_or_default();
            if responses.len() != batch.len() {
                return Err(StoreError::Unavailable("the batch was answered in part".to_owned()));
            }
            for ((index, item), response) in batch.iter().zip(responses) {
                match response.error {
                    None => outcomes[*index] = true,
                    Some(error) if error.code == Some(BatchStatementErrorCodeEnum::DuplicateItem) => {}
                    Some(error) => {
                        let code = error.code.as_ref().map_or("unknown", |code| code.as_str());
                        if !TRANSIENT_CODES.contains(&code) {
                            return Err(StoreError::Refused(format!("{code}: {}", error.message.unwrap_or_default())));
                        }
                        again.push((*index, item.clone()));
                    }
                }
            }
        }
        left = again;
        if !left.is_empty() {
            attempt += 1;
            if attempt == BATCH_ATTEMPTS {
                return Err(StoreError::Unavailable("the database had no time for part of a batch".to_owned()));
            }
            back_off(attempt).await;
        }
    }
    Ok(outcomes)
}

fn insert_statement(table: &str, item: &Item) -> Result<BatchStatementRequest, StoreError> {
    let mut names: Vec<&String> = item.keys().collect();
    names.sort();
    let places: Vec<String> = names.iter().map(|name| format!("'{name}': ?")).collect();
    BatchStatementRequest::builder()
        .statement(format!("INSERT INTO \"{table}\" VALUE {{{}}}", places.join(", ")))
        .set_parameters(Some(names.into_iter().map(|name| item[name].clone()).collect()))
        .build()
        .map_err(|error| StoreError::Refused(error.to_string()))
}

/// The bounds of what lies beyond a sort key, among sort keys of equal length: the next one in the order that is read.
#[must_use]
pub fn beyond(low: &str, high: &str, after: Option<&str>, order: Order) -> (String, String) {
    let (low, high) = (low.to_owned(), high.to_owned());
    let Some(after) = after else {
        return (low, high);
    };
    match order {
        Order::Ascending => (low.max(format!("{after}!")), high),
        Order::Descending => {
            // The largest text below `after`: its last byte one less, then more than any key continues with.
            let mut bytes = after.as_bytes().to_vec();
            if let Some(last) = bytes.last_mut() {
                *last = last.saturating_sub(1);
            }
            let before = String::from_utf8(bytes).map(|text| format!("{text}~")).unwrap_or_default();
            (low, high.min(before))
        }
    }
}

/// The second look at every key, whatever the code above believes.
fn check(scope: &TenantScope, pk: &str) -> Result<(), StoreError> {
    if parse_tenant(pk) == Some(scope.tenant()) && pk.starts_with(&tenant_prefix(scope.tenant())) { Ok(()) } else { Err(StoreError::OutsideTenant) }
}

fn check_item(scope: &TenantScope, item: &Item) -> Result<(), StoreError> {
    check(scope, text(item, "PK").unwrap_or_default())?;
    for index in ["GSI1PK", "GSI2PK"] {
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
    use jiff::Timestamp;
    use switchboard_domain::ids::TenantId;

    #[test]
    fn bounds_leave_out_the_place_they_go_on_from_and_nothing_else() {
        let keys = ["00", "01", "0v", "10", "1a", "v0", "vv"];
        for (index, after) in keys.iter().enumerate() {
            let within = |order| {
                let (low, high) = beyond("0", "~", Some(after), order);
                keys.iter().copied().filter(|key| *key >= low.as_str() && *key <= high.as_str()).collect::<Vec<_>>()
            };
            assert_eq!(within(Order::Ascending), keys[index + 1..]);
            assert_eq!(within(Order::Descending), keys[..index]);
        }
    }

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
