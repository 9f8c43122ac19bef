//! Relay connections: pages of a list with opaque cursors, bound to the tenant and to the list they came from.

use std::borrow::Cow;

use async_graphql::{Object, OutputType, Result, SimpleObject, TypeName};
use data_encoding::BASE64URL_NOPAD;
use switchboard_domain::ids::TenantId;

use crate::agent::Agent;
use crate::audit::AuditEvent;
use crate::audit_export::AuditExport;
use crate::bulk_job::{BulkJob, BulkJobOutcome};
use crate::contact::{Contact, Note};
use crate::errors::Code;
use crate::import::{Import, ImportKeptRecord, ImportRowError};
use crate::scoring::ScoringTraining;
use crate::suppression::Suppression;
use crate::team::{Membership, Team};
use crate::user::User;

/// Entries of a page when the client doesn't say.
const DEFAULT: usize = 50;
/// Most entries of a page.
const MOST: usize = 100;

/// Where a page stands in its list.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct PageInfo {
    /// There are entries after this page.
    has_next_page: bool,
    /// There are entries before this page.
    has_previous_page: bool,
    /// The cursor of the first entry.
    start_cursor: Option<String>,
    /// The cursor of the last entry: give it as `after` for the next page.
    end_cursor: Option<String>,
}

/// A type that lists have as their entries.
pub(crate) trait Listed: OutputType + Clone {
    /// What the names of its connection and edge begin with.
    const NAME: &'static str;
}

impl Listed for Contact {
    const NAME: &'static str = "Contact";
}

impl Listed for Note {
    const NAME: &'static str = "Note";
}

impl Listed for Import {
    const NAME: &'static str = "Import";
}

impl Listed for ImportRowError {
    const NAME: &'static str = "ImportError";
}

impl Listed for ImportKeptRecord {
    const NAME: &'static str = "ImportKeptRecord";
}

impl Listed for Suppression {
    const NAME: &'static str = "Suppression";
}

impl Listed for BulkJob {
    const NAME: &'static str = "BulkJob";
}

impl Listed for AuditExport {
    const NAME: &'static str = "AuditExport";
}

impl Listed for ScoringTraining {
    const NAME: &'static str = "ScoringTraining";
}

impl Listed for BulkJobOutcome {
    const NAME: &'static str = "BulkJobOutcome";
}

impl Listed for User {
    const NAME: &'static str = "User";
}

impl Listed for Agent {
    const NAME: &'static str = "Agent";
}

impl Listed for Team {
    const NAME: &'static str = "Team";
}

impl Listed for Membership {
    const NAME: &'static str = "Membership";
}

impl Listed for AuditEvent {
    const NAME: &'static str = "AuditEvent";
}

/// An entry with its cursor.
#[derive(Clone)]
pub(crate) struct Edge<T> {
    cursor: String,
    node: T,
}

impl<T: Listed> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::NAME).into()
    }
}

#[Object(name_type)]
impl<T: Listed> Edge<T> {
    /// The entry's place: give it as `after` for what follows.
    async fn cursor(&self) -> &str {
        &self.cursor
    }

    /// The entry.
    async fn node(&self) -> &T {
        &self.node
    }
}

/// A page of a list.
pub(crate) struct Connection<T> {
    edges: Vec<Edge<T>>,
    page_info: PageInfo,
}

impl<T: Listed> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::NAME).into()
    }
}

#[Object(name_type)]
impl<T: Listed> Connection<T> {
    /// The entries with their cursors.
    async fn edges(&self) -> &[Edge<T>] {
        &self.edges
    }

    /// The entries.
    async fn nodes(&self) -> Vec<&T> {
        self.edges.iter().map(|edge| &edge.node).collect()
    }

    /// Where the page stands.
    async fn page_info(&self) -> &PageInfo {
        &self.page_info
    }
}

/// What a client asked of a list.
pub(crate) struct Asked {
    /// How many entries.
    pub(crate) first: usize,
    /// The place after which they begin.
    pub(crate) after: Option<String>,
    list: String,
}

