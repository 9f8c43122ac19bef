//! The signed-in user: tenant, roles and permissions come from their record, never from the request.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use switchboard_domain::actor::{Actor, STAFF_EMAIL};
use switchboard_domain::change::Origin;
use switchboard_domain::contact::Owners;
use switchboard_domain::ids::{AgentId, TeamId};
use switchboard_domain::permission::{Grant, Permission, Scope, widest};
use switchboard_domain::person::{Agent, Role, User, UserStatus};
use switchboard_store::people;
use switchboard_store::settings::Settings;
use switchboard_store::tenants::{self, OpenTenant};
use switchboard_store::{Freshness, TenantScope};

use crate::audit;
use crate::error::AppError;
use crate::services::Services;
use crate::users;

/// How long a user's record is believed without asking again; a disabled user is refused after at most this.
pub const BELIEVED: SignedDuration = SignedDuration::from_secs(20);
/// Most sign-ins of which one process remembers that they are on record.
const MOST_SIGN_INS: usize = 10_000;
/// Most members of one team who count as colleagues in the scope of one's teams.
const MOST_COLLEAGUES: usize = 1_000;

/// What the gateway says of a request.
#[derive(Debug, Clone, Default)]
pub struct RequestOrigin {
    /// The gateway's id of the request.
    pub request_id: String,
    /// The caller's address, as the gateway saw it.
    pub ip_address: Option<String>,
    /// The caller's own name for its program.
    pub user_agent: Option<String>,
}

/// A signed-in user within one request.
#[derive(Clone)]
pub struct Viewer {
    /// The tenant, with its keys.
    pub tenant: Arc<OpenTenant>,
    /// The tenant's statuses and roles.
    pub settings: Arc<Settings>,
    /// The user.
    pub user: Arc<User>,
    /// The user's entry in the staff directory; none when they have none or it was deleted.
    pub agent_record: Option<Arc<Agent>>,
    /// The members of the user's teams, read only for who has a permission in the scope of their teams.
    pub colleagues: Arc<BTreeSet<AgentId>>,
    /// When they signed in.
    pub signed_in_at: Timestamp,
    /// Where the request came from.
    pub request: RequestOrigin,
}

/// Whether what was read at one time may be believed now. What comes from the future, because a clock was set back, may not.
pub(crate) fn is_young(read_at: Timestamp, now: Timestamp, believed: SignedDuration) -> bool {
    let age = now.duration_since(read_at);
    age >= SignedDuration::ZERO && age < believed
}

/// Whether a sign-in was ended by signing out everywhere. Tokens tell seconds: one of the same second counts as earlier.
pub(crate) fn is_signed_out(user: &User, signed_in_at: Timestamp) -> bool {
    user.signed_out_at.is_some_and(|at| signed_in_at.as_second() <= at.as_second())
}

/// Lets a user in, as their record says now, with the viewer's sign-in. Who is refused although the token is valid is put on record.
///
/// # Errors
/// [`AppError::Unauthenticated`] when they are disabled, or were signed out since.
pub(crate) async fn admit(services: &Services, viewer: &Viewer, user: &User) -> Result<(), AppError> {
    let reason = if user.status == UserStatus::Disabled {
        "DISABLED"
    } else if is_signed_out(user, viewer.signed_in_at) {
        "SIGNED_OUT"
    } else {
        return Ok(());
    };
    refused(&viewer.request, reason);
    audit::denied(services, viewer, reason).await;
    Err(AppError::Unauthenticated)
}

/// Says in the log that a token was refused. A metric goes by `event` and `reason`.
fn refused(request: &RequestOrigin, reason: &str) {
    tracing::info!(request.id = request.request_id, event = "auth.denied", reason, "a token was refused");
}

impl Viewer {
    fn of(seen: &Seen, signed_in_at: Timestamp, tenant: Arc<OpenTenant>, settings: Arc<Settings>, request: RequestOrigin) -> Self {
        Self { tenant, settings, user: Arc::clone(&seen.user), agent_record: seen.agent.clone(), colleagues: Arc::clone(&seen.colleagues), signed_in_at, request }
    }

