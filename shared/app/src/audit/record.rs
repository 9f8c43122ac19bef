//! Turning stream records into chained events. A record that can't become one is set aside by itself; everything else goes on.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use switchboard_domain::actor::ActorKind;
use switchboard_domain::audit::{AuditEvent, Audited, Changes, FieldChange, Fields, Outcome, Place, differences};
use switchboard_domain::clock::{Clock, Entropy};
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::{ContactId, TenantId};
use switchboard_domain::person::MembershipRole;
use switchboard_domain::sealing::ContactKey;
use switchboard_domain::suppression::Suppression;
use switchboard_platform::Files;
use switchboard_store::audit_events::{AuditTable, Listing};
use switchboard_store::item::{Item, text};
use switchboard_store::keys::parse_tenant;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{CoreTable, StoreError, audit_exports, bulk_jobs, contacts, imports};

use super::chunks::WrittenChunk;
use super::lifecycle;
use super::predecessor::{Previous, Sealing, is_same};
use super::redrive::LETTERS;
use super::stream::{Image, Person, StreamRecord, is_technical};
use crate::error::AppError;
use crate::tenants::Tenants;

/// Records the audit trail.
pub struct Recorder {
    /// The tenants, for their keys.
    pub tenants: Arc<Tenants>,
    /// The core table, for the keys of the contacts that notes are about.
    pub core: CoreTable,
    /// Where events go.
    pub events: AuditTable,
    /// Where records go that can't become events.
    pub dead_letters: Files,
    /// What the chunks of imports wrote, and since when one waits for the events of that.
    pub results: Files,
    /// Where the lists behind the events of chunks go.
    pub archive: Files,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for sealing.
    pub entropy: Arc<dyn Entropy>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Events that are new.
    pub recorded: usize,
    /// Events that were there already.
    pub repeated: usize,
    /// Records that change nothing people change.
    pub technical: usize,
    /// Records set aside.
    pub isolated: usize,
}

/// What becomes of a record of the stream.
enum Made {
    /// Nothing: it changes nothing people change.
    Nothing,
    /// An event in its record's chain, or beside it.
    Event(Box<Pending>),
    /// A chunk of an import is complete: its event comes behind those of its rows.
    Chunk(Arc<OpenTenant>, WrittenChunk),
}

/// A record on its way to an event.
pub(super) struct Pending {
    pub(super) tenant: Arc<OpenTenant>,
    /// The event but for the hash of the one before.
    pub(super) event: AuditEvent,
    source: StreamRecord,
    /// When the record was changed before; none for a new one.
    pub(super) changed_before: Option<Timestamp>,
    /// What its changes were sealed from.
    pub(super) sealing: Option<Sealing>,
}

pub(super) type RecordKey = (TenantId, String, String);

/// A dead letter: all that is needed to replay it. Its personal data is sealed, as in the table.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DeadLetter {
    pub(super) reason: String,
    pub(super) sequence: String,
    pub(super) old: Option<serde_json::Value>,
    pub(super) new: Option<serde_json::Value>,
}

impl Recorder {
    /// Records a batch in its order. 1 request per 25 events, 1 W per started KB each; 1 request and 1 R more for an event whose predecessor isn't in
    /// the batch.
    ///
    /// # Errors
    /// Those that pass with time or concern the whole batch, such as a missing permission: the batch is to be delivered again. So is one with the end of a chunk
    /// while events of its rows are still to come.
    pub async fn record(&self, batch: Vec<StreamRecord>) -> Result<Report, AppError> {
        let mut report = Report::default();
        let mut waves: Vec<Vec<Pending>> = Vec::new();
        let mut depth: HashMap<RecordKey, usize> = HashMap::new();
        let mut chunks = Vec::new();
        for record in batch {
            match self.made(&record).await {
                Ok(Made::Nothing) => report.technical += 1,
                Ok(Made::Chunk(tenant, chunk)) => chunks.push((tenant, chunk, record)),
                Ok(Made::Event(pending)) => {
                    let wave = depth.entry(pending.key()).and_modify(|depth| *depth += 1).or_insert(0);
                    if waves.len() == *wave {
                        waves.push(Vec::new());
                    }
                    waves[*wave].push(*pending);
                }
                Err(Trouble::Record(reason)) => self.isolate(&record, &reason, &mut report).await?,
                Err(Trouble::Batch(error)) => return Err(error),
            }
        }
        let mut newest: HashMap<RecordKey, (u32, String)> = HashMap::new();
        for wave in waves {
            self.write(wave, &mut newest, &mut report).await?;
        }
        let mut is_awaited = false;
        for (tenant, chunk, record) in chunks {
            let now = self.clock.now();
            match self.chunk_event(&tenant, &chunk, now).await.map_err(Trouble::of) {
                Ok(Some(event)) => {
                    let inserted = self.insert(&tenant, &[(event, Listing::Listed)], now).await?;
                    *if inserted[0] { &mut report.recorded } else { &mut report.repeated } += 1;
                }
                Ok(None) => is_awaited = true,
                Err(Trouble::Record(reason)) => self.isolate(&record, &reason, &mut report).await?,
                Err(Trouble::Batch(error)) => return Err(error),
            }
        }
        // All else in the batch is on record by now.
        if is_awaited {
            return Err(AppError::Unavailable("events of an import's rows are still to come"));
        }
        Ok(report)
    }