impl Asked {
    /// Checks what was asked of a list, which is named with everything that makes it this list: its record, its filter.
    pub(crate) fn of(tenant: TenantId, list: &str, first: Option<i32>, after: Option<&str>) -> Result<Self> {
        let first = match first {
            None => DEFAULT,
            Some(first) => match usize::try_from(first) {
                Ok(first @ 1..=MOST) => first,
                _ => return Err(Code::LimitExceeded.error(format!("first is {first}. Ask for 1 to {MOST} entries."))),
            },
        };
        let list = format!("{tenant}|{list}");
        let after = after.map(|cursor| open(&list, cursor).ok_or_else(|| Code::BadCursor.error("This cursor is not one of this list. Begin without it."))).transpose()?;
        Ok(Self { first, after, list })
    }

    /// The page of these entries, each with its place, that goes on behind `next`, which may lie beyond the last entry.
    pub(crate) fn page_until<T: Listed>(&self, entries: Vec<(String, T)>, next: Option<String>) -> Connection<T> {
        let mut page = self.page(entries, next.is_some());
        if let Some(next) = next {
            page.page_info.end_cursor = Some(seal(&self.list, &next));
        }
        page
    }

    /// The page of these entries, each with its place.
    pub(crate) fn page<T: Listed>(&self, entries: Vec<(String, T)>, has_more: bool) -> Connection<T> {
        let edges: Vec<Edge<T>> = entries.into_iter().map(|(place, node)| Edge { cursor: seal(&self.list, &place), node }).collect();
        let cursor = |edge: Option<&Edge<T>>| edge.map(|edge| edge.cursor.clone());
        Connection {
            page_info: PageInfo {
                has_next_page: has_more,
                has_previous_page: self.after.is_some(),
                start_cursor: cursor(edges.first()),
                end_cursor: cursor(edges.last()),
            },
            edges,
        }
    }
}

/// A cursor is the place behind a fingerprint of its list. It is no secret: what a list shows is decided anew for every page.
fn seal(list: &str, place: &str) -> String {
    BASE64URL_NOPAD.encode(format!("{:016x}{place}", fingerprint(list)).as_bytes())
}

fn open(list: &str, cursor: &str) -> Option<String> {
    let text = String::from_utf8(BASE64URL_NOPAD.decode(cursor.as_bytes()).ok()?).ok()?;
    text.strip_prefix(&format!("{:016x}", fingerprint(list))).filter(|place| !place.is_empty()).map(str::to_owned)
}

/// FNV-1a, 64 bits (draft-eastlake-fnv): stable between builds, unlike the standard library's hasher.
fn fingerprint(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    fn tenant(seed: u8) -> TenantId {
        TenantId::new(Timestamp::UNIX_EPOCH, &[seed; 10])
    }

    #[test]
    fn a_cursor_opens_only_in_its_own_list_and_tenant() {
        let asked = Asked::of(tenant(1), "contacts", None, None).unwrap_or_else(|_| panic!());
        let cursor = seal(&asked.list, "place");
        assert_eq!(Asked::of(tenant(1), "contacts", None, Some(&cursor)).ok().and_then(|asked| asked.after).as_deref(), Some("place"));
        assert!(Asked::of(tenant(2), "contacts", None, Some(&cursor)).is_err());
        assert!(Asked::of(tenant(1), "imports", None, Some(&cursor)).is_err());
        for forged in ["", "x", "====", &cursor[1..]] {
            assert!(Asked::of(tenant(1), "contacts", None, Some(forged)).is_err());
        }
    }

    #[test]
    fn a_page_has_one_to_a_hundred_entries() {
        for (first, good) in [(None, true), (Some(1), true), (Some(100), true), (Some(0), false), (Some(101), false), (Some(-1), false)] {
            assert_eq!(Asked::of(tenant(1), "contacts", first, None).is_ok(), good);
        }
    }
}
