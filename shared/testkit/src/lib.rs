//! For tests: a real DynamoDB engine in the process, a bucket, a queue and a signing key, a fixed clock, repeatable randomness, a tenant ready for use, and a
//! meter of requests.
#![expect(clippy::expect_used, reason = "a test that can't be set up fails")]

mod bucket;
mod database;
mod fixed;
mod mailbox;
mod meter;
mod signing;
mod stream;
mod user_pool;
mod wire;
mod world;

pub use bucket::Bucket;
pub use database::{Database, PROJECTED, PROJECTED_OF_WORK};
pub use fixed::{FixedClock, SeededEntropy};
pub use mailbox::Mailbox;
pub use meter::{Meter, Usage};
pub use signing::SigningKey;
pub use stream::TableStream;
pub use user_pool::UserPool;
pub use wire::{Fault, Wire};
pub use world::World;
