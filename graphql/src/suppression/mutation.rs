//! The mutations of the suppression list.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use switchboard_app::contacts;
use switchboard_app::suppressions::{self, AddSuppression, RemoveSuppression};
use switchboard_domain::ids::ContactId;

use super::Suppression;
use crate::contact::Contact;
use crate::context::ContextExt;
use crate::errors::{UserError, app_error, hidden};
use crate::node_id::NodeId;

/// A number to be put on the suppression list.
#[derive(InputObject)]
pub(crate) struct SuppressionAddInput {
    /// The number, as dialled in the tenant's country or with its international prefix.
    phone: String,
    /// Why, in at most 1,000 characters; it stays readable when the contact is erased, so name nobody.
    reason: Option<String>,
    /// Where the entry comes from, in at most 100 characters; `manual` when not given.
    source: Option<String>,
    /// The client's own key for this request, kept seven days: the same key and input answer as before.
    idempotency_key: Option<String>,
}

/// A number to be taken off the suppression list: give either its number or its entry.
#[derive(InputObject)]
pub(crate) struct SuppressionRemoveInput {
    /// The number, as dialled in the tenant's country or with its international prefix.
    phone: Option<String>,
    /// The entry.
    id: Option<ID>,
    /// Why it may be called again, in at most 1,000 characters; name nobody.
    reason: String,
}

/// What came of putting a number on the list.
#[derive(SimpleObject)]
pub(crate) struct SuppressionAddPayload {
    /// The number's entry; null exactly when there are errors.
    suppression: Option<Suppression>,
    /// The contact whose number it is, if there is one for you.
    contact: Option<Contact>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// What came of taking a number off the list.
#[derive(SimpleObject)]
pub(crate) struct SuppressionRemovePayload {
    /// The number's entry, which stays; null exactly when there are errors.
    suppression: Option<Suppression>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// The mutations of the suppression list.
#[derive(Default)]
pub(crate) struct SuppressionMutation;

#[Object]
impl SuppressionMutation {
    /// Puts a number on the suppression list: from then on it must not be called, whoever has it. One that is on it already stays as it is.
    async fn suppression_add(&self, ctx: &Context<'_>, #[graphql(desc = "The number.")] input: SuppressionAddInput) -> Result<SuppressionAddPayload> {
        let request = AddSuppression { phone: input.phone, reason: input.reason, source: input.source, idempotency_key: input.idempotency_key };
        Ok(match suppressions::add(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(added) => {
                SuppressionAddPayload { suppression: Some(Suppression(added.suppression)), contact: contact(ctx, added.contact).await?, user_errors: Vec::new() }
            }
            Err(errors) => SuppressionAddPayload { suppression: None, contact: None, user_errors: errors.into_iter().map(UserError::from).collect() },
        })
    }

    /// Takes a number off the suppression list. Its entry stays and says so; a number that was taken off before is CONFLICT.
    async fn suppression_remove(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The number or its entry.")] input: SuppressionRemoveInput,
    ) -> Result<SuppressionRemovePayload> {
        let id = input.id.map(|id| match NodeId::parse(&id) {
            Some(NodeId::Suppression(id)) => Some(id),
            _ => None,
        });
        let request = RemoveSuppression { phone: input.phone, id, reason: input.reason };
        Ok(match suppressions::remove(&ctx.api().services, ctx.viewer(), request).await.map_err(app_error)? {
            Ok(removed) => SuppressionRemovePayload { suppression: Some(Suppression(removed)), user_errors: Vec::new() },
            Err(errors) => SuppressionRemovePayload { suppression: None, user_errors: errors.into_iter().map(UserError::from).collect() },
        })
    }
}

/// The contact whose number it is, as the caller may see it; read only when it is asked for.
async fn contact(ctx: &Context<'_>, id: Option<ContactId>) -> Result<Option<Contact>> {
    let Some(id) = id.filter(|_| ctx.look_ahead().field("contact").exists()) else {
        return Ok(None);
    };
    let found = contacts::get(&ctx.api().services, ctx.viewer(), &id).await.or_else(hidden).map_err(app_error)?;
    Ok(found.map(Contact::from))
}
