//! The filter of contacts as clients give it.

use std::collections::BTreeSet;

use async_graphql::{Enum, ID, InputObject};
use switchboard_app::UserError as AppUserError;
use switchboard_app::contacts::ContactOrder;
use switchboard_domain::contact::ContactFilter;
use switchboard_domain::field_error::FieldErrorCode;

use crate::node_id::NodeId;
use crate::scalars::DateTime;
use crate::score::ScoreCategory;

/// Most ids in a list of a filter.
const MOST_IDS: usize = 50;

/// Which contacts are meant; what isn't given doesn't narrow.
#[derive(Debug, Clone, Default, InputObject)]
#[graphql(name = "ContactFilter")]
pub(crate) struct ContactFilterInput {
    /// Contacts with one of these statuses, at most 50.
    status_ids: Option<Vec<ID>>,
    /// Contacts of one of these agents, at most 50.
    assignee_ids: Option<Vec<ID>>,
    /// Whether they are somebody's.
    assigned: Option<bool>,
    /// Whether they were won.
    converted: Option<bool>,
    /// With a score of one of these categories.
    categories: Option<Vec<ScoreCategory>>,
    /// Made at this time or later.
    created_from: Option<DateTime>,
    /// Made before this time.
    created_to: Option<DateTime>,
    /// Of this source, as it is written.
    source: Option<String>,
    /// Written by this import; the last four imports of a contact are remembered.
    import_id: Option<ID>,
    /// Deleted ones too; in the orders SCORE and PRIORITY they have no place.
    include_deleted: Option<bool>,
    /// A number (whole, or its last four or more digits), an e-mail address, or the start of any words of the name, two letters or more.
    search: Option<String>,
}

/// The order of a list of contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum ContactSort {
    /// The newest first.
    Newest,
    /// The oldest first.
    Oldest,
    /// The highest score first; of equal scores the oldest contact.
    Score,
    /// As they are called: who is due by time, then who is ready by the order of their status, never called, higher score; then who is due later. At which hours somebody may be called
    /// isn't looked at. Who must not be called isn't in it.
    Priority,
}

impl From<ContactSort> for ContactOrder {
    fn from(sort: ContactSort) -> Self {
        match sort {
            ContactSort::Newest => Self::Newest,
            ContactSort::Oldest => Self::Oldest,
            ContactSort::Score => Self::Score,
            ContactSort::Priority => Self::Priority,
        }
    }
}

impl ContactFilterInput {
    /// The filter; an id that doesn't decode is refused with its field.
    pub(crate) fn into_filter(self) -> Result<ContactFilter, AppUserError> {
        let unknown =
            |field: &str| AppUserError::new(&format!("filter.{field}"), FieldErrorCode::NotFound, format!("{field} has an id of something else. Take ids from lists."));
        let ids = |field: &str, ids: Option<Vec<ID>>| -> Result<Vec<NodeId>, AppUserError> {
            let ids = ids.unwrap_or_default();
            if ids.len() > MOST_IDS {
                return Err(AppUserError::new(
                    &format!("filter.{field}"),
                    FieldErrorCode::LimitExceeded,
                    format!("{field} has {} ids, at most {MOST_IDS} are allowed.", ids.len()),
                ));
            }
            ids.iter().map(|id| NodeId::parse(id).ok_or_else(|| unknown(field))).collect()
        };
        let statuses = ids("statusIds", self.status_ids)?.into_iter().map(|id| match id {
            NodeId::ContactStatus(id) => Ok(id),
            _ => Err(unknown("statusIds")),
        });
        let assignees = ids("assigneeIds", self.assignee_ids)?.into_iter().map(|id| match id {
            NodeId::Agent(id) => Ok(id),
            _ => Err(unknown("assigneeIds")),
        });
        let import = match self.import_id.map(|id| NodeId::parse(&id)) {
            None => None,
            Some(Some(NodeId::Import(id))) => Some(id),
            Some(_) => return Err(unknown("importId")),
        };
        Ok(ContactFilter {
            statuses: statuses.collect::<Result<_, _>>()?,
            assignees: assignees.collect::<Result<_, _>>()?,
            owners: None,
            assigned: self.assigned,
            converted: self.converted,
            categories: self.categories.unwrap_or_default().into_iter().map(Into::into).collect::<BTreeSet<_>>().into_iter().collect(),
            created_from: self.created_from.map(|at| at.0),
            created_to: self.created_to.map(|at| at.0),
            source: self.source,
            import,
            include_deleted: self.include_deleted.unwrap_or(false),
            search: self.search,
        })
    }

    /// The filter in a form that names it, for its cursors.
    pub(crate) fn fingerprint(filter: &ContactFilter, sort: ContactSort) -> String {
        format!("contacts {sort:?} {}", serde_json::to_string(filter).unwrap_or_default())
    }
}
