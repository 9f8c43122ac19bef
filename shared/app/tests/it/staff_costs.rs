//! What asking for staff costs: as many requests with 500 agents in 50 teams as with 50 in 5. And what it costs to change them.

use aws_sdk_dynamodb::types::AttributeValue;
use switchboard_app::agents::{self, AgentFilter, AgentPatch, CreateAgent, DeleteAgent, UpdateAgent};
use switchboard_app::{Viewer, people as staff, presence, teams};
use switchboard_domain::actor::STAFF_EMAIL;
use switchboard_domain::change::{Change, Origin, Revisioned};
use switchboard_domain::clock::Clock;
use switchboard_domain::ids::{AgentId, TeamId, UserId};
use switchboard_domain::person::{ADMIN, Agent, AgentTeam, MembershipRole, User, UserStatus};
use switchboard_domain::presence::PresenceStatus;
use switchboard_domain::team::{Membership, Team, folded_name};
use switchboard_store::item::Item;
use switchboard_store::table::Part;
use switchboard_store::{keys, people};
use switchboard_testkit::{Usage, World};

/// Teams of each agent.
const PLACES: usize = 2;
/// Entries of a page.
const FIRST: usize = 50;

/// A tenant with so many agents more, all of them available, evenly in so many teams of its own.
struct Staffed {
    world: World,
    viewer: Viewer,
    agents: Vec<AgentId>,
    teams: Vec<TeamId>,
}

fn created(world: &World, action: &str) -> Revisioned {
    Revisioned::created(Change::new(action, world.clock.now(), Origin::system()))
}

fn item(part: Part) -> Item {
    match part {
        Part::Insert { item, .. } => item,
        other => panic!("this isn't something new: {other:?}"),
    }
}

async fn staffed(agents: usize, teams: usize) -> Staffed {
    let world = World::new().await;
    let (services, tenant, scope, now) = (&world.services, &world.tenant, &world.tenant.scope, world.clock.now());
    let team_ids: Vec<TeamId> = (0..teams).map(|_| TeamId::new(now, &services.entropy.id())).collect();
    let member_count = u32::try_from(PLACES * agents / teams).unwrap();
    let mut items = Vec::new();
    for (number, id) in team_ids.iter().enumerate() {
        let name = format!("Team {number:03}");
        items.push(item(people::claim_team_name(scope, &folded_name(&name), *id)));
        let team = Team { id: *id, record: created(&world, "team.created"), name, member_count, deleted_at: None };
        items.push(item(people::insert_team(scope, &team).unwrap()));
    }
    let mut agent_ids = Vec::with_capacity(agents);
    for number in 0..agents {
        let id = UserId::new(now, &services.entropy.id());
        let (name, email) = (format!("Person {number:03}"), format!("person{number:03}@new.test"));
        let sealed_email = tenant.keyring.seal_for_tenant(STAFF_EMAIL, &id.to_string(), services.entropy.as_ref(), email.as_bytes());
        let of = |place: usize| AgentTeam { team: team_ids[(number + place) % teams], role: MembershipRole::Agent, assigned_at: now };
        let user = User {
            id,
            record: created(&world, "user.invited"),
            subject: email,
            name: name.clone(),
            sealed_email: sealed_email.clone(),
            status: UserStatus::Active,
            roles: Vec::new(),
            grants: Vec::new(),
            signed_out_at: None,
            activated_at: Some(now),
        };
        let agent = Agent {
            id: id.into(),
            record: created(&world, "agent.created"),
            name,
            sealed_email,
            employee_id: None,
            time_zone: None,
            teams: (0..PLACES).map(of).collect(),
            deleted_at: None,
        };
        items.push(item(people::insert_user(scope, &user).unwrap()));
        items.push(item(people::insert_agent(scope, &agent).unwrap()));
        for place in &agent.teams {
            let membership = Membership { team: place.team, agent: agent.id, role: place.role, assigned_at: place.assigned_at };
            items.push(item(people::insert_membership(scope, &membership).unwrap()));
        }
        items.push(available(&world, agent.id));
        agent_ids.push(agent.id);
    }
    services.core.write_many(scope, items, Vec::new()).await.unwrap();
    let viewer = world.viewer("supervisor").await;
    world.database.meter.reset();
    Staffed { world, viewer, agents: agent_ids, teams: team_ids }
}

/// The presence of an agent who waits for a lead.
fn available(world: &World, agent: AgentId) -> Item {
    let (scope, now) = (&world.tenant.scope, world.clock.now());
    let key = keys::presence(scope, agent);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    Item::from([
        ("PK".to_owned(), text(&key.pk)),
        ("SK".to_owned(), text(&key.sk)),
        ("type".to_owned(), text("presence")),
        ("GSI2PK".to_owned(), text(&keys::presence_list(scope))),
        ("GSI2SK".to_owned(), text(&format!("AVAILABLE#1#{:013}#{agent}", now.as_millisecond()))),
        ("status".to_owned(), text("AVAILABLE")),
        ("last_activity_at".to_owned(), AttributeValue::N(now.as_millisecond().to_string())),
    ])
}

impl Staffed {
    /// What happens in between costs.
    async fn of<T>(&self, work: impl Future<Output = T>) -> (Usage, T) {
        self.world.database.meter.reset();
        let result = work.await;
        (self.world.database.meter.usage(), result)
    }

    async fn listing(&self, filter: AgentFilter, expected: usize) -> Usage {
        let (usage, page) = self.of(agents::list(&self.world.services, &self.viewer, &filter, None, FIRST)).await;
        assert_eq!(page.unwrap().entries.len(), expected, "{filter:?}");
        usage
    }

