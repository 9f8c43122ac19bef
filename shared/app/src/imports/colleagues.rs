//! The people and teams that rows name: each is looked up once per chunk.

use std::collections::HashMap;

use switchboard_domain::actor::Actor;
use switchboard_domain::change::{Change, Origin, Revisioned};
use switchboard_domain::email;
use switchboard_domain::field_error::{FieldError, FieldErrorCode};
use switchboard_domain::ids::{AgentId, TeamId};
use switchboard_domain::imports::{Import, Phase};
use switchboard_domain::team::Team;
use switchboard_store::people;
use switchboard_store::tenants::OpenTenant;

use super::kinds::Tally;
use crate::contacts::check_owner;
use crate::error::AppError;
use crate::services::Services;
use crate::teams::checked_name;

/// How often a team is looked for again because somebody else was faster to make it.
const ATTEMPTS: usize = 4;

/// What a name came to: who or which it is, or what is wrong with it. A team that will be made is nothing yet.
type Found<T> = Result<T, FieldError>;

/// Looks up who and which teams the rows of a chunk name.
pub(super) struct Colleagues<'a> {
    services: &'a Services,
    tenant: &'a OpenTenant,
    import: &'a Import,
    redelivered: bool,
    agents: HashMap<String, Found<AgentId>>,
    teams: HashMap<String, Found<Option<TeamId>>>,
    /// The teams that were made.
    made: Vec<TeamId>,
}

impl<'a> Colleagues<'a> {
    pub(super) fn of(services: &'a Services, tenant: &'a OpenTenant, import: &'a Import, redelivered: bool) -> Self {
        Self { services, tenant, import, redelivered, agents: HashMap::new(), teams: HashMap::new(), made: Vec::new() }
    }

    /// The agent with an e-mail address, if contacts can be given to them. 2 requests and 3 R for each address.
    pub(super) async fn agent(&mut self, address: &str) -> Result<Found<AgentId>, AppError> {
        let address = match email::normalise("assignTo", address) {
            Ok(Some(address)) => address,
            Ok(None) => return Ok(Err(unknown_agent())),
            Err(error) => return Ok(Err(error)),
        };
        if let Some(known) = self.agents.get(&address) {
            return Ok(known.clone());
        }
        let found = match people::user_by_email(&self.services.core, self.tenant, &address).await? {
            None => Err(unknown_agent()),
            Some(user) => {
                let agent = AgentId::from(user);
                match check_owner(self.services, self.tenant, Some(Some(agent)), None).await? {
                    Ok(_) => Ok(agent),
                    Err(error) => Err(FieldError { field: "assignTo".to_owned(), ..error.error }),
                }
            }
        };
        self.agents.insert(address, found.clone());
        Ok(found)
    }

    /// The team with a name. One that isn't there is made when rows are written, unless the import is not to: 1 request and 1 R for each name, and a transaction of
    /// 4 W and 1 for index 1 for a new one.
    pub(super) async fn team(&mut self, name: &str) -> Result<Found<Option<TeamId>>, AppError> {
        let (name, folded) = match checked_name(name) {
            Ok(checked) => checked,
            Err(error) => return Ok(Err(FieldError { field: "team".to_owned(), ..error.error })),
        };
        if let Some(known) = self.teams.get(&folded) {
            return Ok(known.clone());
        }
        let found = self.find_team(name, &folded).await?;
        self.teams.insert(folded, found.clone());
        Ok(found)
    }

    async fn find_team(&mut self, name: String, folded: &str) -> Result<Found<Option<TeamId>>, AppError> {
        let (core, scope) = (&self.services.core, &self.tenant.scope);
        for _ in 0..ATTEMPTS {
            if let Some(team) = people::team_by_name(core, scope, folded).await? {
                // A worker before this one may have made it and died.
                if self.redelivered && people::team(core, scope, team).await?.is_some_and(|team| team.record.created_by == self.actor()) {
                    self.made.push(team);
                }
                return Ok(Ok(Some(team)));
            }
            if !self.import.options.create_teams {
                return Ok(Err(FieldError::new("team", FieldErrorCode::NotFound, "There is no such team. Create it, or let the import create teams (createTeams).")));
            }
            if self.import.phase != Phase::Writing {
                return Ok(Ok(None));
            }
            let now = self.services.clock.now();
            let id = TeamId::new(now, &self.services.entropy.id());
            let change = Change::new("team.created", now, Origin::import(self.import.id, &self.import.file_name));
            let team = Team { id, record: Revisioned::created(change), name: name.clone(), member_count: 0, deleted_at: None };
            let parts = vec![people::insert_team(scope, &team)?, people::claim_team_name(scope, folded, id)];
            if core.commit(scope, parts).await? {
                self.made.push(id);
                return Ok(Ok(Some(id)));
            }
        }
        Err(AppError::Unavailable("a team that several want to make"))
    }

    fn actor(&self) -> Actor {
        Actor::import(self.import.id, &self.import.file_name)
    }

    /// Keeps the teams that were made since with what the chunk wrote.
    pub(super) fn keep(&mut self, tally: &mut Tally) {
        for id in self.made.drain(..) {
            tally.keep::<Team>(id, Some(1));
        }
    }
}

fn unknown_agent() -> FieldError {
    FieldError::new("assignTo", FieldErrorCode::NotFound, "Nobody in the staff directory has this e-mail address. Add them first, or leave the cell blank.")
}
