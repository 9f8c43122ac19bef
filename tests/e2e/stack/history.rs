//! Contacts with their audit events, and knowing when the audit has caught up.

use std::time::Duration;

use serde_json::{Value, json};

use super::api::{Api, created};
use super::fresh;
use super::waiting::eventually;

/// The audit is seconds behind; beside an import of thousands of rows somewhat more.
pub(crate) const AUDIT: Duration = Duration::from_secs(120);
/// Contacts asked for at once: fewer than the aliases that a query may have.
const AT_ONCE: usize = 25;

/// All fields of a contact, with its newest events.
const CONTACT: &str = "fragment contact on Contact { id phone phoneExtension alternatePhones name email address city region postalCode country timeZone source attributes
    status { code } version createdAt updatedAt createdBy { type id name } updatedBy { type id name }
    auditEvents(first: 5) { nodes { ...event } } }
    fragment event on AuditEvent { id action entityType entityId entityVersion actor { type id name email roles } changes { field oldValue newValue }
    outcome at requestId ipAddress userAgent importId hash previousHash }";

/// The contacts at numbers, in their order; null where there is none.
pub(crate) async fn contacts_at(api: &Api, numbers: &[fresh::Number]) -> Vec<Value> {
    let mut contacts = Vec::with_capacity(numbers.len());
    for numbers in numbers.chunks(AT_ONCE) {
        let fields: String =
            numbers.iter().enumerate().map(|(index, number)| format!("c{index}: contactByPhone(phone: \"{}\") {{ ...contact }} ", number.e164())).collect();
        let mut data = api.data(&format!("{{ {fields} }} {CONTACT}"), json!({})).await;
        contacts.extend((0..numbers.len()).map(|index| data[format!("c{index}")].take()));
    }
    contacts
}

/// The contact at a number.
pub(crate) async fn contact_at(api: &Api, number: fresh::Number) -> Value {
    contacts_at(api, &[number]).await.remove(0)
}

/// A contact's events, newest first.
pub(crate) fn events(contact: &Value) -> &[Value] {
    contact["auditEvents"]["nodes"].as_array().unwrap()
}

/// The newest 50 events of a contact that may be deleted, newest first.
pub(crate) async fn history(api: &Api, id: &Value) -> Vec<Value> {
    let query = "query($id: ID!) { contact(id: $id) { auditEvents(first: 50) { nodes {
        id action entityVersion actor { type id name } changes { field oldValue newValue } outcome at importId hash previousHash } } } }";
    let mut data = api.data(query, json!({ "id": id })).await;
    let Value::Array(events) = data["contact"]["auditEvents"]["nodes"].take() else { panic!("no events: {data}") };
    events
}

/// The fields that an event says were changed, in their order.
pub(crate) fn changed_fields(event: &Value) -> Vec<&str> {
    let mut fields: Vec<&str> = event["changes"].as_array().unwrap().iter().map(|change| change["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    fields
}

/// Returns when everything that was written before is on record: changes are recorded in their order, so when the creation of a contact made
/// now is, all of them are.
pub(crate) async fn caught_up(api: &Api) {
    let number = fresh::number();
    created(api, json!({ "phone": number.e164() })).await;
    eventually("the audit has caught up", AUDIT, async || (!events(&contact_at(api, number).await).is_empty()).then_some(())).await;
}