    async fn insert(&self, tenant: &OpenTenant, events: &[(AuditEvent, Listing)], now: Timestamp) -> Result<Vec<bool>, AppError> {
        let kept = SignedDuration::from_hours(24 * i64::from(tenant.record.retention_days));
        Ok(self.events.insert(tenant.record.id, events, now, kept).await?)
    }

    /// Writes events of different records, each behind its predecessor.
    async fn write(&self, wave: Vec<Pending>, newest: &mut HashMap<RecordKey, (u32, String)>, report: &mut Report) -> Result<(), AppError> {
        let mut by_tenant: HashMap<TenantId, Vec<Pending>> = HashMap::new();
        for mut pending in wave {
            match self.previous_hash(&pending, newest).await {
                Err(Trouble::Record(reason)) => self.isolate(&pending.source, &reason, report).await?,
                Err(Trouble::Batch(error)) => return Err(error),
                Ok(Previous::Hash(previous)) => {
                    pending.event.previous_hash = previous;
                    by_tenant.entry(pending.tenant.record.id).or_default().push(pending);
                }
                Ok(Previous::Missing(version)) => {
                    let reason = format!("the event of version {version} is missing");
                    self.isolate(&pending.source, &reason, report).await?;
                }
            }
        }
        let now = self.clock.now();
        for (tenant, pending) in by_tenant {
            let events: Vec<(AuditEvent, Listing)> = pending.iter().map(|pending| (pending.event.clone(), listing(&pending.event))).collect();
            let Some(first) = pending.first() else {
                continue;
            };
            let inserted = self.insert(&first.tenant, &events, now).await?;
            for (pending, inserted) in pending.into_iter().zip(inserted) {
                let hash = if inserted {
                    report.recorded += 1;
                    pending.event.hash()
                } else {
                    let stored = self.events.get(tenant, &pending.event.entity_type, &pending.event.entity_id, &pending.event.place).await?;
                    let stored = stored.ok_or_else(|| AppError::Broken("an event came and went".to_owned()))?;
                    if is_same(&pending, &stored.event) {
                        report.repeated += 1;
                    } else {
                        self.isolate(&pending.source, "another event stands at its place", report).await?;
                    }
                    stored.hash
                };
                if let Some(version) = pending.event.version() {
                    newest.insert(pending.key(), (version, hash));
                }
            }
        }
        Ok(())
    }

