//! Recording the audit trail from the core table's stream, and reading it.

mod history;
mod record;
mod stream;

pub use history::history;
pub use record::{Recorder, Report};
pub use stream::{ImageError, StreamRecord};
