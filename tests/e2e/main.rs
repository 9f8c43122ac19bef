//! End-to-end tests: everything is done from outside, through the gateway, the buckets, the queues and the roles of a deployed stack.
//!
//! The stack's coordinates come from the environment that `./dev test e2e` sets. The tests run beside each other, and again on a stack where
//! they ran before: what they make has names and numbers of its own, and what they count is only that.
#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod stack;

mod agents;
mod audit;
mod audit_access;
mod audit_delay;
mod audit_export;
mod audit_imports;
mod audit_of_mutations;
mod audit_reading;
mod audit_seals;
mod bad_files;
mod bad_input;
mod bulk;
mod concurrency;
mod contact_assign;
mod contact_create;
mod contact_delete;
mod contact_erase;
mod contact_filters;
mod contact_lists;
mod contact_merge;
mod contact_search;
mod contact_status;
mod contact_update;
mod import_errors;
mod import_fairness;
mod import_life;
mod imports;
mod large;
mod no_scan;
mod nodes;
mod operator;
mod permissions;
mod presence;
mod privacy;
mod redelivery;
mod revert;
mod roles;
mod roles_of_users;
mod schedules;
mod score_delay;
mod scoring;
mod sign_in;
mod statuses;
mod suppression;
mod teams;
mod tenant_create;
mod tenant_settings;
mod tenants;
mod transport;
mod uploads;
mod user_access;
mod users;
