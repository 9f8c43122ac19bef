//! Scoring a contact again: as it is now, by the model in force now, written only when the score says something else.
//!
//! A worker may be killed anywhere, messages come twice and in any order, and several workers may be at one contact. Nothing is taken from a message but which contact it
//! is about; what is written depends on the revision that was read; and what leads to a score's next change is written before the score.

use std::collections::{HashMap, HashSet};

use futures::stream::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use switchboard_domain::contact::Contact;
use switchboard_domain::ids::ContactId;
use switchboard_domain::scoring::{Rescored, Score};
use switchboard_store::contacts::{self, Slot, StoredContact};
use switchboard_store::settings::{self, Settings};
use switchboard_store::tenants::OpenTenant;
use switchboard_store::{Freshness, StoreError, due_scores, score_history};

use super::message::ScoreMessage;
use crate::error::AppError;
use crate::services::Services;

/// Contacts read at once.
const BATCH: usize = 100;
/// Contacts written at the same time.
const AT_ONCE: usize = 8;
/// By how much a score is younger than the one it replaces at least, whatever clocks say: each has a place of its own in the history.
const TICK: SignedDuration = SignedDuration::from_millis(1);

/// What became of scoring a contact again.
#[derive(Debug, Clone, PartialEq)]
pub enum Rescoring {
    /// Its score says something else now.
    Changed(Contact),
    /// Its score says what it said.
    Unchanged(Contact),
    /// It was deleted or merged into another: nothing of it changes.
    Deleted,
    /// There is no such contact: it was erased, or never was.
    Erased,
}

/// Scores the contact of a message again. What [`rescore`] costs, and at most 2 requests and 3 R more per half minute.
///
/// # Errors
/// Those of the database; [`AppError::Broken`] for a message that names no tenant there is.
pub async fn handle(services: &Services, message: &ScoreMessage) -> Result<Rescoring, AppError> {
    let tenant = services.tenants.open(message.tenant).await?.ok_or_else(|| AppError::Broken("the message names no tenant there is".to_owned()))?;
    let settings = services.tenants.settings(&tenant.scope).await?;
    rescore(services, &tenant, &settings, &message.contact).await
}

/// Scores a contact again. 1 request and 1 R when its score says the same; when only the moment is another at which it changes next, 1 request and 1 W more; else 3 requests
/// more: 1 W for that moment, 1 W for the history, and for the contact 1 W per started KB and 2 for each of its index entries that moves.
///
/// # Errors
/// Those of the database.
pub async fn rescore(services: &Services, tenant: &OpenTenant, settings: &Settings, id: &ContactId) -> Result<Rescoring, AppError> {
    let found = contacts::slot(&services.core, tenant, id).await?;
    rescore_found(services, tenant, settings, id, found).await
}

/// The same for a contact of which is known what stands at its slot: 1 request and 1 R less.
pub(super) async fn rescore_found(services: &Services, tenant: &OpenTenant, settings: &Settings, id: &ContactId, found: Option<Slot>) -> Result<Rescoring, AppError> {
    let newer = in_force(services, tenant, settings, found.iter()).await?;
    settle(services, tenant, newer.as_ref().unwrap_or(settings), id, found).await
}

/// Scores many contacts again, and tells what became of each, in their order. 1 request per 100 and 1 R each; for those whose score changes, what [`rescore`] writes.
///
/// # Errors
/// Those of the database; some may be written then, which scoring them again doesn't repeat. A contact that can't be read stands in the way of the 100 it is among:
/// [`rescore`] takes the others one by one.
pub async fn rescore_many(services: &Services, tenant: &OpenTenant, settings: &Settings, ids: &[ContactId]) -> Result<Vec<Rescoring>, AppError> {
    let mut outcomes = Vec::with_capacity(ids.len());
    for ids in ids.chunks(BATCH) {
        // The database takes no key twice in one request.
        let distinct: HashSet<&ContactId> = ids.iter().collect();
        let distinct: Vec<ContactId> = distinct.into_iter().cloned().collect();
        let found: HashMap<ContactId, Slot> = contacts::slots(&services.core, tenant, &distinct, Freshness::Strong).await?.into_iter().collect();
        let newer = in_force(services, tenant, settings, found.values()).await?;
        let (settings, found) = (newer.as_ref().unwrap_or(settings), &found);
        let settled: Vec<Rescoring> = futures::stream::iter(ids)
            .map(|id| async move { settle(services, tenant, settings, id, found.get(id).cloned()).await })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        outcomes.extend(settled);
    }
    Ok(outcomes)
}

