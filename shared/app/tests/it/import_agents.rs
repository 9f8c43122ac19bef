//! Imports of agents.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures::future::join;
use jiff::SignedDuration;
use switchboard_app::Services;
use switchboard_app::agents::{self, DeleteAgent};
use switchboard_app::imports::{ChunkResult, write_rows};
use switchboard_app::users::{self, Enrolled, NewPerson};
use switchboard_domain::actor::ActorKind;
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::OnInvalid;
use switchboard_domain::ids::{TeamId, UserId};
use switchboard_domain::imports::{BlankCells, Import, ImportKind, ImportOptions, OnDeleted, OnExisting, Row, RowCounts, sniff};
use switchboard_domain::person::{ADMIN, Agent, MembershipRole, TELEPHONIST, User, UserStatus};
use switchboard_domain::team::Team;
use switchboard_store::item::text;
use switchboard_store::{people, settings, tenants};
use switchboard_testkit::{Fault, UserPool, World};

use crate::made;

/// A world with a user pool.
async fn world() -> (World, UserPool) {
    let (mut world, pool) = (World::new().await, UserPool::default());
    world.services.identities = pool.identities();
    (world, pool)
}

/// An import of agents in its writing phase, and the rows of its file.
fn import(world: &World, seed: u8, file: &str, options: ImportOptions) -> (Import, Vec<Row>) {
    let (import, rows) = made::import(world, seed, file);
    let mapping = sniff(file.as_bytes(), true, "CA").unwrap().mapping(ImportKind::Agents, "CA");
    (Import { kind: ImportKind::Agents, mapping, options, file_name: "staff.csv".to_owned(), ..import }, rows)
}

async fn write_with(world: &World, seed: u8, file: &str, options: ImportOptions) -> ChunkResult {
    let (import, rows) = import(world, seed, file, options);
    write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), false).await.unwrap()
}

async fn write(world: &World, seed: u8, file: &str) -> ChunkResult {
    write_with(world, seed, file, ImportOptions::default()).await
}

fn counts(created: u64, updated: u64, unchanged: u64) -> RowCounts {
    RowCounts { created, updated, unchanged, ..RowCounts::default() }
}

fn failed(rows: u64) -> RowCounts {
    RowCounts { failed: rows, ..RowCounts::default() }
}

/// Which fields of which rows are wrong, and how.
fn errors(result: &ChunkResult) -> Vec<(u64, &str, &str)> {
    result.errors.iter().map(|error| (error.row, error.field.as_deref().unwrap_or_default(), error.code.as_str())).collect()
}

/// The user and the agent of an address.
async fn person(world: &World, email: &str) -> Option<(User, Option<Agent>)> {
    let (core, scope) = (&world.database.core, &world.tenant.scope);
    let id = people::user_by_email(core, &world.tenant, email).await.unwrap()?;
    Some((people::user(core, scope, id).await.unwrap().unwrap(), people::agent(core, scope, id.into()).await.unwrap()))
}

async fn agent(world: &World, email: &str) -> Agent {
    person(world, email).await.unwrap().1.unwrap()
}

async fn team(world: &World, folded: &str) -> Option<Team> {
    let (core, scope) = (&world.database.core, &world.tenant.scope);
    let id = people::team_by_name(core, scope, folded).await.unwrap()?;
    people::team(core, scope, id).await.unwrap()
}

/// A user who is no agent.
async fn user_alone(world: &World, email: &str) {
    let now = world.clock.now();
    let person = NewPerson {
        id: UserId::new(now, &world.services.entropy.id()),
        subject: format!("the subject of {email}"),
        email: email.to_owned(),
        name: "Alone".to_owned(),
        roles: Vec::new(),
        grants: Vec::new(),
        change: Change::new("user.invited", now, Origin::system()),
        status: UserStatus::Invited,
        agent: None,
        others: Vec::new(),
    };
    assert!(matches!(users::enrol(&world.services, &world.tenant, person).await.unwrap(), Enrolled::Done(_, None)));
}

