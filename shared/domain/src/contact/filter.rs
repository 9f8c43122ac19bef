//! Which contacts are meant: the filter of lists and of bulk jobs.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Contact;
use crate::ids::{AgentId, ImportId, StatusId, TeamId};
use crate::scoring::ScoreCategory;

/// Whose contacts can be: agents, and teams in whose pools contacts lie.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owners {
    /// The agents.
    pub agents: BTreeSet<AgentId>,
    /// The teams.
    pub teams: BTreeSet<TeamId>,
}

impl Owners {
    /// Whether a contact is one of theirs.
    #[must_use]
    pub fn have(&self, contact: &Contact) -> bool {
        self.own(contact.details.assignee, contact.details.team)
    }

    /// Whether what this agent has, or what lies in this team's pool, is theirs.
    #[must_use]
    pub fn own(&self, assignee: Option<AgentId>, team: Option<TeamId>) -> bool {
        assignee.is_some_and(|agent| self.agents.contains(&agent)) || team.is_some_and(|team| self.teams.contains(&team))
    }
}

/// Which contacts are meant; what isn't given doesn't narrow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ContactFilter {
    /// One of these statuses.
    pub statuses: Vec<StatusId>,
    /// One of these agents' contacts.
    pub assignees: Vec<AgentId>,
    /// One of these owners'.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owners: Option<Owners>,
    /// Whether it is somebody's.
    pub assigned: Option<bool>,
    /// Whether it was won.
    pub converted: Option<bool>,
    /// With a score in one of these categories.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<ScoreCategory>,
    /// Made at this time or later.
    #[serde(with = "crate::clock::millis::option", skip_serializing_if = "Option::is_none")]
    pub created_from: Option<Timestamp>,
    /// Made before this time.
    #[serde(with = "crate::clock::millis::option", skip_serializing_if = "Option::is_none")]
    pub created_to: Option<Timestamp>,
    /// Of this source, as it is written.
    pub source: Option<String>,
    /// Among the last four imports that wrote it.
    pub import: Option<ImportId>,
    /// Deleted ones too.
    pub include_deleted: bool,
    /// What somebody typed: a number, the end of one, an e-mail address, beginnings of words of the name.
    pub search: Option<String>,
}

impl ContactFilter {
    /// Whether a contact is meant, but for what [`Self::search`] says. `won` is the tenant's status `converted`.
    #[must_use]
    pub fn matches(&self, contact: &Contact, won: Option<StatusId>) -> bool {
        let details = &contact.details;
        let created = contact.record.created_at;
        (self.include_deleted || contact.deleted_at.is_none())
            && (self.statuses.is_empty() || self.statuses.contains(&details.status))
            && (self.assignees.is_empty() || details.assignee.is_some_and(|assignee| self.assignees.contains(&assignee)))
            && self.owners.as_ref().is_none_or(|owners| owners.have(contact))
            && self.assigned.is_none_or(|assigned| details.assignee.is_some() == assigned)
            && self.converted.is_none_or(|converted| (Some(details.status) == won) == converted)
            && (self.categories.is_empty() || contact.score.as_ref().is_some_and(|score| self.categories.contains(&score.category())))
            && self.created_from.is_none_or(|from| created >= from)
            && self.created_to.is_none_or(|to| created < to)
            && self.source.as_ref().is_none_or(|source| details.source.as_ref() == Some(source))
            && self.import.is_none_or(|import| contact.import_marks.iter().any(|mark| mark.import == import))
    }
}

#[cfg(test)]
mod tests {
    use super::super::draft::tests::details;
    use super::*;
    use crate::change::{Change, Origin};
    use crate::contact::{ImportMark, RowWrite};
    use crate::ids::{ContactId, ScoringModelId};
    use crate::scoring::{ModelVersion, Score};

    fn scored(value: u8) -> Score {
        let model = ModelVersion { model: ScoringModelId::STANDARD, version: 1 };
        Score { value, components: Vec::new(), model, calculated_at: Timestamp::UNIX_EPOCH, previous: None, next_change_at: None }
    }

