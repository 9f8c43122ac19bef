//! Writing somebody new.

use switchboard_domain::actor::STAFF_EMAIL;
use switchboard_domain::change::{Change, Revisioned};
use switchboard_domain::ids::{RoleId, UserId};
use switchboard_domain::permission::Grant;
use switchboard_domain::person::{Agent, AgentTeam, User, UserStatus};
use switchboard_store::table::Part;
use switchboard_store::tenants::{self, OpenTenant};
use switchboard_store::{people, settings};

use super::standing;
use crate::error::AppError;
use crate::services::Services;

/// Somebody new, who has an identity in the user pool.
#[derive(Debug, Clone)]
pub struct NewPerson {
    /// The id they are to have.
    pub id: UserId,
    /// The subject of their identity.
    pub subject: String,
    /// The address they sign in with, in lower case.
    pub email: String,
    /// What people call them.
    pub name: String,
    /// The roles they hold.
    pub roles: Vec<RoleId>,
    /// What they may do beside their roles.
    pub grants: Vec<Grant>,
    /// The change that makes them a user.
    pub change: Change,
    /// Whether they were invited or can sign in already.
    pub status: UserStatus,
    /// Their entry in the staff directory, if they are to have one.
    pub agent: Option<NewAgent>,
    /// What else is done with it or not at all.
    pub others: Vec<Part>,
}

/// An entry in the staff directory for somebody new.
#[derive(Debug, Clone)]
pub struct NewAgent {
    /// The employer's own number for them.
    pub employee_id: Option<String>,
    /// IANA time zone of their schedule.
    pub time_zone: Option<String>,
    /// Their places in teams. What the teams say of it is among the other parts.
    pub teams: Vec<AgentTeam>,
}

/// What became of somebody new.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one at a time, on the stack")]
#[must_use = "nobody is there when the address is taken, or something changed"]
pub enum Enrolled {
    /// They are there.
    Done(User, Option<Agent>),
    /// Their address or their identity is another user's.
    Taken,
    /// What else was to be done didn't hold: all is to be decided anew.
    Changed,
}

/// Writes somebody new in one transaction: the user, what finds them by their subject and by their address, the entry in the staff directory, and what else
/// is to be done with it. 1 request and 6 W, 1 for index 1; with an agent 2 W and 1 for index 1 more; for somebody active 1 request more for the roles, 2 R,
/// and for an active administrator 1 R and 2 W; and what the other parts cost. When it wasn't done 2 requests and 2 R more.
///
/// # Errors
/// Those of the database.
pub async fn enrol(services: &Services, tenant: &OpenTenant, person: NewPerson) -> Result<Enrolled, AppError> {
    let (core, scope, id) = (&services.core, &tenant.scope, person.id);
    let sealed_email = tenant.keyring.seal_for_tenant(STAFF_EMAIL, &id.to_string(), services.entropy.as_ref(), person.email.as_bytes());
    let is_active = person.status == UserStatus::Active;
    let user = User {
        id,
        record: Revisioned::created(person.change.clone()),
        subject: person.subject.clone(),
        name: person.name,
        sealed_email,
        status: person.status,
        roles: person.roles,
        grants: person.grants,
        signed_out_at: None,
        activated_at: is_active.then_some(person.change.at),
    };
    let agent = person.agent.map(|entry| Agent {
        id: id.into(),
        record: Revisioned::created(Change { action: "agent.created".to_owned(), ..person.change }),
        name: user.name.clone(),
        sealed_email: user.sealed_email.clone(),
        employee_id: entry.employee_id,
        time_zone: entry.time_zone,
        teams: entry.teams,
        deleted_at: None,
    });
    let mut parts = vec![people::insert_user(scope, &user)?, tenants::subject_part(scope, &person.subject, id), people::claim_email(tenant, &person.email, id)];
    if let Some(agent) = &agent {
        parts.push(people::insert_agent(scope, agent)?);
    }
    if is_active {
        let settings = settings::load(core, scope).await?;
        parts.extend(standing::with_administrator(services, tenant, &settings, &user).await?);
    }
    parts.extend(person.others);
    if core.commit(scope, parts).await? {
        return Ok(Enrolled::Done(user, agent));
    }
    let found = tenants::by_subject(core, &person.subject).await?.map(|(_, user)| user);
    // The answer to this very transaction may have been lost.
    if found == Some(id) {
        return Ok(Enrolled::Done(user, agent));
    }
    let is_taken = found.is_some() || people::user_by_email(core, tenant, &person.email).await?.is_some();
    Ok(if is_taken { Enrolled::Taken } else { Enrolled::Changed })
}
