//! Missing events: versions that records have and the trail hasn't.

use std::collections::{HashMap, HashSet};

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use switchboard_domain::audit::Place;
use switchboard_domain::change::Revisioned;
use switchboard_domain::contact::ContactFilter;
use switchboard_domain::ids::{AgentId, ContactId, NoteId, TeamId, UserId};
use switchboard_domain::permission::Permission;
use switchboard_store::audit_events::EventKey;
use switchboard_store::contacts::{self, Walk};
use switchboard_store::item::{Item, text};
use switchboard_store::keys::{self, Key};
use switchboard_store::people::{self, StaffList};
use switchboard_store::{Freshness, Order, StoreError, import_profiles, presence, schedules, scoring_models, settings, suppressions};

use super::audited_id::{AuditedId, ENTITY_TYPES};
use super::current::{Current, current};
use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Records looked at on one page.
const MOST_RECORDS: usize = 500;
/// Contacts of which a page looks at the notes.
const MOST_WITH_NOTES: usize = 25;
/// Versions of one record looked at on one page.
const MOST_VERSIONS: usize = 2_000;
/// Events and notes read at once.
const PART: usize = 100;
/// What has an audit trail and no versions.
const UNVERSIONED: [&str; 3] = ["audit_export", "bulk_job", "import"];
/// How long a change may be on its way to the trail.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_mins(1);

/// A version without its event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The record.
    pub record: AuditedId,
    /// The version.
    pub version: u32,
}

/// A page of gaps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GapPage {
    /// The gaps, each with its place in the list.
    pub entries: Vec<(String, Gap)>,
    /// The place from which to go on; none at the end. It may lie beyond the last gap.
    pub next: Option<String>,
}

/// The versions of one record that have no event, the newest first, those behind the place `after`. What the trail need not have any more, because the record is
/// older than the tenant's retention and nothing that old is left of it, is no gap; nor is a change of the last minute. 1 request and 1 R for the record; 1
/// request per 100 versions, half an R per started 4 KB of events, at most 2,000 versions a page.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:read` for the whole tenant; those of the database.
pub async fn of_record(services: &Services, viewer: &Viewer, record: &AuditedId, after: Option<&str>, first: usize) -> Result<GapPage, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let Some(now) = current(services, &viewer.tenant, record).await? else {
        return Ok(GapPage::default());
    };
    let reach = Reach::of(services, viewer);
    let mut expected = after.and_then(|place| place.parse().ok()).map_or(now.version, |after: u32| now.version.min(after.saturating_sub(1)));
    let mut page = GapPage::default();
    let mut examined = 0;
    while expected > 0 {
        if examined >= MOST_VERSIONS {
            page.next = Some((expected + 1).to_string());
            return Ok(page);
        }
        let events = services.audit.of_record(&viewer.tenant.scope, record.entity_type(), &record.entity_id(), Some(expected + 1), PART).await?;
        let mut there: Vec<u32> = events.entries.iter().filter_map(|stored| stored.event.version()).collect();
        if examined == 0 && after.is_none() && reach.is_on_its_way(now.updated_at) {
            // What is younger than the newest event may still come.
            expected = there.first().copied().unwrap_or(0);
        }
        examined += PART;
        if !events.has_more {
            let oldest = there.last().copied();
            there.push(floor(&now, &reach, oldest, if after.is_none() { expected } else { expected + 1 }));
        }
        for version in there {
            while expected > version {
                if page.entries.len() == first {
                    page.next = Some((expected + 1).to_string());
                    return Ok(page);
                }
                page.entries.push((expected.to_string(), Gap { record: record.clone(), version: expected }));
                expected -= 1;
            }
            expected = version.saturating_sub(1);
        }
        if !events.has_more {
            break;
        }
    }
    Ok(page)
}

/// The version below which no event is due, at the end of the trail: none, unless the record is so old that events may have left the table. Then it is the oldest
/// that is left; where none is left, the newest of all is still due unless it is old itself.
fn floor(now: &Current, reach: &Reach, oldest: Option<u32>, newest: u32) -> u32 {
    match oldest {
        _ if !reach.has_left(now.created_at) => 0,
        Some(oldest) => oldest,
        None if reach.has_left(now.updated_at) => newest,
        None => newest.saturating_sub(1),
    }
}

/// Between which times events are due.
struct Reach {
    now: Timestamp,
    kept_from: Timestamp,
}