    #[test]
    fn without_a_score_a_contact_is_in_no_category() {
        let mut contact = Contact::created(ContactId::from_hash(&[0; 32]), details(), Change::new("contact.created", Timestamp::UNIX_EPOCH, Origin::system()));
        let filter = ContactFilter { categories: ScoreCategory::ALL.to_vec(), ..ContactFilter::default() };
        assert!(!filter.matches(&contact, None));
        contact.score = Some(scored(0));
        assert!(filter.matches(&contact, None));
    }

    #[test]
    fn a_filter_that_was_kept_before_there_were_categories_reads_as_one_without() {
        let kept = serde_json::to_string(&ContactFilter::default()).unwrap();
        assert!(!kept.contains("categories"), "{kept}");
        assert_eq!(serde_json::from_str::<ContactFilter>(&kept).unwrap(), ContactFilter::default());
        let hot = ContactFilter { categories: vec![ScoreCategory::Hot], ..ContactFilter::default() };
        assert_eq!(serde_json::from_str::<ContactFilter>(&serde_json::to_string(&hot).unwrap()).unwrap(), hot);
    }

    #[test]
    fn each_part_of_a_filter_narrows_by_itself() {
        let (agent, other) = (AgentId::new(Timestamp::UNIX_EPOCH, &[1; 10]), AgentId::new(Timestamp::UNIX_EPOCH, &[2; 10]));
        let team = TeamId::new(Timestamp::UNIX_EPOCH, &[7; 10]);
        let status = details().status;
        let wrong_status = StatusId::new(Timestamp::UNIX_EPOCH, &[9; 10]);
        let import = ImportId::new(Timestamp::UNIX_EPOCH, &[3; 10]);
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut contact = Contact::created(ContactId::from_hash(&[0; 32]), details(), Change::new("contact.created", at(100), Origin::system()));
        contact.details.assignee = Some(agent);
        contact.details.source = Some("web".to_owned());
        contact.score = Some(scored(50));
        contact.import_marks = vec![ImportMark { import, row: 1, written: RowWrite::Created, version: None }];
        let all = ContactFilter::default;
        let pairs = [
            (ContactFilter { statuses: vec![status], ..all() }, ContactFilter { statuses: vec![wrong_status], ..all() }),
            (ContactFilter { assignees: vec![other, agent], ..all() }, ContactFilter { assignees: vec![other], ..all() }),
            (
                ContactFilter { owners: Some(Owners { agents: [agent].into(), teams: [team].into() }), ..all() },
                ContactFilter { owners: Some(Owners { agents: [other].into(), teams: [team].into() }), ..all() },
            ),
            (ContactFilter { assigned: Some(true), ..all() }, ContactFilter { assigned: Some(false), ..all() }),
            (ContactFilter { converted: Some(false), ..all() }, ContactFilter { converted: Some(true), ..all() }),
            (
                ContactFilter { categories: vec![ScoreCategory::Hot, ScoreCategory::Warm], ..all() },
                ContactFilter { categories: vec![ScoreCategory::Hot, ScoreCategory::Cold], ..all() },
            ),
            (ContactFilter { created_from: Some(at(100)), ..all() }, ContactFilter { created_from: Some(at(101)), ..all() }),
            (ContactFilter { created_to: Some(at(101)), ..all() }, ContactFilter { created_to: Some(at(100)), ..all() }),
            (ContactFilter { source: Some("web".to_owned()), ..all() }, ContactFilter { source: Some("Web".to_owned()), ..all() }),
            (ContactFilter { import: Some(import), ..all() }, ContactFilter { import: Some(ImportId::new(Timestamp::UNIX_EPOCH, &[4; 10])), ..all() }),
        ];
        for (good, bad) in pairs {
            assert!(good.matches(&contact, Some(wrong_status)), "{good:?}");
            assert!(!bad.matches(&contact, Some(wrong_status)), "{bad:?}");
        }
        contact.deleted_at = Some(at(200));
        assert!(!all().matches(&contact, None));
        assert!(ContactFilter { include_deleted: true, ..all() }.matches(&contact, None));
    }
}
