//! The logistic regression itself, with an L2 penalty: the only place that knows the crate that does it.

use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};

use super::super::report::Refusal;
use super::LEAST_OF_OUTCOME_IN_PART;

/// Most cells of what is given to the regression: 16 MB, and seconds for each of the few times that it is fitted. Of more, the oldest contacts are left out: at
/// 100 columns there are 20,000.
const MOST_CELLS: usize = 2_000_000;

/// A contact as the regression sees it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    /// The columns that hold.
    pub(super) held: Vec<usize>,
    /// Whether it was won.
    pub(super) converted: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fitted {
    /// The log-odds where no column holds.
    pub(super) intercept: f64,
    /// What each column adds to them; 0 for those that weren't used.
    pub(super) weights: Vec<f64>,
}

impl Fitted {
    /// The log-odds of a contact.
    pub(super) fn log_odds(&self, row: &Row) -> f64 {
        self.intercept + row.held.iter().filter_map(|column| self.weights.get(*column)).sum::<f64>()
    }
}

/// Fits the rows, the oldest first, by the columns that are used. The penalty is half of `regularisation` times the sum of the squared weights.
///
/// # Errors
/// [`Refusal::NotFitted`].
pub(super) fn fit(rows: &[Row], used: &[bool], regularisation: f64) -> Result<Fitted, Refusal> {
    let columns: Vec<usize> = (0..used.len()).filter(|column| used[*column]).collect();
    if columns.is_empty() {
        return Err(Refusal::NothingLearned);
    }
    let rows = &rows[rows.len().saturating_sub(MOST_CELLS / columns.len())..];
    let won = rows.iter().filter(|row| row.converted).count();
    if won.min(rows.len() - won) < LEAST_OF_OUTCOME_IN_PART {
        return Err(Refusal::NotFitted);
    }
    let mut cells = vec![0.0; rows.len() * columns.len()];
    for (row, cells) in rows.iter().zip(cells.chunks_exact_mut(columns.len())) {
        for held in &row.held {
            if let Ok(place) = columns.binary_search(held) {
                cells[place] = 1.0;
            }
        }
    }
    let design = DenseMatrix::new(rows.len(), columns.len(), cells, false).map_err(|_| Refusal::NotFitted)?;
    let outcomes: Vec<u32> = rows.iter().map(|row| u32::from(row.converted)).collect();
    let parameters = LogisticRegressionParameters::default().with_alpha(regularisation);
    let model = LogisticRegression::fit(&design, &outcomes, parameters).map_err(|_| Refusal::NotFitted)?;
    let mut fitted = Fitted { intercept: model.intercept().iter().copied().sum(), weights: vec![0.0; used.len()] };
    for (column, weight) in columns.iter().zip(model.coefficients().iter()) {
        fitted.weights[*column] = *weight;
    }
    let is_finite = fitted.intercept.is_finite() && fitted.weights.iter().all(|weight| weight.is_finite());
    if is_finite { Ok(fitted) } else { Err(Refusal::NotFitted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two groups, so many of 100 each that were won.
    fn two_groups(won: [usize; 2]) -> Vec<Row> {
        let group = |column: usize| (0..100).map(move |number| Row { held: vec![column], converted: number < won[column] });
        (0..2).flat_map(group).collect()
    }

    #[test]
    fn without_columns_or_without_both_outcomes_nothing_is_fitted() {
        assert_eq!(fit(&two_groups([10, 20]), &[false, false], 1.0), Err(Refusal::NothingLearned));
        assert_eq!(fit(&two_groups([0, 0]), &[true, true], 1.0), Err(Refusal::NotFitted));
        assert_eq!(fit(&[], &[true, true], 1.0), Err(Refusal::NotFitted));
    }

    #[test]
    fn with_hardly_a_penalty_the_log_odds_are_those_of_the_groups() {
        let rows = two_groups([20, 80]);
        let fitted = fit(&rows, &[true, true], 0.000_1).unwrap();
        let expected = (80.0_f64 / 20.0).ln();
        assert!((fitted.log_odds(&rows[0]) + expected).abs() < 1e-3, "{fitted:?}");
        assert!((fitted.log_odds(&rows[199]) - expected).abs() < 1e-3, "{fitted:?}");
    }

    #[test]
    fn a_penalty_draws_weights_together_and_an_unused_column_has_none() {
        let rows = two_groups([20, 80]);
        let free = fit(&rows, &[true, true], 0.01).unwrap();
        let bound = fit(&rows, &[true, true], 100.0).unwrap();
        assert!(bound.weights[1] > 0.0 && bound.weights[1] < free.weights[1] / 2.0, "{bound:?} {free:?}");
        let one = fit(&rows, &[false, true], 0.01).unwrap();
        assert!(one.weights[0] == 0.0 && one.weights[1] > 2.0, "{one:?}");
    }
}
