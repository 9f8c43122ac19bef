//! Which changes of contacts can change their scores: those of what the tenant's model looks at, and of nothing else.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use switchboard_domain::clock::Clock;
use switchboard_domain::ids::{ContactId, TenantId};
use switchboard_domain::scoring::{Input, ModelVersion, Score, inputs_of};
use switchboard_platform::FifoMessage;
use switchboard_store::contacts::{CONTACT, score_from_bytes};
use switchboard_store::item::{Item, text};
use switchboard_store::keys::parse_contact;
use switchboard_store::{CoreTable, StoreError, TenantScope, settings, tenants};

use super::message::{ScoreMessage, messages};
use crate::audit::StreamRecord;
use crate::error::AppError;
use crate::viewer::is_young;

/// How long a tenant's model is believed to be in force without asking again, as long as nothing speaks against it.
const BELIEVED: SignedDuration = SignedDuration::from_secs(30);

/// Knows what the models of tenants look at.
pub struct Watch {
    core: CoreTable,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<TenantId, Known>>,
}

/// A tenant's model, and when it was read.
#[derive(Clone)]
struct Known {
    scope: TenantScope,
    at: Timestamp,
    looks_at: Arc<LooksAt>,
}

/// What a model looks at.
struct LooksAt {
    model: ModelVersion,
    inputs: BTreeSet<Input>,
}

/// What is to be scored again because of a batch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Concerned {
    /// A message for each contact, once.
    pub messages: Vec<FifoMessage<ScoreMessage>>,
    /// Contacts that nobody can score: their tenants don't exist, or what they have configured can't be read.
    pub set_aside: usize,
}

/// A live contact of a batch, before and after a change.
struct Change<'a> {
    old: Option<&'a Item>,
    new: &'a Item,
}

impl Watch {
    /// Knows nothing yet.
    #[must_use]
    pub fn new(core: CoreTable, clock: Arc<dyn Clock>) -> Self {
        Self { core, clock, known: Mutex::default() }
    }

    /// The messages for those contacts of a batch whose scores its changes can change. New contacts have their score already, unless it is by another model than the tenant's.
    /// Technical writes, that of a score among them, change none; nor is a deleted contact scored.
    ///
    /// For each tenant 1 request and 2 R per half minute, and for each batch with scores by another model than is believed to be in force; 1 R more per 4 KB of the tenant's own
    /// model; the first time 1 request and 1 R more.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn concerned(&self, batch: &[StreamRecord]) -> Result<Concerned, AppError> {
        let mut by_tenant: BTreeMap<TenantId, Vec<(ContactId, Option<Change<'_>>)>> = BTreeMap::new();
        for (tenant, contact, change) in batch.iter().filter_map(contact_of) {
            by_tenant.entry(tenant).or_default().push((contact, change));
        }
        let mut concerned = Concerned::default();
        for (tenant, changes) in by_tenant {
            let live: Vec<&Change<'_>> = changes.iter().filter_map(|(_, change)| change.as_ref()).filter(|change| change.is_seen()).collect();
            if live.is_empty() {
                continue;
            }
            let looks_at = match self.looks_at(tenant, &live).await {
                Ok(Some(looks_at)) => looks_at,
                // One tenant must not keep the changes of the others back.
                Ok(None) | Err(AppError::Store(StoreError::Undecodable { .. })) => {
                    let contacts: BTreeSet<&ContactId> = changes.iter().map(|(contact, _)| contact).collect();
                    tracing::error!(tenant.id = %tenant, contacts = contacts.len(), "contacts can't be scored: their tenant does not exist, or its settings can't be read");
                    concerned.set_aside += contacts.len();
                    continue;
                }
                Err(error) => return Err(error),
            };
            let now = self.clock.now();
            let mut contacts: BTreeSet<&ContactId> = BTreeSet::new();
            for (contact, change) in &changes {
                match change {
                    Some(change) if looks_at.is_changed_by(change, now) => {
                        contacts.insert(contact);
                    }
                    Some(_) => {}
                    None => {
                        contacts.remove(contact);
                    }
                }
            }
            concerned.messages.extend(messages(tenant, contacts, now));
        }
        Ok(concerned)
    }

