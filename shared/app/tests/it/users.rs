//! Users and roles: who is let in, who may manage whom, and that an administrator is always left. There is no user pool here: what is asked of it lies before
//! or behind what is tried, and where it is asked its absence is the answer.

use std::collections::BTreeSet;

use futures::future::{join, join_all};
use jiff::SignedDuration;
use switchboard_app::roles::{self, CreateRole, DeleteRole, UpdateRole};
use switchboard_app::users::{self, DisableUser, EnableUser, Enrolled, InviteUser, MOST_ROLES, NewAgent, NewPerson, UpdateUser};
use switchboard_app::{AppError, Existing, UserError, Viewer};
use switchboard_domain::actor::STAFF_EMAIL;
use switchboard_domain::audit::Audited;
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::{Clock, to_millisecond};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, IdEntropy, RoleId, UserId};
use switchboard_domain::permission::{Grant, Permission, Scope};
use switchboard_domain::person::{ADMIN, Agent, FIELD_AGENT, Role, TELEPHONIST, User, UserStatus};
use switchboard_domain::role::{MAX_GRANTS, RoleInput, RolePatch};
use switchboard_domain::text;
use switchboard_store::settings::{self, Settings};
use switchboard_store::{people, tenants};
use switchboard_testkit::{Fault, World};

use crate::made;

type Outcome<T> = Result<Result<T, Vec<UserError>>, AppError>;

/// Somebody to be invited.
fn invitation(name: &str, email: &str) -> InviteUser {
    InviteUser { name: name.to_owned(), email: email.to_owned(), ..InviteUser::default() }
}

/// Lets somebody in who has an identity of this subject.
async fn enter(world: &World, role: &str, request: &InviteUser, subject: &str) -> Outcome<User> {
    users::enter(&world.services, &world.viewer(role).await, request, subject).await
}

/// Somebody new, who holds these roles and has an identity of their own.
async fn enrolled(world: &World, name: &str, status: UserStatus, roles: Vec<RoleId>, grants: Vec<Grant>) -> User {
    let now = world.clock.now();
    let person = NewPerson {
        id: UserId::new(now, &world.services.entropy.id()),
        subject: format!("the subject of {name}"),
        email: format!("{}@new.test", text::fold_alphanumeric(name)),
        name: name.to_owned(),
        roles,
        grants,
        change: Change::new("user.invited", now, Origin::system()),
        status,
        agent: None,
        others: Vec::new(),
    };
    match users::enrol(&world.services, &world.tenant, person).await.unwrap() {
        Enrolled::Done(user, None) => user,
        other => panic!("{other:?}"),
    }
}

/// Somebody active who holds a role of these permissions and nothing else.
async fn holder(world: &World, name: &str, permissions: &[&str]) -> Viewer {
    let role = made_role(world, &format!("Role of {name}"), permissions).await;
    let user = enrolled(world, name, UserStatus::Active, vec![role.id], Vec::new()).await;
    world.viewer_of(user.id, name).await
}

async fn made_role(world: &World, name: &str, permissions: &[&str]) -> Role {
    roles::create(&world.services, &world.viewer(ADMIN).await, named_role(name, permissions)).await.unwrap().unwrap()
}

fn named_role(name: &str, permissions: &[&str]) -> CreateRole {
    let permissions = permissions.iter().map(|permission| (*permission).to_owned()).collect();
    CreateRole { input: RoleInput { name: name.to_owned(), code: None, permissions }, idempotency_key: None }
}

async fn settings_of(world: &World) -> Settings {
    settings::load(&world.database.core, &world.tenant.scope).await.unwrap()
}

async fn role(world: &World, code: &str) -> RoleId {
    settings_of(world).await.role_by_code(code).unwrap().id
}

async fn user_of(world: &World, id: UserId) -> User {
    people::user(&world.database.core, &world.tenant.scope, id).await.unwrap().unwrap()
}

async fn agent_of(world: &World, id: UserId) -> Agent {
    people::agent(&world.database.core, &world.tenant.scope, id.into()).await.unwrap().unwrap()
}

async fn administrators(world: &World) -> BTreeSet<UserId> {
    people::administrators(&world.database.core, &world.tenant.scope).await.unwrap().users.into_iter().collect()
}

fn version(user: &User) -> i32 {
    i32::try_from(user.record.version).unwrap()
}

fn unchanged(user: &User) -> UpdateUser {
    UpdateUser { id: Some(user.id), expected_version: version(user), ..UpdateUser::default() }
}

fn renamed(user: &User, name: &str) -> UpdateUser {
    UpdateUser { name: Some(Some(name.to_owned())), ..unchanged(user) }
}

fn holding(user: &User, roles: &[RoleId]) -> UpdateUser {
    UpdateUser { roles: Some(Some(roles.iter().copied().map(Some).collect())), ..unchanged(user) }
}

fn granted(user: &User, permissions: &[&str]) -> UpdateUser {
    UpdateUser { permissions: Some(Some(permissions.iter().map(|permission| (*permission).to_owned()).collect())), ..unchanged(user) }
}

fn disabled(user: &User) -> DisableUser {
    DisableUser { id: Some(user.id), expected_version: version(user), reason: "They left.".to_owned(), ..DisableUser::default() }
}

fn refused<T: std::fmt::Debug>(outcome: Outcome<T>) -> Vec<UserError> {
    outcome.unwrap().unwrap_err()
}

fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

fn nobody<T>(id: fn(jiff::Timestamp, &IdEntropy) -> T) -> T {
    id(jiff::Timestamp::UNIX_EPOCH, &[9; 10])
}

/// Whether all that is missing is the user pool, so that what comes before it was done.
fn lacks_the_pool<T>(outcome: &Outcome<T>) -> bool {
    matches!(outcome, Err(error @ AppError::Platform(_)) if error.is_transient())
}

const NOT_ALLOWED: [(&str, FieldErrorCode); 1] = [("id", FieldErrorCode::NotAllowed)];
const ROLES_NOT_ALLOWED: [(&str, FieldErrorCode); 1] = [("roleIds", FieldErrorCode::NotAllowed)];
const PERMISSIONS_NOT_ALLOWED: [(&str, FieldErrorCode); 1] = [("permissions", FieldErrorCode::NotAllowed)];
const TAKEN: [(&str, FieldErrorCode); 1] = [("email", FieldErrorCode::Taken)];
const STALE: [(&str, FieldErrorCode); 1] = [("expectedVersion", FieldErrorCode::Stale)];

