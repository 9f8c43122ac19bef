//! What people did that changed no record: signed in, were refused, took data out, opened a contact. No change of a record tells of it, so its events are
//! written by who answers them, beside the chain of the user or the contact, and no more of them than [`AccessWindow`] lets through.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use switchboard_domain::audit::{AccessWindow, AuditEvent, Audited, Changes, EventName, FieldChange, Outcome, Place, minute_of};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::to_millisecond;
use switchboard_domain::person::User;
use switchboard_store::audit_events::Listing;
use switchboard_store::tenants::OpenTenant;

use crate::error::AppError;
use crate::services::Services;
use crate::viewer::Viewer;

/// Most kinds of access that one process counts at once.
const MOST_WINDOWS: usize = 10_000;
/// How long a request waits for an event that mustn't stop it.
const PATIENCE: Duration = Duration::from_secs(5);
/// The detail that tells a download from others of the same minute.
const FILE: &str = "file";

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessAction {
    /// A request came with a sign-in of this time. On record once, whichever processes it comes to.
    SignedIn(Timestamp),
    /// A valid token was refused, because its user is disabled or was signed out everywhere.
    Denied,
    /// The user asked for something that they may not do.
    PermissionDenied,
    /// A link to a file was handed out. Once a minute for each user and file, which the detail `file` names.
    Downloaded,
    /// A contact was opened. Once a minute for each user and contact.
    ContactViewed,
    /// A bulk job was to stop. Once a minute for each user and job.
    BulkJobStopped,
    /// An export of the trail was to stop, likewise.
    AuditExportStopped,
}

impl AccessAction {
    /// What it is called.
    #[must_use]
    pub fn action(self) -> &'static str {
        match self {
            Self::SignedIn(_) => "auth.signed_in",
            Self::Denied => "auth.denied",
            Self::PermissionDenied => "permission.denied",
            Self::Downloaded => "data.downloaded",
            Self::ContactViewed => "contact.viewed",
            Self::BulkJobStopped => "bulk_job.stop_requested",
            Self::AuditExportStopped => "audit_export.stop_requested",
        }
    }
}

/// One access, of one record.
#[derive(Debug, Clone)]
pub struct Access<'a> {
    /// What was done.
    pub action: AccessAction,
    /// How it ended.
    pub outcome: Outcome,
    /// The kind of record: `user`, or what was opened or stopped.
    pub entity_type: &'a str,
    /// The record's id in its short form.
    pub entity_id: &'a str,
    /// What else is to be said, see [`detail`]. Never personal data, and nothing in words of the client.
    pub details: Vec<FieldChange>,
    /// Who it was, and through which request.
    pub origin: Origin,
}

/// Something that is to be said of an access, in the form of a change: a new value without an old one.
#[must_use]
pub fn detail(field: &str, value: impl Into<Value>) -> FieldChange {
    FieldChange { field: field.to_owned(), old: None, new: Some(value.into()) }
}

impl<'a> Access<'a> {
    /// What a viewer did, of which their own user is the record. `user` is its id.
    fn of_user(viewer: &Viewer, user: &'a str, action: AccessAction, outcome: Outcome, details: Vec<FieldChange>) -> Self {
        Self { action, outcome, entity_type: User::ENTITY_TYPE, entity_id: user, details, origin: viewer.origin() }
    }

    /// What it is called among those of its record: by its action, by who it was when that isn't the record itself, and by the file.
    fn name(&self) -> String {
        let actor = self.origin.actor.id.as_deref().filter(|id| *id != self.entity_id);
        let file = self.details.iter().find(|detail| detail.field == FILE).and_then(|detail| detail.new.as_ref()).and_then(Value::as_str);
        let parts = std::iter::once(self.action.action()).chain(actor).chain(file);
        parts.collect::<Vec<_>>().join("#")
    }

    /// Inserts its event at a place. None when it was free, else the event that would have been there.
    async fn insert(&self, services: &Services, tenant: &OpenTenant, place: Place, at: Timestamp, count: Option<u64>) -> Result<Option<AuditEvent>, AppError> {
        let mut details = self.details.clone();
        details.extend(count.map(|count| detail("count", count)));
        let event = AuditEvent {
            entity_type: self.entity_type.to_owned(),
            entity_id: self.entity_id.to_owned(),
            place,
            change: Change::new(self.action.action(), at, self.origin.clone()),
            changes: Changes::Clear(details),
            outcome: self.outcome,
            previous_hash: None,
            about: None,
        };
        let kept = SignedDuration::from_hours(24 * i64::from(tenant.record.retention_days));
        let events = [(event, Listing::Listed)];
        let inserted = services.audit.insert(tenant.record.id, &events, to_millisecond(services.clock.now()), kept).await?;
        let [(event, _)] = events;
        Ok((!inserted.contains(&true)).then_some(event))
    }
}

