//! Points, counted in ten-thousandths: sums are exact, and rounding is never a matter of how a computer writes fractions.

use std::fmt;
use std::iter::Sum;
use std::ops::Add;

use serde::{Deserialize, Serialize};

/// Parts of a point.
const PARTS: u32 = 10_000;

/// A number of points that isn't negative, to four decimals.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Points(u32);

impl Points {
    /// None.
    pub const ZERO: Self = Self(0);
    /// What the maxima of a model add up to: 100.
    pub const WHOLE: Self = Self(100 * PARTS);

    /// That many whole points.
    #[must_use]
    pub const fn whole(points: u32) -> Self {
        Self(points.saturating_mul(PARTS))
    }

    /// That many ten-thousandths.
    #[must_use]
    pub const fn of_parts(parts: u32) -> Self {
        Self(parts)
    }

    /// The ten-thousandths.
    #[must_use]
    pub const fn parts(self) -> u32 {
        self.0
    }

    /// The nearest to a number; none for one that is negative, beyond 100 or not a number.
    #[must_use]
    pub fn from_number(number: f64) -> Option<Self> {
        let is_within = (0.0..=100.0).contains(&number);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1,000,000")]
        is_within.then(|| Self((number * f64::from(PARTS)).round() as u32))
    }

    /// As a number.
    #[must_use]
    pub fn number(self) -> f64 {
        f64::from(self.0) / f64::from(PARTS)
    }

    /// A fraction of them, to the nearest ten-thousandth; the fraction is taken as between 0 and 1.
    #[must_use]
    pub fn scaled(self, fraction: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a fraction of a u32")]
        Self((f64::from(self.0) * fraction.clamp(0.0, 1.0)).round() as u32)
    }

    /// To whole points, halves up; at most 100.
    #[must_use]
    pub fn rounded(self) -> u8 {
        u8::try_from((u64::from(self.0) + u64::from(PARTS / 2)) / u64::from(PARTS)).unwrap_or(100).min(100)
    }
}

impl Add for Points {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sum for Points {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

impl fmt::Display for Points {
    /// As short as it is exact: `12.5`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_up_and_nothing_goes_beyond_a_hundred() {
        for (number, rounded) in [(0.0, 0), (0.4999, 0), (0.5, 1), (24.5, 25), (49.4999, 49), (74.5, 75), (99.5, 100), (100.0, 100)] {
            assert_eq!(Points::from_number(number).unwrap().rounded(), rounded, "{number}");
        }
        assert_eq!((Points::WHOLE + Points::WHOLE).rounded(), 100);
    }

    #[test]
    fn what_is_negative_too_much_or_no_number_is_no_number_of_points() {
        for number in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
            assert_eq!(Points::from_number(number), None, "{number}");
        }
    }

    #[test]
    fn tenths_add_up_exactly() {
        let tenth = Points::from_number(0.1).unwrap();
        assert_eq!(std::iter::repeat_n(tenth, 1_000).sum::<Points>(), Points::WHOLE);
        assert_eq!(Points::from_number(12.5).unwrap().to_string(), "12.5");
        assert_eq!(Points::whole(25).scaled(1.0 / 3.0).parts(), 83_333);
    }
}
