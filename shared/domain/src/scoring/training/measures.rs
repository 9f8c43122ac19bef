//! How good a forecast is: how well it ranks, how much better the best tenth is than any, and whether its probabilities come true.

use std::cmp::Ordering;

use super::report::CalibrationBand;

/// Bands of a calibration.
const BANDS: usize = 10;

/// The area under the curve of true against false positives: how often one that came true has a higher value than one that didn't, equal values
/// counting half. 1 is perfect, 0.5 is chance, which is also what is said where one of the two is missing.
#[must_use]
pub fn area_under_curve(scored: &[(f64, bool)]) -> f64 {
    let mut ranked = scored.to_vec();
    ranked.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (mut below, mut won, mut pairs) = (0.0, 0.0, 0.0);
    for equal in ranked.chunk_by(|one, other| one.0.total_cmp(&other.0) == Ordering::Equal) {
        let came_true = count(equal.iter().filter(|(_, came_true)| *came_true).count());
        let others = count(equal.len()) - came_true;
        pairs += came_true * (below + others / 2.0);
        below += others;
        won += came_true;
    }
    if won == 0.0 || below == 0.0 { 0.5 } else { pairs / (won * below) }
}

/// How many times as often the tenth with the highest values came true as all did. Of values that are equal across the border of that tenth, each
/// counts in part. 1 is chance, which is also what is said where none came true.
#[must_use]
pub fn lift_at_tenth(scored: &[(f64, bool)]) -> f64 {
    let mut ranked = scored.to_vec();
    ranked.sort_by(|one, other| other.0.total_cmp(&one.0));
    let all = count(ranked.iter().filter(|(_, came_true)| *came_true).count());
    if all == 0.0 {
        return 1.0;
    }
    let tenth = count(ranked.len().div_ceil(10));
    let (mut taken, mut found) = (0.0, 0.0);
    for equal in ranked.chunk_by(|one, other| one.0.total_cmp(&other.0) == Ordering::Equal) {
        let here = count(equal.len());
        let share = ((tenth - taken) / here).clamp(0.0, 1.0);
        found += share * count(equal.iter().filter(|(_, came_true)| *came_true).count());
        taken += here;
    }
    (found / tenth) / (all / count(ranked.len()))
}

/// Probabilities against what came true, in ten bands of as many each, the lowest first; fewer where there are fewer than ten.
#[must_use]
pub fn calibration(scored: &[(f64, bool)]) -> Vec<CalibrationBand> {
    let mut ranked = scored.to_vec();
    ranked.sort_by(|one, other| one.0.total_cmp(&other.0));
    let band = |number: usize| {
        let band = &ranked[ranked.len() * number / BANDS..ranked.len() * (number + 1) / BANDS];
        let size = count(band.len());
        (size > 0.0).then(|| CalibrationBand {
            predicted: band.iter().map(|(probability, _)| probability).sum::<f64>() / size,
            observed: count(band.iter().filter(|(_, came_true)| *came_true).count()) / size,
            count: u32::try_from(band.len()).unwrap_or(u32::MAX),
        })
    };
    (0..BANDS).filter_map(band).collect()
}

/// A number of things to reckon with.
fn count(things: usize) -> f64 {
    f64::from(u32::try_from(things).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn where_one_outcome_is_missing_nothing_is_better_than_chance() {
        for scored in [vec![], vec![(1.0, true)], vec![(1.0, false), (2.0, false)]] {
            assert_eq!(area_under_curve(&scored), 0.5, "{scored:?}");
        }
        assert_eq!(lift_at_tenth(&[]), 1.0);
        assert_eq!(lift_at_tenth(&[(1.0, false)]), 1.0);
        assert_eq!(calibration(&[]), []);
    }

    #[test]
    fn an_area_is_1_when_all_that_came_true_rank_first_and_0_when_they_rank_last() {
        let scored = [(0.1, false), (0.2, false), (0.8, true), (0.9, true)];
        assert_eq!(area_under_curve(&scored), 1.0);
        assert_eq!(area_under_curve(&scored.map(|(value, came_true)| (value, !came_true))), 0.0);
        assert_eq!(area_under_curve(&scored.map(|(_, came_true)| (7.0, came_true))), 0.5);
        assert_eq!(area_under_curve(&[(1.0, true), (1.0, false), (0.0, false), (2.0, false)]), 0.5);
    }

    #[test]
    fn the_best_tenth_is_compared_with_all_and_equal_values_across_its_border_count_in_part() {
        let scored: Vec<(f64, bool)> = (0..100_u32).map(|number| (f64::from(number), number >= 80)).collect();
        assert_eq!(lift_at_tenth(&scored), 5.0);
        let equal: Vec<(f64, bool)> = scored.iter().map(|(_, came_true)| (1.0, *came_true)).collect();
        assert!((lift_at_tenth(&equal) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn bands_of_a_calibration_have_as_many_each_and_say_what_came_true() {
        let scored: Vec<(f64, bool)> = (0..1_000_u32).map(|number| (f64::from(number) / 1_000.0, number >= 500)).collect();
        let bands = calibration(&scored);
        assert_eq!(bands.iter().map(|band| band.count).collect::<Vec<_>>(), [100; 10]);
        assert_eq!(bands.iter().map(|band| band.observed).collect::<Vec<_>>(), [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]);
        assert!((bands[0].predicted - 0.0495).abs() < 1e-9);
        assert_eq!(calibration(&scored[..3]).len(), 3);
    }

    proptest! {
        #[test]
        fn an_area_is_the_share_of_pairs_that_are_ranked_rightly(scored in prop::collection::vec((0..6_u8, any::<bool>()), 0..60)) {
            let scored: Vec<(f64, bool)> = scored.into_iter().map(|(value, came_true)| (f64::from(value), came_true)).collect();
            let (mut pairs, mut right) = (0.0, 0.0);
            for (high, _) in scored.iter().filter(|(_, came_true)| *came_true) {
                for (low, _) in scored.iter().filter(|(_, came_true)| !came_true) {
                    pairs += 1.0;
                    right += if high > low { 1.0 } else if high == low { 0.5 } else { 0.0 };
                }
            }
            let expected = if pairs == 0.0 { 0.5 } else { right / pairs };
            prop_assert!((area_under_curve(&scored) - expected).abs() < 1e-9);
        }

        #[test]
        fn a_lift_is_between_nothing_and_ten_and_bands_hold_everything(scored in prop::collection::vec((0.0..1.0_f64, any::<bool>()), 0..200)) {
            prop_assert!((0.0..=10.000_001).contains(&lift_at_tenth(&scored)));
            let bands = calibration(&scored);
            prop_assert_eq!(bands.iter().map(|band| band.count as usize).sum::<usize>(), scored.len());
            prop_assert!(bands.windows(2).all(|pair| pair[0].predicted <= pair[1].predicted + 1e-12));
        }
    }
}