impl Reach {
    fn of(services: &Services, viewer: &Viewer) -> Self {
        let now = services.clock.now();
        let retention = SignedDuration::from_hours(24 * i64::from(viewer.tenant.record.retention_days));
        Self { now, kept_from: now.saturating_sub(retention).unwrap_or(Timestamp::MIN) }
    }

    fn is_on_its_way(&self, at: Timestamp) -> bool {
        at > self.now.saturating_sub(ON_ITS_WAY).unwrap_or(Timestamp::MIN)
    }

    fn has_left(&self, at: Timestamp) -> bool {
        at < self.kept_from
    }
}

/// A record of a list, with its newest version.
struct Listed {
    place: String,
    record: AuditedId,
    version: u32,
    updated_at: Timestamp,
}

impl Listed {
    fn of(place: String, record: AuditedId, revisioned: &Revisioned) -> Self {
        Self { place, record, version: revisioned.version, updated_at: revisioned.updated_at() }
    }
}

/// Some records of a kind, and the place from which to go on.
struct Records {
    records: Vec<Listed>,
    next: Option<String>,
}

impl Records {
    fn all(records: Vec<Listed>) -> Self {
        Self { records, next: None }
    }
}

/// The records of a kind whose newest version has no event, those behind the place `after`: the last event of a chain is what no later one can miss. Those that
/// changed within the last minute are left out, and those whose last change is older than the tenant's retention. A page looks at 500 records, of notes at those
/// of 25 contacts; it is thin when few of them miss something. What reads the list, at most 10 requests, of notes 2 and 1 per 100 notes of a contact; and 1
/// request per 100 records and 1 R each for their events.
///
/// Of the suppression list only entries in force are looked at, and no erased contacts: the others are in no list.
///
/// # Errors
/// [`AppError::Forbidden`] without `audit:read` for the whole tenant, [`AppError::Asked`] for a kind that has no versions; those of the database.
pub async fn of_type(services: &Services, viewer: &Viewer, entity_type: &str, after: Option<&str>, first: usize) -> Result<GapPage, AppError> {
    viewer.require_all(Permission::AuditRead)?;
    let Records { records, next } = match entity_type {
        "contact" => contact_records(services, viewer, after).await?,
        "note" => note_records(services, viewer, after).await?,
        "suppression" => suppression_records(services, viewer, after).await?,
        "contact_status" | "role" => setting_records(services, viewer, entity_type, after).await?,
        "import_profile" => profile_records(services, viewer, after).await?,
        "scoring_model" => model_records(services, viewer, after).await?,
        "tenant" => one_record(services, viewer, AuditedId::Tenant(viewer.tenant.record.id)).await?,
        "active_scoring_model" => one_record(services, viewer, AuditedId::ActiveScoringModel(viewer.tenant.record.id)).await?,
        "user" => staff_records(services, viewer, entity_type, &[StaffList::Users], after).await?,
        "team" => staff_records(services, viewer, entity_type, &[StaffList::Teams, StaffList::DeletedTeams], after).await?,
        "agent" | "presence" | "schedule" => staff_records(services, viewer, entity_type, &[StaffList::Agents, StaffList::DeletedAgents], after).await?,
        _ => {
            let versioned: Vec<&str> = ENTITY_TYPES.into_iter().filter(|kind| !UNVERSIONED.contains(kind)).collect();
            return Err(AppError::Asked(format!("{entity_type} is nothing that has versions. Ask for one of {}.", versioned.join(", "))));
        }
    };
    let reach = Reach::of(services, viewer);
    // Version 0 is what only heartbeats wrote.
    let due = |listed: &&Listed| listed.version > 0 && !reach.is_on_its_way(listed.updated_at) && !reach.has_left(listed.updated_at);
    let key = |listed: &Listed| -> EventKey { (listed.record.entity_type().to_owned(), listed.record.entity_id(), Place::Version(listed.version)) };
    let keys: Vec<EventKey> = records.iter().filter(due).map(key).collect();
    let found = services.audit.get_many(viewer.tenant.record.id, &keys).await?;
    let there: HashSet<EventKey> = found.into_iter().map(|stored| (stored.event.entity_type, stored.event.entity_id, stored.event.place)).collect();
    let mut page = GapPage { entries: Vec::new(), next };
    for listed in records.iter().filter(due).filter(|listed| !there.contains(&key(listed))) {
        if page.entries.len() == first {
            page.next = page.entries.last().map(|(place, _)| place.clone());
            break;
        }
        page.entries.push((listed.place.clone(), Gap { record: listed.record.clone(), version: listed.version }));
    }
    Ok(page)
}

