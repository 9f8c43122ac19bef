//! Checking a chunk: every row is read and validated, and nothing is written but what the join needs.

use switchboard_domain::imports::{Import, Phase};
use switchboard_store::imports;
use switchboard_store::tenants::OpenTenant;

use super::rows::{self, RowsMessage, Step};
use super::{ChunkCheck, ImportServices, Place};
use crate::error::AppError;

/// Checks one chunk; the last one to be checked asks for the join. 2 R, 2 × 2 W, 1 R; 1 request for the bytes and 1 for the result.
pub(super) async fn run(services: &ImportServices, tenant: &OpenTenant, import: &Import, number: u32) -> Result<(), AppError> {
    let core = &services.services.core;
    let chunk = rows::chunk(services, &tenant.scope, import, number).await?;
    if !chunk.checked {
        let defaults = tenant.defaults();
        let mut result = ChunkCheck::default();
        for row in rows::read(services, import, &chunk).await? {
            match rows::validate(import, &row, &defaults) {
                Ok(validated) => result.keys.push((tenant.keyring.slot(&validated.draft.phone.e164), row.number)),
                Err(_) => result.failed += 1,
            }
        }
        services.results.put_json(&Place::of(&tenant.scope, import.id).check(number), &result).await?;
        imports::finish_check(core, &tenant.scope, import.id, number).await?;
    }
    let now = imports::get(core, &tenant.scope, import.id).await?;
    if now.is_some_and(|now| now.phase == Phase::Checking && now.chunks_checked == now.chunks) {
        services.rows.send(&[RowsMessage { tenant: tenant.scope.tenant(), import: import.id, step: Step::Join }]).await?;
    }
    Ok(())
}
