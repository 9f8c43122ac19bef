//! The mutations of imports: the life of one, from its file to undoing it.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use switchboard_app::imports::{self, CreateImport, MappedColumn, SetMapping};
use switchboard_app::{GivenId, UserError as AppUserError};
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports as rules;
use switchboard_platform as platform;

use super::options::{BlankCells, OnDeleted, OnExisting, OnInvalid};
use super::types::{Import, ImportKind};
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};
use crate::node_id::NodeId;
use crate::scalars::{BigInt, DateTime};

/// An import to be made, whose file is then uploaded.
#[derive(InputObject)]
pub(crate) struct ImportCreateInput {
    /// What its rows are to become.
    #[graphql(default_with = "ImportKind::Contacts")]
    kind: ImportKind,
    /// The name of the file: at most 255 characters.
    file_name: String,
    /// Its size in bytes, at most 5 GiB; a larger one is LIMIT_EXCEEDED, and can be dropped instead. The bucket refuses a file that turns out larger than this.
    file_bytes: BigInt,
    /// The client's own key for this import, kept seven days: the same key and input answer as before, with another form for the upload.
    idempotency_key: Option<String>,
}

/// What a column is to be.
#[derive(InputObject)]
pub(crate) struct ColumnMappingInput {
    /// Its name in the header. A name that stands there several times means those columns in their order.
    column: String,
    /// The field its values become, such as `phone` or `attributes.<name>`; null leaves it out.
    field: Option<String>,
    /// The value that a blank or missing cell of it takes.
    default: Option<String>,
}

/// Which column is what, and what is done with rows that leave a choice.
#[derive(InputObject)]
pub(crate) struct ImportSetMappingInput {
    /// The import.
    id: ID,
    /// The columns that are to be mapped otherwise than they are; those that aren't named stay.
    columns: Vec<ColumnMappingInput>,
    /// A record that is there.
    #[graphql(default_with = "OnExisting::Update")]
    on_existing: OnExisting,
    /// A record that was deleted.
    #[graphql(default_with = "OnDeleted::Restore")]
    on_deleted: OnDeleted,
    /// A cell that says nothing.
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
    /// The name under which all of this is kept for other files, over what was kept under it. Files dropped under `drop/<tenant>/<name>/` use it.
    save_as_profile: Option<String>,
}

macro_rules! import_input {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(InputObject)]
        pub(crate) struct $name {
            /// The import.
            id: ID,
        }
    };
}

import_input!(
    /// An import whose rows are to be checked.
    ImportDryRunInput
);
import_input!(
    /// An import to be started, or to go on.
    ImportStartInput
);
import_input!(
    /// An import to be stopped.
    ImportCancelInput
);
import_input!(
    /// An import to be undone.
    ImportRevertInput
);

/// A field of a form.
#[derive(SimpleObject)]
pub(crate) struct UploadField {
    /// Its name.
    name: String,
    /// Its value, to be sent as it is.
    value: String,
}

/// A form that takes one file: a presigned POST. Whoever has it may upload until it expires.
#[derive(SimpleObject)]
pub(crate) struct UploadTarget {
    /// Where the form is sent by POST, as `multipart/form-data`.
    url: String,
    /// Its fields, none beside them. Behind them comes the file, as `file`.
    fields: Vec<UploadField>,
    /// When it no longer works.
    expires_at: DateTime,
}

impl From<platform::UploadTarget> for UploadTarget {
    fn from(target: platform::UploadTarget) -> Self {
        let fields = target.fields.into_iter().map(|(name, value)| UploadField { name, value }).collect();
        Self { url: target.url, fields, expires_at: target.expires_at.into() }
    }
}

/// What came of making an import.
#[derive(SimpleObject)]
pub(crate) struct ImportCreatePayload {
    /// The import; null exactly when there are errors.
    import: Option<Import>,
    /// The form for its file; null exactly when there are errors.
    upload: Option<UploadTarget>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

macro_rules! import_payload {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(SimpleObject)]
        pub(crate) struct $name {
            /// The import; null exactly when there are errors.
            import: Option<Import>,
            /// What to mend.
            user_errors: Vec<UserError>,
        }

        impl From<std::result::Result<rules::Import, Vec<AppUserError>>> for $name {
            fn from(result: std::result::Result<rules::Import, Vec<AppUserError>>) -> Self {
                match result {
                    Ok(import) => Self { import: Some(import.into()), user_errors: Vec::new() },
                    Err(errors) => Self { import: None, user_errors: errors.into_iter().map(UserError::from).collect() },
                }
            }
        }
    };
}

