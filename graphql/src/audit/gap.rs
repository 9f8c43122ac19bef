//! A missing event as clients see it.

use async_graphql::{Context, ID, Object, Result};
use switchboard_app::audit::gaps::{self, Gap};

use super::filter::{audited, check_type};
use crate::context::ContextExt;
use crate::errors::{Code, app_error};
use crate::node_id::NodeId;
use crate::page::{Asked, Connection, Listed};

/// A version of a record that has no event, although it should.
#[derive(Clone)]
pub(crate) struct AuditGap(Gap);

impl Listed for AuditGap {
    const NAME: &'static str = "AuditGap";
}

#[Object]
impl AuditGap {
    /// The kind of record.
    async fn entity_type(&self) -> &str {
        self.0.record.entity_type()
    }

    /// The record; of `presence` and `schedule` the agent whose it is.
    async fn entity_id(&self) -> ID {
        NodeId::of(&self.0.record).to_id()
    }

    /// The version whose event is missing.
    async fn version(&self) -> u32 {
        self.0.version
    }
}

/// A page of the gaps of one record, or of all records of a kind.
pub(super) async fn page(ctx: &Context<'_>, entity_type: &str, entity_id: Option<&ID>, first: Option<i32>, after: Option<&str>) -> Result<Connection<AuditGap>> {
    check_type(Some(entity_type))?;
    let (services, viewer) = (&ctx.api().services, ctx.viewer());
    let list = format!("auditGaps {entity_type} {}", entity_id.map_or("", |id| id.as_str()));
    let asked = Asked::of(viewer.tenant.record.id, &list, first, after)?;
    let found = match entity_id {
        None => gaps::of_type(services, viewer, entity_type, asked.after.as_deref(), asked.first).await,
        Some(id) => match audited(id, Some(entity_type)) {
            Some(record) if record.has_versions() => gaps::of_record(services, viewer, &record, asked.after.as_deref(), asked.first).await,
            Some(_) => return Err(Code::BadRequest.error("entityType is nothing that has versions. Give another.")),
            None => return Ok(asked.page(Vec::new(), false)),
        },
    };
    let found = found.map_err(app_error)?;
    Ok(asked.page_until(found.entries.into_iter().map(|(place, gap)| (place, AuditGap(gap))).collect(), found.next))
}
