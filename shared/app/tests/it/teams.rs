//! Teams and who is in them: names nobody else has, and members on which the count, the list and the agents' own records always agree.

mod at_once;
mod in_any_order;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use jiff::SignedDuration;
use switchboard_app::audit::Report;
use switchboard_app::bulk::{BulkMessage, Stopped, change_contacts};
use switchboard_app::teams::{self, CreateTeam, DeleteTeam, DeletedTeam, Ending, PlaceMember, PlacedMember, RemoveMember, UpdateTeam};
use switchboard_app::{AppError, Existing, UserError, Viewer};
use switchboard_domain::audit::{Changes, FieldChange, Place};
use switchboard_domain::bulk_job::Outcome;
use switchboard_domain::change::{Change, MemberChange, Origin, Revisioned};
use switchboard_domain::clock::Clock;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, TeamId};
use switchboard_domain::permission::{Grant, Permission, Scope};
use switchboard_domain::person::{Agent, MAX_TEAMS, MembershipRole, User};
use switchboard_domain::team::{Team, folded_name};
use switchboard_platform::Queue;
use switchboard_store::item::{Item, text};
use switchboard_store::people;
use switchboard_testkit::{Fault, World};

use crate::made;

/// Where [`queue`] listens.
static QUEUE: LazyLock<SocketAddr> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(stream) = stream else { return };
            thread::spawn(move || take_messages(&stream));
        }
    });
    address
});

/// Answers every request on a connection as a queue does that took what it was sent.
fn take_messages(stream: &TcpStream) {
    let (mut requests, mut answers) = (BufReader::new(stream), stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if requests.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: 2\r\n\r\n{}";
        if requests.read_exact(&mut body).is_err() || answers.write_all(answer).is_err() {
            return;
        }
    }
}