async fn contact_records(services: &Services, viewer: &Viewer, after: Option<&str>) -> Result<Records, AppError> {
    let page = walked(services, viewer, after, MOST_RECORDS).await?;
    let listed = |row: contacts::ContactRow| Listed { place: row.place, record: AuditedId::Contact(row.id), version: row.version, updated_at: row.updated_at };
    Ok(Records { records: page.rows.into_iter().map(listed).collect(), next: page.next })
}

async fn walked(services: &Services, viewer: &Viewer, after: Option<&str>, most: usize) -> Result<contacts::ListPage, AppError> {
    let filter = ContactFilter { include_deleted: true, ..ContactFilter::default() };
    let walk = Walk { filter: &filter, won: None, after, order: Order::Descending, first: most, most };
    Ok(contacts::walk(&services.core, &viewer.tenant, &walk).await?)
}

/// The notes of some contacts. A note's place is its contact's and its own.
async fn note_records(services: &Services, viewer: &Viewer, after: Option<&str>) -> Result<Records, AppError> {
    let (after_contact, after_note) = after.map(|place| place.split_once('/').unwrap_or((place, ""))).unzip();
    // Of a contact whose notes were not all told the rest comes first.
    let mut records = Vec::new();
    if let (Some(place), Some(note)) = (after_contact, after_note.filter(|note| !note.is_empty()))
        && let Some((contact, note)) = note.split_once('/').and_then(|(contact, note)| Some((ContactId::parse(contact)?, NoteId::parse(note)?)))
    {
        records.extend(notes_of(services, viewer, place, &contact, Some(note)).await?);
    }
    let page = walked(services, viewer, after_contact, MOST_WITH_NOTES).await?;
    let notes = try_join_all(page.rows.iter().map(|row| notes_of(services, viewer, &row.place, &row.id, None))).await?;
    records.extend(notes.into_iter().flatten());
    Ok(Records { records, next: page.next })
}

/// All notes of a contact, newest first, those before one.
async fn notes_of(services: &Services, viewer: &Viewer, place: &str, contact: &ContactId, mut before: Option<NoteId>) -> Result<Vec<Listed>, AppError> {
    let mut records = Vec::new();
    loop {
        let page = contacts::notes(&services.core, &viewer.tenant.scope, contact, before, PART).await?;
        before = page.entries.last().map(contacts::StoredNote::id);
        for stored in page.entries {
            let note = stored.without_body();
            let place = format!("{place}/{contact}/{}", note.id);
            records.push(Listed::of(place, AuditedId::Note(contact.clone(), note.id), &note.record));
        }
        if !page.has_more {
            return Ok(records);
        }
    }
}

async fn suppression_records(services: &Services, viewer: &Viewer, after: Option<&str>) -> Result<Records, AppError> {
    let page = suppressions::list(&services.core, &viewer.tenant.scope, after, MOST_RECORDS).await?;
    let next = page.entries.last().filter(|_| page.has_more).map(|(place, _)| place.clone());
    let records = page.entries.into_iter().map(|(place, entry)| Listed::of(place, AuditedId::Suppression(entry.id), &entry.record)).collect();
    Ok(Records { records, next })
}

/// Statuses or roles, which are few and read together; their places are their ids.
async fn setting_records(services: &Services, viewer: &Viewer, entity_type: &str, after: Option<&str>) -> Result<Records, AppError> {
    let found = settings::load(&services.core, &viewer.tenant.scope).await?;
    let statuses = found.statuses.iter().map(|status| Listed::of(status.id.to_string(), AuditedId::ContactStatus(status.id), &status.record));
    let roles = found.roles.iter().map(|role| Listed::of(role.id.to_string(), AuditedId::Role(role.id), &role.record));
    let of_kind = statuses.chain(roles).filter(|listed| listed.record.entity_type() == entity_type);
    let mut records: Vec<Listed> = of_kind.filter(|listed| after.is_none_or(|after| listed.place.as_str() > after)).collect();
    records.sort_by(|one, other| one.place.cmp(&other.place));
    Ok(Records::all(records))
}

