//! Rows that become agents: somebody new with their user, who is invited later, one by one; and those there are, with another name, number or team.
//!
//! An import makes nobody more than a telephonist, sends no message, and changes the name and the number only of who isn't more than that: nobody stands behind its
//! rows whose own permissions would tell whom they may manage.

use std::collections::HashMap;
use std::fmt::Display;

use jiff::Timestamp;
use switchboard_domain::actor::Actor;
use switchboard_domain::audit::Audited;
use switchboard_domain::change::{Change, MemberChange, Origin, Revisioned};
use switchboard_domain::contact::{OnInvalid, RowWrite};
use switchboard_domain::field_error::{FieldError, FieldErrorCode};
use switchboard_domain::ids::{AgentId, IdEntropy, RoleId, TeamId, UserId};
use switchboard_domain::imports::{AgentChange, AgentDecision, AgentValues, Import, Row, RowError, RowKey, decide_agent, new_place, to_agent};
use switchboard_domain::person::{Agent, AgentTeam, TELEPHONIST, User, UserStatus, person_name};
use switchboard_domain::team::{Membership, Team};
use switchboard_platform::NewIdentity;
use switchboard_store::settings::{self, Settings};
use switchboard_store::table::Part;
use switchboard_store::tenants::{self, OpenTenant};
use switchboard_store::{Freshness, StoreError, people};

use super::WrittenRow;
use super::kinds::{Foresees, Kind, Prepared, Ready, Tally};
use super::preview::RowOutcome;
use super::rows::{row_error, row_warning, unreadable_row};
use crate::agents::{employee_id, entered};
use crate::error::{AppError, UserError};
use crate::people::{ATTEMPTS, back_off, busy};
use crate::services::Services;
use crate::teams;
use crate::users::{self, Enrolled, NewAgent, NewPerson, standing};

/// What the change of an agent is called when only what they are in a team is another.
const ROLE_CHANGED: &str = "agent.team_role_changed";

/// An import of agents.
pub(super) struct Agents<'a> {
    services: &'a Services,
    tenant: &'a OpenTenant,
    import: &'a Import,
    redelivered: bool,
    settings: Settings,
    /// What somebody new becomes, or why nobody is made.
    role: Result<RoleId, FieldError>,
    /// The teams that rows named, by their folded names; none for a name that no team has.
    teams: HashMap<String, Option<TeamId>>,
}

/// The values of a row.
pub(super) struct AgentDraft {
    /// The address, in lower case: whom the row is about.
    email: String,
    values: AgentValues,
    team: Option<NamedTeam>,
}

/// A team as a row names it.
struct NamedTeam {
    name: String,
    folded: String,
}

/// Whose an address is.
struct Known {
    user: User,
    /// Their entry in the staff directory, a deleted one too.
    agent: Option<Agent>,
}

impl<'a> Agents<'a> {
    /// Those of an import. Rows that are redelivered may have been written before. 1 request and 2 R for the roles, as they are now: what a role grants decides
    /// whether an import may give it.
    pub(super) async fn of(services: &'a Services, tenant: &'a OpenTenant, import: &'a Import, redelivered: bool) -> Result<Self, AppError> {
        let settings = settings::load(&services.core, &tenant.scope).await?;
        let role = settings.role_by_code(TELEPHONIST).ok_or_else(|| AppError::Broken("a tenant has no telephonist's role".to_owned()))?;
        let role = if standing::is_of_floor(role) {
            Ok(role.id)
        } else {
            let message = "The role telephonist was made to grant more than an import may give. Create this agent by hand, or take it back from the role.";
            Err(FieldError::new("email", FieldErrorCode::NotAllowed, message))
        };
        Ok(Self { services, tenant, import, redelivered, settings, role, teams: HashMap::new() })
    }

    fn origin(&self) -> Origin {
        Origin::import(self.import.id, &self.import.file_name)
    }

    fn is_ours(&self, actor: &Actor) -> bool {
        *actor == Actor::import(self.import.id, &self.import.file_name)
    }

    /// The id of the team that a row makes, the same when it comes again: so a team tells which row made it.
    fn team_made_by(&self, row: u64) -> TeamId {
        let hash = self.tenant.keyring.keyed_hash("import team", &format!("{}#{row}", self.import.id));
        let mut entropy = IdEntropy::default();
        entropy.copy_from_slice(&hash[..10]);
        TeamId::new(self.import.writing_since.unwrap_or(self.import.created_at), &entropy)
    }