/// The settings read again, once the contacts were read, when those at hand don't know all that the contacts have: a status, or the model of a score. A score by another model
/// says that another one came into force, and it may be that this process hasn't heard of it and would write a score by the former model over one by the present. None when
/// the settings at hand will do. 1 request and 2 R then, and 1 R more per 4 KB of the tenant's own model.
async fn in_force<'a>(services: &Services, tenant: &OpenTenant, settings: &Settings, mut found: impl Iterator<Item = &'a Slot>) -> Result<Option<Settings>, AppError> {
    if found.all(|slot| is_known(settings, slot)) {
        return Ok(None);
    }
    // Whoever asks for them in this process has them anew, too.
    services.tenants.forget_settings(&tenant.scope);
    Ok(Some(settings::load(&services.core, &tenant.scope).await?))
}

fn is_known(settings: &Settings, slot: &Slot) -> bool {
    let Slot::Contact(StoredContact { contact, .. }) = slot else {
        return true;
    };
    let has_present_model = contact.score.as_ref().is_none_or(|score| score.model == settings.scorer.model.version);
    contact.deleted_at.is_some() || (has_present_model && settings.status(contact.details.status).is_some())
}

/// Scores a contact until it is written, or there is nothing to write.
async fn settle(services: &Services, tenant: &OpenTenant, settings: &Settings, id: &ContactId, mut found: Option<Slot>) -> Result<Rescoring, AppError> {
    let mut newer: Option<Settings> = None;
    let mut has_changed = false;
    for _ in 0..contacts::ATTEMPTS {
        let stored = match found {
            Some(Slot::Contact(stored)) => stored,
            Some(Slot::Erased(_)) => {
                // It may have been erased between the reading of it and the keeping of its score, and nobody else would look for that any more.
                score_history::remove(&services.core, &tenant.scope, id).await?;
                return Ok(Rescoring::Erased);
            }
            Some(Slot::Pointer(_)) | None => return Ok(Rescoring::Erased),
        };
        if stored.contact.deleted_at.is_some() {
            return Ok(Rescoring::Deleted);
        }
        let settings = newer.as_ref().unwrap_or(settings);
        let attempted = attempt(services, tenant, settings, stored).await?;
        has_changed |= attempted.has_changed;
        if let Some(contact) = attempted.settled {
            return Ok(if has_changed { Rescoring::Changed(contact) } else { Rescoring::Unchanged(contact) });
        }
        found = contacts::slot(&services.core, tenant, id).await?;
        // Settings that were read anew stay, whatever those at hand would do for now.
        if let Some(read) = in_force(services, tenant, settings, found.iter()).await? {
            newer = Some(read);
        }
    }
    Err(StoreError::Unavailable("a contact keeps changing".to_owned()).into())
}

/// What became of one attempt.
struct Attempt {
    /// The contact as it is now; none when it is to be read again.
    settled: Option<Contact>,
    /// Whether a score was written.
    has_changed: bool,
}

async fn attempt(services: &Services, tenant: &OpenTenant, settings: &Settings, mut stored: StoredContact) -> Result<Attempt, AppError> {
    let (core, scope) = (&services.core, &tenant.scope);
    let id = stored.contact.id.clone();
    let now = moment(services.clock.now(), stored.contact.score.as_ref());
    let (next, has_changed) = match settings.scorer.rescore(&stored.contact, now) {
        Rescored::Same => return Ok(Attempt { settled: Some(stored.contact), has_changed: false }),
        Rescored::Later(next) => {
            announce(services, tenant, &id, next).await?;
            (next, false)
        }
        Rescored::Changed(score) => {
            let next = score.next_change_at;
            announce(services, tenant, &id, next).await?;
            if let Some(replaced) = &stored.contact.score {
                score_history::keep(core, scope, &id, replaced, score.calculated_at).await?;
            }
            let revision = stored.contact.record.revision;
            stored.contact.score = Some(score);
            stored.contact.record = stored.contact.record.touched();
            if !contacts::replace(core, tenant, settings, &stored, revision, services.entropy.as_ref()).await? {
                return Ok(Attempt { settled: None, has_changed: false });
            }
            (next, true)
        }
    };
    // When the score's next change came while it was being written, whoever looks for what is due may have been there before it, and won't be again.
    let has_come = next.is_some_and(|at| at <= services.clock.now());
    Ok(Attempt { settled: (!has_come).then_some(stored.contact), has_changed })
}

async fn announce(services: &Services, tenant: &OpenTenant, id: &ContactId, next: Option<Timestamp>) -> Result<(), AppError> {
    let Some(at) = next else {
        return Ok(());
    };
    Ok(due_scores::announce(&services.core, &tenant.scope, &[(id.clone(), at)]).await?)
}

/// When a score is calculated that may replace another.
fn moment(now: Timestamp, replaced: Option<&Score>) -> Timestamp {
    replaced.map_or(now, |replaced| now.max(replaced.calculated_at.saturating_add(TICK).unwrap_or(now)))
}
