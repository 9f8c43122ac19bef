//! The staff directory: agents made, renamed, deleted, brought back, and listed. What is asked of the user pool lies before or behind what is tried here.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::{join, join_all};
use jiff::{SignedDuration, Timestamp};
use switchboard_app::agents::{self, AgentFilter, AgentPatch, CreateAgent, DeleteAgent, UpdateAgent};
use switchboard_app::{AppError, Existing, UserError, Viewer};
use switchboard_domain::actor::STAFF_EMAIL;
use switchboard_domain::change::{Change, MemberChange, Origin, Revisioned};
use switchboard_domain::clock::Clock;
use switchboard_domain::demo::TENANTS;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, RoleId, TeamId, UserId};
use switchboard_domain::permission::{Grant, Permission, Scope};
use switchboard_domain::person::{ADMIN, Agent, AgentTeam, FIELD_AGENT, MAX_TEAMS, MembershipRole, TELEPHONIST, User, UserStatus};
use switchboard_domain::presence::PresenceStatus;
use switchboard_domain::team::{Membership, Team};
use switchboard_domain::text;
use switchboard_store::item::Item;
use switchboard_store::people::{self, StaffList};
use switchboard_store::table::Part;
use switchboard_store::{keys, settings, tenants};
use switchboard_testkit::{Fault, World};

use crate::made;

/// Somebody new, as a request asks for them.
fn newcomer(name: &str, email: &str) -> CreateAgent {
    CreateAgent { name: Some(name.to_owned()), email: Some(email.to_owned()), ..CreateAgent::default() }
}

/// Lets somebody new in, whose identity has the address as its subject.
async fn enter(world: &World, viewer: &Viewer, request: &CreateAgent) -> Result<Result<Agent, Vec<UserError>>, AppError> {
    agents::enter(&world.services, viewer, request, &request.email.clone().unwrap()).await
}

async fn entered(world: &World, request: &CreateAgent) -> Agent {
    enter(world, &world.viewer(ADMIN).await, request).await.unwrap().unwrap()
}

/// A user who is no agent.
async fn user_alone(world: &World, name: &str, status: UserStatus) -> User {
    let (services, tenant, now) = (&world.services, &world.tenant, world.clock.now());
    let id = UserId::new(now, &services.entropy.id());
    let user = User {
        id,
        record: Revisioned::created(Change::new("user.invited", now, Origin::system())),
        subject: format!("the subject of {name}"),
        name: name.to_owned(),
        sealed_email: tenant.keyring.seal_for_tenant(STAFF_EMAIL, &id.to_string(), services.entropy.as_ref(), b"alone@new.test"),
        status,
        roles: Vec::new(),
        grants: Vec::new(),
        signed_out_at: None,
        activated_at: None,
    };
    assert!(services.core.commit(&tenant.scope, vec![people::insert_user(&tenant.scope, &user).unwrap()]).await.unwrap());
    user
}

/// Writes a user as they are to be, whom nobody changes meanwhile, and reads them as they sign in.
async fn turned_into(world: &World, user: &User) -> Viewer {
    let before = user_of(world, user.id.into()).await;
    let after = User { record: before.record.touched(), ..user.clone() };
    let part = people::replace_user(&world.tenant.scope, &after, before.record.revision).unwrap();
    assert!(world.services.core.commit(&world.tenant.scope, vec![part]).await.unwrap());
    world.viewer_of(user.id, "changed").await
}

fn all(permission: Permission) -> Grant {
    Grant { permission, scope: Scope::All }
}

/// Someone who may do everything without being an administrator.
async fn almighty(world: &World) -> Viewer {
    let user = user_of(world, world.user_id("supervisor").into()).await;
    turned_into(world, &User { grants: Permission::ALL.into_iter().map(all).collect(), ..user }).await
}

async fn role(world: &World, code: &str) -> RoleId {
    settings::load(&world.database.core, &world.tenant.scope).await.unwrap().role_by_code(code).unwrap().id
}

async fn agent_of(world: &World, id: AgentId) -> Agent {
    people::agent(&world.database.core, &world.tenant.scope, id).await.unwrap().unwrap()
}

async fn user_of(world: &World, id: AgentId) -> User {
    people::user(&world.database.core, &world.tenant.scope, id.into()).await.unwrap().unwrap()
}

async fn team_of(world: &World, id: TeamId) -> Team {
    people::team(&world.database.core, &world.tenant.scope, id).await.unwrap().unwrap()
}

async fn membership(world: &World, team: TeamId, agent: AgentId) -> Option<Membership> {
    people::membership(&world.database.core, &world.tenant.scope, team, agent).await.unwrap()
}

async fn administrators(world: &World) -> Vec<UserId> {
    people::administrators(&world.database.core, &world.tenant.scope).await.unwrap().users
}

/// Whether an agent stands in a list.
async fn is_in(world: &World, list: StaffList, id: AgentId) -> bool {
    let listed = people::listed(&world.database.core, &world.tenant.scope, list, None, 1_000).await.unwrap();
    listed.entries.iter().any(|(_, listed)| *listed == id.to_string())
}

fn nobody<Id>(new: fn(Timestamp, &[u8; 10]) -> Id) -> Id {
    new(Timestamp::UNIX_EPOCH, &[9; 10])
}

fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

/// What is wrong, in an answer that has to say so.
fn refused<T: std::fmt::Debug>(answer: Result<Result<T, Vec<UserError>>, AppError>) -> Vec<UserError> {
    answer.unwrap().unwrap_err()
}

fn version(agent: &Agent) -> i32 {
    i32::try_from(agent.record.version).unwrap()
}

fn renaming(agent: &Agent, name: &str) -> UpdateAgent {
    let patch = AgentPatch { name: Some(Some(name.to_owned())), ..AgentPatch::default() };
    UpdateAgent { id: Some(agent.id), expected_version: version(agent), patch }
}

fn deletion(agent: &Agent) -> DeleteAgent {
    DeleteAgent { id: Some(agent.id), expected_version: version(agent), reason: Some(" Left us ".to_owned()), ..DeleteAgent::default() }
}

async fn deleted(world: &World, agent: &Agent) -> Agent {
    agents::take_out(&world.services, &world.viewer(ADMIN).await, &deletion(agent)).await.unwrap().unwrap().agent
}

