//! Rows that put numbers on the suppression list. An import adds to it, and says more of what is on it; it takes nothing off.

use std::collections::HashMap;

use switchboard_domain::change::{Change, Origin};
use switchboard_domain::contact::RowWrite;
use switchboard_domain::ids::{ContactId, SuppressionId};
use switchboard_domain::imports::{Import, Row, RowError, RowKey, SuppressionDecision, SuppressionEntry, SuppressionValues, decide_suppression, to_suppression};
use switchboard_domain::suppression::{self, Suppression};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{StoreError, contacts, suppressions};

use super::kinds::{Foresees, Kind, Prepared, Ready, Tally};
use super::preview::RowOutcome;
use super::rows::{row_error, row_warning, unreadable_row};
use crate::error::AppError;
use crate::services::Services;

/// How often an entry that keeps changing is decided again before the message is left for later.
const ATTEMPTS: usize = 10;

/// An import of numbers.
pub(super) struct Suppressions<'a> {
    services: &'a Services,
    tenant: &'a OpenTenant,
    import: &'a Import,
    redelivered: bool,
}

impl<'a> Suppressions<'a> {
    /// Those of an import. Rows that are redelivered may have been written before.
    pub(super) fn of(services: &'a Services, tenant: &'a OpenTenant, import: &'a Import, redelivered: bool) -> Self {
        Self { services, tenant, import, redelivered }
    }

    fn id_of(&self, values: &SuppressionValues) -> SuppressionId {
        suppression::id_of(&self.tenant.keyring, &values.phone.e164)
    }

    fn decide(&self, ready: &Ready<SuppressionValues>, existing: Option<&Suppression>) -> SuppressionDecision {
        decide_suppression(self.import, &ready.draft, existing, self.redelivered)
    }

    fn change(&self, action: &str) -> Change {
        Change::new(action, self.services.clock.now(), Origin::import(self.import.id, &self.import.file_name))
    }

    /// The first entry of a number.
    fn new_entry(&self, ready: &Ready<SuppressionValues>, entry: SuppressionEntry) -> Suppression {
        let slot = self.tenant.keyring.slot(&ready.draft.phone.e164);
        let added = Suppression::added(self.id_of(&ready.draft), slot, entry.reason, entry.source, self.change("suppression.added"));
        added.listed_since(entry.listed_at)
    }

    /// Puts numbers on the list that never were on it; gives all those entries that are there then. What somebody else was faster to write is brought together with
    /// its row. 1 request per 25; each 1 W and 1 for index 1.
    async fn add(&self, additions: Vec<(Ready<SuppressionValues>, Suppression)>, tally: &mut Tally) -> Result<Vec<Suppression>, AppError> {
        let (core, scope) = (&self.services.core, &self.tenant.scope);
        let (rows, new): (Vec<Ready<SuppressionValues>>, Vec<Suppression>) = additions.into_iter().unzip();
        let added = suppressions::insert_many(core, scope, &new).await?;
        let mut standing = Vec::with_capacity(new.len());
        let mut met = Vec::new();
        for ((ready, entry), added) in rows.into_iter().zip(new).zip(added) {
            if added {
                tally.wrote(true);
                tally.keep::<Suppression>(&entry.id, Some(entry.record.version));
                standing.push(entry);
            } else {
                met.push((ready, entry.id));
            }
        }
        // Somebody was first, or the answer to our own earlier attempt was lost: what is there tells.
        let ids: Vec<SuppressionId> = met.iter().map(|(_, id)| id.clone()).collect();
        let mut there = suppressions::entries(core, scope, &ids).await?;
        for (ready, id) in met {
            let entry = there.remove(&id).ok_or_else(came_and_went)?;
            standing.push(self.settle(&ready, entry, tally).await?);
        }
        Ok(standing)
    }

    /// Brings an entry there is and its row together, deciding again whenever somebody else was faster; the entry as it is then. For a changed one 1 request, 1 W
    /// and 1 for index 1, and where it moves in that 1 more.
    async fn settle(&self, ready: &Ready<SuppressionValues>, mut existing: Suppression, tally: &mut Tally) -> Result<Suppression, AppError> {
        let (core, scope) = (&self.services.core, &self.tenant.scope);
        for _ in 0..ATTEMPTS {
            let after = match self.decide(ready, Some(&existing)) {
                SuppressionDecision::Add(entry) | SuppressionDecision::AddAgain(entry) => {
                    existing.added_again(entry.reason, entry.source, self.change("suppression.added")).listed_since(entry.listed_at)
                }
                SuppressionDecision::Describe(entry) => existing.described(entry.reason, entry.source, self.change("suppression.updated")).listed_since(entry.listed_at),
                SuppressionDecision::Done(written) => {
                    let is_new = written == RowWrite::Created;
                    tally.wrote(is_new);
                    tally.keep::<Suppression>(&existing.id, Some(if is_new { 1 } else { existing.record.version }));
                    return Ok(existing);
                }
                SuppressionDecision::Unchanged => {
                    tally.counts.unchanged += 1;
                    return Ok(existing);
                }
                SuppressionDecision::Skipped => {
                    tally.counts.skipped += 1;
                    return Ok(existing);
                }
                SuppressionDecision::Refused(error) => {
                    tally.fail(vec![row_error(ready.row, error, None)]);
                    return Ok(existing);
                }
            };
            if suppressions::write(core, scope, &after, Some(existing.record.revision), Vec::new()).await? {
                tally.wrote(false);
                tally.keep::<Suppression>(&after.id, Some(after.record.version));
                return Ok(after);
            }
            existing = suppressions::find(core, scope, &existing.id).await?.ok_or_else(came_and_went)?;
        }
        Err(StoreError::Unavailable("the entry of a number keeps changing".to_owned()).into())
    }

