//! What became of the contacts of a job.

use serde::{Deserialize, Serialize};

use crate::ids::ContactId;

/// What became of one contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ContactOutcome {
    /// It was changed.
    Changed,
    /// It already was what it should become, or it was exported.
    Unchanged,
    /// It could not be changed.
    Failed,
}

/// What became of one contact, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The contact.
    pub contact: ContactId,
    /// What became of it.
    pub outcome: ContactOutcome,
    /// Why it failed, in plain words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// How many contacts became what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Those that were changed.
    pub changed: u64,
    /// Those that had nothing to be changed, or were exported.
    pub unchanged: u64,
    /// Those that could not be changed.
    pub failed: u64,
}

impl Tally {
    /// The outcomes counted.
    #[must_use]
    pub fn of(outcomes: &[Outcome]) -> Self {
        let mut tally = Self::default();
        for outcome in outcomes {
            tally.count(outcome.outcome);
        }
        tally
    }

    /// Counts one contact.
    pub fn count(&mut self, outcome: ContactOutcome) {
        match outcome {
            ContactOutcome::Changed => self.changed += 1,
            ContactOutcome::Unchanged => self.unchanged += 1,
            ContactOutcome::Failed => self.failed += 1,
        }
    }

    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.changed + self.unchanged + self.failed
    }

    pub(super) fn add(&mut self, more: Self) {
        self.changed += more.changed;
        self.unchanged += more.unchanged;
        self.failed += more.failed;
    }
}