/// What every user, agent and team says, by their names, and how often it was changed.
async fn said(world: &World) -> BTreeSet<String> {
    let items = made::everything(&world.database).await;
    let of_type = |kind: &'static str| items.iter().filter(move |item| text(item, "type") == Some(kind)).cloned();
    let teams: Vec<Team> = of_type(people::TEAM).map(|item| people::decode_team(item).unwrap()).collect();
    let names: BTreeMap<TeamId, &str> = teams.iter().map(|team| (team.id, team.name.as_str())).collect();
    let mut said: BTreeSet<String> = teams.iter().map(|team| format!("team {} {} {}", team.name, team.member_count, team.record.version)).collect();
    for user in of_type(people::USER).map(|item| people::decode_user(item).unwrap()) {
        said.insert(format!("user {} {:?} {}", user.name, user.status, user.record.version));
    }
    for agent in of_type(people::AGENT).map(|item| people::decode_agent(item).unwrap()) {
        let places: BTreeMap<&str, MembershipRole> = agent.teams.iter().map(|place| (names[&place.team], place.role)).collect();
        said.insert(format!("agent {} {:?} {places:?} {}", agent.name, agent.employee_id, agent.record.version));
    }
    said.insert(format!("{} memberships", of_type(people::MEMBERSHIP).count()));
    said
}

#[tokio::test]
async fn rows_without_a_name_or_an_address_fail_and_any_other_value_that_is_not_valid_is_left_out() {
    let (world, pool) = world().await;
    let file = "name,email,employee id,team,role\n,a@new.test,,,\nZoe,nobody,,,\nZoe,zoé@new.test,,,\nZoe,zoe@new.test,,Est,boss\nLiam,liam@new.test,,,lead\n";
    let failing = write_with(&world, 1, file, ImportOptions { on_invalid: OnInvalid::Fail, ..ImportOptions::default() }).await;
    let wrong = [(1, "name", "BLANK"), (2, "email", "INVALID"), (3, "email", "INVALID"), (4, "role", "INVALID"), (5, "role", "INVALID")];
    assert_eq!((failing.counts, errors(&failing)), (failed(5), wrong.to_vec()));
    assert!(pool.addresses().is_empty());
    let result = write(&world, 2, file).await;
    assert_eq!((result.counts, errors(&result)), (RowCounts { created: 2, failed: 3, warned: 2, ..RowCounts::default() }, wrong.to_vec()));
    assert_eq!(result.errors[3].value.as_deref(), Some("boss"));
    assert_eq!(agent(&world, "zoe@new.test").await.role_in(world.team_id("Est")), Some(MembershipRole::Agent));
}

#[tokio::test]
async fn an_address_of_somebody_who_is_no_agent_here_costs_its_row() {
    let (world, pool) = world().await;
    user_alone(&world, "alone@new.test").await;
    let elsewhere = tenants::subject_part(&world.tenant.scope, &pool.register("taken@new.test"), UserId::new(world.clock.now(), &[9; 10]));
    assert!(world.services.core.commit(&world.tenant.scope, vec![elsewhere]).await.unwrap());
    let before = agent(&world, "telephonist@demo.test").await;
    let request = DeleteAgent { id: Some(before.id), expected_version: i32::try_from(before.record.version).unwrap(), ..DeleteAgent::default() };
    agents::take_out(&world.services, &world.viewer(ADMIN).await, &request).await.unwrap().unwrap();
    let file = "name,email\nZoe,alone@new.test\nZoe,taken@new.test\nThéo Tremblay,telephonist@demo.test\n";
    let result = write(&world, 1, file).await;
    assert_eq!((result.counts, errors(&result)), (failed(3), vec![(1, "email", "CONFLICT"), (2, "email", "TAKEN"), (3, "email", "CONFLICT")]));
    assert!(result.written.is_empty());
    let skipping = write_with(&world, 2, file, ImportOptions { on_deleted: OnDeleted::Skip, ..ImportOptions::default() }).await;
    assert_eq!(skipping.counts, RowCounts { skipped: 1, failed: 2, ..RowCounts::default() });
}

