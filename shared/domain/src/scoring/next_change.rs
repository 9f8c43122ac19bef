//! When a score changes next although nobody changes the contact: so that nothing is scored again before.
//!
//! A band begins or ends at a known moment. Between those only what age gives falls, and never rises, so that the first moment of another value is
//! found by halving the time in between.

use jiff::Timestamp;

use super::Scorer;
use super::calculate::{DAY, age_points};
use super::model::Rule;
use super::points::Points;
use super::score::Component;
use crate::contact::Contact;

/// After so many half-lives nothing is left, however many points there were.
const HALF_LIVES: i64 = 100;

/// The first moment after this one, to the millisecond, at which the value or a case is another by time alone; none when there is no such moment.
///
/// It is the same whenever it is asked for before it comes: it depends on the contact and the model, and not on how often the contact is scored.
pub(super) fn next_change(scorer: &Scorer, contact: &Contact, now: Timestamp, value: u8, components: &[Component]) -> Option<Timestamp> {
    let now = now.as_millisecond();
    let case = scorer.model.factors.iter().filter_map(|factor| next_case(&factor.rule, contact, now)).min();
    let fall = Fading::of(scorer, contact, components).first_fall(value, now, case);
    case.into_iter().chain(fall).min().and_then(|next| Timestamp::from_millisecond(next).ok())
}

/// The first moment after this one at which another case of a rule holds.
fn next_case(rule: &Rule, contact: &Contact, now: i64) -> Option<i64> {
    match rule {
        // A next contact is within a band from the moment on that it is exactly that far away.
        Rule::Urgency { bands, .. } => {
            let next = contact.details.next_contact_at?.as_millisecond();
            bands.iter().map(|band| next - i64::from(band.within_days) * DAY).chain([next]).filter(|moment| *moment > now).min()
        }
        // A change is within a band until it is exactly that long ago, and leaves it a millisecond later.
        Rule::Activity { bands, .. } => {
            let changed = contact.record.updated_at().as_millisecond();
            bands.iter().map(|band| changed + i64::from(band.within_days) * DAY + 1).filter(|moment| *moment > now).min()
        }
        Rule::Source { .. }
        | Rule::Completeness { .. }
        | Rule::Conversion { .. }
        | Rule::Pipeline
        | Rule::Age { .. }
        | Rule::Assignment { .. }
        | Rule::AttributeTable { .. }
        | Rule::AttributeBands { .. } => None,
    }
}

/// A score as long as its cases stay what they are.
struct Fading {
    /// What the factors give that don't fade.
    lasting: Points,
    /// The maximum and the half-life in days of those that do.
    ages: Vec<(Points, u32)>,
    /// When the contact was created.
    created: i64,
}

impl Fading {
    fn of(scorer: &Scorer, contact: &Contact, components: &[Component]) -> Self {
        let mut fading = Self { lasting: Points::ZERO, ages: Vec::new(), created: contact.record.created_at.as_millisecond() };
        for (factor, component) in scorer.model.factors.iter().zip(components) {
            if let Rule::Age { half_life_days } = factor.rule {
                fading.ages.push((factor.maximum, half_life_days));
            } else {
                fading.lasting = fading.lasting + component.points;
            }
        }
        fading
    }

    fn value_at(&self, moment: i64) -> u8 {
        let fading: Points = self.ages.iter().map(|(maximum, half_life)| age_points(*maximum, *half_life, self.created, moment)).sum();
        (self.lasting + fading).rounded()
    }

