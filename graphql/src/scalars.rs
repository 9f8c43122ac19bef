//! The scalars of the contract that GraphQL doesn't have.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use jiff::Timestamp;

/// A moment: RFC 3339 in UTC with milliseconds, such as `2026-05-14T09:30:00.000Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DateTime(pub(crate) Timestamp);

#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let time: Timestamp = text.parse().map_err(|_| InputValueError::custom("not a time: write it as 2026-05-14T09:30:00.000Z"))?;
        Ok(Self(switchboard_domain::clock::to_millisecond(time)))
    }

    fn to_value(&self) -> Value {
        Value::String(format!("{:.3}", self.0))
    }
}

impl From<Timestamp> for DateTime {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

/// A day without a time or zone: an RFC 3339 full-date, such as `2026-05-14`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Date(pub(crate) jiff::civil::Date);

#[Scalar(name = "Date", specified_by_url = "https://scalars.graphql.org/andimarek/local-date.html")]
impl ScalarType for Date {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = &value else {
            return Err(InputValueError::expected_type(value));
        };
        let date = text.parse().ok().filter(|date: &jiff::civil::Date| text.len() == 10 && date.year() >= 1900);
        date.map(Self).ok_or_else(|| InputValueError::custom("not a day: write it as 2026-05-14"))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A whole number up to 2^53, a JSON number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BigInt(pub(crate) u64);

#[Scalar(name = "BigInt")]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => match number.as_u64() {
                Some(number) if number <= 1 << 53 => Ok(Self(number)),
                _ => Err(InputValueError::custom("not a whole number from 0 to 2^53")),
            },
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        Value::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_with_milliseconds() {
        let at = DateTime::parse(Value::from("2026-05-14T05:30:00.1239-04:00")).unwrap();
        assert_eq!(at.to_value(), Value::from("2026-05-14T09:30:00.123Z"));
        for wrong in [Value::from("yesterday"), Value::from("2026-05-14"), Value::from(5)] {
            assert!(DateTime::parse(wrong).is_err());
        }
    }

    #[test]
    fn days_are_written_without_a_time() {
        assert_eq!(Date::parse(Value::from("2028-02-29")).unwrap().to_value(), Value::from("2028-02-29"));
        for wrong in [Value::from("2027-02-29"), Value::from("2026-05-14T00:00:00Z"), Value::from("20260514"), Value::from("0001-01-01"), Value::from(5)] {
            assert!(Date::parse(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
