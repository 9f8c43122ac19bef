//! Changes under conditions: of one item, or of many in one transaction.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update};

use super::{BATCH_ATTEMPTS, CoreTable, Written, back_off, check, check_entrance, check_item, key_item};
use crate::error::{StoreError, TRANSIENT_CODES};
use crate::item::Item;
use crate::keys::Key;
use crate::scope::TenantScope;

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
    /// Writes a new item outside every tenant that leads into this one: `SUB#` or `SLUG#`; refused when one is there.
    Entrance {
        /// The item.
        item: Item,
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

impl CoreTable {
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

    /// Does all of it or nothing; false when a condition didn't hold. 1 request; the units of a single write, or of several in a transaction twice
    /// theirs.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn commit(&self, scope: &TenantScope, mut parts: Vec<Part>) -> Result<bool, StoreError> {
        if parts.len() != 1 {
            return self.transact(scope, parts).await;
        }
        let written = match parts.remove(0) {
            Part::Insert { item, expired_before: None } => self.insert(scope, item).await.map(|written| written == Written::Done),
            Part::Replace { item, revision } => self.replace(scope, item, revision).await.map(|written| written == Written::Done),
            Part::Change(change) => self.change(scope, change).await,
            part => self.transact(scope, vec![part]).await,
        };
        match written {
            // A single write that meets a transaction is turned away by another code than one whose condition doesn't hold: in both cases somebody was faster.
            Err(StoreError::Unavailable(reason)) if reason.starts_with("TransactionConflict") => Ok(false),
            written => written,
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
                Part::Entrance { item } => {
                    check_entrance(&item)?;
                    let put = Put::builder().table_name(&self.name).set_item(Some(item)).condition_expression("attribute_not_exists(PK)").build();
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
}
