//! A score as bytes. It stands in every contact's item, so it is kept small: what words and names it has, the model says.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use switchboard_domain::ids::ScoringModelId;
use switchboard_domain::scoring::{Case, Component, ModelVersion, Points, Score};

use super::CONTACT;
use crate::error::StoreError;

/// The day from which days are counted.
const FIRST_DAY: Date = Date::constant(1970, 1, 1);

/// A model by its id; the presets take one byte.
#[derive(Serialize, Deserialize)]
enum FormOfModel {
    Standard,
    Pipeline,
    Own([u8; 16]),
}

/// All of a score but its value, which indexes carry beside it. Its fields are written one behind another, so a new one comes last.
#[derive(Serialize, Deserialize)]
struct Form {
    model: FormOfModel,
    version: u32,
    /// Milliseconds from the base.
    calculated: i64,
    previous: Option<u8>,
    /// Milliseconds from when it was calculated.
    next_change: Option<i64>,
    components: Vec<(Points, u16, Option<i32>)>,
}

/// The bytes of a score without its value. Its time is kept as the difference from a base, which for a contact is when it was made.
///
/// # Errors
/// [`StoreError::Undecodable`] when it can't be written.
pub fn score_bytes(score: &Score, base: Timestamp) -> Result<Vec<u8>, StoreError> {
    let model = match score.model.model {
        ScoringModelId::STANDARD => FormOfModel::Standard,
        ScoringModelId::PIPELINE => FormOfModel::Pipeline,
        own => FormOfModel::Own(own.uuid().into_bytes()),
    };
    let day = |day: Date| i32::try_from(day.duration_since(FIRST_DAY).as_hours() / 24).unwrap_or(i32::MAX);
    let form = Form {
        model,
        version: score.model.version,
        calculated: millis(score.calculated_at.duration_since(base)),
        previous: score.previous,
        next_change: score.next_change_at.map(|at| millis(at.duration_since(score.calculated_at))),
        components: score.components.iter().map(|each| (each.points, each.case.number, each.case.day.map(day))).collect(),
    };
    postcard::to_allocvec(&form).map_err(|error| StoreError::undecodable(CONTACT, error))
}

/// The score of a value and its bytes.
///
/// # Errors
/// [`StoreError::Undecodable`] when they are another's.
pub fn score_from_bytes(value: u8, base: Timestamp, bytes: &[u8]) -> Result<Score, StoreError> {
    let wrong = || StoreError::undecodable(CONTACT, "its score is not what it must be");
    let form: Form = postcard::from_bytes(bytes).map_err(|_| wrong())?;
    let model = match form.model {
        FormOfModel::Standard => ScoringModelId::STANDARD,
        FormOfModel::Pipeline => ScoringModelId::PIPELINE,
        FormOfModel::Own(bytes) => ScoringModelId::from_uuid(uuid::Uuid::from_bytes(bytes)),
    };
    let calculated_at = base.checked_add(SignedDuration::from_millis(form.calculated)).map_err(|_| wrong())?;
    let next_change_at = form.next_change.map(|millis| calculated_at.checked_add(SignedDuration::from_millis(millis)).map_err(|_| wrong())).transpose()?;
    let component = |(points, number, day): (Points, u16, Option<i32>)| {
        let day = day.map(|day| FIRST_DAY.checked_add(SignedDuration::from_hours(i64::from(day) * 24)).map_err(|_| wrong())).transpose()?;
        Ok(Component { points, case: Case { number, day } })
    };
    let components: Result<Vec<Component>, StoreError> = form.components.into_iter().map(component).collect();
    Ok(Score { value, components: components?, model: ModelVersion { model, version: form.version }, calculated_at, previous: form.previous, next_change_at })
}

fn millis(span: SignedDuration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).unwrap()
    }

    fn score(model: ScoringModelId) -> Score {
        let component = |parts, case| Component { points: Points::of_parts(parts), case };
        Score {
            value: 84,
            components: vec![
                component(220_000, Case::new(3)),
                component(250_000, Case::new(3)),
                component(200_000, Case::new(1)),
                component(170_000, Case::on(1, Date::constant(2026, 12, 4))),
            ],
            model: ModelVersion { model, version: 1 },
            calculated_at: at(1_764_500_000_000),
            previous: Some(71),
            next_change_at: Some(at(1_765_100_000_000)),
        }
    }

    #[test]
    fn a_score_reads_back_and_one_by_a_preset_takes_forty_bytes() {
        let base = at(1_764_500_000_000);
        for (model, most) in [(ScoringModelId::STANDARD, 40), (ScoringModelId::PIPELINE, 40), (ScoringModelId::new(base, &[7; 10]), 56)] {
            let bytes = score_bytes(&score(model), base).unwrap();
            assert_eq!(score_from_bytes(84, base, &bytes).unwrap(), score(model));
            assert!(bytes.len() <= most, "{} bytes", bytes.len());
        }
        let bare = Score {
            previous: None,
            next_change_at: None,
            components: vec![Component { points: Points::ZERO, case: Case::on(0, Date::constant(1969, 3, 30)) }],
            ..score(ScoringModelId::STANDARD)
        };
        let bytes = score_bytes(&bare, at(1_764_600_000_000)).unwrap();
        assert_eq!(score_from_bytes(84, at(1_764_600_000_000), &bytes).unwrap(), bare);
    }

    #[test]
    fn bytes_of_something_else_are_no_score() {
        let base = at(0);
        let bytes = score_bytes(&score(ScoringModelId::STANDARD), base).unwrap();
        for wrong in [&[][..], &[9, 1], &bytes[..bytes.len() - 1], &[255; 40]] {
            assert!(score_from_bytes(84, base, wrong).is_err(), "{wrong:?}");
        }
    }
}