/// What one process counted of one kind of access.
struct Kept {
    minute: Timestamp,
    window: AccessWindow,
    is_recorded: bool,
}

/// What one process counted lately.
#[derive(Default)]
pub struct AccessLog {
    windows: Mutex<HashMap<String, Kept>>,
}

impl AccessLog {
    /// Puts an access on record. 1 request and 1 W per started KB to the table and to each of its two indexes; nothing when it is on record already for this
    /// minute, or only counted; for each name that another process took, 2 requests, 1 R and 1 W more, at most 10 times a minute.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn record(&self, services: &Services, tenant: &OpenTenant, access: Access<'_>) -> Result<(), AppError> {
        let now = services.clock.now();
        let (minute, name) = (minute_of(now), access.name());
        let key = format!("{} {} {} {name}", tenant.record.id, access.entity_type, access.entity_id);
        match access.action {
            AccessAction::SignedIn(at) => {
                access.insert(services, tenant, Place::beside(at, &name), at, None).await?;
            }
            AccessAction::Downloaded | AccessAction::ContactViewed | AccessAction::BulkJobStopped | AccessAction::AuditExportStopped => {
                if !self.counted(&key, minute, |kept| kept.is_recorded) {
                    // Whoever else recorded it meanwhile recorded the same: this user, this record, this minute.
                    access.insert(services, tenant, Place::beside(minute, &name), now, None).await?;
                    self.counted(&key, minute, |kept| kept.is_recorded = true);
                }
            }
            AccessAction::Denied | AccessAction::PermissionDenied => {
                let mut next = self.counted(&key, minute, |kept| kept.window.occurred());
                while let Some(number) = next {
                    let count = match number {
                        EventName::Numbered(_) => None,
                        EventName::Total(count) => Some(count),
                    };
                    let place = Place::beside(minute, &format!("{name}#{number}"));
                    let Some(event) = access.insert(services, tenant, place, now, count).await? else { break };
                    if is_there(services, tenant, &event).await {
                        break;
                    }
                    next = self.counted(&key, minute, |kept| kept.window.taken());
                }
            }
        }
        Ok(())
    }

    /// The same for what must not stop the request: one that can't be recorded, or not within five seconds, is an error in the log and raises an alarm. Tells
    /// whether it is on record.
    pub async fn note(&self, services: &Services, tenant: &OpenTenant, access: Access<'_>) -> bool {
        let action = access.action.action();
        match tokio::time::timeout(PATIENCE, self.record(services, tenant, access)).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                unrecorded(action, &error.to_string());
                false
            }
            Err(_) => {
                unrecorded(action, "it took too long");
                false
            }
        }
    }

    /// The same for what must not happen without its event: whoever calls this gives out only afterwards what was asked for.
    ///
    /// # Errors
    /// [`AppError::Unavailable`] when it can't be recorded.
    pub async fn require(&self, services: &Services, tenant: &OpenTenant, access: Access<'_>) -> Result<(), AppError> {
        let action = access.action.action();
        self.record(services, tenant, access).await.map_err(|error| {
            unrecorded(action, &error.to_string());
            AppError::Unavailable("the audit trail")
        })
    }

    /// Looks at what was counted under a key in a minute, and counts on. Of what isn't counted any more the names are tried again, and are taken: forgetting
    /// costs requests, and never an event too many.
    fn counted<T>(&self, key: &str, minute: Timestamp, look: impl FnOnce(&mut Kept) -> T) -> T {
        let new = || Kept { minute, window: AccessWindow::default(), is_recorded: false };
        // A log stays usable when a thread died holding it.
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= MOST_WINDOWS && !windows.contains_key(key) {
            windows.retain(|_, kept| kept.minute == minute);
            if windows.len() >= MOST_WINDOWS {
                windows.clear();
            }
        }
        let kept = windows.entry(key.to_owned()).or_insert_with(new);
        if kept.minute != minute {
            *kept = new();
        }
        look(kept)
    }
}