/// A queue that takes every message and keeps none.
pub(crate) fn queue() -> Queue {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(format!("http://{}", *QUEUE))
        .region(Region::new("ca-central-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .build();
    Queue::new(aws_sdk_sqs::Client::from_conf(config), format!("http://{}/bulk", *QUEUE))
}

/// A world whose bulk jobs can be asked for.
async fn world() -> World {
    let mut world = World::new().await;
    world.services.bulk_queue = queue();
    world
}

fn named(name: &str) -> CreateTeam {
    CreateTeam { name: name.to_owned(), idempotency_key: None }
}

async fn created(world: &World, name: &str) -> Team {
    teams::create(&world.services, &world.viewer("admin").await, named(name)).await.unwrap().unwrap()
}

fn version(team: &Team) -> i32 {
    i32::try_from(team.record.version).unwrap()
}

fn renamed(team: &Team, name: &str) -> UpdateTeam {
    UpdateTeam { id: Some(team.id), expected_version: version(team), name: Some(Some(name.to_owned())) }
}

fn deletion(team: &Team) -> DeleteTeam {
    DeleteTeam { id: Some(team.id), expected_version: version(team) }
}

fn placing(team: TeamId, agent: AgentId, role: MembershipRole) -> PlaceMember {
    PlaceMember { team: Some(team), agent: Some(agent), role }
}

fn removal(team: TeamId, agent: AgentId) -> RemoveMember {
    RemoveMember { team: Some(team), agent: Some(agent) }
}

async fn placed(world: &World, team: TeamId, agent: AgentId, role: MembershipRole) -> PlacedMember {
    teams::add_member(&world.services, &world.viewer("admin").await, placing(team, agent, role)).await.unwrap().unwrap()
}

async fn deleted(world: &World, team: &Team) -> DeletedTeam {
    teams::delete(&world.services, &world.viewer("admin").await, deletion(team)).await.unwrap().unwrap()
}

async fn ended(world: &World, team: TeamId, agent: AgentId) -> Ending {
    teams::end_membership(&world.services, &world.tenant, world.viewer("admin").await.origin(), team, agent).await.unwrap()
}

fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

async fn team(world: &World, id: TeamId) -> Team {
    people::team(&world.database.core, &world.tenant.scope, id).await.unwrap().unwrap()
}

async fn agent(world: &World, id: AgentId) -> Agent {
    people::agent(&world.database.core, &world.tenant.scope, id).await.unwrap().unwrap()
}

/// An agent in no team, who isn't anyone of the demo.
async fn hired(world: &World, number: u8) -> AgentId {
    let (core, scope, now) = (&world.database.core, &world.tenant.scope, world.clock.now());
    let record = Revisioned::created(Change::new("agent.created", now, Origin::system()));
    let id = AgentId::new(now, &[number; 10]);
    let (name, sealed_email) = (format!("Agent {number}"), vec![number]);
    let agent = Agent { id, record, name, sealed_email, employee_id: None, time_zone: None, teams: Vec::new(), deleted_at: None };
    assert!(core.commit(scope, vec![people::insert_agent(scope, &agent).unwrap()]).await.unwrap());
    id
}

async fn hire(world: &World, count: u8) -> Vec<AgentId> {
    let mut agents = Vec::new();
    for number in 1..=count {
        agents.push(hired(world, number).await);
    }
    agents
}

/// Marks an agent as deleted, who is in no team.
async fn dismissed(world: &World, id: AgentId) {
    let (core, scope) = (&world.database.core, &world.tenant.scope);
    let before = agent(world, id).await;
    let record = before.record.changed(Change::new("agent.deleted", world.clock.now(), Origin::system()));
    let after = Agent { deleted_at: Some(world.clock.now()), record, ..before.clone() };
    assert!(core.commit(scope, vec![people::replace_agent(scope, &after, before.record.revision).unwrap()]).await.unwrap());
}

/// Who is in a team, listed three at a time, and that its count and its members' own records say the same.
async fn members(world: &World, id: TeamId) -> BTreeMap<AgentId, MembershipRole> {
    let viewer = world.viewer("admin").await;
    let (mut members, mut after) = (BTreeMap::new(), None);
    loop {
        let page = teams::members(&world.services, &viewer, id, after, 3).await.unwrap();
        for member in page.entries {
            let agent = agent(world, member.agent).await;
            let own = agent.teams.iter().find(|place| place.team == id).unwrap();
            assert_eq!((member.team, member.role, member.assigned_at), (id, own.role, own.assigned_at));
            assert!(members.insert(member.agent, member.role).is_none(), "each is listed once");
            after = Some(member.agent);
        }
        if !page.has_more {
            assert_eq!(team(world, id).await.member_count as usize, members.len(), "the count is that of the list");
            return members;
        }
    }
}

/// The names of teams as a walk by pages lists them.
async fn listed(world: &World, viewer: &Viewer, include_deleted: bool, first: usize) -> Vec<String> {
    let (mut names, mut after) = (Vec::new(), None);
    loop {
        let page = teams::list(&world.services, viewer, include_deleted, after.as_deref(), first).await.unwrap();
        assert!(page.entries.len() <= first);
        names.extend(page.entries.into_iter().map(|(_, team)| team.name));
        after = page.next;
        if after.is_none() {
            return names;
        }
    }
}

/// Everything in the core table but bulk jobs, which are asked for beside what is decided on.
async fn records(world: &World) -> Vec<Item> {
    let mut items = made::everything(&world.database).await;
    items.retain(|item| text(item, "type") != Some("bulk_job"));
    items
}

async fn assert_nothing_was_written(world: &World, before: &[Item]) {
    let after = records(world).await;
    assert!(before.len() == after.len() && before.iter().all(|item| after.contains(item)));
}

async fn item_of(world: &World, kind: &str, id: impl ToString) -> Item {
    let id = id.to_string();
    let all = made::everything(&world.database).await;
    all.into_iter().find(|item| text(item, "type") == Some(kind) && text(item, "id") == Some(id.as_str())).unwrap()
}

/// The same user with this permission beside their roles.
fn granted(viewer: &Viewer, permission: Permission, scope: Scope) -> Viewer {
    let user = User { grants: vec![Grant { permission, scope }], ..viewer.user.as_ref().clone() };
    Viewer { user: Arc::new(user), ..viewer.clone() }
}

#[tokio::test]
async fn what_no_team_can_be_called_is_refused_and_nothing_is_written() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let team = created(&world, "Nord").await;
    let before = records(&world).await;
    let (long, ligatures) = ("é".repeat(101), "\u{FDFA}".repeat(100));
    for (name, code) in [
        ("", FieldErrorCode::Blank),
        (" \t", FieldErrorCode::Blank),
        (long.as_str(), FieldErrorCode::TooLong),
        (ligatures.as_str(), FieldErrorCode::TooLong),
        ("a\u{0}b", FieldErrorCode::Invalid),
        ("a\nb", FieldErrorCode::Invalid),
    ] {
        assert_eq!(codes(&teams::create(&world.services, &viewer, named(name)).await.unwrap().unwrap_err()), [("name", code)], "{name:.20}");
        assert_eq!(codes(&teams::update(&world.services, &viewer, renamed(&team, name)).await.unwrap().unwrap_err()), [("name", code)], "{name:.20}");
    }
    let emptied = UpdateTeam { name: Some(None), ..renamed(&team, "") };
    assert_eq!(codes(&teams::update(&world.services, &viewer, emptied).await.unwrap().unwrap_err()), [("name", FieldErrorCode::Blank)]);
    let stale = UpdateTeam { expected_version: 2, ..renamed(&team, "") };
    assert_eq!(codes(&teams::update(&world.services, &viewer, stale).await.unwrap().unwrap_err()), [("expectedVersion", FieldErrorCode::Stale)]);
    assert_nothing_was_written(&world, &before).await;
}

#[tokio::test]
async fn a_name_that_differs_by_accents_case_spaces_or_punctuation_only_is_taken_by_a_live_team() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let (team, other) = (created(&world, " Équipe Nord ").await, created(&world, "Sud").await);
    assert_eq!((team.name.as_str(), team.member_count, team.record.version), ("Équipe Nord", 0, 1));
    let before = records(&world).await;
    for alike in ["Équipe Nord", "equipe nord", "ÉQUIPE   NORD", "Equipe-Nord.", "équipenord", "E\u{301}quipe nord"] {
        for refused in
            [teams::create(&world.services, &viewer, named(alike)).await.unwrap(), teams::update(&world.services, &viewer, renamed(&other, alike)).await.unwrap()]
        {
            let errors = refused.unwrap_err();
            assert_eq!((codes(&errors), errors[0].existing.as_ref()), (vec![("name", FieldErrorCode::Taken)], Some(&Existing::Team(team.id))), "{alike}");
        }
    }
    assert_nothing_was_written(&world, &before).await;
    created(&world, "Équipe Nord 2").await;
}