#[tokio::test]
async fn who_is_invited_is_a_telephonist_until_told_otherwise() {
    let world = World::new().await;
    let user = enter(&world, "supervisor", &invitation(" Zoé Roy ", " Zoe.Roy@New.TEST "), "of zoe").await.unwrap().unwrap();
    assert_eq!((user.name.as_str(), user.status, user.activated_at), ("Zoé Roy", UserStatus::Invited, None));
    assert_eq!((&user.roles, user.grants.len()), (&vec![role(&world, TELEPHONIST).await], 0));
    assert_eq!((user.record.version, user.record.last_change.action.as_str()), (1, "user.invited"));
    assert_eq!(user.record.created_by, world.viewer("supervisor").await.origin().actor);
    assert_eq!(user_of(&world, user.id).await, user);
    let email = world.tenant.keyring.open_for_tenant(STAFF_EMAIL, &user.id.to_string(), &user.sealed_email).unwrap();
    assert_eq!(email, b"zoe.roy@new.test");
    let (scope, found) = tenants::by_subject(&world.database.core, "of zoe").await.unwrap().unwrap();
    assert_eq!((scope.tenant(), found), (world.tenant.record.id, user.id));
    assert_eq!(people::user_by_email(&world.database.core, &world.tenant, "zoe.roy@new.test").await.unwrap(), Some(user.id));
    assert_eq!(people::agent(&world.database.core, &world.tenant.scope, user.id.into()).await.unwrap(), None);
    assert!(!format!("{:?}", made::everything(&world.database).await).contains("zoe.roy@new"), "the address is in the clear nowhere");
}

#[tokio::test]
async fn an_address_is_one_users_however_it_is_written() {
    let world = World::new().await;
    let zoe = enter(&world, ADMIN, &invitation("Zoé", "zoe@new.test"), "of zoe").await.unwrap().unwrap();
    let before = made::everything(&world.database).await.len();
    // Of a second identity the pool knows nothing, whatever the case; the claim of the address holds all the same.
    for (email, subject) in [("ZOE@New.Test", "another"), ("zoe@new.test", "of zoe"), ("other@new.test", "of zoe"), ("ADMIN@demo.test", "another")] {
        let errors = refused(enter(&world, ADMIN, &invitation("Zoé again", email), subject).await);
        assert_eq!((codes(&errors), errors[0].existing.as_ref()), (TAKEN.to_vec(), None), "{email}: it isn't said whose it is");
    }
    assert_eq!(made::everything(&world.database).await.len(), before);
    let disabler = holder(&world, "Disabler", &["user:disable:ALL"]).await;
    assert!(lacks_the_pool(&users::disable(&world.services, &disabler, disabled(&zoe)).await));
    assert_eq!(codes(&refused(enter(&world, ADMIN, &invitation("Zoé", "Zoe@new.test"), "another").await)), TAKEN, "also a disabled user's");
}

#[tokio::test]
async fn of_8_invitations_of_one_address_at_once_one_is_made() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let spellings: Vec<InviteUser> = (0..8).map(|index| invitation("Zoé", if index % 2 == 0 { "zoe@new.test" } else { "ZOE@NEW.TEST" })).collect();
    let outcomes = join_all(spellings.iter().map(|request| users::enter(&world.services, &viewer, request, "of zoe"))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for errors in lost {
        assert_eq!(codes(&errors.unwrap_err()), TAKEN);
    }
    let page = users::list(&world.services, &viewer, None, 100).await.unwrap();
    assert_eq!(page.entries.iter().filter(|(_, user)| user.name == "Zoé").count(), 1);
}

#[tokio::test]
async fn an_invitation_whose_answer_is_lost_is_made_once() {
    let world = World::new().await;
    world.database.wire.cut_next("TransactWriteItems", Fault::CutAfter);
    let user = enter(&world, ADMIN, &invitation("Zoé", "zoe@new.test"), "of zoe").await.unwrap().unwrap();
    assert_eq!(user_of(&world, user.id).await, user);
}

#[tokio::test]
async fn the_same_key_answers_as_before_and_not_to_other_input() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let request = InviteUser { idempotency_key: Some("once".to_owned()), ..invitation("Zoé", "zoe@new.test") };
    let outcomes = join_all((0..4).map(|_| users::enter(&world.services, &viewer, &request, "of zoe"))).await;
    let users: BTreeSet<UserId> = outcomes.into_iter().map(|outcome| outcome.unwrap().unwrap().id).collect();
    assert_eq!(users.len(), 1);
    // Asked whole, too: an answer that is remembered needs no user pool.
    let again = users::invite(&world.services, &viewer, request.clone()).await.unwrap().unwrap();
    assert!(users.contains(&again.id));
    let other = InviteUser { name: "Another".to_owned(), ..request };
    assert_eq!(codes(&refused(users::invite(&world.services, &viewer, other).await)), [("idempotencyKey", FieldErrorCode::Conflict)]);
}

#[tokio::test]
async fn everything_that_is_wrong_is_named_and_nobody_is_asked_of_the_pool() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let before = made::everything(&world.database).await.len();
    let wrong = InviteUser {
        email: "nobody".to_owned(),
        name: " ".to_owned(),
        roles: vec![Some(role(&world, TELEPHONIST).await), None, Some(nobody(RoleId::new))],
        permissions: vec!["contact:read:ALL".to_owned(), "contact:fly:ALL".to_owned()],
        idempotency_key: None,
    };
    let errors = refused(users::invite(&world.services, &viewer, wrong).await);
    let expected = [
        ("email", FieldErrorCode::Invalid),
        ("name", FieldErrorCode::Blank),
        ("roleIds", FieldErrorCode::NotFound),
        ("roleIds", FieldErrorCode::NotFound),
        ("permissions", FieldErrorCode::Invalid),
    ];
    assert_eq!(codes(&errors), expected);
    assert_eq!(errors.iter().map(|error| error.index).collect::<Vec<_>>(), [None, None, Some(1), Some(2), Some(1)]);
    let many = InviteUser {
        roles: vec![Some(role(&world, TELEPHONIST).await); MOST_ROLES + 1],
        permissions: vec!["contact:read:ALL".to_owned(); MAX_GRANTS + 1],
        ..invitation("Zoé", "zoe@new.test")
    };
    let expected = [("roleIds", FieldErrorCode::LimitExceeded), ("permissions", FieldErrorCode::LimitExceeded)];
    assert_eq!(codes(&refused(users::invite(&world.services, &viewer, many).await)), expected);
    for role in ["manager", TELEPHONIST, FIELD_AGENT] {
        let viewer = world.viewer(role).await;
        assert!(matches!(users::invite(&world.services, &viewer, invitation("Zoé", "zoe@new.test")).await, Err(AppError::Forbidden)), "{role}");
    }
    assert_eq!(made::everything(&world.database).await.len(), before);
}

#[tokio::test]
async fn roles_and_permissions_named_twice_are_held_once() {
    let world = World::new().await;
    let (telephonist, agent) = (role(&world, TELEPHONIST).await, role(&world, FIELD_AGENT).await);
    let request = InviteUser {
        roles: [agent, telephonist, agent].map(Some).to_vec(),
        permissions: ["contact:read:OWN", "contact:read:TEAM", "team:read:OWN"].map(str::to_owned).to_vec(),
        ..invitation("Zoé", "zoe@new.test")
    };
    let user = enter(&world, ADMIN, &request, "of zoe").await.unwrap().unwrap();
    assert_eq!(user.roles, [agent, telephonist]);
    assert_eq!(user.grants.iter().map(ToString::to_string).collect::<Vec<_>>(), ["contact:read:TEAM", "team:read:OWN"]);
    assert_eq!(user_of(&world, user.id).await.grants, user.grants);
}

