//! Teams of agents, and who is in them.

use jiff::Timestamp;
use serde_json::json;

use crate::audit::{Audited, Fields};
use crate::change::Revisioned;
use crate::field_error::{FieldError, FieldErrorCode};
use crate::ids::{AgentId, TeamId};
use crate::person::MembershipRole;
use crate::text;

/// Longest name, in characters.
pub const NAME_LENGTH: usize = 100;

/// A team's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// What all records have. A change of its members is one of the team's; who it was about stands in the change.
    pub record: Revisioned,
    /// Unique among the tenant's live teams, folded.
    pub name: String,
    /// How many members it has; technical, because each change of them is on record by itself.
    pub member_count: u32,
    /// Set when it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// An agent's place in a team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// The team.
    pub team: TeamId,
    /// The agent.
    pub agent: AgentId,
    /// What they are in it.
    pub role: MembershipRole,
    /// Since when.
    pub assigned_at: Timestamp,
}

/// The name of a team: one line of at most 100 characters, trimmed.
///
/// # Errors
/// `BLANK`, `TOO_LONG`, `INVALID`.
pub fn checked_name(value: &str) -> Result<String, FieldError> {
    let name = text::line("name", value, NAME_LENGTH)?;
    name.ok_or_else(|| FieldError::new("name", FieldErrorCode::Blank, "name is empty. Give the name of the team."))
}

/// What makes two names the same: case, accents, spaces and punctuation are left out. A name of nothing else is compared as it is.
#[must_use]
pub fn folded_name(name: &str) -> String {
    let folded = text::fold_alphanumeric(name);
    if folded.is_empty() { text::fold(name.trim()) } else { folded }
}

impl Audited for Team {
    const ENTITY_TYPE: &'static str = "team";

    fn audit_fields(&self) -> Fields {
        let mut fields = Fields::from([("name".to_owned(), json!(self.name))]);
        if let Some(at) = self.deleted_at {
            fields.insert("deletedAt".to_owned(), json!(format!("{at:.3}")));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_by_case_accents_and_spaces_only_are_the_same() {
        for name in ["Équipe Est", "equipe est", " EQUIPE  EST ", "équipe-est"] {
            assert_eq!(folded_name(name), "equipeest", "{name}");
        }
        assert_ne!(folded_name("Est"), folded_name("Est 2"));
        assert_ne!(folded_name("★"), folded_name("☆"));
        assert_ne!(folded_name("東京"), folded_name("京都"));
    }

    #[test]
    fn a_name_has_1_to_100_characters() {
        assert!(checked_name(&"é".repeat(100)).is_ok());
        assert_eq!(checked_name(&"é".repeat(101)).unwrap_err().code, FieldErrorCode::TooLong);
        assert_eq!(checked_name(" ").unwrap_err().code, FieldErrorCode::Blank);
    }
}
