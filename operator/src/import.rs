//! Dropping a file as an uploader does, and following its import to the end.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use switchboard_app::Services;
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::{Import, ImportStatus};
use switchboard_lambda::Aws;
use switchboard_store::{TenantScope, imports, tenants};

/// How often the import is looked at.
const LOOK: Duration = Duration::from_millis(250);
/// How long a dropped file may go unnoticed; beyond it something is wrong with the deployment.
const PATIENCE: u32 = 480;
/// How many of the newest imports are looked through for ours.
const NEWEST: usize = 25;

/// Drops a file, shows how it goes, and prints the counts.
pub(crate) async fn run(aws: &Aws, file: &str, slug: &str, profile: Option<&str>) -> Result<()> {
    let path = Path::new(file);
    let name = path.file_name().and_then(|name| name.to_str()).with_context(|| format!("{file} has no name"))?;
    ensure!(path.is_file(), "{file} is not a file");
    let services = aws.services()?;
    let tenant = tenants::by_slug(&services.core, slug).await?.with_context(|| format!("there is no tenant {slug}"))?;
    let (scope, _) = tenants::load(&services.core, tenant).await?.with_context(|| format!("there is no tenant {slug}"))?;
    let key = match profile {
        None => format!("drop/{slug}/{name}"),
        Some(profile) => format!("drop/{slug}/{profile}/{name}"),
    };
    let before: HashSet<ImportId> = imports::newest(&services.core, &scope, None, NEWEST).await?.entries.iter().map(|import| import.id).collect();
    aws.files("UPLOADS_BUCKET")?.put_path(&key, path).await?;
    let import = follow(&services, &scope, &key, &before).await?;
    let counts = import.counts;
    if import.status == ImportStatus::Failed {
        bail!("{}", import.failure_reason.unwrap_or_else(|| "the import failed".to_owned()));
    }
    println!(
        "{} rows: {} created, {} updated, {} unchanged, {} skipped, {} failed",
        counts.total(),
        counts.created,
        counts.updated,
        counts.unchanged,
        counts.skipped,
        counts.failed
    );
    Ok(())
}

async fn follow(services: &Services, scope: &TenantScope, key: &str, before: &HashSet<ImportId>) -> Result<Import> {
    let bar = ProgressBar::with_draw_target(Some(1_000), ProgressDrawTarget::stderr());
    bar.set_style(ProgressStyle::with_template("{bar:40} {percent}% {msg}")?);
    let mut waited = 0;
    loop {
        let newest = imports::newest(&services.core, scope, None, NEWEST).await?.entries;
        if let Some(import) = newest.into_iter().find(|import| import.file_key == key && !before.contains(&import.id)) {
            bar.set_message(format!("{} of {} rows written", import.counts.total(), import.rows_total.map_or("?".to_owned(), |rows| rows.to_string())));
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1,000")]
            bar.set_position((import.progress() * 1_000.0) as u64);
            if import.status != ImportStatus::Processing {
                bar.finish_and_clear();
                return Ok(import);
            }
        } else {
            waited += 1;
            ensure!(waited < PATIENCE, "the file was dropped, but no import began within two minutes: look at the log of import-plan");
        }
        tokio::time::sleep(LOOK).await;
    }
}