#[tokio::test]
async fn somebody_new_is_user_agent_and_member_at_once() {
    let world = World::new().await;
    let (core, scope) = (&world.database.core, &world.tenant.scope);
    let (est, west) = (world.team_id("Est"), world.team_id("West"));
    let before = [team_of(&world, west).await, team_of(&world, est).await];
    let request = CreateAgent {
        employee_id: Some(" E-7 ".to_owned()),
        time_zone: Some("america/vancouver".to_owned()),
        teams: vec![Some(west), Some(est), Some(west)],
        ..newcomer(" Zoé Roy ", " Zoe@New.Test ")
    };
    let viewer = world.viewer(ADMIN).await;
    let agent = agents::enter(&world.services, &viewer, &request, "subject").await.unwrap().unwrap();

    let now = world.clock.now();
    assert_eq!(agent_of(&world, agent.id).await, agent);
    assert_eq!((agent.name.as_str(), agent.employee_id.as_deref(), agent.time_zone.as_deref()), ("Zoé Roy", Some("E-7"), Some("America/Vancouver")));
    let place = |team| AgentTeam { team, role: MembershipRole::Agent, assigned_at: now };
    assert_eq!((&agent.teams, agent.deleted_at), (&vec![place(west), place(est)], None));
    assert_eq!((agent.record.version, agent.record.last_change.action.as_str()), (1, "agent.created"));
    assert_eq!(viewer.staff_email(&agent.id.to_string(), &agent.sealed_email).unwrap(), "zoe@new.test");

    let user = user_of(&world, agent.id).await;
    assert_eq!((user.name.as_str(), user.status, user.subject.as_str()), ("Zoé Roy", UserStatus::Invited, "subject"));
    assert_eq!((user.record.version, user.record.last_change.action.as_str()), (1, "user.invited"));
    assert_eq!((user.roles.clone(), user.grants.len(), user.activated_at), (vec![role(&world, TELEPHONIST).await], 0, None));
    assert_eq!(people::user_by_email(core, &world.tenant, "zoe@new.test").await.unwrap(), Some(user.id));
    assert_eq!(tenants::by_subject(core, "subject").await.unwrap(), Some((*scope, user.id)));
    assert!(is_in(&world, StaffList::Agents, agent.id).await);

    for before in before {
        let after = team_of(&world, before.id).await;
        assert_eq!((after.member_count, after.record.version), (before.member_count + 1, before.record.version + 1));
        let member = MemberChange { agent: agent.id, before: None, after: Some(MembershipRole::Agent) };
        assert_eq!((after.record.last_change.action.as_str(), after.record.last_change.member.clone()), ("team.member_added", Some(member)));
        assert_eq!(after.record.last_change.origin, viewer.origin());
        let expected = Membership { team: before.id, agent: agent.id, role: MembershipRole::Agent, assigned_at: now };
        assert_eq!(membership(&world, before.id, agent.id).await, Some(expected));
    }
}

#[tokio::test]
async fn the_same_key_is_the_same_agent_also_at_once() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let keyed = CreateAgent { idempotency_key: Some("key".to_owned()), teams: vec![Some(world.team_id("Est"))], ..newcomer("Zoé Roy", "zoe@new.test") };
    let outcomes = join_all((0..4).map(|_| enter(&world, &viewer, &keyed))).await;
    let ids: BTreeSet<AgentId> = outcomes.into_iter().map(|outcome| outcome.unwrap().unwrap().id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(team_of(&world, world.team_id("Est")).await.member_count, 5);
    let again = agents::create(&world.services, &viewer, keyed.clone()).await.unwrap().unwrap();
    assert!(ids.contains(&again.id), "who is there already is not invited again");
    let other = CreateAgent { name: Some("Zoé R.".to_owned()), ..keyed };
    assert_eq!(codes(&refused(agents::create(&world.services, &viewer, other).await)), [("idempotencyKey", FieldErrorCode::Conflict)]);
}

#[tokio::test]
async fn everything_that_is_wrong_is_named_and_nothing_is_written() {
    let world = World::new().await;
    let (viewer, before) = (world.viewer(ADMIN).await, made::everything(&world.database).await.len());
    let est = team_of(&world, world.team_id("Est")).await;
    let wrong = CreateAgent {
        name: Some(" ".to_owned()),
        email: Some("nobody".to_owned()),
        employee_id: Some("7".repeat(51)),
        time_zone: Some("Mars/Olympus".to_owned()),
        teams: vec![None, Some(est.id), Some(nobody(TeamId::new))],
        roles: vec![Some(role(&world, ADMIN).await), Some(nobody(RoleId::new))],
        ..CreateAgent::default()
    };
    let errors = refused(agents::create(&world.services, &viewer, wrong).await);
    let expected = [
        ("name", FieldErrorCode::Blank),
        ("email", FieldErrorCode::Invalid),
        ("employeeId", FieldErrorCode::TooLong),
        ("timeZone", FieldErrorCode::Invalid),
        ("teamIds", FieldErrorCode::NotFound),
        ("teamIds", FieldErrorCode::NotFound),
        ("roles", FieldErrorCode::NotFound),
    ];
    assert_eq!(codes(&errors), expected);
    assert_eq!(errors.iter().map(|error| error.index).collect::<Vec<_>>(), [None, None, None, None, Some(0), Some(2), Some(1)]);
    let nothing = refused(agents::create(&world.services, &viewer, CreateAgent::default()).await);
    assert_eq!(codes(&nothing), [("name", FieldErrorCode::Blank), ("email", FieldErrorCode::Blank)]);
    let many = CreateAgent { teams: vec![Some(est.id); MAX_TEAMS + 1], ..newcomer("Zoé", "zoe@new.test") };
    assert_eq!(codes(&refused(enter(&world, &viewer, &many).await)), [("teamIds", FieldErrorCode::LimitExceeded)]);
    for (email, subject) in [("admin@demo.test", "another"), ("zoe@new.test", "admin@demo.test")] {
        let request = CreateAgent { teams: vec![Some(est.id)], ..newcomer("Zoé", email) };
        let errors = refused(agents::enter(&world.services, &viewer, &request, subject).await);
        assert_eq!((codes(&errors), &errors[0].existing), (vec![("email", FieldErrorCode::Taken)], &None), "{email} {subject}");
    }
    assert_eq!((made::everything(&world.database).await.len(), team_of(&world, est.id).await), (before, est));
}