    /// The roles the user holds; one that was deleted grants nothing.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.user.roles.iter().filter_map(|id| self.settings.role(*id)).filter(|role| role.is_live())
    }

    /// What the user may do: by their roles, and beside them.
    #[must_use]
    pub fn grants(&self) -> Vec<Grant> {
        grants(&self.user, &self.settings)
    }

    /// The user's teams.
    #[must_use]
    pub fn teams(&self) -> Vec<TeamId> {
        self.agent_record.iter().flat_map(|agent| agent.teams.iter().map(|entry| entry.team)).collect()
    }

    /// Whose contacts are within the scope of the user's teams: their own, those of their colleagues, and those in the teams' pools.
    #[must_use]
    pub fn of_teams(&self) -> Owners {
        let mut agents = self.colleagues.as_ref().clone();
        agents.insert(self.agent());
        Owners { agents, teams: self.teams().into_iter().collect() }
    }

    /// Whether the user may do this with an agent's records.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] when with nobody's.
    pub fn reaches_agent(&self, permission: Permission, agent: &Agent) -> Result<bool, AppError> {
        Ok(match self.scope(permission)? {
            Scope::All => true,
            Scope::Team => agent.id == self.agent() || agent.teams.iter().any(|entry| self.is_in(entry.team)),
            Scope::Own => agent.id == self.agent(),
        })
    }

    /// Whether the user may do this with a team: below the whole tenant's, with those they are in.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] when with none.
    pub fn reaches_team(&self, permission: Permission, team: TeamId) -> Result<bool, AppError> {
        Ok(match self.scope(permission)? {
            Scope::All => true,
            Scope::Team | Scope::Own => self.is_in(team),
        })
    }

    fn is_in(&self, team: TeamId) -> bool {
        self.agent_record.as_ref().is_some_and(|agent| agent.role_in(team).is_some())
    }

    /// Whose records the user may do this with.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] when nobody's.
    pub fn scope(&self, permission: Permission) -> Result<Scope, AppError> {
        widest(&self.grants(), permission).ok_or(AppError::Forbidden)
    }

    /// That the user may do this with every record of the tenant.
    ///
    /// # Errors
    /// [`AppError::Forbidden`] otherwise.
    pub fn require_all(&self, permission: Permission) -> Result<(), AppError> {
        if self.scope(permission)? == Scope::All { Ok(()) } else { Err(AppError::Forbidden) }
    }

    /// The user's entry in the staff directory.
    #[must_use]
    pub fn agent(&self) -> AgentId {
        self.user.id.into()
    }

    /// What the changes of this request carry.
    #[must_use]
    pub fn origin(&self) -> Origin {
        let roles = self.roles().map(|role| role.code.clone()).collect();
        Origin {
            actor: Actor::user(self.user.id, &self.user.name, self.user.sealed_email.clone(), roles),
            request_id: Some(self.request.request_id.clone()),
            ip_address: self.request.ip_address.clone(),
            job: None,
            user_agent: self.request.user_agent.as_ref().map(|agent| agent.chars().take(255).collect()),
        }
    }

    /// An e-mail address of the staff.
    ///
    /// # Errors
    /// [`AppError::Broken`] when it isn't under the tenant's key for this user.
    pub fn staff_email(&self, user: &str, sealed: &[u8]) -> Result<String, AppError> {
        let bytes = self.tenant.keyring.open_for_tenant(STAFF_EMAIL, user, sealed).map_err(|error| AppError::Broken(error.to_string()))?;
        String::from_utf8(bytes).map_err(|error| AppError::Broken(error.to_string()))
    }
}

/// What a user may do: by their roles that weren't deleted, and beside them.
pub(crate) fn grants(user: &User, settings: &Settings) -> Vec<Grant> {
    let roles = user.roles.iter().filter_map(|id| settings.role(*id)).filter(|role| role.is_live());
    roles.flat_map(|role| role.grants.iter().copied()).chain(user.grants.iter().copied()).collect()
}

/// What a verified token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignIn<'a> {
    /// The identity in the user pool.
    pub subject: &'a str,
    /// When it signed in; tokens made later of that sign-in say the same.
    pub at: Timestamp,
}

impl<'a> SignIn<'a> {
    /// A sign-in at this second since 1970.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] for a second that no clock shows.
    pub fn of(subject: &'a str, second: i64) -> Result<Self, AppError> {
        Ok(Self { subject, at: Timestamp::from_second(second).map_err(|_| AppError::Unauthenticated)? })
    }
}

