//! The mutation that gives rows without a file.

use async_graphql::{Context, InputObject, Json, Object, Result, SimpleObject};
use serde_json::Value;
use switchboard_app::imports::{self, GiveRows};
use switchboard_domain::imports as rules;

use super::options::{BlankCells, OnDeleted, OnExisting, OnInvalid};
use super::types::{Import, ImportKind, ImportSourceType};
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};

/// Rows to be imported as if they had come in a file.
#[derive(InputObject)]
pub(crate) struct ImportRowsInput {
    /// What they are to become.
    #[graphql(default_with = "ImportKind::Contacts")]
    kind: ImportKind,
    /// Where they come from; CSV is INVALID.
    #[graphql(default_with = "ImportSourceType::Api")]
    source_type: ImportSourceType,
    /// The product they come from, such as `five9`: at most 50 lower-case letters, digits, hyphens and underscores.
    source_platform: String,
    /// The rows, at most 1,000: objects of texts, numbers and booleans by the names of the fields that columns are mapped to. Columns of the organisation's own are
    /// `attributes.<name>`, or stand in an object `attributes`.
    rows: Vec<Json<Value>>,
    /// A record that is there.
    #[graphql(default_with = "OnExisting::Update")]
    on_existing: OnExisting,
    /// A record that was deleted.
    #[graphql(default_with = "OnDeleted::Restore")]
    on_deleted: OnDeleted,
    /// A value that says nothing.
    #[graphql(default_with = "BlankCells::Keep")]
    blank_cells: BlankCells,
    /// The country whose numbers need no international prefix, ISO 3166-1 alpha-2; the organisation's own when not given.
    default_country: Option<String>,
    /// An optional value that isn't valid.
    #[graphql(default_with = "OnInvalid::Warn")]
    on_invalid: OnInvalid,
    /// Whether a team that isn't there is made. A row that names one fails otherwise.
    #[graphql(default = true)]
    create_teams: bool,
    /// The client's own key for these rows, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// What came of giving rows.
#[derive(SimpleObject)]
pub(crate) struct ImportRowsPayload {
    /// The import that they became; null exactly when there are errors.
    import: Option<Import>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// The mutation that gives rows without a file.
#[derive(Default)]
pub(crate) struct ImportRowsMutation;

#[Object]
impl ImportRowsMutation {
    /// Imports rows that come without a file, through the same checks. It is started at once; what became of each row is found like that of a file's.
    async fn import_rows(&self, ctx: &Context<'_>, #[graphql(desc = "The rows.")] input: ImportRowsInput) -> Result<ImportRowsPayload> {
        let request = GiveRows {
            kind: input.kind.into(),
            source_type: input.source_type.into(),
            source_platform: input.source_platform,
            rows: input.rows.into_iter().map(|row| row.0).collect(),
            options: rules::ImportOptions {
                on_existing: input.on_existing.into(),
                on_deleted: input.on_deleted.into(),
                blank_cells: input.blank_cells.into(),
                default_country: input.default_country,
                on_invalid: input.on_invalid.into(),
                create_teams: input.create_teams,
            },
            idempotency_key: input.idempotency_key,
        };
        Ok(match imports::give_rows(&ctx.api().imports, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(import) => ImportRowsPayload { import: Some(import.into()), user_errors: Vec::new() },
            Err(errors) => ImportRowsPayload { import: None, user_errors: errors.into_iter().map(UserError::from).collect() },
        })
    }
}
