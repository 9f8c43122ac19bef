//! Recording the audit trail from the core table's stream.

mod record;
mod stream;

pub use record::{Recorder, Report};
pub use stream::{ImageError, StreamRecord};
