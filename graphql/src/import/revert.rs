//! What undoing an import came to.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use switchboard_app::imports::{self as use_cases, Kept};
use switchboard_domain::imports::{Import, ImportStatus};
use switchboard_store::Page;

use super::int;
use super::row_error::{place_of, place_text};
use crate::context::ContextExt;
use crate::errors::app_error;
use crate::node_id::{AuditedId, NodeId};
use crate::page::{Asked, Connection};

/// A record that an import wrote and that was changed since, so that it stays as it is.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ImportKeptRecord {
    /// The kind of record, such as `contact`.
    entity_type: String,
    /// The record; null for what has no id of its own, such as a membership.
    id: Option<ID>,
    /// Why it stays, in plain words.
    reason: String,
}

impl From<Kept> for ImportKeptRecord {
    fn from(kept: Kept) -> Self {
        let id = AuditedId::parse(&kept.entity_type, &kept.entity_id, None).map(|record| NodeId::of(&record).to_id());
        Self { entity_type: kept.entity_type, id, reason: kept.reason }
    }
}

/// What undoing an import came to so far.
#[derive(Clone)]
pub(crate) struct ImportRevertSummary(Arc<Import>);

/// What undoing an import came to; none before somebody asked for it.
pub(super) fn summary(import: &Arc<Import>) -> Option<ImportRevertSummary> {
    let is_asked_for = [ImportStatus::Reverting, ImportStatus::Reverted].contains(&import.status);
    is_asked_for.then(|| ImportRevertSummary(Arc::clone(import)))
}

#[Object]
impl ImportRevertSummary {
    /// Records that the import had made, and that are gone again.
    async fn removed(&self) -> i32 {
        int(self.0.reverted.removed)
    }

    /// Records that say again what they said before it.
    async fn restored(&self) -> i32 {
        int(self.0.reverted.restored)
    }

    /// Records that were changed since, and stay as they are.
    async fn kept(&self) -> i32 {
        int(self.0.reverted.kept)
    }

    /// Those that stay, in the order in which the import wrote them, each with the reason.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn kept_records(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<ImportKeptRecord>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, &format!("kept records of import {}", self.0.id), first, after.as_deref())?;
        let place = asked.after.as_deref().and_then(place_of);
        let Page { entries, has_more } = use_cases::kept(&ctx.api().services, viewer, &self.0, place, asked.first).await.map_err(app_error)?;
        let entries = entries.into_iter().map(|(place, kept)| (place_text(place), ImportKeptRecord::from(kept))).collect();
        Ok(asked.page(entries, has_more))
    }
}
