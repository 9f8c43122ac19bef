//! Keeping what follows from contacts in step with them: the search index and the suppression marks; and removing what erased contacts leave.
//!
//! A message names contacts only; each is read as it is now and compared with what the index has, so that a message may come twice, late, or
//! after another that was sent later.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use switchboard_domain::clock::{Clock, Entropy};
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::{ContactId, StatusId, SuppressionId, TenantId};
use switchboard_domain::search::tokens;
use switchboard_domain::suppression;
use switchboard_store::contacts::{self, Slot, StoredContact};
use switchboard_store::item::text;
use switchboard_store::keys::{self, Key};
use switchboard_store::search::{self, Wanted};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{CoreTable, Freshness, Order, StoreError, suppressions};

use crate::error::AppError;
use crate::tenants::Tenants;

/// Contacts handled at once: as many as one request reads.
const BATCH: usize = 100;
/// Items that are read, and removed, at once of what an erased contact left.
const REMAINS: usize = 100;
/// What the sort keys begin with of all that goes with an erased contact: notes, calls, replaced scores.
const REMAINS_OF: [&str; 3] = [keys::NOTES, "K#", "S#"];
/// How often a mark is set again because the suppression list changed meanwhile.
const ATTEMPTS: usize = 5;

/// Contacts that changed.
///
/// Suppressions aren't among what is relayed: what adds or removes one marks its contact itself, and a contact that is written at the same
/// moment is looked up in the list when its own message comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexMessage {
    /// The tenant; its record vouches for it.
    pub tenant: TenantId,
    /// The contacts.
    pub contacts: Vec<ContactId>,
}

/// Follows contacts.
pub struct Indexer {
    /// The core table.
    pub core: CoreTable,
    /// The tenants, for their keys.
    pub tenants: Arc<Tenants>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness, for contacts that are sealed anew when they are marked.
    pub entropy: Arc<dyn Entropy>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Indexed {
    /// Contacts whose tokens were written or removed.
    pub changed: usize,
    /// Contacts that were marked as suppressed, or no longer are.
    pub marked: usize,
    /// Erased contacts of which nothing is left now but that they were.
    pub erased: usize,
    /// How long ago the change was made that waited longest for its tokens.
    pub behind: SignedDuration,
}

/// A live contact's mark.
struct Mark {
    contact: ContactId,
    status: StatusId,
    suppression: SuppressionId,
    suppressed: bool,
}

impl Indexer {
    /// Brings everything in step with the contacts of a message. Per 100 contacts 3 requests and 1 R for each contact, its entry and its place in the
    /// suppression list; and what [`search::index`] and [`contacts::set_suppressed`] write. For an erased contact 1 request and 1 R per
    /// started 4 KB for each kind of what it left, and 1 W per started KB removed.
    ///
    /// # Errors
    /// Those of the database; [`AppError::Broken`] for a message that names no tenant there is. Whatever was begun is completed when the message
    /// comes again.
    pub async fn index(&self, message: &IndexMessage) -> Result<Indexed, AppError> {
        let tenant = self.tenants.open(message.tenant).await?.ok_or_else(|| AppError::Broken("the message names no tenant there is".to_owned()))?;
        let ids: BTreeSet<ContactId> = message.contacts.iter().cloned().collect();
        let ids: Vec<ContactId> = ids.into_iter().collect();
        let mut indexed = Indexed::default();
        for ids in ids.chunks(BATCH) {
            self.index_batch(&tenant, ids, &mut indexed).await?;
        }
        Ok(indexed)
    }