#[tokio::test]
async fn who_may_only_invite_gives_the_roles_of_the_floor() {
    let world = World::new().await;
    let floor = [role(&world, TELEPHONIST).await, role(&world, FIELD_AGENT).await].map(Some).to_vec();
    enter(&world, "supervisor", &InviteUser { roles: floor, ..invitation("Zoé", "zoe@new.test") }, "of zoe").await.unwrap().unwrap();
    for code in [ADMIN, "manager", "supervisor"] {
        let request = InviteUser { roles: vec![Some(role(&world, code).await)], ..invitation("Liam", "liam@new.test") };
        assert_eq!(codes(&refused(enter(&world, "supervisor", &request, "of liam").await)), ROLES_NOT_ALLOWED, "{code}");
    }
    let nothing = made_role(&world, "Nothing", &[]).await;
    let request = InviteUser { roles: vec![Some(nothing.id)], ..invitation("Liam", "liam@new.test") };
    assert_eq!(codes(&refused(enter(&world, "supervisor", &request, "of liam").await)), ROLES_NOT_ALLOWED, "a role of no permissions isn't of the floor");
    let request = InviteUser { permissions: vec!["contact:read:ALL".to_owned()], ..invitation("Liam", "liam@new.test") };
    assert_eq!(codes(&refused(enter(&world, "supervisor", &request, "of liam").await)), PERMISSIONS_NOT_ALLOWED, "not even what they have themselves");
    assert_eq!(tenants::by_subject(&world.database.core, "of liam").await.unwrap(), None);
}

#[tokio::test]
async fn who_may_set_roles_gives_what_they_have_and_no_more() {
    let world = World::new().await;
    let viewer = holder(&world, "Recruiter", &["user:invite:ALL", "user:set_roles:ALL", "contact:read:TEAM"]).await;
    let reader = made_role(&world, "Reader", &["contact:read:TEAM"]).await;
    let wide = made_role(&world, "Wide reader", &["contact:read:ALL"]).await;
    let with = |roles: &[RoleId], permissions: &[&str]| InviteUser {
        roles: roles.iter().copied().map(Some).collect(),
        permissions: permissions.iter().map(|permission| (*permission).to_owned()).collect(),
        ..invitation("Zoé", "zoe@new.test")
    };
    for (request, expected) in [
        (with(&[wide.id], &[]), ROLES_NOT_ALLOWED.to_vec()),
        (with(&[reader.id], &["contact:read:ALL"]), PERMISSIONS_NOT_ALLOWED.to_vec()),
        (with(&[reader.id, wide.id], &["team:read:OWN"]), [ROLES_NOT_ALLOWED, PERMISSIONS_NOT_ALLOWED].concat()),
    ] {
        assert_eq!(codes(&refused(users::enter(&world.services, &viewer, &request, "of zoe").await)), expected);
    }
    // The roles of the floor may be given by whoever may invite, also where they grant more than one has.
    let all = with(&[reader.id, role(&world, TELEPHONIST).await], &["contact:read:OWN"]);
    users::enter(&world.services, &viewer, &all, "of zoe").await.unwrap().unwrap();
}

#[tokio::test]
async fn somebody_new_is_written_with_their_agent_or_not_at_all() {
    let world = World::new().await;
    let now = world.clock.now();
    let person = |id: UserId, subject: &str, email: &str| NewPerson {
        id,
        subject: subject.to_owned(),
        email: email.to_owned(),
        name: "Zoé".to_owned(),
        roles: Vec::new(),
        grants: Vec::new(),
        change: Change::new("user.invited", now, Origin::system()),
        status: UserStatus::Invited,
        agent: Some(NewAgent { employee_id: Some("E900".to_owned()), time_zone: None, teams: Vec::new() }),
        others: Vec::new(),
    };
    let id = UserId::new(now, &world.services.entropy.id());
    let Enrolled::Done(user, Some(agent)) = users::enrol(&world.services, &world.tenant, person(id, "of zoe", "zoe@new.test")).await.unwrap() else {
        panic!("nobody was in the way");
    };
    assert_eq!((agent_of(&world, id).await, agent.id), (agent.clone(), AgentId::from(user.id)));
    assert_eq!((agent.name.as_str(), &agent.sealed_email, agent.record.last_change.action.as_str()), ("Zoé", &user.sealed_email, "agent.created"));
    let before = made::everything(&world.database).await.len();
    let other = UserId::new(now, &world.services.entropy.id());
    assert_eq!(users::enrol(&world.services, &world.tenant, person(other, "of zoe", "other@new.test")).await.unwrap(), Enrolled::Taken);
    assert_eq!(users::enrol(&world.services, &world.tenant, person(other, "other", "zoe@new.test")).await.unwrap(), Enrolled::Taken);
    let in_the_way = people::delete_membership(&world.tenant.scope, world.team_id("Est"), agent.id);
    let with_others = NewPerson { others: vec![in_the_way], ..person(other, "other", "other@new.test") };
    assert_eq!(users::enrol(&world.services, &world.tenant, with_others).await.unwrap(), Enrolled::Changed);
    assert_eq!(made::everything(&world.database).await.len(), before);
}

#[tokio::test]
async fn an_administrator_counts_once_they_can_sign_in() {
    let world = World::new().await;
    let (first, admin) = (world.user_id(ADMIN), role(&world, ADMIN).await);
    let invited = enrolled(&world, "Invited", UserStatus::Invited, vec![admin], Vec::new()).await;
    enrolled(&world, "No administrator", UserStatus::Active, Vec::new(), Vec::new()).await;
    assert_eq!(administrators(&world).await, BTreeSet::from([first]));
    let active = enrolled(&world, "Active", UserStatus::Active, vec![admin], Vec::new()).await;
    assert_eq!((active.activated_at, administrators(&world).await), (Some(active.record.created_at), BTreeSet::from([first, active.id])));

    let origin = world.viewer_of(invited.id, "first request").await.origin();
    let activated = users::activate(&world.services, &world.tenant, &settings_of(&world).await, &invited, origin).await.unwrap();
    assert_eq!(activated.status, UserStatus::Active);
    assert_eq!(administrators(&world).await, BTreeSet::from([first, active.id, invited.id]));
}

#[tokio::test]
async fn somebody_is_activated_once_however_many_requests_come_first() {
    let world = World::new().await;
    let settings = settings_of(&world).await;
    let invited = enrolled(&world, "Zoé", UserStatus::Invited, vec![role(&world, ADMIN).await], Vec::new()).await;
    world.clock.advance(SignedDuration::from_mins(5));
    let origin = world.viewer_of(invited.id, "first request").await.origin();
    let outcomes = join_all((0..8).map(|_| users::activate(&world.services, &world.tenant, &settings, &invited, origin.clone()))).await;
    let written = user_of(&world, invited.id).await;
    for outcome in outcomes {
        assert_eq!(outcome.unwrap(), written);
    }
    assert_eq!((written.status, written.record.version, written.activated_at), (UserStatus::Active, 2, Some(to_millisecond(world.clock.now()))));
    assert_eq!((written.record.last_change.action.as_str(), &written.record.last_change.origin), ("user.activated", &origin));
    assert_eq!(people::administrators(&world.database.core, &world.tenant.scope).await.unwrap().users.iter().filter(|id| **id == invited.id).count(), 1);
    let again = users::activate(&world.services, &world.tenant, &settings, &written, origin).await.unwrap();
    assert_eq!(again.record.version, 2);
}

