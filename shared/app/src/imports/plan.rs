//! Planning: from a dropped file to an import whose chunks are on their way. Nothing is sent before the file was read to its end.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::ids::{IdEntropy, ImportId, TenantId};
use switchboard_domain::imports::{
    Beginning, CHUNK_BYTES, Dialect, FileProblem, Import, ImportKind, ImportSourceType, ImportStatus, NewImport, Phase, Plan, Planner, Profile, SAMPLE_BYTES, StagedFile,
    missing, packing, sniff,
};
use switchboard_domain::tenant::is_slug;
use switchboard_platform::{FileStream, PlatformError};
use switchboard_store::imports::{self, Planned};
use switchboard_store::{TenantScope, import_profiles, tenants};

use super::rows::Step;
use super::stage::stage;
use super::start::check_again;
use super::{ImportServices, Place, lanes, staged_key};
use crate::error::AppError;

/// How many values of each column are kept to show.
const SAMPLES: usize = 5;
/// Longest value shown, in characters.
const SAMPLE_LENGTH: usize = 100;

/// A file as the bucket's event tells of it: dropped, or uploaded to an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DroppedFile {
    /// Its decoded key.
    pub key: String,
    /// The entity tag of its bytes.
    pub tag: String,
    /// Its size.
    pub bytes: u64,
    /// The event's place among the events of this key: an upload's, the same when the event comes again.
    pub sequencer: String,
    /// When it was put there.
    pub at: Timestamp,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Its rows are on their way or wait for a person, or did already.
    Planned(ImportId),
    /// It can't be imported; the import says why.
    Failed(ImportId, String),
    /// It belongs to no import, so there is none to say so.
    Rejected(&'static str),
}

/// Takes in a file that was dropped, or uploaded to an import. 2 R to find a dropped one's tenant, 1 R its profile, 2 W for its import; 2 R to find an uploaded one's
/// import and 1 W; 1 W per chunk, 1 W to go on; 1 request for the file, 2 for its samples and first rows, 1 to the queue; for a file that isn't plain text those that
/// write it as such and 1 to read it. A file that is received again changes nothing.
///
/// # Errors
/// Those of the services.
pub async fn receive(services: &ImportServices, file: &DroppedFile) -> Result<Received, AppError> {
    match parse_key(&file.key) {
        Some(Door::Dropped { slug, profile, name }) => receive_dropped(services, file, slug, profile, name).await,
        Some(Door::Uploaded { tenant, import }) => receive_uploaded(services, file, tenant, import).await,
        None => Ok(Received::Rejected("the key is not drop/<tenant>/<file>, drop/<tenant>/<profile>/<file> or that of an upload")),
    }
}

async fn receive_dropped(services: &ImportServices, file: &DroppedFile, slug: &str, profile: Option<&str>, name: &str) -> Result<Received, AppError> {
    let core = &services.services.core;
    let Some(tenant) = (if is_slug(slug) { tenants::by_slug(core, slug).await? } else { None }) else {
        return Ok(Received::Rejected("there is no such tenant"));
    };
    let Some((scope, record)) = tenants::load(core, tenant).await? else {
        return Ok(Received::Rejected("there is no such tenant"));
    };
    let saved = match profile {
        Some(name) => import_profiles::find(core, &scope, name).await?,
        None => None,
    };
    let mut import = Import::new(NewImport {
        id: dropped_id(file),
        kind: saved.as_ref().map_or(ImportKind::Contacts, |profile| profile.kind),
        source_type: ImportSourceType::Csv,
        source_platform: "n/a".to_owned(),
        file_name: name.chars().take(255).collect(),
        file_bytes: file.bytes,
        file_key: file.key.clone(),
        file_tag: file.tag.clone(),
        change: Change::new("import.created", services.services.clock.now(), Origin::system()),
    });
    import.profile = profile.map(str::to_owned);
    let import = imports::create(core, &scope, import).await?;
    // One that was kept again for another kind since the file was dropped isn't the one that it was dropped for.
    let saved = saved.filter(|profile| profile.kind == import.kind);
    let missing = profile.filter(|_| saved.is_none());
    settle(services, &scope, &record.country, &import, file, saved.as_ref(), missing).await
}