#[tokio::test]
async fn a_team_that_is_not_there_costs_its_row_when_no_teams_are_to_be_made() {
    let (world, pool) = world().await;
    let options = ImportOptions { create_teams: false, ..ImportOptions::default() };
    let result = write_with(&world, 1, "name,email,team\nZoe,zoe@new.test,North\nLiam,liam@new.test,EST\n", options).await;
    assert_eq!((result.counts, errors(&result)), (RowCounts { created: 1, failed: 1, ..RowCounts::default() }, vec![(1, "team", "NOT_FOUND")]));
    assert_eq!((team(&world, "north").await, pool.addresses()), (None, vec!["liam@new.test".to_owned()]));
}

#[tokio::test]
async fn who_may_do_more_than_a_telephonist_is_not_renamed_by_an_import() {
    let (world, _) = world().await;
    let before = person(&world, "supervisor@demo.test").await;
    for changed in ["name,email\nSofia Roy,supervisor@demo.test\n", "name,email,employee id\nSofia Supervisor,supervisor@demo.test,7\n"] {
        let result = write(&world, 1, changed).await;
        assert_eq!((result.counts, errors(&result)), (failed(1), vec![(1, "email", "NOT_ALLOWED")]));
    }
    assert_eq!(person(&world, "supervisor@demo.test").await, before);
    let placed = write(&world, 2, "name,email,team,role\nSofia Supervisor,supervisor@demo.test,West,member\n").await;
    assert_eq!(placed.counts, counts(0, 1, 0));
    assert_eq!(agent(&world, "supervisor@demo.test").await.role_in(world.team_id("West")), Some(MembershipRole::Agent));
}

#[tokio::test]
async fn agents_there_are_stay_or_cost_their_row_when_the_options_say_so() {
    let (world, _) = world().await;
    let before = agent(&world, "telephonist@demo.test").await;
    let file = "name,email\nTheo Roy,telephonist@demo.test\n";
    let with = |on_existing| ImportOptions { on_existing, ..ImportOptions::default() };
    assert_eq!(write_with(&world, 1, file, with(OnExisting::Skip)).await.counts, RowCounts { skipped: 1, ..RowCounts::default() });
    let result = write_with(&world, 2, file, with(OnExisting::Fail)).await;
    assert_eq!((result.counts, errors(&result)), (failed(1), vec![(1, "email", "CONFLICT")]));
    assert_eq!(agent(&world, "telephonist@demo.test").await, before);
}

#[tokio::test]
async fn somebody_new_is_a_telephonist_who_was_not_sent_a_message_and_their_team_is_made() {
    let (world, pool) = world().await;
    let file = "Prénom;Nom;Courriel;Matricule;Équipe;Rôle\nZoé;Gélinas;Zoe@New.test;7;Équipe Nord;chef d'équipe\nLiam;Roy;liam@new.test;;equipe-nord;\n";
    let result = write(&world, 1, file).await;
    assert_eq!((result.counts, errors(&result)), (counts(2, 0, 0), Vec::new()));
    let (user, agent) = person(&world, "zoe@new.test").await.unwrap();
    let agent = agent.unwrap();
    let telephonist = settings::load(&world.database.core, &world.tenant.scope).await.unwrap().role_by_code(TELEPHONIST).unwrap().id;
    assert_eq!((user.status, user.roles, user.name.as_str(), agent.name.as_str()), (UserStatus::Invited, vec![telephonist], "Zoé Gélinas", "Zoé Gélinas"));
    assert_eq!((agent.employee_id.as_deref(), agent.record.version, agent.record.created_by.kind), (Some("7"), 1, ActorKind::Import));
    let team = team(&world, "equipenord").await.unwrap();
    assert_eq!((team.name.as_str(), team.member_count, team.record.version, team.record.created_by.kind), ("Équipe Nord", 2, 3, ActorKind::Import));
    assert_eq!(agent.role_in(team.id), Some(MembershipRole::TeamLead));
    assert_eq!((pool.addresses().len(), pool.messages()), (2, Vec::new()));
    let mut written: Vec<(&str, Option<u32>)> = result.written.iter().map(|row| (row.entity_type.as_str(), row.version)).collect();
    written.sort_unstable();
    let expected = [("agent", Some(1)), ("agent", Some(1)), ("team", Some(1)), ("team", Some(2)), ("team", Some(3)), ("user", Some(1)), ("user", Some(1))];
    assert_eq!(written, expected);
}