#[tokio::test]
async fn an_activation_whose_answer_is_lost_is_one() {
    let world = World::new().await;
    let invited = enrolled(&world, "Zoé", UserStatus::Invited, Vec::new(), Vec::new()).await;
    let origin = world.viewer_of(invited.id, "first request").await.origin();
    world.database.wire.cut_next("PutItem", Fault::CutAfter);
    let active = users::activate(&world.services, &world.tenant, &settings_of(&world).await, &invited, origin).await.unwrap();
    assert_eq!((active.status, active.record.version, user_of(&world, invited.id).await), (UserStatus::Active, 2, active.clone()));
}

#[tokio::test]
async fn who_was_disabled_before_the_first_request_is_not_activated() {
    let world = World::new().await;
    let invited = enrolled(&world, "Zoé", UserStatus::Invited, vec![role(&world, TELEPHONIST).await], Vec::new()).await;
    assert!(lacks_the_pool(&users::disable(&world.services, &world.viewer(ADMIN).await, disabled(&invited)).await));
    let origin = world.viewer_of(invited.id, "first request").await.origin();
    // As a process remembers them that doesn't know of it yet.
    let user = users::activate(&world.services, &world.tenant, &settings_of(&world).await, &invited, origin).await.unwrap();
    assert_eq!((user.status, user.record.version), (UserStatus::Disabled, 2));
}

#[tokio::test]
async fn a_name_is_the_agents_too_in_an_event_of_its_own() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let before = user_of(&world, world.user_id("manager")).await;
    let after = users::update(&world.services, &viewer, renamed(&before, " Marc-André ")).await.unwrap().unwrap();
    assert_eq!((after.name.as_str(), after.record.version, after.record.last_change.action.as_str()), ("Marc-André", 2, "user.updated"));
    let agent = agent_of(&world, before.id).await;
    assert_eq!((agent.name.as_str(), agent.record.version, agent.record.last_change.action.as_str()), ("Marc-André", 2, "agent.updated"));
    assert_eq!(user_of(&world, before.id).await, after);
    assert_eq!(after.record.last_change.origin, viewer.origin());

    world.database.meter.reset();
    for same in [renamed(&after, "Marc-André"), holding(&after, &after.roles), granted(&after, &[]), unchanged(&after)] {
        assert_eq!(users::update(&world.services, &viewer, same).await.unwrap().unwrap(), after);
    }
    assert_eq!(world.database.meter.usage().total_write_units(), 0.0);
    assert_eq!(codes(&refused(users::update(&world.services, &viewer, renamed(&before, "Marc")).await)), STALE);
}

#[tokio::test]
async fn what_is_wrong_with_a_change_is_named_and_nothing_is_written() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let user = user_of(&world, world.user_id("manager")).await;
    let emptied = UpdateUser { name: Some(None), roles: Some(None), permissions: Some(None), ..unchanged(&user) };
    let expected = ["name", "roleIds", "permissions"].map(|field| (field, FieldErrorCode::Blank));
    assert_eq!(codes(&refused(users::update(&world.services, &viewer, emptied).await)), expected);
    let gone = made_role(&world, "Gone", &[]).await;
    roles::delete(&world.services, &viewer, DeleteRole { id: Some(gone.id), expected_version: 1 }).await.unwrap().unwrap();
    let errors = refused(users::update(&world.services, &viewer, holding(&user, &[user.roles[0], gone.id])).await);
    assert_eq!((codes(&errors), errors[0].index), (vec![("roleIds", FieldErrorCode::NotFound)], Some(1)), "a deleted role can't be given");
    let errors = refused(users::update(&world.services, &viewer, granted(&user, &["contact:read:ALL", "nothing"])).await);
    assert_eq!((codes(&errors), errors[0].index), (vec![("permissions", FieldErrorCode::Invalid)], Some(1)));
    for id in [None, Some(nobody(UserId::new))] {
        let request = UpdateUser { id, ..renamed(&user, "Marc") };
        assert!(matches!(users::update(&world.services, &viewer, request).await, Err(AppError::NotFound)));
    }
    assert_eq!(user_of(&world, user.id).await, user);
}

#[tokio::test]
async fn names_and_roles_are_changed_by_who_may_change_each() {
    let world = World::new().await;
    let user = user_of(&world, world.user_id(TELEPHONIST)).await;
    let namer = holder(&world, "Namer", &["user:update:ALL"]).await;
    let setter = holder(&world, "Setter", &["user:set_roles:ALL"]).await;
    let agent = role(&world, FIELD_AGENT).await;
    assert!(matches!(users::update(&world.services, &namer, holding(&user, &[agent])).await, Err(AppError::Forbidden)));
    assert!(matches!(users::update(&world.services, &namer, granted(&user, &[])).await, Err(AppError::Forbidden)));
    assert!(matches!(users::update(&world.services, &setter, renamed(&user, "Théo")).await, Err(AppError::Forbidden)));
    for code in ["manager", "supervisor", TELEPHONIST, FIELD_AGENT] {
        let viewer = world.viewer(code).await;
        assert!(matches!(users::update(&world.services, &viewer, unchanged(&user)).await, Err(AppError::Forbidden)), "{code}");
    }
    let named = users::update(&world.services, &namer, renamed(&user, "Théo")).await.unwrap().unwrap();
    let moved = users::update(&world.services, &setter, holding(&named, &[agent])).await.unwrap().unwrap();
    assert_eq!((moved.name.as_str(), &moved.roles, moved.record.version), ("Théo", &vec![agent], 3));
}

#[tokio::test]
async fn roles_and_permissions_are_in_force_and_on_record() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let user = user_of(&world, world.user_id(TELEPHONIST)).await;
    let manager = role(&world, "manager").await;
    let both = users::update(&world.services, &viewer, holding(&user, &[user.roles[0], manager])).await.unwrap().unwrap();
    let turned = users::update(&world.services, &viewer, holding(&both, &[manager, user.roles[0]])).await.unwrap().unwrap();
    assert_eq!(turned.record.version, 2, "another order is no change");
    let more = users::update(&world.services, &viewer, granted(&both, &["tenant:update:ALL", "team:read:ALL", "team:read:OWN"])).await.unwrap().unwrap();
    assert_eq!(more.audit_fields()["permissions"], serde_json::json!(["team:read:ALL", "tenant:update:ALL"]));
    let same = users::update(&world.services, &viewer, granted(&more, &["team:read:ALL", "tenant:update:ALL"])).await.unwrap().unwrap();
    assert_eq!(same.record.version, 3);
    let themselves = world.viewer_of(user.id, "now").await;
    assert!(themselves.require_all(Permission::ContactRead).is_ok() && themselves.require_all(Permission::TenantUpdate).is_ok());
    let nothing = UpdateUser { permissions: Some(Some(Vec::new())), ..holding(&more, &[]) };
    users::update(&world.services, &viewer, nothing).await.unwrap().unwrap();
    assert!(world.viewer_of(user.id, "then").await.grants().is_empty());
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_one() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let user = user_of(&world, world.user_id("manager")).await;
    world.database.wire.cut_next("PutItem", Fault::CutAfter);
    let after = users::update(&world.services, &viewer, granted(&user, &["tenant:update:ALL"])).await.unwrap().unwrap();
    assert_eq!((after.record.version, user_of(&world, user.id).await), (2, after.clone()));
}