#[tokio::test]
async fn a_supervisor_lets_in_who_works_on_the_floor_and_who_may_not_is_refused() {
    let world = World::new().await;
    let supervisor = world.viewer("supervisor").await;
    let (telephonist, field_agent) = (role(&world, TELEPHONIST).await, role(&world, FIELD_AGENT).await);
    let floor = CreateAgent { roles: vec![Some(field_agent), Some(telephonist), Some(field_agent)], ..newcomer("Floor", "floor@new.test") };
    let agent = enter(&world, &supervisor, &floor).await.unwrap().unwrap();
    assert_eq!(user_of(&world, agent.id).await.roles, [field_agent, telephonist]);
    for code in [ADMIN, "manager", "supervisor"] {
        let request = CreateAgent { roles: vec![Some(telephonist), Some(role(&world, code).await)], ..newcomer("Above", "above@new.test") };
        assert_eq!(codes(&refused(enter(&world, &supervisor, &request).await)), [("roles", FieldErrorCode::NotAllowed)], "{code}");
    }
    for code in ["manager", TELEPHONIST, FIELD_AGENT] {
        let viewer = world.viewer(code).await;
        let request = newcomer("Zoé", "zoe@new.test");
        assert!(matches!(enter(&world, &viewer, &request).await, Err(AppError::Forbidden)), "{code}");
        assert!(matches!(agents::create(&world.services, &viewer, request).await, Err(AppError::Forbidden)), "{code}");
        let of_user = CreateAgent { user: Some(Some(world.user_id(ADMIN))), ..CreateAgent::default() };
        assert!(matches!(agents::create(&world.services, &viewer, of_user).await, Err(AppError::Forbidden)), "{code}");
    }
}

#[tokio::test]
async fn six_who_come_to_one_team_at_once_are_all_counted() {
    let world = World::new().await;
    let (viewer, est) = (world.viewer(ADMIN).await, world.team_id("Est"));
    let requests: Vec<CreateAgent> = (0..6).map(|number| CreateAgent { teams: vec![Some(est)], ..newcomer("Zoé", &format!("zoe{number}@new.test")) }).collect();
    let outcomes = join_all(requests.iter().map(|request| enter(&world, &viewer, request))).await;
    let ids: BTreeSet<AgentId> = outcomes.into_iter().map(|outcome| outcome.unwrap().unwrap().id).collect();
    let members = people::members(&world.database.core, &world.tenant.scope, est, None, 100).await.unwrap().entries;
    assert_eq!((ids.len(), members.len(), team_of(&world, est).await.member_count), (6, 10, 10));
    assert!(ids.iter().all(|id| members.iter().any(|member| member.agent == *id)));
}

#[tokio::test]
async fn a_user_becomes_an_agent_once() {
    let world = World::new().await;
    let (viewer, est) = (world.viewer(ADMIN).await, world.team_id("Est"));
    let user = user_alone(&world, "Alone", UserStatus::Active).await;
    let of = |user: Option<UserId>| CreateAgent { user: Some(user), ..CreateAgent::default() };
    let create = async |request: CreateAgent| agents::create(&world.services, &viewer, request).await;

    let twice_named = CreateAgent { roles: vec![Some(role(&world, ADMIN).await)], ..newcomer("Another", "another@new.test") };
    let errors = refused(create(CreateAgent { user: Some(Some(user.id)), ..twice_named }).await);
    assert_eq!(codes(&errors), [("name", FieldErrorCode::Invalid), ("email", FieldErrorCode::Invalid), ("roles", FieldErrorCode::Invalid)]);
    let wrong = CreateAgent { teams: vec![Some(nobody(TeamId::new))], ..of(Some(user.id)) };
    assert_eq!(codes(&refused(create(wrong).await)), [("teamIds", FieldErrorCode::NotFound)]);

    let request = CreateAgent { employee_id: Some("E-8".to_owned()), teams: vec![Some(est)], idempotency_key: Some("key".to_owned()), ..of(Some(user.id)) };
    let (one, other) = join(create(request.clone()), create(request)).await;
    let agent = one.unwrap().unwrap();
    assert_eq!(other.unwrap().unwrap(), agent, "the same key is the same agent");
    assert_eq!((agent.id, &agent.name, &agent.sealed_email, agent.record.version), (user.id.into(), &user.name, &user.sealed_email, 1));
    assert_eq!((agent.role_in(est), team_of(&world, est).await.member_count), (Some(MembershipRole::Agent), 5));
    let after = user_of(&world, agent.id).await;
    assert_eq!((after.record.version, &after.record.last_change), (1, &user.record.last_change), "of the user nothing changed");

    let errors = refused(create(of(Some(user.id))).await);
    assert_eq!((codes(&errors), &errors[0].existing), (vec![("userId", FieldErrorCode::Taken)], &Some(Existing::Agent(agent.id))));
    deleted(&world, &agent).await;
    let errors = refused(create(of(Some(user.id))).await);
    assert_eq!((codes(&errors), &errors[0].existing), (vec![("userId", FieldErrorCode::Conflict)], &Some(Existing::Agent(agent.id))));
    let disabled = user_alone(&world, "Disabled", UserStatus::Disabled).await;
    assert_eq!(codes(&refused(create(of(Some(disabled.id))).await)), [("userId", FieldErrorCode::NotAllowed)]);
    for nobody in [None, Some(nobody(UserId::new))] {
        assert_eq!(codes(&refused(create(of(nobody)).await)), [("userId", FieldErrorCode::NotFound)]);
    }
}

