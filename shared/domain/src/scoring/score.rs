//! A contact's score as it is kept: the value, and of each component its points and which of the rule's cases held.
//!
//! The words are made when somebody reads them, from the model of that version; so a score is small, and holds nothing that a contact said.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::model::ModelVersion;
use super::points::Points;

/// What a score means for who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreCategory {
    /// Below 25.
    Nurture,
    /// 25 to 49.
    Cold,
    /// 50 to 74.
    Warm,
    /// 75 and more.
    Hot,
}

impl ScoreCategory {
    /// All of them, the best first.
    pub const ALL: [Self; 4] = [Self::Hot, Self::Warm, Self::Cold, Self::Nurture];

    /// The category of a value.
    #[must_use]
    pub fn of(value: u8) -> Self {
        match value {
            75.. => Self::Hot,
            50..=74 => Self::Warm,
            25..=49 => Self::Cold,
            _ => Self::Nurture,
        }
    }

    /// The least and the greatest value in it.
    #[must_use]
    pub fn bounds(self) -> (u8, u8) {
        match self {
            Self::Hot => (75, 100),
            Self::Warm => (50, 74),
            Self::Cold => (25, 49),
            Self::Nurture => (0, 24),
        }
    }
}

/// Which case of a factor's rule held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Case {
    /// Its number; what it means is the rule's (see [`super::Rule`]).
    pub number: u16,
    /// The day it depends on, in the contact's time zone.
    pub day: Option<Date>,
}

impl Case {
    /// A case that depends on no day.
    #[must_use]
    pub fn new(number: u16) -> Self {
        Self { number, day: None }
    }

    /// A case that depends on a day.
    #[must_use]
    pub fn on(number: u16, day: Date) -> Self {
        Self { number, day: Some(day) }
    }
}

/// What one factor gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Component {
    /// Its points.
    pub points: Points,
    /// Why.
    pub case: Case,
}

/// A contact's score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    /// From 0 to 100: the points of the components, rounded half up.
    pub value: u8,
    /// What each factor of the model gave, in the model's order.
    pub components: Vec<Component>,
    /// By which version of which model.
    pub model: ModelVersion,
    /// When.
    pub calculated_at: Timestamp,
    /// The value of the score that this one replaced.
    pub previous: Option<u8>,
    /// When value, category or reason change next although nobody changes the contact; none when they never do.
    pub next_change_at: Option<Timestamp>,
}

impl Score {
    /// Its category.
    #[must_use]
    pub fn category(&self) -> ScoreCategory {
        ScoreCategory::of(self.value)
    }

    /// Whether another one says the same: the value, the model's version and the cases. Points that change without changing the value, as those of
    /// age do from one moment to the next, are no difference; nor is when it was calculated.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        self.value == other.value && self.model == other.model && self.components.iter().map(|each| each.case).eq(other.components.iter().map(|each| each.case))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_the_category_that_the_page_on_scoring_says() {
        use ScoreCategory::{Cold, Hot, Nurture, Warm};
        for (value, category) in [(0, Nurture), (24, Nurture), (25, Cold), (49, Cold), (50, Warm), (74, Warm), (75, Hot), (100, Hot)] {
            assert_eq!(ScoreCategory::of(value), category, "{value}");
        }
        for value in 0..=100 {
            let (least, greatest) = ScoreCategory::of(value).bounds();
            assert!((least..=greatest).contains(&value));
        }
    }
}
