//! The mutations of contacts.

use async_graphql::{Context, ID, InputObject, Json, Object, Result, SimpleObject};
use serde_json::Value;
use switchboard_app::UserError as AppUserError;
use switchboard_app::contacts::{self, CreateContact};
use switchboard_domain::contact::{AttributeValue, ContactInput};
use switchboard_domain::field_error::FieldErrorCode;

use super::Contact;
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};
use crate::node_id::NodeId;
use crate::scalars::DateTime;

/// A contact to be created.
#[derive(InputObject)]
pub(crate) struct ContactCreateInput {
    /// The number that identifies the contact, as dialled in the tenant's country or with its international prefix.
    phone: String,
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
    /// IANA time zone; the tenant's when not given.
    time_zone: Option<String>,
    /// Where the contact came from.
    source: Option<String>,
    /// The status; `new` when not given.
    status_id: Option<ID>,
    /// The agent whose contact it is.
    assignee_id: Option<ID>,
    /// When to call next.
    next_contact_at: Option<DateTime>,
    /// The tenant's own columns: an object of strings, numbers and booleans.
    attributes: Option<Json<Value>>,
    /// The client's own key for this creation, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// What came of creating a contact.
#[derive(SimpleObject)]
pub(crate) struct ContactCreatePayload {
    /// The contact; null exactly when there are errors.
    contact: Option<Contact>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// The mutations of contacts.
#[derive(Default)]
pub(crate) struct ContactMutation;

#[Object]
impl ContactMutation {
    /// Creates a contact. A number that has one is TAKEN, with that contact's id; when that one was deleted, CONFLICT.
    async fn contact_create(&self, ctx: &Context<'_>, #[graphql(desc = "The contact.")] input: ContactCreateInput) -> Result<ContactCreatePayload> {
        let attributes = match attributes(input.attributes) {
            Ok(attributes) => attributes,
            Err(error) => return Ok(ContactCreatePayload { contact: None, user_errors: vec![error.into()] }),
        };
        let status = input.status_id.map(|id| match NodeId::parse(&id) {
            Some(NodeId::ContactStatus(id)) => Some(id),
            _ => None,
        });
        let assignee = input.assignee_id.map(|id| match NodeId::parse(&id) {
            Some(NodeId::Agent(id)) => Some(id),
            _ => None,
        });
        let values = ContactInput {
            phone: input.phone,
            phone_extension: None,
            alternate_phones: Vec::new(),
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
        let request = CreateContact { input: values, status, assignee, idempotency_key: input.idempotency_key };
        Ok(match contacts::create(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(contact) => ContactCreatePayload { contact: Some(contact.into()), user_errors: Vec::new() },
            Err(errors) => ContactCreatePayload { contact: None, user_errors: errors.into_iter().map(UserError::from).collect() },
        })
    }
}

fn attributes(given: Option<Json<Value>>) -> std::result::Result<Vec<(String, AttributeValue)>, AppUserError> {
    let invalid = |field: &str| AppUserError::new(field, FieldErrorCode::Invalid, format!("{field} is not an object of strings, numbers and booleans."));
    let object = match given {
        None | Some(Json(Value::Null)) => return Ok(Vec::new()),
        Some(Json(Value::Object(object))) => object,
        Some(_) => return Err(invalid("attributes")),
    };
    object
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let value = match value {
                Value::String(text) => AttributeValue::String(text),
                Value::Bool(boolean) => AttributeValue::Boolean(boolean),
                Value::Number(number) => AttributeValue::Number(number.as_f64().ok_or_else(|| invalid("attributes"))?),
                _ => return Err(invalid("attributes")),
            };
            Ok((name, value))
        })
        .collect()
}
