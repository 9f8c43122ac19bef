//! A record as it stood at some time or version, rebuilt from its audit trail: forward from its first version, or, where the trail no longer reaches back to
//! that, backward from the record as it is now.

use jiff::Timestamp;
use switchboard_domain::audit::{self, Fields, Version};
use switchboard_domain::permission::Permission;
use switchboard_store::audit_events::StoredEvent;
use switchboard_store::tenants::OpenTenant;

use super::audited_id::AuditedId;
use super::current::{self, Current};
use super::view::{masked_fields, opened, sees_contacts};
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Events read at once.
const PART: usize = 100;

/// A record at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordThen {
    /// Every field that had a value, by its name in the API; attributes as `attributes.<name>`.
    pub fields: Fields,
    /// Its version then.
    pub version: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// When that version was made.
    pub updated_at: Timestamp,
}

/// A record as it stood at `time`, that moment included; none when it wasn't there yet, when the trail doesn't reach back so far, and of imports and jobs,
/// which have no versions. Who may not see all contacts is told which fields a contact or a note had, and not their values. 1 request per 100 versions, half
/// an R per started 4 KB of events; for a contact or a note 1 request and 1 R more. Where the first versions left the table, 1 request more for the record.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:read` for the whole tenant; [`AppError::Unavailable`] while a change that is needed isn't recorded yet; those of the
/// database.
pub async fn as_of(services: &Services, viewer: &Viewer, record: &AuditedId, time: Timestamp) -> Result<Option<RecordThen>, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let then = Trail::of(services, &viewer.tenant, record).await?.state(|version| version.at <= time);
    let masked = record.is_personal() && !sees_contacts(viewer);
    Ok(then.map(|then| if masked { RecordThen { fields: masked_fields(then.fields), ..then } } else { then }))
}

/// The versions of a record that are kept, the oldest first.
pub(super) struct Trail {
    versions: Vec<Version>,
    /// The record as it is now; read only when the versions alone don't tell.
    current: Option<Current>,
}

impl Trail {
    /// Reads the trail of a record. Requests and units as [`as_of`].
    ///
    /// # Errors
    /// As [`as_of`].
    pub(super) async fn of(services: &Services, tenant: &OpenTenant, record: &AuditedId) -> Result<Self, AppError> {
        if !record.has_versions() {
            return Ok(Self { versions: Vec::new(), current: None });
        }
        let mut events = newest(services, tenant, record, 0).await?;
        let mut now = None;
        if !is_whole(&events) {
            now = current::current(services, tenant, record).await?;
            let known = events.first().and_then(|stored| stored.event.version()).unwrap_or(0);
            if now.as_ref().is_some_and(|now| now.version > known) {
                // It changed between the two reads.
                let mut younger = newest(services, tenant, record, known).await?;
                younger.append(&mut events);
                events = younger;
            }
        }
        let changes = opened(services, tenant, &events).await?;
        let version = |(stored, changes): (StoredEvent, _)| Some(Version { version: stored.event.version()?, at: stored.event.change.at, changes });
        let versions: Vec<Version> = events.into_iter().zip(changes).rev().filter_map(version).collect();
        let recorded = versions.last().map_or(0, |version| version.version);
        if now.as_ref().is_some_and(|now| now.version > recorded && recorded > 0) {
            return Err(AppError::Unavailable("the newest change of a record is not recorded yet"));
        }
        Ok(Self { versions, current: now })
    }

    /// The record after the last version that `until` lets in; none when it lets in none, or when that can't be told any more.
    pub(super) fn state(&self, until: impl Fn(&Version) -> bool) -> Option<RecordThen> {
        let kept = self.versions.iter().take_while(|version| until(version)).count();
        let Some(last) = kept.checked_sub(1).and_then(|index| self.versions.get(index)) else {
            // Nothing that is kept was there already. When nothing is kept at all, it stands as it did when its last change left the table.
            let current = self.current.as_ref().filter(|_| self.versions.is_empty())?;
            let version = Version { version: current.version, at: current.updated_at, changes: None };
            return until(&version).then(|| self.backward(&version)).flatten();
        };
        if is_unbroken(&self.versions[..kept]) {
            let (version, fields) = audit::as_of(self.versions[..kept].iter().cloned(), |_| true)?;
            return Some(RecordThen { fields, version, created_at: self.versions.first()?.at, updated_at: last.at });
        }
        self.backward(last)
    }

