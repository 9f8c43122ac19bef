//! Trying a model out on contacts before it scores them. Nothing is written.

use std::collections::{BTreeMap, HashMap, HashSet};

use switchboard_domain::contact::{Contact, ContactFilter};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{ContactId, ScoringModelId};
use switchboard_domain::permission::Permission;
use switchboard_domain::scoring::{self, Explanation, FactorInput, Model, ModelInput, ModelVersion, Score, ScoreCategory, Scorer, check_model, explain};
use switchboard_store::{Order, scoring_models};

use crate::GivenId;
use crate::contacts;
use crate::error::{AppError, UserError};
use crate::services::Services;
use crate::viewer::Viewer;

/// Most contacts that can be named.
pub const MOST_NAMED: usize = 100;
/// Most contacts of a sample.
pub const MOST_SAMPLED: usize = 500;
/// Contacts of a sample when nothing is said.
const SAMPLED: usize = 100;

/// What is to be tried out.
#[derive(Debug, Clone)]
pub enum PreviewOf {
    /// The present version of a model.
    Model(GivenId<ScoringModelId>),
    /// Factors that no model has yet.
    Factors(Vec<FactorInput>),
}

/// On whom.
#[derive(Debug, Clone)]
pub struct PreviewModel {
    /// What is to be tried out.
    pub of: PreviewOf,
    /// These contacts; those that aren't the viewer's to see are left out.
    pub contacts: Option<Vec<GivenId<ContactId>>>,
    /// So many of the newest; 100 when neither is given.
    pub sample: Option<i32>,
}

/// A contact by both models.
#[derive(Debug, Clone, PartialEq)]
pub struct PreviewedContact {
    /// The contact.
    pub contact: Contact,
    /// Its score at this moment by the model in force.
    pub now: Score,
    /// Its score at this moment by the model that is tried out.
    pub then: Score,
    /// The words of the second.
    pub explanation: Explanation,
}

/// What a model would change.
#[derive(Debug, Clone, PartialEq)]
pub struct Previewed {
    /// The contacts, in the order in which they were named, or the newest first.
    pub contacts: Vec<PreviewedContact>,
    /// How many are in which category now and would be in which then; the best first, those that would stay included.
    pub moves: Vec<(ScoreCategory, ScoreCategory, usize)>,
}

/// Scores contacts by a model that isn't in force, beside the one that is. Half an R per started 4 KB of the contacts, 1 request per 100; for a sample also what its part
/// of the list costs, for a model of the tenant's own 1 request and 1 R per started 4 KB.
///
/// # Errors
/// [`AppError::Forbidden`] without `scoring:read` for the whole tenant, and without `contact:read`; [`AppError::NotFound`] for a model that isn't there; those of the
/// database. What a person can mend is in the inner result.
pub async fn preview(services: &Services, viewer: &Viewer, request: PreviewModel) -> Result<Result<Previewed, Vec<UserError>>, AppError> {
    viewer.require_all(Permission::ScoringRead)?;
    viewer.scope(Permission::ContactRead)?;
    let asked = match check_contacts(&request) {
        Ok(asked) => asked,
        Err(error) => return Ok(Err(vec![error])),
    };
    let model = match chosen(services, viewer, request.of).await? {
        Ok(model) => model,
        Err(errors) => return Ok(Err(errors)),
    };
    let ids = match asked {
        Asked::Named(mut ids) => {
            // The database takes no key twice in one request.
            let mut known = HashSet::new();
            ids.retain(|id| known.insert(id.clone()));
            ids
        }
        Asked::Newest(count) => {
            let walked = contacts::list(services, viewer, &ContactFilter::default(), None, count, Order::Descending).await?;
            walked.contacts.into_iter().map(|row| row.id).collect()
        }
    };
    let found = contacts::get_many(services, viewer, &ids).await?;
    let mut found: HashMap<ContactId, Contact> = found.into_iter().filter(|contact| contact.deleted_at.is_none()).map(|contact| (contact.id.clone(), contact)).collect();
    let (now, present) = (services.clock.now(), &viewer.settings.scorer);
    let tried = Scorer::new(model, &viewer.settings.statuses);
    let mut moves: BTreeMap<(std::cmp::Reverse<ScoreCategory>, std::cmp::Reverse<ScoreCategory>), usize> = BTreeMap::new();
    let mut contacts = Vec::with_capacity(ids.len());
    // One that was named twice is told once.
    for contact in ids.iter().filter_map(|id| found.remove(id)) {
        let (now, then) = (present.score(&contact, now), tried.score(&contact, now));
        *moves.entry((std::cmp::Reverse(now.category()), std::cmp::Reverse(then.category()))).or_default() += 1;
        let explanation = explain(&tried.model, &then);
        contacts.push(PreviewedContact { contact, now, then, explanation });
    }
    Ok(Ok(Previewed { contacts, moves: moves.into_iter().map(|((from, to), count)| (from.0, to.0, count)).collect() }))
}

/// On whom a model is tried out.
enum Asked {
    Named(Vec<ContactId>),
    Newest(usize),
}

fn check_contacts(request: &PreviewModel) -> Result<Asked, UserError> {
    let invalid = |field: &str, code: FieldErrorCode, message: &str| UserError::new(field, code, message);
    match (&request.contacts, request.sample) {
        (Some(_), Some(_)) => Err(invalid("sample", FieldErrorCode::Invalid, "A model is tried out on a sample or on named contacts. Give sample or contactIds.")),
        (Some(ids), None) if ids.len() > MOST_NAMED => {
            Err(invalid("contactIds", FieldErrorCode::LimitExceeded, "contactIds has more than 100 ids. Name fewer, or give a sample."))
        }
        // An id of nothing is left out like one of somebody else's contact.
        (Some(ids), None) => Ok(Asked::Named(ids.iter().flatten().cloned().collect())),
        (None, None) => Ok(Asked::Newest(SAMPLED)),
        (None, Some(count)) => match usize::try_from(count) {
            Ok(count @ 1..=MOST_SAMPLED) => Ok(Asked::Newest(count)),
            _ => Err(invalid("sample", FieldErrorCode::Invalid, "sample is a number from 1 to 500.")),
        },
    }
}

/// The model that is tried out.
async fn chosen(services: &Services, viewer: &Viewer, of: PreviewOf) -> Result<Result<Model, Vec<UserError>>, AppError> {
    Ok(match of {
        PreviewOf::Model(id) => {
            let id = id.ok_or(AppError::NotFound)?;
            Ok(match scoring::preset(id) {
                Some(preset) => preset,
                None => {
                    let own = scoring_models::get(&services.core, &viewer.tenant.scope, id).await?.filter(|model| model.deleted_at.is_none());
                    own.ok_or(AppError::NotFound)?.model()
                }
            })
        }
        PreviewOf::Factors(factors) => {
            // It has neither a name nor an id of its own: nobody sees either.
            let preset = scoring::standard();
            let checked = check_model(&ModelInput { name: preset.name.clone(), factors });
            let version = ModelVersion { version: 0, ..preset.version };
            checked.map(|(name, factors)| Model { version, name, factors }).map_err(|errors| errors.into_iter().map(UserError::from).collect())
        }
    })
}
