//! The models by which a tenant scores its contacts: two presets that stand in the code, and its own ones, each created, changed and deleted by one who decides on all
//! of them as they are now. Changing a model changes no score: a version of it scores from when a person activates it.

mod activate;
mod create;
mod delete;
pub mod explain;
mod job;
mod preview;
mod read;
pub mod train;
mod update;

pub use activate::{ActivateModel, ActivatedModel, activate};
pub use create::{CreateModel, create};
pub use delete::{DeleteModel, delete};
pub use explain::Explainer;
pub use preview::{MOST_NAMED, MOST_SAMPLED, PreviewModel, PreviewOf, Previewed, PreviewedContact, preview};
pub use read::{KeptModel, ListedModel, get, list};
pub use update::{UpdateModel, update};

use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::ScoringModelId;
use switchboard_domain::scoring::{self, MOST_MODELS};
use switchboard_domain::text::fold;
use switchboard_store::StoreError;
use switchboard_store::scoring_models::ScoringModels;

use crate::error::{AppError, UserError};

/// How often a change is decided anew because other changes of the models were faster.
const ATTEMPTS: usize = 5;

fn busy() -> AppError {
    StoreError::Unavailable("the scoring models keep changing".to_owned()).into()
}

/// That a name is free: no preset has it, and no live model but the one that is to have it. Capitals and accents make no difference.
fn check_name(models: &ScoringModels, of: Option<ScoringModelId>, name: &str) -> Result<(), UserError> {
    let folded = fold(name);
    let is_presets = [scoring::standard(), scoring::pipeline()].iter().any(|preset| fold(&preset.name) == folded);
    if is_presets || models.live().any(|other| Some(other.id) != of && fold(&other.name) == folded) {
        let message = "Another scoring model has this name; capitals and accents make no difference. Choose another name.";
        return Err(UserError::new("name", FieldErrorCode::Taken, message));
    }
    Ok(())
}

/// That there may be one more.
fn check_count(models: &ScoringModels) -> Result<(), UserError> {
    if models.live().count() < MOST_MODELS {
        return Ok(());
    }
    let message = format!("There are {MOST_MODELS} scoring models already, and no more are allowed. Delete one that is not used.");
    Err(UserError::new("name", FieldErrorCode::LimitExceeded, message))
}

/// That a model is one of the tenant's own, which can change.
fn check_own(id: ScoringModelId) -> Result<(), UserError> {
    if scoring::preset(id).is_none() {
        return Ok(());
    }
    let message = "A preset can't be changed or deleted. Make a copy of it with scoringModelCreate, giving its id as copyOf, and change that.";
    Err(UserError::new("id", FieldErrorCode::NotAllowed, message))
}

/// That a model is at the version that the client read.
fn check_version(version: u32, expected: i32) -> Result<(), UserError> {
    if i64::from(expected) == i64::from(version) {
        return Ok(());
    }
    let message = format!("The scoring model is at version {version}, not {expected}. Read it again and decide again.");
    Err(UserError::new("expectedVersion", FieldErrorCode::Stale, message))
}
