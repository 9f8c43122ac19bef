//! Making an agent: of somebody new, who is invited, or of a user who isn't one yet.

use std::collections::HashMap;

use jiff::Timestamp;
use serde::Serialize;
use switchboard_domain::change::{Change, Revisioned};
use switchboard_domain::clock::to_millisecond;
use switchboard_domain::field_error::{FieldError, FieldErrorCode};
use switchboard_domain::ids::{AgentId, RoleId, TeamId, UserId};
use switchboard_domain::permission::Permission;
use switchboard_domain::person::{self, Agent, AgentTeam, MAX_TEAMS, MembershipRole, TELEPHONIST, User, UserStatus};
use switchboard_domain::team::Team;
use switchboard_store::settings::{self, Settings};
use switchboard_store::table::Part;
use switchboard_store::{Freshness, StoreError, TenantScope, people};

use super::{form, places};
use crate::GivenId;
use crate::error::{AppError, Existing, UserError};
use crate::idempotency::{Recalled, recall};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::users::{self, Enrolled, MOST_ROLES, NewAgent, NewPerson, standing};
use crate::viewer::Viewer;

/// Who is to be made an agent: somebody new by name and address, or a user.
#[derive(Debug, Clone, Default, Serialize)]
pub struct CreateAgent {
    /// A user who has no entry in the staff directory yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<GivenId<UserId>>,
    /// What people call them, unless they are a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address they are to sign in with, unless they are a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The employer's own number for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub employee_id: Option<String>,
    /// IANA time zone of their schedule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The teams they are to be in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub teams: Vec<GivenId<TeamId>>,
    /// The roles they are to hold, unless they are a user; without any, the telephonist's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<GivenId<RoleId>>,
    /// The client's own key for this creation: the same key and input answer as before.
    #[serde(skip)]
    pub idempotency_key: Option<String>,
}

/// Makes an agent.
///
/// Somebody new gets an identity first, and with it the message that invites them; then what [`enter`] writes. 2 requests or 3 to the identity
/// service, and those of [`enter`]; before them 4 requests, 5 R and 1 R a team, so that nobody is invited for an input that can't be.
///
/// A user becomes an agent in 2 requests: 2 R and 1 R a team, and a transaction of 4 W and 1 for index 1, and of 4 W and 1 for index 1 a team. With an
/// idempotency key 1 request and 1 R, and 2 W more.
///
/// A process that dies after the invitation leaves an identity that belongs to nobody: the same request sends the message again and goes on from there.
///
/// # Errors
/// [`AppError::Forbidden`] without `agent:create` for the whole tenant; those of the identity service and of the database. What a person can mend is
/// in the inner result: `TAKEN` for an address that any user has, wherever they are, and for a user who is an agent; `CONFLICT` for one whose agent was
/// deleted.
pub async fn create(services: &Services, viewer: &Viewer, request: CreateAgent) -> Result<Result<Agent, Vec<UserError>>, AppError> {
    if let Some(user) = request.user {
        return appoint(services, viewer, &request, user).await;
    }
    viewer.require_all(Permission::AgentCreate)?;
    match recalled(services, viewer, &request).await? {
        Recalled::New(_) => {}
        Recalled::Answer(id) => return remembered(services, viewer, &id).await.map(Ok),
        Recalled::Refused(error) => return Ok(Err(vec![error])),
    }
    let viewer = &standing::confirmed(services, viewer).await?;
    viewer.require_all(Permission::AgentCreate)?;
    let form = match checked(services, viewer, &request).await? {
        Ok(form) => form,
        Err(errors) => return Ok(Err(errors)),
    };
    match users::identity(services, &form.email).await? {
        Ok(subject) => enter(services, viewer, &request, &subject).await,
        Err(error) => taken(services, viewer, &request, error).await,
    }
}