#[tokio::test]
async fn a_name_is_the_users_too_and_each_has_its_own_change() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let before = agent_of(&world, world.user_id(TELEPHONIST).into()).await;
    let user = user_of(&world, before.id).await;
    let after = agents::update(&world.services, &viewer, renaming(&before, " Aaron Tremblay ")).await.unwrap().unwrap();
    assert_eq!((after.name.as_str(), after.record.version, after.record.last_change.action.as_str()), ("Aaron Tremblay", 2, "agent.updated"));
    assert_eq!(Agent { name: before.name.clone(), record: before.record.clone(), ..after.clone() }, before, "nothing else changed");
    let renamed = user_of(&world, before.id).await;
    assert_eq!((renamed.name.as_str(), renamed.record.version, renamed.record.last_change.action.as_str()), ("Aaron Tremblay", 2, "user.updated"));
    assert_eq!(User { name: user.name.clone(), record: user.record.clone(), ..renamed.clone() }, user);
    for list in [StaffList::Agents, StaffList::Users] {
        let listed = people::listed(&world.database.core, &world.tenant.scope, list, None, 100).await.unwrap().entries;
        assert_eq!((listed.len(), listed[0].1.as_str()), (7, before.id.to_string().as_str()), "{list:?}");
    }

    let patch = AgentPatch { employee_id: Some(Some("E-9".to_owned())), time_zone: Some(Some("America/Halifax".to_owned())), ..AgentPatch::default() };
    let moved = UpdateAgent { id: Some(before.id), expected_version: 2, patch };
    let moved = agents::update(&world.services, &viewer, moved).await.unwrap().unwrap();
    assert_eq!((moved.employee_id.as_deref(), moved.time_zone.as_deref(), moved.record.version), (Some("E-9"), Some("America/Halifax"), 3));
    assert_eq!(user_of(&world, before.id).await, renamed, "what isn't the name is the agent's alone");
    let patch = AgentPatch { employee_id: Some(None), time_zone: Some(Some(" ".to_owned())), ..AgentPatch::default() };
    let cleared = agents::update(&world.services, &viewer, UpdateAgent { id: Some(before.id), expected_version: 3, patch }).await.unwrap().unwrap();
    assert_eq!((&cleared.employee_id, &cleared.time_zone, cleared.record.version), (&None, &None, 4));
}

#[tokio::test]
async fn a_change_that_changes_nothing_or_is_wrong_writes_nothing() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let agent = agent_of(&world, world.user_id(TELEPHONIST).into()).await;
    let patch = AgentPatch { name: Some(Some(format!(" {} ", agent.name))), employee_id: Some(agent.employee_id.clone()), time_zone: Some(None) };
    let same = UpdateAgent { id: Some(agent.id), expected_version: 1, patch };
    assert_eq!(agents::update(&world.services, &viewer, same).await.unwrap().unwrap(), agent);
    let patch = AgentPatch { name: Some(None), employee_id: Some(Some("7\n7".to_owned())), time_zone: Some(Some("Mars/Olympus".to_owned())) };
    let wrong = UpdateAgent { id: Some(agent.id), expected_version: 1, patch };
    let errors = refused(agents::update(&world.services, &viewer, wrong).await);
    assert_eq!(codes(&errors), [("name", FieldErrorCode::Blank), ("employeeId", FieldErrorCode::Invalid), ("timeZone", FieldErrorCode::Invalid)]);
    for expected_version in [0, 2, -1] {
        let stale = UpdateAgent { expected_version, ..renaming(&agent, "Stale") };
        assert_eq!(codes(&refused(agents::update(&world.services, &viewer, stale).await)), [("expectedVersion", FieldErrorCode::Stale)]);
    }
    assert_eq!((agent_of(&world, agent.id).await, user_of(&world, agent.id).await.record.revision), (agent.clone(), 1));

    let supervisor = world.viewer("supervisor").await;
    let manager = agent_of(&world, world.user_id("manager").into()).await;
    assert_eq!(codes(&refused(agents::update(&world.services, &supervisor, renaming(&manager, "Marc")).await)), [("id", FieldErrorCode::NotAllowed)]);
    agents::update(&world.services, &supervisor, renaming(&agent, "Théo")).await.unwrap().unwrap();
    for code in ["manager", TELEPHONIST, FIELD_AGENT] {
        let viewer = world.viewer(code).await;
        assert!(matches!(agents::update(&world.services, &viewer, renaming(&agent, "Me")).await, Err(AppError::Forbidden)), "{code}");
    }
    for id in [None, Some(nobody(AgentId::new))] {
        let update = UpdateAgent { id, ..renaming(&agent, "Nobody") };
        assert!(matches!(agents::update(&world.services, &viewer, update).await, Err(AppError::NotFound)));
    }
}

#[tokio::test]
async fn with_the_scope_of_ones_teams_one_changes_who_shares_a_team_and_nobody_else_is_there() {
    let world = World::new().await;
    let [leader, colleague, stranger] = [3, 4, 5].map(|index| TENANTS[0].user_id(index));
    let grants = [Permission::AgentRead, Permission::AgentUpdate].map(|permission| Grant { permission, scope: Scope::Team }).to_vec();
    let user = user_of(&world, leader.into()).await;
    let viewer = turned_into(&world, &User { grants, ..user }).await;
    let (colleague, stranger) = (agent_of(&world, colleague.into()).await, agent_of(&world, stranger.into()).await);
    assert_eq!(agents::get(&world.services, &viewer, colleague.id).await.unwrap(), Some(colleague.clone()));
    assert_eq!(agents::get(&world.services, &viewer, stranger.id).await.unwrap(), None);
    assert_eq!(agents::get(&world.services, &viewer, nobody(AgentId::new)).await.unwrap(), None);
    agents::update(&world.services, &viewer, renaming(&colleague, "Tara T.")).await.unwrap().unwrap();
    assert!(matches!(agents::update(&world.services, &viewer, renaming(&stranger, "Me")).await, Err(AppError::NotFound)));

    let own = world.viewer(FIELD_AGENT).await;
    assert_eq!(agents::get(&world.services, &own, own.agent()).await.unwrap().map(|agent| agent.id), Some(own.agent()));
    assert_eq!(agents::get(&world.services, &own, colleague.id).await.unwrap(), None, "with the scope OWN not even who shares a team");
}

