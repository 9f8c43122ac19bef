//! What several do with teams at the same moment: each does all of it or nothing, decided on what the others left.

use futures::future::{join, join_all};
use switchboard_app::teams::{self, CreateTeam};
use switchboard_app::{AppError, Existing};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::person::{MAX_TEAMS, MembershipRole};
use switchboard_domain::team::Team;
use switchboard_store::people;
use switchboard_testkit::World;

use super::{agent, codes, created, deleted, deletion, hire, hired, listed, members, named, placed, placing, removal, renamed, team, world};

#[tokio::test]
async fn of_concurrent_creations_with_one_key_all_answer_with_one_team() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let request = CreateTeam { idempotency_key: Some("key".to_owned()), ..named("Nord") };
    let outcomes = join_all((0..4).map(|_| teams::create(&world.services, &viewer, request.clone()))).await;
    let made: Vec<Team> = outcomes.into_iter().map(|outcome| outcome.unwrap().unwrap()).collect();
    assert!(made.iter().all(|team| *team == made[0]));
    assert_eq!(listed(&world, &viewer, false, 50).await, ["Est", "Nord", "West"]);
}

#[tokio::test]
async fn of_8_concurrent_creations_of_one_name_one_wins_and_the_rest_name_it() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let names = ["Nord", "nord", "NORD", "N o r d", "Nord.", "Nörd", "nord ", "Nord"];
    let outcomes = join_all(names.map(|name| teams::create(&world.services, &viewer, named(name)))).await;
    let (won, lost): (Vec<_>, Vec<_>) = outcomes.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 7));
    let existing = Existing::Team(won[0].as_ref().unwrap().id);
    for errors in lost {
        let errors = errors.unwrap_err();
        assert_eq!((codes(&errors), errors[0].existing.as_ref()), (vec![("name", FieldErrorCode::Taken)], Some(&existing)));
    }
    assert_eq!(listed(&world, &viewer, true, 50).await.len(), 3);
}

#[tokio::test]
async fn of_those_who_create_rename_to_and_restore_one_name_at_once_one_has_it() {
    for round in 0..4 {
        let world = world().await;
        let viewer = world.viewer("admin").await;
        let (gone, other) = (created(&world, "Nord").await, created(&world, "Sud").await);
        deleted(&world, &gone).await;
        let services = &world.services;
        let creating = teams::create(services, &viewer, named("nord"));
        let renaming = teams::update(services, &viewer, renamed(&other, "Nórd"));
        let restoring = teams::restore(services, &viewer, Some(gone.id));
        let (restored, (created, renamed)) = join(restoring, join(creating, renaming)).await;
        let outcomes = [created.unwrap(), renamed.unwrap(), restored.unwrap()];
        let won: Vec<&Team> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
        assert_eq!(won.len(), 1, "round {round}: {outcomes:?}");
        for errors in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!((errors[0].error.code, errors[0].existing.as_ref()), (FieldErrorCode::Taken, Some(&Existing::Team(won[0].id))));
        }
        let holder = people::team_by_name(&world.database.core, &world.tenant.scope, "nord").await.unwrap();
        assert_eq!((holder, team(&world, won[0].id).await), (Some(won[0].id), won[0].clone()));
        assert_eq!(team(&world, other.id).await.name == "Sud", won[0].id != other.id);
        assert_eq!(created_again(&world, "Sud").await, won[0].id == other.id, "what a team is no longer called is free");
    }
}

/// Whether a name was free.
async fn created_again(world: &World, name: &str) -> bool {
    teams::create(&world.services, &world.viewer("admin").await, named(name)).await.unwrap().is_ok()
}

#[tokio::test]
async fn of_two_changes_with_one_expected_version_the_later_is_stale() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let before = created(&world, "Nord").await;
    let (one, other) = join(teams::update(&world.services, &viewer, renamed(&before, "Sud")), teams::update(&world.services, &viewer, renamed(&before, "Ouest"))).await;
    let (won, lost): (Vec<_>, Vec<_>) = [one.unwrap(), other.unwrap()].into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 1));
    assert_eq!(codes(lost[0].as_ref().unwrap_err()), [("expectedVersion", FieldErrorCode::Stale)]);
    assert_eq!(team(&world, before.id).await, won.into_iter().next().unwrap().unwrap());
    let free = [created_again(&world, "Nord").await, created_again(&world, "Sud").await, created_again(&world, "Ouest").await];
    assert_eq!(free.iter().filter(|free| **free).count(), 2, "the old name and the one that nobody got");
}

#[tokio::test]
async fn of_two_deletions_at_once_both_answer_with_one() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let before = created(&world, "Nord").await;
    let (one, other) = join(teams::delete(&world.services, &viewer, deletion(&before)), teams::delete(&world.services, &viewer, deletion(&before))).await;
    let (one, other) = (one.unwrap().unwrap().team, other.unwrap().unwrap().team);
    assert_eq!((one.record.version, &one), (2, &other));
}