/// Writes somebody new, who has an identity: the user, invited, the agent, and their places in teams. 5 requests: 5 R and 1 R a team, and a transaction of
/// 10 W and 2 for index 1, and of 4 W and 1 for index 1 a team; with an idempotency key 1 request and 1 R, and 2 W more. Again as much each time another
/// change of one of the teams was faster.
///
/// # Errors
/// As [`create`].
pub async fn enter(services: &Services, viewer: &Viewer, request: &CreateAgent, subject: &str) -> Result<Result<Agent, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::AgentCreate)?;
    let (tenant, origin) = (&viewer.tenant, viewer.origin());
    let now = services.clock.now();
    let id = UserId::new(now, &services.entropy.id());
    for attempt in 0..ATTEMPTS {
        // Asked in every attempt: what was refused may have been the key, used a moment ago.
        let pending = match recalled(services, viewer, request).await? {
            Recalled::New(pending) => pending,
            Recalled::Answer(id) => return remembered(services, viewer, &id).await.map(Ok),
            Recalled::Refused(error) => return Ok(Err(vec![error])),
        };
        let viewer = &standing::confirmed(services, viewer).await?;
        viewer.require_all(Permission::AgentCreate)?;
        let form = match checked(services, viewer, request).await? {
            Ok(form) => form,
            Err(errors) => return Ok(Err(errors)),
        };
        let teams = places_in(&form.teams, now);
        let mut others = places::entered(&tenant.scope, &form.teams, id.into(), &teams, now, &origin)?;
        others.extend(pending.map(|pending| pending.part(tenant, id, now)));
        others.extend(standing::while_confirmed(viewer, id));
        let person = NewPerson {
            id,
            subject: subject.to_owned(),
            email: form.email,
            name: form.name,
            roles: form.roles,
            grants: Vec::new(),
            change: Change::new("user.invited", now, origin.clone()),
            status: UserStatus::Invited,
            agent: Some(NewAgent { employee_id: form.employee_id, time_zone: form.time_zone, teams }),
            others,
        };
        match users::enrol(services, tenant, person).await? {
            Enrolled::Done(_, Some(agent)) => return Ok(Ok(agent)),
            Enrolled::Done(_, None) => return Err(AppError::Broken("somebody was to be made an agent and wasn't".to_owned())),
            Enrolled::Taken => return taken(services, viewer, request, users::address_taken()).await,
            Enrolled::Changed => back_off(services, attempt).await,
        }
    }
    Err(busy())
}

/// Makes an agent of a user.
async fn appoint(services: &Services, viewer: &Viewer, request: &CreateAgent, user: GivenId<UserId>) -> Result<Result<Agent, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::AgentCreate)?;
    let (core, tenant, origin) = (&services.core, &viewer.tenant, viewer.origin());
    let now = services.clock.now();
    for attempt in 0..ATTEMPTS {
        let pending = match recalled(services, viewer, request).await? {
            Recalled::New(pending) => pending,
            Recalled::Answer(id) => return remembered(services, viewer, &id).await.map(Ok),
            Recalled::Refused(error) => return Ok(Err(vec![error])),
        };
        let mut errors = unexpected(request);
        let employee_id = optional(request.employee_id.as_deref(), form::employee_id, &mut errors);
        let time_zone = optional(request.time_zone.as_deref(), form::time_zone, &mut errors);
        let given = named(&request.teams, &mut errors);
        let users: Vec<UserId> = user.into_iter().collect();
        let agents: Vec<AgentId> = users.iter().map(|user| (*user).into()).collect();
        let ids: Vec<TeamId> = given.iter().map(|(_, team)| *team).collect();
        let found = if users.is_empty() && ids.is_empty() {
            people::Directory::default()
        } else {
            people::directory(core, &tenant.scope, &users, &agents, &ids, Freshness::Strong).await?
        };
        let teams = live(&given, found.teams, &mut errors);
        let user = match appointable(found.users.into_iter().next(), found.agents.into_iter().next()) {
            Ok(user) if errors.is_empty() => user,
            Ok(_) => return Ok(Err(errors)),
            Err(error) => return Ok(Err([vec![error], errors].concat())),
        };
        let agent = Agent {
            id: user.id.into(),
            record: Revisioned::created(Change::new("agent.created", now, origin.clone())),
            name: user.name.clone(),
            sealed_email: user.sealed_email.clone(),
            employee_id,
            time_zone,
            teams: places_in(&teams, now),
            deleted_at: None,
        };
        let mut parts = vec![people::insert_agent(&tenant.scope, &agent)?, unchanged(&tenant.scope, &user)?];
        parts.extend(places::entered(&tenant.scope, &teams, agent.id, &agent.teams, now, &origin)?);
        parts.extend(pending.map(|pending| pending.part(tenant, agent.id, now)));
        if core.commit(&tenant.scope, parts).await? {
            return Ok(Ok(agent));
        }
        back_off(services, attempt).await;
    }
    Err(busy())
}