/// A user seen lately.
#[derive(Clone)]
struct Seen {
    user: Arc<User>,
    agent: Option<Arc<Agent>>,
    colleagues: Arc<BTreeSet<AgentId>>,
    scope: TenantScope,
    at: Timestamp,
}

/// Users seen lately, by the subject of their tokens.
#[derive(Default)]
pub struct SignIns {
    seen: Mutex<HashMap<String, Seen>>,
    recorded: Mutex<HashSet<(String, Timestamp)>>,
}

impl SignIns {
    /// The viewer behind a verified token. 2 requests and 3 R at most every 20 seconds per user, 1 request more for each team of who has a permission in
    /// the scope of their teams; with a cold cache 2 more requests for the tenant and its settings. Who signs in for the first time becomes active:
    /// a write. The first request of each sign-in, and each that is refused, goes on record: 1 request and 3 W.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] when there is no such user, they are disabled, or were signed out everywhere since; those of the database.
    pub async fn viewer(&self, services: &Services, sign_in: SignIn<'_>, request: RequestOrigin) -> Result<Viewer, AppError> {
        let found = self.user(services, sign_in.subject).await;
        if matches!(found, Err(AppError::Unauthenticated)) {
            // Of nobody's tenant: the log is all there is.
            refused(&request, "UNKNOWN_USER");
        }
        let mut seen = found?;
        let tenant = services.tenants.open(seen.scope.tenant()).await?.ok_or(AppError::Unauthenticated)?;
        let settings = services.tenants.settings(&seen.scope).await?;
        let mut viewer = Viewer::of(&seen, sign_in.at, tenant, settings, request);
        admit(services, &viewer, &seen.user).await?;
        if seen.user.status == UserStatus::Invited {
            let active = users::activate(services, &viewer.tenant, &viewer.settings, &seen.user, viewer.origin()).await?;
            admit(services, &viewer, &active).await?;
            seen.user = Arc::new(active);
            self.lock().insert(sign_in.subject.to_owned(), seen.clone());
            viewer.user = seen.user;
        }
        self.record(services, &viewer, sign_in).await;
        Ok(viewer)
    }

    /// Puts a sign-in on record when its first request comes. What can't be written now is tried again with the next request: it stops none.
    async fn record(&self, services: &Services, viewer: &Viewer, sign_in: SignIn<'_>) {
        let recorded = || self.recorded.lock().unwrap_or_else(PoisonError::into_inner);
        let sign_in = (sign_in.subject.to_owned(), sign_in.at);
        let is_recorded = recorded().contains(&sign_in);
        if is_recorded || !audit::signed_in(services, viewer).await {
            return;
        }
        let mut recorded = recorded();
        // Of what is forgotten the event is there already, and stays the only one.
        if recorded.len() >= MOST_SIGN_INS {
            recorded.clear();
        }
        recorded.insert(sign_in);
    }

    async fn user(&self, services: &Services, subject: &str) -> Result<Seen, AppError> {
        let now = services.clock.now();
        if let Some(seen) = self.lock().get(subject)
            && is_young(seen.at, now, BELIEVED)
        {
            return Ok(seen.clone());
        }
        self.lock().remove(subject);
        let core = &services.core;
        let (scope, id) = tenants::by_subject(core, subject).await?.ok_or(AppError::Unauthenticated)?;
        let found = people::directory(core, &scope, &[id], &[id.into()], &[], Freshness::Strong).await?;
        let user = found.users.into_iter().next().ok_or(AppError::Unauthenticated)?;
        let agent = found.agents.into_iter().find(|agent| agent.deleted_at.is_none());
        let settings = services.tenants.settings(&scope).await?;
        let mut colleagues = BTreeSet::new();
        if grants(&user, &settings).iter().any(|grant| grant.scope == Scope::Team) {
            for entry in agent.iter().flat_map(|agent| &agent.teams) {
                let members = people::members(core, &scope, entry.team, None, MOST_COLLEAGUES).await?;
                colleagues.extend(members.entries.into_iter().map(|member| member.agent));
            }
        }
        let seen = Seen { user: Arc::new(user), agent: agent.map(Arc::new), colleagues: Arc::new(colleagues), scope, at: now };
        self.lock().insert(subject.to_owned(), seen.clone());
        Ok(seen)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
