//! A function's settings, from its environment.

use anyhow::{Result, bail};

/// The value of a setting.
///
/// # Errors
/// When it is missing or empty; the error names it.
pub fn setting(name: &str) -> Result<String> {
    match std::env::var(name) {
        Ok(value) if !value.is_empty() => Ok(value),
        _ => bail!("the environment variable {name} is not set"),
    }
}
