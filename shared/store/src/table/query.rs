//! Reading parts of partitions: of the table, of the lists in index 1, of the work in index 2.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, Select};

use super::{CoreTable, Page, check};
use crate::error::StoreError;
use crate::item::{Item, text};
use crate::scope::TenantScope;

/// What is read of index 3, which has its partitions from index 1.
const RANKS_BETWEEN: &str = "GSI1PK = :pk AND GSI3SK BETWEEN :low AND :high";

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

impl CoreTable {
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

    /// Reads up to `limit` entries of one partition of index 2 between two sort keys, both included, in their order; whether there may be more after them. 1 request per started
    /// MB, half a unit per started 4 KB (about 0.25 KB an entry).
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn work_between(&self, scope: &TenantScope, partition: &str, low: &str, high: &str, limit: usize) -> Result<Page<Item>, StoreError> {
        self.between(scope, "GSI2PK = :pk AND GSI2SK BETWEEN :low AND :high", "GSI2", [partition, low, high], limit).await
    }

    /// The same of index 3, whose partitions are those of the lists of contacts. About 0.2 KB an entry.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn ranks_between(&self, scope: &TenantScope, partition: &str, low: &str, high: &str, limit: usize) -> Result<Page<Item>, StoreError> {
        self.between(scope, RANKS_BETWEEN, "GSI3", [partition, low, high], limit).await
    }

    async fn between(&self, scope: &TenantScope, condition: &str, index: &str, [partition, low, high]: [&str; 3], limit: usize) -> Result<Page<Item>, StoreError> {
        check(scope, partition)?;
        let mut items = Vec::new();
        if low > high {
            return Ok(Page { entries: items, has_more: false });
        }
        let mut next = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.name)
                .index_name(index)
                .key_condition_expression(condition)
                .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
                .expression_attribute_values(":low", AttributeValue::S(low.to_owned()))
                .expression_attribute_values(":high", AttributeValue::S(high.to_owned()))
                .limit(i32::try_from(limit.saturating_sub(items.len()).max(1)).unwrap_or(i32::MAX))
                .set_exclusive_start_key(next);
            let answer = query.send().await?;
            items.extend(answer.items.unwrap_or_default());
            next = answer.last_evaluated_key;
            if next.is_none() || items.len() >= limit {
                return Ok(Page { entries: items, has_more: next.is_some() });
            }
        }
    }

    /// Counts the entries of one partition of index 3 between two sort keys, both included. 1 request per started MB, half a unit per started 4 KB of
    /// what is counted (about 0.2 KB an entry).
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`].
    pub async fn count_ranks(&self, scope: &TenantScope, partition: &str, low: &str, high: &str) -> Result<u64, StoreError> {
        check(scope, partition)?;
        let mut counted = 0;
        let mut next = None;
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.name)
                .index_name("GSI3")
                .select(Select::Count)
                .key_condition_expression(RANKS_BETWEEN)
                .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
                .expression_attribute_values(":low", AttributeValue::S(low.to_owned()))
                .expression_attribute_values(":high", AttributeValue::S(high.to_owned()))
                .set_exclusive_start_key(next);
            let answer = query.send().await?;
            counted += u64::try_from(answer.count).unwrap_or(0);
            next = answer.last_evaluated_key;
            if next.is_none() {
                return Ok(counted);
            }
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