#[tokio::test]
async fn of_two_changes_of_one_version_the_later_is_stale_and_one_whose_answer_was_lost_is_made_once() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let agent = agent_of(&world, world.user_id(TELEPHONIST).into()).await;
    let (one, other) = join(agents::update(&world.services, &viewer, renaming(&agent, "One")), agents::update(&world.services, &viewer, renaming(&agent, "Other"))).await;
    let (won, lost): (Vec<_>, Vec<_>) = [one.unwrap(), other.unwrap()].into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 1));
    assert_eq!(codes(lost[0].as_ref().unwrap_err()), [("expectedVersion", FieldErrorCode::Stale)]);
    let agent = won.into_iter().next().unwrap().unwrap();
    assert_eq!(user_of(&world, agent.id).await.name, agent.name);

    world.database.wire.cut_next("PutItem", Fault::CutAfter);
    let patch = AgentPatch { employee_id: Some(Some("E-10".to_owned())), ..AgentPatch::default() };
    let update = UpdateAgent { id: Some(agent.id), expected_version: 2, patch };
    let after = agents::update(&world.services, &viewer, update).await.unwrap().unwrap();
    assert_eq!((after.record.version, agent_of(&world, agent.id).await), (3, after.clone()));
}

#[tokio::test]
async fn who_is_deleted_leaves_their_teams_and_their_user_is_disabled_in_one_go() {
    let world = World::new().await;
    let (est, west) = (world.team_id("Est"), world.team_id("West"));
    let before = [team_of(&world, est).await, team_of(&world, west).await];
    let agent = entered(&world, &CreateAgent { teams: vec![Some(est), Some(west)], ..newcomer("Zoé", "zoe@new.test") }).await;
    world.clock.advance(SignedDuration::from_secs(60));
    let viewer = world.viewer(ADMIN).await;
    let request = DeleteAgent { assignee: Some(Some(viewer.agent())), ..deletion(&agent) };
    let taken_out = agents::take_out(&world.services, &viewer, &request).await.unwrap().unwrap();
    let (after, now) = (taken_out.agent.clone(), world.clock.now());
    assert_eq!((taken_out.assignee, taken_out.team), (Some(viewer.agent()), None));
    assert_eq!(agent_of(&world, agent.id).await, after);
    assert_eq!((after.deleted_at, after.teams.len(), after.record.version), (Some(now), 0, 2));
    assert_eq!((after.record.last_change.action.as_str(), after.record.last_change.reason.as_deref()), ("agent.deleted", Some("Left us")));
    let user = user_of(&world, agent.id).await;
    assert_eq!((user.status, user.signed_out_at, user.record.version), (UserStatus::Disabled, Some(now), 2));
    assert_eq!((user.record.last_change.action.as_str(), user.record.last_change.reason.as_deref()), ("user.disabled", Some("Left us")));
    for before in before {
        let team = team_of(&world, before.id).await;
        let member = MemberChange { agent: agent.id, before: Some(MembershipRole::Agent), after: None };
        assert_eq!((team.member_count, team.record.version), (before.member_count, before.record.version + 2));
        assert_eq!((team.record.last_change.action.as_str(), team.record.last_change.member), ("team.member_removed", Some(member)));
        assert_eq!(membership(&world, before.id, agent.id).await, None);
    }
    assert_eq!((is_in(&world, StaffList::Agents, agent.id).await, is_in(&world, StaffList::DeletedAgents, agent.id).await), (false, true));

    // Once more, at whatever version, for what is done behind the record.
    world.clock.advance(SignedDuration::from_secs(60));
    let again = DeleteAgent { expected_version: 77, team: Some(Some(est)), ..deletion(&agent) };
    let again = agents::take_out(&world.services, &viewer, &again).await.unwrap().unwrap();
    assert_eq!((again.agent, again.assignee, again.team), (after, None, Some(est)));
    assert_eq!(user_of(&world, agent.id).await, user);
    assert!(matches!(agents::update(&world.services, &viewer, renaming(&agent, "Ghost")).await, Err(AppError::NotFound)));
    assert!(agents::get(&world.services, &viewer, agent.id).await.unwrap().is_some_and(|agent| agent.deleted_at.is_some()));
}

#[tokio::test]
async fn what_follows_the_record_of_a_deletion_is_tried_again_by_the_same_request() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let agent = agent_of(&world, world.user_id(TELEPHONIST).into()).await;
    for _ in 0..2 {
        // There is no user pool here.
        let answer = agents::delete(&world.services, &viewer, deletion(&agent)).await;
        assert!(answer.is_err_and(|error| error.is_transient()));
        assert_eq!(agent_of(&world, agent.id).await.record.version, 2);
    }
    let answer = agents::restore(&world.services, &viewer, Some(agent.id)).await;
    assert!(answer.is_err_and(|error| error.is_transient()));
    assert!(agent_of(&world, agent.id).await.deleted_at.is_some(), "who can't sign in yet isn't said to be back");
}