    /// The live team of a name. 1 request and 1 R for each name.
    async fn known_team(&mut self, folded: &str) -> Result<Option<TeamId>, AppError> {
        if let Some(known) = self.teams.get(folded) {
            return Ok(*known);
        }
        let found = people::team_by_name(&self.services.core, &self.tenant.scope, folded).await?;
        self.teams.insert(folded.to_owned(), found);
        Ok(found)
    }

    /// The team that a row names: the one there is, else the one that it would make.
    async fn team_of(&mut self, ready: &Ready<AgentDraft>) -> Result<Option<TeamId>, AppError> {
        let Some(named) = &ready.draft.team else {
            return Ok(None);
        };
        let made = self.team_made_by(ready.row);
        Ok(Some(self.known_team(&named.folded).await?.unwrap_or(made)))
    }

    /// The team that a row names, as it is now, made when it isn't there and may be. 1 R; to make it 1 R and 4 W and 1 for index 1 more.
    async fn live_team(&mut self, row: u64, named: &NamedTeam, tally: &mut Tally) -> Result<Result<Team, FieldError>, AppError> {
        let (services, scope) = (self.services, &self.tenant.scope);
        let made = self.team_made_by(row);
        for attempt in 0..ATTEMPTS {
            if let Some(id) = self.known_team(&named.folded).await? {
                if id == made {
                    keep_once::<Team>(tally, id, Some(1));
                }
                if let Some(team) = people::team(&services.core, scope, id).await?.filter(|team| team.deleted_at.is_none()) {
                    return Ok(Ok(team));
                }
            } else {
                if !self.import.options.create_teams {
                    return Ok(Err(no_team()));
                }
                let change = Change::new("team.created", services.clock.now(), self.origin());
                let team = Team { id: made, record: Revisioned::created(change), name: named.name.clone(), member_count: 0, deleted_at: None };
                let parts = vec![people::insert_team(scope, &team)?, people::claim_team_name(scope, &named.folded, made)];
                if services.core.commit(scope, parts).await? {
                    keep_once::<Team>(tally, made, Some(1));
                    self.teams.insert(named.folded.clone(), Some(made));
                    return Ok(Ok(team));
                }
                if let Some(team) = people::team(&services.core, scope, made).await? {
                    // This row made it before. Somebody may have given it another name since, or deleted it.
                    keep_once::<Team>(tally, made, Some(1));
                    return Ok(if team.deleted_at.is_none() { Ok(team) } else { Err(no_team()) });
                }
            }
            // Another row made it, or somebody deleted it since it was looked up.
            self.teams.remove(&named.folded);
            back_off(services, attempt).await;
        }
        Err(busy())
    }

    /// Whose these addresses are. 1 request per 100 addresses and 1 R each; for those that are somebody's 1 request per 50 more, and 2 R each.
    async fn known(&self, emails: &[&str]) -> Result<HashMap<String, Known>, AppError> {
        let (core, scope) = (&self.services.core, &self.tenant.scope);
        let ids = people::users_by_email(core, self.tenant, emails).await?;
        let users: Vec<UserId> = ids.values().copied().collect();
        let agents: Vec<AgentId> = users.iter().map(|user| (*user).into()).collect();
        let found = people::directory(core, scope, &users, &agents, &[], Freshness::Strong).await?;
        let mut users: HashMap<UserId, User> = found.users.into_iter().map(|user| (user.id, user)).collect();
        let mut agents: HashMap<AgentId, Agent> = found.agents.into_iter().map(|agent| (agent.id, agent)).collect();
        let mut known = HashMap::with_capacity(ids.len());
        for (email, id) in ids {
            let user = users.remove(&id).ok_or_else(|| AppError::Broken("an address leads to no user".to_owned()))?;
            known.insert(email, Known { user, agent: agents.remove(&AgentId::from(id)) });
        }
        Ok(known)
    }

