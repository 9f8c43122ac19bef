//! What asking for staff costs: as many requests with 500 agents in 50 teams as with 50 in 5. And what it costs to change them.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use jiff::civil::date;
use switchboard_app::agents::{self, AgentFilter, AgentPatch, CreateAgent, DeleteAgent, UpdateAgent};
use switchboard_app::presence::UpdatePresence;
use switchboard_app::roles::{self, CreateRole, UpdateRole};
use switchboard_app::schedules::{self, AddWindow, FreeSlots};
use switchboard_app::teams::{PlaceMember, RemoveMember};
use switchboard_app::tenant_settings::{self, UpdateTenant};
use switchboard_app::users::{self, DisableUser, UpdateUser};
use switchboard_app::{AppError, Viewer, people as staff, presence, teams};
use switchboard_domain::actor::STAFF_EMAIL;
use switchboard_domain::change::{Change, Origin, Revisioned};
use switchboard_domain::clock::Clock;
use switchboard_domain::ids::{AgentId, TeamId, UserId};
use switchboard_domain::person::{ADMIN, Agent, AgentTeam, MembershipRole, TELEPHONIST, User, UserStatus};
use switchboard_domain::presence::{Heartbeat, PresencePatch, PresenceStatus};
use switchboard_domain::role::{RoleInput, RolePatch};
use switchboard_domain::schedule::{Recurrence, TimeRange, WindowInput};
use switchboard_domain::team::{Membership, Team, folded_name};
use switchboard_domain::tenant_settings::TenantPatch;
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
    rows.extend(moving(&staffed).await);
    rows.extend(empowering(&staffed).await);
    rows.extend(being_there(&staffed).await);
    rows.extend(planning(&staffed).await);
    rows.push(setting(&staffed).await);
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

/// What teams and their members cost.
async fn moving(staffed: &Staffed) -> Vec<(&'static str, Usage)> {
    let services = &staffed.world.services;
    // They are in two other teams.
    let (team, agent) = (Some(staffed.teams[1]), Some(staffed.agents[25]));
    let place = |role: MembershipRole| PlaceMember { team, agent, role };
    let mut rows = Vec::new();
    let (usage, done) = staffed.of(teams::add_member(services, &staffed.viewer, place(MembershipRole::Agent))).await;
    assert!(done.unwrap().unwrap().changed);
    rows.push(("`teamAddMember`", usage));
    let (usage, done) = staffed.of(teams::add_member(services, &staffed.viewer, place(MembershipRole::Agent))).await;
    assert!(!done.unwrap().unwrap().changed);
    rows.push(("… who is that in it already", usage));
    let (usage, done) = staffed.of(teams::update_member(services, &staffed.viewer, place(MembershipRole::TeamLead))).await;
    assert!(done.unwrap().unwrap().changed);
    rows.push(("`teamUpdateMember`", usage));
    let (usage, done) = staffed.of(teams::remove_member(services, &staffed.viewer, RemoveMember { team, agent })).await;
    done.unwrap().unwrap();
    rows.push(("`teamRemoveMember`", usage));
    rows
}

/// What users and roles cost. There is no user pool here: what is done after it has answered isn't measured.
async fn empowering(staffed: &Staffed) -> Vec<(&'static str, Usage)> {
    let services = &staffed.world.services;
    let viewer = staffed.world.viewer(ADMIN).await;
    let id: Option<UserId> = Some(staffed.agents[3].into());
    let mut rows = Vec::new();
    let (usage, page) = staffed.of(users::list(services, &viewer, None, FIRST)).await;
    assert_eq!(page.unwrap().entries.len(), FIRST);
    rows.push(("`users(first: 50)`", usage));
    let renamed = UpdateUser { id, expected_version: 1, name: Some(Some("Person Three".to_owned())), ..UpdateUser::default() };
    let (usage, done) = staffed.of(users::update(services, &viewer, renamed)).await;
    done.unwrap().unwrap();
    rows.push(("`userUpdate`: another name, of an agent", usage));
    let telephonist = viewer.settings.role_by_code(TELEPHONIST).unwrap().id;
    let empowered = UpdateUser { id, expected_version: 2, roles: Some(Some(vec![Some(telephonist)])), ..UpdateUser::default() };
    let (usage, done) = staffed.of(users::update(services, &viewer, empowered)).await;
    done.unwrap().unwrap();
    rows.push(("… other roles", usage));
    let stopped = DisableUser { id, expected_version: 3, reason: "They left.".to_owned(), ..DisableUser::default() };
    let (usage, done) = staffed.of(users::disable(services, &viewer, stopped)).await;
    assert!(matches!(done, Err(AppError::Platform(_))), "the record is written before the user pool is asked");
    rows.push(("`userDisable`, before the user pool and the job", usage));
    let input = RoleInput { name: "Closer".to_owned(), code: None, permissions: vec!["contact:read:ALL".to_owned()] };
    let (usage, done) = staffed.of(roles::create(services, &viewer, CreateRole { input, idempotency_key: None })).await;
    let role = done.unwrap().unwrap();
    rows.push(("`roleCreate`", usage));
    let patch = RolePatch { permissions: Some(Some(vec!["contact:read:ALL".to_owned(), "contact:update:OWN".to_owned()])), ..RolePatch::default() };
    let (usage, done) = staffed.of(roles::update(services, &viewer, UpdateRole { id: Some(role.id), expected_version: 1, patch })).await;
    done.unwrap().unwrap();
    rows.push(("`roleUpdate`", usage));
    rows
}

