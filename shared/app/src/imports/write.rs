//! Writing rows: new contacts 25 at a time, changed ones conditionally, and each row counted once however often the message comes.

use std::collections::HashSet;

use switchboard_domain::change::{Change, Origin};
use switchboard_domain::contact::{Contact, ContactDetails, ContactDraft, Defaults, ImportMark, RowWrite};
use switchboard_domain::ids::{ContactId, StatusId, SuppressionId};
use switchboard_domain::imports::{Import, Phase, Row, RowDecision, decide};
use switchboard_domain::{status, suppression};
use switchboard_store::contacts::{self, Creation, StoredContact};
use switchboard_store::settings::Settings;
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{imports, suppressions};

use super::rows::{self, row_error};
use super::{ChunkResult, ImportServices, Place, WrittenRow, written_key};
use crate::contacts::{is_owner_there, status_of_returned};
use crate::error::AppError;
use crate::services::Services;

/// Rows whose contacts are read in one request.
const BATCH: usize = 100;
/// How often a contact that keeps changing is decided again before the message is left for later.
const ATTEMPTS: usize = 10;

/// A row ready to be written.
struct Ready {
    row: u64,
    /// The slot of its number.
    place: ContactId,
    draft: ContactDraft,
}

struct Writer<'a> {
    services: &'a Services,
    tenant: &'a OpenTenant,
    settings: &'a Settings,
    import: &'a Import,
    redelivered: bool,
    defaults: Defaults,
    new_status: StatusId,
    result: ChunkResult,
}

/// Writes one chunk; the last one to be written ends the import. Beside its rows 3 R, 2 × 2 W and 4 requests to buckets.
pub(super) async fn run(services: &ImportServices, tenant: &OpenTenant, import: &Import, number: u32, redelivered: bool) -> Result<(), AppError> {
    let core = &services.services.core;
    let chunk = rows::chunk(services, &tenant.scope, import, number).await?;
    if !chunk.written {
        let place = Place::of(&tenant.scope, import.id);
        let overtaken: Vec<u64> =
            services.results.get_json(&place.overtaken(number)).await?.ok_or_else(|| AppError::Broken(format!("the join of chunk {number} is gone")))?;
        let rows = rows::read(services, import, &chunk).await?;
        // Two joins at once send a chunk twice, each as if for the first time; the chunk itself knows.
        let redelivered = !imports::begin_write(core, &tenant.scope, import.id, number).await? || redelivered;
        let result = write_rows(&services.services, tenant, import, rows, &overtaken.into_iter().collect(), redelivered).await?;
        services.results.put_json(&place.result(number), &result).await?;
        services.results.put_json(&written_key(tenant.record.id, import.id, number), &result.written).await?;
        imports::finish_write(core, &tenant.scope, import.id, number, &result.counts, services.services.clock.now()).await?;
    }
    let now = imports::get(core, &tenant.scope, import.id).await?;
    if let Some(now) = now.filter(|now| now.phase == Phase::Writing && now.chunks_written == now.chunks) {
        imports::complete(core, &tenant.scope, import.id, Import::final_status(&now.counts), services.services.clock.now()).await?;
    }
    Ok(())
}

/// Writes rows, but for those overtaken by a later row with the same key. Per 100 rows 1 request that reads their contacts (1 R each); for new
/// ones 1 insert per 25, for changed ones 1 conditional write each, for unchanged ones nothing.
///
/// # Errors
/// Those of the database. Rows before the failing one may be written; given again, they are found and counted the same.
pub async fn write_rows(
    services: &Services,
    tenant: &OpenTenant,
    import: &Import,
    rows: Vec<Row>,
    overtaken: &HashSet<u64>,
    redelivered: bool,
) -> Result<ChunkResult, AppError> {
    let settings = services.tenants.settings(&tenant.scope).await?;
    let new_status = settings.status_by_code(status::NEW).ok_or_else(|| AppError::Broken("the tenant has no status new".to_owned()))?.id;
    let mut writer = Writer { services, tenant, settings: &settings, import, redelivered, defaults: tenant.defaults(), new_status, result: ChunkResult::default() };
    let mut ready = Vec::with_capacity(BATCH);
    for row in rows {
        ready.extend(writer.prepare(&row, overtaken));
        if ready.len() == BATCH {
            writer.write(std::mem::take(&mut ready)).await?;
        }
    }
    writer.write(ready).await?;
    let mut result = writer.result;
    result.errors.sort_by_key(|error| error.row);
    Ok(result)
}

