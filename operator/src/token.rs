//! Signing in as a user whose password is known.

use anyhow::{Context, Result};
use switchboard_lambda::{Aws, setting};

/// Prints an ID token.
pub(crate) async fn run(aws: &Aws, email: &str) -> Result<()> {
    let identities = aws.identities()?;
    let token = identities.sign_in(&setting("USER_POOL_CLIENT_ID")?, email, &setting("DEMO_PASSWORD")?).await;
    println!("{}", token.with_context(|| format!("{email} could not sign in"))?);
    Ok(())
}
