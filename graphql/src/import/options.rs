//! What is done with rows that leave a choice.

use async_graphql::{Enum, SimpleObject};
use switchboard_domain::contact;
use switchboard_domain::imports as rules;

/// What a row does to a record that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::OnExisting")]
pub(crate) enum OnExisting {
    /// It changes it.
    Update,
    /// Nothing; the row is left out.
    Skip,
    /// Nothing; the row fails.
    Fail,
}

/// What a row does to a record that was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::OnDeleted")]
pub(crate) enum OnDeleted {
    /// It brings it back, with the row's values.
    Restore,
    /// Nothing; the row is left out.
    Skip,
}

/// What a blank cell does to the value that a record has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "rules::BlankCells")]
pub(crate) enum BlankCells {
    /// Nothing.
    Keep,
    /// It empties it.
    Clear,
}

/// What is done with an optional value that isn't valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(remote = "contact::OnInvalid")]
pub(crate) enum OnInvalid {
    /// It is set aside, with a warning.
    Warn,
    /// The row fails.
    Fail,
}

/// What is done with rows that leave a choice.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct ImportOptions {
    /// A record that is there.
    on_existing: OnExisting,
    /// A record that was deleted.
    on_deleted: OnDeleted,
    /// A cell that says nothing.
    blank_cells: BlankCells,
    /// The country whose numbers need no international prefix, ISO 3166-1 alpha-2; null for the organisation's own.
    default_country: Option<String>,
    /// An optional value that isn't valid.
    on_invalid: OnInvalid,
    /// Whether a team that isn't there is made. A row that names one fails otherwise.
    create_teams: bool,
}

impl From<&rules::ImportOptions> for ImportOptions {
    fn from(options: &rules::ImportOptions) -> Self {
        Self {
            on_existing: options.on_existing.into(),
            on_deleted: options.on_deleted.into(),
            blank_cells: options.blank_cells.into(),
            default_country: options.default_country.clone(),
            on_invalid: options.on_invalid.into(),
            create_teams: options.create_teams,
        }
    }
}
