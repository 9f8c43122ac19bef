//! Contacts that may be one person: those with one e-mail address, or with one name at one postal code.
//!
//! The search index has a token for either, a keyed hash, and equal ones stand side by side. What stands there may be a second behind, so every
//! group is looked at as its contacts are now before it is shown.

use std::collections::HashMap;
use std::fmt;

use switchboard_domain::contact::Contact;
use switchboard_domain::ids::ContactId;
use switchboard_domain::permission::Permission;
use switchboard_domain::search::{DuplicateReason, Token, hashed_leads};
use switchboard_store::contacts;
use switchboard_store::search::{self, Candidate};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{CoreTable, Freshness, Page, StoreError, keys};

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Tokens that one page examines at most, but for the rest of what was last read.
const MOST_EXAMINED: usize = 2_000;
/// Tokens that one request reads.
const CHUNK: usize = 250;
/// Most contacts of a group that are shown: the oldest.
const MOST_TOGETHER: usize = 100;
/// A page ends when its groups have this many contacts.
const MOST_CONTACTS: usize = 500;

/// Contacts that may be one person.
#[derive(Debug, Clone, PartialEq)]
pub struct Duplicates {
    /// What they have in common.
    pub reason: DuplicateReason,
    /// The contacts, at least two, the oldest first.
    pub contacts: Vec<Contact>,
    /// Where the group ends.
    pub place: DuplicatesPlace,
}

/// Groups, and where to go on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DuplicatesPage {
    /// The groups.
    pub groups: Vec<Duplicates>,
    /// The place from which to go on; none at the end. It may lie beyond the last group.
    pub next: Option<DuplicatesPlace>,
}

/// A place among the tokens that are walked: behind this sort key of this lead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DuplicatesPlace {
    lead: String,
    key: String,
}

impl fmt::Display for DuplicatesPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}|{}", self.lead, self.key)
    }
}

impl DuplicatesPlace {
    /// Reads what [`fmt::Display`] writes; none for what no walk gives.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (lead, key) = text.split_once('|')?;
        let known = hashed_leads().iter().any(|known| known == lead) && DuplicateReason::ALL.iter().any(|reason| key.starts_with(reason.start()));
        known.then(|| Self { lead: lead.to_owned(), key: key.to_owned() })
    }
}

/// Finds contacts that may be one person: in the whole tenant, or, with `of`, those that may be the same as that one. An unknown `of` has none.
///
/// Of the whole tenant 1 request and at least 1 R for each of 64 ranges that is come to, 1 R per started 4 KB (about 25 tokens), up to 2,000
/// tokens a page; of one contact 1 request and 1 R for it and for each of its two tokens. Then 1 request per 100 contacts of the groups, 1 R
/// each.
///
/// # Errors
/// [`AppError::Forbidden`] without `contact:read` for the whole tenant; those of the database.
pub async fn duplicates(services: &Services, viewer: &Viewer, of: Option<&ContactId>, after: Option<&DuplicatesPlace>, first: usize) -> Result<DuplicatesPage, AppError> {
    viewer.require_all(Permission::ContactRead)?;
    let tenant = &viewer.tenant;
    let sections = match of {
        None => everywhere(),
        Some(id) => match contacts::get(&services.core, tenant, id).await? {
            Some(stored) => of_contact(tenant, &stored.contact),
            None => return Ok(DuplicatesPage::default()),
        },
    };
    let mut walk = Walk { core: &services.core, tenant, of, first, found: Vec::new(), examined: 0 };
    let next = walk.run(sections, after).await?;
    let groups = verified(services, tenant, of, walk.found).await?;
    Ok(DuplicatesPage { groups, next })
}

/// Tokens that stand side by side.
struct Section {
    reason: DuplicateReason,
    lead: String,
    /// What they begin with.
    start: String,
}

impl Section {
    fn place(&self, key: String) -> DuplicatesPlace {
        DuplicatesPlace { lead: self.lead.clone(), key }
    }

    /// The sort key behind which to begin in this section, for who goes on behind a place; none when the place lies beyond the section.
    fn begin(&self, after: Option<&DuplicatesPlace>) -> Option<String> {
        match after {
            Some(after) if after.lead == self.lead && after.key.starts_with(&self.start) => Some(after.key.clone()),
            Some(after) if (&self.lead, &self.start) < (&after.lead, &after.key) => None,
            _ => Some(self.start.clone()),
        }
    }
}

/// The whole tenant's, in the order of their places.
fn everywhere() -> Vec<Section> {
    let of_lead = |lead: String| DuplicateReason::ALL.map(|reason| Section { reason, lead: lead.clone(), start: reason.start().to_owned() });
    hashed_leads().into_iter().flat_map(of_lead).collect()
}

/// Those equal to one contact's, in the order of their places.
fn of_contact(tenant: &OpenTenant, contact: &Contact) -> Vec<Section> {
    let tokens = DuplicateReason::ALL.into_iter().filter_map(|reason| Some((reason, reason.token(&tenant.keyring, contact)?)));
    let mut sections: Vec<Section> = tokens.map(|(reason, Token { lead, text })| Section { reason, lead, start: text }).collect();
    sections.sort_by(|left, right| (&left.lead, &left.start).cmp(&(&right.lead, &right.start)));
    sections
}

/// Contacts that one token leads to.
struct Group {
    reason: DuplicateReason,
    token: Token,
    contacts: Vec<ContactId>,
}

impl Group {
    fn end(&self) -> DuplicatesPlace {
        DuplicatesPlace { lead: self.token.lead.clone(), key: keys::beyond_search_text(&self.token.text) }
    }

    fn begun(section: &Section, entry: &Candidate) -> Self {
        Self { reason: section.reason, token: Token { lead: section.lead.clone(), text: entry.token_text.clone() }, contacts: Vec::new() }
    }

