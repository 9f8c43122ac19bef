//! The log: one JSON object a line, a sentence with dotted or plain fields, never personal data.

use tracing_subscriber::EnvFilter;

/// Sends the log to standard output, where the platform collects it; `RUST_LOG` chooses what, `info` when it doesn't say.
pub fn log_to_stdout() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().flatten_event(true).with_current_span(false).with_span_list(false).with_env_filter(filter).init();
}
