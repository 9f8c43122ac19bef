//! Having all contacts of a tenant indexed again: after messages were lost, or when what is indexed changed.

use anyhow::{Context, Result};
use switchboard_app::{changes, contacts};
use switchboard_domain::contact::ContactFilter;
use switchboard_lambda::Aws;
use switchboard_store::{Order, tenants};

/// Contacts asked for at once.
const PAGE: usize = 1_000;

/// Sends every contact of a tenant, deleted ones too, to the worker that keeps the index.
pub(crate) async fn run(aws: &Aws, slug: &str) -> Result<()> {
    let services = aws.services()?;
    let queue = aws.queue("CONTACT_INDEX_QUEUE_URL")?;
    let id = tenants::by_slug(&services.core, slug).await?.with_context(|| format!("there is no tenant {slug}"))?;
    let tenant = services.tenants.open(id).await?.with_context(|| format!("there is no tenant {slug}"))?;
    let settings = services.tenants.settings(&tenant.scope).await?;
    let filter = ContactFilter { include_deleted: true, ..ContactFilter::default() };
    let (mut after, mut sent): (Option<String>, usize) = (None, 0);
    loop {
        let page = contacts::walk(&services, &tenant, &settings, &filter, after.as_deref(), PAGE, Order::Ascending).await?;
        let ids: Vec<_> = page.contacts.into_iter().map(|row| row.id).collect();
        queue.send_fifo(&changes::again(id, &ids, services.clock.now())).await?;
        sent += ids.len();
        println!("{slug}: {sent} contacts sent to be indexed");
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