#[tokio::test]
async fn a_deletion_that_is_wrong_writes_nothing() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let agent = agent_of(&world, world.user_id(TELEPHONIST).into()).await;
    let gone = deleted(&world, &entered(&world, &newcomer("Gone", "gone@new.test")).await).await;
    let disabled = entered(&world, &newcomer("Disabled", "disabled@new.test")).await;
    turned_into(&world, &User { status: UserStatus::Disabled, ..user_of(&world, disabled.id).await }).await;
    let before = (agent.clone(), user_of(&world, agent.id).await);
    let delete = || deletion(&agent);
    for (request, expected) in [
        (DeleteAgent { expected_version: 2, ..delete() }, ("expectedVersion", FieldErrorCode::Stale)),
        (DeleteAgent { reason: Some("x".repeat(1_001)), ..delete() }, ("reason", FieldErrorCode::TooLong)),
        (DeleteAgent { assignee: Some(None), ..delete() }, ("assigneeId", FieldErrorCode::NotFound)),
        (DeleteAgent { assignee: Some(Some(gone.id)), ..delete() }, ("assigneeId", FieldErrorCode::NotAllowed)),
        (DeleteAgent { assignee: Some(Some(disabled.id)), ..delete() }, ("assigneeId", FieldErrorCode::NotAllowed)),
        (DeleteAgent { assignee: Some(Some(agent.id)), ..delete() }, ("assigneeId", FieldErrorCode::NotAllowed)),
        (DeleteAgent { team: Some(None), ..delete() }, ("teamId", FieldErrorCode::NotFound)),
        (DeleteAgent { team: Some(Some(nobody(TeamId::new))), ..delete() }, ("teamId", FieldErrorCode::NotFound)),
        (DeleteAgent { assignee: Some(Some(viewer.agent())), team: Some(Some(world.team_id("Est"))), ..delete() }, ("teamId", FieldErrorCode::Invalid)),
        (DeleteAgent { id: Some(viewer.agent()), ..delete() }, ("id", FieldErrorCode::NotAllowed)),
    ] {
        assert_eq!(codes(&refused(agents::take_out(&world.services, &viewer, &request).await)), [expected], "{request:?}");
    }
    let supervisor = world.viewer("supervisor").await;
    for code in [ADMIN, "manager"] {
        let above = agent_of(&world, world.user_id(code).into()).await;
        assert_eq!(codes(&refused(agents::take_out(&world.services, &supervisor, &deletion(&above)).await)), [("id", FieldErrorCode::NotAllowed)], "{code}");
    }
    for code in ["manager", TELEPHONIST, FIELD_AGENT] {
        let viewer = world.viewer(code).await;
        assert!(matches!(agents::take_out(&world.services, &viewer, &delete()).await, Err(AppError::Forbidden)), "{code}");
        assert!(matches!(agents::bring_back(&world.services, &viewer, Some(gone.id)).await, Err(AppError::Forbidden)), "{code}");
    }
    for id in [None, Some(nobody(AgentId::new))] {
        assert!(matches!(agents::take_out(&world.services, &viewer, &DeleteAgent { id, ..delete() }).await, Err(AppError::NotFound)));
        assert!(matches!(agents::bring_back(&world.services, &viewer, id).await, Err(AppError::NotFound)));
    }
    assert_eq!((agent_of(&world, agent.id).await, user_of(&world, agent.id).await), before);
}

#[tokio::test]
async fn the_last_administrator_is_not_deleted_nor_are_two_last_ones_at_once() {
    let world = World::new().await;
    let viewer = almighty(&world).await;
    let first = agent_of(&world, world.user_id(ADMIN).into()).await;
    assert_eq!(codes(&refused(agents::take_out(&world.services, &viewer, &deletion(&first)).await)), [("id", FieldErrorCode::NotAllowed)]);
    let second = agent_of(&world, world.user_id("manager").into()).await;
    turned_into(&world, &User { roles: vec![role(&world, ADMIN).await], ..user_of(&world, second.id).await }).await;
    let before = people::administrators(&world.database.core, &world.tenant.scope).await.unwrap();
    let both = people::write_administrators(&world.tenant.scope, &before, vec![first.id.into(), second.id.into()]);
    assert!(world.database.core.commit(&world.tenant.scope, vec![both]).await.unwrap());

    let (deletion_of_first, deletion_of_second) = (deletion(&first), deletion(&second));
    let (one, other) = join(agents::take_out(&world.services, &viewer, &deletion_of_first), agents::take_out(&world.services, &viewer, &deletion_of_second)).await;
    let (won, lost): (Vec<_>, Vec<_>) = [one.unwrap(), other.unwrap()].into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 1));
    assert_eq!(codes(lost[0].as_ref().unwrap_err()), [("id", FieldErrorCode::NotAllowed)]);
    let gone = won.into_iter().next().unwrap().unwrap().agent;
    let left = if gone.id == first.id { second } else { first };
    assert_eq!(administrators(&world).await, [UserId::from(left.id)]);

    agents::bring_back(&world.services, &viewer, Some(gone.id)).await.unwrap().unwrap();
    assert_eq!(administrators(&world).await, [UserId::from(left.id), UserId::from(gone.id)]);
}

#[tokio::test]
async fn who_comes_back_is_as_they_were_but_for_their_teams() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    for (agent, status) in [
        (agent_of(&world, world.user_id(TELEPHONIST).into()).await, UserStatus::Active),
        (entered(&world, &CreateAgent { teams: vec![Some(world.team_id("Est"))], ..newcomer("Zoé", "zoe@new.test") }).await, UserStatus::Invited),
    ] {
        assert_eq!(codes(&refused(agents::bring_back(&world.services, &viewer, Some(agent.id)).await)), [("id", FieldErrorCode::ForbiddenTransition)]);
        let count = team_of(&world, world.team_id("Est")).await.member_count;
        deleted(&world, &agent).await;
        let signed_out_at = user_of(&world, agent.id).await.signed_out_at;
        let back = agents::bring_back(&world.services, &viewer, Some(agent.id)).await.unwrap().unwrap();
        assert_eq!(agent_of(&world, agent.id).await, back);
        assert_eq!((back.deleted_at, back.teams.len(), back.record.version), (None, 0, 3));
        assert_eq!((&back.name, &back.employee_id, back.record.last_change.action.as_str()), (&agent.name, &agent.employee_id, "agent.restored"));
        let user = user_of(&world, agent.id).await;
        assert_eq!((user.status, user.record.version, user.record.last_change.action.as_str()), (status, 3, "user.enabled"));
        assert_eq!((user.signed_out_at, signed_out_at.is_some()), (signed_out_at, true), "tokens from before stay worthless");
        assert_eq!(team_of(&world, world.team_id("Est")).await.member_count, count - 1);
        assert_eq!((is_in(&world, StaffList::Agents, agent.id).await, is_in(&world, StaffList::DeletedAgents, agent.id).await), (true, false));
    }
    let manager = agent_of(&world, world.user_id("manager").into()).await;
    deleted(&world, &manager).await;
    let supervisor = world.viewer("supervisor").await;
    assert_eq!(codes(&refused(agents::bring_back(&world.services, &supervisor, Some(manager.id)).await)), [("id", FieldErrorCode::NotAllowed)]);
}

