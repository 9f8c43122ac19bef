//! A function's settings, from its environment.

use anyhow::{Context, Result, bail};
use jiff::SignedDuration;

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

/// For how long nobody can remove a file of the audit archive, which `AUDIT_LOCK_DAYS` says.
///
/// # Errors
/// When the setting is missing or no number of days.
pub fn audit_lock() -> Result<SignedDuration> {
    Ok(SignedDuration::from_hours(24 * i64::from(audit_lock_days()?)))
}

pub(crate) fn audit_lock_days() -> Result<i32> {
    setting("AUDIT_LOCK_DAYS")?.parse::<i32>().context("AUDIT_LOCK_DAYS is no number of days")
}
