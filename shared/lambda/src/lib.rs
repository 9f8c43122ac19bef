//! What every function shares: its settings, its clients, its log, how long it may run, and the way through a batch of messages or changes.

mod allocator;
mod aws;
mod deadline;
mod logging;
mod messages;
mod settings;
mod stream;
mod system;

pub use aws::Aws;
pub use deadline::stop_at;
pub use logging::log_to_stdout;
pub use messages::{Message, handle_each};
pub use settings::{audit_lock, setting};
pub use stream::{audit_stream_records, stream_records};
pub use system::{SystemClock, SystemEntropy};