    /// The subject of an identity for an address of which no user is known; none when somebody of another tenant has it. No message is sent. 1 request to the user
    /// pool; when the address has an identity 1 more and 1 R.
    async fn identity(&self, email: &str) -> Result<Option<String>, AppError> {
        match self.services.identities.register(email).await? {
            NewIdentity::Created(subject) => Ok(Some(subject)),
            // One that belongs to nobody was left by a request that ended too early.
            NewIdentity::Exists(subject) => Ok(tenants::by_subject(&self.services.core, &subject).await?.is_none().then_some(subject)),
        }
    }

    /// Makes somebody new: the user, who isn't invited yet, and the agent, in the team that the row names. 1 request to the user pool, 2 R, and a transaction of 8 W
    /// and 2 for index 1; with a team 1 R more, and 4 W and 1.
    async fn enter(&mut self, ready: &Ready<AgentDraft>, tally: &mut Tally) -> Result<(), AppError> {
        let (services, tenant, draft) = (self.services, self.tenant, &ready.draft);
        let role = match &self.role {
            Ok(role) => *role,
            Err(error) => return fail(tally, ready, error.clone()),
        };
        let Some(subject) = self.identity(&draft.email).await? else {
            return self.met(ready, tally).await;
        };
        let now = services.clock.now();
        let id = UserId::new(now, &services.entropy.id());
        for attempt in 0..ATTEMPTS {
            let team = match &draft.team {
                None => None,
                Some(named) => match self.live_team(ready.row, named, tally).await? {
                    Ok(team) => Some(team),
                    Err(error) => return fail(tally, ready, error),
                },
            };
            let teams: Vec<Team> = team.into_iter().collect();
            let places: Vec<AgentTeam> = teams.iter().map(|team| new_place(team.id, draft.values.role, now)).collect();
            let person = NewPerson {
                id,
                subject: subject.clone(),
                email: draft.email.clone(),
                name: draft.values.name.clone(),
                roles: vec![role],
                grants: Vec::new(),
                change: Change::new("user.created", now, self.origin()),
                status: UserStatus::Invited,
                others: entered(&tenant.scope, &teams, id.into(), &places, now, &self.origin())?,
                agent: Some(NewAgent { employee_id: draft.values.employee_id.clone().flatten(), time_zone: None, teams: places }),
            };
            match users::enrol(services, tenant, person).await? {
                Enrolled::Done(user, Some(agent)) => {
                    tally.wrote(true);
                    tally.keep::<User>(user.id, Some(user.record.version));
                    tally.keep::<Agent>(agent.id, Some(agent.record.version));
                    for team in teams {
                        tally.keep::<Team>(team.id, Some(team.record.version + 1));
                    }
                    return Ok(());
                }
                Enrolled::Done(_, None) => return Err(AppError::Broken("somebody was to be made an agent and wasn't".to_owned())),
                Enrolled::Taken => return self.met(ready, tally).await,
                Enrolled::Changed => back_off(services, attempt).await,
            }
        }
        Err(busy())
    }

    /// Somebody was faster to take an address, or it is somebody's in another tenant.
    async fn met(&mut self, ready: &Ready<AgentDraft>, tally: &mut Tally) -> Result<(), AppError> {
        let email = ready.draft.email.as_str();
        match self.known(&[email]).await?.remove(email) {
            Some(known) => self.settle(ready, known, tally).await,
            None => fail(tally, ready, taken()),
        }
    }

    /// Brings somebody there is and their row together, deciding again whenever somebody else was faster. For a change 1 W and 1 for index 1; with another name, and
    /// with a team, a transaction of 4 W and 4 for index 1, of 6 W and 2.
    async fn settle(&mut self, ready: &Ready<AgentDraft>, mut known: Known, tally: &mut Tally) -> Result<(), AppError> {
        let (services, draft) = (self.services, &ready.draft);
        let now = services.clock.now();
        for attempt in 0..ATTEMPTS {
            let change = match self.decide(ready, &known, now).await? {
                AgentDecision::Change(change) => change,
                AgentDecision::Done(written) => return self.count_again(ready, &known, written, tally).await,
                AgentDecision::Unchanged => {
                    tally.counts.unchanged += 1;
                    return Ok(());
                }
                AgentDecision::Skipped => {
                    tally.counts.skipped += 1;
                    return Ok(());
                }
                AgentDecision::Refused(error) => return fail(tally, ready, error),
            };
            let team = match (&change.place, &draft.team) {
                (Some(place), Some(named)) => match self.live_team(ready.row, named, tally).await? {
                    Ok(team) if team.id == place.team => Some(team),
                    // Another row or another person made it meanwhile.
                    Ok(_) => continue,
                    Err(error) => return fail(tally, ready, error),
                },
                _ => None,
            };
            if let Some(changed) = self.changed(&known, change, team, now)?
                && services.core.commit(&self.tenant.scope, changed.parts).await?
            {
                tally.wrote(false);
                tally.written.extend(changed.written);
                return Ok(());
            }
            back_off(services, attempt).await;
            known = self.known(&[draft.email.as_str()]).await?.remove(&draft.email).ok_or_else(|| AppError::Broken("a user came and went".to_owned()))?;
        }
        Err(busy())
    }

