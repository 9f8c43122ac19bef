//! Records that are written whole over the revision they were decided on, and listed by their creation: what jobs are.

use super::{CoreTable, Freshness, Page, Part, Written};
use crate::error::StoreError;
use crate::item::{Item, text};
use crate::keys::Key;
use crate::scope::TenantScope;

impl CoreTable {
    /// Writes a new item, and the other parts with it or nothing; false when one of them didn't hold. 1 request; alone the units of [`Self::insert`], with other
    /// parts a transaction of twice the units.
    pub(crate) async fn create(&self, scope: &TenantScope, item: Item, parts: Vec<Part>) -> Result<bool, StoreError> {
        if parts.is_empty() {
            // Its id is random: what stands there already is what an attempt wrote whose answer was lost.
            self.insert(scope, item).await?;
            return Ok(true);
        }
        let all = std::iter::once(Part::Insert { item, expired_before: None }).chain(parts).collect();
        self.transact(scope, all).await
    }

    /// Writes an item of this revision over the one before; false when another one stands there, unless that is the writer's own, whose answer was lost. 1 request,
    /// units as [`Self::replace`].
    pub(crate) async fn save(&self, scope: &TenantScope, item: Item, revision: u32, is_own: impl FnOnce(Item) -> Result<bool, StoreError>) -> Result<bool, StoreError> {
        Ok(match self.replace(scope, item, revision.saturating_sub(1)).await? {
            Written::Done => true,
            Written::Refused(Some(there)) => is_own(there)?,
            Written::Refused(None) => false,
        })
    }

    /// The items of a list in index 1 as they are in the table, in no particular order: the newest of those before the place `before`. 2 requests: half an R per
    /// started 4 KB of the list, and half an R per started 4 KB of each item.
    pub(crate) async fn newest_whole(&self, scope: &TenantScope, index_pk: &str, before: Option<&str>, first: usize) -> Result<Page<Item>, StoreError> {
        let mut listed = self.newest(scope, index_pk, before, first + 1).await?;
        let has_more = listed.len() > first;
        listed.truncate(first);
        let keys: Vec<Key> = listed.iter().filter_map(|entry| Some(Key { pk: text(entry, "PK")?.to_owned(), sk: text(entry, "SK")?.to_owned() })).collect();
        Ok(Page { entries: self.batch_get(scope, &keys, Freshness::Eventual).await?, has_more })
    }
}
