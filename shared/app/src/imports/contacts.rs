//! Contacts: new ones 25 at a time, changed ones conditionally, and each row counted once however often the message comes.

use std::collections::HashSet;
use std::sync::Arc;

use futures::future::join;
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::contact::{Contact, ContactDetails, Defaults, ImportMark, RowWrite};
use switchboard_domain::ids::{ContactId, SuppressionId};
use switchboard_domain::imports::{Import, Resolved, Row, RowDecision, RowError, RowKey, RowStatuses, ValidatedRow, decide, to_input};
use switchboard_domain::suppression::{self, Suppression};
use switchboard_store::contacts::{self, Creation, StoredContact};
use switchboard_store::settings::Settings;
use switchboard_store::suppressions;
use switchboard_store::tenants::OpenTenant;

use super::colleagues::Colleagues;
use super::kinds::{Foresees, Kind, Prepared, Ready, Tally};
use super::preview::RowOutcome;
use super::rows::{row_error, row_warning, unreadable_row};
use crate::contacts::{is_owner_there, status_of_returned};
use crate::error::AppError;
use crate::services::Services;

/// How often a contact that keeps changing is decided again before the message is left for later.
const ATTEMPTS: usize = 10;

/// The source of the entries that rows of contacts make on the suppression list.
const SOURCE: &str = "import";

/// A row that says something of a contact.
#[derive(Clone)]
pub(super) struct Draft {
    /// The slot of its number.
    place: ContactId,
    /// In a place of its own: it is large, and handed on often.
    said: Box<ValidatedRow>,
    /// Whose it becomes.
    resolved: Resolved,
}

type ReadyContact = Ready<Draft>;

/// The rows of an import of contacts.
pub(super) struct Contacts<'a> {
    services: &'a Services,
    tenant: &'a OpenTenant,
    settings: Arc<Settings>,
    statuses: RowStatuses,
    import: &'a Import,
    redelivered: bool,
    defaults: Defaults,
    origin: Origin,
    colleagues: Colleagues<'a>,
}

impl<'a> Contacts<'a> {
    /// Makes ready for the rows of a chunk. No request, unless the tenant's settings aren't known.
    pub(super) async fn of(services: &'a Services, tenant: &'a OpenTenant, import: &'a Import, redelivered: bool) -> Result<Self, AppError> {
        let settings = services.tenants.settings(&tenant.scope).await?;
        let statuses = RowStatuses::of(&settings.statuses).ok_or_else(|| AppError::Broken("the tenant lacks a status of the system".to_owned()))?;
        let defaults = import.options.defaults(tenant.defaults());
        let colleagues = Colleagues::of(services, tenant, import, redelivered);
        let origin = Origin::import(import.id, &import.file_name);
        Ok(Self { services, tenant, settings, statuses, import, redelivered, defaults, origin, colleagues })
    }
}