#[tokio::test]
async fn of_8_changes_of_one_version_at_once_one_is_made() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let user = user_of(&world, world.user_id("manager")).await;
    let outcomes = join_all((0..8).map(|index| users::update(&world.services, &viewer, renamed(&user, &format!("Marc {index}"))))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    for errors in lost {
        assert_eq!(codes(&errors.unwrap_err()), STALE);
    }
    assert_eq!(agent_of(&world, user.id).await.name, user_of(&world, user.id).await.name);
}

#[tokio::test]
async fn nobody_takes_power_from_those_who_have_more() {
    let world = World::new().await;
    let permissions = ["user:update:ALL", "user:set_roles:ALL", "user:disable:ALL", "user:enable:ALL", "user:reset_password:ALL", "user:sign_out:ALL"];
    let viewer = holder(&world, "Helper", &permissions).await;
    let services = &world.services;
    let floor = user_of(&world, world.user_id(TELEPHONIST)).await;
    let above = user_of(&world, world.user_id("manager")).await;
    let grant = Grant { permission: Permission::ContactRead, scope: Scope::Own };
    let granted_one = enrolled(&world, "Granted", UserStatus::Active, floor.roles.clone(), vec![grant]).await;
    for user in [&above, &granted_one] {
        assert_eq!(codes(&refused(users::update(services, &viewer, renamed(user, "Another")).await)), NOT_ALLOWED);
        assert_eq!(codes(&refused(users::disable(services, &viewer, disabled(user)).await)), NOT_ALLOWED);
        assert_eq!(codes(&refused(users::enable(services, &viewer, EnableUser { id: Some(user.id), expected_version: 1 }).await)), NOT_ALLOWED);
        assert_eq!(codes(&refused(users::reset_password(services, &viewer, Some(user.id)).await)), NOT_ALLOWED);
        assert_eq!(codes(&refused(users::sign_out(services, &viewer, Some(Some(user.id))).await)), NOT_ALLOWED);
        assert_eq!(user_of(&world, user.id).await, *user);
    }
    assert_eq!(codes(&refused(users::update(services, &viewer, holding(&above, &[])).await)), ROLES_NOT_ALLOWED, "nor by taking the role");
    assert_eq!(codes(&refused(users::update(services, &viewer, holding(&floor, &above.roles)).await)), ROLES_NOT_ALLOWED);
    assert_eq!(codes(&refused(users::update(services, &viewer, granted(&granted_one, &[])).await)), PERMISSIONS_NOT_ALLOWED);
    let themselves = user_of(&world, viewer.user.id).await;
    assert_eq!(codes(&refused(users::update(services, &viewer, granted(&themselves, &["contact:read:ALL"])).await)), PERMISSIONS_NOT_ALLOWED, "not even to oneself");

    users::update(services, &viewer, renamed(&floor, "Théo")).await.unwrap().unwrap();
    assert!(lacks_the_pool(&users::reset_password(services, &viewer, Some(floor.id)).await));
    let same = enrolled(&world, "Their like", UserStatus::Active, viewer.user.roles.clone(), Vec::new()).await;
    users::update(services, &viewer, renamed(&same, "Their equal")).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_deleted_role_grants_nothing_and_stands_in_nobodys_way() {
    let world = World::new().await;
    let admin = world.viewer(ADMIN).await;
    let strong = made_role(&world, "Strong", &["tenant:update:ALL"]).await;
    roles::delete(&world.services, &admin, DeleteRole { id: Some(strong.id), expected_version: 1 }).await.unwrap().unwrap();
    // Given while it was deleted.
    let user = enrolled(&world, "Zoé", UserStatus::Active, vec![role(&world, TELEPHONIST).await, strong.id], Vec::new()).await;
    assert!(matches!(world.viewer_of(user.id, "now").await.require_all(Permission::TenantUpdate), Err(AppError::Forbidden)));
    let shown = roles::held(&world.services, &admin, &user.roles).await.unwrap();
    assert_eq!(shown.iter().map(|role| role.code.as_str()).collect::<Vec<_>>(), [TELEPHONIST]);
    let namer = holder(&world, "Namer", &["user:update:ALL"]).await;
    users::update(&world.services, &namer, renamed(&user, "Zoé Roy")).await.unwrap().unwrap();
}

#[tokio::test]
async fn the_last_administrator_keeps_the_role_and_can_sign_in() {
    let world = World::new().await;
    let everything: Vec<Grant> = Permission::ALL.into_iter().map(|permission| Grant { permission, scope: Scope::All }).collect();
    let almighty = enrolled(&world, "Almighty", UserStatus::Active, Vec::new(), everything).await;
    let viewer = world.viewer_of(almighty.id, "request").await;
    let last = user_of(&world, world.user_id(ADMIN)).await;
    let manager = role(&world, "manager").await;
    assert_eq!(codes(&refused(users::update(&world.services, &viewer, holding(&last, &[manager])).await)), ROLES_NOT_ALLOWED);
    assert_eq!(codes(&refused(users::update(&world.services, &world.viewer(ADMIN).await, holding(&last, &[])).await)), ROLES_NOT_ALLOWED, "nor by themselves");
    assert_eq!(codes(&refused(users::disable(&world.services, &viewer, disabled(&last)).await)), NOT_ALLOWED);
    // Who was only invited, or is disabled, doesn't count.
    enrolled(&world, "Invited", UserStatus::Invited, last.roles.clone(), Vec::new()).await;
    assert_eq!(codes(&refused(users::update(&world.services, &viewer, holding(&last, &[manager])).await)), ROLES_NOT_ALLOWED);
    assert_eq!(user_of(&world, last.id).await, last);

    let second = users::update(&world.services, &viewer, holding(&user_of(&world, world.user_id("manager")).await, &last.roles)).await.unwrap().unwrap();
    assert_eq!(administrators(&world).await, BTreeSet::from([last.id, second.id]));
    users::update(&world.services, &world.viewer(ADMIN).await, holding(&last, &[manager])).await.unwrap().unwrap();
    assert_eq!(administrators(&world).await, BTreeSet::from([second.id]), "with another one they may step down");
    assert_eq!(codes(&refused(users::disable(&world.services, &viewer, disabled(&second)).await)), NOT_ALLOWED);
}

#[tokio::test]
async fn two_last_administrators_cannot_demote_each_other_at_the_same_moment() {
    for _ in 0..4 {
        let world = World::new().await;
        let first = user_of(&world, world.user_id(ADMIN)).await;
        let second = enrolled(&world, "Second", UserStatus::Active, first.roles.clone(), Vec::new()).await;
        let (one, other) = (world.viewer_of(first.id, "one").await, world.viewer_of(second.id, "other").await);
        let outcomes = join(users::update(&world.services, &one, holding(&second, &[])), users::update(&world.services, &other, holding(&first, &[]))).await;
        let (won, lost): (Vec<_>, Vec<_>) = [outcomes.0.unwrap(), outcomes.1.unwrap()].into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 1));
        assert_eq!(codes(lost[0].as_ref().unwrap_err()), ROLES_NOT_ALLOWED);
        let left = administrators(&world).await;
        assert_eq!(left.len(), 1);
        for user in [user_of(&world, first.id).await, user_of(&world, second.id).await] {
            assert_eq!(left.contains(&user.id), !user.roles.is_empty());
        }
    }
}

