//! The search index: tokens that lead to contacts, and beside each contact an entry that lists which tokens there may be.
//!
//! Tokens are many small items in other partitions, and no transaction spans them. So that none is ever left behind, whatever is cut off
//! between two requests, a contact's entry lists a token before it is written, and until after it is removed. How far the writing came stands in
//! the entry too, as [`Progress`], for whoever takes up the work again.
//!
//! The work on one contact is done by one worker at a time: what comes in through the index's queue comes in the order of its group.

use std::collections::{BTreeSet, HashMap, HashSet};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::try_join_all;
use serde::{Deserialize, Serialize};
use switchboard_domain::ids::ContactId;
use switchboard_domain::search::Token;

use crate::contacts::StoredContact;
use crate::error::StoreError;
use crate::item::{Item, from_item, text, to_item};
use crate::keys::{self, Key};
use crate::scope::TenantScope;
use crate::table::{CoreTable, Freshness, Order, Page};
use crate::tenants::OpenTenant;

/// The type of an entry's item.
pub const ENTRY: &str = "search_entry";
/// The type of a token's item.
pub const TOKEN: &str = "search_token";

/// How far the writing of the tokens that an entry lists came.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Progress {
    /// All of them are there.
    Done,
    /// All of them are there if this one is, which is written when the others are: so tokens that are only added need no second write of the entry.
    UpTo(Token),
    /// Some may be missing.
    Underway,
}

/// What the index has of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    place: String,
    shard: u32,
    tokens: BTreeSet<Token>,
    progress: Progress,
}

#[derive(Serialize, Deserialize)]
struct EntryItem {
    #[serde(rename = "PK")]
    pk: String,
    #[serde(rename = "SK")]
    sk: String,
    #[serde(rename = "type")]
    kind: String,
    place: String,
    shard: u32,
    /// Each `lead|text`.
    tokens: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    underway: bool,
}

/// What a contact is to be found by.
#[derive(Debug, Clone)]
pub struct Wanted {
    contact: ContactId,
    place: String,
    shard: u32,
    tokens: BTreeSet<Token>,
}

impl Wanted {
    /// These tokens lead to a contact.
    #[must_use]
    pub fn of(stored: &StoredContact, tokens: BTreeSet<Token>) -> Self {
        Self { contact: stored.contact.id.clone(), place: stored.place().to_owned(), shard: stored.placement.shard, tokens }
    }

    /// Nothing leads to a contact that isn't there any more.
    #[must_use]
    pub fn nothing(contact: ContactId) -> Self {
        Self { contact, place: String::new(), shard: 0, tokens: BTreeSet::new() }
    }
}

/// A token found, and the contact it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The word, or the hash with its kind.
    pub token_text: String,
    /// The contact's place in the list.
    pub place: String,
    /// The contact.
    pub contact: ContactId,
}

impl Candidate {
    /// Where it stands among the tokens of its partition.
    #[must_use]
    pub fn sort_key(&self) -> String {
        keys::search_sort_key(&self.token_text, &self.place, &self.contact)
    }
}

/// What the index has of these contacts; those it doesn't have are left out. Each id must be given once. 1 request per 100, 1 R each.
///
/// # Errors
/// Those of the database.
pub async fn entries(table: &CoreTable, tenant: &OpenTenant, ids: &[ContactId]) -> Result<HashMap<ContactId, Entry>, StoreError> {
    let keys: Vec<Key> = ids.iter().map(|id| keys::search_entry(&tenant.scope, id)).collect();
    table.batch_get(&tenant.scope, &keys, Freshness::Strong).await?.into_iter().map(decode_entry).collect()
}

