//! The demo data as it is written: complete, consistent, and the same when written again.

use switchboard_app::demo as data;
use switchboard_domain::demo::TENANTS;
use switchboard_domain::person::{Agent, MembershipRole, UserStatus};
use switchboard_domain::team::{Team, folded_name};
use switchboard_store::people::{self, StaffList};
use switchboard_testkit::World;

async fn team(world: &World, name: &str) -> Team {
    people::team(&world.database.core, &world.tenant.scope, world.team_id(name)).await.unwrap().unwrap()
}

async fn agents(world: &World) -> Vec<Agent> {
    let mut agents = Vec::new();
    for index in 0..TENANTS[0].people.len() {
        agents.push(people::agent(&world.database.core, &world.tenant.scope, TENANTS[0].user_id(index).into()).await.unwrap().unwrap());
    }
    agents
}

#[tokio::test]
async fn teams_their_members_and_their_counts_agree() {
    let world = World::new().await;
    let (core, scope) = (&world.database.core, &world.tenant.scope);
    let agents = agents(&world).await;
    let mut memberships = 0;
    for name in TENANTS[0].teams {
        let team = team(&world, name).await;
        let members = people::members(core, scope, team.id, None, 100).await.unwrap().entries;
        assert_eq!((team.record.version, team.member_count as usize), (1, members.len()), "{name}");
        for member in &members {
            let agent = agents.iter().find(|agent| agent.id == member.agent).unwrap();
            assert_eq!((agent.role_in(team.id), agent.record.version), (Some(member.role), 1), "{} in {name}", agent.name);
        }
        assert_eq!(people::team_by_name(core, scope, &folded_name(name)).await.unwrap(), Some(team.id));
        memberships += members.len();
    }
    assert_eq!(agents.iter().map(|agent| agent.teams.len()).sum::<usize>(), memberships);
    let supervisor = agents.iter().find(|agent| agent.name == "Sofia Supervisor").unwrap();
    assert!(TENANTS[0].teams.iter().all(|name| supervisor.role_in(world.team_id(name)) == Some(MembershipRole::Supervisor)));
}

#[tokio::test]
async fn everybody_can_sign_in_is_found_and_listed_and_the_administrator_counts_as_one() {
    let world = World::new().await;
    let (core, scope) = (&world.database.core, &world.tenant.scope);
    for (index, person) in TENANTS[0].people.iter().enumerate() {
        let id = TENANTS[0].user_id(index);
        let user = people::user(core, scope, id).await.unwrap().unwrap();
        assert_eq!((user.status, user.activated_at.is_some(), user.record.version), (UserStatus::Active, true, 1));
        assert_eq!(people::user_by_email(core, &world.tenant, person.email).await.unwrap(), Some(id));
        assert_eq!(world.viewer_of(id, "r").await.agent_record.map(|agent| agent.id), Some(id.into()));
    }
    assert_eq!(people::administrators(core, scope).await.unwrap().users, [world.user_id("admin")]);
    for (list, count) in [(StaffList::Users, 7), (StaffList::Agents, 7), (StaffList::Teams, 2), (StaffList::DeletedAgents, 0), (StaffList::DeletedTeams, 0)] {
        assert_eq!(people::listed(core, scope, list, None, 100).await.unwrap().entries.len(), count, "{list:?}");
    }
}

#[tokio::test]
async fn writing_it_again_changes_nothing() {
    let world = World::new().await;
    let demo = &TENANTS[0];
    world.database.meter.reset();
    data::write_settings(&world.services, &world.tenant, demo).await.unwrap();
    for index in 0..demo.people.len() {
        data::write_person(&world.services, &world.tenant, demo, index, "another subject").await.unwrap();
    }
    data::write_teams(&world.services, &world.tenant, demo).await.unwrap();
    assert_eq!(world.database.meter.usage().requests.get("TransactWriteItems"), None);
    assert_eq!(people::user(&world.database.core, &world.tenant.scope, demo.user_id(0)).await.unwrap().unwrap().subject, demo.people[0].email);
}