#[tokio::test]
async fn two_last_administrators_cannot_disable_each_other_at_the_same_moment() {
    let world = World::new().await;
    let first = user_of(&world, world.user_id(ADMIN)).await;
    let second = enrolled(&world, "Second", UserStatus::Active, first.roles.clone(), Vec::new()).await;
    let (one, other) = (world.viewer_of(first.id, "one").await, world.viewer_of(second.id, "other").await);
    let outcomes = join(users::disable(&world.services, &one, disabled(&second)), users::disable(&world.services, &other, disabled(&first))).await;
    let (won, lost): (Vec<_>, Vec<_>) = [outcomes.0, outcomes.1].into_iter().partition(lacks_the_pool);
    assert_eq!((won.len(), lost.len()), (1, 1));
    assert_eq!(codes(&refused(lost.into_iter().next().unwrap())), NOT_ALLOWED);
    let statuses = [user_of(&world, first.id).await.status, user_of(&world, second.id).await.status];
    assert_eq!(statuses.iter().filter(|status| **status == UserStatus::Active).count(), 1);
    assert_eq!(administrators(&world).await.len(), 1);
}

#[tokio::test]
async fn a_disabled_user_is_refused_by_the_record_whatever_became_of_the_rest() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let user = user_of(&world, world.user_id(TELEPHONIST)).await;
    world.clock.advance(SignedDuration::from_mins(5));
    assert!(lacks_the_pool(&users::disable(&world.services, &viewer, disabled(&user)).await));
    let after = user_of(&world, user.id).await;
    let now = Some(to_millisecond(world.clock.now()));
    assert_eq!((after.status, after.signed_out_at, after.record.version), (UserStatus::Disabled, now, 2));
    let change = &after.record.last_change;
    assert_eq!((change.action.as_str(), change.reason.as_deref(), &change.origin), ("user.disabled", Some("They left."), &viewer.origin()));
    // What comes after the record is tried again, at whatever version, and the record stays as it is.
    for expected_version in [1, 99] {
        assert!(lacks_the_pool(&users::disable(&world.services, &viewer, DisableUser { expected_version, ..disabled(&user) }).await));
    }
    assert_eq!(user_of(&world, user.id).await, after);
}

#[tokio::test]
async fn what_is_wrong_with_disabling_is_named_and_nothing_is_written() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let user = user_of(&world, world.user_id(TELEPHONIST)).await;
    let colleague = Some(Some(AgentId::from(world.user_id("manager"))));
    let request = || disabled(&user);
    let expected = |field, code| vec![(field, code)];
    for (request, expected) in [
        (DisableUser { reason: " ".to_owned(), ..request() }, expected("reason", FieldErrorCode::Blank)),
        (DisableUser { reason: "x".repeat(1_001), ..request() }, expected("reason", FieldErrorCode::TooLong)),
        (DisableUser { assignee: colleague, team: Some(Some(world.team_id("Est"))), ..request() }, expected("teamId", FieldErrorCode::Invalid)),
        (DisableUser { assignee: Some(Some(user.id.into())), ..request() }, expected("assigneeId", FieldErrorCode::NotAllowed)),
        (DisableUser { assignee: Some(None), ..request() }, expected("assigneeId", FieldErrorCode::NotFound)),
        (DisableUser { team: Some(None), ..request() }, expected("teamId", FieldErrorCode::NotFound)),
        (DisableUser { expected_version: 2, ..request() }, STALE.to_vec()),
        (DisableUser { id: Some(viewer.user.id), ..request() }, NOT_ALLOWED.to_vec()),
    ] {
        assert_eq!(codes(&refused(users::disable(&world.services, &viewer, request.clone()).await)), expected, "{request:?}");
    }
    for id in [None, Some(nobody(UserId::new))] {
        assert!(matches!(users::disable(&world.services, &viewer, DisableUser { id, ..request() }).await, Err(AppError::NotFound)));
        assert!(matches!(users::enable(&world.services, &viewer, EnableUser { id, expected_version: 1 }).await, Err(AppError::NotFound)));
        assert!(matches!(users::reset_password(&world.services, &viewer, id).await, Err(AppError::NotFound)));
        assert!(matches!(users::resend(&world.services, &viewer, id).await, Err(AppError::NotFound)));
        assert!(matches!(users::sign_out(&world.services, &viewer, Some(id)).await, Err(AppError::NotFound)));
    }
    for code in ["manager", "supervisor", TELEPHONIST, FIELD_AGENT] {
        let viewer = world.viewer(code).await;
        assert!(matches!(users::disable(&world.services, &viewer, request()).await, Err(AppError::Forbidden)), "{code}");
        assert!(matches!(users::enable(&world.services, &viewer, EnableUser { id: Some(user.id), expected_version: 1 }).await, Err(AppError::Forbidden)), "{code}");
        assert!(matches!(users::reset_password(&world.services, &viewer, Some(user.id)).await, Err(AppError::Forbidden)), "{code}");
    }
    assert_eq!(user_of(&world, user.id).await, user);
}

#[tokio::test]
async fn nobody_is_let_in_before_the_pool_lets_them_in() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let user = user_of(&world, world.user_id(TELEPHONIST)).await;
    let enabling = |expected_version| EnableUser { id: Some(user.id), expected_version };
    assert!(lacks_the_pool(&users::enable(&world.services, &viewer, enabling(1)).await), "of who can sign in already the pool is asked all the same");
    assert_eq!(user_of(&world, user.id).await, user);
    assert!(lacks_the_pool(&users::disable(&world.services, &viewer, disabled(&user)).await));
    assert_eq!(codes(&refused(users::enable(&world.services, &viewer, enabling(1)).await)), STALE);
    assert!(lacks_the_pool(&users::enable(&world.services, &viewer, enabling(2)).await));
    assert_eq!(user_of(&world, user.id).await.status, UserStatus::Disabled);

    let agent = agent_of(&world, user.id).await;
    let deleted = Agent { deleted_at: Some(world.clock.now()), record: agent.record.touched(), ..agent.clone() };
    let part = people::replace_agent(&world.tenant.scope, &deleted, agent.record.revision).unwrap();
    assert!(world.database.core.commit(&world.tenant.scope, vec![part]).await.unwrap());
    let errors = refused(users::enable(&world.services, &viewer, enabling(2)).await);
    assert_eq!((codes(&errors), errors[0].existing.as_ref()), (vec![("id", FieldErrorCode::Conflict)], Some(&Existing::Agent(agent.id))));
}

