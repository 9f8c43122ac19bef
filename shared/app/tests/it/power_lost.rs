//! Who was disabled or lost a role can't undo it by what a process still remembers of them, and who was stopped for one reason isn't let in for another.

use switchboard_app::agents::{self, DeleteAgent};
use switchboard_app::roles::{self, CreateRole, UpdateRole};
use switchboard_app::users::{self, DisableUser, EnableUser, Enrolled, InviteUser, NewPerson, UpdateUser};
use switchboard_app::{AppError, Viewer};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::Clock;
use switchboard_domain::ids::{RoleId, UserId};
use switchboard_domain::person::{ADMIN, TELEPHONIST, User, UserStatus};
use switchboard_domain::role::{RoleInput, RolePatch};
use switchboard_store::{people, settings};
use switchboard_testkit::World;

async fn role(world: &World, code: &str) -> RoleId {
    settings::load(&world.database.core, &world.tenant.scope).await.unwrap().role_by_code(code).unwrap().id
}

async fn user_of(world: &World, id: UserId) -> User {
    people::user(&world.database.core, &world.tenant.scope, id).await.unwrap().unwrap()
}

fn version(user: &User) -> i32 {
    i32::try_from(user.record.version).unwrap()
}

/// A second administrator, and what a process remembers of them.
async fn second_administrator(world: &World) -> Viewer {
    let now = world.clock.now();
    let person = NewPerson {
        id: UserId::new(now, &world.services.entropy.id()),
        subject: "second".to_owned(),
        email: "second@new.test".to_owned(),
        name: "Second".to_owned(),
        roles: vec![role(world, ADMIN).await],
        grants: Vec::new(),
        change: Change::new("user.created", now, Origin::system()),
        status: UserStatus::Active,
        agent: None,
        others: Vec::new(),
    };
    let Enrolled::Done(user, _) = users::enrol(&world.services, &world.tenant, person).await.unwrap() else { panic!("not enrolled") };
    world.viewer_of(user.id, "second").await
}

/// Writes into the record that somebody is disabled; the user pool, which isn't there, comes after.
async fn stopped(world: &World, id: UserId) {
    let expected_version = version(&user_of(world, id).await);
    let request = DisableUser { id: Some(id), expected_version, reason: "left".to_owned(), ..DisableUser::default() };
    assert!(matches!(users::disable(&world.services, &world.viewer(ADMIN).await, request).await, Err(AppError::Platform(_))));
    assert_eq!(user_of(world, id).await.status, UserStatus::Disabled);
}