impl Kind for Contacts<'_> {
    type Draft = Draft;

    async fn prepare(&mut self, row: &Row) -> Result<Prepared<Draft>, AppError> {
        let said = match to_input(row, &self.import.mapping, &self.import.options, self.import.created_at) {
            Ok(said) => said,
            Err(problem) => return Ok(Prepared::Failed(vec![unreadable_row(row.number, &problem)])),
        };
        let error = |error: switchboard_domain::field_error::FieldError| {
            let value = said.text_of(&error.field).map(str::to_owned);
            row_error(row.number, error, value)
        };
        let mut validated = match said.validate(&self.defaults, &self.import.options, &self.statuses) {
            Ok(validated) => Box::new(validated),
            Err(errors) => return Ok(Prepared::Failed(errors.into_iter().map(error).collect())),
        };
        let mut resolved = Resolved::default();
        let mut errors: Vec<RowError> = Vec::new();
        if let Some(address) = &validated.assign_to {
            resolved.assignee = self.colleagues.agent(address).await?.map_err(|wrong| errors.push(error(wrong))).ok();
        }
        if let Some(name) = &validated.team {
            resolved.team = self.colleagues.team(name).await?.map_err(|wrong| errors.push(error(wrong))).ok().flatten();
        }
        if !errors.is_empty() {
            return Ok(Prepared::Failed(errors));
        }
        let warnings = std::mem::take(&mut validated.warnings).into_iter().map(|warning| row_warning(row.number, warning.error, warning.value)).collect();
        let place = self.tenant.keyring.slot(&validated.draft.phone.e164);
        let key = RowKey::of_slot(&place);
        Ok(Prepared::Ready(Ready { row: row.number, key, draft: Draft { place, said: validated, resolved } }, warnings))
    }

    async fn write(&mut self, ready: Vec<ReadyContact>, rows: &[Row], tally: &mut Tally) -> Result<(), AppError> {
        self.colleagues.keep(tally);
        let places: Vec<ContactId> = ready.iter().map(|ready| ready.draft.place.clone()).collect();
        // Their entries in the suppression list, which no import weakens.
        let entries: Vec<SuppressionId> = ready.iter().map(|ready| suppression::id_of(&self.tenant.keyring, &ready.draft.said.draft.phone.e164)).collect();
        let core = &self.services.core;
        let (owners, suppressed) = join(contacts::owners_of_slots(core, self.tenant, &places), suppressions::find_many(core, &self.tenant.scope, &entries)).await;
        let (mut owners, mut suppressed) = (owners?, suppressed?);
        let (mut numbers, mut new) = (Vec::with_capacity(ready.len()), Vec::with_capacity(ready.len()));
        for (ready, entry) in ready.into_iter().zip(&entries) {
            let owner = owners.remove(&ready.draft.place);
            let existing = owner.as_ref().and_then(Option::as_ref).map(|stored| &stored.contact);
            let decision = existing.map(|contact| self.decide(&ready, contact));
            if !matches!(decision, Some(RowDecision::Skipped(_) | RowDecision::Refused(_))) {
                self.suppress(&ready, entry, &mut suppressed, tally).await?;
                warn(&ready, ready.draft.said.said_in_vain(existing, suppressed.contains(entry), &self.statuses), tally);
            }
            let is_suppressed = suppressed.contains(entry);
            match owner {
                Some(Some(stored)) => self.settle(ready, stored, is_suppressed, tally).await?,
                Some(None) => self.create_alone(ready, is_suppressed, tally).await?,
                None => {
                    numbers.push(ready.row);
                    new.push(self.new_contact(ready, is_suppressed));
                }
            }
        }
        if new.is_empty() {
            return Ok(());
        }
        let created = contacts::create_many(core, self.tenant, &self.settings, &mut new, self.services.entropy.as_ref()).await?;
        for ((number, contact), created) in numbers.into_iter().zip(new).zip(created) {
            if created {
                wrote(tally, RowWrite::Created, contact.id, Some(contact.record.version));
                continue;
            }
            // Somebody was first, or the answer to our own earlier attempt was lost: what is there tells. The row is read once more.
            let row = rows.iter().find(|row| row.number == number).ok_or_else(|| AppError::Broken(format!("row {number} is not among those that are written")))?;
            let Prepared::Ready(ready, _) = self.prepare(row).await? else {
                return Err(AppError::Broken(format!("row {number} is read otherwise than before")));
            };
            match contacts::owner_of_number(core, self.tenant, &contact.details.phone).await? {
                Some(stored) => self.settle(ready, stored, contact.suppressed, tally).await?,
                None => self.create_alone(ready, contact.suppressed, tally).await?,
            }
        }
        Ok(())
    }
}

impl Foresees for Contacts<'_> {
    async fn foresee(&mut self, ready: Vec<ReadyContact>) -> Result<Vec<(u64, RowOutcome, Option<RowError>)>, AppError> {
        let places: Vec<ContactId> = ready.iter().map(|ready| ready.draft.place.clone()).collect();
        let owners = contacts::owners_of_slots(&self.services.core, self.tenant, &places).await?;
        let outcome = |ready: &ReadyContact| {
            let existing = owners.get(&ready.draft.place).and_then(Option::as_ref).map(|stored| &stored.contact);
            match existing.map(|contact| self.decide(ready, contact)) {
                None => (ready.row, RowOutcome::Create, None),
                Some(RowDecision::Update(_) | RowDecision::Done(_)) => (ready.row, RowOutcome::Update, None),
                Some(RowDecision::Unchanged) => (ready.row, RowOutcome::Unchanged, None),
                Some(RowDecision::Skipped(_)) => (ready.row, RowOutcome::Skip, None),
                Some(RowDecision::Refused(error)) => (ready.row, RowOutcome::Fail, Some(row_error(ready.row, error, None))),
            }
        };
        Ok(ready.iter().map(outcome).collect())
    }
}

