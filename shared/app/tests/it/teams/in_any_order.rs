//! Whatever is done with three teams and three agents, in every order and at once, agrees with a plain map.

use std::collections::BTreeMap;

use futures::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use switchboard_app::teams::{self, Ending};
use switchboard_app::{AppError, UserError, Viewer};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, TeamId};
use switchboard_domain::person::MembershipRole;
use switchboard_domain::team::folded_name;
use switchboard_store::people;
use switchboard_testkit::World;

use super::{agent, created, deletion, hire, members, placing, removal, team, world};

const ROLES: [MembershipRole; 3] = [MembershipRole::Agent, MembershipRole::TeamLead, MembershipRole::Supervisor];
const TEAMS: usize = 3;
const PEOPLE: usize = 3;

#[derive(Debug, Clone, Copy)]
enum Operation {
    Add { team: usize, person: usize, role: MembershipRole },
    Update { team: usize, person: usize, role: MembershipRole },
    Remove { team: usize, person: usize },
    Delete { team: usize },
    End { team: usize, person: usize },
    Restore { team: usize },
}

fn operation() -> impl Strategy<Value = Operation> {
    let place = || (0..TEAMS, 0..PEOPLE);
    let role = || proptest::sample::select(ROLES.to_vec());
    prop_oneof![
        6 => (place(), role()).prop_map(|((team, person), role)| Operation::Add { team, person, role }),
        2 => (place(), role()).prop_map(|((team, person), role)| Operation::Update { team, person, role }),
        3 => place().prop_map(|(team, person)| Operation::Remove { team, person }),
        1 => (0..TEAMS).prop_map(|team| Operation::Delete { team }),
        4 => place().prop_map(|(team, person)| Operation::End { team, person }),
        3 => (0..TEAMS).prop_map(|team| Operation::Restore { team }),
    ]
}

/// What came of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Changed,
    Unchanged,
    Refused(FieldErrorCode),
    NotFound,
}

/// The plain map that teams and agents are to agree with.
struct Model {
    is_deleted: [bool; TEAMS],
    roles: [[Option<MembershipRole>; PEOPLE]; TEAMS],
    team_versions: [u32; TEAMS],
    person_versions: [u32; PEOPLE],
}

impl Model {
    fn new() -> Self {
        Self { is_deleted: [false; TEAMS], roles: [[None; PEOPLE]; TEAMS], team_versions: [1; TEAMS], person_versions: [1; PEOPLE] }
    }

    fn set(&mut self, team: usize, person: usize, role: Option<MembershipRole>) -> Answer {
        if self.roles[team][person] == role {
            return Answer::Unchanged;
        }
        self.roles[team][person] = role;
        self.team_versions[team] += 1;
        self.person_versions[person] += 1;
        Answer::Changed
    }

    fn mark(&mut self, team: usize, is_deleted: bool) -> Answer {
        self.is_deleted[team] = is_deleted;
        self.team_versions[team] += 1;
        Answer::Changed
    }

    fn apply(&mut self, operation: Operation) -> Answer {
        match operation {
            Operation::Add { team, .. } | Operation::Update { team, .. } | Operation::Remove { team, .. } if self.is_deleted[team] => Answer::NotFound,
            Operation::Add { team, person, role } => self.set(team, person, Some(role)),
            Operation::Update { team, person, .. } | Operation::Remove { team, person } if self.roles[team][person].is_none() => {
                Answer::Refused(FieldErrorCode::NotFound)
            }
            Operation::Update { team, person, role } => self.set(team, person, Some(role)),
            Operation::Remove { team, person } => self.set(team, person, None),
            Operation::Delete { team } if self.is_deleted[team] => Answer::Unchanged,
            Operation::Delete { team } => self.mark(team, true),
            Operation::End { team, person } if self.is_deleted[team] => self.set(team, person, None),
            Operation::End { .. } => Answer::Unchanged,
            Operation::Restore { team } if !self.is_deleted[team] || self.roles[team].iter().any(Option::is_some) => Answer::Refused(FieldErrorCode::ForbiddenTransition),
            Operation::Restore { team } => self.mark(team, false),
        }
    }
}

/// What an answer says; `changed` of what was done.
fn answer<T>(result: Result<Result<T, Vec<UserError>>, AppError>, changed: impl FnOnce(&T) -> bool) -> Answer {
    match result {
        Err(AppError::NotFound) => Answer::NotFound,
        Err(error) => panic!("{error}"),
        Ok(Err(errors)) => Answer::Refused(errors[0].error.code),
        Ok(Ok(done)) if changed(&done) => Answer::Changed,
        Ok(Ok(_)) => Answer::Unchanged,
    }
}

