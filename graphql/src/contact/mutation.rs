//! The mutations of contacts.

use async_graphql::{Context, Enum, ID, InputObject, Json, MaybeUndefined, Object, Result, SimpleObject};
use serde_json::Value;
use switchboard_app::UserError as AppUserError;
use switchboard_app::contacts::{self, AddNote, AssignContacts, CreateContact, MergeContacts, SetStatus, UpdateContact};
use switchboard_domain::contact::{self, AttributeValue, ContactInput, ContactPatch};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, ContactId, StatusId, TeamId};

use super::{Contact, MASK, Note};
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};
use crate::node_id::NodeId;
use crate::scalars::DateTime;

/// A contact to be created.
#[derive(InputObject)]
pub(crate) struct ContactCreateInput {
    /// The number that identifies the contact, as dialled in the tenant's country or with its international prefix.
    phone: String,
    /// The digits of the extension, when they aren't part of the number.
    phone_extension: Option<String>,
    /// Further numbers, at most five.
    alternate_phones: Option<Vec<String>>,
    /// The person's or company's name.
    name: Option<String>,
    /// The e-mail address.
    email: Option<String>,
    /// The street address.
    address: Option<String>,
    /// The city.
    city: Option<String>,
    /// Province, state, department.
    region: Option<String>,
    /// The postal code.
    postal_code: Option<String>,
    /// ISO 3166-1 alpha-2; the number's country when not given.
    country: Option<String>,
    /// IANA time zone; derived from the postal code or the area code when not given, else the tenant's.
    time_zone: Option<String>,
    /// Where the contact came from.
    source: Option<String>,
    /// The status; `new` when not given.
    status_id: Option<ID>,
    /// The agent whose contact it is.
    assignee_id: Option<ID>,
    /// The team in whose pool it is.
    team_id: Option<ID>,
    /// When to call next.
    next_contact_at: Option<DateTime>,
    /// The tenant's own columns: an object of strings, numbers and booleans.
    attributes: Option<Json<Value>>,
    /// The client's own key for this creation, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// What is to be changed of a contact: what isn't given stays, null empties.
#[derive(InputObject)]
pub(crate) struct ContactUpdateInput {
    /// The contact.
    id: ID,
    /// The version that was read: when it is no longer that, nothing is written.
    expected_version: i32,
    /// The number that identifies the contact; it can't be emptied.
    phone: MaybeUndefined<String>,
    /// The digits of the extension.
    phone_extension: MaybeUndefined<String>,
    /// Further numbers, all of them, at most five.
    alternate_phones: MaybeUndefined<Vec<String>>,
    /// The person's or company's name.
    name: MaybeUndefined<String>,
    /// The e-mail address.
    email: MaybeUndefined<String>,
    /// The street address.
    address: MaybeUndefined<String>,
    /// The city.
    city: MaybeUndefined<String>,
    /// Province, state, department.
    region: MaybeUndefined<String>,
    /// The postal code.
    postal_code: MaybeUndefined<String>,
    /// ISO 3166-1 alpha-2; null for the number's own.
    country: MaybeUndefined<String>,
    /// IANA time zone; null to derive it.
    time_zone: MaybeUndefined<String>,
    /// Where the contact came from.
    source: MaybeUndefined<String>,
    /// The status; it can't be emptied.
    status_id: MaybeUndefined<ID>,
    /// The agent whose contact it is.
    assignee_id: MaybeUndefined<ID>,
    /// The team in whose pool it is.
    team_id: MaybeUndefined<ID>,
    /// When to call next.
    next_contact_at: MaybeUndefined<DateTime>,
    /// Attributes to set, null for those to remove; the others stay, as all do when this is null.
    attributes: MaybeUndefined<Json<Value>>,
}

/// A contact's new status.
#[derive(InputObject)]
pub(crate) struct ContactSetStatusInput {
    /// The contact.
    id: ID,
    /// The status.
    status_id: ID,
    /// What is to be remembered with it.
    note: Option<String>,
    /// When to call next; null empties it.
    next_contact_at: MaybeUndefined<DateTime>,
    /// The version that was read, when it matters that it is still that.
    expected_version: Option<i32>,
}

/// A note to be written.
#[derive(InputObject)]
pub(crate) struct ContactAddNoteInput {
    /// The contact.
    id: ID,
    /// The text, at most 10,000 characters.
    body: String,
    /// The client's own key for this note, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// Who is to have which contacts.
#[derive(InputObject)]
pub(crate) struct ContactAssignInput {
    /// The contacts, at most 100.
    ids: Vec<ID>,
    /// The agent; without agent and team the contacts are nobody's.
    assignee_id: Option<ID>,
    /// The team in whose pool they are to be.
    team_id: Option<ID>,
}

/// A contact to be deleted.
#[derive(InputObject)]
pub(crate) struct ContactDeleteInput {
    /// The contact.
    id: ID,
    /// The version that was read: when it is no longer that, nothing is written.
    expected_version: i32,
}

/// A deleted contact to be brought back.
#[derive(InputObject)]
pub(crate) struct ContactRestoreInput {
    /// The contact.
    id: ID,
    /// The version that was read, when it matters that it is still that.
    expected_version: Option<i32>,
}

/// A person to be erased for good.
#[derive(InputObject)]
pub(crate) struct ContactEraseInput {
    /// The contact.
    id: ID,
    /// Why, without personal data: it stays on record.
    reason: String,
}

/// Two contacts to be made one.
#[derive(InputObject)]
pub(crate) struct ContactMergeInput {
    /// The one that stays.
    winner_id: ID,
    /// The one that becomes a tombstone pointing to it.
    loser_id: ID,
    /// The winner's version that was read, when it matters that it is still that.
    expected_version: Option<i32>,
    /// The loser's.
    loser_expected_version: Option<i32>,
    /// What the winner takes over although it has its own; what it lacks it takes anyway.
    take_from_loser: Option<Vec<ContactMergeField>>,
}

/// A merge to be undone.
#[derive(InputObject)]
pub(crate) struct ContactUnmergeInput {
    /// The contact that was merged into another.
    loser_id: ID,
}

/// A value, or values that belong together, which the winner can take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "contact::MergeField")]
pub(crate) enum ContactMergeField {
    /// The name.
    Name,
    /// The e-mail address.
    Email,
    /// Address, city, region, postal code, country and time zone.
    Address,
    /// Where it came from.
    Source,
    /// The status.
    Status,
    /// The agent or pool.
    Assignee,
    /// When to call next.
    NextContactAt,
    /// Attributes that both have.
    Attributes,
}

macro_rules! contact_payload {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub(crate) struct $name {
            /// The contact; null exactly when there are errors.
            contact: Option<Contact>,
            /// What to mend.
            user_errors: Vec<UserError>,
        }

        impl From<std::result::Result<contact::Contact, Vec<AppUserError>>> for $name {
            fn from(result: std::result::Result<contact::Contact, Vec<AppUserError>>) -> Self {
                match result {
                    Ok(contact) => Self { contact: Some(contact.into()), user_errors: Vec::new() },
                    Err(errors) => Self { contact: None, user_errors: shown(errors) },
                }
            }
        }
    };
}

contact_payload!(
    /// What came of creating a contact.
    ContactCreatePayload
);
contact_payload!(
    /// What came of changing a contact.
    ContactUpdatePayload
);
contact_payload!(
    /// What came of setting a status.
    ContactSetStatusPayload
);
contact_payload!(
    /// What came of deleting a contact.
    ContactDeletePayload
);
contact_payload!(
    /// What came of restoring a contact.
    ContactRestorePayload
);
contact_payload!(
    /// What came of a merge: the contact that stays.
    ContactMergePayload
);

/// What came of writing a note.
#[derive(SimpleObject)]
pub(crate) struct ContactAddNotePayload {
    /// The contact; null exactly when there are errors.
    contact: Option<Contact>,
    /// The note; null exactly when there are errors.
    note: Option<Note>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of assigning contacts.
#[derive(SimpleObject)]
pub(crate) struct ContactAssignPayload {
    /// The contacts in the order of the ids, null where an error has that index.
    contacts: Vec<Option<Contact>>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What is left to say of an erased contact.
#[derive(SimpleObject)]
pub(crate) struct ContactErasure {
    /// The contact's id, which is never given again.
    contact_id: ID,
    /// When its key was destroyed: from then on nothing of it can be read.
    erased_at: DateTime,
    /// When no backup of the database holds the key any more.
    complete_at: DateTime,
}

/// What came of erasing a person.
#[derive(SimpleObject)]
pub(crate) struct ContactErasePayload {
    /// What is left of the contact: its id and that it is gone, every personal value empty; null exactly when there are errors.
    contact: Option<Contact>,
    /// What is left to say; null exactly when there are errors.
    erasure: Option<ContactErasure>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of undoing a merge.
#[derive(SimpleObject)]
pub(crate) struct ContactUnmergePayload {
    /// The contact that had stayed, as it was before; null exactly when there are errors.
    contact: Option<Contact>,
    /// The contact that is back; null exactly when there are errors.
    loser: Option<Contact>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

fn shown(errors: Vec<AppUserError>) -> Vec<UserError> {
    errors.into_iter().map(UserError::from).collect()
}

fn contact_id(id: &ID) -> Option<ContactId> {
    match NodeId::parse(id) {
        Some(NodeId::Contact(id)) => Some(id),
        _ => None,
    }
}

fn status_id(id: &ID) -> Option<StatusId> {
    match NodeId::parse(id) {
        Some(NodeId::ContactStatus(id)) => Some(id),
        _ => None,
    }
}

pub(crate) fn agent_id(id: &ID) -> Option<AgentId> {
    match NodeId::parse(id) {
        Some(NodeId::Agent(id)) => Some(id),
        _ => None,
    }
}

pub(crate) fn team_id(id: &ID) -> Option<TeamId> {
    match NodeId::parse(id) {
        Some(NodeId::Team(id)) => Some(id),
        _ => None,
    }
}

/// Absent, null or a value.
fn given<T, U>(value: MaybeUndefined<T>, read: impl FnOnce(T) -> U) -> Option<Option<U>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(read(value))),
    }
}

/// The mutations of contacts.
#[derive(Default)]
pub(crate) struct ContactMutation;

#[Object]
impl ContactMutation {
    /// Creates a contact. A number that has one is TAKEN, with that contact's id; when that one was deleted, CONFLICT.
    async fn contact_create(&self, ctx: &Context<'_>, #[graphql(desc = "The contact.")] input: ContactCreateInput) -> Result<ContactCreatePayload> {
        let attributes = match attributes(input.attributes) {
            Ok(attributes) => attributes.into_iter().filter_map(|(name, value)| Some((name, value?))).collect(),
            Err(error) => return Ok(Err(vec![error]).into()),
        };
        let values = ContactInput {
            phone: input.phone,
            phone_extension: input.phone_extension,
            alternate_phones: input.alternate_phones.unwrap_or_default(),
            name: input.name,
            email: input.email,
            address: input.address,
            city: input.city,
            region: input.region,
            postal_code: input.postal_code,
            country: input.country,
            time_zone: input.time_zone,
            source: input.source,
            attributes,
            next_contact_at: input.next_contact_at.map(|at| at.0),
        };
        let request = CreateContact {
            input: values,
            status: input.status_id.map(|id| status_id(&id)),
            assignee: input.assignee_id.map(|id| agent_id(&id)),
            team: input.team_id.map(|id| team_id(&id)),
            idempotency_key: input.idempotency_key,
        };
        Ok(contacts::create(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?.into())
    }

    /// Changes a contact: what isn't given stays. Either everything given is taken or nothing.
    async fn contact_update(&self, ctx: &Context<'_>, #[graphql(desc = "What is to be changed.")] input: ContactUpdateInput) -> Result<ContactUpdatePayload> {
        let attributes = match input.attributes {
            MaybeUndefined::Undefined | MaybeUndefined::Null => Vec::new(),
            MaybeUndefined::Value(value) => match attributes(Some(value)) {
                Ok(attributes) => attributes,
                Err(error) => return Ok(Err(vec![error]).into()),
            },
        };
        let same = |text: String| text;
        let patch = ContactPatch {
            phone: given(input.phone, same),
            phone_extension: given(input.phone_extension, same),
            alternate_phones: given(input.alternate_phones, |phones| phones),
            name: given(input.name, same),
            email: given(input.email, same),
            address: given(input.address, same),
            city: given(input.city, same),
            region: given(input.region, same),
            postal_code: given(input.postal_code, same),
            country: given(input.country, same),
            time_zone: given(input.time_zone, same),
            source: given(input.source, same),
            next_contact_at: given(input.next_contact_at, |at| at.0),
            attributes,
        };
        let request = UpdateContact {
            id: contact_id(&input.id),
            expected_version: input.expected_version,
            patch,
            status: given(input.status_id, |id| status_id(&id)).map(Option::flatten),
            assignee: given(input.assignee_id, |id| agent_id(&id)),
            team: given(input.team_id, |id| team_id(&id)),
        };
        Ok(contacts::update(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?.into())
    }

    /// Gives a contact another status, with a note and the time of the next contact. `do_not_call` puts its number on the suppression list.
    async fn contact_set_status(&self, ctx: &Context<'_>, #[graphql(desc = "The status.")] input: ContactSetStatusInput) -> Result<ContactSetStatusPayload> {
        let request = SetStatus {
            id: contact_id(&input.id),
            status: status_id(&input.status_id),
            note: input.note,
            next_contact_at: given(input.next_contact_at, |at| at.0),
            expected_version: input.expected_version,
        };
        Ok(contacts::set_status(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?.into())
    }

    /// Writes a note about a contact. The contact's version stays.
    async fn contact_add_note(&self, ctx: &Context<'_>, #[graphql(desc = "The note.")] input: ContactAddNoteInput) -> Result<ContactAddNotePayload> {
        let request = AddNote { id: contact_id(&input.id), body: input.body, idempotency_key: input.idempotency_key };
        Ok(match contacts::add_note(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok((contact, note)) => ContactAddNotePayload { contact: Some(contact.into()), note: Some(Note(note)), user_errors: Vec::new() },
            Err(errors) => ContactAddNotePayload { contact: None, note: None, user_errors: shown(errors) },
        })
    }

    /// Assigns contacts to an agent or to a team's pool, or to nobody; each by itself.
    async fn contact_assign(&self, ctx: &Context<'_>, #[graphql(desc = "Who is to have which.")] input: ContactAssignInput) -> Result<ContactAssignPayload> {
        let request = AssignContacts {
            ids: input.ids.iter().map(contact_id).collect(),
            assignee: input.assignee_id.map(|id| agent_id(&id)),
            team: input.team_id.map(|id| team_id(&id)),
        };
        let (contacts, errors) = contacts::assign(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?;
        Ok(ContactAssignPayload { contacts: contacts.into_iter().map(|contact| contact.map(Contact::from)).collect(), user_errors: shown(errors) })
    }

    /// Deletes a contact. It keeps its number and can be restored.
    async fn contact_delete(&self, ctx: &Context<'_>, #[graphql(desc = "The contact.")] input: ContactDeleteInput) -> Result<ContactDeletePayload> {
        let id = contact_id(&input.id);
        Ok(contacts::delete(&ctx.api().services, ctx.viewer(), id, input.expected_version).await.map_err(app_error)?.into())
    }

    /// Brings a deleted contact back, with all it had.
    async fn contact_restore(&self, ctx: &Context<'_>, #[graphql(desc = "The contact.")] input: ContactRestoreInput) -> Result<ContactRestorePayload> {
        let id = contact_id(&input.id);
        Ok(contacts::restore(&ctx.api().services, ctx.viewer(), id, input.expected_version).await.map_err(app_error)?.into())
    }

    /// Erases a person for good: the contact's key is destroyed, its number freed, its suppression kept, the chain of its audit trail too. What was
    /// merged into it goes with it.
    async fn contact_erase(&self, ctx: &Context<'_>, #[graphql(desc = "The contact, and why.")] input: ContactEraseInput) -> Result<ContactErasePayload> {
        let erased = contacts::erase(&ctx.api().services, ctx.viewer(), contact_id(&input.id), &input.reason).await.map_err(app_error)?;
        Ok(match erased {
            Ok(erasure) => ContactErasePayload {
                erasure: Some(ContactErasure {
                    contact_id: NodeId::Contact(erasure.contact.id.clone()).to_id(),
                    erased_at: erasure.erased_at.into(),
                    complete_at: erasure.complete_at.into(),
                }),
                contact: Some(erasure.contact.into()),
                user_errors: Vec::new(),
            },
            Err(errors) => ContactErasePayload { contact: None, erasure: None, user_errors: shown(errors) },
        })
    }

    /// Makes one contact of two. The loser's numbers lead to the winner from then on; its notes are the winner's too.
    async fn contact_merge(&self, ctx: &Context<'_>, #[graphql(desc = "The two.")] input: ContactMergeInput) -> Result<ContactMergePayload> {
        let request = MergeContacts {
            winner: contact_id(&input.winner_id),
            loser: contact_id(&input.loser_id),
            expected_version: input.expected_version,
            loser_expected_version: input.loser_expected_version,
            from_loser: input.take_from_loser.unwrap_or_default().into_iter().map(Into::into).collect(),
        };
        Ok(contacts::merge(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)?.into())
    }

    /// Makes two contacts of one again, each as it was before, as long as neither changed since.
    async fn contact_unmerge(&self, ctx: &Context<'_>, #[graphql(desc = "The merge.")] input: ContactUnmergeInput) -> Result<ContactUnmergePayload> {
        let unmerged = contacts::unmerge(&ctx.api().services, ctx.viewer(), contact_id(&input.loser_id)).await.map_err(app_error)?;
        Ok(match unmerged {
            Ok((winner, loser)) => ContactUnmergePayload { contact: Some(winner.into()), loser: Some(loser.into()), user_errors: Vec::new() },
            Err(errors) => ContactUnmergePayload { contact: None, loser: None, user_errors: shown(errors) },
        })
    }
}

/// Attributes as they came; null is one to be removed.
fn attributes(given: Option<Json<Value>>) -> std::result::Result<Vec<(String, Option<AttributeValue>)>, AppUserError> {
    let invalid = |field: &str| AppUserError::new(field, FieldErrorCode::Invalid, format!("{field} is not an object of strings, numbers and booleans."));
    let object = match given {
        None | Some(Json(Value::Null)) => return Ok(Vec::new()),
        Some(Json(Value::Object(object))) => object,
        Some(_) => return Err(invalid("attributes")),
    };
    object
        .into_iter()
        // What is shown masked and comes back so was not changed.
        .filter(|(name, value)| !(contact::is_sensitive(name) && value == MASK))
        .map(|(name, value)| {
            let value = match value {
                Value::Null => None,
                Value::String(text) => Some(AttributeValue::String(text)),
                Value::Bool(boolean) => Some(AttributeValue::Boolean(boolean)),
                Value::Number(number) => Some(AttributeValue::Number(number.as_f64().ok_or_else(|| invalid("attributes"))?)),
                Value::Array(_) | Value::Object(_) => return Err(invalid("attributes")),
            };
            Ok((name, value))
        })
        .collect()
}