    /// What the model in force looks at; none for a tenant that doesn't exist.
    ///
    /// What is believed for half a minute is enough: the job that scores all contacts by a model that comes into force begins when nobody believes the former one any more. A score
    /// by another model than this one believes in says that it came, or is coming.
    async fn looks_at(&self, tenant: TenantId, changes: &[&Change<'_>]) -> Result<Option<Arc<LooksAt>>, AppError> {
        let known = self.known().get(&tenant).cloned();
        if let Some(known) = &known
            && is_young(known.at, self.clock.now(), BELIEVED)
            && changes.iter().all(|change| known.looks_at.has_made(score_of(change.new).as_ref()))
        {
            return Ok(Some(Arc::clone(&known.looks_at)));
        }
        let scope = match known {
            Some(known) => known.scope,
            None => match tenants::load(&self.core, tenant).await? {
                Some((scope, _)) => scope,
                None => return Ok(None),
            },
        };
        let at = self.clock.now();
        let model = settings::load(&self.core, &scope).await?.scorer.model;
        let looks_at = Arc::new(LooksAt { model: model.version, inputs: inputs_of(&model) });
        self.known().insert(tenant, Known { scope, at, looks_at: Arc::clone(&looks_at) });
        Ok(Some(looks_at))
    }

    /// The cache stays usable when a thread died holding it.
    fn known(&self) -> MutexGuard<'_, HashMap<TenantId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Change<'_> {
    /// Whether it is one that others see: technical writes leave the version alone.
    fn is_seen(&self) -> bool {
        self.old.is_none_or(|old| old.get("version") != self.new.get("version"))
    }

    /// Whether something has another value than before.
    fn differs(&self, input: &Input) -> bool {
        let differs = |name: &str| self.old.and_then(|old| old.get(name)) != self.new.get(name);
        match input {
            Input::Source => differs("source"),
            Input::Status => differs("status"),
            Input::NextContactAt => differs("next_contact_at"),
            Input::TimeZone => differs("time_zone"),
            Input::Assignee => differs("assignee"),
            Input::AnyChange => true,
            Input::Sealed => differs("sealed_list") || differs("sealed"),
            Input::Name => differs("name"),
            Input::City => differs("city"),
            Input::Region => differs("region"),
            Input::Attribute(name) => {
                let attribute = |item: &Item| item.get("attributes").and_then(|attributes| attributes.as_m().ok()?.get(name).cloned());
                self.old.and_then(attribute) != attribute(self.new)
            }
        }
    }
}

impl LooksAt {
    /// Whether a score is by this model.
    fn has_made(&self, score: Option<&Score>) -> bool {
        score.is_some_and(|score| score.model == self.model)
    }

    /// Whether a change can change the score, or the score is to be made anew anyway: it is by another model, or its time came before those could know who look for what is
    /// due, as that of a new contact whose writing took long.
    fn is_changed_by(&self, change: &Change<'_>, now: Timestamp) -> bool {
        if !change.is_seen() {
            return false;
        }
        let score = score_of(change.new);
        let has_come = score.as_ref().and_then(|score| score.next_change_at).is_some_and(|at| at <= now);
        !self.has_made(score.as_ref()) || has_come || change.old.is_some_and(|old| is_gone(old) || self.inputs.iter().any(|input| change.differs(input)))
    }
}

/// The contact of a record, and its change; no change when it isn't live after it.
fn contact_of(record: &StreamRecord) -> Option<(TenantId, ContactId, Option<Change<'_>>)> {
    let item = record.new.as_ref().or(record.old.as_ref())?;
    if text(item, "type") != Some(CONTACT) {
        return None;
    }
    let (tenant, contact) = parse_contact(text(item, "PK")?)?;
    let new = record.new.as_ref().filter(|new| !is_gone(new));
    Some((tenant, contact, new.map(|new| Change { old: record.old.as_ref(), new })))
}

/// Whether a contact was deleted or erased.
fn is_gone(item: &Item) -> bool {
    item.contains_key("deleted_at") || item.contains_key("erased_at")
}

/// The score of a contact; none when it has none, or nobody can tell.
fn score_of(item: &Item) -> Option<Score> {
    let number = |name: &str| item.get(name)?.as_n().ok()?.parse::<i64>().ok();
    let base = Timestamp::from_millisecond(number("created_at")?).ok()?;
    let bytes = item.get("scored")?.as_b().ok()?;
    score_from_bytes(u8::try_from(number("score")?).ok()?, base, bytes.as_ref()).ok()
}
