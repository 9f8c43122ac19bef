//! What every audited record shows of its trail: its events, and how it stood at a time.

use async_graphql::{Context, Json, Result};
use serde_json::{Map, Value, json};
use switchboard_app::audit::{self, RecordThen};

use super::change::{shown_field, shown_value};
use super::event::{AuditEvent, connection};
use crate::context::ContextExt;
use crate::errors::app_error;
use crate::node_id::{AuditedId, NodeId};
use crate::page::{Asked, Connection};
use crate::scalars::DateTime;

/// A page of a record's events, newest first.
pub(crate) async fn events(ctx: &Context<'_>, record: AuditedId, first: Option<i32>, after: Option<&str>) -> Result<Connection<AuditEvent>> {
    let asked = Asked::of(ctx.viewer().tenant.record.id, &format!("auditEvents of {record:?}"), first, after)?;
    let page = audit::history(&ctx.api().services, ctx.viewer(), &record, asked.after.as_deref(), asked.first).await.map_err(app_error)?;
    Ok(connection(&asked, page))
}

/// A record as it stood at a time.
pub(crate) async fn as_of(ctx: &Context<'_>, record: AuditedId, time: DateTime) -> Result<Option<Json<Value>>> {
    let then = audit::as_of(&ctx.api().services, ctx.viewer(), &record, time.0).await.map_err(app_error)?;
    Ok(then.map(|then| Json(shown_then(&record, then))))
}

/// The fields of a record at one time, by their names; those of a list, such as `attributes.<name>`, as an object.
fn shown_then(record: &AuditedId, then: RecordThen) -> Value {
    let mut object = Map::new();
    if matches!(record, AuditedId::Contact(_)) {
        object.insert("attributes".to_owned(), json!({}));
    }
    for (field, value) in &then.fields {
        let (field, value) = (shown_field(field), shown_value(field, value));
        match field.split_once('.') {
            Some((list, name)) => {
                if let Value::Object(list) = object.entry(list).or_insert_with(|| json!({})) {
                    list.insert(name.to_owned(), value);
                }
            }
            None => {
                object.insert(field, value);
            }
        }
    }
    object.insert("id".to_owned(), json!(NodeId::of(record).to_id().0));
    object.insert("version".to_owned(), json!(then.version));
    object.insert("createdAt".to_owned(), json!(format!("{:.3}", then.created_at)));
    object.insert("updatedAt".to_owned(), json!(format!("{:.3}", then.updated_at)));
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use switchboard_domain::audit::Fields;
    use switchboard_domain::ids::{AgentId, ContactId, TeamId};

    fn then(fields: &[(String, Value)]) -> RecordThen {
        let fields: Fields = fields.iter().cloned().collect();
        RecordThen { fields, version: 2, created_at: Timestamp::UNIX_EPOCH, updated_at: Timestamp::from_millisecond(1).unwrap() }
    }

    #[test]
    fn lists_of_a_record_are_objects_and_a_contact_always_has_its_attributes() {
        let contact = AuditedId::Contact(ContactId::from_hash(&[1; 32]));
        let shown = shown_then(&contact, then(&[("name".to_owned(), json!("Zoé")), ("attributes.a.b".to_owned(), json!(1))]));
        assert_eq!((&shown["name"], &shown["attributes"]["a.b"]), (&json!("Zoé"), &json!(1)));
        assert_eq!((&shown["version"], &shown["updatedAt"]), (&json!(2), &json!("1970-01-01T00:00:00.001Z")));
        assert_eq!(shown_then(&contact, then(&[]))["attributes"], json!({}));
        let (agent, team) = (AgentId::new(Timestamp::UNIX_EPOCH, &[1; 10]), TeamId::new(Timestamp::UNIX_EPOCH, &[2; 10]));
        let shown = shown_then(&AuditedId::Agent(agent), then(&[(format!("teams.{team}"), json!("AGENT"))]));
        assert_eq!(shown["teams"][NodeId::Team(team).to_id().as_str()], json!("AGENT"));
        assert!(shown.get("attributes").is_none());
    }
}