#[tokio::test]
async fn name_number_and_team_of_who_is_there_change_in_one_version_and_the_same_again_writes_nothing() {
    let (world, pool) = world().await;
    let (user, before) = person(&world, "telephonist@demo.test").await.unwrap();
    let before = before.unwrap();
    let same = "name,email,employee id,team\nThéo Tremblay,telephonist@demo.test,,Est\n";
    world.database.meter.reset();
    assert_eq!(write(&world, 1, same).await.counts, counts(0, 0, 1));
    assert_eq!(world.database.meter.usage().total_write_units(), 0.0);
    let file = "name,email,employee id,team,role\nThéo Roy,telephonist@demo.test,7,West,team lead\n";
    assert_eq!(write(&world, 2, file).await.counts, counts(0, 1, 0));
    let (renamed, after) = person(&world, "telephonist@demo.test").await.unwrap();
    let after = after.unwrap();
    assert_eq!((after.name.as_str(), after.employee_id.as_deref(), after.record.version), ("Théo Roy", Some("7"), before.record.version + 1));
    assert_eq!((renamed.name.as_str(), renamed.record.version), ("Théo Roy", user.record.version + 1));
    assert_eq!((after.role_in(world.team_id("Est")), after.role_in(world.team_id("West"))), (Some(MembershipRole::Agent), Some(MembershipRole::TeamLead)));
    let membership = people::membership(&world.database.core, &world.tenant.scope, world.team_id("West"), after.id).await.unwrap().unwrap();
    assert_eq!(membership.role, MembershipRole::TeamLead);
    assert_eq!(write(&world, 3, file).await.counts, counts(0, 0, 1));
    assert_eq!(write(&world, 4, "name,email,team,role\nThéo Roy,telephonist@demo.test,West,member\n").await.counts, counts(0, 1, 0));
    let clearing = ImportOptions { blank_cells: BlankCells::Clear, ..ImportOptions::default() };
    assert_eq!(write_with(&world, 5, "name,email,employee id,team\nThéo Roy,telephonist@demo.test,,\n", clearing).await.counts, counts(0, 1, 0));
    let cleared = agent(&world, "telephonist@demo.test").await;
    assert_eq!((cleared.employee_id, cleared.teams.len()), (None, 2), "nobody is taken out of a team");
    assert!(pool.addresses().is_empty());
}

/// Two people who are new, one in a team that is made, and one who is there and changes.
const FILE: &str = "name,email,employee id,team,role\nZoe,zoe@new.test,7,North,lead\nLiam,liam@new.test,,Est,\nThéo Roy,telephonist@demo.test,,North,\n";

/// That import, begun a moment ago.
fn prepared(world: &World) -> (Import, Vec<Row>) {
    let prepared = import(world, 1, FILE, ImportOptions::default());
    world.clock.advance(SignedDuration::from_secs(1));
    prepared
}

#[tokio::test]
async fn the_same_rows_again_count_the_same_and_write_nothing() {
    let (world, pool) = world().await;
    let (import, rows) = prepared(&world);
    let write = async |redelivered: bool| write_rows(&world.services, &world.tenant, &import, rows.clone(), &HashSet::new(), redelivered).await.unwrap();
    let first = write(false).await;
    assert_eq!(first.counts, counts(2, 1, 0));
    let before = made::everything(&world.database).await;
    for _ in 0..3 {
        let again = write(true).await;
        let of_people = |result: &ChunkResult| {
            let people = result.written.iter().filter(|row| row.entity_type != "team");
            people.map(|row| (row.entity_type.clone(), row.entity_id.clone(), row.version)).collect::<BTreeSet<_>>()
        };
        let teams = |result: &ChunkResult| {
            let teams = result.written.iter().filter(|row| row.entity_type == "team");
            teams.map(|row| row.entity_id.clone()).collect::<BTreeSet<_>>()
        };
        assert_eq!((again.counts, of_people(&again), teams(&again)), (first.counts, of_people(&first), teams(&first)));
    }
    let after = made::everything(&world.database).await;
    assert!(before.len() == after.len() && before.iter().all(|item| after.contains(item)));
    assert_eq!(pool.addresses(), ["liam@new.test", "zoe@new.test"]);
}

