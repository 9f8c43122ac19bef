//! A record's events from the first one on, as exports write them.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{AuditTable, StoredEvent, decoded};
use crate::error::StoreError;
use crate::keys;
use crate::scope::TenantScope;
use crate::table::Page;

impl AuditTable {
    /// Lists all events of a record that stand behind the sort key `after`: those of its chain from the first version on, then those beside it, the oldest
    /// first. The last page may be empty. 1 request, half an R per started 4 KB.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn from_the_first(
        &self,
        scope: &TenantScope,
        entity_type: &str,
        entity_id: &str,
        after: Option<&str>,
        first: usize,
    ) -> Result<Page<StoredEvent>, StoreError> {
        let pk = keys::audit_events(scope.tenant(), entity_type, entity_id);
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("PK = :pk AND SK > :after")
            .expression_attribute_values(":pk", AttributeValue::S(pk))
            // A sort key is never empty, and begins with a digit or a letter.
            .expression_attribute_values(":after", AttributeValue::S(after.unwrap_or(" ").to_owned()))
            .limit(i32::try_from(first).unwrap_or(i32::MAX));
        let answer = query.send().await?;
        let entries = answer.items.unwrap_or_default().into_iter().map(decoded).collect::<Result<_, _>>()?;
        Ok(Page { entries, has_more: answer.last_evaluated_key.is_some() })
    }
}