#[tokio::test]
async fn a_team_keeps_its_own_name_for_itself_and_leaves_the_old_one_to_others() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let team = created(&world, "Équipe Nord").await;
    let before = records(&world).await;
    for same in [renamed(&team, " Équipe Nord "), UpdateTeam { name: None, ..renamed(&team, "") }] {
        assert_eq!(teams::update(&world.services, &viewer, same).await.unwrap().unwrap(), team);
    }
    assert_nothing_was_written(&world, &before).await;
    let spelt = teams::update(&world.services, &viewer, renamed(&team, "equipe NORD")).await.unwrap().unwrap();
    assert_eq!((spelt.name.as_str(), spelt.record.version, spelt.record.last_change.action.as_str()), ("equipe NORD", 2, "team.updated"));
    let away = teams::update(&world.services, &viewer, renamed(&spelt, "Ouest")).await.unwrap().unwrap();
    assert_eq!(away.record.version, 3);
    assert_ne!(created(&world, "Équipe Nord").await.id, team.id);
    let back = teams::update(&world.services, &viewer, renamed(&away, "equipe nord")).await.unwrap().unwrap_err();
    assert_eq!(codes(&back), [("name", FieldErrorCode::Taken)]);
    // Names of signs alone are told apart by the signs.
    assert_ne!(created(&world, "★").await.id, created(&world, "☆").await.id);
}

#[tokio::test]
async fn who_may_not_is_refused_and_a_supervisor_may() {
    let world = world().await;
    let team = created(&world, "Nord").await;
    let stranger = hired(&world, 1).await;
    let before = records(&world).await;
    for role in ["manager", "telephonist", "agent"] {
        let (services, viewer) = (&world.services, world.viewer(role).await);
        let place = placing(team.id, stranger, MembershipRole::Agent);
        assert!(matches!(teams::create(services, &viewer, named("Sud")).await, Err(AppError::Forbidden)), "{role}");
        assert!(matches!(teams::update(services, &viewer, renamed(&team, "Sud")).await, Err(AppError::Forbidden)), "{role}");
        assert!(matches!(teams::delete(services, &viewer, deletion(&team)).await, Err(AppError::Forbidden)), "{role}");
        assert!(matches!(teams::restore(services, &viewer, Some(team.id)).await, Err(AppError::Forbidden)), "{role}");
        assert!(matches!(teams::add_member(services, &viewer, place).await, Err(AppError::Forbidden)), "{role}");
        assert!(matches!(teams::update_member(services, &viewer, place).await, Err(AppError::Forbidden)), "{role}");
        assert!(matches!(teams::remove_member(services, &viewer, removal(team.id, stranger)).await, Err(AppError::Forbidden)), "{role}");
    }
    assert_nothing_was_written(&world, &before).await;
    let (services, supervisor) = (&world.services, world.viewer("supervisor").await);
    let made = teams::create(services, &supervisor, named("Sud")).await.unwrap().unwrap();
    teams::add_member(services, &supervisor, placing(made.id, stranger, MembershipRole::Agent)).await.unwrap().unwrap();
    let emptied = teams::remove_member(services, &supervisor, removal(made.id, stranger)).await.unwrap().unwrap().team;
    teams::delete(services, &supervisor, deletion(&emptied)).await.unwrap().unwrap();
    teams::restore(services, &supervisor, Some(made.id)).await.unwrap().unwrap();
}

