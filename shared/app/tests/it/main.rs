//! The use cases on a real DynamoDB engine.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that goes wrong fails")]

mod agents;
mod audit;
mod bulk;
mod bulk_requests;
mod contacts;
mod costs;
mod demo;
mod edits;
mod exports;
mod imports;
mod layers;
mod leavers;
mod lists;
mod made;
mod numbers;
mod power_lost;
mod presence;
mod schedules;
mod search;
mod staff_costs;
mod statuses;
mod suppressions;
mod teams;
mod template;
mod tenant_settings;
mod users;
