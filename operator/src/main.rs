//! What an operator does at a deployment from the command line, with an operator's own credentials.

mod audit;
mod import;
mod keys;
mod reindex;
mod seed;
mod tenant;
mod token;

use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use switchboard_lambda::Aws;

const USAGE: &str = "\
usage: operator seed                                      the demo tenants, users and contacts
       operator tenant create SLUG --name NAME --admin EMAIL [--admin-name NAME] [--country CA] [--time-zone America/Toronto]
                                                          a tenant with its first administrator; again, what is missing of it
       operator token EMAIL                               an ID token of a user whose password is in DEMO_PASSWORD
       operator import FILE [--tenant SLUG] [--profile NAME]   drops a file and follows its import
       operator keys rotate SLUG [--wait SECONDS]         a new wrapping key for a tenant's contacts
       operator keys rewrap SLUG                          the tenant's keyring under the key service's present key
       operator reindex SLUG                              has a tenant's contacts indexed for searching again
       operator audit verify EXPORT [--key PEM]           verifies an export of the audit trail, with a key offline
       operator audit key                                 the public key that the trail's days are sealed with
       operator audit seal [--day YYYY-MM-DD] [--tenant SLUG]   seals the days that are due, or one as far as it is
       operator audit redrive                             records the changes that were set aside";

#[tokio::main]
async fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Vec<String>) -> Result<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // Whoever has an export and the key needs nothing of ours.
    if let ["audit", "verify", export, "--key", key] | ["audit", "verify", "--key", key, export] = words[..] {
        return audit::verify(export, key);
    }
    let aws = Aws::from_environment().await;
    match words[..] {
        ["seed"] => Box::pin(seed::run(&aws)).await,
        ["tenant", "create", ref rest @ ..] => match tenant::parse(rest) {
            Some(tenant) => Box::pin(tenant::create(&aws, tenant)).await,
            None => bail!("{USAGE}"),
        },
        ["token", email] => token::run(&aws, email).await,
        ["keys", "rotate", slug] => keys::rotate(&aws, slug, None).await,
        ["keys", "rotate", slug, "--wait", seconds] => keys::rotate(&aws, slug, Some(seconds.parse().context("--wait takes seconds")?)).await,
        ["keys", "rewrap", slug] => keys::rewrap(&aws, slug).await,
        ["reindex", slug] => reindex::run(&aws, slug).await,
        ["audit", "verify", export] => audit::verify_with_own_key(&aws, export).await,
        ["audit", "key"] => audit::key(&aws).await,
        ["audit", "seal", ref options @ ..] => match audit::Seal::parse(options) {
            Some(asked) => Box::pin(audit::seal(&aws, asked)).await,
            None => bail!("{USAGE}"),
        },
        ["audit", "redrive"] => Box::pin(audit::redrive(&aws)).await,
        ["import", file, ref options @ ..] => {
            let (mut tenant, mut profile) = ("demo", None);
            for option in options.chunks(2) {
                match option {
                    ["--tenant", value] => tenant = value,
                    ["--profile", value] => profile = Some(*value),
                    _ => bail!("{USAGE}"),
                }
            }
            Box::pin(import::run(&aws, file, tenant, profile)).await
        }
        _ => bail!("{USAGE}"),
    }
}
