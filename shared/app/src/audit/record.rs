//! Turning stream records into chained events. A record that can't become one is set aside by itself; everything else goes on.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde::Serialize;
use switchboard_domain::audit::{AuditEvent, Audited, Changes, FieldChange, Fields, Outcome, differences};
use switchboard_domain::clock::Entropy;
use switchboard_domain::ids::{ContactId, TenantId};
use switchboard_domain::person::MembershipRole;
use switchboard_domain::sealing::ContactKey;
use switchboard_domain::tenant::RETENTION_DAYS;
use switchboard_platform::Files;
use switchboard_store::audit_events::AuditTable;
use switchboard_store::item::{Item, text};
use switchboard_store::keys::parse_tenant;
use switchboard_store::{CoreTable, contacts};

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

/// A record on its way to an event.
struct Pending {
    tenant: TenantId,
    /// The event but for the hash of the one before.
    event: AuditEvent,
    source: StreamRecord,
}

type RecordKey = (TenantId, String, String);

/// A dead letter: all that is needed to replay it. Its personal data is sealed, as in the table.
#[derive(Serialize)]
struct DeadLetter<'a> {
    reason: &'a str,
    sequence: &'a str,
    old: Option<serde_json::Value>,
    new: Option<serde_json::Value>,
}

impl Recorder {
    /// Records a batch in its order. 1 request per 25 events, 1 W per started KB each; 1 request and 1 R more for an event whose predecessor isn't in
    /// the batch.
    ///
    /// # Errors
    /// Those that pass with time or concern the whole batch, such as a missing permission: the batch is to be delivered again.
    pub async fn record(&self, batch: Vec<StreamRecord>) -> Result<Report, AppError> {
        let mut report = Report::default();
        let mut waves: Vec<Vec<Pending>> = Vec::new();
        let mut depth: HashMap<RecordKey, usize> = HashMap::new();
        for record in batch {
            match self.pending(&record).await {
                Ok(None) => report.technical += 1,
                Ok(Some(pending)) => {
                    let wave = depth.entry(pending.key()).and_modify(|depth| *depth += 1).or_insert(0);
                    if waves.len() == *wave {
                        waves.push(Vec::new());
                    }
                    waves[*wave].push(pending);
                }
                Err(Trouble::Record(reason)) => self.isolate(&record, &reason, &mut report).await?,
                Err(Trouble::Batch(error)) => return Err(error),
            }
        }
        let mut newest: HashMap<RecordKey, (u32, String)> = HashMap::new();
        for wave in waves {
            self.write(wave, &mut newest, &mut report).await?;
        }
        Ok(report)
    }

    /// Writes events of different records, each behind its predecessor.
    async fn write(&self, wave: Vec<Pending>, newest: &mut HashMap<RecordKey, (u32, String)>, report: &mut Report) -> Result<(), AppError> {
        let mut by_tenant: HashMap<TenantId, Vec<Pending>> = HashMap::new();
        for mut pending in wave {
            match self.previous_hash(&pending, newest).await? {
                Some(previous) => {
                    pending.event.previous_hash = previous;
                    by_tenant.entry(pending.tenant).or_default().push(pending);
                }
                None => {
                    let reason = format!("the event of version {} is missing", pending.event.version - 1);
                    self.isolate(&pending.source, &reason, report).await?;
                }
            }
        }
        for (tenant, pending) in by_tenant {
            let events: Vec<AuditEvent> = pending.iter().map(|pending| pending.event.clone()).collect();
            let opened = self.tenants.open(tenant).await?;
            let retention = opened.map_or(RETENTION_DAYS, |opened| opened.record.retention_days);
            let inserted = self.events.insert(tenant, &events, SignedDuration::from_hours(24 * i64::from(retention))).await?;
            for (pending, inserted) in pending.into_iter().zip(inserted) {
                let AuditEvent { version, .. } = pending.event;
                let hash = if inserted {
                    report.recorded += 1;
                    pending.event.hash()
                } else {
                    report.repeated += 1;
                    let key = pending.key();
                    let stored = self.events.get(tenant, &key.1, &key.2, version).await?;
                    stored.ok_or_else(|| AppError::Broken("an event came and went".to_owned()))?.hash
                };
                newest.insert(pending.key(), (version, hash));
            }
        }
        Ok(())
    }

    /// The hash an event must carry: `Some(None)` for a first version, `None` when the predecessor isn't there.
    async fn previous_hash(&self, pending: &Pending, newest: &HashMap<RecordKey, (u32, String)>) -> Result<Option<Option<String>>, AppError> {
        let version = pending.event.version;
        if version == 1 {
            return Ok(Some(None));
        }
        let key = pending.key();
        if let Some((before, hash)) = newest.get(&key)
            && *before == version - 1
        {
            return Ok(Some(Some(hash.clone())));
        }
        let stored = self.events.get(pending.tenant, &key.1, &key.2, version - 1).await?;
        Ok(stored.map(|stored| Some(stored.hash)))
    }