/// All that would give somebody power, asked for by somebody of whom a process remembers that they may.
async fn attempts(world: &World, remembered: &Viewer) -> Vec<AppError> {
    let (services, id) = (&world.services, remembered.user.id);
    let user = user_of(world, id).await;
    let admin = role(world, ADMIN).await;
    let supervisor = user_of(world, world.user_id("supervisor")).await;
    let roles_of = |user: &User, roles: &[RoleId]| UpdateUser {
        id: Some(user.id),
        expected_version: version(user),
        roles: Some(Some(roles.iter().copied().map(Some).collect())),
        ..UpdateUser::default()
    };
    let invitation = InviteUser { name: "Third".to_owned(), email: "third@new.test".to_owned(), roles: vec![Some(admin)], ..InviteUser::default() };
    let input = RoleInput { name: "Everything".to_owned(), code: None, permissions: vec!["role:update:ALL".to_owned()] };
    let telephonist = settings::load(&world.database.core, &world.tenant.scope).await.unwrap().role_by_code(TELEPHONIST).unwrap().clone();
    let patch = RolePatch { permissions: Some(Some(vec!["role:update:ALL".to_owned()])), ..RolePatch::default() };
    let widened = UpdateRole { id: Some(telephonist.id), expected_version: i32::try_from(telephonist.record.version).unwrap(), patch };
    vec![
        users::enable(services, remembered, EnableUser { id: Some(id), expected_version: version(&user) }).await.unwrap_err(),
        users::update(services, remembered, roles_of(&user, &[admin])).await.unwrap_err(),
        users::update(services, remembered, roles_of(&supervisor, &[admin])).await.unwrap_err(),
        users::enter(services, remembered, &invitation, "third").await.unwrap_err(),
        roles::create(services, remembered, CreateRole { input, idempotency_key: None }).await.unwrap_err(),
        roles::update(services, remembered, widened).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn a_disabled_administrator_can_not_undo_it_by_what_is_remembered_of_them() {
    let world = World::new().await;
    let remembered = second_administrator(&world).await;
    stopped(&world, remembered.user.id).await;
    for error in attempts(&world, &remembered).await {
        assert!(matches!(error, AppError::Unauthenticated), "{error}");
    }
    assert_eq!(user_of(&world, remembered.user.id).await.status, UserStatus::Disabled);
}

#[tokio::test]
async fn a_demoted_administrator_can_not_undo_it_by_what_is_remembered_of_them() {
    let world = World::new().await;
    let remembered = second_administrator(&world).await;
    let user = user_of(&world, remembered.user.id).await;
    let telephonist = role(&world, TELEPHONIST).await;
    let demotion = UpdateUser { id: Some(user.id), expected_version: version(&user), roles: Some(Some(vec![Some(telephonist)])), ..UpdateUser::default() };
    users::update(&world.services, &world.viewer(ADMIN).await, demotion).await.unwrap().unwrap();
    for error in attempts(&world, &remembered).await {
        assert!(matches!(error, AppError::Forbidden), "{error}");
    }
    assert_eq!(user_of(&world, remembered.user.id).await.roles, [telephonist]);
}

#[tokio::test]
async fn who_was_signed_out_everywhere_gives_no_power_any_more() {
    let world = World::new().await;
    let remembered = second_administrator(&world).await;
    assert!(matches!(users::sign_out(&world.services, &remembered, None).await, Err(AppError::Platform(_))));
    for error in attempts(&world, &remembered).await {
        assert!(matches!(error, AppError::Unauthenticated), "{error}");
    }
}

#[tokio::test]
async fn deleting_and_restoring_an_agent_does_not_let_in_who_was_disabled_before() {
    let world = World::new().await;
    let supervisor = world.viewer("supervisor").await;
    let id = world.user_id(TELEPHONIST);
    stopped(&world, id).await;
    let before = user_of(&world, id).await;
    world.clock.advance(jiff::SignedDuration::from_secs(1));
    let agent = people::agent(&world.database.core, &world.tenant.scope, id.into()).await.unwrap().unwrap();
    let request = DeleteAgent { id: Some(agent.id), expected_version: i32::try_from(agent.record.version).unwrap(), ..DeleteAgent::default() };
    agents::take_out(&world.services, &supervisor, &request).await.unwrap().unwrap();
    let between = user_of(&world, id).await;
    assert_eq!((between.record.version, between.record.revision), (before.record.version, before.record.revision + 1), "who enables them now meets it");
    agents::bring_back(&world.services, &supervisor, Some(agent.id)).await.unwrap().unwrap();
    assert_eq!(user_of(&world, id).await.status, UserStatus::Disabled);
}

#[tokio::test]
async fn a_role_of_the_floor_that_was_widened_is_not_given_by_who_may_only_invite() {
    let world = World::new().await;
    let telephonist = settings::load(&world.database.core, &world.tenant.scope).await.unwrap().role_by_code(TELEPHONIST).unwrap().clone();
    let supervisor = world.viewer("supervisor").await;
    let invitation = |name: &str| InviteUser { name: name.to_owned(), email: format!("{name}@new.test"), ..InviteUser::default() };
    users::enter(&world.services, &supervisor, &invitation("before"), "before").await.unwrap().unwrap();
    let mut permissions: Vec<String> = telephonist.grants.iter().map(ToString::to_string).collect();
    permissions.push("contact:export:ALL".to_owned());
    let patch = RolePatch { permissions: Some(Some(permissions)), ..RolePatch::default() };
    let widened = UpdateRole { id: Some(telephonist.id), expected_version: i32::try_from(telephonist.record.version).unwrap(), patch };
    roles::update(&world.services, &world.viewer(ADMIN).await, widened).await.unwrap().unwrap();
    let errors = users::enter(&world.services, &supervisor, &invitation("after"), "after").await.unwrap().unwrap_err();
    assert_eq!(errors[0].error.field, "roleIds");
}
