//! A team of agents.

use serde_json::json;

use crate::audit::{Audited, Fields};
use crate::change::Revisioned;
use crate::ids::TeamId;

/// A team's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// What all records have.
    pub record: Revisioned,
    /// Unique in the tenant, folded.
    pub name: String,
}

impl Audited for Team {
    const ENTITY_TYPE: &'static str = "team";

    fn audit_fields(&self) -> Fields {
        Fields::from([("name".to_owned(), json!(self.name))])
    }
}
