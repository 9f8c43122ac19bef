//! What one may do: permissions, their scope, and the roles a tenant starts with.

use std::fmt;
use std::str::FromStr;

/// Something that can be allowed, written `noun:verb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Permission {
    /// See contacts.
    ContactRead,
    /// Create contacts.
    ContactCreate,
    /// Change what contacts say.
    ContactUpdate,
    /// Give contacts another status.
    ContactSetStatus,
    /// Write notes about contacts.
    ContactAddNote,
    /// Assign contacts to agents and pools.
    ContactAssign,
    /// Delete contacts.
    ContactDelete,
    /// Bring deleted contacts back.
    ContactRestore,
    /// Make one contact of two, and two of one.
    ContactMerge,
    /// Erase a person for good.
    ContactErase,
    /// Change all contacts of a filter.
    ContactBulkUpdate,
    /// Take contacts out in a file.
    ContactExport,
    /// Create statuses.
    StatusCreate,
    /// Change statuses.
    StatusUpdate,
    /// Delete statuses.
    StatusDelete,
    /// See the suppression list.
    SuppressionRead,
    /// Put numbers on the suppression list.
    SuppressionAdd,
    /// Take numbers off the suppression list.
    SuppressionRemove,
    /// See imports and their errors.
    ImportRead,
    /// See the audit trail.
    AuditRead,
    /// See agents and teams.
    AgentRead,
}

impl Permission {
    /// Every permission there is.
    pub const ALL: [Self; 21] = [
        Self::ContactRead,
        Self::ContactCreate,
        Self::ContactUpdate,
        Self::ContactSetStatus,
        Self::ContactAddNote,
        Self::ContactAssign,
        Self::ContactDelete,
        Self::ContactRestore,
        Self::ContactMerge,
        Self::ContactErase,
        Self::ContactBulkUpdate,
        Self::ContactExport,
        Self::StatusCreate,
        Self::StatusUpdate,
        Self::StatusDelete,
        Self::SuppressionRead,
        Self::SuppressionAdd,
        Self::SuppressionRemove,
        Self::ImportRead,
        Self::AuditRead,
        Self::AgentRead,
    ];

    /// The written form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ContactRead => "contact:read",
            Self::ContactCreate => "contact:create",
            Self::ContactUpdate => "contact:update",
            Self::ContactSetStatus => "contact:set_status",
            Self::ContactAddNote => "contact:add_note",
            Self::ContactAssign => "contact:assign",
            Self::ContactDelete => "contact:delete",
            Self::ContactRestore => "contact:restore",
            Self::ContactMerge => "contact:merge",
            Self::ContactErase => "contact:erase",
            Self::ContactBulkUpdate => "contact:bulk_update",
            Self::ContactExport => "contact:export",
            Self::StatusCreate => "status:create",
            Self::StatusUpdate => "status:update",
            Self::StatusDelete => "status:delete",
            Self::SuppressionRead => "suppression:read",
            Self::SuppressionAdd => "suppression:add",
            Self::SuppressionRemove => "suppression:remove",
            Self::ImportRead => "import:read",
            Self::AuditRead => "audit:read",
            Self::AgentRead => "agent:read",
        }
    }
}

/// Whose records a permission reaches; a wider scope includes the narrower ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The user's own.
    Own,
    /// Those of the user's teams.
    Team,
    /// The whole tenant's.
    All,
}

/// A permission with its scope, written `noun:verb:SCOPE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grant {
    /// What is allowed.
    pub permission: Permission,
    /// On whose records.
    pub scope: Scope,
}

impl fmt::Display for Grant {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = match self.scope {
            Scope::Own => "OWN",
            Scope::Team => "TEAM",
            Scope::All => "ALL",
        };
        write!(formatter, "{}:{scope}", self.permission.as_str())
    }
}

impl FromStr for Grant {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (permission, scope) = text.rsplit_once(':').ok_or(())?;
        let permission = Permission::ALL.into_iter().find(|known| known.as_str() == permission).ok_or(())?;
        let scope = match scope {
            "OWN" => Scope::Own,
            "TEAM" => Scope::Team,
            "ALL" => Scope::All,
            _ => return Err(()),
        };
        Ok(Self { permission, scope })
    }
}

/// The widest scope in which `grants` allow `permission`.
#[must_use]
pub fn widest(grants: &[Grant], permission: Permission) -> Option<Scope> {
    grants.iter().filter(|grant| grant.permission == permission).map(|grant| grant.scope).max()
}

/// A role a new tenant has: its code, its name and what it grants.
pub struct SeededRole {
    /// The code.
    pub code: &'static str,
    /// The name.
    pub name: &'static str,
    /// What holders may do.
    pub grants: &'static [Grant],
}

const fn all(permission: Permission) -> Grant {
    Grant { permission, scope: Scope::All }
}

const fn own(permission: Permission) -> Grant {
    Grant { permission, scope: Scope::Own }
}

/// What a new tenant has.
pub const SEEDED_ROLES: [SeededRole; 5] = [
    SeededRole { code: "admin", name: "Administrator", grants: &EVERYTHING },
    SeededRole {
        code: "manager",
        name: "Manager",
        grants: &[
            all(Permission::ContactRead),
            all(Permission::ContactCreate),
            all(Permission::ContactUpdate),
            all(Permission::ContactSetStatus),
            all(Permission::ContactAddNote),
            all(Permission::ContactAssign),
            all(Permission::ContactDelete),
            all(Permission::ContactRestore),
            all(Permission::ContactMerge),
            all(Permission::ContactBulkUpdate),
            all(Permission::ContactExport),
            all(Permission::StatusCreate),
            all(Permission::StatusUpdate),
            all(Permission::StatusDelete),
            all(Permission::SuppressionRead),
            all(Permission::SuppressionAdd),
            all(Permission::ImportRead),
            all(Permission::AgentRead),
        ],
    },
    SeededRole {
        code: "supervisor",
        name: "Supervisor",
        grants: &[all(Permission::ContactRead), all(Permission::SuppressionRead), all(Permission::AuditRead), all(Permission::AgentRead)],
    },
    SeededRole {
        code: "telephonist",
        name: "Telephonist",
        grants: &[own(Permission::ContactRead), own(Permission::ContactUpdate), own(Permission::ContactSetStatus), own(Permission::ContactAddNote)],
    },
    SeededRole { code: "agent", name: "Field agent", grants: &[] },
];

const EVERYTHING: [Grant; Permission::ALL.len()] = {
    let mut grants = [all(Permission::ContactRead); Permission::ALL.len()];
    let mut index = 0;
    while index < grants.len() {
        grants[index] = all(Permission::ALL[index]);
        index += 1;
    }
    grants
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grant_reads_back_from_its_written_form() {
        for permission in Permission::ALL {
            for scope in [Scope::Own, Scope::Team, Scope::All] {
                let grant = Grant { permission, scope };
                assert_eq!(grant.to_string().parse(), Ok(grant));
            }
        }
        for wrong in ["", "contact:read", "contact:read:EVERYTHING", "contact:fly:ALL"] {
            assert_eq!(wrong.parse::<Grant>(), Err(()));
        }
    }

    #[test]
    fn the_widest_scope_wins() {
        let grants = [own(Permission::ContactRead), all(Permission::ContactRead)];
        assert_eq!(widest(&grants, Permission::ContactRead), Some(Scope::All));
        assert_eq!(widest(&grants, Permission::AuditRead), None);
    }
}
