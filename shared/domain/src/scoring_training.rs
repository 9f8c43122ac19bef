//! Learning a scoring model as a job: asked for by a person, done by a worker that may be killed and start again. The model that comes of it has the id of the job, so
//! that however often it is done there is one.

use jiff::Timestamp;

use crate::bulk_job::BulkJobStatus;
use crate::change::Origin;
use crate::ids::ScoringModelId;
use crate::scoring::training::TrainingChoice;

/// A training's record. It has no version: all of it is progress.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoringTraining {
    /// The id, and that of the model that comes of it; those of later ones are greater.
    pub id: ScoringModelId,
    /// What is to be learned.
    pub choice: TrainingChoice,
    /// Who asked, as they were then.
    pub origin: Origin,
    /// Where it stands; it is never cancelled.
    pub status: BulkJobStatus,
    /// Why nothing could be learned, in plain words.
    pub failure_reason: Option<String>,
    /// How many contacts were learned from; none before it is completed.
    pub examples: Option<u32>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When the first worker began it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Counts its writes.
    pub revision: u32,
    /// Who wrote it last: it tells a write of one's own, whose answer was lost, from another's.
    pub writer: String,
}

impl ScoringTraining {
    /// One that somebody asks for.
    #[must_use]
    pub fn asked(id: ScoringModelId, choice: TrainingChoice, origin: Origin, now: Timestamp) -> Self {
        Self {
            id,
            choice,
            origin,
            status: BulkJobStatus::Queued,
            failure_reason: None,
            examples: None,
            created_at: crate::clock::to_millisecond(now),
            started_at: None,
            finished_at: None,
            revision: 1,
            writer: String::new(),
        }
    }

    /// Whether nothing more happens to it.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(self.status, BulkJobStatus::Completed | BulkJobStatus::Failed | BulkJobStatus::Cancelled)
    }

    /// The model that came of it; none before it is completed.
    #[must_use]
    pub fn model(&self) -> Option<ScoringModelId> {
        (self.status == BulkJobStatus::Completed).then_some(self.id)
    }

    /// A worker begins.
    #[must_use]
    pub fn begun(&self, now: Timestamp) -> Self {
        Self { status: BulkJobStatus::Running, started_at: Some(crate::clock::to_millisecond(now)), ..self.step() }
    }

    /// The model is there, learned from so many contacts.
    #[must_use]
    pub fn completed(&self, examples: u32, now: Timestamp) -> Self {
        Self { status: BulkJobStatus::Completed, examples: Some(examples), finished_at: Some(crate::clock::to_millisecond(now)), ..self.step() }
    }

    /// Nothing can be learned, for this reason.
    #[must_use]
    pub fn failed(&self, reason: &str, now: Timestamp) -> Self {
        let failure_reason = Some(reason.to_owned());
        Self { status: BulkJobStatus::Failed, failure_reason, finished_at: Some(crate::clock::to_millisecond(now)), ..self.step() }
    }

    fn step(&self) -> Self {
        Self { revision: self.revision + 1, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scoring::training::Outcome;

    #[test]
    fn a_training_has_a_model_only_once_it_is_completed() {
        let now = Timestamp::UNIX_EPOCH;
        let choice = TrainingChoice { name: "Learned".to_owned(), outcome: Outcome::Converted, attributes: None };
        let asked = ScoringTraining::asked(ScoringModelId::new(now, &[1; 10]), choice, Origin::system(), now);
        let begun = asked.begun(now);
        let failed = begun.failed("There is too little.", now);
        for without in [&asked, &begun, &failed] {
            assert_eq!(without.model(), None);
        }
        let completed = begun.completed(500, now);
        assert_eq!((completed.model(), completed.examples, completed.revision), (Some(asked.id), Some(500), 3));
        assert!(failed.is_ended() && completed.is_ended() && !begun.is_ended());
    }
}
