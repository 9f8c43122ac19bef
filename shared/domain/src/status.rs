//! The statuses a contact can have: per tenant, seeded with eight.

mod rules;

pub use rules::{MAX_STATUSES, MOST_COUNTED, NAME_LENGTH, StatusError, StatusInput, StatusPatch, check_deletion, create, in_use, update};

use jiff::Timestamp;
use serde_json::json;

use crate::audit::{Audited, Fields};
use crate::change::{Change, Revisioned};
use crate::ids::StatusId;

/// A status of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactStatus {
    /// Its id.
    pub id: StatusId,
    /// What all records have.
    pub record: Revisioned,
    /// A snake_case word, unique in the tenant.
    pub code: String,
    /// What people read, unique in the tenant.
    pub name: String,
    /// `#RRGGBB`.
    pub color: String,
    /// Its place among the statuses; lower is called first.
    pub order: u16,
    /// Contacts with it are not offered for calling.
    pub exclude_from_call_list: bool,
    /// It has a meaning in the rules: it can't be deleted or lose that meaning.
    pub system: bool,
    /// Its deletion has begun: nobody may give it to a contact any more. Technical.
    pub retired: bool,
    /// Set when it was deleted. The record stays, because a contact may still show it, and its code stays taken.
    pub deleted_at: Option<Timestamp>,
}

/// A seeded status.
pub struct SeededStatus {
    /// The code.
    pub code: &'static str,
    /// The name.
    pub name: &'static str,
    /// The colour.
    pub color: &'static str,
    /// The place.
    pub order: u16,
    /// Left out of the call list.
    pub exclude_from_call_list: bool,
    /// Can't be deleted.
    pub system: bool,
}

const fn seeded(code: &'static str, name: &'static str, color: &'static str, order: u16, exclude_from_call_list: bool, system: bool) -> SeededStatus {
    SeededStatus { code, name, color, order, exclude_from_call_list, system }
}

/// The code of the status a contact starts with.
pub const NEW: &str = "new";
/// The code of the status that says the contact was won.
pub const CONVERTED: &str = "converted";
/// The code of the status the law hangs on.
pub const DO_NOT_CALL: &str = "do_not_call";

/// What a new tenant has.
pub const SEEDED: [SeededStatus; 8] = [
    seeded(NEW, "New", "#3B82F6", 0, false, true),
    seeded("attempted", "Attempted", "#F59E0B", 10, false, false),
    seeded("callback_requested", "Callback requested", "#8B5CF6", 20, false, false),
    seeded("in_discussion", "In discussion", "#06B6D4", 30, false, false),
    seeded("interested", "Interested", "#10B981", 40, false, false),
    seeded("not_interested", "Not interested", "#6B7280", 50, true, false),
    seeded(CONVERTED, "Converted", "#22C55E", 100, true, true),
    seeded(DO_NOT_CALL, "Do not call", "#EF4444", 1000, true, true),
];

impl ContactStatus {
    /// Whether contacts may be given it.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.retired && self.deleted_at.is_none()
    }

    /// Whether contacts with it have another place in the calling order than with `other`.
    #[must_use]
    pub fn calls_differently(&self, other: &Self) -> bool {
        (self.order, self.exclude_from_call_list) != (other.order, other.exclude_from_call_list)
    }

    /// The same status, which nobody may give to a contact any more; a technical write.
    #[must_use]
    pub fn retired(&self) -> Self {
        Self { retired: true, record: self.record.touched(), ..self.clone() }
    }

    /// The same status, which may be given again; a technical write.
    #[must_use]
    pub fn released(&self) -> Self {
        Self { retired: false, record: self.record.touched(), ..self.clone() }
    }

    /// The same status, deleted by this change.
    #[must_use]
    pub fn deleted(&self, change: Change) -> Self {
        Self { deleted_at: Some(change.at), record: self.record.changed(change), ..self.clone() }
    }
}

impl Audited for ContactStatus {
    const ENTITY_TYPE: &'static str = "contact_status";

    fn audit_fields(&self) -> Fields {
        let mut fields = Fields::from([
            ("code".to_owned(), json!(self.code)),
            ("name".to_owned(), json!(self.name)),
            ("color".to_owned(), json!(self.color)),
            ("order".to_owned(), json!(self.order)),
            ("excludeFromCallList".to_owned(), json!(self.exclude_from_call_list)),
            ("system".to_owned(), json!(self.system)),
        ]);
        if let Some(at) = self.deleted_at {
            fields.insert("deletedAt".to_owned(), json!(format!("{at:.3}")));
        }
        fields
    }
}
