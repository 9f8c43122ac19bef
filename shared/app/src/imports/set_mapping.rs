//! Saying which column is what, and what is done with rows that leave a choice.

use switchboard_domain::change::Change;
use switchboard_domain::field_error::{FieldError, FieldErrorCode};
use switchboard_domain::ids::ImportId;
use switchboard_domain::imports::{ColumnMapping, Import, ImportOptions, ImportStatus, MOST_COLUMNS, Profile, Target, missing, validate_mapping};
use switchboard_store::imports;

use super::ImportServices;
use super::profiles;
use super::start::find;
use crate::GivenId;
use crate::error::{AppError, UserError};
use crate::viewer::Viewer;

/// How often it is looked at again because somebody else was faster.
const ATTEMPTS: usize = 4;

/// What a column is to be.
#[derive(Debug, Clone)]
pub struct MappedColumn {
    /// Its name in the header; a name that stands there several times means them in their order.
    pub column: String,
    /// The field its values become; none leaves it out.
    pub field: Option<String>,
    /// The value that a blank cell of it takes.
    pub default: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct SetMapping {
    /// The import.
    pub id: GivenId<ImportId>,
    /// The columns that are to be mapped otherwise than they are. Those that aren't named stay.
    pub columns: Vec<MappedColumn>,
    /// What is done with rows that leave a choice.
    pub options: ImportOptions,
    /// The name under which the mapping is to be kept, for other files.
    pub save_as_profile: Option<String>,
}

/// Maps the columns of an import, which was read and not started. What was checked before isn't any more. 2 R, 1 W; 1 R and 1 W more to keep the mapping under a name.
///
/// # Errors
/// [`AppError::Forbidden`] without the permission for imports of its kind, [`AppError::NotFound`]; those of the database. What a person can mend is in the inner result.
pub async fn set_mapping(services: &ImportServices, viewer: &Viewer, request: SetMapping) -> Result<Result<Import, Vec<UserError>>, AppError> {
    let (core, scope) = (&services.services.core, &viewer.tenant.scope);
    let change = Change::new("import.mapped", services.services.clock.now(), viewer.origin());
    for attempt in 0..ATTEMPTS {
        let import = find(services, viewer, request.id).await?;
        // What the attempt before wrote, whose answer was lost.
        if attempt > 0 && import.last_change.as_ref() == Some(&change) {
            return Ok(Ok(import));
        }
        if let Err(error) = import.check_mappable() {
            return Ok(Err(vec![error.into()]));
        }
        let (mapping, options) = match (decide(&import, &request), request.options.clone().checked()) {
            (Ok(mapping), Ok(options)) => (mapping, options),
            (mapping, options) => return Ok(Err(mapping.err().into_iter().flatten().chain(options.err().map(UserError::from)).collect())),
        };
        if let Some(name) = &request.save_as_profile {
            let profile = Profile::of(name, import.kind, &mapping, &options);
            let saved = match profile {
                Ok(profile) => profiles::save(&services.services, viewer, profile).await?,
                Err(error) => Err(vec![error.into()]),
            };
            if let Err(errors) = saved {
                return Ok(Err(errors));
            }
        }
        let status = if missing(&mapping, import.kind).is_empty() { ImportStatus::Ready } else { ImportStatus::AwaitingMapping };
        if imports::set_mapping(core, scope, import.id, import.check_run, &mapping, &options, status, &change).await? {
            return find(services, viewer, request.id).await.map(Ok);
        }
    }
    Err(AppError::Unavailable("an import that keeps changing"))
}

/// The mapping that is asked for.
fn decide(import: &Import, request: &SetMapping) -> Result<Vec<ColumnMapping>, Vec<UserError>> {
    if request.columns.len() > MOST_COLUMNS {
        let message = format!("columns has {} entries, and no file has more than {MOST_COLUMNS} columns. Give each column once.", request.columns.len());
        return Err(vec![UserError::new("columns", FieldErrorCode::LimitExceeded, message)]);
    }
    let mut mapping = import.mapping.clone();
    let mut errors: Vec<UserError> = Vec::new();
    let mut taken: Vec<Option<usize>> = vec![None; mapping.len()];
    for (index, asked) in request.columns.iter().enumerate() {
        let Some(place) = (0..mapping.len()).find(|place| taken[*place].is_none() && mapping[*place].column == asked.column) else {
            // Once is enough: there may be 500 columns, and as many that are wrong.
            let there = if errors.is_empty() { format!(" Its columns are: {}.", names(&import.mapping)) } else { String::new() };
            let message = format!("The file has no such column, or fewer of that name.{there}");
            errors.push(UserError::new(&format!("columns.{index}.column"), FieldErrorCode::NotFound, message));
            continue;
        };
        taken[place] = Some(index);
        let field = match asked.field.as_deref().map(str::parse::<Target>) {
            None => None,
            Some(Ok(field)) => Some(field),
            Some(Err(())) => {
                let message = "There is no such field. docs/imports.md lists them; a column of your own is attributes.<name>.";
                errors.push(UserError::new(&format!("columns.{index}.field"), FieldErrorCode::Invalid, message));
                continue;
            }
        };
        mapping[place] = ColumnMapping { field, confidence: 1.0, default: asked.default.clone(), ..mapping[place].clone() };
    }
    if errors.is_empty() {
        let wrong = validate_mapping(&mapping, import.kind).err().into_iter().flatten();
        errors.extend(wrong.map(|error| UserError::from(FieldError { field: as_asked(&error.field, &taken), ..error })));
    }
    if errors.is_empty() { Ok(mapping) } else { Err(errors) }
}

/// The place in the request of a column that is named by its place in the file; all columns, when it wasn't asked about.
fn as_asked(field: &str, taken: &[Option<usize>]) -> String {
    let parts: Vec<&str> = field.splitn(3, '.').collect();
    match parts[..] {
        ["columns", place, what] => match place.parse().ok().and_then(|place: usize| taken.get(place).copied().flatten()) {
            Some(index) => format!("columns.{index}.{what}"),
            None => "columns".to_owned(),
        },
        _ => field.to_owned(),
    }
}

fn names(mapping: &[ColumnMapping]) -> String {
    mapping.iter().map(|column| column.column.as_str()).collect::<Vec<_>>().join(", ")
}