    async fn pending(&self, record: &StreamRecord) -> Result<Option<Pending>, Trouble> {
        let Some(item) = record.new.as_ref().or(record.old.as_ref()) else {
            return Err(Trouble::Record("the record has no image".to_owned()));
        };
        if is_technical(text(item, "type").unwrap_or_default()) {
            return Ok(None);
        }
        let Some(id) = text(item, "PK").and_then(parse_tenant) else {
            return Err(Trouble::Record("the record belongs to no tenant".to_owned()));
        };
        let tenant = self.tenants.open(id).await.map_err(Trouble::Batch)?;
        let tenant = tenant.ok_or_else(|| Trouble::Record("the record's tenant does not exist".to_owned()))?;
        let read = |item: &Item| Image::read(&tenant, item).map_err(|error| Trouble::Record(error.to_string()));
        let old = record.old.as_ref().map(read).transpose()?;
        let Some(new) = record.new.as_ref().map(read).transpose()? else {
            if let Some(Image { person: Person::Of(contact, _), .. }) = &old
                && contacts::get(&self.core, &tenant, contact).await.map_err(|error| Trouble::Batch(error.into()))?.is_none()
            {
                return Ok(None);
            }
            return Err(Trouble::Record("an audited record was removed instead of marked as deleted".to_owned()));
        };
        let before = old.as_ref().map_or(0, |old| old.version);
        let mut changes = differences(old.as_ref().map_or(&Fields::new(), |old| &old.fields), &new.fields);
        if new.version == before {
            return if changes.is_empty() { Ok(None) } else { Err(Trouble::Record("a field changed without the version".to_owned())) };
        }
        if let Some(member) = &new.change.member {
            let role = |role: Option<MembershipRole>| role.map(|role| serde_json::json!(role));
            changes.push(FieldChange { field: format!("members.{}", member.agent), old: role(member.before), new: role(member.after) });
        }
        if new.version != before + 1 {
            return Err(Trouble::Record(format!("the version went from {before} to {}", new.version)));
        }
        let changes = match new.person {
            Person::Nobody => Changes::Clear(changes),
            // What it said before would be in the clear: only that it is gone is said.
            Person::Erased => Changes::Clear(differences(&Fields::new(), &new.fields)),
            Person::Keyed(contact, key) => self.sealed(&contact, &key, &Changes::purpose(new.version), &changes)?,
            Person::Of(contact, note) => match contacts::get(&self.core, &tenant, &contact).await.map_err(|error| Trouble::Batch(error.into()))? {
                Some(stored) => {
                    let record = |error: switchboard_store::StoreError| Trouble::Record(error.to_string());
                    let key = contacts::open_key(&tenant.keyring, &contact, stored.wrapped_key()).map_err(record)?;
                    let fields = note.open(&key).map_err(record)?.audit_fields();
                    self.sealed(&contact, &key, &Changes::purpose_of_note(&new.entity_id, new.version), &differences(&Fields::new(), &fields))?
                }
                None => Changes::Clear(Vec::new()),
            },
        };
        let event = AuditEvent {
            entity_type: new.entity_type.to_owned(),
            entity_id: new.entity_id,
            version: new.version,
            change: new.change,
            changes,
            outcome: Outcome::Success,
            previous_hash: None,
        };
        Ok(Some(Pending { tenant: id, event, source: record.clone() }))
    }

    /// Changes sealed under the key of who they are about.
    fn sealed(&self, contact: &ContactId, key: &ContactKey, purpose: &str, changes: &[FieldChange]) -> Result<Changes, Trouble> {
        let json = serde_json::to_vec(changes).map_err(|error| Trouble::Record(error.to_string()))?;
        Ok(Changes::Sealed(key.seal(contact, purpose, self.entropy.as_ref(), &json)))
    }

    /// Puts a record aside with all that is needed to replay it, and says so where an alarm listens.
    async fn isolate(&self, record: &StreamRecord, reason: &str, report: &mut Report) -> Result<(), AppError> {
        let image = |item: &Option<Item>| item.as_ref().map(|item| serde_json::to_value(serde_dynamo::Item::from(item.clone()))).transpose();
        let broken = |error: serde_json::Error| AppError::Broken(error.to_string());
        let letter = DeadLetter { reason, sequence: &record.sequence, old: image(&record.old).map_err(broken)?, new: image(&record.new).map_err(broken)? };
        let item = record.new.as_ref().or(record.old.as_ref());
        let part = |name: &str| item.and_then(|item| text(item, name)).unwrap_or("none").replace(['#', '/'], "_");
        let key = format!("records/{}/{}/{}.json", part("PK"), part("SK"), record.sequence);
        self.dead_letters.put_json(&key, &letter).await?;
        tracing::error!(alarm = "audit record isolated", reason, dead_letter = key, "an audited change was set aside");
        report.isolated += 1;
        Ok(())
    }
}

impl Pending {
    fn key(&self) -> RecordKey {
        (self.tenant, self.event.entity_type.clone(), self.event.entity_id.clone())
    }
}

/// What stands in the way of a record.
enum Trouble {
    /// The record itself.
    Record(String),
    /// Something that concerns the whole batch.
    Batch(AppError),
}
