//! A field's change as clients see it: ids in their global form, with the names of what they are about as they were then; what is not to be seen masked.

use async_graphql::{Context, Json, Object, Result};
use jiff::Timestamp;
use serde_json::Value;
use switchboard_app::audit::named_in;
use switchboard_domain::audit;
use switchboard_domain::contact::is_sensitive;
use switchboard_domain::ids::{AgentId, AuditExportId, BulkJobId, ContactId, RoleId, ScoringModelId, StatusId, TeamId};

use crate::contact::MASK;
use crate::context::ContextExt;
use crate::errors::shared_error;
use crate::node_id::NodeId;

/// One field's change.
#[derive(Debug, Clone)]
pub(crate) struct FieldChange {
    change: audit::FieldChange,
    /// When the value before held, and when the one after; none when there was no record yet.
    times: (Option<Timestamp>, Option<Timestamp>),
}

impl FieldChange {
    /// A change of one moment.
    pub(crate) fn at(change: audit::FieldChange, at: Timestamp) -> Self {
        Self { change, times: (Some(at), Some(at)) }
    }

    /// How a field differs between two moments.
    pub(crate) fn between(change: audit::FieldChange, from: Option<Timestamp>, to: Option<Timestamp>) -> Self {
        Self { change, times: (from, to) }
    }

    fn shown(&self, value: &Option<Value>) -> Option<Json<Value>> {
        value.as_ref().map(|value| Json(shown_value(&self.change.field, value)))
    }

    /// What the records were called that a value names; several are parted by commas.
    async fn label(&self, ctx: &Context<'_>, value: &Option<Value>, at: Option<Timestamp>) -> Result<Option<String>> {
        let (Some(value), Some(at)) = (value, at) else {
            return Ok(None);
        };
        let asked: Vec<_> = named_in(&self.change.field, value).into_iter().map(|record| (record, at)).collect();
        if asked.is_empty() {
            return Ok(None);
        }
        let found = ctx.names().load_many(asked.clone()).await.map_err(|error| shared_error(&error))?;
        let names: Vec<&str> = asked.iter().filter_map(|asked| found.get(asked)).map(String::as_str).collect();
        Ok((!names.is_empty()).then(|| names.join(", ")))
    }
}

#[Object]
impl FieldChange {
    /// The field by its name here; attributes as `attributes.<name>`.
    async fn field(&self) -> String {
        shown_field(&self.change.field)
    }

    /// Its value before; null when it had none.
    async fn old_value(&self) -> Option<Json<Value>> {
        self.shown(&self.change.old)
    }

    /// Its value after; null when it has none.
    async fn new_value(&self) -> Option<Json<Value>> {
        self.shown(&self.change.new)
    }

    /// Where the value is another record's id, or the field carries one: what that record was called then. Null for other values.
    async fn old_label(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.label(ctx, &self.change.old, self.times.0).await
    }

    /// The same for the value after.
    async fn new_label(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        self.label(ctx, &self.change.new, self.times.1).await
    }
}

/// The name of an audited field as clients see it: the id in it in its global form.
pub(super) fn shown_field(field: &str) -> String {
    let id = match field.split_once('.') {
        Some(("members", id)) => AgentId::parse(id).map(NodeId::Agent),
        Some(("teams", id)) => TeamId::parse(id).map(NodeId::Team),
        _ => None,
    };
    match (id, field.split_once('.')) {
        (Some(id), Some((list, _))) => format!("{list}.{}", id.to_id().0),
        _ => field.to_owned(),
    }
}

/// The value of an audited field as clients see it: ids of other records in their global form, sensitive attributes masked.
pub(super) fn shown_value(field: &str, value: &Value) -> Value {
    if field.strip_prefix("attributes.").is_some_and(is_sensitive) {
        return Value::from(MASK);
    }
    if let (Value::Array(values), "roles") = (value, field) {
        return values.iter().map(|value| shown_id(value, |id| RoleId::parse(id).map(NodeId::Role))).collect();
    }
    shown_id(value, |id| match field {
        "status" => StatusId::parse(id).map(NodeId::ContactStatus),
        "assignee" | "from" => AgentId::parse(id).map(NodeId::Agent),
        "team" => TeamId::parse(id).map(NodeId::Team),
        "mergedInto" | "contact" => ContactId::parse(id).map(NodeId::Contact),
        "job" => BulkJobId::parse(id).map(NodeId::BulkJob),
        "auditExport" => AuditExportId::parse(id).map(NodeId::AuditExport),
        "model" => ScoringModelId::parse(id).map(NodeId::ScoringModel),
        _ => None,
    })
}

/// An id in its global form; anything else as it is.
fn shown_id(value: &Value, parse: impl Fn(&str) -> Option<NodeId>) -> Value {
    value.as_str().and_then(parse).map_or_else(|| value.clone(), |id| Value::String(id.to_id().0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_shown_in_their_global_form_wherever_they_stand_and_sensitive_values_not_at_all() {
        let at = Timestamp::UNIX_EPOCH;
        let (agent, role, contact) = (AgentId::new(at, &[1; 10]), RoleId::new(at, &[2; 10]), ContactId::from_hash(&[3; 32]));
        let global = |id: NodeId| json!(id.to_id().0);
        assert_eq!(shown_value("assignee", &json!(agent)), global(NodeId::Agent(agent)));
        assert_eq!(shown_value("roles", &json!([role])), json!([global(NodeId::Role(role))]));
        assert_eq!(shown_value("contact", &json!(contact)), global(NodeId::Contact(contact)));
        assert_eq!(shown_value("status", &json!("ACTIVE")), json!("ACTIVE"));
        assert_eq!(shown_value("order", &json!(7)), json!(7));
        assert_eq!(shown_value("attributes.sin", &json!("046 454 286")), json!(MASK));
        assert_eq!(shown_field(&format!("members.{agent}")), format!("members.{}", NodeId::Agent(agent).to_id().0));
        assert_eq!(shown_field("attributes.teams.x"), "attributes.teams.x");
    }
}
