//! Whether the trail is whole, and the key by which others find that out.

use async_graphql::{Context, ID, Result, SimpleObject};
use switchboard_app::AppError;
use switchboard_app::audit::{self, Verification, Verify};
use switchboard_domain::permission::Permission;
use switchboard_platform::public_key_pem;

use super::filter::{audited, check_type};
use crate::context::ContextExt;
use crate::errors::{Code, app_error};
use crate::scalars::{Date, DateTime};

/// What verifying came to.
#[derive(SimpleObject)]
pub(crate) struct AuditVerification {
    /// Nothing is wrong.
    ok: bool,
    /// Events whose hashes were checked, until something was wrong.
    entries_checked: i32,
    /// What is wrong first, in plain words.
    first_problem: Option<String>,
    /// When this was found.
    checked_at: DateTime,
}

impl From<Verification> for AuditVerification {
    fn from(found: Verification) -> Self {
        let entries_checked = i32::try_from(found.entries_checked).unwrap_or(i32::MAX);
        Self { ok: found.ok, entries_checked, first_problem: found.first_problem, checked_at: found.checked_at.into() }
    }
}

/// The key with which the days of the trail are sealed: its public half, for who verifies an export without us.
#[derive(SimpleObject)]
pub(crate) struct AuditPublicKey {
    /// The key's name, as seals carry it.
    key_id: String,
    /// How it signs.
    algorithm: &'static str,
    /// The key as PEM, which other tools read.
    pem: String,
}

/// Verifies a record, a day, or with neither the whole tenant.
pub(super) async fn verify(ctx: &Context<'_>, entity_type: Option<&str>, entity_id: Option<&ID>, day: Option<Date>) -> Result<AuditVerification> {
    check_type(entity_type)?;
    let what = match (entity_id, day) {
        (Some(_), Some(_)) => return Err(Code::BadRequest.error("entityId and day are too much at once. Give one of them, or neither for the whole tenant.")),
        (None, _) if entity_type.is_some() => {
            return Err(Code::BadRequest.error("entityType needs entityId. Give the record, or a day, or neither for the whole tenant."));
        }
        (Some(id), None) => {
            let record = audited(id, entity_type).ok_or_else(|| app_error(AppError::NotFound))?;
            Verify::Record { entity_type: record.entity_type().to_owned(), entity_id: record.entity_id() }
        }
        (None, Some(day)) => Verify::Day(day.0),
        (None, None) => Verify::Tenant,
    };
    let api = ctx.api();
    Ok(audit::verify(&api.services, ctx.viewer(), &api.signer, what).await.map_err(app_error)?.into())
}

/// The public key of the seals.
pub(super) async fn public_key(ctx: &Context<'_>) -> Result<AuditPublicKey> {
    ctx.viewer().require_all(Permission::AuditRead).map_err(app_error)?;
    let signer = &ctx.api().signer;
    let key = signer.public_key().await.map_err(|error| app_error(error.into()))?;
    Ok(AuditPublicKey { key_id: signer.key().to_owned(), algorithm: "ECDSA on P-256 with SHA-256", pem: public_key_pem(&key) })
}
