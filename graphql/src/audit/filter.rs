//! Which events are asked for, as clients say it.

use async_graphql::{ID, Result};
use switchboard_app::audit::{ENTITY_TYPES, EventFilter, Who};

use super::event::{AuditOutcome, AuditSeverity};
use crate::errors::Code;
use crate::node_id::{AuditedId, NodeId};
use crate::scalars::DateTime;

/// The actor that has no id.
const SYSTEM: &str = "system";
/// Longest action and longest id of a request.
const LONGEST: usize = 128;

/// The arguments of `auditEvents` but for the page.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    pub(super) entity_type: Option<String>,
    pub(super) entity_id: Option<ID>,
    pub(super) actor_id: Option<ID>,
    pub(super) action: Option<String>,
    pub(super) from: Option<DateTime>,
    pub(super) to: Option<DateTime>,
    pub(super) import_id: Option<ID>,
    pub(super) request_id: Option<String>,
    pub(super) outcome: Option<AuditOutcome>,
    pub(super) minimum_severity: Option<AuditSeverity>,
}

impl Arguments {
    /// The filter; none when an id names nothing that could have events, so that there are none.
    pub(super) fn into_filter(self) -> Result<Option<EventFilter>> {
        check_type(self.entity_type.as_deref())?;
        if let Some(action) = &self.action
            && !is_action(action)
        {
            return Err(Code::BadRequest.error("action is none. Write it as noun.verb, such as contact.updated."));
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from.0 >= to.0
        {
            return Err(Code::BadRequest.error("from is not before to. Give the earlier time as from."));
        }
        if self.request_id.as_ref().is_some_and(|id| id.is_empty() || id.len() > LONGEST) {
            return Err(Code::BadRequest.error(format!("requestId is none. Give one as an event or an error has it, at most {LONGEST} characters.")));
        }
        let record = match self.entity_id {
            None => None,
            Some(id) => match audited(&id, self.entity_type.as_deref()) {
                Some(record) => Some(record),
                None => return Ok(None),
            },
        };
        let actor = match self.actor_id {
            None => None,
            Some(id) => match who(&id) {
                Some(who) => Some(who),
                None => return Ok(None),
            },
        };
        let import = match self.import_id {
            None => None,
            Some(id) => match NodeId::parse(&id) {
                Some(NodeId::Import(id)) => Some(id),
                _ => return Ok(None),
            },
        };
        Ok(Some(EventFilter {
            record,
            entity_type: self.entity_type,
            actor,
            action: self.action,
            outcome: self.outcome.map(Into::into),
            minimum_severity: self.minimum_severity.map(Into::into),
            from: self.from.map(|at| at.0),
            to: self.to.map(|at| at.0),
            import,
            request_id: self.request_id,
        }))
    }
}

/// That a kind of record is known, if one is given.
pub(super) fn check_type(entity_type: Option<&str>) -> Result<()> {
    match entity_type {
        Some(kind) if !ENTITY_TYPES.contains(&kind) => Err(Code::BadRequest.error(format!("entityType is no kind of record. Give one of {}.", ENTITY_TYPES.join(", ")))),
        _ => Ok(()),
    }
}

/// The record that an id names, if it is of that kind. The presence and the schedule of an agent have the agent's id, which model an organisation scores by
/// has the organisation's.
pub(crate) fn audited(id: &ID, entity_type: Option<&str>) -> Option<AuditedId> {
    let record = match (NodeId::parse(id)?, entity_type) {
        (NodeId::Agent(agent), Some("presence")) => AuditedId::Presence(agent),
        (NodeId::Agent(agent), Some("schedule")) => AuditedId::Schedule(agent),
        (NodeId::Tenant(tenant), Some("active_scoring_model")) => AuditedId::ActiveScoringModel(tenant),
        (id, _) => id.audited()?,
    };
    entity_type.is_none_or(|kind| kind == record.entity_type()).then_some(record)
}

/// Who an id names; none for what does nothing.
pub(crate) fn who(id: &ID) -> Option<Who> {
    if id.as_str() == SYSTEM {
        return Some(Who::System);
    }
    match NodeId::parse(id)? {
        NodeId::User(id) => Some(Who::User(id)),
        NodeId::Import(id) => Some(Who::Import(id)),
        _ => None,
    }
}

/// Whether a text has the form of an action: two words of lower-case letters and underscores.
fn is_action(text: &str) -> bool {
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    text.len() <= LONGEST && text.split_once('.').is_some_and(|(noun, verb)| is_word(noun) && is_word(verb))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use switchboard_domain::ids::{AgentId, ContactId, ImportId, UserId};

    fn time(second: i64) -> DateTime {
        DateTime(Timestamp::from_second(second).unwrap())
    }

    #[test]
    fn a_wrong_argument_is_refused_with_its_name_and_an_id_of_nothing_finds_nothing() {
        let agent = NodeId::Agent(AgentId::new(Timestamp::UNIX_EPOCH, &[1; 10])).to_id();
        for (wrong, name) in [
            (Arguments { entity_type: Some("person".to_owned()), ..Arguments::default() }, "entityType"),
            (Arguments { action: Some("Contact updated".to_owned()), ..Arguments::default() }, "action"),
            (Arguments { action: Some("contact.".to_owned()), ..Arguments::default() }, "action"),
            (Arguments { from: Some(time(1)), to: Some(time(1)), ..Arguments::default() }, "from"),
            (Arguments { request_id: Some(String::new()), ..Arguments::default() }, "requestId"),
        ] {
            assert!(wrong.into_filter().unwrap_err().message.starts_with(name), "{name}");
        }
        for nothing in [
            Arguments { entity_id: Some(ID("x".to_owned())), ..Arguments::default() },
            Arguments { entity_id: Some(agent.clone()), entity_type: Some("team".to_owned()), ..Arguments::default() },
            Arguments { actor_id: Some(agent.clone()), ..Arguments::default() },
            Arguments { import_id: Some(agent), ..Arguments::default() },
        ] {
            assert_eq!(nothing.into_filter().unwrap(), None);
        }
    }

    #[test]
    fn ids_become_what_they_name() {
        let at = Timestamp::UNIX_EPOCH;
        let (agent, user, import, contact) = (AgentId::new(at, &[1; 10]), UserId::new(at, &[2; 10]), ImportId::new(at, &[3; 10]), ContactId::from_hash(&[4; 32]));
        let about = |id: NodeId, kind: Option<&str>| audited(&id.to_id(), kind);
        assert_eq!(about(NodeId::Agent(agent), None), Some(AuditedId::Agent(agent)));
        assert_eq!(about(NodeId::Agent(agent), Some("presence")), Some(AuditedId::Presence(agent)));
        assert_eq!(about(NodeId::Agent(agent), Some("schedule")), Some(AuditedId::Schedule(agent)));
        assert_eq!(about(NodeId::Contact(contact.clone()), Some("contact")), Some(AuditedId::Contact(contact)));
        assert_eq!(who(&NodeId::User(user).to_id()), Some(Who::User(user)));
        assert_eq!(who(&NodeId::Import(import).to_id()), Some(Who::Import(import)));
        assert_eq!(who(&ID(SYSTEM.to_owned())), Some(Who::System));
    }
}
