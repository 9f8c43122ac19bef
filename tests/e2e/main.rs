//! End-to-end tests: everything is done from outside, through the gateway, the buckets, the queues and the roles of a deployed stack.
//!
//! The stack's coordinates come from the environment that `./dev test e2e` sets. The tests run beside each other, and again on a stack where
//! they ran before: what they make has names and numbers of its own, and what they count is only that.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod stack;

mod audit;
mod bad_files;
mod contact_create;
mod contact_lists;
mod import_errors;
mod imports;
mod nodes;
mod operator;
mod permissions;
mod redelivery;
mod roles;
mod sign_in;
mod tenants;
mod transport;