/// Keeps what a row says in vain, once.
fn warn(ready: &ReadyContact, warnings: Vec<switchboard_domain::contact::Warning>, tally: &mut Tally) {
    if warnings.is_empty() {
        return;
    }
    let has_warned = tally.errors.iter().rev().any(|error| error.row == ready.row && error.warning);
    tally.counts.warned += u64::from(!has_warned);
    tally.errors.extend(warnings.into_iter().map(|warning| row_warning(ready.row, warning.error, warning.value)));
}

/// Counts a row that was written, now or before, and keeps which version of which contact it made.
fn wrote(tally: &mut Tally, written: RowWrite, contact: ContactId, version: Option<u32>) {
    tally.wrote(written == RowWrite::Created);
    tally.keep::<Contact>(contact, version);
}

impl Contacts<'_> {
    /// Creates a contact whose number's slot is another record's home.
    async fn create_alone(&self, ready: ReadyContact, is_suppressed: bool, tally: &mut Tally) -> Result<(), AppError> {
        let core = &self.services.core;
        let contact = self.new_contact(ready.clone(), is_suppressed);
        match contacts::create(core, self.tenant, &self.settings, contact, |_| Vec::new(), self.services.entropy.as_ref()).await? {
            Creation::Created(contact) => {
                wrote(tally, RowWrite::Created, contact.id, Some(contact.record.version));
                Ok(())
            }
            Creation::Exists(stored) => self.settle(ready, stored, is_suppressed, tally).await,
            Creation::Refused => Err(AppError::Broken("a contact came and went".to_owned())),
        }
    }

    /// Puts a number on the suppression list when its row says so. The entry decides, and comes before the contact's mark of it.
    async fn suppress(&self, ready: &ReadyContact, id: &SuppressionId, known: &mut HashSet<SuppressionId>, tally: &mut Tally) -> Result<(), AppError> {
        // A worker before this one may have put it there and died: then it is told as this row's all the same.
        if !ready.draft.said.asks_not_to_be_called(&self.statuses) || (known.contains(id) && !self.redelivered) {
            return Ok(());
        }
        let (core, scope) = (&self.services.core, &self.tenant.scope);
        for _ in 0..ATTEMPTS {
            let source = SOURCE.to_owned();
            let change = self.change("suppression.added");
            let (entry, replaced) = match suppressions::find(core, scope, id).await? {
                None => (Suppression::added(id.clone(), ready.draft.place.clone(), None, source, change), None),
                Some(entry) if entry.is_in_force() => {
                    if entry.record.last_change.origin.import_id() == Some(self.import.id) {
                        tally.keep::<Suppression>(id, Some(entry.record.version));
                    }
                    known.insert(id.clone());
                    return Ok(());
                }
                // Somebody took it off since the writing began: that is newer than the file.
                Some(entry) if self.redelivered && self.import.writing_since.is_some_and(|since| entry.record.updated_at() > since) => return Ok(()),
                Some(entry) => (entry.added_again(None, source, change), Some(entry.record.revision)),
            };
            if suppressions::write(core, scope, &entry, replaced, Vec::new()).await? {
                tally.keep::<Suppression>(id, Some(entry.record.version));
                known.insert(id.clone());
                return Ok(());
            }
        }
        Err(switchboard_store::StoreError::Unavailable("the entry of a number keeps changing".to_owned()).into())
    }

    /// Brings one existing contact and its row together, deciding again whenever somebody else was faster.
    async fn settle(&self, ready: ReadyContact, mut stored: StoredContact, is_suppressed: bool, tally: &mut Tally) -> Result<(), AppError> {
        let core = &self.services.core;
        for _ in 0..ATTEMPTS {
            let details = match self.decide(&ready, &stored.contact) {
                RowDecision::Update(details) => *details,
                RowDecision::Unchanged => {
                    tally.counts.unchanged += 1;
                    return Ok(());
                }
                RowDecision::Skipped(_) => {
                    tally.counts.skipped += 1;
                    return Ok(());
                }
                RowDecision::Refused(error) => {
                    let value = (error.field == "phone").then(|| ready.draft.said.draft.phone.e164.clone());
                    tally.fail(vec![row_error(ready.row, error, value)]);
                    return Ok(());
                }
                RowDecision::Done(written) => {
                    let version = self.version_made(&stored.contact, ready.row, written);
                    wrote(tally, written, stored.contact.id, version);
                    return Ok(());
                }
            };
            let revision = stored.contact.record.revision;
            let mut changed = StoredContact { contact: self.changed_contact(&ready, &stored.contact, details), placement: stored.placement.clone() };
            changed.contact.suppressed |= is_suppressed && changed.contact.details.phone == ready.draft.said.draft.phone.e164;
            let comes_back = stored.contact.deleted_at.is_some();
            if comes_back && !is_owner_there(self.services, self.tenant, &changed.contact.details).await? {
                (changed.contact.details.assignee, changed.contact.details.team) = (None, None);
            }
            let known = self.services.tenants.settings_knowing(&self.tenant.scope, &self.settings, changed.contact.details.status).await?;
            let settings = known.as_deref().unwrap_or(&self.settings);
            if contacts::replace(core, self.tenant, settings, &changed, revision, self.services.entropy.as_ref()).await? {
                wrote(tally, RowWrite::Updated, changed.contact.id, Some(changed.contact.record.version));
                return Ok(());
            }
            let Some(now) = contacts::owner_of_number(core, self.tenant, &ready.draft.said.draft.phone.e164).await? else {
                return Err(switchboard_store::StoreError::Unavailable("a contact came and went".to_owned()).into());
            };
            stored = now;
        }
        Err(switchboard_store::StoreError::Unavailable("a contact keeps changing".to_owned()).into())
    }

    fn decide(&self, ready: &ReadyContact, existing: &Contact) -> RowDecision {
        let draft = &ready.draft;
        decide(self.import, ready.row, &draft.said, draft.resolved, existing, self.redelivered, &self.defaults, &self.statuses)
    }

    /// The version that a row made before: the contact's mark of it says so.
    fn version_made(&self, contact: &Contact, row: u64, written: RowWrite) -> Option<u32> {
        let mark = contact.import_marks.iter().find(|mark| mark.import == self.import.id && mark.row == row);
        mark.and_then(|mark| mark.version).or((written == RowWrite::Created).then_some(1))
    }

    fn new_contact(&self, ready: ReadyContact, suppressed: bool) -> Contact {
        let Draft { place, said, resolved } = ready.draft;
        let mark = ImportMark { import: self.import.id, row: ready.row, written: RowWrite::Created, version: None };
        let details = said.into_details(resolved, &self.defaults, &self.statuses);
        Contact { import_marks: vec![mark], suppressed, ..Contact::created(place, details, self.change("contact.created")) }
    }

    fn changed_contact(&self, ready: &ReadyContact, contact: &Contact, details: ContactDetails) -> Contact {
        let action = if contact.deleted_at.is_some() { "contact.restored" } else { "contact.updated" };
        let mut details = details;
        if contact.deleted_at.is_some() {
            details.status = status_of_returned(&self.settings, details.status);
        }
        let record = contact.record.changed(self.change(action));
        let mark = ImportMark { import: self.import.id, row: ready.row, written: RowWrite::Updated, version: Some(record.version) };
        Contact { record, details, deleted_at: None, import_marks: contact.marks_with(mark), ..contact.clone() }
    }

    fn change(&self, action: &str) -> Change {
        Change::new(action, self.services.clock.now(), self.origin.clone())
    }
}