import_payload!(
    /// What came of mapping the columns of an import.
    ImportSetMappingPayload
);
import_payload!(
    /// What came of having an import checked.
    ImportDryRunPayload
);
import_payload!(
    /// What came of starting an import.
    ImportStartPayload
);
import_payload!(
    /// What came of stopping an import.
    ImportCancelPayload
);
import_payload!(
    /// What came of undoing an import.
    ImportRevertPayload
);

fn import_id(id: &ID) -> GivenId<ImportId> {
    match NodeId::parse(id) {
        Some(NodeId::Import(id)) => Some(id),
        _ => None,
    }
}

/// The mutations of imports.
#[derive(Default)]
pub(crate) struct ImportMutation;

#[Object]
impl ImportMutation {
    /// Makes an import and the form for its file, which works for an hour. Once the file has come, it is read to its end and its columns map themselves: then the import
    /// is READY, or AWAITING_MAPPING when no column is what it needs most.
    async fn import_create(&self, ctx: &Context<'_>, #[graphql(desc = "The import.")] input: ImportCreateInput) -> Result<ImportCreatePayload> {
        let request = CreateImport {
            kind: input.kind.into(),
            file_name: input.file_name,
            file_bytes: i64::try_from(input.file_bytes.0).unwrap_or(i64::MAX),
            idempotency_key: input.idempotency_key,
        };
        Ok(match imports::create(&ctx.api().imports, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(created) => ImportCreatePayload { import: Some(created.import.into()), upload: Some(created.upload.into()), user_errors: Vec::new() },
            Err(errors) => ImportCreatePayload { import: None, upload: None, user_errors: errors.into_iter().map(UserError::from).collect() },
        })
    }

    /// Says which column is what and what is done with rows that leave a choice, while the import is AWAITING_MAPPING or READY. What was checked before isn't any
    /// more.
    async fn import_set_mapping(&self, ctx: &Context<'_>, #[graphql(desc = "The mapping.")] input: ImportSetMappingInput) -> Result<ImportSetMappingPayload> {
        let columns = input.columns.into_iter().map(|column| MappedColumn { column: column.column, field: column.field, default: column.default });
        let request = SetMapping {
            id: import_id(&input.id),
            columns: columns.collect(),
            options: rules::ImportOptions {
                on_existing: input.on_existing.into(),
                on_deleted: input.on_deleted.into(),
                blank_cells: input.blank_cells.into(),
                default_country: input.default_country,
                on_invalid: input.on_invalid.into(),
                create_teams: input.create_teams,
            },
            save_as_profile: input.save_as_profile,
        };
        Ok(imports::set_mapping(&ctx.api().imports, ctx.viewer(), request).await.map_err(app_error)?.into())
    }

    /// Checks every row and writes nothing: what would fail, and which rows have the same key. Optional; starting an import that wasn't checked checks it first.
    async fn import_dry_run(&self, ctx: &Context<'_>, #[graphql(desc = "The import.")] input: ImportDryRunInput) -> Result<ImportDryRunPayload> {
        Ok(imports::dry_run(&ctx.api().imports, ctx.viewer(), import_id(&input.id)).await.map_err(app_error)?.into())
    }

    /// Starts an import. One that FAILED or was CANCELLED goes on where it stopped. Started again, it is started once.
    async fn import_start(&self, ctx: &Context<'_>, #[graphql(desc = "The import.")] input: ImportStartInput) -> Result<ImportStartPayload> {
        Ok(imports::start(&ctx.api().imports, ctx.viewer(), import_id(&input.id)).await.map_err(app_error)?.into())
    }

    /// Stops an import within seconds; what was written stays. One that has ended is FORBIDDEN_TRANSITION.
    async fn import_cancel(&self, ctx: &Context<'_>, #[graphql(desc = "The import.")] input: ImportCancelInput) -> Result<ImportCancelPayload> {
        Ok(imports::cancel(&ctx.api().imports, ctx.viewer(), import_id(&input.id)).await.map_err(app_error)?.into())
    }

    /// Undoes what an import wrote, in a job with progress: what it made is removed, what it changed says again what it said before. What was changed since stays, and
    /// `revert` of the import lists it.
    async fn import_revert(&self, ctx: &Context<'_>, #[graphql(desc = "The import.")] input: ImportRevertInput) -> Result<ImportRevertPayload> {
        Ok(imports::revert(&ctx.api().imports, ctx.viewer(), import_id(&input.id)).await.map_err(app_error)?.into())
    }
}