#[tokio::test]
async fn below_the_scope_all_one_reaches_the_teams_one_is_in() {
    let world = world().await;
    let (est, west) = (world.team_id("Est"), world.team_id("West"));
    let absent = TeamId::new(world.clock.now(), &[9; 10]);
    let (services, viewer) = (&world.services, world.viewer("telephonist").await);
    assert_eq!(teams::get(services, &viewer, est).await.unwrap().map(|team| team.id), Some(est));
    assert_eq!(listed(&world, &viewer, true, 1).await, ["Est"]);
    assert_eq!(teams::members(services, &viewer, est, None, 10).await.unwrap().entries.len(), 4);
    for other in [west, absent] {
        assert_eq!(teams::get(services, &viewer, other).await.unwrap(), None);
        assert!(matches!(teams::members(services, &viewer, other, None, 10).await, Err(AppError::Forbidden)));
    }

    let leader = granted(&viewer, Permission::TeamManageMembers, Scope::Team);
    let agent = hired(&world, 1).await;
    teams::add_member(services, &leader, placing(est, agent, MembershipRole::Agent)).await.unwrap().unwrap();
    for other in [west, absent] {
        let place = placing(other, agent, MembershipRole::Agent);
        assert!(matches!(teams::add_member(services, &leader, place).await, Err(AppError::NotFound)));
        assert!(matches!(teams::update_member(services, &leader, place).await, Err(AppError::NotFound)));
        assert!(matches!(teams::remove_member(services, &leader, removal(other, agent)).await, Err(AppError::NotFound)));
    }

    let nobody = Viewer { user: Arc::new(User { roles: Vec::new(), ..viewer.user.as_ref().clone() }), ..viewer };
    assert!(matches!(teams::get(services, &nobody, est).await, Err(AppError::Forbidden)));
    assert!(matches!(teams::list(services, &nobody, false, None, 10).await, Err(AppError::Forbidden)));
    assert!(matches!(teams::members(services, &nobody, est, None, 10).await, Err(AppError::Forbidden)));
}

#[tokio::test]
async fn an_id_that_names_no_team_is_not_found() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let agent = hired(&world, 1).await;
    for id in [None, Some(TeamId::new(world.clock.now(), &[9; 10]))] {
        let services = &world.services;
        let place = PlaceMember { team: id, agent: Some(agent), role: MembershipRole::Agent };
        let update = UpdateTeam { id, expected_version: 1, name: Some(Some("Nord".to_owned())) };
        assert!(matches!(teams::update(services, &viewer, update).await, Err(AppError::NotFound)));
        assert!(matches!(teams::delete(services, &viewer, DeleteTeam { id, expected_version: 1 }).await, Err(AppError::NotFound)));
        assert!(matches!(teams::restore(services, &viewer, id).await, Err(AppError::NotFound)));
        assert!(matches!(teams::add_member(services, &viewer, place).await, Err(AppError::NotFound)));
        assert!(matches!(teams::update_member(services, &viewer, place).await, Err(AppError::NotFound)));
        assert!(matches!(teams::remove_member(services, &viewer, RemoveMember { team: id, agent: Some(agent) }).await, Err(AppError::NotFound)));
    }
}

#[tokio::test]
async fn who_is_no_agent_or_no_member_is_not_found_and_nothing_is_written() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let team = created(&world, "Nord").await.id;
    let (stranger, former) = (hired(&world, 1).await, hired(&world, 2).await);
    dismissed(&world, former).await;
    let absent = AgentId::new(world.clock.now(), &[9; 10]);
    let before = records(&world).await;
    let services = &world.services;
    let not_found = [("agentId", FieldErrorCode::NotFound)];
    for agent in [None, Some(absent), Some(former)] {
        let place = PlaceMember { team: Some(team), agent, role: MembershipRole::Agent };
        assert_eq!(codes(&teams::add_member(services, &viewer, place).await.unwrap().unwrap_err()), not_found);
    }
    for agent in [None, Some(absent), Some(former), Some(stranger)] {
        let place = PlaceMember { team: Some(team), agent, role: MembershipRole::Supervisor };
        assert_eq!(codes(&teams::update_member(services, &viewer, place).await.unwrap().unwrap_err()), not_found);
        assert_eq!(codes(&teams::remove_member(services, &viewer, RemoveMember { team: Some(team), agent }).await.unwrap().unwrap_err()), not_found);
    }
    assert_nothing_was_written(&world, &before).await;
    assert_eq!(members(&world, team).await, BTreeMap::new());
}