    /// Whether a contact as it is now belongs here: it is live, and has the value still.
    fn has(&self, tenant: &OpenTenant, contact: &Contact) -> bool {
        self.reason.token(&tenant.keyring, contact).as_ref() == Some(&self.token)
    }

    fn add(&mut self, contact: &ContactId) {
        if self.contacts.len() < MOST_TOGETHER && !self.contacts.contains(contact) {
            self.contacts.push(contact.clone());
        }
    }
}

struct Walk<'a> {
    core: &'a CoreTable,
    tenant: &'a OpenTenant,
    of: Option<&'a ContactId>,
    first: usize,
    found: Vec<Group>,
    examined: usize,
}

impl Walk<'_> {
    /// Walks sections until enough is found or examined; tells from where to go on.
    async fn run(&mut self, sections: Vec<Section>, after: Option<&DuplicatesPlace>) -> Result<Option<DuplicatesPlace>, StoreError> {
        for section in sections {
            let Some(begin) = section.begin(after) else { continue };
            if self.examined >= MOST_EXAMINED {
                return Ok(Some(section.place(begin)));
            }
            if let Some(next) = self.section(&section, begin).await? {
                return Ok(Some(next));
            }
        }
        Ok(None)
    }

    /// Walks one section; tells from where to go on when that is enough.
    async fn section(&mut self, section: &Section, begin: String) -> Result<Option<DuplicatesPlace>, StoreError> {
        let mut after = begin;
        let mut group: Option<Group> = None;
        // The place behind which the group begins: a page never ends within one.
        let mut before_group = after.clone();
        loop {
            let Page { entries, has_more } = search::hashes(self.core, self.tenant, &section.lead, &section.start, Some(&after), CHUNK).await?;
            self.examined += entries.len();
            for entry in &entries {
                if group.as_ref().is_some_and(|group| group.token.text != entry.token_text) {
                    if let Some(next) = self.close(group.take()) {
                        return Ok(Some(next));
                    }
                    before_group = after;
                }
                group.get_or_insert_with(|| Group::begun(section, entry)).add(&entry.contact);
                after = entry.sort_key();
            }
            if !has_more {
                return Ok(self.close(group));
            }
            match &group {
                // What is beyond the most that are shown needn't be read.
                Some(group) if group.contacts.len() >= MOST_TOGETHER => after = group.end().key,
                _ if self.examined >= MOST_EXAMINED => return Ok(Some(section.place(before_group))),
                _ => {}
            }
        }
    }

    /// Keeps a group of at least two, and tells from where to go on when that is enough.
    fn close(&mut self, group: Option<Group>) -> Option<DuplicatesPlace> {
        let mut group = group?;
        // The contact asked about belongs to its group, though the index may not have it yet.
        if let Some(of) = self.of
            && !group.contacts.contains(of)
        {
            group.contacts.truncate(MOST_TOGETHER - 1);
            group.add(of);
        }
        if group.contacts.len() < 2 {
            return None;
        }
        if self.found.len() == self.first {
            return self.found.last().map(Group::end);
        }
        self.found.push(group);
        let contacts: usize = self.found.iter().map(|group| group.contacts.len()).sum();
        (contacts >= MOST_CONTACTS).then(|| self.found.last().map(Group::end)).flatten()
    }
}

/// The groups as their contacts are now.
async fn verified(services: &Services, tenant: &OpenTenant, of: Option<&ContactId>, found: Vec<Group>) -> Result<Vec<Duplicates>, AppError> {
    let mut ids: Vec<ContactId> = found.iter().flat_map(|group| group.contacts.iter().cloned()).collect();
    ids.sort();
    ids.dedup();
    let stored = contacts::get_many(&services.core, tenant, &ids, Freshness::Strong).await?;
    let now: HashMap<&ContactId, &Contact> = stored.iter().map(|stored| (&stored.contact.id, &stored.contact)).collect();
    let looked_at = found.into_iter().map(|group| {
        let contacts = group.contacts.iter().filter_map(|id| now.get(id).copied()).filter(|contact| group.has(tenant, contact)).cloned().collect();
        Duplicates { reason: group.reason, place: group.end(), contacts }
    });
    let is_asked_about = |contact: &Contact| of.is_none_or(|of| contact.id == *of);
    Ok(looked_at.filter(|group| group.contacts.len() >= 2 && group.contacts.iter().any(is_asked_about)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sections_of_a_tenant_are_in_the_order_of_their_places() {
        let sections = everywhere();
        assert_eq!(sections.len(), 64);
        let places: Vec<DuplicatesPlace> = sections.iter().map(|section| section.place(section.start.clone())).collect();
        assert!(places.is_sorted());
    }

    #[test]
    fn a_walk_goes_on_where_it_ended() {
        let place = DuplicatesPlace::parse("=5|d.5abc#~").unwrap();
        assert_eq!(place.to_string(), "=5|d.5abc#~");
        let begins: Vec<Option<String>> = everywhere().iter().map(|section| section.begin(Some(&place))).collect();
        let skipped = begins.iter().take_while(|begin| begin.is_none()).count();
        assert_eq!((skipped, begins[skipped].as_deref(), begins[skipped + 1].as_deref()), (10, Some("d.5abc#~"), Some("e.")));
        assert!(begins[skipped + 1..].iter().all(Option::is_some));
        assert!(everywhere().iter().all(|section| section.begin(None).as_ref() == Some(&section.start)));
    }

    #[test]
    fn a_place_that_no_walk_gives_is_none() {
        for wrong in ["", "=5", "=w|d.x", "5|d.x", "=5|p.x", "=5|", "ze|d.x"] {
            assert_eq!(DuplicatesPlace::parse(wrong), None, "{wrong}");
        }
    }
}