/// Lets exactly these tokens lead to each of these contacts, whose entries are `known`; tells of which contacts something was written. Each
/// contact must be given once.
///
/// Everything is grouped into requests of 25 writes, in four steps that follow each other: the entries, the tokens, the last of them and the
/// removals, the entries again. A new contact is 1 W and one for each token, and so are tokens that are only added; with tokens that are removed
/// it is 2 W and one for each token written or removed. Whether an earlier run came to its end is found out by 1 R for a contact whose tokens were
/// only added so far, in 1 request per 100 of them. Nothing to do is 0 W.
///
/// # Errors
/// Those of the database. Called again, with the entries as they are then, it completes what was begun.
pub async fn index(table: &CoreTable, tenant: &OpenTenant, wanted: &[Wanted], known: &HashMap<ContactId, Entry>) -> Result<Vec<ContactId>, StoreError> {
    let scope = &tenant.scope;
    let unfinished = unfinished(table, scope, wanted, known).await?;
    let (mut announced, mut tokens, mut last, mut removed, mut settled, mut emptied) = (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut changed = Vec::new();
    for wanted in wanted {
        let id = &wanted.contact;
        let Some(plan) = plan(wanted, known.get(id), unfinished.contains(id)) else {
            continue;
        };
        let key = |token: &Token| keys::search_token(scope, token, plan.shard_of(token), &plan.place, id);
        tokens.extend(plan.tokens.iter().map(|token| token_item(key(token))));
        last.extend(plan.last.iter().map(|token| token_item(key(token))));
        removed.extend(plan.removed.iter().map(key));
        if let Some(entry) = &plan.announced {
            announced.push(entry_item(scope, id, entry)?);
        }
        match &plan.settled {
            Settled::AsAnnounced => {}
            Settled::As(entry) => settled.push(entry_item(scope, id, entry)?),
            Settled::Empty => emptied.push(keys::search_entry(scope, id)),
        }
        changed.push(id.clone());
    }
    table.write_many(scope, announced, Vec::new()).await?;
    table.write_many(scope, tokens, Vec::new()).await?;
    table.write_many(scope, last, removed).await?;
    table.write_many(scope, settled, emptied).await?;
    Ok(changed)
}

/// The contacts some of whose listed tokens may be missing, because a worker was cut off.
async fn unfinished(table: &CoreTable, scope: &TenantScope, wanted: &[Wanted], known: &HashMap<ContactId, Entry>) -> Result<HashSet<ContactId>, StoreError> {
    let mut unfinished = HashSet::new();
    let mut witnesses: HashMap<Key, ContactId> = HashMap::new();
    for wanted in wanted.iter().filter(|wanted| !wanted.tokens.is_empty()) {
        let id = &wanted.contact;
        let Some(entry) = known.get(id) else { continue };
        match &entry.progress {
            Progress::Done => {}
            Progress::Underway => {
                unfinished.insert(id.clone());
            }
            Progress::UpTo(last) => {
                let shard = shard_of(last, entry.shard);
                witnesses.insert(keys::search_token(scope, last, shard, &entry.place, id), id.clone());
            }
        }
    }
    let keys: Vec<Key> = witnesses.keys().cloned().collect();
    for item in table.batch_get(scope, &keys, Freshness::Strong).await? {
        let (pk, sk) = (text(&item, "PK").unwrap_or_default().to_owned(), text(&item, "SK").unwrap_or_default().to_owned());
        witnesses.remove(&Key { pk, sk });
    }
    unfinished.extend(witnesses.into_values());
    Ok(unfinished)
}

/// What is to be written for one contact, in the order of its parts.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    place: String,
    shard: u32,
    announced: Option<Entry>,
    tokens: BTreeSet<Token>,
    /// Written when the others are.
    last: Option<Token>,
    removed: BTreeSet<Token>,
    settled: Settled,
}

/// What becomes of the entry in the end.
#[derive(Debug, PartialEq, Eq)]
enum Settled {
    /// It stays as it was announced.
    AsAnnounced,
    /// It lists what is there now.
    As(Entry),
    /// Nothing leads to the contact any more: it is removed.
    Empty,
}

impl Plan {
    fn shard_of(&self, token: &Token) -> u32 {
        shard_of(token, self.shard)
    }
}