#[tokio::test]
async fn an_agent_is_in_20_teams_at_most() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let (agent, other) = (hired(&world, 1).await, hired(&world, 2).await);
    for number in 0..MAX_TEAMS {
        let team = created(&world, &format!("Team {number}")).await;
        assert!(placed(&world, team.id, agent, MembershipRole::Agent).await.changed);
    }
    let one_more = created(&world, "One more").await.id;
    let before = records(&world).await;
    let refused = teams::add_member(&world.services, &viewer, placing(one_more, agent, MembershipRole::Agent)).await.unwrap().unwrap_err();
    assert_eq!(codes(&refused), [("agentId", FieldErrorCode::LimitExceeded)]);
    assert_nothing_was_written(&world, &before).await;
    let first = self::agent(&world, agent).await.teams[0].team;
    assert!(placed(&world, first, agent, MembershipRole::TeamLead).await.changed, "a member can still be given another role");
    placed(&world, one_more, other, MembershipRole::Agent).await;
    teams::remove_member(&world.services, &viewer, removal(first, agent)).await.unwrap().unwrap();
    assert!(placed(&world, one_more, agent, MembershipRole::Agent).await.changed);
}

#[tokio::test]
async fn adding_a_member_again_changes_the_role_and_with_the_same_role_nothing() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let (id, person) = (created(&world, "Nord").await.id, hired(&world, 1).await);
    let joined = placed(&world, id, person, MembershipRole::Agent).await;
    assert_eq!((joined.changed, joined.team.member_count, joined.team.record.version), (true, 1, 2));
    assert_eq!((joined.membership.team, joined.membership.agent, joined.membership.assigned_at), (id, person, world.clock.now()));
    world.clock.advance(SignedDuration::from_secs(10));
    let before = records(&world).await;
    let again = placed(&world, id, person, MembershipRole::Agent).await;
    assert_eq!(again, PlacedMember { changed: false, ..joined.clone() });
    let as_is = teams::update_member(&world.services, &viewer, placing(id, person, MembershipRole::Agent)).await.unwrap().unwrap();
    assert_eq!(as_is, again);
    assert_nothing_was_written(&world, &before).await;

    let leads = placed(&world, id, person, MembershipRole::TeamLead).await;
    assert_eq!((leads.changed, leads.membership.role, leads.team.member_count, leads.team.record.version), (true, MembershipRole::TeamLead, 1, 3));
    let supervises = teams::update_member(&world.services, &viewer, placing(id, person, MembershipRole::Supervisor)).await.unwrap().unwrap();
    assert_eq!((supervises.changed, supervises.team.member_count, supervises.team.record.version), (true, 1, 4));
    assert_eq!(supervises.membership.assigned_at, joined.membership.assigned_at, "since when one is in a team doesn't depend on the role");
    assert_eq!(members(&world, id).await, [(person, MembershipRole::Supervisor)].into());
    assert_eq!(team(&world, id).await, supervises.team);

    let removed = teams::remove_member(&world.services, &viewer, removal(id, person)).await.unwrap().unwrap();
    assert_eq!((removed.team.member_count, removed.team.record.version, removed.agent.record.version), (0, 5, 5));
    assert_eq!((team(&world, id).await, agent(&world, person).await), (removed.team, removed.agent.clone()));
    assert!(removed.agent.teams.is_empty() && members(&world, id).await.is_empty());
}

