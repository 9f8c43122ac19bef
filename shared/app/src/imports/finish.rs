//! The end of an import: the rows that failed are gathered, and it says how it ended.

use switchboard_domain::imports::{Import, Phase};
use switchboard_store::imports;
use switchboard_store::tenants::OpenTenant;

use super::{ImportServices, errors_file};
use crate::error::AppError;

/// Gathers the rows that failed of all that were written, and ends the import once all are; while some are still to be written, the last of them asks again. 1 request
/// per chunk and 1 or more for the file, 1 R, 2 W and 1 for index 1. Done again, it comes to the same.
pub(super) async fn run(services: &ImportServices, tenant: &OpenTenant, import: &Import) -> Result<(), AppError> {
    let mut import = import.clone();
    if import.writing_since.is_none() {
        return Ok(());
    }
    loop {
        if import.phase == Phase::Writing && import.pieces_written < import.pieces() {
            return Ok(());
        }
        errors_file::gather_failed(services, tenant, &import).await?;
        // Of one that was stopped, workers count what they wrote until they leave. Who gathers last, in whatever order they began, has it all.
        match imports::get(&services.services.core, &tenant.scope, import.id).await? {
            Some(now) if now.pieces_written != import.pieces_written => import = now,
            _ => break,
        }
    }
    if import.phase == Phase::Writing {
        let status = Import::final_status(&import.counts);
        imports::complete(&services.services.core, &tenant.scope, import.id, status, services.services.clock.now()).await?;
    }
    Ok(())
}