/// Words stand in the shard of their contact, because a tenant has many contacts of one name; hashes are spread by themselves.
fn shard_of(token: &Token, of_contact: u32) -> u32 {
    if token.is_hashed() { 0 } else { of_contact }
}

/// Decides what is to be written; none when everything is as it should be.
fn plan(wanted: &Wanted, known: Option<&Entry>, unfinished: bool) -> Option<Plan> {
    let nothing = BTreeSet::new();
    let listed = known.map_or(&nothing, |entry| &entry.tokens);
    let (place, shard) = known.map_or((&wanted.place, wanted.shard), |entry| (&entry.place, entry.shard));
    let entry = |tokens: BTreeSet<Token>, progress| Entry { place: place.clone(), shard, tokens, progress };
    let all: BTreeSet<Token> = listed | &wanted.tokens;
    let mut added: BTreeSet<Token> = &wanted.tokens - listed;
    let removed: BTreeSet<Token> = listed - &wanted.tokens;
    if removed.is_empty() && !unfinished {
        let last = added.pop_last()?;
        let announced = Some(entry(all, Progress::UpTo(last.clone())));
        return Some(Plan { place: place.clone(), shard, announced, tokens: added, last: Some(last), removed, settled: Settled::AsAnnounced });
    }
    let announced = entry(all, Progress::Underway);
    let settled = if wanted.tokens.is_empty() { Settled::Empty } else { Settled::As(entry(wanted.tokens.clone(), Progress::Done)) };
    Some(Plan {
        place: place.clone(),
        shard,
        announced: (known != Some(&announced)).then_some(announced),
        tokens: if unfinished { wanted.tokens.clone() } else { added },
        last: None,
        removed,
        settled,
    })
}

/// Finds the tokens of one lead that begin with `start`, in the order of their texts, at most `limit`, and tells whether these are all. A contact
/// may be among them more than once, and may have changed since: read it and look. Strongly consistent: 1 request per shard of the tenant and
/// started MB, all at once, for hashes 1; 1 R per started 4 KB in each (about 25 tokens), at most `limit` tokens in each.
///
/// # Errors
/// Those of the database.
pub async fn candidates(table: &CoreTable, tenant: &OpenTenant, lead: &str, start: &str, limit: usize) -> Result<(Vec<Candidate>, bool), StoreError> {
    let shards = if lead.starts_with('=') { 1 } else { tenant.record.shards.max(1) };
    let partitions: Vec<String> = (0..shards).map(|shard| keys::search_partition(&tenant.scope, lead, shard)).collect();
    let pages = try_join_all(partitions.iter().map(|partition| table.range(&tenant.scope, partition, start, None, limit, Order::Ascending))).await?;
    let mut complete = true;
    let mut candidates = Vec::new();
    for page in pages {
        complete &= !page.has_more;
        candidates.extend(decode_candidates(page.entries)?);
    }
    complete &= candidates.len() <= limit;
    candidates.sort_by(|left: &Candidate, right| (&left.token_text, &left.place).cmp(&(&right.token_text, &right.place)));
    candidates.truncate(limit);
    Ok((candidates, complete))
}

/// Reads one page of the hashes of one lead that begin with `start`, those beyond the sort key `after`. 1 request, 1 R per started 4 KB (about 25
/// tokens).
///
/// # Errors
/// Those of the database.
pub async fn hashes(table: &CoreTable, tenant: &OpenTenant, lead: &str, start: &str, after: Option<&str>, limit: usize) -> Result<Page<Candidate>, StoreError> {
    let partition = keys::search_partition(&tenant.scope, lead, 0);
    let page = table.range(&tenant.scope, &partition, start, after, limit, Order::Ascending).await?;
    Ok(Page { entries: decode_candidates(page.entries)?, has_more: page.has_more })
}

