//! The queries for imports.

use async_graphql::{Context, ID, Object, Result};
use switchboard_app::imports::{self, ImportFilter};
use switchboard_domain::ids::ImportId;

use super::types::{Import, ImportKind, ImportStatus};
use crate::context::ContextExt;
use crate::errors::{app_error, hidden};
use crate::node_id::NodeId;
use crate::page::{Asked, Connection};

/// The queries for imports.
#[derive(Default)]
pub(crate) struct ImportQuery;

#[Object]
impl ImportQuery {
    /// The imports of the tenant, newest first. With a filter a page may be thin, and there be more behind it.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn imports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
        #[graphql(desc = "Those that stand at one of these.")] status: Option<Vec<ImportStatus>>,
        #[graphql(desc = "Those of this kind.")] kind: Option<ImportKind>,
    ) -> Result<Connection<Import>> {
        let viewer = ctx.viewer();
        let status = status.unwrap_or_default();
        let list = if status.is_empty() && kind.is_none() { "imports".to_owned() } else { format!("imports {status:?} {kind:?}") };
        let asked = Asked::of(viewer.tenant.record.id, &list, first, after.as_deref())?;
        let filter = ImportFilter { status: status.into_iter().map(Into::into).collect(), kind: kind.map(Into::into) };
        let page = imports::newest(&ctx.api().services, viewer, &filter, asked.after.as_deref(), asked.first).await.map_err(app_error)?;
        let entries = page.imports.into_iter().map(|import| (import.id.to_string(), Import::from(import))).collect();
        Ok(asked.page_until(entries, page.next))
    }

    /// An import by its id; null when there is none, or none for you.
    async fn import(&self, ctx: &Context<'_>, #[graphql(desc = "The import's id.")] id: ID) -> Result<Option<Import>> {
        match NodeId::parse(&id) {
            Some(NodeId::Import(id)) => import(ctx, id).await,
            _ => Ok(None),
        }
    }
}

/// An import by its id; none without the right to see it.
pub(crate) async fn import(ctx: &Context<'_>, id: ImportId) -> Result<Option<Import>> {
    let found = imports::get(&ctx.api().services, ctx.viewer(), id).await.or_else(hidden).map_err(app_error)?;
    Ok(found.map(Import::from))
}