    /// The record at a version that is kept, worked back from the record as it is now.
    fn backward(&self, to: &Version) -> Option<RecordThen> {
        let current = self.current.as_ref()?;
        let younger = self.versions.iter().filter(|version| version.version > to.version && version.version <= current.version);
        let mut fields = current.fields.clone();
        let mut expected = current.version;
        for version in younger.rev() {
            if version.version != expected {
                return None;
            }
            expected -= 1;
            for change in version.changes.iter().flatten() {
                match &change.old {
                    Some(value) => fields.insert(change.field.clone(), value.clone()),
                    None => fields.remove(&change.field),
                };
            }
        }
        (expected == to.version).then_some(RecordThen { fields, version: to.version, created_at: current.created_at, updated_at: to.at })
    }
}

/// Whether these are all versions from the first on.
fn is_unbroken(versions: &[Version]) -> bool {
    (1..).zip(versions).all(|(expected, version)| version.version == expected)
}

/// Whether these are all events of a record from its newest down to its first.
fn is_whole(events: &[StoredEvent]) -> bool {
    !events.is_empty() && (1..).zip(events.iter().rev()).all(|(expected, stored)| stored.event.version() == Some(expected))
}

/// Most versions gone through for one answer: about 5 MB, and 50 requests.
const MOST_VERSIONS: usize = 5_000;

/// All events of a record's versions above one, newest first.
async fn newest(services: &Services, tenant: &OpenTenant, record: &AuditedId, above: u32) -> Result<Vec<StoredEvent>, AppError> {
    let (kind, id) = (record.entity_type(), record.entity_id());
    let mut events: Vec<StoredEvent> = Vec::new();
    loop {
        let before = events.last().and_then(|stored| stored.event.version());
        let page = services.audit.of_record(&tenant.scope, kind, &id, before, PART).await?;
        let has_more = page.has_more && page.entries.last().and_then(|stored| stored.event.version()) > Some(above + 1);
        events.extend(page.entries.into_iter().filter(|stored| stored.event.version() > Some(above)));
        if !has_more {
            return Ok(events);
        }
        if events.len() >= MOST_VERSIONS {
            return Err(AppError::Asked(format!(
                "The record was changed more than {MOST_VERSIONS} times since: that is too much for one request. Take its trail out with auditExport."
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use switchboard_domain::audit::differences;

    fn at(number: u32) -> Timestamp {
        Timestamp::from_second(i64::from(number) * 10).unwrap()
    }

    /// The trail of a record that went through these states, of whose versions the oldest `gone` left the table.
    fn trail(states: &[Fields], gone: usize) -> Trail {
        let mut before = Fields::new();
        let mut versions = Vec::new();
        for (number, state) in (1..).zip(states) {
            versions.push(Version { version: number, at: at(number), changes: Some(differences(&before, state)) });
            before = state.clone();
        }
        let last = u32::try_from(states.len()).unwrap();
        let current = Current { version: last, created_at: at(1), updated_at: at(last), fields: before };
        Trail { versions: versions.split_off(gone), current: (gone > 0).then_some(current) }
    }

    fn history() -> impl Strategy<Value = Vec<Fields>> {
        let state = proptest::collection::btree_map("[a-d]", 0_u8..3, 0..4);
        proptest::collection::vec(state, 1..10)
            .prop_map(|states| states.into_iter().map(|state| state.into_iter().map(|(name, value)| (name, json!(value))).collect()).collect())
    }

    proptest! {
        #[test]
        fn a_trail_whose_beginning_is_gone_tells_the_same_of_every_version_it_has(states in history(), gone in 0_usize..10) {
            let gone = gone.min(states.len());
            let trail = trail(&states, gone);
            for (number, state) in (1..).zip(&states) {
                let then = trail.state(|version| version.at <= at(number)).map(|then| (then.version, then.fields));
                let is_kept = usize::try_from(number).unwrap() > gone;
                // With nothing kept the record is at least known as it is now.
                let is_known = is_kept || (gone == states.len() && usize::try_from(number).unwrap() == gone);
                prop_assert_eq!(then, is_known.then(|| (number, state.clone())));
            }
            prop_assert_eq!(trail.state(|version| version.at < at(1)), None);
        }
    }

    #[test]
    fn a_gap_is_gone_around_and_never_guessed_over() {
        let state = |value: u8| Fields::from([("a".to_owned(), json!(value))]);
        let states: Vec<Fields> = (0..5).map(state).collect();
        let mut trail = trail(&states, 0);
        trail.versions.remove(2);
        let at_version = |trail: &Trail, number: u32| trail.state(|version| version.version <= number).map(|then| then.fields);
        assert_eq!(at_version(&trail, 2), Some(state(1)), "before it forward");
        assert_eq!(at_version(&trail, 4), None, "behind it nothing is known without the record");
        trail.current = Some(Current { version: 5, created_at: at(1), updated_at: at(5), fields: state(4) });
        assert_eq!(at_version(&trail, 4), Some(state(3)), "behind it backward");
    }
}