    /// What a row does to somebody there is.
    async fn decide(&mut self, ready: &Ready<AgentDraft>, known: &Known, now: Timestamp) -> Result<AgentDecision, AppError> {
        let Some(agent) = &known.agent else {
            let message = "This address is a user's who isn't an agent. Make an agent of them first, or leave the row out.";
            return Ok(AgentDecision::Refused(FieldError::new("email", FieldErrorCode::Conflict, message)));
        };
        let team = self.team_of(ready).await?;
        let decision = decide_agent(self.import, &ready.draft.values, team, agent, self.redelivered, now);
        Ok(match decision {
            AgentDecision::Change(change) if is_other(&change, agent) && !standing::is_on_floor(&self.settings, &known.user) => {
                let message = "They may do more than a telephonist, so an import changes neither their name nor their number. Change them by hand, or leave the row out.";
                AgentDecision::Refused(FieldError::new("email", FieldErrorCode::NotAllowed, message))
            }
            decision => decision,
        })
    }

    /// The transaction that makes a change: one version more of the agent, of the user when the name is another, and of the team that they come into or are something
    /// else in. None when who was an agent isn't one.
    fn changed(&self, known: &Known, change: AgentChange, team: Option<Team>, now: Timestamp) -> Result<Option<Changed>, StoreError> {
        let (scope, origin) = (&self.tenant.scope, self.origin());
        let Known { user, agent: Some(agent) } = known else {
            return Ok(None);
        };
        let mut changed = Changed { parts: Vec::new(), written: Vec::new() };
        let mut teams = agent.teams.clone();
        if let (Some(place), Some(team)) = (&change.place, team) {
            let before = agent.role_in(team.id);
            match teams.iter_mut().find(|held| held.team == team.id) {
                Some(held) => held.clone_from(place),
                None => teams.push(place.clone()),
            }
            let membership = Membership { team: team.id, agent: agent.id, role: place.role, assigned_at: place.assigned_at };
            changed.parts.push(if before.is_none() { people::insert_membership(scope, &membership)? } else { people::change_membership(scope, &membership) });
            let member = MemberChange { agent: agent.id, before, after: Some(place.role) };
            let action = if before.is_none() { "team.member_added" } else { "team.member_changed" };
            let record = team.record.changed(Change::new(action, now, origin.clone()).about_member(member));
            let after = Team { member_count: team.member_count.saturating_add(u32::from(before.is_none())), record, ..team.clone() };
            changed.parts.push(people::replace_team(scope, &after, team.record.revision)?);
            changed.written.push(row_of::<Team>(team.id, Some(after.record.version)));
        }
        let action = match &change.place {
            Some(place) if !is_other(&change, agent) => {
                if agent.role_in(place.team).is_none() {
                    "agent.team_joined"
                } else {
                    ROLE_CHANGED
                }
            }
            _ => "agent.updated",
        };
        let record = agent.record.changed(Change::new(action, now, origin.clone()));
        let after = Agent { name: change.name, employee_id: change.employee_id, teams, record, ..agent.clone() };
        changed.parts.push(people::replace_agent(scope, &after, agent.record.revision)?);
        changed.written.push(row_of::<Agent>(agent.id, Some(after.record.version)));
        if after.name != agent.name && after.name != user.name {
            let record = user.record.changed(Change::new("user.updated", now, origin));
            let renamed = User { name: after.name, record, ..user.clone() };
            changed.parts.push(people::replace_user(scope, &renamed, user.record.revision)?);
            changed.written.push(row_of::<User>(user.id, Some(renamed.record.version)));
        }
        Ok(Some(changed))
    }

