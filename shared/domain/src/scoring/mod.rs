//! How promising a contact is: from 0 to 100, the sum of what the factors of a model give, each with its reason (`docs/scoring.md`).
//!
//! Everything here is a plain function of a contact, a model and the time.

mod calculate;
mod check;
mod explain;
mod inputs;
mod model;
mod next_change;
mod points;
mod presets;
mod score;
pub mod training;

pub use check::{FactorInput, ModelInput, RuleInput, check_model};
pub use explain::{ExplainedComponent, Explanation, explain};
pub use inputs::{Input, inputs_of};
pub use model::{
    ActiveScoringModel, CompletenessField, DayBand, Factor, MOST_BANDS, MOST_ENTRIES, MOST_FACTORS, MOST_MODELS, Model, ModelVersion, NAME_LENGTH, NumberBand,
    REASON_LENGTH, Rule, ScoringModel,
};
pub use points::Points;
pub use presets::{pipeline, preset, standard};
pub use score::{Case, Component, Score, ScoreCategory};

use std::collections::HashMap;

use jiff::Timestamp;

use crate::contact::Contact;
use crate::ids::StatusId;
use crate::status::ContactStatus;

/// What a status means to a factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The contact was won.
    Converted,
    /// Its contacts aren't called.
    Excluded,
    /// Its contacts are called; its place among such statuses, from 0.
    Called {
        /// The place.
        place: u16,
    },
}

/// A model with what it needs to know of the tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Scorer {
    /// The model.
    pub model: Model,
    standings: HashMap<StatusId, Standing>,
    /// How many statuses are called.
    called: u16,
}

/// What became of scoring a contact again.
#[derive(Debug, Clone, PartialEq)]
pub enum Rescored {
    /// It says the same, and changes next when it was known to.
    Same,
    /// It says the same; only when it changes next by time alone is another moment now.
    Later(Option<Timestamp>),
    /// It says something else.
    Changed(Score),
}

impl Default for Scorer {
    /// The preset `standard`, of a tenant without statuses.
    fn default() -> Self {
        Self::new(standard(), &[])
    }
}

impl Scorer {
    /// A model for a tenant with these statuses. Deleted ones have no place, and count as not called.
    #[must_use]
    pub fn new(model: Model, statuses: &[ContactStatus]) -> Self {
        let (standings, called) = standings_of(statuses);
        Self { model, standings, called }
    }

    /// Whether everybody is scored as before when the tenant has these statuses instead: the model gives no points for their places, or each one that was there means
    /// what it did, among as many that are called. One that is new doesn't matter by itself: nobody has it yet.
    #[must_use]
    pub fn scores_alike_with(&self, statuses: &[ContactStatus]) -> bool {
        if !self.model.factors.iter().any(|factor| matches!(factor.rule, Rule::Pipeline)) {
            return true;
        }
        let (standings, called) = standings_of(statuses);
        self.standings.iter().all(|(id, before)| {
            let is_worth_the_same = called == self.called || !matches!(before, Standing::Called { .. });
            is_worth_the_same && standings.get(id) == Some(before)
        })
    }

    /// What a status means; one that isn't known isn't called.
    #[must_use]
    pub fn standing(&self, status: StatusId) -> Standing {
        self.standings.get(&status).copied().unwrap_or(Standing::Excluded)
    }

    /// The points of who is at this place among the statuses that are called: from nothing at the first to everything at the last. Of one status alone, everything.
    #[must_use]
    pub(crate) fn share_of_place(&self, place: u16) -> f64 {
        if self.called <= 1 { 1.0 } else { f64::from(place) / f64::from(self.called - 1) }
    }

    /// The first score of a contact, or one as if it were: without a previous value.
    #[must_use]
    pub fn score(&self, contact: &Contact, now: Timestamp) -> Score {
        let now = crate::clock::to_millisecond(now);
        let components = calculate::components(self, contact, now);
        let value = calculate::value_of(&components);
        let next_change_at = next_change::next_change(self, contact, now, value, &components);
        Score { value, components, model: self.model.version, calculated_at: now, previous: None, next_change_at }
    }

    /// Scores a contact that may have a score, and tells whether there is something to write.
    #[must_use]
    pub fn rescore(&self, contact: &Contact, now: Timestamp) -> Rescored {
        let new = self.score(contact, now);
        match &contact.score {
            None => Rescored::Changed(new),
            Some(old) if !old.says_the_same(&new) => Rescored::Changed(Score { previous: Some(old.value), ..new }),
            Some(old) if old.next_change_at != new.next_change_at => Rescored::Later(new.next_change_at),
            Some(_) => Rescored::Same,
        }
    }
}

/// What each status means, and how many are called.
fn standings_of(statuses: &[ContactStatus]) -> (HashMap<StatusId, Standing>, u16) {
    let mut ordered: Vec<&ContactStatus> = statuses.iter().collect();
    ordered.sort_by_key(|status| (status.order, status.id));
    let mut standings = HashMap::with_capacity(ordered.len());
    let mut called = 0;
    for status in ordered {
        let standing = if status.code == crate::status::CONVERTED {
            Standing::Converted
        } else if status.exclude_from_call_list || status.deleted_at.is_some() {
            Standing::Excluded
        } else {
            called += 1;
            Standing::Called { place: called - 1 }
        };
        standings.insert(status.id, standing);
    }
    (standings, called)
}