#[tokio::test]
async fn signing_out_is_in_the_record_before_it_is_in_the_pool() {
    let world = World::new().await;
    world.clock.advance(SignedDuration::from_mins(5));
    let now = Some(to_millisecond(world.clock.now()));
    // Oneself, without a permission for it, with and without an id.
    let telephonist = world.viewer(TELEPHONIST).await;
    for (id, version) in [(None, 2), (Some(Some(telephonist.user.id)), 3)] {
        assert!(lacks_the_pool(&users::sign_out(&world.services, &telephonist, id).await));
        let user = user_of(&world, telephonist.user.id).await;
        assert_eq!((user.signed_out_at, user.status, user.record.version), (now, UserStatus::Active, version));
        assert_eq!((user.record.last_change.action.as_str(), &user.record.last_change.origin), ("auth.signed_out", &telephonist.origin()));
    }
    let manager = user_of(&world, world.user_id("manager")).await;
    for id in [Some(manager.id), None] {
        assert!(matches!(users::sign_out(&world.services, &telephonist, Some(id)).await, Err(AppError::Forbidden)));
    }
    assert_eq!(user_of(&world, manager.id).await, manager);
    assert!(lacks_the_pool(&users::sign_out(&world.services, &world.viewer(ADMIN).await, Some(Some(manager.id))).await));
    assert_eq!(user_of(&world, manager.id).await.signed_out_at, now);
}

#[tokio::test]
async fn only_who_is_invited_is_invited_again_and_only_who_has_a_password_loses_it() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    let telephonist = role(&world, TELEPHONIST).await;
    let active = user_of(&world, world.user_id(TELEPHONIST)).await;
    let invited = enrolled(&world, "Invited", UserStatus::Invited, vec![telephonist], Vec::new()).await;
    let gone = enrolled(&world, "Gone", UserStatus::Disabled, vec![telephonist], Vec::new()).await;
    let transition = [("id", FieldErrorCode::ForbiddenTransition)];
    for user in [&active, &gone] {
        assert_eq!(codes(&refused(users::resend(&world.services, &viewer, Some(user.id)).await)), transition);
    }
    for user in [&invited, &gone] {
        assert_eq!(codes(&refused(users::reset_password(&world.services, &viewer, Some(user.id)).await)), transition);
    }
    assert!(lacks_the_pool(&users::resend(&world.services, &viewer, Some(invited.id)).await));
    assert!(lacks_the_pool(&users::reset_password(&world.services, &viewer, Some(active.id)).await));
    for user in [&active, &invited, &gone] {
        assert_eq!(user_of(&world, user.id).await, *user, "what wasn't done isn't on record");
    }
    let manager = world.viewer("manager").await;
    assert!(matches!(users::resend(&world.services, &manager, Some(invited.id)).await, Err(AppError::Forbidden)));
}

#[tokio::test]
async fn users_are_listed_by_name_in_pages_of_two_requests() {
    let world = World::new().await;
    let viewer = world.viewer("manager").await;
    enrolled(&world, "Élodie", UserStatus::Invited, Vec::new(), Vec::new()).await;
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        world.database.meter.reset();
        let page = users::list(&world.services, &viewer, after.as_deref(), 3).await.unwrap();
        assert_eq!(world.database.meter.usage().total_requests(), 2);
        names.extend(page.entries.into_iter().map(|(_, user)| user.name));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let expected = ["Ada Admin", "Agnès Field", "Élodie", "Marc Manager", "Sofia Supervisor", "Tara Thompson", "Tariq Toussaint", "Théo Tremblay"];
    assert_eq!(names, expected);
    let telephonist = world.viewer(TELEPHONIST).await;
    assert!(matches!(users::list(&world.services, &telephonist, None, 3).await, Err(AppError::Forbidden)));
    assert!(matches!(users::get(&world.services, &telephonist, viewer.user.id).await, Err(AppError::Forbidden)));
    let themselves = users::get(&world.services, &telephonist, telephonist.user.id).await.unwrap();
    assert_eq!(themselves.as_ref(), Some(telephonist.user.as_ref()));
    assert_eq!(users::get(&world.services, &viewer, nobody(UserId::new)).await.unwrap(), None);
}