    async fn made(&self, record: &StreamRecord) -> Result<Made, Trouble> {
        let Some(item) = record.new.as_ref().or(record.old.as_ref()) else {
            return Err(Trouble::Record("the record has no image".to_owned()));
        };
        let kind = text(item, "type").unwrap_or_default();
        if is_technical(kind) {
            return Ok(Made::Nothing);
        }
        let Some(id) = text(item, "PK").and_then(parse_tenant) else {
            return Err(Trouble::Record("the record belongs to no tenant".to_owned()));
        };
        let tenant = self.tenants.open(id).await.map_err(Trouble::of)?;
        let tenant = tenant.ok_or_else(|| Trouble::Record("the record's tenant does not exist".to_owned()))?;
        if let Some(made) = beside(&tenant, kind, record)? {
            return Ok(made);
        }
        let read = |item: &Item| Image::read(&tenant, item).map_err(|error| Trouble::Record(error.to_string()));
        let old = record.old.as_ref().map(read).transpose()?;
        let Some(new) = record.new.as_ref().map(read).transpose()? else {
            if let Some(Image { person: Person::Of(contact, _), .. }) = &old
                && contacts::get(&self.core, &tenant, contact).await.map_err(|error| Trouble::of(error.into()))?.is_none()
            {
                return Ok(Made::Nothing);
            }
            return Err(Trouble::Record("an audited record was removed instead of marked as deleted".to_owned()));
        };
        let (before, changed_before) = old.as_ref().map_or((0, None), |old| (old.version, Some(old.change.at)));
        let mut changes = differences(old.as_ref().map_or(&Fields::new(), |old| &old.fields), &new.fields);
        if new.version == before {
            return if changes.is_empty() { Ok(Made::Nothing) } else { Err(Trouble::Record("a field changed without the version".to_owned())) };
        }
        if let Some(member) = &new.change.member {
            let role = |role: Option<MembershipRole>| role.map(|role| serde_json::json!(role));
            changes.push(FieldChange { field: format!("members.{}", member.agent), old: role(member.before), new: role(member.after) });
        }
        if new.version != before + 1 {
            return Err(Trouble::Record(format!("the version went from {before} to {}", new.version)));
        }
        let (mut about, mut sealing) = (None, None);
        let changes = match new.person {
            Person::Nobody => Changes::Clear(changes),
            // What it said before would be in the clear: only that it is gone is said.
            Person::Erased => Changes::Clear(differences(&Fields::new(), &new.fields)),
            Person::Keyed(contact, key) => self.sealed(sealing.insert(Sealing::of(contact, key, Changes::purpose(new.version), &changes)?)),
            Person::Of(contact, note) => {
                about = Some(contact.to_string());
                match contacts::get(&self.core, &tenant, &contact).await.map_err(|error| Trouble::of(error.into()))? {
                    Some(stored) => {
                        let record = |error: StoreError| Trouble::Record(error.to_string());
                        let key = contacts::open_key(&tenant.keyring, &contact, stored.wrapped_key()).map_err(record)?;
                        let fields = note.open(&key).map_err(record)?.audit_fields();
                        let purpose = Changes::purpose_of_note(&new.entity_id, new.version);
                        self.sealed(sealing.insert(Sealing::of(contact, key, purpose, &differences(&Fields::new(), &fields))?))
                    }
                    None => Changes::Clear(Vec::new()),
                }
            }
        };
        let event = AuditEvent {
            entity_type: new.entity_type.to_owned(),
            entity_id: new.entity_id,
            place: Place::Version(new.version),
            change: new.change,
            changes,
            outcome: Outcome::Success,
            previous_hash: None,
            about,
        };
        Ok(Made::Event(Box::new(Pending { tenant, event, source: record.clone(), changed_before, sealing })))
    }

    /// Changes sealed under the key of who they are about.
    fn sealed(&self, sealing: &Sealing) -> Changes {
        Changes::Sealed(sealing.key.seal(&sealing.contact, &sealing.purpose, self.entropy.as_ref(), &sealing.json))
    }

    /// Puts a record aside with all that is needed to replay it, and says so where an alarm listens.
    async fn isolate(&self, record: &StreamRecord, reason: &str, report: &mut Report) -> Result<(), AppError> {
        let image = |item: &Option<Item>| item.as_ref().map(|item| serde_json::to_value(serde_dynamo::Item::from(item.clone()))).transpose();
        let broken = |error: serde_json::Error| AppError::Broken(error.to_string());
        let letter = DeadLetter {
            reason: reason.to_owned(),
            sequence: record.sequence.clone(),
            old: image(&record.old).map_err(broken)?,
            new: image(&record.new).map_err(broken)?,
        };
        let item = record.new.as_ref().or(record.old.as_ref());
        let part = |name: &str| in_letters(item.and_then(|item| text(item, name)).unwrap_or("none"));
        let key = format!("{LETTERS}{}/{}/{}.json", part("PK"), part("SK"), record.sequence);
        self.dead_letters.put_json(&key, &letter).await?;
        tracing::error!(alarm = "audit record isolated", reason, dead_letter = key, "an audited change was set aside");
        report.isolated += 1;
        Ok(())
    }
}

