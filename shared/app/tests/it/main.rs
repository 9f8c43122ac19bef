//! The use cases on a real DynamoDB engine.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that goes wrong fails")]

mod audit;
mod contacts;
mod costs;
mod imports;
mod layers;
mod made;
mod template;
