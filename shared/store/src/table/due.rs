//! What is due: the one part of the table that is written for tenants and read for all of them at once. It holds ids and times, and nothing of a contact.

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};

use super::{CoreTable, Written};
use crate::error::StoreError;
use crate::item::{Item, text};
use crate::keys::{self, Key};
use crate::scope::TenantScope;

impl CoreTable {
    /// Writes that scores of a tenant's contacts are due, whatever was there. 1 request per 25, 1 write unit each.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`] for what isn't due, or of another tenant; some may be written before it fails.
    pub(crate) async fn put_due(&self, scope: &TenantScope, items: Vec<Item>) -> Result<(), StoreError> {
        let mut requests = Vec::with_capacity(items.len());
        for item in items {
            check_due_item(scope, &item)?;
            let put = PutRequest::builder().set_item(Some(item)).build().map_err(|error| StoreError::Refused(error.to_string()))?;
            requests.push(WriteRequest::builder().put_request(put).build());
        }
        self.write_all(&requests).await
    }

    /// Reads up to `limit` items of a partition of what is due, between two sort keys, strongly consistent, and the sort key of the last one read when there may be more.
    /// 1 request, 1 R per started 4 KB.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`] for any other partition.
    pub(crate) async fn due(&self, partition: &str, low: &str, high: &str, limit: usize) -> Result<(Vec<Item>, Option<String>), StoreError> {
        check_due(partition)?;
        if low > high {
            return Ok((Vec::new(), None));
        }
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .consistent_read(true)
            .key_condition_expression("PK = :pk AND SK BETWEEN :low AND :high")
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            .expression_attribute_values(":low", AttributeValue::S(low.to_owned()))
            .expression_attribute_values(":high", AttributeValue::S(high.to_owned()))
            .limit(i32::try_from(limit).unwrap_or(i32::MAX));
        let answer = query.send().await?;
        let reached = answer.last_evaluated_key.as_ref().and_then(|last| text(last, "SK")).map(str::to_owned);
        Ok((answer.items.unwrap_or_default(), reached))
    }

    /// Reads one item of what is due, strongly consistent. 1 request, 1 R.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`] for any other item.
    pub(crate) async fn get_due(&self, key: &Key) -> Result<Option<Item>, StoreError> {
        check_due(&key.pk)?;
        self.read(key).await
    }

    /// Writes how far what is due was looked through: over the item of this revision, or as the first; false when another is there. 1 request, 1 W.
    ///
    /// # Errors
    /// Those of the database, and [`StoreError::OutsideTenant`] for any other item.
    pub(crate) async fn put_watermark(&self, item: Item, replaced: Option<u32>) -> Result<bool, StoreError> {
        let place = keys::due_watermark();
        if text(&item, "PK") != Some(place.pk.as_str()) || text(&item, "SK") != Some(place.sk.as_str()) {
            return Err(StoreError::OutsideTenant);
        }
        let condition = if replaced.is_some() { "revision = :revision" } else { "attribute_not_exists(PK)" };
        Ok(self.put(item, condition, replaced).await? == Written::Done)
    }
}

fn check_due(pk: &str) -> Result<(), StoreError> {
    if keys::is_due(pk) { Ok(()) } else { Err(StoreError::OutsideTenant) }
}

/// What is due names the tenant it is written for, and stands in no index.
fn check_due_item(scope: &TenantScope, item: &Item) -> Result<(), StoreError> {
    check_due(text(item, "PK").unwrap_or_default())?;
    let named = text(item, "SK").and_then(keys::parse_due_score).map(|(_, tenant, _)| tenant);
    let is_in_an_index = ["GSI1PK", "GSI2PK"].iter().any(|index| item.contains_key(*index));
    if named == Some(scope.tenant()) && !is_in_an_index { Ok(()) } else { Err(StoreError::OutsideTenant) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use switchboard_domain::ids::{ContactId, TenantId};

    #[test]
    fn what_is_not_due_or_another_tenant_s_is_stopped() {
        let tenant = |seed: u8| TenantId::new(Timestamp::UNIX_EPOCH, &[seed; 10]);
        let scope = TenantScope::vouched(tenant(1));
        let item = |Key { pk, sk }: Key| Item::from([("PK".to_owned(), AttributeValue::S(pk)), ("SK".to_owned(), AttributeValue::S(sk))]);
        let due = |seed: u8| keys::due_score(tenant(seed), &ContactId::from_hash(&[3; 32]), Timestamp::UNIX_EPOCH);
        assert!(check_due_item(&scope, &item(due(1))).is_ok());
        let mut listed = item(due(1));
        listed.insert("GSI1PK".to_owned(), AttributeValue::S("T#x".to_owned()));
        let elsewhere = Key { pk: keys::configuration(&scope), sk: due(1).sk };
        for wrong in [item(due(2)), item(keys::due_watermark()), item(keys::slug("demo")), item(elsewhere), listed, Item::new()] {
            assert!(matches!(check_due_item(&scope, &wrong), Err(StoreError::OutsideTenant)), "{wrong:?}");
        }
        for wrong in ["", "SUB#x", &keys::configuration(&scope)] {
            assert!(matches!(check_due(wrong), Err(StoreError::OutsideTenant)), "{wrong}");
        }
    }
}