impl Pending {
    pub(super) fn key(&self) -> RecordKey {
        (self.tenant.record.id, self.event.entity_type.clone(), self.event.entity_id.clone())
    }
}

/// A part of an item's key as it stands in the keys of letters.
pub(super) fn in_letters(part: &str) -> String {
    part.replace(['#', '/'], "_")
}

/// The rows of an import of contacts or numbers, of which there may be millions, stand in no list: the event of their chunk does. What undoes an import, which names a
/// request, is listed like any other change.
pub(super) fn listing(event: &AuditEvent) -> Listing {
    let by_import = event.change.origin.actor.kind == ActorKind::Import;
    let are_many = [Contact::ENTITY_TYPE, Suppression::ENTITY_TYPE].contains(&event.entity_type.as_str());
    let is_row = by_import && event.change.origin.request_id.is_none();
    if is_row && are_many && event.version().is_some() { Listing::RowOfImport } else { Listing::Listed }
}

/// What becomes of records that have no version, only a beginning and an end: imports, their chunks, jobs. None for any other.
fn beside(tenant: &Arc<OpenTenant>, kind: &str, record: &StreamRecord) -> Result<Option<Made>, Trouble> {
    let unreadable = |error: StoreError| Trouble::Record(error.to_string());
    let (old, Some(new)) = (record.old.as_ref(), record.new.as_ref()) else {
        // They aren't audited themselves: that one was removed says nothing.
        return Ok([imports::IMPORT, imports::CHUNK, bulk_jobs::BULK_JOB, audit_exports::AUDIT_EXPORT].contains(&kind).then_some(Made::Nothing));
    };
    let event = match kind {
        imports::IMPORT => {
            let old = old.map(|old| imports::decode(old.clone())).transpose().map_err(unreadable)?;
            lifecycle::of_import(old.as_ref(), &imports::decode(new.clone()).map_err(unreadable)?)
        }
        bulk_jobs::BULK_JOB => {
            let old = old.map(|old| bulk_jobs::decode(tenant, old.clone())).transpose().map_err(unreadable)?;
            lifecycle::of_job(old.as_ref(), &bulk_jobs::decode(tenant, new.clone()).map_err(unreadable)?)
        }
        audit_exports::AUDIT_EXPORT => {
            let old = old.map(|old| audit_exports::decode(old.clone())).transpose().map_err(unreadable)?;
            lifecycle::of_export(old.as_ref(), &audit_exports::decode(new.clone()).map_err(unreadable)?)
        }
        imports::CHUNK => {
            let chunk = WrittenChunk::of(old, new).map_err(unreadable)?;
            return Ok(Some(chunk.map_or(Made::Nothing, |chunk| Made::Chunk(Arc::clone(tenant), chunk))));
        }
        _ => return Ok(None),
    };
    Ok(Some(event.map_or(Made::Nothing, |event| {
        Made::Event(Box::new(Pending { tenant: Arc::clone(tenant), event, source: record.clone(), changed_before: None, sealing: None }))
    })))
}

/// What stands in the way of a record.
pub(super) enum Trouble {
    /// The record itself.
    Record(String),
    /// Something that concerns the whole batch.
    Batch(AppError),
}

impl Trouble {
    /// What an error stands in the way of: one that comes with the record itself comes again however often the batch does.
    pub(super) fn of(error: AppError) -> Self {
        match error {
            AppError::Broken(_) | AppError::Store(StoreError::Undecodable { .. } | StoreError::TooLarge) => Self::Record(error.to_string()),
            error => Self::Batch(error),
        }
    }
}

impl Sealing {
    fn of(contact: ContactId, key: ContactKey, purpose: String, changes: &[FieldChange]) -> Result<Self, Trouble> {
        let json = serde_json::to_vec(changes).map_err(|error| Trouble::Record(error.to_string()))?;
        Ok(Self { contact, key, purpose, json })
    }
}