/// Somebody new, as they can be written.
struct Form {
    name: String,
    email: String,
    employee_id: Option<String>,
    time_zone: Option<String>,
    roles: Vec<RoleId>,
    teams: Vec<Team>,
}

/// The input of somebody new, looked at whole, so that everything that is wrong is named at once. 1 request and 2 R for the roles, and 1 request for
/// the teams, 1 R each.
async fn checked(services: &Services, viewer: &Viewer, request: &CreateAgent) -> Result<Result<Form, Vec<UserError>>, AppError> {
    let (core, scope) = (&services.core, &viewer.tenant.scope);
    let mut errors: Vec<UserError> = Vec::new();
    let name = person::person_name("name", request.name.as_deref().unwrap_or_default()).map_err(|error| errors.push(error.into())).ok();
    let email = users::address(request.email.as_deref().unwrap_or_default()).map_err(|error| errors.push(error.into())).ok();
    let employee_id = optional(request.employee_id.as_deref(), form::employee_id, &mut errors);
    let time_zone = optional(request.time_zone.as_deref(), form::time_zone, &mut errors);
    let given = named(&request.teams, &mut errors);
    let found = if given.is_empty() {
        Vec::new()
    } else {
        let ids: Vec<TeamId> = given.iter().map(|(_, team)| *team).collect();
        people::directory(core, scope, &[], &[], &ids, Freshness::Strong).await?.teams
    };
    let teams = live(&given, found, &mut errors);
    // As they are now, not as this process remembers them: what a role grants decides who may give it.
    let settings = settings::load(core, scope).await?;
    let roles = held(viewer, &settings, &request.roles, &mut errors)?;
    match (name, email) {
        (Some(name), Some(email)) if errors.is_empty() => Ok(Ok(Form { name, email, employee_id, time_zone, roles, teams })),
        _ => Ok(Err(errors)),
    }
}

fn optional(given: Option<&str>, rule: impl Fn(&str) -> Result<Option<String>, FieldError>, errors: &mut Vec<UserError>) -> Option<String> {
    match given.map(rule) {
        Some(Ok(value)) => value,
        Some(Err(error)) => {
            errors.push(error.into());
            None
        }
        None => None,
    }
}

/// The teams that are named, each once, with their places in the list that was given.
fn named(given: &[GivenId<TeamId>], errors: &mut Vec<UserError>) -> Vec<(usize, TeamId)> {
    if given.len() > MAX_TEAMS {
        let message = format!("teamIds has {} entries, and an agent can be in {MAX_TEAMS} teams. Leave some out.", given.len());
        errors.push(UserError::new("teamIds", FieldErrorCode::LimitExceeded, message));
        return Vec::new();
    }
    let mut named: Vec<(usize, TeamId)> = Vec::with_capacity(given.len());
    for (index, team) in given.iter().enumerate() {
        match team {
            Some(team) if named.iter().all(|(_, other)| other != team) => named.push((index, *team)),
            Some(_) => {}
            None => errors.push(no_team().at(index)),
        }
    }
    named
}

/// The teams that are named, in that order, as far as they are there.
fn live(named: &[(usize, TeamId)], found: Vec<Team>, errors: &mut Vec<UserError>) -> Vec<Team> {
    let mut found: HashMap<TeamId, Team> = found.into_iter().filter(|team| team.deleted_at.is_none()).map(|team| (team.id, team)).collect();
    let mut teams = Vec::with_capacity(named.len());
    for (index, id) in named {
        match found.remove(id) {
            Some(team) => teams.push(team),
            None => errors.push(no_team().at(*index)),
        }
    }
    teams
}

fn no_team() -> UserError {
    UserError::new("teamIds", FieldErrorCode::NotFound, "There is no such team. Take an id from the staff directory.")
}

