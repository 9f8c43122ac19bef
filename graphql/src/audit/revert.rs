//! The mutation that brings a record back to what it said at an earlier version.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use switchboard_app::audit::{self, RecordId, RevertRecord, Reverted};

use crate::context::ContextExt;
use crate::errors::{UserError, app_error};
use crate::node::Node;
use crate::node_id::NodeId;
use crate::role::Role;
use crate::status::ContactStatus;
use crate::tenant::Tenant;

/// A record, and the version whose values it is to have again.
#[derive(InputObject)]
pub(crate) struct RecordRevertInput {
    /// The contact, status, role, team, agent, user or organisation.
    id: ID,
    /// The version whose values it is to have.
    to_version: i32,
    /// Its version as it was read; another one is STALE.
    expected_version: i32,
}

/// What came of reverting a record.
#[derive(SimpleObject, Default)]
pub(crate) struct RecordRevertPayload {
    /// The record as it is now; null when there are errors, and for the organisation.
    record: Option<Node>,
    /// The organisation as it is now, when it is what was reverted.
    tenant: Option<Tenant>,
    /// What to mend, by the names by which the update of the record takes its values.
    user_errors: Vec<UserError>,
}

impl From<Reverted> for RecordRevertPayload {
    fn from(reverted: Reverted) -> Self {
        let record = match reverted {
            Reverted::Contact(contact) => Node::Contact((*contact).into()),
            Reverted::ContactStatus(status) => Node::ContactStatus(ContactStatus(status)),
            Reverted::Role(role) => Node::Role(Role(role)),
            Reverted::Team(team) => Node::Team(team.into()),
            Reverted::Agent(agent) => Node::Agent(agent.into()),
            Reverted::User(user) => Node::User(user.into()),
            Reverted::Tenant(tenant) => return Self { tenant: Some(Tenant(tenant)), ..Self::default() },
        };
        Self { record: Some(record), ..Self::default() }
    }
}

/// The record that an id names; none for an id that we never gave.
fn record_id(id: &ID) -> Option<RecordId> {
    Some(match NodeId::parse(id)? {
        NodeId::Contact(id) => RecordId::Contact(id),
        NodeId::ContactStatus(id) => RecordId::ContactStatus(id),
        NodeId::Role(id) => RecordId::Role(id),
        NodeId::Team(id) => RecordId::Team(id),
        NodeId::Agent(id) => RecordId::Agent(id),
        NodeId::User(id) => RecordId::User(id),
        NodeId::Tenant(id) => RecordId::Tenant(id),
        NodeId::Suppression(_) => RecordId::Suppression,
        _ => RecordId::Other,
    })
}

/// The mutation that brings records back.
#[derive(Default)]
pub(crate) struct AuditMutation;

#[Object]
impl AuditMutation {
    /// Gives a record the values that it had at an earlier version, as a new change by the rules of its update: its audit event has that version as its reason.
    /// Nothing is written when it has these values. What it is of itself stays: whether it is deleted, whom a team has as members, whether a user can sign in.
    /// A value that can't be any more, such as a number that another contact has, is an error, and nothing is written.
    async fn record_revert(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The record, and the version whose values it is to have again.")] input: RecordRevertInput,
    ) -> Result<RecordRevertPayload> {
        let request = RevertRecord { record: record_id(&input.id), to_version: input.to_version, expected_version: input.expected_version };
        Ok(match audit::revert(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(reverted) => reverted.into(),
            Err(errors) => RecordRevertPayload { user_errors: errors.into_iter().map(UserError::from).collect(), ..RecordRevertPayload::default() },
        })
    }
}
