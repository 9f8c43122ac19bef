//! Which events are asked for.

use jiff::Timestamp;
use switchboard_domain::actor::ActorKind;
use switchboard_domain::audit::{AuditEvent, Outcome, Severity, severity};
use switchboard_domain::ids::{ImportId, UserId};

use super::audited_id::AuditedId;

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// A person.
    User(UserId),
    /// An import: its chunks; their rows are beneath them.
    Import(ImportId),
    /// The system itself.
    System,
}

/// Which events are asked for; what isn't given doesn't narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// About this record.
    pub record: Option<AuditedId>,
    /// About records of this kind, by its noun.
    pub entity_type: Option<String>,
    /// Done by them.
    pub actor: Option<Who>,
    /// This action, such as `contact.updated`.
    pub action: Option<String>,
    /// What ended so.
    pub outcome: Option<Outcome>,
    /// What matters at least so much.
    pub minimum_severity: Option<Severity>,
    /// At this time or later.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// Of this import: what its rows did to a record, and without a record the import's own events.
    pub import: Option<ImportId>,
    /// Of this request.
    pub request_id: Option<String>,
}

impl EventFilter {
    /// Whether an event is among those asked for.
    pub(super) fn lets_in(&self, event: &AuditEvent) -> bool {
        let origin = &event.change.origin;
        self.entity_type.as_ref().is_none_or(|kind| *kind == event.entity_type)
            && self.record.as_ref().is_none_or(|record| record.entity_type() == event.entity_type && record.entity_id() == event.entity_id)
            && self.actor.is_none_or(|who| is_by(event, who))
            && self.action.as_ref().is_none_or(|action| *action == event.change.action)
            && self.outcome.is_none_or(|outcome| outcome == event.outcome)
            && self.minimum_severity.is_none_or(|least| severity(&event.change.action, event.outcome) >= least)
            && self.from.is_none_or(|from| event.change.at >= from)
            && self.to.is_none_or(|to| event.change.at < to)
            && self.import.is_none_or(|import| origin.import_id() == Some(import) || AuditedId::of(event) == Some(AuditedId::Import(import)))
            && self.request_id.as_ref().is_none_or(|id| origin.request_id.as_ref() == Some(id))
    }

    /// Whether it leaves out entries of the list that is read for it, beyond its times.
    pub(super) fn is_selective(&self) -> bool {
        self.entity_type.is_some() || self.action.is_some() || self.outcome.is_some() || self.minimum_severity.is_some() || self.request_id.is_some()
    }
}

fn is_by(event: &AuditEvent, who: Who) -> bool {
    let actor = &event.change.origin.actor;
    match who {
        Who::User(id) => actor.kind == ActorKind::User && actor.id == Some(id.to_string()),
        Who::Import(id) => event.change.origin.import_id() == Some(id),
        Who::System => actor.kind == ActorKind::System,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use switchboard_domain::actor::Actor;
    use switchboard_domain::audit::{Changes, Place};
    use switchboard_domain::change::{Change, Origin};
    use switchboard_domain::ids::{ContactId, TeamId};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// What an import's row did to a contact at second 10.
    fn event(import: ImportId) -> AuditEvent {
        let mut origin = Origin { actor: Actor::import(import, "people.csv"), ..Origin::system() };
        origin.request_id = Some("message".to_owned());
        AuditEvent {
            entity_type: "contact".to_owned(),
            entity_id: ContactId::from_hash(&[1; 32]).to_string(),
            place: Place::Version(1),
            change: Change::new("contact.created", at(10), origin),
            changes: Changes::Clear(Vec::new()),
            outcome: Outcome::Success,
            previous_hash: None,
            about: None,
        }
    }

    #[test]
    fn each_part_of_a_filter_lets_in_what_it_names_and_nothing_else() {
        let (import, other) = (ImportId::new(at(0), &[1; 10]), ImportId::new(at(0), &[2; 10]));
        let event = event(import);
        let record = |hash: u8| Some(AuditedId::Contact(ContactId::from_hash(&[hash; 32])));
        let all = EventFilter::default;
        assert!(all().lets_in(&event));
        for (within, beyond) in [
            (EventFilter { record: record(1), ..all() }, EventFilter { record: record(2), ..all() }),
            (EventFilter { entity_type: Some("contact".to_owned()), ..all() }, EventFilter { entity_type: Some("note".to_owned()), ..all() }),
            (EventFilter { actor: Some(Who::Import(import)), ..all() }, EventFilter { actor: Some(Who::Import(other)), ..all() }),
            (EventFilter { action: Some("contact.created".to_owned()), ..all() }, EventFilter { action: Some("contact".to_owned()), ..all() }),
            (EventFilter { outcome: Some(Outcome::Success), ..all() }, EventFilter { outcome: Some(Outcome::Denied), ..all() }),
            (EventFilter { minimum_severity: Some(Severity::Info), ..all() }, EventFilter { minimum_severity: Some(Severity::Notice), ..all() }),
            (EventFilter { from: Some(at(10)), ..all() }, EventFilter { from: Some(at(11)), ..all() }),
            (EventFilter { to: Some(at(11)), ..all() }, EventFilter { to: Some(at(10)), ..all() }),
            (EventFilter { import: Some(import), ..all() }, EventFilter { import: Some(other), ..all() }),
            (EventFilter { request_id: Some("message".to_owned()), ..all() }, EventFilter { request_id: Some("mess".to_owned()), ..all() }),
        ] {
            assert!(within.lets_in(&event), "{within:?}");
            assert!(!beyond.lets_in(&event), "{beyond:?}");
        }
        assert!(!EventFilter { actor: Some(Who::System), ..all() }.lets_in(&event));
        assert!(!EventFilter { record: Some(AuditedId::Team(TeamId::new(at(0), &[1; 10]))), ..all() }.lets_in(&event));
    }

    #[test]
    fn an_import_has_its_own_events_beside_those_of_its_rows() {
        let import = ImportId::new(at(0), &[1; 10]);
        let mut own = event(import);
        (own.entity_type, own.entity_id) = ("import".to_owned(), import.to_string());
        own.change.origin = Origin::system();
        assert!(EventFilter { import: Some(import), ..EventFilter::default() }.lets_in(&own));
    }
}
