//! Ordered parts of an index, merged into one sequence.

use std::collections::VecDeque;

use futures::future::try_join_all;
use switchboard_domain::ids::{ContactId, StatusId};

use crate::error::StoreError;
use crate::item::{Item, text};
use crate::keys;
use crate::scope::TenantScope;
use crate::table::{CoreTable, Page};

/// Queries that are under way at once.
pub(super) const AT_ONCE: usize = 32;

/// The index a lane is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Index {
    /// Index 2.
    Work,
    /// Index 3.
    Score,
}

impl Index {
    fn sort_key(self) -> &'static str {
        match self {
            Self::Work => "GSI2SK",
            Self::Score => "GSI3SK",
        }
    }

    /// Reads up to `limit` entries of a partition.
    pub(super) async fn read(self, table: &CoreTable, scope: &TenantScope, partition: &str, low: &str, high: &str, limit: usize) -> Result<Page<Item>, StoreError> {
        match self {
            Self::Work => table.work_between(scope, partition, low, high, limit).await,
            Self::Score => table.ranks_between(scope, partition, low, high, limit).await,
        }
    }
}

/// What an index has of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// What it is ordered by: as it comes from the index the sort key, in a lane that without the lane's beginning and behind the lane's class.
    pub(super) rank: String,
    /// The contact.
    pub(super) id: ContactId,
    /// Its status, where the index has it.
    pub(super) status: Option<StatusId>,
}

impl Entry {
    /// Reads an entry of an index.
    pub(super) fn of(index: Index, item: &Item) -> Result<Self, StoreError> {
        let (_, id) = text(item, "PK").and_then(keys::parse_contact).ok_or_else(|| StoreError::undecodable("index entry", "its key is not a contact's"))?;
        let rank = text(item, index.sort_key()).ok_or_else(|| StoreError::undecodable("index entry", "it has no place"))?.to_owned();
        Ok(Self { rank, id, status: text(item, "status").and_then(StatusId::parse) })
    }
}

/// One ordered part of an index.
#[derive(Debug)]
pub(super) struct Lane {
    index: Index,
    partition: String,
    /// What all its sort keys begin with.
    beginning: String,
    /// What stands before the rest of its sort keys in the order of all lanes.
    class: &'static str,
    /// From where on the rest of its sort keys is still to be read.
    low: String,
    /// Up to where.
    high: String,
    /// What was read and not yet given.
    ready: VecDeque<Entry>,
    ended: bool,
}

impl Lane {
    /// The sort keys of a partition that begin so, and whose rest lies between these, both included.
    pub(super) fn new(index: Index, partition: String, beginning: String, class: &'static str, low: String, high: String) -> Self {
        let ended = low > high;
        Self { index, partition, beginning, class, low, high, ready: VecDeque::new(), ended }
    }

    /// Takes in what was read of it, and whether there may be more behind that. What lies outside its bounds is left out.
    pub(super) fn receive(&mut self, entries: impl IntoIterator<Item = Entry>, has_more: bool) {
        let mut reached = None;
        for entry in entries {
            let Some(rest) = entry.rank.strip_prefix(&self.beginning) else {
                continue;
            };
            reached = Some(format!("{rest}!"));
            if rest >= self.low.as_str() && rest <= self.high.as_str() {
                let rank = format!("{}{rest}", self.class);
                self.ready.push_back(Entry { rank, ..entry });
            }
        }
        match reached.filter(|_| has_more) {
            // Sort keys of a lane are of equal length, so nothing lies between one and the same with a mark behind it.
            Some(reached) => self.low = std::mem::take(&mut self.low).max(reached),
            None => self.ended = true,
        }
        self.ended |= self.low > self.high;
    }

    async fn read(&self, table: &CoreTable, scope: &TenantScope, limit: usize) -> Result<Page<Item>, StoreError> {
        let (low, high) = (format!("{}{}", self.beginning, self.low), format!("{}{}", self.beginning, self.high));
        self.index.read(table, scope, &self.partition, &low, &high, limit).await
    }

