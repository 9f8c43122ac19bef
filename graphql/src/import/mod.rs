//! Imports.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use switchboard_app::imports::{self, ErrorPlace};
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports as rules;
use switchboard_store::Page;

use crate::audit::{AuditActor, AuditEvent, events};
use crate::context::ContextExt;
use crate::errors::{app_error, hidden};
use crate::node_id::{AuditedId, NodeId};
use crate::page::{Asked, Connection};
use crate::scalars::{BigInt, DateTime};

/// What the rows of an import become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::ImportKind")]
pub(crate) enum ImportKind {
    /// Contacts.
    Contacts,
}

/// Where the rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::ImportSourceType")]
pub(crate) enum ImportSourceType {
    /// A file of separated values.
    Csv,
}

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::ImportStatus")]
pub(crate) enum ImportStatus {
    /// It is being read or written.
    Processing,
    /// Every row is in.
    Completed,
    /// It is through, and some rows failed.
    CompletedWithErrors,
    /// The file could not be imported.
    Failed,
}

/// One column of a file.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ColumnMapping {
    /// The column's name in the header.
    column: String,
    /// The field its values become; null leaves it out.
    field: Option<String>,
    /// How sure that is, from 0 to 1.
    confidence: f64,
    /// Its first values.
    samples: Vec<String>,
}

/// A row that failed, or a value that was set aside.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ImportRowError {
    /// The row's number, from 1 for the first row after the header.
    row_number: i32,
    /// The field, when one is to blame.
    field: Option<String>,
    /// The value as it came.
    value: Option<String>,
    /// The stable code.
    code: String,
    /// What is wrong and how to mend it.
    message: String,
}

/// One run that brings records in.
#[derive(Clone)]
pub(crate) struct Import(Arc<rules::Import>);

/// A count as GraphQL's Int has it, which ends at 2^31 − 1.
fn big(number: u64) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[Object]
impl Import {
    /// Opaque; the same for the record's life.
    pub(crate) async fn id(&self) -> ID {
        NodeId::Import(self.0.id).to_id()
    }

    /// What its rows become.
    async fn kind(&self) -> ImportKind {
        self.0.kind.into()
    }

    /// Where its rows come from.
    async fn source_type(&self) -> ImportSourceType {
        self.0.source_type.into()
    }

    /// The product they were exported from, or `n/a`.
    async fn source_platform(&self) -> &str {
        &self.0.source_platform
    }

    /// Where it stands.
    async fn status(&self) -> ImportStatus {
        self.0.status.into()
    }

    /// Why it failed, in plain words.
    async fn failure_reason(&self) -> Option<&str> {
        self.0.failure_reason.as_deref()
    }

    /// The name of the file.
    async fn file_name(&self) -> &str {
        &self.0.file_name
    }

    /// Its size.
    async fn file_bytes(&self) -> Option<BigInt> {
        Some(BigInt(self.0.file_bytes))
    }

    /// Which column is what.
    async fn mapping(&self, ctx: &Context<'_>) -> Result<Vec<ColumnMapping>> {
        let samples =
            if ctx.look_ahead().field("samples").exists() { imports::samples(&ctx.api().results, ctx.viewer(), self.0.id).await.map_err(app_error)? } else { Vec::new() };
        let mut samples = samples.into_iter();
        let column = |column: &rules::ColumnMapping| ColumnMapping {
            column: column.column.clone(),
            field: column.field.as_ref().map(ToString::to_string),
            confidence: column.confidence,
            samples: samples.next().unwrap_or_default(),
        };
        Ok(self.0.mapping.iter().map(column).collect())
    }

    /// The rows of the file; null until it was read to its end.
    async fn rows_total(&self) -> Option<i32> {
        self.0.rows_total.map(big)
    }

    /// Rows that became new records.
    async fn rows_created(&self) -> i32 {
        big(self.0.counts.created)
    }

    /// Rows that changed a record.
    async fn rows_updated(&self) -> i32 {
        big(self.0.counts.updated)
    }

    /// Rows that say what their record said already.
    async fn rows_unchanged(&self) -> i32 {
        big(self.0.counts.unchanged)
    }

    /// Rows overtaken by a later one with the same key.
    async fn rows_skipped(&self) -> i32 {
        big(self.0.counts.skipped)
    }

    /// Rows that could not be used.
    async fn rows_failed(&self) -> i32 {
        big(self.0.counts.failed)
    }

    /// Among them all, rows with an optional value that was set aside.
    async fn rows_warned(&self) -> i32 {
        big(self.0.counts.warned)
    }

    /// How far it is, from 0 to 1.
    async fn progress(&self) -> f64 {
        self.0.progress()
    }

    /// The rows that failed and the values that were set aside, in the order of the rows.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn errors(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<ImportRowError>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, &format!("errors of import {}", self.0.id), first, after.as_deref())?;
        let place = asked.after.as_deref().and_then(|place| {
            let (chunk, index) = place.split_once('.')?;
            Some(ErrorPlace { chunk: chunk.parse().ok()?, index: index.parse().ok()? })
        });
        let Page { entries, has_more } = imports::errors(&ctx.api().results, viewer, &self.0, place, asked.first).await.map_err(app_error)?;
        let entries = entries
            .into_iter()
            .map(|(place, error)| {
                let node = ImportRowError { row_number: big(error.row), field: error.field, value: error.value, code: error.code, message: error.message };
                (format!("{}.{}", place.chunk, place.index), node)
            })
            .collect();
        Ok(asked.page(entries, has_more))
    }

    /// What is on record of it, newest first: that it was made, each chunk that was written, which opens into its rows, and how it ended.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn audit_events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<AuditEvent>> {
        events(ctx, AuditedId::Import(self.0.id), first, after.as_deref()).await
    }

    /// Who made it, as they were then.
    async fn created_by(&self) -> AuditActor {
        AuditActor(self.0.created_by.clone())
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When its file began to be read.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }
}

/// The queries for imports.
#[derive(Default)]
pub(crate) struct ImportQuery;

#[Object]
impl ImportQuery {
    /// The imports of the tenant, newest first.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn imports(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<Import>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, "imports", first, after.as_deref())?;
        let page = imports::newest(&ctx.api().services, viewer, asked.after.as_deref(), asked.first).await.map_err(app_error)?;
        let entries = page.entries.into_iter().map(|import| (import.id.to_string(), Import(Arc::new(import)))).collect();
        Ok(asked.page(entries, page.has_more))
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
    Ok(found.map(|import| Import(Arc::new(import))))
}