async fn receive_uploaded(services: &ImportServices, file: &DroppedFile, tenant: TenantId, id: ImportId) -> Result<Received, AppError> {
    let core = &services.services.core;
    let Some((scope, record)) = tenants::load(core, tenant).await? else {
        return Ok(Received::Rejected("there is no such tenant"));
    };
    if imports::get(core, &scope, id).await?.is_some_and(|import| import.phase == Phase::Uploading) {
        imports::arrive(core, &scope, id, &file.tag, file.bytes).await?;
    }
    let Some(import) = imports::get(core, &scope, id).await? else {
        return Ok(Received::Rejected("there is no such import"));
    };
    if import.file_tag != file.tag {
        // A form works for an hour: somebody used it twice.
        if import.phase == Phase::Ended || import.phase == Phase::Reverting {
            return Ok(Received::Rejected("the import has ended"));
        }
        match services.uploads.range(&file.key, &import.file_tag, 0, 1).await {
            // This is the earlier one, of which the bucket tells late: what was read is what lies there.
            Ok(_) => return Ok(Received::Planned(id)),
            Err(PlatformError::NotFound(_) | PlatformError::Changed(_)) => {}
            Err(error) => return Err(error.into()),
        }
        let reason = "Another file was uploaded in its place. What was written before stays; make a new import for the other file.";
        imports::fail(core, &scope, id, reason, services.services.clock.now()).await?;
        return Ok(Received::Failed(id, reason.to_owned()));
    }
    settle(services, &scope, &record.country, &import, file, None, None).await
}

/// Plans the file of an import, unless that was done.
async fn settle(
    services: &ImportServices,
    scope: &TenantScope,
    country: &str,
    import: &Import,
    file: &DroppedFile,
    profile: Option<&Profile>,
    missing_profile: Option<&str>,
) -> Result<Received, AppError> {
    let core = &services.services.core;
    match import.phase {
        Phase::Planning => {}
        // The messages may never have been sent, or not all.
        Phase::Checking if import.writes => {
            check_again(services, scope, import).await?;
            return Ok(Received::Planned(import.id));
        }
        Phase::Ended if import.status == ImportStatus::Failed => return Ok(Received::Failed(import.id, import.failure_reason.clone().unwrap_or_default())),
        _ => return Ok(Received::Planned(import.id)),
    }
    let problem = match missing_profile {
        Some(name) => format!(
            "There is no mapping profile named {name}. Save one under that name with importSetMapping, or drop the file directly in the tenant's folder to map its \
             columns by their header."
        ),
        None => match plan(services, &staged_key(scope, import.id), file, country).await {
            Ok(found) => match keep(services, scope, country, import, found, profile).await? {
                None => return Ok(Received::Planned(import.id)),
                Some(problem) => problem,
            },
            Err(PlanError::File(problem)) => problem.to_string(),
            Err(PlanError::App(AppError::Platform(PlatformError::NotFound(key)))) if key == file.key => {
                "The file was removed before it could be read. Import it again.".to_owned()
            }
            Err(PlanError::App(AppError::Platform(PlatformError::Changed(key)))) if key == file.key => {
                let reason = match parse_key(&key) {
                    Some(Door::Uploaded { .. }) => "Another file was uploaded in its place before it could be read. Make a new import for the other file.",
                    _ => "Another file was put in its place before it could be read; that one is imported instead.",
                };
                reason.to_owned()
            }
            Err(PlanError::App(error)) => return Err(error),
        },
    };
    imports::fail(core, scope, import.id, &problem, services.services.clock.now()).await?;
    Ok(Received::Failed(import.id, problem))
}