fn decode_candidates(items: Vec<Item>) -> Result<Vec<Candidate>, StoreError> {
    let read = |item: &Item| {
        let (token_text, place, contact) = keys::parse_search_sort_key(text(item, "SK")?)?;
        Some(Candidate { token_text: token_text.to_owned(), place: place.to_owned(), contact })
    };
    items.iter().map(|item| read(item).ok_or_else(|| StoreError::undecodable(TOKEN, "its key is not a token's"))).collect()
}

fn token_item(key: Key) -> Item {
    Item::from([("PK".to_owned(), AttributeValue::S(key.pk)), ("SK".to_owned(), AttributeValue::S(key.sk)), ("type".to_owned(), AttributeValue::S(TOKEN.to_owned()))])
}

fn entry_item(scope: &TenantScope, contact: &ContactId, entry: &Entry) -> Result<Item, StoreError> {
    let key = keys::search_entry(scope, contact);
    let form = EntryItem {
        pk: key.pk,
        sk: key.sk,
        kind: ENTRY.to_owned(),
        place: entry.place.clone(),
        shard: entry.shard,
        tokens: entry.tokens.iter().map(write_token).collect(),
        last: match &entry.progress {
            Progress::UpTo(last) => Some(write_token(last)),
            Progress::Done | Progress::Underway => None,
        },
        underway: entry.progress == Progress::Underway,
    };
    to_item(ENTRY, &form)
}

fn decode_entry(item: Item) -> Result<(ContactId, Entry), StoreError> {
    let item: EntryItem = from_item(ENTRY, item)?;
    let (_, contact) = keys::parse_contact(&item.pk).ok_or_else(|| StoreError::undecodable(ENTRY, "its key is not a contact's"))?;
    let progress = match (&item.last, item.underway) {
        (_, true) => Progress::Underway,
        (Some(last), false) => Progress::UpTo(read_token(last)?),
        (None, false) => Progress::Done,
    };
    let tokens = item.tokens.iter().map(|token| read_token(token)).collect::<Result<_, _>>()?;
    Ok((contact, Entry { place: item.place, shard: item.shard, tokens, progress }))
}

fn write_token(token: &Token) -> String {
    format!("{}|{}", token.lead, token.text)
}