#[tokio::test]
async fn each_coming_and_going_is_on_record_with_the_team_and_with_the_agent() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let (id, person) = (created(&world, "Nord").await.id, hired(&world, 1).await);
    let mut images = vec![(item_of(&world, "team", id).await, item_of(&world, "agent", person).await)];
    let mut changes = Vec::new();
    let mut look = async |world: &World| {
        let (team, agent) = (team(world, id).await, agent(world, person).await);
        changes.push((team.record.last_change.clone(), agent.record.last_change.clone()));
        images.push((item_of(world, "team", id).await, item_of(world, "agent", person).await));
    };
    placed(&world, id, person, MembershipRole::Agent).await;
    look(&world).await;
    teams::update_member(&world.services, &viewer, placing(id, person, MembershipRole::TeamLead)).await.unwrap().unwrap();
    look(&world).await;
    teams::remove_member(&world.services, &viewer, removal(id, person)).await.unwrap().unwrap();
    look(&world).await;

    let steps = [
        ("team.member_added", "agent.team_joined", None, Some(MembershipRole::Agent)),
        ("team.member_changed", "agent.team_role_changed", Some(MembershipRole::Agent), Some(MembershipRole::TeamLead)),
        ("team.member_removed", "agent.team_left", Some(MembershipRole::TeamLead), None),
    ];
    for ((of_team, of_agent), (in_team, in_agent, before, after)) in changes.iter().zip(steps) {
        assert_eq!((of_team.action.as_str(), of_agent.action.as_str()), (in_team, in_agent));
        assert_eq!(of_team.member, Some(MemberChange { agent: person, before, after }));
        assert_eq!(of_agent.member, None, "the agent's own record names its teams");
        assert_eq!((&of_team.origin, &of_agent.origin), (&viewer.origin(), &viewer.origin()));
    }

    let mut batch = vec![made::inserted(&images[0].0), made::inserted(&images[0].1)];
    for pair in images.windows(2) {
        batch.extend([made::changed(&pair[0].0, &pair[1].0), made::changed(&pair[0].1, &pair[1].1)]);
    }
    let report = made::recorder(&world).record(batch).await.unwrap();
    assert_eq!(report, Report { recorded: 8, ..Report::default() });
    for (index, (in_team, in_agent, before, after)) in steps.into_iter().enumerate() {
        let version = u32::try_from(index).unwrap() + 2;
        for (kind, id, action, field) in [("team", id.to_string(), in_team, format!("members.{person}")), ("agent", person.to_string(), in_agent, format!("teams.{id}"))]
        {
            let event = world.database.audit.get(world.tenant.record.id, kind, &id, &Place::Version(version)).await.unwrap().unwrap().event;
            let role = |role: Option<MembershipRole>| role.map(|role| serde_json::json!(role));
            let expected = Changes::Clear(vec![FieldChange { field, old: role(before), new: role(after) }]);
            assert_eq!((event.change.action.as_str(), event.changes), (action, expected));
        }
    }
}

#[tokio::test]
async fn a_deleted_team_gives_up_its_name_at_once_and_its_members_one_by_one() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let before = created(&world, "Nord").await;
    let (id, people) = (before.id, hire(&world, 2).await);
    for person in &people {
        placed(&world, id, *person, MembershipRole::Agent).await;
    }
    let stale = teams::delete(&world.services, &viewer, deletion(&before)).await.unwrap().unwrap_err();
    assert_eq!(codes(&stale), [("expectedVersion", FieldErrorCode::Stale)]);
    let gone = deleted(&world, &team(&world, id).await).await.team;
    assert_eq!((gone.deleted_at, gone.record.version, gone.record.last_change.action.as_str()), (Some(world.clock.now()), 4, "team.deleted"));
    assert_eq!((team(&world, id).await, members(&world, id).await.len()), (gone.clone(), 2), "they leave in a job");
    assert_eq!(teams::get(&world.services, &viewer, id).await.unwrap(), Some(gone.clone()));

    let services = &world.services;
    let place = placing(id, people[0], MembershipRole::TeamLead);
    assert!(matches!(teams::update(services, &viewer, renamed(&gone, "Nord")).await, Err(AppError::NotFound)));
    assert!(matches!(teams::add_member(services, &viewer, place).await, Err(AppError::NotFound)));
    assert!(matches!(teams::update_member(services, &viewer, place).await, Err(AppError::NotFound)));
    assert!(matches!(teams::remove_member(services, &viewer, removal(id, people[0])).await, Err(AppError::NotFound)));
    let refused = teams::restore(services, &viewer, Some(id)).await.unwrap().unwrap_err();
    assert_eq!(codes(&refused), [("id", FieldErrorCode::ForbiddenTransition)], "who comes back would not know who is still in it");
    let heir = created(&world, "Nord").await;

    world.clock.advance(SignedDuration::from_secs(20));
    for person in &people {
        assert_eq!((ended(&world, id, *person).await, ended(&world, id, *person).await), (Ending::Over, Ending::Over));
        let person = agent(&world, *person).await;
        assert_eq!((person.teams.len(), person.record.version, person.record.last_change.action.as_str()), (0, 3, "agent.team_left"));
    }
    let empty = team(&world, id).await;
    assert_eq!((empty.member_count, empty.record.version, empty.deleted_at), (0, 6, gone.deleted_at), "each of them is a change");
    assert_eq!(members(&world, id).await, BTreeMap::new());

    let refused = teams::restore(services, &viewer, Some(id)).await.unwrap().unwrap_err();
    assert_eq!((codes(&refused), refused[0].existing.as_ref()), (vec![("id", FieldErrorCode::Taken)], Some(&Existing::Team(heir.id))));
    teams::update(services, &viewer, renamed(&heir, "Sud")).await.unwrap().unwrap();
    let restored = teams::restore(services, &viewer, Some(id)).await.unwrap().unwrap();
    assert_eq!((restored.name.as_str(), restored.deleted_at, restored.member_count, restored.record.version), ("Nord", None, 0, 7));
    assert_eq!(restored.record.last_change.action, "team.restored");
    let refused = teams::create(services, &viewer, named("nord")).await.unwrap().unwrap_err();
    assert_eq!(codes(&refused), [("name", FieldErrorCode::Taken)]);
    let refused = teams::restore(services, &viewer, Some(id)).await.unwrap().unwrap_err();
    assert_eq!(codes(&refused), [("id", FieldErrorCode::ForbiddenTransition)], "it is there");
}

