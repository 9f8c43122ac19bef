//! The audit trail: what was done, how records stood and differ, what is missing of it, and whether it is whole.

mod actor;
mod change;
mod event;
mod filter;
mod gap;
mod loader;
mod query;
mod record;
mod revert;
mod verification;

pub(crate) use actor::AuditActor;
pub(crate) use event::{AuditEvent, event};
pub(crate) use filter::{audited, who};
pub(crate) use loader::NameLoader;
pub(crate) use query::AuditQuery;
pub(crate) use record::{as_of, events};
pub(crate) use revert::AuditMutation;
