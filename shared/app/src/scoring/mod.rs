//! Scores: kept in step with contacts and with the time, read, and the models by which they are made.

pub mod distribution;
pub mod history;
pub mod message;
pub mod models;
pub mod recalculate;
pub mod rescore;
pub mod sweep;
pub mod watch;

pub use history::{HistoryPage, history};
pub use message::ScoreMessage;
pub use recalculate::recalculate;
pub use rescore::{Rescoring, handle};
pub use sweep::{Sweep, Swept};
pub use watch::Watch;
