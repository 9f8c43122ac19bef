//! The mutation of scores.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use switchboard_app::{AppError, scoring};

use crate::contact::Contact;
use crate::context::ContextExt;
use crate::errors::{UserError, app_error};
use crate::node_id::NodeId;

/// A contact to be scored anew.
#[derive(InputObject)]
pub(crate) struct ScoreRecalculateInput {
    /// The contact.
    contact_id: ID,
}

/// What came of scoring a contact anew.
#[derive(SimpleObject)]
pub(crate) struct ScoreRecalculatePayload {
    /// The contact with its score as it is now; null exactly when there are errors.
    contact: Option<Contact>,
    /// What to mend.
    user_errors: Vec<UserError>,
}

/// The mutations of scores.
#[derive(Default)]
pub(crate) struct ScoreMutation;

#[Object]
impl ScoreMutation {
    /// Scores a contact anew by the model in force, and answers once that is done. Scores follow changes and the time by themselves: this is for who doesn't want to wait. It changes no
    /// version, and leaves no event.
    async fn score_recalculate(&self, ctx: &Context<'_>, #[graphql(desc = "Which contact.")] input: ScoreRecalculateInput) -> Result<ScoreRecalculatePayload> {
        let Some(NodeId::Contact(id)) = NodeId::parse(&input.contact_id) else {
            return Err(app_error(AppError::NotFound));
        };
        Ok(match scoring::recalculate(&ctx.api().services, ctx.viewer(), &id).await.map_err(app_error)? {
            Ok(contact) => ScoreRecalculatePayload { contact: Some(contact.into()), user_errors: Vec::new() },
            Err(errors) => ScoreRecalculatePayload { contact: None, user_errors: errors.into_iter().map(UserError::from).collect() },
        })
    }
}
