//! Agents: the staff directory.

mod mutation;
mod query;
mod types;

pub(crate) use mutation::AgentMutation;
pub(crate) use query::{AgentQuery, agent};
pub(crate) use types::Agent;