/// What presence costs: that of a telephonist, who was never there before.
async fn being_there(staffed: &Staffed) -> Vec<(&'static str, Usage)> {
    let (services, clock) = (&staffed.world.services, &staffed.world.clock);
    let own = staffed.world.viewer(TELEPHONIST).await;
    let says = |status: PresenceStatus| UpdatePresence { patch: PresencePatch { status: Some(status), ..PresencePatch::default() }, ..UpdatePresence::default() };
    let beat = |on_call: Option<bool>| Heartbeat { device: Some("desk".to_owned()), on_call, current_call_seconds: None };
    let pass = || clock.advance(SignedDuration::from_secs(20));
    let mut rows = Vec::new();
    let (usage, done) = staffed.of(presence::update(services, &own, says(PresenceStatus::Available))).await;
    done.unwrap().unwrap();
    rows.push(("`presenceUpdate`, the first", usage));
    pass();
    let (usage, done) = staffed.of(presence::update(services, &own, says(PresenceStatus::Busy))).await;
    done.unwrap().unwrap();
    rows.push(("… another status", usage));
    pass();
    let by_another = UpdatePresence { agent: Some(Some(own.agent())), reason: Some("Called to the office".to_owned()), ..says(PresenceStatus::InMeeting) };
    let (usage, done) = staffed.of(presence::update(services, &staffed.viewer, by_another)).await;
    done.unwrap().unwrap();
    rows.push(("… of somebody else", usage));
    for (operation, on_call) in [("`presenceHeartbeat`", None), ("… a call is on", Some(true)), ("… the call is over", Some(false))] {
        pass();
        let (usage, done) = staffed.of(presence::heartbeat(services, &own, &beat(on_call))).await;
        done.unwrap().unwrap();
        rows.push((operation, usage));
    }
    let (usage, done) = staffed.of(presence::heartbeat(services, &own, &beat(None))).await;
    done.unwrap().unwrap();
    rows.push(("… within a second of another", usage));
    clock.advance(SignedDuration::from_secs(600));
    let (usage, done) = staffed.of(presence::heartbeat(services, &own, &beat(None))).await;
    done.unwrap().unwrap();
    rows.push(("… after silence", usage));
    let today = staffed.world.tenant.record.day_of(clock.now());
    let (usage, day) = staffed.of(presence::timeline(services, &staffed.viewer, own.agent(), today)).await;
    let day = day.unwrap().unwrap();
    assert_eq!((day.segments.len(), day.calls), (4, 1));
    rows.push(("`agentTimeline` of today", usage));
    rows
}

/// What schedules cost, of one window each.
async fn planning(staffed: &Staffed) -> Vec<(&'static str, Usage)> {
    let services = &staffed.world.services;
    let viewer = &staffed.viewer;
    let day = date(2026, 11, 23);
    let input = || WindowInput {
        date: day,
        start_time: "09:00".to_owned(),
        end_time: "12:00".to_owned(),
        ends_next_day: false,
        recurrence: Recurrence::Once,
        weekdays: Vec::new(),
        until: None,
    };
    let window = |agent: AgentId| AddWindow { agent: Some(Some(agent)), input: input(), expected_version: None, idempotency_key: None };
    let within = TimeRange { from: "2026-11-23T00:00:00Z".parse().unwrap(), to: "2026-11-24T00:00:00Z".parse().unwrap() };
    let slots = FreeSlots { agent: None, team: None, within, duration_minutes: 60, buffer_minutes: Some(0), first: 100 };
    let members = teams::members(services, viewer, staffed.teams[0], None, FIRST).await.unwrap().entries;
    for member in &members {
        schedules::add_window(services, viewer, window(member.agent)).await.unwrap().unwrap();
    }
    let agent = staffed.agents[7];
    let mut rows = Vec::new();
    let (usage, done) = staffed.of(schedules::add_window(services, viewer, window(agent))).await;
    done.unwrap().unwrap();
    rows.push(("`scheduleAddWindow`", usage));
    let (usage, done) = staffed.of(schedules::of_agent(services, viewer, agent, within)).await;
    assert_eq!(done.unwrap().unwrap().availability.len(), 1);
    rows.push(("`agentSchedule`", usage));
    let (usage, free) = staffed.of(schedules::free_slots(services, viewer, FreeSlots { agent: Some(Some(agent)), ..slots })).await;
    assert_eq!(free.unwrap().len(), 3);
    rows.push(("`freeSlots` of an agent", usage));
    let (usage, free) = staffed.of(schedules::free_slots(services, viewer, FreeSlots { team: Some(Some(staffed.teams[0])), ..slots })).await;
    assert_eq!(free.unwrap().len(), 3 * members.len());
    rows.push(("… of a team, of 20", usage));
    rows
}

/// What it costs to change the organisation's settings.
async fn setting(staffed: &Staffed) -> (&'static str, Usage) {
    let viewer = staffed.world.viewer(ADMIN).await;
    let patch = TenantPatch { booking_buffer_minutes: Some(Some(15)), ..TenantPatch::default() };
    let (usage, done) = staffed.of(tenant_settings::update(&staffed.world.services, &viewer, UpdateTenant { expected_version: 1, patch })).await;
    done.unwrap().unwrap();
    ("`tenantUpdate`", usage)
}
