//! The use cases on a real DynamoDB engine.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that goes wrong fails")]

mod audit;
mod bulk;
mod bulk_requests;
mod contacts;
mod costs;
mod edits;
mod exports;
mod imports;
mod layers;
mod lists;
mod made;
mod numbers;
mod search;
mod statuses;
mod suppressions;
mod template;