#[tokio::test]
async fn a_deletion_whose_job_could_not_be_asked_for_is_completed_by_deleting_again() {
    let mut world = World::new().await;
    let viewer = world.viewer("admin").await;
    let before = created(&world, "Nord").await;
    // Nothing listens where the queue would be.
    assert!(matches!(teams::delete(&world.services, &viewer, deletion(&before)).await, Err(AppError::Platform(_))));
    let gone = team(&world, before.id).await;
    assert!(gone.deleted_at.is_some());
    world.services.bulk_queue = self::world().await.services.bulk_queue;
    let again = teams::delete(&world.services, &viewer, deletion(&before)).await.unwrap().unwrap();
    assert_eq!((again.team, team(&world, before.id).await), (gone.clone(), gone), "one deletion");
    assert!(!again.job.is_ended());
}

/// Works on the job of a deletion as the queue's worker does, once it may begin.
async fn disband(world: &World, deletion: &DeletedTeam) -> Stopped {
    world.clock.advance(SignedDuration::from_secs(21));
    let message = BulkMessage { tenant: world.tenant.record.id, job: deletion.job.id };
    let keep = async |_: u32, _: &[Outcome]| Ok::<(), AppError>(());
    change_contacts(&world.services, &message, Instant::now() + Duration::from_secs(20), &keep).await.unwrap()
}

#[tokio::test]
async fn the_job_of_a_deletion_ends_every_membership_on_behalf_of_who_deleted() {
    let world = world().await;
    let id = created(&world, "Nord").await.id;
    let people = hire(&world, 30).await;
    for person in &people {
        placed(&world, id, *person, MembershipRole::Agent).await;
    }
    let deletion = deleted(&world, &team(&world, id).await).await;
    assert_eq!(disband(&world, &deletion).await, Stopped::Ended);
    assert_eq!(members(&world, id).await, BTreeMap::new());
    let after = team(&world, id).await;
    assert_eq!(after.record.version, 62, "30 came, it was deleted, 30 left");
    let origin = &after.record.last_change.origin;
    assert_eq!((origin.job, origin.actor.id.clone()), (Some(deletion.job.id), Some(world.user_id("admin").to_string())));
    for person in people {
        assert!(agent(&world, person).await.teams.is_empty());
    }
}

#[tokio::test]
async fn who_joins_a_team_that_was_restored_stays_although_its_job_is_still_to_come() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let (before, person) = (created(&world, "Nord").await, hired(&world, 1).await);
    let deletion = deleted(&world, &before).await;
    teams::restore(&world.services, &viewer, Some(before.id)).await.unwrap().unwrap();
    placed(&world, before.id, person, MembershipRole::Agent).await;
    let records_before = records(&world).await;
    assert_eq!(ended(&world, before.id, person).await, Ending::TeamIsThere);
    assert_nothing_was_written(&world, &records_before).await;
    assert_eq!(disband(&world, &deletion).await, Stopped::Ended);
    assert_eq!(members(&world, before.id).await, [(person, MembershipRole::Agent)].into());
}

