//! Users, their roles, and their entries in the staff directory.

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::audit::{Audited, Fields};
use crate::change::Revisioned;
use crate::ids::{AgentId, RoleId, UserId};
use crate::permission::Grant;

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
}

/// A user's entry in the staff directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// The id, the same UUID as the user's.
    pub id: AgentId,
    /// What all records have.
    pub record: Revisioned,
    /// What people call them.
    pub name: String,
    /// The e-mail address, sealed under the tenant's key for this user.
    pub sealed_email: Vec<u8>,
    /// The employer's own number for them.
    pub employee_id: Option<String>,
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
}

impl Audited for User {
    const ENTITY_TYPE: &'static str = "user";

    fn audit_fields(&self) -> Fields {
        Fields::from([("name".to_owned(), json!(self.name)), ("status".to_owned(), json!(self.status)), ("roles".to_owned(), json!(self.roles))])
    }
}

impl Audited for Agent {
    const ENTITY_TYPE: &'static str = "agent";

    fn audit_fields(&self) -> Fields {
        let mut fields = Fields::from([("name".to_owned(), json!(self.name))]);
        if let Some(employee_id) = &self.employee_id {
            fields.insert("employeeId".to_owned(), json!(employee_id));
        }
        fields
    }
}

impl Audited for Role {
    const ENTITY_TYPE: &'static str = "role";

    fn audit_fields(&self) -> Fields {
        Fields::from([
            ("code".to_owned(), json!(self.code)),
            ("name".to_owned(), json!(self.name)),
            ("permissions".to_owned(), json!(self.grants.iter().map(ToString::to_string).collect::<Vec<_>>())),
        ])
    }
}