/// Keeps what was found, and sends the rows to be checked when nobody is waited for. What is wrong when the columns don't do, and nobody is there to map them.
async fn keep(
    services: &ImportServices,
    scope: &TenantScope,
    country: &str,
    import: &Import,
    found: Found,
    profile: Option<&Profile>,
) -> Result<Option<String>, AppError> {
    let core = &services.services.core;
    let Found { beginning, plan, staged } = found;
    let automatic = beginning.mapping(import.kind, country);
    let (mapping, options) = match profile {
        Some(profile) => (profile.applied_to(automatic), profile.options.clone()),
        None => (automatic, import.options.clone()),
    };
    let missing = missing(&mapping, import.kind);
    if import.writes && !missing.is_empty() {
        return Ok(Some(beginning.without(import.kind).to_string()));
    }
    let status = match (import.writes, missing.is_empty()) {
        (true, _) => ImportStatus::Processing,
        (false, true) => ImportStatus::Ready,
        (false, false) => ImportStatus::AwaitingMapping,
    };
    let place = Place::of(scope, import.id);
    services.results.put_json(&place.samples(), &column_samples(&beginning)).await?;
    services.results.put_json(&place.first_rows(), &beginning.rows).await?;
    for range in &plan.chunks {
        imports::create_chunk(core, scope, import.id, *range).await?;
    }
    let chunks = u32::try_from(plan.chunks.len()).unwrap_or(u32::MAX);
    let dialect = Dialect { encoding: plan.encoding, ..beginning.dialect };
    let planned = Planned { staged, dialect, mapping, options, rows: plan.rows, chunks, status };
    imports::plan(core, scope, import.id, &planned, services.services.clock.now()).await?;
    if import.writes {
        lanes::begin(services, scope, &Import { chunks, ..import.clone() }, |piece| Step::Check { chunk: piece.chunk, run: 1 }).await?;
    }
    Ok(None)
}

/// Why a file wasn't planned.
pub(super) enum PlanError {
    /// The file is to blame.
    File(FileProblem),
    /// A service is.
    App(AppError),
}

impl From<FileProblem> for PlanError {
    fn from(problem: FileProblem) -> Self {
        Self::File(problem)
    }
}

impl From<PlatformError> for PlanError {
    fn from(error: PlatformError) -> Self {
        Self::App(error.into())
    }
}

/// What planning finds out.
struct Found {
    beginning: Beginning,
    plan: Plan,
    staged: Option<StagedFile>,
}

/// Reads the file once, and when it isn't plain text once more as such.
async fn plan(services: &ImportServices, staged_key: &str, file: &DroppedFile, country: &str) -> Result<Found, PlanError> {
    if file.bytes == 0 {
        return Err(FileProblem::Empty.into());
    }
    let opened = Opened::of(services, &file.key, &file.tag).await?;
    let Some(packing) = packing(opened.beginning()) else {
        return opened.read(services, country, None).await;
    };
    let staged = stage(&services.uploads, staged_key, opened, packing, file.bytes).await?;
    Opened::of(services, &staged.key, &staged.tag).await?.read(services, country, Some(staged)).await
}

/// A file whose beginning was read.
pub(super) struct Opened {
    sample: Vec<u8>,
    /// Whether the sample is the whole file.
    whole: bool,
    rest: FileStream,
}

impl Opened {
    async fn of(services: &ImportServices, key: &str, tag: &str) -> Result<Self, PlanError> {
        let mut rest = services.uploads.stream(key, tag).await?;
        let mut sample = Vec::with_capacity(SAMPLE_BYTES);
        while sample.len() < SAMPLE_BYTES {
            match rest.next().await? {
                Some(block) => sample.extend_from_slice(&block),
                None => return Ok(Self { sample, whole: true, rest }),
            }
        }
        Ok(Self { sample, whole: false, rest })
    }

