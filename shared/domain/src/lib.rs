//! The rules of Switchboard: pure functions and plain data.
//!
//! Nothing here reads a clock, draws a random number or talks to a network; time and randomness are passed in.
//! The words are those of the product, one noun a module.

pub mod actor;
pub mod audit;
pub mod audit_export;
pub mod bulk_job;
pub mod change;
pub mod clock;
pub mod code;
pub mod contact;
pub mod demo;
pub mod email;
pub mod field_error;
pub mod file_parts;
pub mod ids;
pub mod imports;
pub mod note;
pub mod permission;
pub mod person;
pub mod phone;
pub mod postal_code;
pub mod presence;
pub mod role;
pub mod schedule;
pub mod scoring;
pub mod scoring_training;
pub mod sealing;
pub mod search;
pub mod status;
pub mod suppression;
pub mod team;
pub mod tenant;
pub mod tenant_settings;
pub mod text;
pub mod time_zone;
