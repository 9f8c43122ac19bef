//! An import as clients see it.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use switchboard_app::imports;
use switchboard_domain::imports as rules;
use switchboard_store::Page;

use super::int;
use super::options::ImportOptions;
use super::preview::{ImportPreview, MOST_ROWS, ROWS, preview};
use super::revert::{ImportRevertSummary, summary};
use super::row_error::{ImportRowError, place_of, place_text};
use crate::audit::{AuditActor, AuditEvent, events};
use crate::context::ContextExt;
use crate::errors::app_error;
use crate::node_id::{AuditedId, NodeId};
use crate::page::{Asked, Connection};
use crate::scalars::{BigInt, DateTime};

/// What the rows of an import become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::ImportKind")]
pub(crate) enum ImportKind {
    /// Contacts, by their number.
    Contacts,
    /// People of the staff, by their e-mail address.
    Agents,
    /// Entries of the suppression list: numbers that must not be called.
    Suppressions,
}

/// Where the rows come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::ImportSourceType")]
pub(crate) enum ImportSourceType {
    /// A file of separated values, or a workbook.
    Csv,
    /// Another program, through this API.
    Api,
    /// A person who typed them.
    ManualUi,
    /// Another program, which was asked to tell.
    Webhook,
}

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::ImportStatus")]
pub(crate) enum ImportStatus {
    /// Its file is still to come, or is being read for the first time.
    AwaitingUpload,
    /// Its file was read, and no column is mapped to what it needs most.
    AwaitingMapping,
    /// It can be checked, and started.
    Ready,
    /// Its rows are being checked or written.
    Processing,
    /// Every row is in.
    Completed,
    /// It is through, and some rows failed.
    CompletedWithErrors,
    /// It could not go on. Once its file was read it can be started again, and goes on where it stopped.
    Failed,
    /// Somebody stopped it; what was written stays. Started again, it goes on where it stopped.
    Cancelled,
    /// What it wrote is being undone.
    Reverting,
    /// What it wrote was undone, but for what was changed since.
    Reverted,
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
    /// The value that a blank or missing cell of it takes.
    default: Option<String>,
    /// Its first values.
    samples: Vec<String>,
}

/// One run that brings records in.
#[derive(Clone)]
pub(crate) struct Import(Arc<rules::Import>);

impl From<rules::Import> for Import {
    fn from(import: rules::Import) -> Self {
        Self(Arc::new(import))
    }
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

    /// Its size: the one that was declared until it has come.
    async fn file_bytes(&self) -> Option<BigInt> {
        Some(BigInt(self.0.file_bytes))
    }

    /// The saved mapping that it was made with, by its name.
    async fn profile(&self) -> Option<&str> {
        self.0.profile.as_deref()
    }

    /// Which column is what; empty until the file was read.
    async fn mapping(&self, ctx: &Context<'_>) -> Result<Vec<ColumnMapping>> {
        let samples = if ctx.look_ahead().field("samples").exists() {
            imports::samples(&ctx.api().services.results, ctx.viewer(), self.0.id).await.map_err(app_error)?
        } else {
            Vec::new()
        };
        let mut samples = samples.into_iter();
        let column = |column: &rules::ColumnMapping| ColumnMapping {
            column: column.column.clone(),
            field: column.field.as_ref().map(ToString::to_string),
            confidence: column.confidence,
            default: column.default.clone(),
            samples: samples.next().unwrap_or_default(),
        };
        Ok(self.0.mapping.iter().map(column).collect())
    }

    /// What is done with rows that leave a choice.
    async fn options(&self) -> ImportOptions {
        (&self.0.options).into()
    }

    /// The rows of the file; null until it was read to its end.
    async fn rows_total(&self) -> Option<i32> {
        self.0.rows_total.map(int)
    }

    /// Rows that became new records.
    async fn rows_created(&self) -> i32 {
        int(self.0.known_counts().created)
    }

    /// Rows that changed a record.
    async fn rows_updated(&self) -> i32 {
        int(self.0.known_counts().updated)
    }

    /// Rows that say what their record said already.
    async fn rows_unchanged(&self) -> i32 {
        int(self.0.known_counts().unchanged)
    }

    /// Rows that are left out: overtaken by a later one with the same key, or about a record that is to stay as it is. Before anything is written, what the check
    /// found.
    async fn rows_skipped(&self) -> i32 {
        int(self.0.known_counts().skipped)
    }

    /// Rows that can't be used. Before anything is written, what the check found.
    async fn rows_failed(&self) -> i32 {
        int(self.0.known_counts().failed)
    }

    /// Among them all, rows with an optional value that was set aside. Before anything is written, what the check found.
    async fn rows_warned(&self) -> i32 {
        int(self.0.known_counts().warned)
    }

    /// Whether every row was checked with the mapping as it is: the counts and the errors say what would come of it.
    async fn is_checked(&self) -> bool {
        self.0.is_checked()
    }

    /// How far it is, from 0 to 1.
    async fn progress(&self) -> f64 {
        self.0.progress()
    }

    /// What its first rows would do if it were started now. Of rows with the same key the last one shown counts, and once all were checked the last one of the
    /// file. Null before its file was read, and once it writes.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(ROWS).clamp(0, MOST_ROWS)).unwrap_or(1) * child_complexity")]
    async fn preview(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many rows, at most 50.", default_with = "Some(ROWS)")] first: Option<i32>,
    ) -> Result<Option<ImportPreview>> {
        preview(ctx, &self.0, first.unwrap_or(ROWS)).await
    }

    /// The rows that failed and the values that were set aside, in the order of the rows. Before anything is written, those that the check found.
    #[graphql(complexity = "usize::try_from(first.unwrap_or(50).clamp(0, 100)).unwrap_or(1) * child_complexity")]
    async fn errors(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many, 50 when not given, at most 100.")] first: Option<i32>,
        #[graphql(desc = "The cursor after which to begin.")] after: Option<String>,
    ) -> Result<Connection<ImportRowError>> {
        let viewer = ctx.viewer();
        let asked = Asked::of(viewer.tenant.record.id, &format!("errors of import {}", self.0.id), first, after.as_deref())?;
        let place = asked.after.as_deref().and_then(place_of);
        let Page { entries, has_more } = imports::errors(&ctx.api().services, viewer, &self.0, place, asked.first).await.map_err(app_error)?;
        let entries = entries.into_iter().map(|(place, error)| (place_text(place), ImportRowError::from(error))).collect();
        Ok(asked.page(entries, has_more))
    }

    /// A file of the rows that failed as they came, each with the first thing that is wrong with it: mended, it can be imported again. A link that works for 15
    /// minutes; null when there is no such file.
    async fn errors_file_url(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        imports::errors_file_url(&ctx.api().services, ctx.viewer(), &self.0).await.map_err(app_error)
    }

    /// What undoing it came to so far; null until somebody asked for that.
    async fn revert(&self) -> Option<ImportRevertSummary> {
        summary(&self.0)
    }

    /// What is on record of it, newest first: that it was made, what people did with it, each chunk that was written, which opens into its rows, and how it ended.
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

    /// When it was started; of a dropped file when its rows began to be checked.
    async fn started_at(&self) -> Option<DateTime> {
        self.0.started_at.map(DateTime)
    }

    /// When it ended.
    async fn finished_at(&self) -> Option<DateTime> {
        self.0.finished_at.map(DateTime)
    }
}