#[tokio::test]
async fn teams_are_listed_by_name_page_by_page_and_deleted_ones_when_asked_for() {
    let world = world().await;
    let viewer = world.viewer("manager").await;
    for name in ["élan", "Zoo", "Ada", "zig zag", "Bob"] {
        created(&world, name).await;
    }
    for name in ["Zoo", "Ada"] {
        let id = people::team_by_name(&world.database.core, &world.tenant.scope, &folded_name(name)).await.unwrap().unwrap();
        deleted(&world, &team(&world, id).await).await;
    }
    for first in [1, 2, 3, 7, 50] {
        assert_eq!(listed(&world, &viewer, false, first).await, ["Bob", "élan", "Est", "West", "zig zag"], "{first}");
        assert_eq!(listed(&world, &viewer, true, first).await, ["Ada", "Bob", "élan", "Est", "West", "zig zag", "Zoo"], "{first}");
    }
    let supervisor = world.viewer("supervisor").await;
    let own = Viewer { user: world.viewer("telephonist").await.user, ..supervisor };
    for first in [1, 50] {
        assert_eq!(listed(&world, &own, true, first).await, ["Est", "West"]);
    }
}

#[tokio::test]
async fn an_idempotency_key_answers_as_before_and_refuses_other_input() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let with_key = |name: &str| CreateTeam { idempotency_key: Some("key".to_owned()), ..named(name) };
    let first = teams::create(&world.services, &viewer, with_key("Nord")).await.unwrap().unwrap();
    assert_eq!(teams::create(&world.services, &viewer, with_key("Nord")).await.unwrap().unwrap(), first);
    let errors = teams::create(&world.services, &viewer, with_key("Sud")).await.unwrap().unwrap_err();
    assert_eq!(codes(&errors), [("idempotencyKey", FieldErrorCode::Conflict)]);
    let renamed = teams::update(&world.services, &viewer, renamed(&first, "Ouest")).await.unwrap().unwrap();
    assert_eq!(teams::create(&world.services, &viewer, with_key("Nord")).await.unwrap().unwrap(), renamed, "as it is now");
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_one_change() {
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        let world = world().await;
        let viewer = world.viewer("admin").await;
        let (services, wire, person) = (&world.services, &world.database.wire, hired(&world, 1).await);
        wire.cut_next("TransactWriteItems", fault);
        let made = teams::create(services, &viewer, named("Nord")).await.unwrap().unwrap();
        wire.cut_next("PutItem", fault);
        let spelt = teams::update(services, &viewer, renamed(&made, "NORD")).await.unwrap().unwrap();
        wire.cut_next("TransactWriteItems", fault);
        let renamed = teams::update(services, &viewer, renamed(&spelt, "Sud")).await.unwrap().unwrap();
        wire.cut_next("TransactWriteItems", fault);
        let joined = placed(&world, made.id, person, MembershipRole::Agent).await;
        assert_eq!((spelt.record.version, renamed.record.version, joined.changed, joined.team.record.version), (2, 3, true, 4), "{fault:?}");
        wire.cut_next("TransactWriteItems", fault);
        let left = teams::remove_member(services, &viewer, removal(made.id, person)).await.unwrap().unwrap();
        wire.cut_next("TransactWriteItems", fault);
        let gone = deleted(&world, &left.team).await;
        wire.cut_next("TransactWriteItems", fault);
        let back = teams::restore(services, &viewer, Some(made.id)).await.unwrap().unwrap();
        assert_eq!((left.team.record.version, gone.team.record.version, back.record.version), (5, 6, 7), "{fault:?}");
        assert_eq!((members(&world, made.id).await.len(), agent(&world, person).await.record.version), (0, 3));
    }
}

#[tokio::test]
async fn a_member_costs_the_same_requests_however_many_there_are() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let people = hire(&world, 60).await;
    let id = created(&world, "Nord").await.id;
    let mut seen = Vec::new();
    for person in &people {
        world.database.meter.reset();
        teams::add_member(&world.services, &viewer, placing(id, *person, MembershipRole::Agent)).await.unwrap().unwrap();
        let adding = world.database.meter.usage();
        world.database.meter.reset();
        assert_eq!(teams::get(&world.services, &viewer, id).await.unwrap().map(|team| team.member_count as usize), Some(seen.len() + 1));
        let counting = world.database.meter.usage();
        seen.push((adding.total_requests(), counting.total_requests(), counting.read_units));
    }
    assert_eq!((seen[0].0, seen[0].1), (2, 1));
    assert!(seen.iter().all(|usage| *usage == seen[0]), "{seen:?}");
    world.database.meter.reset();
    assert_eq!(teams::members(&world.services, &viewer, id, None, 100).await.unwrap().entries.len(), 60);
    assert_eq!(world.database.meter.usage().total_requests(), 1);
}