#[tokio::test]
async fn roles_are_made_by_administrators_and_known_at_once() {
    let world = World::new().await;
    let before = world.viewer(ADMIN).await;
    let closer = made_role(&world, "Closer", &["contact:read:OWN", "contact:read:ALL"]).await;
    assert_eq!((closer.code.as_str(), closer.system, closer.record.last_change.action.as_str()), ("closer", false, "role.created"));
    assert_eq!(settings_of(&world).await.role(closer.id), Some(&closer));
    assert!(world.viewer("manager").await.settings.role(closer.id).is_some());
    let shown = roles::held(&world.services, &before, &[closer.id]).await.unwrap();
    assert_eq!(shown, std::slice::from_ref(&closer), "also to a request that began before it was made");
    for code in ["manager", "supervisor", TELEPHONIST, FIELD_AGENT] {
        let viewer = world.viewer(code).await;
        let update = UpdateRole { id: Some(closer.id), expected_version: 1, patch: RolePatch::default() };
        assert!(matches!(roles::create(&world.services, &viewer, named_role("Mine", &[])).await, Err(AppError::Forbidden)), "{code}");
        assert!(matches!(roles::update(&world.services, &viewer, update).await, Err(AppError::Forbidden)), "{code}");
        assert!(matches!(roles::delete(&world.services, &viewer, DeleteRole { id: Some(closer.id), expected_version: 1 }).await, Err(AppError::Forbidden)), "{code}");
    }
    for id in [None, Some(nobody(RoleId::new))] {
        let update = UpdateRole { id, expected_version: 1, patch: RolePatch::default() };
        assert!(matches!(roles::update(&world.services, &before, update).await, Err(AppError::NotFound)));
        assert!(matches!(roles::delete(&world.services, &before, DeleteRole { id, expected_version: 1 }).await, Err(AppError::NotFound)));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_role_is_named_and_nothing_is_written() {
    let world = World::new().await;
    let admin = world.viewer(ADMIN).await;
    let before = settings_of(&world).await;
    let wrong =
        CreateRole { input: RoleInput { name: " ".to_owned(), code: Some("Not so".to_owned()), permissions: vec!["contact:fly:ALL".to_owned()] }, idempotency_key: None };
    let errors = refused(roles::create(&world.services, &admin, wrong).await);
    assert_eq!(codes(&errors), [("name", FieldErrorCode::Blank), ("code", FieldErrorCode::Invalid), ("permissions", FieldErrorCode::Invalid)]);
    assert_eq!(errors[2].index, Some(0));
    let errors = refused(roles::create(&world.services, &admin, named_role("MANAGER", &[])).await);
    assert_eq!((codes(&errors), errors[0].existing.as_ref()), (vec![("name", FieldErrorCode::Taken)], Some(&Existing::Role(role(&world, "manager").await))));
    let of_admin = role(&world, ADMIN).await;
    let weaker = RolePatch { name: None, permissions: Some(Some(vec!["contact:read:ALL".to_owned()])) };
    let update = UpdateRole { id: Some(of_admin), expected_version: 1, patch: weaker.clone() };
    assert_eq!(codes(&refused(roles::update(&world.services, &admin, update).await)), PERMISSIONS_NOT_ALLOWED);
    assert_eq!(codes(&refused(roles::delete(&world.services, &admin, DeleteRole { id: Some(of_admin), expected_version: 1 }).await)), NOT_ALLOWED);
    let maker = holder(&world, "Maker", &["role:create:ALL", "role:update:ALL"]).await;
    assert_eq!(codes(&refused(roles::create(&world.services, &maker, named_role("Mine", &["tenant:update:ALL"])).await)), PERMISSIONS_NOT_ALLOWED);
    let stronger = RolePatch { name: None, permissions: Some(Some(["role:create:ALL", "role:update:ALL", "tenant:update:ALL"].map(str::to_owned).to_vec())) };
    let own = UpdateRole { id: Some(maker.user.roles[0]), expected_version: 1, patch: stronger };
    assert_eq!(codes(&refused(roles::update(&world.services, &maker, own).await)), PERMISSIONS_NOT_ALLOWED, "nobody raises themselves");
    let manager = UpdateRole { id: Some(role(&world, "manager").await), expected_version: 1, patch: weaker };
    assert_eq!(codes(&refused(roles::update(&world.services, &maker, manager).await)), PERMISSIONS_NOT_ALLOWED, "nor lowers others");
    let after = settings_of(&world).await;
    assert_eq!((after.roles.len(), after.revision), (before.roles.len() + 1, before.revision + 1), "nothing but the role of the maker");
}

#[tokio::test]
async fn what_a_role_grants_its_holders_have_and_lose() {
    let world = World::new().await;
    let admin = world.viewer(ADMIN).await;
    let telephonist = role(&world, TELEPHONIST).await;
    let granting = |expected_version, permissions: &[&str]| UpdateRole {
        id: Some(telephonist),
        expected_version,
        patch: RolePatch { name: None, permissions: Some(Some(permissions.iter().map(|permission| (*permission).to_owned()).collect())) },
    };
    roles::update(&world.services, &admin, granting(1, &["contact:read:ALL"])).await.unwrap().unwrap();
    let holder = world.viewer(TELEPHONIST).await;
    assert!(holder.require_all(Permission::ContactRead).is_ok() && holder.scope(Permission::ContactAddNote).is_err());
    assert_eq!(codes(&refused(roles::update(&world.services, &admin, granting(1, &[])).await)), STALE);
    let after = roles::update(&world.services, &admin, granting(2, &[])).await.unwrap().unwrap();
    assert_eq!((after.record.version, after.record.last_change.action.as_str()), (3, "role.updated"));
    assert!(world.viewer(TELEPHONIST).await.grants().is_empty());
    let before = settings_of(&world).await.revision;
    assert_eq!(roles::update(&world.services, &admin, granting(3, &[])).await.unwrap().unwrap(), after);
    assert_eq!(settings_of(&world).await.revision, before, "nothing changed, nothing written");
}

#[tokio::test]
async fn a_role_in_use_is_not_deleted() {
    let world = World::new().await;
    let admin = world.viewer(ADMIN).await;
    let closer = made_role(&world, "Closer", &["contact:read:OWN"]).await;
    let deletion = DeleteRole { id: Some(closer.id), expected_version: 1 };
    let invited = enrolled(&world, "Invited", UserStatus::Invited, vec![closer.id], Vec::new()).await;
    let gone = enrolled(&world, "Gone", UserStatus::Disabled, vec![role(&world, TELEPHONIST).await, closer.id], Vec::new()).await;
    let errors = refused(roles::delete(&world.services, &admin, deletion).await);
    assert_eq!(codes(&errors), [("id", FieldErrorCode::InUse)]);
    assert!(errors[0].error.message.starts_with("2 users hold "));
    for user in [&invited, &gone] {
        users::update(&world.services, &admin, holding(user, &[])).await.unwrap().unwrap();
    }
    assert_eq!(codes(&refused(roles::delete(&world.services, &admin, DeleteRole { expected_version: 2, ..deletion }).await)), STALE);
    let deleted = roles::delete(&world.services, &admin, deletion).await.unwrap().unwrap();
    assert_eq!((deleted.is_live(), deleted.record.version, deleted.record.last_change.action.as_str()), (false, 2, "role.deleted"));
    let settings = settings_of(&world).await;
    assert_eq!((settings.role(closer.id), settings.role_by_code("closer")), (Some(&deleted), None));
    assert!(matches!(roles::delete(&world.services, &admin, DeleteRole { expected_version: 2, ..deletion }).await, Err(AppError::NotFound)));
    let again = made_role(&world, "Closer", &[]).await;
    assert_eq!(again.code, "closer_2", "its name is free, its code isn't");
}

#[tokio::test]
async fn a_role_whose_holders_fill_several_pages_is_looked_for_in_all_of_them() {
    let world = World::new().await;
    let admin = world.viewer(ADMIN).await;
    let closer = made_role(&world, "Closer", &[]).await;
    for index in 0..150 {
        enrolled(&world, &format!("Person {index:03}"), UserStatus::Invited, Vec::new(), Vec::new()).await;
    }
    enrolled(&world, "Zoé, the last by name", UserStatus::Invited, vec![closer.id], Vec::new()).await;
    let errors = refused(roles::delete(&world.services, &admin, DeleteRole { id: Some(closer.id), expected_version: 1 }).await);
    assert!(errors[0].error.message.starts_with("1 user holds "));
}

#[tokio::test]
async fn of_8_roles_of_one_name_at_once_one_is_made_and_of_different_names_all() {
    let world = World::new().await;
    let admin = world.viewer(ADMIN).await;
    let outcomes = join_all((0..8).map(|_| roles::create(&world.services, &admin, named_role("Closer", &[])))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    let id = Existing::Role(won[0].as_ref().unwrap().id);
    for errors in lost {
        let errors = errors.unwrap_err();
        assert_eq!((codes(&errors), errors[0].existing.as_ref()), (vec![("name", FieldErrorCode::Taken)], Some(&id)));
    }
    let names: Vec<String> = (0..4).map(|index| format!("Closer {index}")).collect();
    let outcomes = join_all(names.iter().map(|name| roles::create(&world.services, &admin, named_role(name, &[])))).await;
    assert!(outcomes.into_iter().all(|outcome| outcome.unwrap().is_ok()));
    assert_eq!(settings_of(&world).await.live_roles().count(), 10);
}

#[tokio::test]
async fn a_role_asked_for_twice_with_one_key_is_made_once() {
    let world = World::new().await;
    let admin = world.viewer(ADMIN).await;
    let request = CreateRole { idempotency_key: Some("once".to_owned()), ..named_role("Closer", &["contact:read:OWN"]) };
    let outcomes = join_all((0..4).map(|_| roles::create(&world.services, &admin, request.clone()))).await;
    let made: BTreeSet<RoleId> = outcomes.into_iter().map(|outcome| outcome.unwrap().unwrap().id).collect();
    assert_eq!(made.len(), 1);
    let other = CreateRole { idempotency_key: Some("once".to_owned()), ..named_role("Opener", &[]) };
    assert_eq!(codes(&refused(roles::create(&world.services, &admin, other).await)), [("idempotencyKey", FieldErrorCode::Conflict)]);
}