#[tokio::test]
async fn a_deletion_meets_other_changes_of_the_same_team_and_both_are_counted() {
    let world = World::new().await;
    let (viewer, est) = (world.viewer(ADMIN).await, world.team_id("Est"));
    let leaver = agent_of(&world, world.user_id(TELEPHONIST).into()).await;
    let comer = CreateAgent { teams: vec![Some(est)], ..newcomer("Zoé", "zoe@new.test") };
    let deletion = deletion(&leaver);
    let (gone, come) = join(agents::take_out(&world.services, &viewer, &deletion), enter(&world, &viewer, &comer)).await;
    gone.unwrap().unwrap();
    let come = come.unwrap().unwrap();
    let members = people::members(&world.database.core, &world.tenant.scope, est, None, 100).await.unwrap().entries;
    assert_eq!((team_of(&world, est).await.member_count, members.len()), (4, 4));
    assert!(members.iter().any(|member| member.agent == come.id) && members.iter().all(|member| member.agent != leaver.id));
}

/// Every page of a list, each with its names.
async fn pages(world: &World, viewer: &Viewer, filter: &AgentFilter, first: usize) -> Vec<Vec<Agent>> {
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = agents::list(&world.services, viewer, filter, after.as_deref(), first).await.unwrap();
        assert!(page.entries.len() <= first && page.entries.is_sorted_by(|(one, _), (other, _)| one < other), "{page:?}");
        pages.push(page.entries.into_iter().map(|(_, agent)| agent).collect());
        after = page.next;
        if after.is_none() {
            return pages;
        }
        assert!(pages.len() < 200, "it never ends");
    }
}

async fn walked(world: &World, viewer: &Viewer, filter: &AgentFilter, first: usize) -> Vec<Agent> {
    pages(world, viewer, filter, first).await.concat()
}

async fn listed(world: &World, viewer: &Viewer, filter: &AgentFilter) -> BTreeSet<AgentId> {
    let agents = walked(world, viewer, filter, 3).await;
    let ids: BTreeSet<AgentId> = agents.iter().map(|agent| agent.id).collect();
    assert_eq!(ids.len(), agents.len(), "nobody comes twice");
    ids
}

fn names(agents: &[Agent]) -> Vec<&str> {
    agents.iter().map(|agent| agent.name.as_str()).collect()
}

#[tokio::test]
async fn agents_are_listed_by_folded_name_page_by_page_and_deleted_ones_among_them_when_asked_for() {
    let world = World::new().await;
    let viewer = world.viewer("manager").await;
    for (number, name) in ["Zoé", "élan Roy", "Ada", "ada", "Bob", "zoë"].into_iter().enumerate() {
        entered(&world, &newcomer(name, &format!("new{number}@new.test"))).await;
    }
    let expected = [
        "Ada Admin",
        "Ada",
        "ada",
        "Agnès Field",
        "Bob",
        "élan Roy",
        "Marc Manager",
        "Sofia Supervisor",
        "Tara Thompson",
        "Tariq Toussaint",
        "Théo Tremblay",
        "Zoé",
        "zoë",
    ];
    let everybody = walked(&world, &viewer, &AgentFilter::default(), 100).await;
    // Of names that fold alike the ids decide.
    let folded: Vec<String> = names(&everybody).into_iter().map(text::fold).collect();
    assert_eq!(folded, expected.map(text::fold));
    for first in [1, 2, 5, 12, 13] {
        assert_eq!(walked(&world, &viewer, &AgentFilter::default(), first).await, everybody, "{first} a page");
    }

    let gone: Vec<Agent> = everybody.iter().filter(|agent| ["Bob", "Ada", "Zoé"].contains(&agent.name.as_str())).cloned().collect();
    for agent in &gone {
        deleted(&world, agent).await;
    }
    let left = walked(&world, &viewer, &AgentFilter::default(), 4).await;
    assert_eq!((left.len(), left.iter().any(|agent| agent.deleted_at.is_some())), (10, false));
    let with_deleted = AgentFilter { include_deleted: true, ..AgentFilter::default() };
    for first in [1, 3, 13] {
        let all = walked(&world, &viewer, &with_deleted, first).await;
        assert_eq!(names(&all), names(&everybody), "{first} a page");
        assert_eq!(all.iter().filter(|agent| agent.deleted_at.is_some()).count(), 3);
    }
}

#[tokio::test]
async fn who_is_not_renamed_comes_once_while_others_are_renamed_between_pages() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let mut made = Vec::new();
    for number in 0..24 {
        made.push(entered(&world, &newcomer(&format!("Person {number:02}"), &format!("p{number}@new.test"))).await);
    }
    let mut renamed = HashSet::new();
    let mut rename = async |agent: &Agent, name: &str| {
        let current = agent_of(&world, agent.id).await;
        agents::update(&world.services, &viewer, renaming(&current, name)).await.unwrap().unwrap();
        renamed.insert(agent.id);
    };
    let (mut seen, mut after, mut round): (BTreeMap<AgentId, usize>, _, usize) = (BTreeMap::new(), None::<String>, 0);
    loop {
        let page = agents::list(&world.services, &viewer, &AgentFilter::default(), after.as_deref(), 4).await.unwrap();
        let ids: HashSet<AgentId> = page.entries.iter().map(|(_, agent)| agent.id).collect();
        assert_eq!(ids.len(), page.entries.len(), "nobody comes twice on a page");
        for id in ids {
            *seen.entry(id).or_default() += 1;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
        // One from behind to the front, one from the front to the end, and the one at whose place the page ended.
        if round < 6 {
            rename(&made[23 - round], &format!("Aaron {round}")).await;
            rename(&made[round], &format!("Zora {round}")).await;
            if let Some((_, last)) = page.entries.last() {
                rename(last, &format!("Person 99 {round}")).await;
            }
        }
        round += 1;
        assert!(round < 30, "it never ends");
    }
    let everybody: Vec<AgentId> = walked(&world, &viewer, &AgentFilter::default(), 100).await.iter().map(|agent| agent.id).collect();
    assert_eq!(everybody.len(), 31);
    for id in everybody.iter().filter(|id| !renamed.contains(id)) {
        assert_eq!(seen.get(id), Some(&1), "{id}");
    }
}

