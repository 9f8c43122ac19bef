//! The canonical form of an event, over which its hash is made: JSON without white space, names in alphabetical order at every depth. See `docs/audit.md`.

use std::borrow::Cow;

use data_encoding::BASE64;
use jiff::Timestamp;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::{AuditEvent, Changes, FieldChange, Outcome, Place};
use crate::actor::{Actor, ActorKind};
use crate::change::{Change, Origin};
use crate::ids::{BulkJobId, ImportId};

/// The members in their order. Those that are left out when there is nothing are younger than the first events, which so keep their hashes.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Form<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    about: Option<Cow<'a, str>>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    actor_email: Option<String>,
    #[serde(borrow)]
    actor_id: Option<Cow<'a, str>>,
    actor_kind: ActorKind,
    #[serde(borrow)]
    actor_name: Cow<'a, str>,
    actor_roles: Cow<'a, [String]>,
    at: i64,
    changes: FormChanges<'a>,
    #[serde(borrow)]
    entity_id: Cow<'a, str>,
    #[serde(borrow)]
    entity_type: Cow<'a, str>,
    import_id: Option<ImportId>,
    #[serde(borrow)]
    ip_address: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    job: Option<BulkJobId>,
    outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    place: Option<Cow<'a, str>>,
    #[serde(borrow)]
    previous_hash: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    request_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    user_agent: Option<Cow<'a, str>>,
    version: Option<u32>,
}

/// Changes as a list, or as they are sealed, in base64.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum FormChanges<'a> {
    Sealed(String),
    Clear(#[serde(serialize_with = "sorted")] Cow<'a, [FieldChange]>),
}

/// Writes changes with their names in alphabetical order.
fn sorted<S: Serializer>(changes: &[FieldChange], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(changes.iter().map(Sorted))
}

struct Sorted<'a>(&'a FieldChange);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("field", &self.0.field)?;
        let value = |value: &Option<Value>| value.as_ref().map(ToOwned::to_owned);
        if let Some(new) = value(&self.0.new) {
            map.serialize_entry("new", &new)?;
        }
        if let Some(old) = value(&self.0.old) {
            map.serialize_entry("old", &old)?;
        }
        map.end()
    }
}

/// Why a text isn't the form of an event.
#[derive(Debug, thiserror::Error)]
#[error("not the form of an event: {0}")]
pub struct FormError(String);

impl<'a> Form<'a> {
    pub(super) fn of(event: &'a AuditEvent) -> Self {
        let Change { action, at, origin, reason, member: _ } = &event.change;
        let changes = match &event.changes {
            Changes::Clear(changes) => FormChanges::Clear(Cow::Borrowed(changes)),
            Changes::Sealed(sealed) => FormChanges::Sealed(BASE64.encode(sealed)),
        };
        let (version, place) = match &event.place {
            Place::Version(version) => (Some(*version), None),
            Place::Beside(place) => (None, Some(Cow::Borrowed(place.as_str()))),
        };
        Self {
            about: event.about.as_deref().map(Cow::Borrowed),
            action: Cow::Borrowed(action),
            actor_email: origin.actor.email.as_ref().map(|email| BASE64.encode(email)),
            actor_id: origin.actor.id.as_deref().map(Cow::Borrowed),
            actor_kind: origin.actor.kind,
            actor_name: Cow::Borrowed(&origin.actor.name),
            actor_roles: Cow::Borrowed(&origin.actor.roles),
            at: at.as_millisecond(),
            changes,
            entity_id: Cow::Borrowed(&event.entity_id),
            entity_type: Cow::Borrowed(&event.entity_type),
            import_id: origin.import_id(),
            ip_address: origin.ip_address.as_deref().map(Cow::Borrowed),
            job: origin.job,
            outcome: event.outcome,
            place,
            previous_hash: event.previous_hash.as_deref().map(Cow::Borrowed),
            reason: reason.as_deref().map(Cow::Borrowed),
            request_id: origin.request_id.as_deref().map(Cow::Borrowed),
            user_agent: origin.user_agent.as_deref().map(Cow::Borrowed),
            version,
        }
    }

    pub(super) fn into_event(self) -> Result<AuditEvent, FormError> {
        let bytes = |text: &str| BASE64.decode(text.as_bytes()).map_err(|error| FormError(error.to_string()));
        let place = match (self.version, self.place) {
            (Some(version), None) => Place::Version(version),
            (None, Some(place)) => Place::parse(&place).ok_or_else(|| FormError("no such place".to_owned()))?,
            _ => return Err(FormError("either a version or a place".to_owned())),
        };
        let actor = Actor {
            kind: self.actor_kind,
            id: self.actor_id.map(Cow::into_owned),
            name: self.actor_name.into_owned(),
            email: self.actor_email.as_deref().map(bytes).transpose()?,
            roles: self.actor_roles.into_owned(),
        };
        let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
        let origin = Origin { actor, request_id: owned(self.request_id), ip_address: owned(self.ip_address), user_agent: owned(self.user_agent), job: self.job };
        let at = Timestamp::from_millisecond(self.at).map_err(|error| FormError(error.to_string()))?;
        let changes = match self.changes {
            FormChanges::Sealed(sealed) => Changes::Sealed(bytes(&sealed)?),
            FormChanges::Clear(changes) => Changes::Clear(changes.into_owned()),
        };
        Ok(AuditEvent {
            entity_type: self.entity_type.into_owned(),
            entity_id: self.entity_id.into_owned(),
            place,
            change: Change { action: self.action.into_owned(), at, origin, reason: owned(self.reason), member: None },
            changes,
            outcome: self.outcome,
            previous_hash: owned(self.previous_hash),
            about: owned(self.about),
        })
    }
}

impl AuditEvent {
    /// Reads an event from its canonical form.
    ///
    /// # Errors
    /// [`FormError`] when it isn't one.
    pub fn from_canonical(text: &str) -> Result<Self, FormError> {
        let form: Form<'_> = serde_json::from_str(text).map_err(|error| FormError(error.to_string()))?;
        form.into_event()
    }
}
