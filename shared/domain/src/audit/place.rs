//! Where an event stands among those of its record: in the chain of its versions, or beside it.

use jiff::Timestamp;

/// An event's place.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// Behind the event of the version before, whose hash it carries.
    Version(u32),
    /// Beside the chain: what changed no record of ours, such as a refused action. The text is its sort key, see [`Self::beside`].
    Beside(String),
}

/// What the sort keys of events beside the chain begin with: behind all versions.
pub const BESIDE: &str = "B#";

impl Place {
    /// A place beside the chain, for what happened at that time. The same time and word are the same place, where only one event can stand.
    #[must_use]
    pub fn beside(at: Timestamp, what: &str) -> Self {
        Self::Beside(format!("{BESIDE}{:013}#{what}", at.as_millisecond().max(0)))
    }

    /// The version, of an event in the chain.
    #[must_use]
    pub fn version(&self) -> Option<u32> {
        match self {
            Self::Version(version) => Some(*version),
            Self::Beside(_) => None,
        }
    }

    /// How it is written in keys; versions order as numbers.
    #[must_use]
    pub fn sort_key(&self) -> String {
        match self {
            Self::Version(version) => format!("{version:010}"),
            Self::Beside(text) => text.clone(),
        }
    }

    /// Reads what [`Self::sort_key`] wrote.
    #[must_use]
    pub fn parse(sort_key: &str) -> Option<Self> {
        if sort_key.starts_with(BESIDE) {
            return Some(Self::Beside(sort_key.to_owned()));
        }
        let digits = sort_key.len() == 10 && sort_key.bytes().all(|byte| byte.is_ascii_digit());
        sort_key.parse().ok().filter(|_| digits).map(Self::Version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_back_and_what_stands_beside_comes_behind_every_version() {
        let beside = Place::beside(Timestamp::from_millisecond(1_764_500_000_000).unwrap(), "auth.signed_in");
        assert_eq!(beside.sort_key(), "B#1764500000000#auth.signed_in");
        for place in [Place::Version(1), Place::Version(u32::MAX), beside.clone()] {
            assert_eq!(Place::parse(&place.sort_key()), Some(place));
        }
        assert!(Place::Version(u32::MAX).sort_key() < beside.sort_key());
        for wrong in ["", "1", "+000000001", "00000000001", "9999999999", "C#1"] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }
}