/// Says that an agent is there, as the presence's own item does.
async fn present(world: &World, agent: AgentId, status: &str, accepting: bool, silent_for: i64) {
    let (scope, now) = (&world.tenant.scope, world.clock.now().as_millisecond());
    let key = keys::presence(scope, agent);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let item = Item::from([
        ("PK".to_owned(), text(&key.pk)),
        ("SK".to_owned(), text(&key.sk)),
        ("type".to_owned(), text("presence")),
        ("GSI2PK".to_owned(), text(&keys::presence_list(scope))),
        ("GSI2SK".to_owned(), text(&format!("{status}#{}#{now:013}#{agent}", u8::from(accepting)))),
        ("status".to_owned(), text(status)),
        ("last_activity_at".to_owned(), AttributeValue::N((now - silent_for * 1_000).to_string())),
    ]);
    assert!(world.services.core.commit(scope, vec![Part::Insert { item, expired_before: None }]).await.unwrap());
}

#[tokio::test]
async fn agents_are_listed_by_team_by_what_they_are_doing_and_by_whether_they_take_leads() {
    use PresenceStatus::{Available, Away, Offline, OnBreak};
    let world = World::new().await;
    let viewer = world.viewer("manager").await;
    let [admin, manager, supervisor, theo, tara, tariq, agnes] = [0, 1, 2, 3, 4, 5, 6].map(|index| AgentId::from(TENANTS[0].user_id(index)));
    let gone = entered(&world, &newcomer("Gone", "gone@new.test")).await;
    present(&world, theo, "AVAILABLE", true, 0).await;
    present(&world, tara, "AVAILABLE", false, 59).await;
    present(&world, tariq, "ON_BREAK", true, 10).await;
    present(&world, agnes, "AVAILABLE", true, 61).await;
    present(&world, gone.id, "AVAILABLE", true, 0).await;
    deleted(&world, &gone).await;
    let filter = |team: Option<&str>, presence: &[PresenceStatus], accepting_leads: Option<bool>| AgentFilter {
        team: team.map(|name| Some(world.team_id(name))),
        presence: presence.to_vec(),
        accepting_leads,
        include_deleted: false,
    };
    for (filter, expected) in [
        (filter(Some("Est"), &[], None), vec![supervisor, theo, tara, agnes]),
        (filter(Some("West"), &[], None), vec![supervisor, tariq]),
        (filter(None, &[Available], None), vec![theo, tara]),
        (filter(None, &[Available, OnBreak], None), vec![theo, tara, tariq]),
        (filter(None, &[Away], None), vec![]),
        (filter(None, &[Offline], None), vec![admin, manager, supervisor, agnes]),
        (filter(None, &[Available, OnBreak, Offline], None), vec![admin, manager, supervisor, theo, tara, tariq, agnes]),
        (filter(None, &[], Some(true)), vec![theo, tariq, agnes]),
        (filter(None, &[], Some(false)), vec![tara]),
        (filter(None, &[Available], Some(true)), vec![theo]),
        (filter(None, &[Offline], Some(true)), vec![agnes]),
        (filter(None, &[Offline], Some(false)), vec![]),
        (filter(Some("Est"), &[Available], None), vec![theo, tara]),
        (filter(Some("West"), &[Offline], None), vec![supervisor]),
        (AgentFilter { team: Some(None), ..AgentFilter::default() }, vec![]),
        (AgentFilter { team: Some(Some(nobody(TeamId::new))), ..AgentFilter::default() }, vec![]),
        (AgentFilter { include_deleted: true, ..filter(None, &[Available], None) }, vec![theo, tara]),
        (AgentFilter { include_deleted: true, ..filter(None, &[Offline], None) }, vec![admin, manager, supervisor, agnes, gone.id]),
        (AgentFilter { include_deleted: true, ..filter(None, &[], Some(true)) }, vec![theo, tariq, agnes]),
    ] {
        assert_eq!(listed(&world, &viewer, &filter).await, expected.into_iter().collect(), "{filter:?}");
    }
    let sizes: Vec<usize> = pages(&world, &viewer, &filter(Some("Est"), &[], None), 3).await.iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 1], "pages are full also when few are meant");
}

#[tokio::test]
async fn one_lists_oneself_with_the_scope_own_and_who_shares_a_team_with_the_scope_team() {
    let world = World::new().await;
    let est = BTreeSet::from([2, 3, 4, 6].map(|index| AgentId::from(TENANTS[0].user_id(index))));
    let everybody = AgentFilter { include_deleted: true, ..AgentFilter::default() };
    let gone = entered(&world, &newcomer("Gone", "gone@new.test")).await;
    deleted(&world, &gone).await;

    let own = world.viewer(TELEPHONIST).await;
    present(&world, own.agent(), "AVAILABLE", true, 0).await;
    let available = AgentFilter { presence: vec![PresenceStatus::Available], ..AgentFilter::default() };
    let offline = AgentFilter { presence: vec![PresenceStatus::Offline], ..AgentFilter::default() };
    let of_west = AgentFilter { team: Some(Some(world.team_id("West"))), ..AgentFilter::default() };
    for (filter, expected) in [(&everybody, vec![own.agent()]), (&available, vec![own.agent()]), (&offline, vec![]), (&of_west, vec![])] {
        assert_eq!(listed(&world, &own, filter).await, expected.into_iter().collect(), "{filter:?}");
    }
    let page = agents::list(&world.services, &own, &everybody, None, 1).await.unwrap();
    let behind = agents::list(&world.services, &own, &everybody, Some(&page.entries[0].0), 1).await.unwrap();
    assert_eq!((page.next, behind.entries.len()), (None, 0));

    let user = user_of(&world, own.agent()).await;
    let leader = turned_into(&world, &User { grants: vec![Grant { permission: Permission::AgentRead, scope: Scope::Team }], ..user }).await;
    assert_eq!(listed(&world, &leader, &everybody).await, est);
    assert_eq!(listed(&world, &leader, &available).await, [own.agent()].into());
    assert_eq!(listed(&world, &leader, &of_west).await, BTreeSet::from([AgentId::from(world.user_id("supervisor"))]), "of another team who is in one's own, too");

    let deprived = turned_into(&world, &User { roles: Vec::new(), grants: Vec::new(), ..user_of(&world, own.agent()).await }).await;
    assert!(matches!(agents::list(&world.services, &deprived, &everybody, None, 1).await, Err(AppError::Forbidden)));
    assert!(matches!(agents::get(&world.services, &deprived, own.agent()).await, Err(AppError::Forbidden)));
}