/// Whether the event itself is what took its place: its answer was lost, and the client asked again.
async fn is_there(services: &Services, tenant: &OpenTenant, event: &AuditEvent) -> bool {
    let there = services.audit.get(tenant.record.id, &event.entity_type, &event.entity_id, &event.place).await;
    matches!(there, Ok(Some(there)) if there.hash == event.hash())
}

/// Says in the log that there is something of which there is no event. An alarm goes by `alarm`.
fn unrecorded(action: &str, error: &str) {
    tracing::error!(alarm = "access not recorded", event = action, error, "an access could not be put on record");
}

/// Puts on record that a sign-in of the viewer came in. Tells whether it is there.
pub(crate) async fn signed_in(services: &Services, viewer: &Viewer) -> bool {
    let user = viewer.user.id.to_string();
    let access = Access::of_user(viewer, &user, AccessAction::SignedIn(viewer.signed_in_at), Outcome::Success, Vec::new());
    services.access.note(services, &viewer.tenant, access).await
}

/// Puts on record that a valid token was refused, and why: `DISABLED`, `SIGNED_OUT`. Costs as [`AccessLog::record`].
pub(crate) async fn denied(services: &Services, viewer: &Viewer, reason: &str) {
    let user = viewer.user.id.to_string();
    let access = Access::of_user(viewer, &user, AccessAction::Denied, Outcome::Denied, vec![detail("reason", reason)]);
    services.access.note(services, &viewer.tenant, access).await;
}

/// Puts on record that the viewer had a job of this kind and id stopped: the job itself says only who asked for it. Costs as [`AccessLog::record`].
pub(crate) async fn stop_requested(services: &Services, viewer: &Viewer, action: AccessAction, entity_type: &str, id: &str) {
    let access = Access { action, outcome: Outcome::Success, entity_type, entity_id: id, details: Vec::new(), origin: viewer.origin() };
    services.access.note(services, &viewer.tenant, access).await;
}

/// Puts on record what of a request was refused to the viewer: the fields by their names in the schema. Tells whether it is there, or counted. Costs as
/// [`AccessLog::record`].
pub async fn permission_denied(services: &Services, viewer: &Viewer, operations: Vec<String>) -> bool {
    let user = viewer.user.id.to_string();
    let details = vec![detail("code", "FORBIDDEN"), detail("operations", operations)];
    let access = Access::of_user(viewer, &user, AccessAction::PermissionDenied, Outcome::Denied, details);
    services.access.note(services, &viewer.tenant, access).await
}

/// Puts on record that the viewer is given a link to a file of a job, which `job` names; the link is given afterwards. Costs as [`AccessLog::record`].
///
/// # Errors
/// As [`AccessLog::require`].
pub async fn downloaded(services: &Services, viewer: &Viewer, file: &str, job: FieldChange) -> Result<(), AppError> {
    let user = viewer.user.id.to_string();
    let details = vec![detail(FILE, file), job];
    let access = Access::of_user(viewer, &user, AccessAction::Downloaded, Outcome::Success, details);
    services.access.require(services, &viewer.tenant, access).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(second: i64) -> Timestamp {
        minute_of(Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn a_process_counts_each_minute_anew_and_remembers_what_is_recorded() {
        let log = AccessLog::default();
        for second in [0, 60] {
            let names: Vec<Option<EventName>> = (0..12).map(|_| log.counted("a", minute(second), |kept| kept.window.occurred())).collect();
            assert!(names[..10].iter().all(Option::is_some) && names[10..].iter().all(Option::is_none));
        }
        assert!(log.counted("b", minute(60), |kept| kept.window.occurred()).is_some(), "each kind by itself");
        log.counted("a", minute(60), |kept| kept.is_recorded = true);
        assert!(log.counted("a", minute(119), |kept| kept.is_recorded) && !log.counted("a", minute(120), |kept| kept.is_recorded));
    }

    #[test]
    fn what_a_process_counts_is_bounded_and_what_is_old_goes_first() {
        let log = AccessLog::default();
        let fill = |second: i64, count: usize| (0..count).for_each(|number| log.counted(&format!("{second} {number}"), minute(second), |kept| kept.is_recorded = true));
        let held = || log.windows.lock().unwrap().len();
        fill(0, MOST_WINDOWS - 1);
        fill(60, 2);
        assert_eq!(held(), 2, "what is of the minute before makes room");
        assert!(log.counted("60 0", minute(60), |kept| kept.is_recorded));
        fill(60, MOST_WINDOWS + 500);
        assert!(held() <= MOST_WINDOWS);
    }
}
