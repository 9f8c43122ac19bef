//! The schema, put together from its nouns.

use async_graphql::{EmptySubscription, MergedObject, Schema};

use crate::agent::{AgentMutation, AgentQuery};
use crate::audit::{AuditMutation, AuditQuery};
use crate::audit_export::{AuditExportMutation, AuditExportQuery};
use crate::authorise::Authorise;
use crate::bulk_job::{BulkJobMutation, BulkJobQuery};
use crate::contact::{ContactDuplicatesQuery, ContactMutation, ContactQuery};
use crate::context::Api;
use crate::import::{ImportMutation, ImportProfileMutation, ImportProfileQuery, ImportQuery, ImportRowsMutation};
use crate::limits::{COMPLEXITY, DEPTH, DocumentLimits};
use crate::node::NodeQuery;
use crate::presence::{PresenceMutation, PresenceQuery};
use crate::role::{RoleMutation, RoleQuery};
use crate::schedule::{ScheduleMutation, ScheduleQuery};
use crate::score::{ScoreMutation, ScoreQuery};
use crate::scoring::{ScoringMutation, ScoringQuery};
use crate::status::{ContactStatusMutation, ContactStatusQuery};
use crate::suppression::{SuppressionMutation, SuppressionQuery};
use crate::team::{TeamMutation, TeamQuery};
use crate::tenant::{TenantMutation, ViewerQuery};
use crate::user::{UserMutation, UserQuery};

/// Everything that can be asked.
#[derive(MergedObject, Default)]
pub struct Query(
    ViewerQuery,
    NodeQuery,
    ContactQuery,
    ContactDuplicatesQuery,
    ContactStatusQuery,
    SuppressionQuery,
    ImportQuery,
    ImportProfileQuery,
    BulkJobQuery,
    UserQuery,
    RoleQuery,
    AgentQuery,
    TeamQuery,
    PresenceQuery,
    ScheduleQuery,
    AuditQuery,
    AuditExportQuery,
    ScoreQuery,
    ScoringQuery,
);

/// Everything that can be changed.
#[derive(MergedObject, Default)]
pub struct Mutation(
    ContactMutation,
    ContactStatusMutation,
    SuppressionMutation,
    ImportMutation,
    ImportRowsMutation,
    ImportProfileMutation,
    BulkJobMutation,
    TenantMutation,
    UserMutation,
    RoleMutation,
    AgentMutation,
    TeamMutation,
    PresenceMutation,
    ScheduleMutation,
    AuditMutation,
    AuditExportMutation,
    ScoreMutation,
    ScoringMutation,
);

/// The schema.
pub type ApiSchema = Schema<Query, Mutation, EmptySubscription>;

/// The schema over its services; `explorable` lets clients ask what it has (introspection, suggestions), for local use.
#[must_use]
pub fn schema(api: Api, explorable: bool) -> ApiSchema {
    let mut builder = Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .data(api)
        .limit_depth(DEPTH)
        .limit_complexity(COMPLEXITY)
        .limit_directives(10)
        .extension(DocumentLimits)
        .extension(Authorise);
    if !explorable {
        builder = builder.disable_introspection().disable_suggestions();
    }
    builder.finish()
}

/// The schema as text: `graphql/schema.graphql` is this.
#[must_use]
pub fn sdl() -> String {
    let options = async_graphql::SDLExportOptions::new().sorted_fields().sorted_arguments().sorted_enum_items().prefer_single_line_descriptions();
    Schema::build(Query::default(), Mutation::default(), EmptySubscription).finish().sdl_with_options(options)
}
