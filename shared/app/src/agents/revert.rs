//! Bringing an agent back to what their entry said at an earlier version. Their teams stay.

use switchboard_domain::audit::{Fields, value_of};
use switchboard_domain::ids::AgentId;
use switchboard_domain::permission::Permission;
use switchboard_domain::person::Agent;
use switchboard_store::people;

use super::update::{AgentPatch, UpdateAgent, update_as};
use crate::audit::revert::{Then, Versions, forbidden_transition, in_the_clear, said_at, unreadable};
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Gives an agent the name, number and time zone that they had. As `update`: the name is the user's too.
///
/// # Errors
/// As `update`. What a person can mend is in the inner result; of a deleted agent `FORBIDDEN_TRANSITION`.
pub(crate) async fn revert(services: &Services, viewer: &Viewer, id: AgentId, versions: Versions) -> Result<Result<Agent, Vec<UserError>>, AppError> {
    viewer.scope(Permission::AgentUpdate)?;
    let agent = people::agent(&services.core, &viewer.tenant.scope, id).await?.ok_or(AppError::NotFound)?;
    if !viewer.reaches_agent(Permission::AgentUpdate, &agent)? {
        return Err(AppError::NotFound);
    }
    if agent.deleted_at.is_some() {
        return Ok(Err(vec![forbidden_transition("This agent was deleted. Restore them first.")]));
    }
    let then = said_at(services, viewer, (&agent, &id.to_string(), &agent.record), versions, in_the_clear).await?;
    let patch = match then {
        Then::Now => return Ok(Ok(agent)),
        Then::Said(fields) => patch_of(&fields).ok_or_else(unreadable)?,
        Then::Refused(error) => return Ok(Err(vec![error])),
    };
    let request = UpdateAgent { id: Some(id), expected_version: versions.expected, patch };
    let updated = update_as(services, viewer, request, versions.change(services, viewer, "agent.reverted")).await?;
    Ok(updated.map_err(|errors| versions.told(errors, "agentUpdate")))
}

/// What makes an agent's entry say again what it said when these were its audited fields; none when they aren't those of an agent.
fn patch_of(fields: &Fields) -> Option<AgentPatch> {
    Some(AgentPatch { name: Some(value_of(fields, "name")?), employee_id: Some(value_of(fields, "employeeId")?), time_zone: Some(value_of(fields, "timeZone")?) })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::option;
    use proptest::prelude::*;
    use serde_json::json;
    use switchboard_domain::audit::Audited;
    use switchboard_domain::change::{Change, Origin, Revisioned};

    use super::*;

    proptest! {
        #[test]
        fn an_agents_entry_is_read_back_from_its_audited_fields(name in "[A-Z][a-z]{1,9}", number in option::of("E[0-9]{3}"), zone in option::of("Zone/[A-Z]")) {
            let agent = Agent {
                id: AgentId::new(Timestamp::UNIX_EPOCH, &[1; 10]),
                record: Revisioned::created(Change::new("agent.created", Timestamp::UNIX_EPOCH, Origin::system())),
                name: name.clone(),
                sealed_email: Vec::new(),
                employee_id: number.clone(),
                time_zone: zone.clone(),
                teams: Vec::new(),
                deleted_at: None,
            };
            let expected = AgentPatch { name: Some(Some(name)), employee_id: Some(number), time_zone: Some(zone) };
            prop_assert_eq!(patch_of(&agent.audit_fields()), Some(expected));
        }
    }

    #[test]
    fn fields_of_something_else_are_no_agent() {
        assert_eq!(patch_of(&Fields::from([("employeeId".to_owned(), json!(7))])), None);
    }
}
