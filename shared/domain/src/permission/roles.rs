//! The roles a tenant starts with.

use super::{Grant, Permission, Scope};
use crate::person::{ADMIN, FIELD_AGENT, TELEPHONIST};

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
    SeededRole { code: ADMIN, name: "Administrator", grants: &EVERYTHING },
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
            all(Permission::ScoringRead),
            all(Permission::ScoringWrite),
            all(Permission::SuppressionRead),
            all(Permission::SuppressionAdd),
            all(Permission::ImportRead),
            all(Permission::ImportCreate),
            all(Permission::ImportCreateAgents),
            all(Permission::ImportRevert),
            all(Permission::RecordRevert),
            all(Permission::AgentRead),
            all(Permission::TeamRead),
            all(Permission::PresenceRead),
            own(Permission::PresenceUpdate),
            all(Permission::PresenceReadTimeline),
            all(Permission::ScheduleRead),
            all(Permission::UserRead),
        ],
    },
    SeededRole {
        code: "supervisor",
        name: "Supervisor",
        grants: &[
            all(Permission::ContactRead),
            all(Permission::ScoringRead),
            all(Permission::SuppressionRead),
            all(Permission::ImportRead),
            all(Permission::ImportCreateAgents),
            all(Permission::AuditRead),
            all(Permission::AuditExport),
            all(Permission::AgentRead),
            all(Permission::AgentCreate),
            all(Permission::AgentUpdate),
            all(Permission::AgentDelete),
            all(Permission::AgentRestore),
            all(Permission::TeamRead),
            all(Permission::TeamCreate),
            all(Permission::TeamUpdate),
            all(Permission::TeamDelete),
            all(Permission::TeamRestore),
            all(Permission::TeamManageMembers),
            all(Permission::PresenceRead),
            all(Permission::PresenceUpdate),
            all(Permission::PresenceReadTimeline),
            all(Permission::ScheduleRead),
            all(Permission::ScheduleUpdate),
            all(Permission::UserRead),
            all(Permission::UserInvite),
        ],
    },
    // They book the field agents, so they see when those are free.
    SeededRole {
        code: TELEPHONIST,
        name: "Telephonist",
        grants: &[
            own(Permission::ContactRead),
            own(Permission::ContactUpdate),
            own(Permission::ContactSetStatus),
            own(Permission::ContactAddNote),
            own(Permission::AgentRead),
            own(Permission::TeamRead),
            own(Permission::PresenceRead),
            own(Permission::PresenceUpdate),
            own(Permission::PresenceReadTimeline),
            all(Permission::ScheduleRead),
        ],
    },
    SeededRole {
        code: FIELD_AGENT,
        name: "Field agent",
        grants: &[
            own(Permission::AgentRead),
            own(Permission::TeamRead),
            own(Permission::PresenceRead),
            own(Permission::PresenceUpdate),
            own(Permission::PresenceReadTimeline),
            own(Permission::ScheduleRead),
            own(Permission::ScheduleUpdate),
        ],
    },
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
    use std::collections::HashSet;

    use super::*;
    use crate::permission::{covers, widest};

    fn seeded(code: &str) -> &'static [Grant] {
        SEEDED_ROLES.iter().find(|role| role.code == code).expect("a seeded role").grants
    }

    #[test]
    fn an_administrator_may_do_everything_everywhere() {
        for permission in Permission::ALL {
            assert_eq!(widest(seeded(ADMIN), permission), Some(Scope::All));
        }
        for role in &SEEDED_ROLES {
            assert!(covers(seeded(ADMIN), role.grants), "{}", role.code);
        }
    }

    #[test]
    fn no_role_names_a_permission_twice_and_no_code_or_name_is_used_twice() {
        for role in &SEEDED_ROLES {
            let named: HashSet<Permission> = role.grants.iter().map(|grant| grant.permission).collect();
            assert_eq!(named.len(), role.grants.len(), "{}", role.code);
        }
        assert_eq!(SEEDED_ROLES.iter().map(|role| role.code).collect::<HashSet<_>>().len(), SEEDED_ROLES.len());
        assert_eq!(SEEDED_ROLES.iter().map(|role| role.name).collect::<HashSet<_>>().len(), SEEDED_ROLES.len());
    }

    #[test]
    fn only_administrators_manage_users_roles_and_the_organisation() {
        let reserved = [
            Permission::ContactErase,
            Permission::SuppressionRemove,
            Permission::UserUpdate,
            Permission::UserSetRoles,
            Permission::UserDisable,
            Permission::UserEnable,
            Permission::UserResetPassword,
            Permission::UserSignOut,
            Permission::RoleCreate,
            Permission::RoleUpdate,
            Permission::RoleDelete,
            Permission::TenantUpdate,
        ];
        for role in SEEDED_ROLES.iter().filter(|role| role.code != ADMIN) {
            for permission in reserved {
                assert_eq!(widest(role.grants, permission), None, "{} {}", role.code, permission.as_str());
            }
        }
    }

    #[test]
    fn everyone_sees_themselves_their_teams_and_their_day() {
        for role in &SEEDED_ROLES {
            for permission in [
                Permission::AgentRead,
                Permission::TeamRead,
                Permission::PresenceRead,
                Permission::PresenceUpdate,
                Permission::PresenceReadTimeline,
                Permission::ScheduleRead,
            ] {
                assert!(widest(role.grants, permission).is_some(), "{} {}", role.code, permission.as_str());
            }
        }
    }
}