/// The roles somebody new is to hold, each once, when they can be held and the viewer may give them.
fn held(viewer: &Viewer, settings: &Settings, given: &[GivenId<RoleId>], errors: &mut Vec<UserError>) -> Result<Vec<RoleId>, AppError> {
    let by_default = settings.role_by_code(TELEPHONIST).ok_or_else(|| AppError::Broken("a tenant has no telephonist's role".to_owned()))?;
    let by_default = [Some(by_default.id)];
    let given = if given.is_empty() { &by_default } else { given };
    if given.len() > MOST_ROLES {
        let message = format!("roles has {} entries, and a user can hold {MOST_ROLES} roles. Leave some out.", given.len());
        errors.push(UserError::new("roles", FieldErrorCode::LimitExceeded, message));
        return Ok(Vec::new());
    }
    let mut roles: Vec<RoleId> = Vec::with_capacity(given.len());
    for (index, role) in given.iter().enumerate() {
        match role.and_then(|id| settings.live_roles().find(|role| role.id == id)) {
            Some(role) if roles.contains(&role.id) => {}
            Some(role) => roles.push(role.id),
            None => errors.push(UserError::new("roles", FieldErrorCode::NotFound, "There is no such role. Take an id from roles.").at(index)),
        }
    }
    if let Err(mut error) = standing::check_roles(viewer, settings, &roles) {
        "roles".clone_into(&mut error.error.field);
        errors.push(error);
    }
    Ok(roles)
}

/// New places in these teams, as a member.
fn places_in(teams: &[Team], now: Timestamp) -> Vec<AgentTeam> {
    teams.iter().map(|team| AgentTeam { team: team.id, role: MembershipRole::Agent, assigned_at: to_millisecond(now) }).collect()
}

/// What a user has already, so that it can't be given with them.
fn unexpected(request: &CreateAgent) -> Vec<UserError> {
    let given = [("name", request.name.is_some()), ("email", request.email.is_some()), ("roles", !request.roles.is_empty())];
    let message = |field: &str| format!("A user has {field} already. Leave it out, or leave userId out for somebody new.");
    given.into_iter().filter(|(_, is_given)| *is_given).map(|(field, _)| UserError::new(field, FieldErrorCode::Invalid, message(field))).collect()
}

/// The user, when they can be made an agent.
fn appointable(user: Option<User>, agent: Option<Agent>) -> Result<User, UserError> {
    let refused = |code, message: &str| UserError::new("userId", code, message);
    let in_the_way = |agent: &Agent, error| UserError { existing: Some(Existing::Agent(agent.id)), ..error };
    match (user, agent) {
        (None, _) => Err(refused(FieldErrorCode::NotFound, "There is no such user. Take an id from users.")),
        (Some(_), Some(agent)) if agent.deleted_at.is_some() => {
            Err(in_the_way(&agent, refused(FieldErrorCode::Conflict, "This user was an agent who was deleted. Restore that one.")))
        }
        (Some(_), Some(agent)) => Err(in_the_way(&agent, refused(FieldErrorCode::Taken, "This user is an agent already. Change that one."))),
        (Some(user), None) if user.status == UserStatus::Disabled => Err(refused(FieldErrorCode::NotAllowed, "This user is disabled. Enable them first.")),
        (Some(user), None) => Ok(user),
    }
}

/// The part of a transaction that holds only while a user is as they were read, and leaves them so: nobody is made an agent under a name they no longer
/// have, nor when they were disabled meanwhile. 2 W.
fn unchanged(scope: &TenantScope, user: &User) -> Result<Part, StoreError> {
    people::replace_user(scope, &User { record: user.record.touched(), ..user.clone() }, user.record.revision)
}

async fn recalled(services: &Services, viewer: &Viewer, request: &CreateAgent) -> Result<Recalled, AppError> {
    recall(services, &viewer.tenant, "agentCreate", request.idempotency_key.as_deref(), request).await
}

/// An address is taken, unless it was by this same request when it came before.
async fn taken(services: &Services, viewer: &Viewer, request: &CreateAgent, error: UserError) -> Result<Result<Agent, Vec<UserError>>, AppError> {
    match recalled(services, viewer, request).await? {
        Recalled::Answer(id) => remembered(services, viewer, &id).await.map(Ok),
        Recalled::New(_) => Ok(Err(vec![error])),
        Recalled::Refused(used) => Ok(Err(vec![used])),
    }
}

/// The agent that a request with the same key made, as they are now.
async fn remembered(services: &Services, viewer: &Viewer, id: &str) -> Result<Agent, AppError> {
    let broken = || AppError::Broken("an idempotency entry names no agent".to_owned());
    let id = AgentId::parse(id).ok_or_else(broken)?;
    people::agent(&services.core, &viewer.tenant.scope, id).await?.ok_or_else(broken)
}