    /// Counts a row that was written before, and keeps what it wrote as far as the records tell. 1 R for a team.
    async fn count_again(&mut self, ready: &Ready<AgentDraft>, known: &Known, written: RowWrite, tally: &mut Tally) -> Result<(), AppError> {
        let is_new = written == RowWrite::Created;
        tally.wrote(is_new);
        let Some(agent) = &known.agent else {
            return Ok(());
        };
        let user = &known.user;
        tally.keep::<Agent>(agent.id, Some(if is_new { 1 } else { agent.record.version }));
        if self.is_ours(&user.record.created_by) {
            tally.keep::<User>(user.id, Some(1));
        } else if self.is_ours(&user.record.last_change.origin.actor) {
            tally.keep::<User>(user.id, Some(user.record.version));
        }
        let Some(id) = self.team_of(ready).await? else {
            return Ok(());
        };
        let Some(team) = people::team(&self.services.core, &self.tenant.scope, id).await? else {
            return Ok(());
        };
        if id == self.team_made_by(ready.row) {
            keep_once::<Team>(tally, id, Some(1));
        }
        let since = self.import.writing_since.unwrap_or(self.import.created_at);
        let came = agent.teams.iter().any(|place| place.team == id && place.assigned_at >= since);
        if came || agent.record.last_change.action == ROLE_CHANGED {
            let last = &team.record.last_change;
            let is_about_them = last.member.as_ref().is_some_and(|member| member.agent == agent.id) && self.is_ours(&last.origin.actor);
            keep_once::<Team>(tally, id, is_about_them.then_some(team.record.version));
        }
        Ok(())
    }
}

/// The parts of a transaction, and what it writes.
struct Changed {
    parts: Vec<Part>,
    written: Vec<WrittenRow>,
}

/// Whether a change is one of the agent's own values, and not of their place in a team alone.
fn is_other(change: &AgentChange, agent: &Agent) -> bool {
    change.name != agent.name || change.employee_id != agent.employee_id
}

fn row_of<R: Audited>(id: impl Display, version: Option<u32>) -> WrittenRow {
    WrittenRow { entity_type: R::ENTITY_TYPE.to_owned(), entity_id: id.to_string(), version }
}

/// Keeps a version of a record that several rows of a chunk may lead to.
fn keep_once<R: Audited>(tally: &mut Tally, id: impl Display, version: Option<u32>) {
    let row = row_of::<R>(id, version);
    if !tally.written.contains(&row) {
        tally.written.push(row);
    }
}

/// Counts a row that can't be used as it stands.
fn fail(tally: &mut Tally, ready: &Ready<AgentDraft>, error: FieldError) -> Result<(), AppError> {
    tally.fail(vec![refused(ready, error)]);
    Ok(())
}

fn refused(ready: &Ready<AgentDraft>, error: FieldError) -> RowError {
    let value = match error.field.as_str() {
        "email" => Some(ready.draft.email.clone()),
        "team" => ready.draft.team.as_ref().map(|named| named.name.clone()),
        _ => None,
    };
    row_error(ready.row, error, value)
}

/// An address is somebody's. It isn't said whose, nor where: it may be somebody in another tenant.
fn taken() -> FieldError {
    FieldError::new("email", FieldErrorCode::Taken, "This address has a user already, who is none of yours. Give another, or leave the row out.")
}

fn no_team() -> FieldError {
    FieldError::new("team", FieldErrorCode::NotFound, "There is no such team. Make it first, or let the import make teams.")
}

/// A team's name as a team can have it.
fn named_team(given: &str) -> Result<NamedTeam, FieldError> {
    match teams::checked_name(given) {
        Ok((name, folded)) => Ok(NamedTeam { name, folded }),
        Err(UserError { error, .. }) => Err(FieldError { field: "team".to_owned(), message: error.message.replacen("name", "team", 1), ..error }),
    }
}

