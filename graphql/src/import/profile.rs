//! Saved mappings: which column is what, kept under a name for other files.

use async_graphql::{Context, ID, InputObject, Json, Object, Result, SimpleObject};
use serde_json::Value;
use switchboard_app::imports;
use switchboard_domain::imports as rules;

use super::options::ImportOptions;
use super::types::ImportKind;
use crate::audit::{AuditActor, AuditEvent, as_of, events};
use crate::context::ContextExt;
use crate::errors::{UserError, app_error, hidden};
use crate::limits::TRAIL_COMPLEXITY;
use crate::node_id::{AuditedId, NodeId};
use crate::page::Connection;
use crate::scalars::DateTime;

/// A column of a saved mapping.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ImportProfileColumn {
    /// Its name in the header.
    column: String,
    /// The field its values become; null leaves it out.
    field: Option<String>,
    /// The value that a blank or missing cell of it takes.
    default: Option<String>,
}

/// A saved mapping: files dropped under `drop/<tenant>/<name>/` use it.
#[derive(Clone)]
pub(crate) struct ImportProfile(rules::Profile);

#[Object]
impl ImportProfile {
    /// Opaque; the same for as long as its name is, whatever its capitals and accents.
    pub(crate) async fn id(&self) -> ID {
        NodeId::ImportProfile(self.0.key.clone()).to_id()
    }

    /// Its name, unique whatever its capitals and accents.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What the rows of such files become.
    async fn kind(&self) -> ImportKind {
        self.0.kind.into()
    }

    /// The columns it knows. Others are mapped by their header.
    async fn columns(&self) -> Vec<ImportProfileColumn> {
        let column = |column: &rules::ProfileColumn| ImportProfileColumn {
            column: column.column.clone(),
            field: column.field.as_ref().map(ToString::to_string),
            default: column.default.clone(),
        };
        self.0.columns.iter().map(column).collect()
    }

    /// What is done with rows that leave a choice.
    async fn options(&self) -> ImportOptions {
        (&self.0.options).into()
    }

    /// Everything that was changed, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::ImportProfile(self.0.key.clone()), first, after.as_deref()).await
    }

    /// The fields by their names as they stood at a time, that moment included, from the audit trail; null when it wasn't there yet, or the trail no longer
    /// reaches back so far.
    #[graphql(complexity = "TRAIL_COMPLEXITY")]
    async fn as_of(&self, ctx: &Context<'_>, #[graphql(desc = "The time.")] time: DateTime) -> Result<Option<Json<Value>>> {
        as_of(ctx, AuditedId::ImportProfile(self.0.key.clone()), time).await
    }

    /// Counts its changes.
    async fn version(&self) -> u32 {
        self.0.record.version
    }

    /// When it was first kept.
    async fn created_at(&self) -> DateTime {
        self.0.record.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.record.updated_at().into()
    }

    /// When it was deleted.
    async fn deleted_at(&self) -> Option<DateTime> {
        self.0.deleted_at.map(DateTime)
    }

    /// Who first kept it, as they were then.
    async fn created_by(&self) -> AuditActor {
        AuditActor(self.0.record.created_by.clone())
    }

    /// Who changed it last, as they were then.
    async fn updated_by(&self) -> AuditActor {
        AuditActor(self.0.record.last_change.origin.actor.clone())
    }
}

/// The query for saved mappings.
#[derive(Default)]
pub(crate) struct ImportProfileQuery;

#[Object]
impl ImportProfileQuery {
    /// The saved mappings of the tenant, by their names.
    async fn import_profiles(&self, ctx: &Context<'_>) -> Result<Vec<ImportProfile>> {
        let found = imports::profiles(&ctx.api().services, ctx.viewer()).await.map_err(app_error)?;
        Ok(found.into_iter().map(ImportProfile).collect())
    }
}

/// A saved mapping by its id; none without the right to see it.
pub(crate) async fn profile(ctx: &Context<'_>, key: &rules::ProfileKey) -> Result<Option<ImportProfile>> {
    let all = imports::profiles(&ctx.api().services, ctx.viewer()).await.map(Some).or_else(hidden).map_err(app_error)?;
    Ok(all.into_iter().flatten().find(|profile| profile.key == *key).map(ImportProfile))
}

/// A saved mapping to be deleted.
#[derive(InputObject)]
pub(crate) struct ImportProfileDeleteInput {
    /// Its name.
    name: String,
}

/// What came of deleting a saved mapping.
#[derive(SimpleObject)]
pub(crate) struct ImportProfileDeletePayload {
    /// The mapping as it was; null exactly when there are errors.
    profile: Option<ImportProfile>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// The mutation of saved mappings; `importSetMapping` saves them.
#[derive(Default)]
pub(crate) struct ImportProfileMutation;

#[Object]
impl ImportProfileMutation {
    /// Deletes a saved mapping. Imports that were made with it stay; files dropped in its folder fail from then on, and say so.
    async fn import_profile_delete(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The saved mapping.")] input: ImportProfileDeleteInput,
    ) -> Result<ImportProfileDeletePayload> {
        Ok(match imports::delete_profile(&ctx.api().services, ctx.viewer(), &input.name).await.map_err(app_error)? {
            Ok(profile) => ImportProfileDeletePayload { profile: Some(ImportProfile(profile)), user_errors: Vec::new() },
            Err(errors) => ImportProfileDeletePayload { profile: None, user_errors: errors.into_iter().map(UserError::from).collect() },
        })
    }
}
