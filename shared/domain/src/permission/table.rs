//! Every permission there is, in one table.

/// Makes the type, its list and its words of one table, so that no entry can be missing from one of them.
macro_rules! permissions {
    ($($variant:ident $written:literal $description:literal;)+) => {
        /// Something that can be allowed, written `noun:verb`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Permission {
            $(#[doc = $description] $variant,)+
        }

        impl Permission {
            /// Every permission there is, in the order in which people read them.
            pub const ALL: [Self; [$($written),+].len()] = [$(Self::$variant),+];

            /// The written form.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $written,)+
                }
            }

            /// What it allows, in one sentence.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $description,)+
                }
            }
        }
    };
}

permissions! {
    ContactRead "contact:read" "See contacts.";
    ContactCreate "contact:create" "Create contacts, with any status and for anybody.";
    ContactUpdate "contact:update" "Change what contacts say, their number included.";
    ContactSetStatus "contact:set_status" "Give contacts another status, and the time of the next contact.";
    ContactAddNote "contact:add_note" "Write notes about contacts.";
    ContactAssign "contact:assign" "Give contacts to agents and pools, and take them away.";
    ContactDelete "contact:delete" "Delete contacts.";
    ContactRestore "contact:restore" "Bring deleted contacts back.";
    ContactMerge "contact:merge" "Make one contact of two, and two of one.";
    ContactErase "contact:erase" "Erase a person for good.";
    ContactBulkUpdate "contact:bulk_update" "Change all contacts of a filter in a job, and see jobs.";
    ContactExport "contact:export" "Take contacts out in a file, and see jobs.";

    StatusCreate "status:create" "Create statuses.";
    StatusUpdate "status:update" "Change statuses.";
    StatusDelete "status:delete" "Delete statuses.";

    ScoringRead "scoring:read" "See the models that score contacts, try them out, and see how the scores are distributed.";
    ScoringWrite "scoring:write" "Create, change, delete, train and activate models that score contacts.";

    SuppressionRead "suppression:read" "See the suppression list.";
    SuppressionAdd "suppression:add" "Put numbers on the suppression list.";
    SuppressionRemove "suppression:remove" "Take numbers off the suppression list.";

    ImportRead "import:read" "See imports, their errors and their samples.";
    ImportCreate "import:create" "Bring in contacts from files or rows, map their columns, start and cancel imports, and keep mappings.";
    ImportCreateAgents "import:create_agents" "The same for agents, who become telephonists, and their teams.";
    ImportRevert "import:revert" "Undo what an import wrote.";
    AuditRead "audit:read" "See the audit trail.";
    AuditExport "audit:export" "Take the audit trail out in a file.";
    RecordRevert "record:revert" "Bring a record back to what an earlier version of it said.";

    AgentRead "agent:read" "See agents and list them.";
    AgentCreate "agent:create" "Add agents to the staff directory, and invite them to sign in.";
    AgentUpdate "agent:update" "Change an agent's name, employee number and time zone.";
    AgentDelete "agent:delete" "Take agents out of the staff directory, which disables their user.";
    AgentRestore "agent:restore" "Bring deleted agents back.";

    TeamRead "team:read" "See teams and who is in them.";
    TeamCreate "team:create" "Create teams.";
    TeamUpdate "team:update" "Rename teams.";
    TeamDelete "team:delete" "Delete teams.";
    TeamRestore "team:restore" "Bring deleted teams back.";
    TeamManageMembers "team:manage_members" "Put agents into teams, take them out, and say what they are in them.";

    PresenceRead "presence:read" "See who is available, on a break or away.";
    PresenceUpdate "presence:update" "Say that an agent is available, on a break or away, and whether they take leads.";
    PresenceReadTimeline "presence:read_timeline" "See how long an agent was in which status on a day.";

    ScheduleRead "schedule:read" "See when agents can be booked.";
    ScheduleUpdate "schedule:update" "Change when agents can be booked.";

    UserRead "user:read" "See users and list them.";
    UserInvite "user:invite" "Invite people to sign in.";
    UserUpdate "user:update" "Change a user's name.";
    UserSetRoles "user:set_roles" "Give and take roles and single permissions, as far as one's own reach.";
    UserDisable "user:disable" "Stop users from signing in.";
    UserEnable "user:enable" "Let disabled users sign in again.";
    UserResetPassword "user:reset_password" "Have a user choose another password.";
    UserSignOut "user:sign_out" "Sign a user out everywhere.";

    RoleCreate "role:create" "Create roles.";
    RoleUpdate "role:update" "Change what roles are called and what they grant.";
    RoleDelete "role:delete" "Delete roles.";

    TenantUpdate "tenant:update" "Change the organisation's settings.";
}