    /// The first moment after this one with another value, no later than the other one, if any.
    fn first_fall(&self, value: u8, now: i64, until: Option<i64>) -> Option<i64> {
        let longest = i64::from(self.ages.iter().map(|(_, half_life)| *half_life).max()?);
        let spent = longest.saturating_mul(HALF_LIVES * DAY).saturating_add(self.created).min(Timestamp::MAX.as_millisecond());
        let (mut same, mut other) = (now, until.map_or(spent, |until| until.min(spent)));
        if other <= same || self.value_at(other) == value {
            return None;
        }
        while other - same > 1 {
            let middle = same + (other - same) / 2;
            if self.value_at(middle) == value {
                same = middle;
            } else {
                other = middle;
            }
        }
        Some(other)
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;

    use super::super::calculate::samples::{any_contact, any_model, at, contact, now, statuses};
    use super::super::{Scorer, pipeline, standard};
    use crate::contact::Contact;

    const MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

    fn by(scorer: &Scorer, contact: &Contact, moment: Timestamp) -> Option<Timestamp> {
        scorer.score(contact, moment).next_change_at
    }

    #[test]
    fn without_a_next_contact_the_standard_score_never_changes_by_time() {
        let scorer = Scorer::new(standard(), &statuses());
        assert_eq!(by(&scorer, &contact(now()), now()), None);
    }

    #[test]
    fn a_next_contact_changes_the_standard_score_at_the_moment_it_comes_within_a_band_and_when_it_is_due() {
        let scorer = Scorer::new(standard(), &statuses());
        let due = at("2026-12-31T15:00:00Z");
        let mut contact = contact(now());
        contact.details.next_contact_at = Some(due);
        let (month, week) = (at("2026-12-01T15:00:00Z"), at("2026-12-24T15:00:00Z"));
        for (moment, next) in [
            (month - MILLISECOND, Some(month)),
            (month, Some(week)),
            (week - MILLISECOND, Some(week)),
            (week, Some(due)),
            (due - MILLISECOND, Some(due)),
            (due, None),
            (due + MILLISECOND, None),
        ] {
            assert_eq!(by(&scorer, &contact, moment), next, "{moment}");
        }
    }

    #[test]
    fn age_changes_the_score_at_the_millisecond_at_which_its_rounded_value_falls() {
        let scorer = Scorer::new(pipeline(), &statuses());
        let contact = contact(now());
        let mut moment = now();
        let mut values = Vec::new();
        loop {
            let score = scorer.score(&contact, moment);
            values.push(score.value);
            let Some(next) = score.next_change_at else { break };
            assert_eq!(scorer.score(&contact, next - MILLISECOND).value, score.value);
            moment = next;
        }
        // Another source gives 5, a status that is the first to be called and nobody's having it nothing.
        assert_eq!(values, (5..=30).rev().collect::<Vec<u8>>());
    }

    #[test]
    fn whether_it_is_asked_early_or_late_the_answer_is_the_same() {
        let scorer = Scorer::new(pipeline(), &statuses());
        let contact = contact(now());
        let next = by(&scorer, &contact, now()).unwrap();
        for part in 1..10 {
            let between = now() + next.duration_since(now()) / 10 * part;
            assert_eq!(by(&scorer, &contact, between), Some(next));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn a_score_says_the_same_until_it_changes_next_and_something_else_then(
            model in prop_oneof![1 => Just(standard()), 1 => Just(pipeline()), 3 => any_model()],
            contact in any_contact(),
            parts in prop::collection::vec(0..1_000_i32, 1..6),
        ) {
            let scorer = Scorer::new(model, &statuses());
            let score = scorer.score(&contact, now());
            // Where nothing ever changes a lifetime must do.
            let until = score.next_change_at.unwrap_or(now() + SignedDuration::from_hours(24 * 365 * 100));
            prop_assert!(until > now());
            let between = parts.into_iter().map(|part| now() + until.duration_since(now()) / 1_000 * part);
            for moment in between.chain([until - MILLISECOND]) {
                let later = scorer.score(&contact, moment);
                prop_assert!(score.says_the_same(&later), "{moment}: {score:?} {later:?}");
                prop_assert_eq!(later.next_change_at, score.next_change_at);
            }
            if let Some(next) = score.next_change_at {
                prop_assert!(!score.says_the_same(&scorer.score(&contact, next)), "{next}: {score:?}");
            }
        }
    }
}