    fn beginning(&self) -> &[u8] {
        &self.sample[..self.sample.len().min(SAMPLE_BYTES)]
    }

    /// The next block of bytes, from the beginning; none at the end. Memory holds the sample or one block, whatever the file's size.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, PlatformError> {
        if !self.sample.is_empty() {
            return Ok(Some(std::mem::take(&mut self.sample)));
        }
        if self.whole {
            return Ok(None);
        }
        Ok(self.rest.next().await?.map(Vec::from))
    }

    /// Reads a file of plain text to its end.
    async fn read(mut self, services: &ImportServices, country: &str, staged: Option<StagedFile>) -> Result<Found, PlanError> {
        let beginning = sniff(self.beginning(), self.whole, country)?;
        let mut planner = Planner::with_chunks(beginning.dialect.separator, beginning.leading, services.chunk_rows, CHUNK_BYTES);
        while let Some(block) = self.next().await? {
            planner.feed(&block)?;
        }
        Ok(Found { beginning, plan: planner.finish()?, staged })
    }
}

/// The first values of each column, cut short.
fn column_samples(beginning: &Beginning) -> Vec<Vec<String>> {
    let rows = &beginning.rows[..beginning.rows.len().min(SAMPLES)];
    (0..beginning.columns.len())
        .map(|column| rows.iter().filter_map(|row| row.get(column)).filter(|cell| !cell.is_empty()).map(|cell| cell.chars().take(SAMPLE_LENGTH).collect()).collect())
        .collect()
}

/// How a file came in.
#[derive(Debug, PartialEq, Eq)]
enum Door<'a> {
    /// It was dropped in a tenant's folder.
    Dropped { slug: &'a str, profile: Option<&'a str>, name: &'a str },
    /// It was uploaded to an import.
    Uploaded { tenant: TenantId, import: ImportId },
}

fn parse_key(key: &str) -> Option<Door<'_>> {
    let parts: Vec<&str> = key.split('/').collect();
    match parts[..] {
        ["drop", slug, name] if !name.is_empty() => Some(Door::Dropped { slug, profile: None, name }),
        ["drop", slug, profile, name] if !profile.is_empty() && !name.is_empty() => Some(Door::Dropped { slug, profile: Some(profile), name }),
        ["uploads", tenant, import] => Some(Door::Uploaded { tenant: TenantId::parse(tenant)?, import: ImportId::parse(import)? }),
        _ => None,
    }
}

/// The id of a dropped file's import: the same when its event comes again.
fn dropped_id(file: &DroppedFile) -> ImportId {
    let digest = Sha256::digest(format!("{}\0{}\0{}", file.key, file.tag, file.sequencer));
    let mut entropy = IdEntropy::default();
    entropy.copy_from_slice(&digest[..10]);
    ImportId::new(file.at, &entropy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_the_tenant_the_profile_and_the_file() {
        assert_eq!(parse_key("drop/demo/a.csv"), Some(Door::Dropped { slug: "demo", profile: None, name: "a.csv" }));
        assert_eq!(parse_key("drop/demo/weekly/a.csv"), Some(Door::Dropped { slug: "demo", profile: Some("weekly"), name: "a.csv" }));
        for wrong in ["drop/a.csv", "drop/demo/", "drop/demo//a.csv", "drop/demo/a/b/c.csv", "other/demo/a.csv", ""] {
            assert_eq!(parse_key(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_same_event_is_the_same_import_and_another_upload_is_another() {
        let file = DroppedFile { key: "drop/demo/a.csv".to_owned(), tag: "t".to_owned(), bytes: 1, sequencer: "1".to_owned(), at: Timestamp::UNIX_EPOCH };
        let id = |file: &DroppedFile| dropped_id(file);
        assert_eq!(id(&file), id(&file.clone()));
        assert_ne!(id(&file), id(&DroppedFile { sequencer: "2".to_owned(), ..file.clone() }));
    }
}
