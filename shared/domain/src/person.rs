//! Users, their roles, and their entries in the staff directory.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::{Audited, Fields};
use crate::change::Revisioned;
use crate::field_error::{FieldError, FieldErrorCode};
use crate::ids::{AgentId, RoleId, TeamId, UserId};
use crate::permission::Grant;
use crate::text;

/// The code of the role that may do everything. Its permissions can't be changed, and a tenant always has an active holder of it.
pub const ADMIN: &str = "admin";
/// The code of the role a new user has unless told otherwise.
pub const TELEPHONIST: &str = "telephonist";
/// The code of the role of a field agent.
pub const FIELD_AGENT: &str = "agent";
/// Most teams of one agent, so that leaving all of them is one transaction (DynamoDB takes 100 items in one).
pub const MAX_TEAMS: usize = 20;

/// Where a user stands with signing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum UserStatus {
    /// Asked, not yet signed in.
    Invited,
    /// Can sign in.
    Active,
    /// Can't sign in; the record stays.
    Disabled,
}

/// Someone who can sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The id.
    pub id: UserId,
    /// What all records have.
    pub record: Revisioned,
    /// The Cognito subject.
    pub subject: String,
    /// What people call them.
    pub name: String,
    /// The e-mail address, sealed under the tenant's key for this user.
    pub sealed_email: Vec<u8>,
    /// Where they stand with signing in.
    pub status: UserStatus,
    /// The roles held.
    pub roles: Vec<RoleId>,
    /// What they may do beside their roles.
    pub grants: Vec<Grant>,
    /// Tokens of sign-ins up to this moment are refused.
    pub signed_out_at: Option<Timestamp>,
    /// When they first signed in; technical, because the status says it.
    pub activated_at: Option<Timestamp>,
}

/// What a member is in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MembershipRole {
    /// A member.
    Agent,
    /// Leads it.
    TeamLead,
    /// Supervises it.
    Supervisor,
}

/// A team of an agent's, as the agent's own record keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentTeam {
    /// The team.
    pub team: TeamId,
    /// What the agent is in it.
    pub role: MembershipRole,
    /// Since when.
    #[serde(with = "crate::clock::millis")]
    pub assigned_at: Timestamp,
}

/// A user's entry in the staff directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The id, the same UUID as the user's.
    pub id: AgentId,
    /// What all records have.
    pub record: Revisioned,
    /// What people call them: the user's name.
    pub name: String,
    /// The e-mail address, sealed under the tenant's key for this user.
    pub sealed_email: Vec<u8>,
    /// The employer's own number for them.
    pub employee_id: Option<String>,
    /// IANA time zone of their schedule; the tenant's when none is given.
    pub time_zone: Option<String>,
    /// Their teams, at most [`MAX_TEAMS`].
    pub teams: Vec<AgentTeam>,
    /// Set when they left the staff directory.
    pub deleted_at: Option<Timestamp>,
}

impl Agent {
    /// What they are in a team; none when they aren't in it.
    #[must_use]
    pub fn role_in(&self, team: TeamId) -> Option<MembershipRole> {
        self.teams.iter().find(|entry| entry.team == team).map(|entry| entry.role)
    }
}

/// A named set of permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The id.
    pub id: RoleId,
    /// What all records have.
    pub record: Revisioned,
    /// A snake_case word, unique in the tenant.
    pub code: String,
    /// What people read.
    pub name: String,
    /// What holders may do.
    pub grants: Vec<Grant>,
    /// Seeded with the tenant.
    pub system: bool,
    /// Set when it was deleted; it grants nothing then.
    pub deleted_at: Option<Timestamp>,
}

impl Role {
    /// Whether it can be held.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.deleted_at.is_none()
    }
}

/// The name of a person: one line of at most 255 characters, trimmed.
///
/// # Errors
/// `BLANK`, `TOO_LONG`, `INVALID`, with the field named.
pub fn person_name(field: &str, value: &str) -> Result<String, FieldError> {
    let name = text::line(field, value, text::NAME_LENGTH)?;
    name.ok_or_else(|| FieldError::new(field, FieldErrorCode::Blank, format!("{field} is empty. Give the name that colleagues know them by.")))
}

fn moment(at: Option<Timestamp>) -> serde_json::Value {
    json!(at.map(|at| format!("{at:.3}")))
}

impl Audited for User {
    const ENTITY_TYPE: &'static str = "user";

    fn audit_fields(&self) -> Fields {
        let mut fields = Fields::from([("name".to_owned(), json!(self.name)), ("status".to_owned(), json!(self.status)), ("roles".to_owned(), json!(self.roles))]);
        if !self.grants.is_empty() {
            // A set: another order of the same grants is no change.
            let grants: BTreeSet<String> = self.grants.iter().map(ToString::to_string).collect();
            fields.insert("permissions".to_owned(), json!(grants));
        }
        if self.signed_out_at.is_some() {
            fields.insert("signedOutAt".to_owned(), moment(self.signed_out_at));
        }
        fields
    }
}

impl Audited for Agent {
    const ENTITY_TYPE: &'static str = "agent";

    fn audit_fields(&self) -> Fields {
        let mut fields = Fields::from([("name".to_owned(), json!(self.name))]);
        if let Some(employee_id) = &self.employee_id {
            fields.insert("employeeId".to_owned(), json!(employee_id));
        }
        if let Some(time_zone) = &self.time_zone {
            fields.insert("timeZone".to_owned(), json!(time_zone));
        }
        if self.deleted_at.is_some() {
            fields.insert("deletedAt".to_owned(), moment(self.deleted_at));
        }
        for entry in &self.teams {
            fields.insert(format!("teams.{}", entry.team), json!(entry.role));
        }
        fields
    }
}

impl Audited for Role {
    const ENTITY_TYPE: &'static str = "role";

    fn audit_fields(&self) -> Fields {
        let mut fields = Fields::from([
            ("code".to_owned(), json!(self.code)),
            ("name".to_owned(), json!(self.name)),
            ("permissions".to_owned(), json!(self.grants.iter().map(ToString::to_string).collect::<Vec<_>>())),
        ]);
        if self.deleted_at.is_some() {
            fields.insert("deletedAt".to_owned(), moment(self.deleted_at));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_line_that_is_not_empty() {
        assert_eq!(person_name("name", "  Zoé Roy ").as_deref(), Ok("Zoé Roy"));
        for (wrong, code) in [("  ", FieldErrorCode::Blank), ("a\nb", FieldErrorCode::Invalid), (&*"x".repeat(256), FieldErrorCode::TooLong)] {
            assert_eq!(person_name("name", wrong).unwrap_err().code, code, "{wrong:?}");
        }
    }
}