fn read_token(written: &str) -> Result<Token, StoreError> {
    let (lead, text) = written.split_once('|').ok_or_else(|| StoreError::undecodable(ENTRY, "it lists what is no token"))?;
    Ok(Token { lead: lead.to_owned(), text: text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use switchboard_domain::ids::TenantId;
    use switchboard_domain::search::word_token;

    fn wanted(words: &[&str]) -> Wanted {
        let contact = ContactId::from_hash(&[3; 32]);
        Wanted { contact, place: "place".to_owned(), shard: 2, tokens: words.iter().map(|word| word_token(word)).collect() }
    }

    /// What an index would be left with.
    #[derive(Debug, Clone, Default, PartialEq)]
    struct Left {
        entry: Option<Entry>,
        tokens: BTreeSet<Token>,
    }

    enum Write<'a> {
        Entry(&'a Entry),
        Empty,
        Put(&'a Token),
        Remove(&'a Token),
    }

    impl Left {
        fn plan(&self, wanted: &Wanted) -> Option<Plan> {
            let unfinished = match self.entry.as_ref().map(|entry| &entry.progress) {
                None | Some(Progress::Done) => false,
                Some(Progress::UpTo(last)) => !self.tokens.contains(last),
                Some(Progress::Underway) => true,
            };
            plan(wanted, self.entry.as_ref(), unfinished)
        }

        /// Carries out a plan until it is cut off after so many writes. The steps follow each other; within a step the order is any.
        fn run(&mut self, wanted: &Wanted, cut: usize, backwards: bool) {
            let Some(plan) = self.plan(wanted) else { return };
            let settled = match &plan.settled {
                Settled::AsAnnounced => None,
                Settled::As(entry) => Some(Write::Entry(entry)),
                Settled::Empty => Some(Write::Empty),
            };
            let mut steps: [Vec<Write<'_>>; 4] = [
                plan.announced.iter().map(Write::Entry).collect(),
                plan.tokens.iter().map(Write::Put).collect(),
                plan.last.iter().map(Write::Put).chain(plan.removed.iter().map(Write::Remove)).collect(),
                settled.into_iter().collect(),
            ];
            if backwards {
                steps.iter_mut().for_each(|step| step.reverse());
            }
            for write in steps.into_iter().flatten().take(cut) {
                match write {
                    Write::Entry(entry) => self.entry = Some(entry.clone()),
                    Write::Empty => self.entry = None,
                    Write::Put(token) => {
                        self.tokens.insert(token.clone());
                    }
                    Write::Remove(token) => {
                        self.tokens.remove(token);
                    }
                }
                let listed = self.entry.as_ref().map_or(self.tokens.is_empty(), |entry| self.tokens.is_subset(&entry.tokens));
                assert!(listed, "a token that no entry lists would be left behind");
            }
        }
    }

    #[test]
    fn whatever_is_cut_off_wherever_the_next_run_completes() {
        let chosen = |bits: usize| ["anna", "bert", "cleo"].into_iter().enumerate().filter(move |(index, _)| (bits >> index) & 1 == 1).map(|(_, word)| word);
        let sets: Vec<Wanted> = (0..8).map(|bits| wanted(&chosen(bits).collect::<Vec<_>>())).collect();
        // A plan for three words has at most five writes, so that the last cut cuts nothing off.
        let cuts: Vec<(usize, usize)> = (0..6).flat_map(|cut| (0..6).map(move |again| (cut, again))).collect();
        for first in [&sets[0], &sets[3]] {
            let mut begun = Left::default();
            begun.run(first, usize::MAX, false);
            for (second, third) in sets.iter().flat_map(|second| sets.iter().map(move |third| (second, third))) {
                for ((cut, again), backwards) in cuts.iter().flat_map(|cuts| [(*cuts, false), (*cuts, true)]) {
                    let mut cut_twice = begun.clone();
                    cut_twice.run(second, cut, backwards);
                    cut_twice.run(third, again, !backwards);
                    for last in &sets {
                        let mut left = cut_twice.clone();
                        left.run(last, usize::MAX, backwards);
                        assert_eq!(left.tokens, last.tokens, "{second:?} cut after {cut}, {third:?} cut after {again}, {last:?}");
                        assert_eq!(left.entry.is_none(), last.tokens.is_empty());
                        assert_eq!(left.plan(last), None, "redelivered, there is nothing more to write");
                    }
                }
            }
        }
    }

    #[test]
    fn tokens_that_are_only_added_need_one_write_of_the_entry() {
        let plan = plan(&wanted(&["anna", "bert", "cleo"]), None, false).unwrap();
        assert_eq!((plan.announced.is_some(), plan.tokens.len(), plan.last.is_some(), plan.removed.len()), (true, 2, true, 0));
        assert_eq!(plan.settled, Settled::AsAnnounced);
    }

    #[test]
    fn an_entry_reads_back_whatever_its_progress() {
        let scope = TenantScope::vouched(TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]));
        let contact = ContactId::from_hash(&[3; 32]);
        for progress in [Progress::Done, Progress::Underway, Progress::UpTo(word_token("李小龙"))] {
            let entry =
                Entry { place: "place".to_owned(), shard: 3, tokens: BTreeSet::from([word_token("x"), word_token("李小龙"), word_token("gelinas")]), progress };
            let item = entry_item(&scope, &contact, &entry).unwrap();
            assert_eq!(decode_entry(item).unwrap(), (contact.clone(), entry));
        }
    }

    #[test]
    fn words_stand_in_their_contact_s_shard_and_hashes_in_the_first() {
        let hash = Token { lead: "=0".to_owned(), text: "e.0".to_owned() };
        assert_eq!((shard_of(&word_token("zoe"), 5), shard_of(&hash, 5)), (5, 0));
    }
}