/// Kept mappings, deleted ones too, which are few and read together; their places are their keys.
async fn profile_records(services: &Services, viewer: &Viewer, after: Option<&str>) -> Result<Records, AppError> {
    let found = import_profiles::all(&services.core, &viewer.tenant.scope).await?;
    let listed = found.into_iter().map(|profile| Listed::of(profile.key.to_string(), AuditedId::ImportProfile(profile.key), &profile.record));
    Ok(Records::all(listed.filter(|listed| after.is_none_or(|after| listed.place.as_str() > after)).collect()))
}

/// The tenant's own scoring models, deleted ones too, which are few and read together; their places are their ids.
async fn model_records(services: &Services, viewer: &Viewer, after: Option<&str>) -> Result<Records, AppError> {
    let found = scoring_models::load(&services.core, &viewer.tenant.scope).await?;
    let listed = found.models.into_iter().map(|model| Listed::of(model.id.to_string(), AuditedId::ScoringModel(model.id), &model.record));
    Ok(Records::all(listed.filter(|listed| after.is_none_or(|after| listed.place.as_str() > after)).collect()))
}

/// A record of which a tenant has one.
async fn one_record(services: &Services, viewer: &Viewer, id: AuditedId) -> Result<Records, AppError> {
    let now = current(services, &viewer.tenant, &id).await?;
    let listed = |now: Current| Listed { place: id.entity_id(), record: id.clone(), version: now.version, updated_at: now.updated_at };
    Ok(Records::all(now.map(listed).into_iter().collect()))
}

/// Users, teams, agents, or what stands beside agents. A place is the number of the list and the place in it.
async fn staff_records(services: &Services, viewer: &Viewer, entity_type: &str, lists: &[StaffList], after: Option<&str>) -> Result<Records, AppError> {
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let (number, after) = match after.and_then(|place| place.split_once('|')) {
        Some((number, after)) => (number.parse().unwrap_or(0), Some(after).filter(|after| !after.is_empty())),
        None => (0_usize, None),
    };
    let Some(list) = lists.get(number) else {
        return Ok(Records::all(Vec::new()));
    };
    let page = people::listed(core, scope, *list, after, MOST_RECORDS).await?;
    let next = match page.entries.last().filter(|_| page.has_more) {
        Some((place, _)) => Some(format!("{number}|{place}")),
        None => (number + 1 < lists.len()).then(|| format!("{}|", number + 1)),
    };
    let places: HashMap<Key, String> = page.entries.into_iter().filter_map(|(place, id)| Some((key_of(viewer, entity_type, &id)?, place))).collect();
    let wanted: Vec<Key> = places.keys().cloned().collect();
    let mut records = Vec::with_capacity(wanted.len());
    for item in core.batch_get(scope, &wanted, Freshness::Strong).await? {
        let part = |name: &str| text(&item, name).unwrap_or_default().to_owned();
        let key = Key { pk: part("PK"), sk: part("SK") };
        let (record, revisioned) = read(entity_type, item)?;
        records.extend(places.get(&key).map(|place| Listed::of(format!("{number}|{place}"), record, &revisioned)));
    }
    records.sort_by(|one, other| one.place.cmp(&other.place));
    Ok(Records { records, next })
}

/// Where a record of this kind stands whose agent, user or team has this id.
fn key_of(viewer: &Viewer, entity_type: &str, id: &str) -> Option<Key> {
    let scope = &viewer.tenant.scope;
    Some(match entity_type {
        "user" => keys::user(scope, UserId::parse(id)?),
        "team" => keys::team(scope, TeamId::parse(id)?),
        "agent" => keys::agent(scope, AgentId::parse(id)?),
        "presence" => keys::presence(scope, AgentId::parse(id)?),
        "schedule" => keys::schedule(scope, AgentId::parse(id)?),
        _ => return None,
    })
}

fn read(entity_type: &str, item: Item) -> Result<(AuditedId, Revisioned), StoreError> {
    Ok(match entity_type {
        "user" => people::decode_user(item).map(|user| (AuditedId::User(user.id), user.record))?,
        "team" => people::decode_team(item).map(|team| (AuditedId::Team(team.id), team.record))?,
        "presence" => presence::decode(item).map(|presence| (AuditedId::Presence(presence.agent), presence.record))?,
        "schedule" => schedules::decode(item).map(|schedule| (AuditedId::Schedule(schedule.agent), schedule.record))?,
        _ => people::decode_agent(item).map(|agent| (AuditedId::Agent(agent.id), agent.record))?,
    })
}