    /// The members of a team, as a query for their names reads them.
    async fn members(&self) -> Usage {
        let (services, team) = (&self.world.services, self.teams[0]);
        let (usage, members) = self
            .of(async {
                let members = teams::members(services, &self.viewer, team, None, FIRST).await.unwrap();
                let ids: Vec<AgentId> = members.entries.iter().map(|member| member.agent).collect();
                staff::directory(services, &self.viewer, &[], &ids, &[]).await.unwrap().agents
            })
            .await;
        assert_eq!(members.len(), PLACES * self.agents.len() / self.teams.len());
        usage
    }

    /// The teams of an agent, as a query for their names reads them.
    async fn teams_of_an_agent(&self) -> Usage {
        let services = &self.world.services;
        let (usage, found) = self
            .of(async {
                let agent = agents::get(services, &self.viewer, self.agents[7]).await.unwrap().unwrap();
                let ids: Vec<TeamId> = agent.teams.iter().map(|place| place.team).collect();
                staff::directory(services, &self.viewer, &[], &[], &ids).await.unwrap().teams
            })
            .await;
        assert_eq!(found.len(), PLACES);
        usage
    }

    async fn available(&self, team: Option<TeamId>, expected: usize) -> Usage {
        let (usage, agents) = self.of(presence::available(&self.world.services, &self.viewer, team.map(Some), FIRST)).await;
        assert_eq!(agents.unwrap().len(), expected);
        usage
    }

    /// What is asked for, and what it costs.
    async fn asked(&self) -> Vec<(&'static str, Usage)> {
        let team = Some(Some(self.teams[0]));
        let members = PLACES * self.agents.len() / self.teams.len();
        let presence = vec![PresenceStatus::Available];
        vec![
            ("`agents(first: 50)`, of 500", self.listing(AgentFilter::default(), FIRST).await),
            ("… of a team, of 20", self.listing(AgentFilter { team, ..AgentFilter::default() }, members).await),
            ("… by presence", self.listing(AgentFilter { presence: presence.clone(), ..AgentFilter::default() }, FIRST).await),
            ("… of a team and by presence", self.listing(AgentFilter { team, presence, ..AgentFilter::default() }, members).await),
            ("`members(first: 50)` of a team, of 20, with their names", self.members().await),
            ("`agent` with its 2 teams", self.teams_of_an_agent().await),
            ("`availableAgents`, of 500", self.available(None, FIRST).await),
            ("… of a team, of 20", self.available(self.teams.first().copied(), members).await),
        ]
    }
}

#[tokio::test]
async fn staff_is_listed_with_as_many_requests_whether_50_or_500_work_there() {
    let (small, large) = (staffed(50, 5).await, staffed(500, 50).await);
    let (small, large) = (small.asked().await, large.asked().await);
    for ((operation, of_small), (_, of_large)) in small.iter().zip(&large) {
        assert_eq!(of_small.requests, of_large.requests, "{operation}");
    }
    let requests: Vec<u32> = large.iter().map(|(_, usage)| usage.total_requests()).collect();
    assert_eq!(requests, [2, 3, 3, 4, 2, 2, 2, 3], "{large:?}");
    assert!(large.iter().all(|(_, usage)| usage.total_write_units() == 0.0), "{large:?}");
}

/// What asking for staff costs where 500 work, and changing them, for the page of costs.
pub(crate) async fn rows() -> Vec<(&'static str, Usage)> {
    let staffed = staffed(500, 50).await;
    let mut rows = staffed.asked().await;
    rows.extend(changing(&staffed).await);
    rows
}

async fn changing(staffed: &Staffed) -> Vec<(&'static str, Usage)> {
    let services = &staffed.world.services;
    let viewer = staffed.world.viewer(ADMIN).await;
    let mut rows = Vec::new();
    let newcomer =
        CreateAgent { name: Some("Zoé Roy".to_owned()), email: Some("zoe@new.test".to_owned()), teams: vec![Some(staffed.teams[0])], ..CreateAgent::default() };
    let (usage, done) = staffed.of(agents::enter(services, &viewer, &newcomer, "zoe@new.test")).await;
    let agent = done.unwrap().unwrap();
    rows.push(("`agentCreate` in one team, behind the invitation", usage));
    let update = |expected_version: i32, patch: AgentPatch| UpdateAgent { id: Some(agent.id), expected_version, patch };
    let numbered = AgentPatch { employee_id: Some(Some("E-7".to_owned())), ..AgentPatch::default() };
    let (usage, done) = staffed.of(agents::update(services, &viewer, update(1, numbered))).await;
    done.unwrap().unwrap();
    rows.push(("`agentUpdate`", usage));
    let renamed = AgentPatch { name: Some(Some("Zoé R.".to_owned())), ..AgentPatch::default() };
    let (usage, done) = staffed.of(agents::update(services, &viewer, update(2, renamed))).await;
    done.unwrap().unwrap();
    rows.push(("… with another name", usage));
    let deletion = DeleteAgent { id: Some(agent.id), expected_version: 3, ..DeleteAgent::default() };
    let (usage, done) = staffed.of(agents::take_out(services, &viewer, &deletion)).await;
    done.unwrap().unwrap();
    rows.push(("`agentDelete` from one team, before its job", usage));
    let (usage, done) = staffed.of(agents::bring_back(services, &viewer, Some(agent.id))).await;
    done.unwrap().unwrap();
    rows.push(("`agentRestore`", usage));
    rows
}
