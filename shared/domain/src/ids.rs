//! Typed identifiers and the one short text form they have in keys, messages and tokens.

use std::fmt;

use data_encoding::{Encoding, Specification};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::LazyLock;
use uuid::Uuid;

/// Lower-case base32 with the "extended hex" alphabet (RFC 4648, section 7), which keeps the order of the bytes it encodes.
static BASE32: LazyLock<Encoding> = LazyLock::new(|| {
    let mut specification = Specification::new();
    specification.symbols.push_str("0123456789abcdefghijklmnopqrstuv");
    #[expect(clippy::expect_used, reason = "a constant alphabet of 32 distinct symbols is always a valid specification")]
    specification.encoding().expect("valid alphabet")
});

/// Encodes bytes as lower-case base32hex without padding, keeping their order.
#[must_use]
pub fn base32(bytes: &[u8]) -> String {
    BASE32.encode(bytes)
}

/// Ten random bytes: what a UUIDv7 needs beside its time.
pub type IdEntropy = [u8; 10];

/// Makes a UUIDv7 (RFC 9562, section 5.7) of a time and random bytes. Times before 1970 count as 1970.
#[must_use]
pub fn uuid_v7(at: Timestamp, entropy: &IdEntropy) -> Uuid {
    let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, entropy).into_uuid()
}

/// The time in the text of a UUIDv7; none for anything else.
#[must_use]
pub fn time_of(text: &str) -> Option<Timestamp> {
    let bytes: [u8; 16] = BASE32.decode(text.as_bytes()).ok()?.try_into().ok()?;
    let millis = bytes.iter().take(6).fold(0, |millis, byte| millis << 8 | i64::from(*byte));
    Timestamp::from_millisecond(millis).ok()
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// A new identifier of the given time.
            #[must_use]
            pub fn new(at: Timestamp, entropy: &IdEntropy) -> Self {
                Self(uuid_v7(at, entropy))
            }

            /// The identifier with this UUID.
            #[must_use]
            pub fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            #[must_use]
            pub fn uuid(&self) -> Uuid {
                self.0
            }

            /// Reads the 26-character form that [`fmt::Display`] writes; `None` for anything else.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                if text.len() != 26 {
                    return None;
                }
                let bytes = BASE32.decode(text.as_bytes()).ok()?;
                Some(Self(Uuid::from_slice(&bytes).ok()?))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut text = [0; 26];
                BASE32.encode_mut(self.0.as_bytes(), &mut text);
                formatter.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({self})", stringify!($name))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("not a ", stringify!($name))))
            }
        }
    };
}

uuid_id!(
    /// An organisation. Every record belongs to exactly one.
    TenantId
);
uuid_id!(
    /// Someone who can sign in.
    UserId
);
uuid_id!(
    /// A user's entry in the staff directory; it has the same UUID as the user.
    AgentId
);
uuid_id!(
    /// A team of agents.
    TeamId
);
uuid_id!(
    /// A named set of permissions.
    RoleId
);
uuid_id!(
    /// A status that contacts can have.
    StatusId
);
uuid_id!(
    /// One run that brings records in.
    ImportId
);
uuid_id!(
    /// Something somebody wrote about a contact.
    NoteId
);
uuid_id!(
    /// One run that changes or exports many contacts.
    BulkJobId
);
uuid_id!(
    /// One run that writes events of the audit trail into a file.
    AuditExportId
);

uuid_id!(
    /// A way of scoring contacts.
    ScoringModelId
);

impl ScoringModelId {
    /// The preset `standard`.
    pub const STANDARD: Self = Self(Uuid::from_u128(1));
    /// The preset `pipeline`.
    pub const PIPELINE: Self = Self(Uuid::from_u128(2));
}

uuid_id!(
    /// A window of an agent's schedule.
    ScheduleWindowId
);
uuid_id!(
    /// An exception to an agent's schedule.
    ScheduleExceptionId
);

impl From<UserId> for AgentId {
    fn from(user: UserId) -> Self {
        Self(user.0)
    }
}

impl From<AgentId> for UserId {
    fn from(agent: AgentId) -> Self {
        Self(agent.0)
    }
}

macro_rules! hash_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// The number of characters of the text form; 130 bits of the keyed hash.
            pub const LENGTH: usize = 26;

            /// The identifier made of a keyed hash.
            #[must_use]
            pub fn from_hash(hash: &[u8; 32]) -> Self {
                // Eight characters show five bytes.
                Self(base32(&hash[..Self::LENGTH.div_ceil(8) * 5])[..Self::LENGTH].into())
            }

            /// Reads the text form; `None` for anything else.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let valid = text.len() == Self::LENGTH && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'v').contains(&byte));
                valid.then(|| Self(text.into()))
            }

            /// The text form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({self})", stringify!($name))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("not a ", stringify!($name))))
            }
        }
    };
}

hash_id!(
    /// A contact: 26 characters of base32, the keyed hash of its first number (its slot), or of random bytes when that slot was another's
    /// home before. See `docs/encryption.md`.
    ContactId
);
hash_id!(
    /// An entry of the suppression list: the keyed hash of its number.
    SuppressionId
);

impl ContactId {
    /// Which of `shards` equal parts this contact falls in; the same one for life as long as `shards` stays.
    #[must_use]
    pub fn shard(&self, shards: u32) -> u32 {
        let number = self.0.bytes().take(6).fold(0_u32, |sum, byte| sum.wrapping_mul(32).wrapping_add(u32::from(byte)));
        number % shards.max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_form_keeps_the_order_of_creation() {
        let earlier = ImportId::new(Timestamp::from_millisecond(1_000).unwrap(), &[255; 10]);
        let later = ImportId::new(Timestamp::from_millisecond(1_001).unwrap(), &[0; 10]);
        assert!(earlier.to_string() < later.to_string());
        assert!(earlier < later);
    }

    #[test]
    fn the_text_form_reads_back_and_nothing_else_does() {
        let id = TenantId::new(Timestamp::UNIX_EPOCH, &[7; 10]);
        assert_eq!(TenantId::parse(&id.to_string()), Some(id));
        for wrong in ["", "short", "zzzzzzzzzzzzzzzzzzzzzzzzzz", &id.to_string().to_uppercase(), &format!("{id}0")] {
            assert_eq!(TenantId::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_contact_id_refuses_what_no_hash_gives() {
        let id = ContactId::from_hash(&[9; 32]);
        assert_eq!(ContactId::parse(id.as_str()), Some(id));
        assert_eq!(ContactId::parse("w0000000000000000000000000"), None);
        assert_eq!(ContactId::parse("../../etc/passwd0000000000"), None);
    }
}
