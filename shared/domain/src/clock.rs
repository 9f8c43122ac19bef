//! Where time and randomness come from: two traits that functions implement with the machine's, tests with fixed ones.

use jiff::Timestamp;

use crate::ids::IdEntropy;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// Draws random bytes fit for keys and nonces.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with random values.
    fn fill(&self, bytes: &mut [u8]);

    /// The random part of an identifier.
    fn id(&self) -> IdEntropy {
        let mut bytes = IdEntropy::default();
        self.fill(&mut bytes);
        bytes
    }
}

/// The time cut to whole milliseconds, as records keep it and the API shows it.
#[must_use]
pub fn to_millisecond(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

/// Serialises a time as whole milliseconds since 1970, the shortest exact form in an item.
pub mod millis {
    use jiff::Timestamp;
    use serde::{Deserialize, Deserializer, Serializer};

    /// Writes the milliseconds.
    ///
    /// # Errors
    /// Those of the serialiser.
    pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(at.as_millisecond())
    }

    /// Reads the milliseconds.
    ///
    /// # Errors
    /// When the number isn't one or lies outside the years a time can have.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        let millis = i64::deserialize(deserializer)?;
        Timestamp::from_millisecond(millis).map_err(serde::de::Error::custom)
    }

    /// The same for a time that may be absent.
    pub mod option {
        use jiff::Timestamp;
        use serde::{Deserialize, Deserializer, Serializer};

        /// Writes the milliseconds, or nothing.
        ///
        /// # Errors
        /// Those of the serialiser.
        pub fn serialize<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
            match at {
                Some(at) => serializer.serialize_i64(at.as_millisecond()),
                None => serializer.serialize_none(),
            }
        }

        /// Reads the milliseconds, if any.
        ///
        /// # Errors
        /// When the number isn't one or lies outside the years a time can have.
        pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
            Option::<i64>::deserialize(deserializer)?.map(|millis| Timestamp::from_millisecond(millis).map_err(serde::de::Error::custom)).transpose()
        }
    }
}
