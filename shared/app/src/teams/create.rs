//! Creating a team.

use switchboard_domain::change::{Change, Revisioned};
use switchboard_domain::ids::TeamId;
use switchboard_domain::permission::Permission;
use switchboard_domain::team::Team;
use switchboard_store::people;

use super::{SAME_NAME, checked_name, taken};
use crate::error::{AppError, UserError};
use crate::idempotency::{Recalled, recall};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::viewer::Viewer;

/// What is to be created.
#[derive(Debug, Clone, Default)]
pub struct CreateTeam {
    /// The name, unique among the live teams but for capitals, accents, spaces and punctuation.
    pub name: String,
    /// The client's own key for this creation: the same key and input answer as before.
    pub idempotency_key: Option<String>,
}

/// Creates a team without members. 2 requests: 1 R, and a transaction of 4 W and 1 for index 1; with an idempotency key 1 request and 1 R more, and 2 W.
/// Again as much each time somebody else was faster to take the name or the key.
///
/// # Errors
/// [`AppError::Forbidden`] without `team:create` for the whole tenant; those of the database. What a person can mend is in the inner result: `TAKEN`
/// names the team that has the name.
pub async fn create(services: &Services, viewer: &Viewer, request: CreateTeam) -> Result<Result<Team, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::TeamCreate)?;
    let (core, tenant) = (&services.core, &viewer.tenant);
    let now = services.clock.now();
    let id = TeamId::new(now, &services.entropy.id());
    let change = Change::new("team.created", now, viewer.origin());
    for attempt in 0..ATTEMPTS {
        // Asked in every attempt: what was refused may have been the key, used a moment ago.
        let pending = match recall(services, tenant, "teamCreate", request.idempotency_key.as_deref(), &request.name).await? {
            Recalled::New(pending) => pending,
            Recalled::Answer(id) => return remembered(services, viewer, &id).await.map(Ok),
            Recalled::Refused(error) => return Ok(Err(vec![error])),
        };
        let (name, folded) = match checked_name(&request.name) {
            Ok(checked) => checked,
            Err(error) => return Ok(Err(vec![error])),
        };
        if let Some(holder) = people::team_by_name(core, &tenant.scope, &folded).await? {
            // It may be the one that this same request made a moment ago.
            return match recall(services, tenant, "teamCreate", request.idempotency_key.as_deref(), &request.name).await? {
                Recalled::Answer(id) => remembered(services, viewer, &id).await.map(Ok),
                Recalled::New(_) | Recalled::Refused(_) => Ok(Err(vec![taken("name", SAME_NAME, holder)])),
            };
        }
        let team = Team { id, record: Revisioned::created(change.clone()), name, member_count: 0, deleted_at: None };
        let mut parts = vec![people::insert_team(&tenant.scope, &team)?, people::claim_team_name(&tenant.scope, &folded, id)];
        parts.extend(pending.map(|pending| pending.part(tenant, id, now)));
        if core.commit(&tenant.scope, parts).await? {
            return Ok(Ok(team));
        }
        back_off(services, attempt).await;
    }
    Err(busy())
}

/// What a request with the same key created before, as it is now.
async fn remembered(services: &Services, viewer: &Viewer, id: &str) -> Result<Team, AppError> {
    let broken = || AppError::Broken("an idempotency entry names no team".to_owned());
    let id = TeamId::parse(id).ok_or_else(broken)?;
    people::team(&services.core, &viewer.tenant.scope, id).await?.ok_or_else(broken)
}