#[tokio::test]
async fn a_row_that_comes_again_does_not_overwrite_what_was_changed_since() {
    let (world, _) = world().await;
    let (import, rows) = import(&world, 1, "name,email\nOlder,telephonist@demo.test\n", ImportOptions::default());
    world.clock.advance(SignedDuration::from_secs(60));
    write(&world, 2, "name,email\nNewer,telephonist@demo.test\n").await;
    let again = write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), true).await.unwrap();
    assert_eq!((again.counts, agent(&world, "telephonist@demo.test").await.name.as_str()), (counts(0, 0, 1), "Newer"));
}

#[tokio::test]
async fn a_worker_that_is_killed_anywhere_leaves_what_comes_to_the_same() {
    let (clean, _) = world().await;
    let (import, rows) = prepared(&clean);
    assert_eq!(write_rows(&clean.services, &clean.tenant, &import, rows, &HashSet::new(), false).await.unwrap().counts, counts(2, 1, 0));
    let expected = said(&clean).await;
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        for left in 0.. {
            let (world, pool) = world().await;
            let (import, rows) = prepared(&world);
            let dying = Services { core: world.database.without_retries().core, ..world.services.clone() };
            world.database.wire.cut_for_good(left, fault);
            let outcome = write_rows(&dying, &world.tenant, &import, rows.clone(), &HashSet::new(), false).await;
            let was_killed = world.database.wire.mend();
            assert_eq!(outcome.is_err(), was_killed, "{fault:?} after {left} requests: {outcome:?}");
            let again = write_rows(&world.services, &world.tenant, &import, rows, &HashSet::new(), true).await.unwrap();
            assert_eq!(again.counts, counts(2, 1, 0), "{fault:?} after {left} requests");
            assert_eq!(said(&world).await, expected, "{fault:?} after {left} requests");
            assert_eq!((pool.addresses().len(), pool.messages().len()), (2, 0));
            if !was_killed {
                assert!(left > 8, "nothing was cut");
                break;
            }
        }
    }
}

#[tokio::test]
async fn two_imports_at_once_make_each_person_once_and_one_team() {
    let (world, pool) = world().await;
    let rows: String = (0..10).map(|index| format!("Person {index},person{index}@new.test,North\n")).collect();
    let file = format!("name,email,team\n{rows}");
    let (first, second) = join(write(&world, 1, &file), write(&world, 2, &file)).await;
    assert_eq!((first.counts.total(), second.counts.total()), (10, 10));
    assert_eq!((first.counts.created + second.counts.created, first.counts.unchanged + second.counts.unchanged), (10, 10));
    assert_eq!((team(&world, "north").await.unwrap().member_count, pool.addresses().len()), (10, 10));
    let teams = made::everything(&world.database).await.into_iter().filter(|item| text(item, "type") == Some(people::TEAM)).count();
    assert_eq!(teams, 3);
}

#[tokio::test]
async fn of_100_new_agents_each_costs_one_transaction() {
    let (world, _) = world().await;
    let rows: String = (0..100).map(|index| format!("Person {index},person{index}@new.test\n")).collect();
    world.database.meter.reset();
    assert_eq!(write(&world, 1, &format!("name,email\n{rows}")).await.counts, counts(100, 0, 0));
    let usage = world.database.meter.usage();
    assert_eq!((usage.requests["TransactWriteItems"], usage.requests["BatchGetItem"], usage.total_requests()), (100, 1, 102));
    assert_eq!((usage.write_units["core"], usage.write_units["core/GSI1"]), (800.0, 200.0));
}
