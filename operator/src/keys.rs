//! Turning over a tenant's keys: a new wrapping key for its contacts, or its keyring wrapped anew by the key service.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use switchboard_app::bulk;
use switchboard_domain::sealing::MOST_GENERATIONS;
use switchboard_lambda::{Aws, setting};
use switchboard_store::tenants::{self, OpenTenant};

/// Longer than any process believes a keyring it has read (30 s) and then works with it (120 s, a chunk of an import): after it every one knows the
/// new key.
const KNOWN_EVERYWHERE: Duration = Duration::from_secs(180);

/// Gives a tenant a new wrapping key, which all that is written from then on uses, and starts a job that wraps the keys of all contacts anew. Can be
/// run again when it was interrupted.
pub(crate) async fn rotate(aws: &Aws, slug: &str, wait: Option<u64>) -> Result<()> {
    let wait = wait.map_or(KNOWN_EVERYWHERE, Duration::from_secs);
    let services = aws.services()?;
    let tenant = open(aws, slug).await?;
    let prepared = tenant.keyring.clone().with_prepared_generation(services.entropy.as_ref());
    if prepared.generations() > MOST_GENERATIONS {
        bail!("{slug} has had {MOST_GENERATIONS} wrapping keys, which is all that the key service takes at once");
    }
    let tenant = save(aws, slug, &tenant, &prepared.to_bytes()).await?;
    println!("{slug}: a new key is there; waiting {} s until every process knows it", wait.as_secs());
    tokio::time::sleep(wait).await;
    let tenant = save(aws, slug, &tenant, &prepared.activated().to_bytes()).await?;
    let job = bulk::start_rewrap(&services, &tenant).await?;
    println!("{slug}: the new key is in use; job {} wraps the keys of all contacts anew", job.id);
    Ok(())
}

/// Wraps a tenant's keyring anew with the key service's present key. No contact is touched.
pub(crate) async fn rewrap(aws: &Aws, slug: &str) -> Result<()> {
    let tenant = open(aws, slug).await?;
    save(aws, slug, &tenant, &tenant.keyring.to_bytes()).await?;
    println!("{slug}: the keyring is wrapped by the key service's present key");
    Ok(())
}

async fn open(aws: &Aws, slug: &str) -> Result<OpenTenant> {
    let services = aws.services()?;
    let id = tenants::by_slug(&services.core, slug).await?.with_context(|| format!("there is no tenant {slug}"))?;
    let tenant = services.tenants.open(id).await?.with_context(|| format!("there is no tenant {slug}"))?;
    Ok(OpenTenant::clone(&tenant))
}

async fn save(aws: &Aws, slug: &str, tenant: &OpenTenant, keyring: &[u8]) -> Result<OpenTenant> {
    let wrapped = aws.keys().wrap_keyring(&setting("TENANT_KEY_ARN")?, tenant.record.id, keyring).await?;
    if !tenants::set_keyring(&aws.services()?.core, tenant, wrapped).await? {
        bail!("the keys of {slug} were changed by somebody else meanwhile; run it again");
    }
    open(aws, slug).await
}