#[tokio::test]
async fn an_agent_who_is_added_twice_at_the_same_moment_is_in_the_team_once() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let people = hire(&world, 8).await;
    let id = created(&world, "Nord").await.id;
    for (index, person) in people.iter().enumerate() {
        let place = placing(id, *person, MembershipRole::Agent);
        let (one, other) = join(teams::add_member(&world.services, &viewer, place), teams::add_member(&world.services, &viewer, place)).await;
        let (one, other) = (one.unwrap().unwrap(), other.unwrap().unwrap());
        assert_ne!(one.changed, other.changed, "one of them was first");
        assert_eq!(one.membership, other.membership);
        assert_eq!((members(&world, id).await.len(), agent(&world, *person).await.record.version), (index + 1, 2));
    }
    assert_eq!(team(&world, id).await.record.version, 9);
}

#[tokio::test]
async fn two_who_give_an_agent_different_roles_at_the_same_moment_leave_one_of_them() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let (id, person) = (created(&world, "Nord").await.id, hired(&world, 1).await);
    let add = |role| teams::add_member(&world.services, &viewer, placing(id, person, role));
    let (one, other) = join(add(MembershipRole::TeamLead), add(MembershipRole::Supervisor)).await;
    let (one, other) = (one.unwrap().unwrap(), other.unwrap().unwrap());
    assert!(one.changed && other.changed, "the later one changed what the earlier one had written");
    let later = if one.team.record.version == 3 { one } else { other };
    assert_eq!((later.team.record.version, later.team.member_count), (3, 1));
    assert_eq!(members(&world, id).await, [(person, later.membership.role)].into());
}

#[tokio::test]
async fn sixteen_who_are_added_to_one_team_at_once_are_all_in_it_and_taken_out_at_once_all_gone() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let people = hire(&world, 16).await;
    let id = created(&world, "Nord").await.id;
    let outcomes = join_all(people.iter().map(|person| teams::add_member(&world.services, &viewer, placing(id, *person, MembershipRole::Agent)))).await;
    assert!(outcomes.into_iter().all(|outcome| outcome.unwrap().unwrap().changed));
    let after = team(&world, id).await;
    assert_eq!((after.member_count, after.record.version), (16, 17));
    assert_eq!(members(&world, id).await, people.iter().map(|person| (*person, MembershipRole::Agent)).collect());
    let outcomes = join_all(people.iter().map(|person| teams::remove_member(&world.services, &viewer, removal(id, *person)))).await;
    assert!(outcomes.into_iter().all(|outcome| outcome.unwrap().is_ok()));
    assert_eq!((team(&world, id).await.record.version, members(&world, id).await.len()), (33, 0));
}

#[tokio::test]
async fn an_agent_who_is_added_to_many_teams_at_once_is_in_all_of_them_up_to_the_limit() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    let person = hired(&world, 1).await;
    for number in 0..MAX_TEAMS - 2 {
        let team = created(&world, &format!("Team {number}")).await;
        placed(&world, team.id, person, MembershipRole::Agent).await;
    }
    let mut more = Vec::new();
    for number in 0..4 {
        more.push(created(&world, &format!("More {number}")).await.id);
    }
    let outcomes = join_all(more.iter().map(|team| teams::add_member(&world.services, &viewer, placing(*team, person, MembershipRole::Agent)))).await;
    let refused: Vec<_> = outcomes.into_iter().filter_map(|outcome| outcome.unwrap().err()).collect();
    assert_eq!(refused.len(), 2);
    assert!(refused.iter().all(|errors| codes(errors) == [("agentId", FieldErrorCode::LimitExceeded)]));
    assert_eq!(agent(&world, person).await.teams.len(), MAX_TEAMS);
    for team in more {
        members(&world, team).await;
    }
}

#[tokio::test]
async fn a_team_that_is_deleted_while_somebody_joins_has_either_the_member_or_the_deletion() {
    let world = world().await;
    let viewer = world.viewer("admin").await;
    for number in 1..=8 {
        let (before, person) = (created(&world, &format!("Team {number}")).await, hired(&world, number).await);
        let adding = teams::add_member(&world.services, &viewer, placing(before.id, person, MembershipRole::Agent));
        let (added, gone) = join(adding, teams::delete(&world.services, &viewer, deletion(&before))).await;
        let after = team(&world, before.id).await;
        match (added, gone.unwrap()) {
            (Ok(Ok(added)), Err(errors)) => {
                assert_eq!(codes(&errors), [("expectedVersion", FieldErrorCode::Stale)]);
                assert_eq!((after.deleted_at, after), (None, added.team));
            }
            (Err(AppError::NotFound), Ok(gone)) => assert_eq!((after.deleted_at.is_some(), after), (true, gone.team)),
            other => panic!("{other:?}"),
        }
        assert_eq!(members(&world, before.id).await.len(), agent(&world, person).await.teams.len());
    }
}