    /// Marks the contacts that are called at these numbers, as far as they aren't marked. 1 request per 100 and 1 R each, once more for numbers that changed
    /// hands; for each that is to be marked what [`contacts::set_suppressed`] takes.
    async fn mark(&self, listed: &[Suppression]) -> Result<(), AppError> {
        let (core, tenant) = (&self.services.core, self.tenant);
        let listed: HashMap<&ContactId, &Suppression> = listed.iter().filter(|entry| entry.is_in_force()).map(|entry| (&entry.slot, entry)).collect();
        let places: Vec<ContactId> = listed.keys().map(|place| (*place).clone()).collect();
        for (place, owner) in contacts::owners_of_slots(core, tenant, &places).await? {
            let Some(contact) = owner.map(|stored| stored.contact) else { continue };
            // A number that came to a contact by a merge is another of its numbers.
            let is_called_there = listed.get(&place).is_some_and(|entry| suppression::id_of(&tenant.keyring, &contact.details.phone) == entry.id);
            if is_called_there && !contact.suppressed {
                let settings = self.services.tenants.settings(&tenant.scope).await?;
                let newer = self.services.tenants.settings_knowing(&tenant.scope, &settings, contact.details.status).await?;
                contacts::set_suppressed(core, tenant, newer.as_ref().unwrap_or(&settings), &contact.id, true, self.services.entropy.as_ref()).await?;
            }
        }
        Ok(())
    }
}

impl Kind for Suppressions<'_> {
    type Draft = SuppressionValues;

    async fn prepare(&mut self, row: &Row) -> Result<Prepared<SuppressionValues>, AppError> {
        let options = &self.import.options;
        let said = match to_suppression(row, &self.import.mapping, options) {
            Ok(said) => said,
            Err(problem) => return Ok(Prepared::Failed(vec![unreadable_row(row.number, &problem)])),
        };
        let country = options.default_country.as_ref().unwrap_or(&self.tenant.record.country);
        Ok(match said.validate(country, options.on_invalid, self.import.created_at) {
            Ok((values, warnings)) => {
                let key = RowKey::of_slot(&self.tenant.keyring.slot(&values.phone.e164));
                let warnings = warnings.into_iter().map(|warning| row_warning(row.number, warning.error, warning.value)).collect();
                Prepared::Ready(Ready { row: row.number, key, draft: values }, warnings)
            }
            Err(errors) => {
                let value = |field: &str| said.text_of(field).map(str::to_owned);
                let errors = errors.into_iter().map(|error| (value(&error.field), error)).map(|(value, error)| row_error(row.number, error, value));
                Prepared::Failed(errors.collect())
            }
        })
    }

    /// Per 100 rows 2 requests that read entries and contacts, 2 R a row; for new numbers 1 insert per 25, 1 W and 1 for index 1 each, and 1 W for the event; for
    /// entries that are to say something else 1 conditional write each; for those that say it already nothing.
    async fn write(&mut self, ready: Vec<Ready<SuppressionValues>>, _: &[Row], tally: &mut Tally) -> Result<(), AppError> {
        let ids: Vec<SuppressionId> = ready.iter().map(|ready| self.id_of(&ready.draft)).collect();
        let mut there = suppressions::entries(&self.services.core, &self.tenant.scope, &ids).await?;
        let mut standing = Vec::with_capacity(ready.len());
        let mut additions = Vec::new();
        for (ready, id) in ready.into_iter().zip(ids) {
            if let Some(entry) = there.remove(&id) {
                standing.push(self.settle(&ready, entry, tally).await?);
            } else if let SuppressionDecision::Add(entry) = self.decide(&ready, None) {
                let entry = self.new_entry(&ready, entry);
                additions.push((ready, entry));
            }
        }
        standing.extend(self.add(additions, tally).await?);
        self.mark(&standing).await
    }
}

impl Foresees for Suppressions<'_> {
    async fn foresee(&mut self, ready: Vec<Ready<SuppressionValues>>) -> Result<Vec<(u64, RowOutcome, Option<RowError>)>, AppError> {
        let ids: Vec<SuppressionId> = ready.iter().map(|ready| self.id_of(&ready.draft)).collect();
        let there = suppressions::entries(&self.services.core, &self.tenant.scope, &ids).await?;
        let outcomes = ready.iter().zip(&ids).map(|(ready, id)| {
            let (outcome, error) = match self.decide(ready, there.get(id)) {
                SuppressionDecision::Add(_) => (RowOutcome::Create, None),
                SuppressionDecision::AddAgain(_) | SuppressionDecision::Describe(_) | SuppressionDecision::Done(_) => (RowOutcome::Update, None),
                SuppressionDecision::Unchanged => (RowOutcome::Unchanged, None),
                SuppressionDecision::Skipped => (RowOutcome::Skip, None),
                SuppressionDecision::Refused(error) => (RowOutcome::Fail, Some(row_error(ready.row, error, None))),
            };
            (ready.row, outcome, error)
        });
        Ok(outcomes.collect())
    }
}

/// Entries are never removed.
fn came_and_went() -> AppError {
    AppError::Broken("the entry of a number came and went".to_owned())
}