impl Writer<'_> {
    /// Checks a row again and counts it when that is all there is to do.
    fn prepare(&mut self, row: &Row, overtaken: &HashSet<u64>) -> Option<Ready> {
        match rows::validate(self.import, row, &self.defaults) {
            Err(errors) => {
                self.result.counts.failed += 1;
                self.result.errors.extend(errors);
                None
            }
            Ok(_) if overtaken.contains(&row.number) => {
                self.result.counts.skipped += 1;
                None
            }
            Ok(validated) => {
                if !validated.warnings.is_empty() {
                    self.result.counts.warned += 1;
                    self.result.errors.extend(validated.warnings.into_iter().map(|warning| row_error(row.number, warning.error, warning.value)));
                }
                Some(Ready { row: row.number, place: self.tenant.keyring.slot(&validated.draft.phone.e164), draft: validated.draft })
            }
        }
    }

    async fn write(&mut self, ready: Vec<Ready>) -> Result<(), AppError> {
        let places: Vec<ContactId> = ready.iter().map(|ready| ready.place.clone()).collect();
        let core = &self.services.core;
        let mut owners = contacts::owners_of_slots(core, self.tenant, &places).await?;
        let suppressed = self.suppressed(&ready).await?;
        let mut creations: Vec<(Ready, Contact)> = Vec::new();
        for ready in ready {
            let owner = owners.remove(&ready.place);
            if let Some(Some(stored)) = owner {
                self.settle(ready, stored).await?;
                continue;
            }
            let RowDecision::Create(details) = self.decide(&ready, None) else {
                continue;
            };
            let mut contact = self.new_contact(&ready, details);
            contact.suppressed = suppressed.contains(&suppression::id_of(&self.tenant.keyring, &ready.draft.phone.e164));
            match owner {
                None => creations.push((ready, contact)),
                Some(_) => self.create_alone(ready, contact).await?,
            }
        }
        if creations.is_empty() {
            return Ok(());
        }
        let new: Vec<Contact> = creations.iter().map(|(_, contact)| contact.clone()).collect();
        let created = contacts::create_many(core, self.tenant, self.settings, new, self.services.entropy.as_ref()).await?;
        for ((ready, contact), created) in creations.into_iter().zip(created) {
            if created {
                self.wrote(RowWrite::Created, contact.id, Some(contact.record.version));
                continue;
            }
            // Somebody was first, or the answer to our own earlier attempt was lost: what is there tells.
            match contacts::owner_of_number(core, self.tenant, &ready.draft.phone.e164).await? {
                Some(stored) => self.settle(ready, stored).await?,
                None => {
                    let RowDecision::Create(details) = self.decide(&ready, None) else {
                        continue;
                    };
                    let contact = Contact { suppressed: contact.suppressed, ..self.new_contact(&ready, details) };
                    self.create_alone(ready, contact).await?;
                }
            }
        }
        Ok(())
    }

    /// Creates a contact whose number's slot is another record's home.
    async fn create_alone(&mut self, ready: Ready, contact: Contact) -> Result<(), AppError> {
        let core = &self.services.core;
        match contacts::create(core, self.tenant, self.settings, contact, |_| Vec::new(), self.services.entropy.as_ref()).await? {
            Creation::Created(contact) => {
                self.wrote(RowWrite::Created, contact.id, Some(contact.record.version));
                Ok(())
            }
            Creation::Exists(stored) => self.settle(ready, stored).await,
            Creation::Refused => Err(AppError::Broken("a contact came and went".to_owned())),
        }
    }

    /// The numbers among these that stand on the suppression list. An import never weakens it. 1 request per 100, 1 R each.
    async fn suppressed(&self, ready: &[Ready]) -> Result<HashSet<SuppressionId>, AppError> {
        let ids: Vec<SuppressionId> = ready.iter().map(|ready| suppression::id_of(&self.tenant.keyring, &ready.draft.phone.e164)).collect();
        Ok(suppressions::find_many(&self.services.core, &self.tenant.scope, &ids).await?)
    }

    /// Brings one existing contact and its row together, deciding again whenever somebody else was faster.
    async fn settle(&mut self, ready: Ready, mut stored: StoredContact) -> Result<(), AppError> {
        let core = &self.services.core;
        for _ in 0..ATTEMPTS {
            let details = match self.decide(&ready, Some(&stored.contact)) {
                RowDecision::Update(details) | RowDecision::Create(details) => details,
                RowDecision::Unchanged => {
                    self.result.counts.unchanged += 1;
                    return Ok(());
                }
                RowDecision::Refused(error) => {
                    self.result.counts.failed += 1;
                    self.result.errors.push(row_error(ready.row, error, None));
                    return Ok(());
                }
                RowDecision::Done(written) => {
                    self.wrote(written, stored.contact.id, None);
                    return Ok(());
                }
            };
            let revision = stored.contact.record.revision;
            let mut changed = StoredContact { contact: self.changed_contact(&ready, &stored.contact, details), placement: stored.placement.clone() };
            let comes_back = stored.contact.deleted_at.is_some();
            if comes_back && !is_owner_there(self.services, self.tenant, &changed.contact.details).await? {
                (changed.contact.details.assignee, changed.contact.details.team) = (None, None);
            }
            let known = self.services.tenants.settings_knowing(&self.tenant.scope, self.settings, changed.contact.details.status).await?;
            let settings = known.as_deref().unwrap_or(self.settings);
            if contacts::replace(core, self.tenant, settings, &changed, revision, self.services.entropy.as_ref()).await? {
                self.wrote(RowWrite::Updated, changed.contact.id, Some(changed.contact.record.version));
                return Ok(());
            }
            let Some(now) = contacts::owner_of_number(core, self.tenant, &ready.draft.phone.e164).await? else {
                return Err(switchboard_store::StoreError::Unavailable("a contact came and went".to_owned()).into());
            };
            stored = now;
        }
        Err(switchboard_store::StoreError::Unavailable("a contact keeps changing".to_owned()).into())
    }

    fn decide(&self, ready: &Ready, existing: Option<&Contact>) -> RowDecision {
        decide(self.import, ready.row, ready.draft.clone(), existing, self.redelivered, &self.defaults, self.new_status)
    }

    /// Counts a row that was written, now or before, and keeps which version of which contact it made.
    fn wrote(&mut self, written: RowWrite, contact: ContactId, version: Option<u32>) {
        match written {
            RowWrite::Created => self.result.counts.created += 1,
            RowWrite::Updated => self.result.counts.updated += 1,
        }
        self.result.written.push(WrittenRow { contact, version });
    }

    fn new_contact(&self, ready: &Ready, details: ContactDetails) -> Contact {
        let mark = ImportMark { import: self.import.id, row: ready.row, written: RowWrite::Created };
        Contact { import_marks: vec![mark], ..Contact::created(ready.place.clone(), details, self.change("contact.created")) }
    }

    fn changed_contact(&self, ready: &Ready, contact: &Contact, details: ContactDetails) -> Contact {
        let mark = ImportMark { import: self.import.id, row: ready.row, written: RowWrite::Updated };
        let action = if contact.deleted_at.is_some() { "contact.restored" } else { "contact.updated" };
        let mut details = details;
        if contact.deleted_at.is_some() {
            details.status = status_of_returned(self.settings, details.status);
        }
        let record = contact.record.changed(self.change(action));
        Contact { record, details, deleted_at: None, import_marks: contact.marks_with(mark), ..contact.clone() }
    }

    fn change(&self, action: &str) -> Change {
        Change::new(action, self.services.clock.now(), Origin::import(self.import.id, &self.import.file_name))
    }
}
