//! Everything that talks to DynamoDB: keys, items, the one request path and the one write path.
//!
//! Each public function says what it costs in requests and units; `docs/costs.md` is generated from measurements of them.

mod attribute_writer;
pub mod audit_events;
pub mod audit_exports;
pub mod bulk_jobs;
pub mod contacts;
pub mod due_scores;
pub mod error;
pub mod idempotency;
pub mod import_profiles;
pub mod imports;
pub mod item;
pub mod keys;
pub mod people;
pub mod presence;
pub mod schedules;
pub mod scope;
pub mod score_history;
pub mod scoring_models;
pub mod scoring_trainings;
pub mod search;
pub mod settings;
pub mod suppressions;
pub mod table;
pub mod tenants;

pub use error::StoreError;
pub use scope::TenantScope;
pub use table::{CoreTable, Freshness, Order, Page};