/// Does it for real. Deleting is asked for at the version that is there.
async fn perform(world: &World, viewer: &Viewer, operation: Operation, ids: &[TeamId], people: &[AgentId]) -> Answer {
    let services = &world.services;
    match operation {
        Operation::Add { team, person, role } => answer(teams::add_member(services, viewer, placing(ids[team], people[person], role)).await, |placed| placed.changed),
        Operation::Update { team, person, role } => {
            answer(teams::update_member(services, viewer, placing(ids[team], people[person], role)).await, |placed| placed.changed)
        }
        Operation::Remove { team, person } => answer(teams::remove_member(services, viewer, removal(ids[team], people[person])).await, |_| true),
        Operation::Delete { team } => {
            let before = super::team(world, ids[team]).await;
            answer(teams::delete(services, viewer, deletion(&before)).await, |deleted| deleted.team.record.version != before.record.version)
        }
        Operation::End { team, person } => {
            let before = agent(world, people[person]).await.role_in(ids[team]).is_some();
            let ending = teams::end_membership(services, &world.tenant, viewer.origin(), ids[team], people[person]).await.unwrap();
            if ending == Ending::Over && before { Answer::Changed } else { Answer::Unchanged }
        }
        Operation::Restore { team } => answer(teams::restore(services, viewer, Some(ids[team])).await, |_| true),
    }
}

/// Teams of a world, and agents who are in none of them.
async fn teams_and_people(world: &World) -> (Vec<TeamId>, Vec<AgentId>) {
    let mut ids = Vec::new();
    for number in 0..TEAMS {
        ids.push(created(world, &format!("Team {number}")).await.id);
    }
    (ids, hire(world, PEOPLE as u8).await)
}

async fn agrees_with_the_map(operations: &[Operation]) {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let (ids, people) = teams_and_people(&world).await;
    let mut model = Model::new();
    for operation in operations {
        let expected = model.apply(*operation);
        assert_eq!(perform(&world, &viewer, *operation, &ids, &people).await, expected, "{operation:?} of {operations:?}");
        for (index, id) in ids.iter().enumerate() {
            let expected: BTreeMap<AgentId, MembershipRole> = people.iter().zip(model.roles[index]).filter_map(|(person, role)| Some((*person, role?))).collect();
            assert_eq!(members(&world, *id).await, expected, "{operation:?} of {operations:?}");
            let team = team(&world, *id).await;
            assert_eq!((team.deleted_at.is_some(), team.record.version), (model.is_deleted[index], model.team_versions[index]), "{operation:?} of {operations:?}");
        }
        for (index, person) in people.iter().enumerate() {
            let person = agent(&world, *person).await;
            let expected = model.roles.iter().filter(|roles| roles[index].is_some()).count();
            assert_eq!((person.teams.len(), person.record.version), (expected, model.person_versions[index]), "{operation:?} of {operations:?}");
        }
    }
}

/// Whatever happens at once, each name is a live team's, and who is listed as a member is in the team by their own record, and nobody else is.
async fn stays_consistent(rounds: &[[Operation; 4]]) {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let (ids, people) = teams_and_people(&world).await;
    for round in rounds {
        let before = versions(&world, &ids).await;
        let answers = join_all(round.iter().map(|operation| perform(&world, &viewer, *operation, &ids, &people))).await;
        let mut memberships = 0;
        for (index, id) in ids.iter().enumerate() {
            memberships += members(&world, *id).await.len();
            let team = team(&world, *id).await;
            let holder = people::team_by_name(&world.database.core, &world.tenant.scope, &folded_name(&format!("Team {index}"))).await.unwrap();
            assert_eq!(holder, team.deleted_at.is_none().then_some(*id), "{rounds:?}");
        }
        let mut own = 0;
        for person in &people {
            own += agent(&world, *person).await.teams.len();
        }
        assert_eq!(memberships, own, "{rounds:?}");
        let changed = round.iter().zip(&answers).filter(|(_, answer)| **answer == Answer::Changed);
        let at_least = changed.filter(|(operation, _)| !matches!(operation, Operation::End { .. } | Operation::Delete { .. })).count();
        let risen = versions(&world, &ids).await - before;
        assert!((at_least..=round.len()).contains(&risen), "a version for each change: {answers:?} of {rounds:?}");
    }
}

/// The sum of the versions of all teams.
async fn versions(world: &World, ids: &[TeamId]) -> usize {
    let mut sum = 0;
    for id in ids {
        sum += team(world, *id).await.record.version as usize;
    }
    sum
}

fn run<T: std::fmt::Debug>(cases: u32, strategy: impl Strategy<Value = T>, test: impl AsyncFn(&T)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases, max_shrink_iters: 200, failure_persistence: None, ..Config::default() });
    runner
        .run(&strategy, |value| {
            runtime.block_on(test(&value));
            Ok(())
        })
        .unwrap();
}

#[test]
fn three_teams_and_three_agents_agree_with_a_plain_map_in_every_order() {
    run(50, proptest::collection::vec(operation(), 1..25), async |operations: &Vec<Operation>| agrees_with_the_map(operations).await);
}

#[test]
fn what_happens_at_once_leaves_counts_lists_and_agents_in_agreement() {
    let round = [operation(), operation(), operation(), operation()];
    run(20, proptest::collection::vec(round, 1..6), async |rounds: &Vec<[Operation; 4]>| stays_consistent(rounds).await);
}