    async fn index_batch(&self, tenant: &OpenTenant, ids: &[ContactId], indexed: &mut Indexed) -> Result<(), AppError> {
        let mut standing: HashMap<ContactId, StoredContact> = HashMap::new();
        let mut erased = Vec::new();
        for (id, slot) in contacts::slots(&self.core, tenant, ids, Freshness::Strong).await? {
            match slot {
                Slot::Contact(stored) => {
                    standing.insert(id, stored);
                }
                Slot::Erased(_) => erased.push(id),
                Slot::Pointer(_) => {}
            }
        }
        let known = search::entries(&self.core, tenant, ids).await?;
        let wanted: Vec<Wanted> = ids
            .iter()
            .map(|id| match standing.get(id) {
                Some(stored) => Wanted::of(stored, tokens(&tenant.keyring, &stored.contact)),
                None => Wanted::nothing(id.clone()),
            })
            .collect();
        let changed = search::index(&self.core, tenant, &wanted, &known).await?;
        let now = self.clock.now();
        let waited = changed.iter().filter_map(|id| standing.get(id)).map(|stored| now.duration_since(stored.contact.record.updated_at()));
        indexed.behind = waited.fold(indexed.behind, SignedDuration::max);
        indexed.changed += changed.len();
        for id in &erased {
            self.remove_remains(tenant, id).await?;
        }
        indexed.erased += erased.len();
        indexed.marked += self.mark(tenant, standing.values().map(|stored| &stored.contact)).await?;
        Ok(())
    }

    /// Removes what still hangs on an erased contact. What is sealed there can't be read any more as it is, its key being gone.
    async fn remove_remains(&self, tenant: &OpenTenant, id: &ContactId) -> Result<(), StoreError> {
        let partition = keys::contact_partition(&tenant.scope, id);
        for start in REMAINS_OF {
            loop {
                let page = self.core.range(&tenant.scope, &partition, start, None, REMAINS, Order::Ascending).await?;
                let keys = page.entries.iter().filter_map(|item| Some(Key { pk: partition.clone(), sk: text(item, "SK")?.to_owned() })).collect();
                self.core.write_many(&tenant.scope, Vec::new(), keys).await?;
                if !page.has_more {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Marks live contacts by whether their number stands on the suppression list. How many it marked otherwise than they were.
    async fn mark<'a>(&self, tenant: &OpenTenant, standing: impl Iterator<Item = &'a Contact>) -> Result<usize, AppError> {
        let live = standing.filter(|contact| contact.deleted_at.is_none());
        let mut marks: Vec<Mark> = live
            .map(|contact| Mark {
                status: contact.details.status,
                contact: contact.id.clone(),
                suppression: suppression::id_of(&tenant.keyring, &contact.details.phone),
                suppressed: contact.suppressed,
            })
            .collect();
        let mut marked = 0;
        for attempt in 0..ATTEMPTS {
            let ids: Vec<SuppressionId> = marks.iter().map(|mark| mark.suppression.clone()).collect();
            let listed: HashSet<SuppressionId> = suppressions::find_many(&self.core, &tenant.scope, &ids).await?;
            marks.retain(|mark| mark.suppressed != listed.contains(&mark.suppression));
            if marks.is_empty() {
                return Ok(marked);
            }
            let settings = self.tenants.settings(&tenant.scope).await?;
            for mark in &mut marks {
                mark.suppressed = !mark.suppressed;
                let newer = self.tenants.settings_knowing(&tenant.scope, &settings, mark.status).await?;
                contacts::set_suppressed(&self.core, tenant, newer.as_ref().unwrap_or(&settings), &mark.contact, mark.suppressed, self.entropy.as_ref()).await?;
            }
            if attempt == 0 {
                marked = marks.len();
            }
            // Between the reading of the list and the marking somebody may have changed both: the list decides, so it is asked again.
        }
        Err(StoreError::Unavailable("the suppression list keeps changing".to_owned()).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn a_message_reads_back_and_holds_nothing_but_ids() {
        let message = IndexMessage { tenant: TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]), contacts: vec![ContactId::from_hash(&[2; 32])] };
        let json = serde_json::to_string(&message).unwrap();
        assert_eq!(json, format!(r#"{{"tenant":"{}","contacts":["{}"]}}"#, message.tenant, message.contacts[0]));
        assert_eq!(serde_json::from_str::<IndexMessage>(&json).unwrap(), message);
    }
}
