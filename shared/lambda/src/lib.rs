//! What every function shares: its settings, its clients, its log, and the way through a batch of messages.

mod aws;
mod logging;
mod messages;
mod settings;
mod system;

pub use aws::Aws;
pub use logging::log_to_stdout;
pub use messages::{Message, handle_each};
pub use settings::setting;
pub use system::{SystemClock, SystemEntropy};