impl Kind for Agents<'_> {
    type Draft = AgentDraft;

    async fn prepare(&mut self, row: &Row) -> Result<Prepared<AgentDraft>, AppError> {
        let options = &self.import.options;
        let said = match to_agent(row, &self.import.mapping, options) {
            Ok(said) => said,
            Err(problem) => return Ok(Prepared::Failed(vec![unreadable_row(row.number, &problem)])),
        };
        let (mut errors, mut aside) = (Vec::new(), Vec::new());
        let name = person_name("name", said.name.as_deref().unwrap_or_default()).map_err(|error| errors.push(error)).ok();
        let email = users::address(said.email.as_deref().unwrap_or_default()).map_err(|error| errors.push(error)).ok();
        let number = said.employee_id.as_deref().map(employee_id).transpose().map_err(|error| aside.push(error)).ok().flatten().flatten();
        let team = said.team.as_deref().map(named_team).transpose().map_err(|error| aside.push(error)).ok().flatten();
        let role = said.checked_role().map_err(|error| aside.push(error)).ok().flatten();
        if options.on_invalid == OnInvalid::Fail {
            errors.append(&mut aside);
        }
        if let Some(named) = &team
            && !options.create_teams
            && self.known_team(&named.folded).await?.is_none()
        {
            errors.push(no_team());
        }
        let text = |error: &FieldError| said.text_of(&error.field).map(str::to_owned);
        let (Some(name), Some(email), true) = (name, email, errors.is_empty()) else {
            return Ok(Prepared::Failed(errors.into_iter().map(|error| (text(&error), error)).map(|(text, error)| row_error(row.number, error, text)).collect()));
        };
        let employee_id = number.map(Some).or_else(|| said.empties_employee_id.then_some(None));
        let key = RowKey::of_hash(&self.tenant.keyring.keyed_hash("import e-mail", &email));
        let draft = AgentDraft { email, values: AgentValues { name, employee_id, role }, team };
        let warnings = aside.into_iter().map(|error| (text(&error), error)).map(|(text, error)| row_warning(row.number, error, text)).collect();
        Ok(Prepared::Ready(Ready { row: row.number, key, draft }, warnings))
    }

    /// Per 100 rows 1 request that reads whose their addresses are, 1 R each, and 2 more for those that are somebody's; then each row by itself.
    async fn write(&mut self, ready: Vec<Ready<AgentDraft>>, _: &[Row], tally: &mut Tally) -> Result<(), AppError> {
        let emails: Vec<&str> = ready.iter().map(|ready| ready.draft.email.as_str()).collect();
        let mut known = self.known(&emails).await?;
        for ready in &ready {
            match known.remove(&ready.draft.email) {
                Some(known) => self.settle(ready, known, tally).await?,
                None => self.enter(ready, tally).await?,
            }
        }
        Ok(())
    }
}

impl Foresees for Agents<'_> {
    async fn foresee(&mut self, ready: Vec<Ready<AgentDraft>>) -> Result<Vec<(u64, RowOutcome, Option<RowError>)>, AppError> {
        let emails: Vec<&str> = ready.iter().map(|ready| ready.draft.email.as_str()).collect();
        let known = self.known(&emails).await?;
        let now = self.services.clock.now();
        let mut outcomes = Vec::with_capacity(ready.len());
        for ready in &ready {
            let decision = match known.get(&ready.draft.email) {
                Some(known) => match self.decide(ready, known, now).await? {
                    AgentDecision::Done(_) => AgentDecision::Done(RowWrite::Updated),
                    decision => decision,
                },
                // Whether the address is somebody's in another tenant, only the user pool knows.
                None => self.role.as_ref().map_or_else(|error| AgentDecision::Refused(error.clone()), |_| AgentDecision::Done(RowWrite::Created)),
            };
            let (outcome, error) = match decision {
                AgentDecision::Done(RowWrite::Created) => (RowOutcome::Create, None),
                AgentDecision::Change(_) | AgentDecision::Done(RowWrite::Updated) => (RowOutcome::Update, None),
                AgentDecision::Unchanged => (RowOutcome::Unchanged, None),
                AgentDecision::Skipped => (RowOutcome::Skip, None),
                AgentDecision::Refused(error) => (RowOutcome::Fail, Some(refused(ready, error))),
            };
            outcomes.push((ready.row, outcome, error));
        }
        Ok(outcomes)
    }
}
