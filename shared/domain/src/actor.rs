//! Who did something, as they were at that moment.

use serde::{Deserialize, Serialize};

use crate::ids::{ImportId, UserId};

/// The kinds of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ActorKind {
    /// A person who signed in.
    User,
    /// The system itself: schedules, drops, seeding.
    System,
    /// An import: what its rows write.
    Import,
    /// A program with a key of its own.
    ApiKey,
}

/// A snapshot of an actor. The e-mail address stays sealed, as in the user's own record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The kind of actor.
    pub kind: ActorKind,
    /// The user's or the import's id in its short form; none for the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name at that time; an import's is its file's.
    pub name: String,
    /// The e-mail address sealed under the tenant's key for purpose [`STAFF_EMAIL`] and this user.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::audit::optional_bytes")]
    pub email: Option<Vec<u8>>,
    /// The codes of the roles held at that time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
}

/// The purpose under which staff e-mail addresses are sealed.
pub const STAFF_EMAIL: &str = "staff email";

impl Actor {
    /// The system.
    #[must_use]
    pub fn system() -> Self {
        Self { kind: ActorKind::System, id: None, name: "Switchboard".to_owned(), email: None, roles: Vec::new() }
    }

    /// An import, named after its file.
    #[must_use]
    pub fn import(id: ImportId, file_name: &str) -> Self {
        Self { kind: ActorKind::Import, id: Some(id.to_string()), name: file_name.to_owned(), email: None, roles: Vec::new() }
    }

    /// A user with the roles they hold now.
    #[must_use]
    pub fn user(id: UserId, name: &str, sealed_email: Vec<u8>, roles: Vec<String>) -> Self {
        Self { kind: ActorKind::User, id: Some(id.to_string()), name: name.to_owned(), email: Some(sealed_email), roles }
    }
}
