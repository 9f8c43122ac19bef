//! Creating a role.

use switchboard_domain::change::Change;
use switchboard_domain::ids::RoleId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::Role;
use switchboard_domain::role::{self, RoleInput};
use switchboard_store::settings;

use super::shown;
use crate::error::{AppError, UserError};
use crate::idempotency::{Recalled, recall};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::users::standing;
use crate::viewer::{Viewer, grants};

/// What is to be created.
#[derive(Debug, Clone, Default)]
pub struct CreateRole {
    /// The values.
    pub input: RoleInput,
    /// The client's own key for this creation: the same key and input answer as before.
    pub idempotency_key: Option<String>,
}

/// Creates a role. 4 requests: 5 R, and a transaction of 6 W; with an idempotency key 1 R and 2 W more. Again as much each time another change of the roles
/// or statuses was faster.
///
/// # Errors
/// [`AppError::Forbidden`] without `role:create` for the whole tenant; those of the database. What a person can mend is in the inner result.
pub async fn create(services: &Services, viewer: &Viewer, request: CreateRole) -> Result<Result<Role, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::RoleCreate)?;
    let (core, tenant) = (&services.core, &viewer.tenant);
    let now = services.clock.now();
    let id = RoleId::new(now, &services.entropy.id());
    let change = Change::new("role.created", now, viewer.origin());
    for attempt in 0..ATTEMPTS {
        let viewer = &standing::confirmed(services, viewer).await?;
        viewer.require_all(Permission::RoleCreate)?;
        // Asked in every attempt: what was refused may have been the key, used a moment ago.
        let pending = match recall(services, tenant, "roleCreate", request.idempotency_key.as_deref(), &request.input).await? {
            Recalled::New(pending) => pending,
            Recalled::Answer(id) => return remembered(services, viewer, &id).await.map(Ok),
            Recalled::Refused(error) => return Ok(Err(vec![error])),
        };
        let settings = settings::load(core, &tenant.scope).await?;
        // The answer to an earlier attempt may have been lost.
        if let Some(created) = settings.role(id) {
            return Ok(Ok(created.clone()));
        }
        let created = match role::create(&settings.roles, id, &request.input, &grants(&viewer.user, &settings), change.clone()) {
            Ok(created) => created,
            // What is in the way may be what this same request made a moment ago.
            Err(errors) => match recall(services, tenant, "roleCreate", request.idempotency_key.as_deref(), &request.input).await? {
                Recalled::Answer(id) => return remembered(services, viewer, &id).await.map(Ok),
                Recalled::New(_) | Recalled::Refused(_) => return Ok(Err(shown(errors))),
            },
        };
        let others = pending.map(|pending| pending.part(tenant, id, now)).into_iter().chain([standing::holding(viewer)]).collect();
        if settings::write_role(core, &tenant.scope, settings.revision, &created, None, others).await? {
            services.tenants.forget_settings(&tenant.scope);
            return Ok(Ok(created));
        }
        back_off(services, attempt).await;
    }
    Err(busy())
}

/// What a request with the same key created before, as it is now.
async fn remembered(services: &Services, viewer: &Viewer, id: &str) -> Result<Role, AppError> {
    let settings = settings::load(&services.core, &viewer.tenant.scope).await?;
    let found = RoleId::parse(id).and_then(|id| settings.role(id).cloned());
    found.ok_or_else(|| AppError::Broken("an idempotency entry names no role".to_owned()))
}