    fn is_hungry(&self) -> bool {
        self.ready.is_empty() && !self.ended
    }
}

/// Lanes, merged.
#[derive(Debug)]
pub(super) struct Merged {
    lanes: Vec<Lane>,
}

impl Merged {
    /// These lanes.
    pub(super) fn new(lanes: Vec<Lane>) -> Self {
        Self { lanes }
    }

    /// The next entries, fewer only when there are no more. 1 request for each lane of which nothing is at hand, half an R per started 4 KB.
    pub(super) async fn take(&mut self, table: &CoreTable, scope: &TenantScope, wanted: usize) -> Result<Vec<Entry>, StoreError> {
        let mut taken = Vec::with_capacity(wanted);
        while taken.len() < wanted {
            // One more than can be given, so that a lane is seen to go on.
            self.feed(table, scope, wanted - taken.len() + 1).await?;
            let rank = |lane: usize| self.lanes[lane].ready.front().map(|entry| &entry.rank);
            let next = (0..self.lanes.len()).filter(|lane| rank(*lane).is_some()).min_by(|left, right| rank(*left).cmp(&rank(*right)));
            match next.and_then(|lane| self.lanes[lane].ready.pop_front()) {
                Some(entry) => taken.push(entry),
                None => break,
            }
        }
        Ok(taken)
    }

    /// Whether it is known that there are no more.
    pub(super) fn is_over(&self) -> bool {
        self.lanes.iter().all(|lane| lane.ended && lane.ready.is_empty())
    }

    async fn feed(&mut self, table: &CoreTable, scope: &TenantScope, limit: usize) -> Result<(), StoreError> {
        let hungry: Vec<usize> = (0..self.lanes.len()).filter(|lane| self.lanes[*lane].is_hungry()).collect();
        for part in hungry.chunks(AT_ONCE) {
            let read = try_join_all(part.iter().map(|lane| self.lanes[*lane].read(table, scope, limit))).await?;
            for (lane, page) in part.iter().zip(read) {
                let lane = &mut self.lanes[*lane];
                let entries: Result<Vec<Entry>, StoreError> = page.entries.iter().map(|item| Entry::of(lane.index, item)).collect();
                lane.receive(entries?, page.has_more);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sort_key: &str) -> Entry {
        Entry { rank: sort_key.to_owned(), id: ContactId::from_hash(&[0; 32]), status: None }
    }

    fn lane(low: &str, high: &str) -> Lane {
        Lane::new(Index::Work, "partition".to_owned(), "D#zone#".to_owned(), "0#", low.to_owned(), high.to_owned())
    }

    fn ranks(lane: &Lane) -> Vec<&str> {
        lane.ready.iter().map(|entry| entry.rank.as_str()).collect()
    }

    #[test]
    fn what_lies_outside_a_lane_is_left_out_and_ends_it_when_it_lies_behind() {
        let mut ahead = lane("3", "5~");
        ahead.receive([entry("D#zone#1"), entry("D#zone#2"), entry("D#other#4")], true);
        assert_eq!((ranks(&ahead), ahead.ended, ahead.low.as_str()), (Vec::new(), false, "3"));
        ahead.receive([entry("D#zone#4")], true);
        assert_eq!((ranks(&ahead), ahead.ended, ahead.low.as_str()), (vec!["0#4"], false, "4!"));
        let mut behind = lane("3", "5~");
        behind.receive([entry("D#zone#5"), entry("D#zone#6")], true);
        assert_eq!((ranks(&behind), behind.ended), (vec!["0#5"], true));
    }

    #[test]
    fn a_lane_ends_with_its_partition_and_one_without_room_at_once() {
        let mut last = lane("", "~");
        last.receive([entry("D#zone#1")], false);
        assert_eq!((ranks(&last), last.ended), (vec!["0#1"], true));
        let mut empty = lane("", "~");
        empty.receive([], true);
        assert!(empty.ended && Merged::new(vec![empty, lane("6", "5~")]).is_over());
    }
}
