//! Planning: from a dropped file to an import whose chunks are on their way. Nothing is sent before the file was read to its end.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use switchboard_domain::actor::Actor;
use switchboard_domain::ids::{IdEntropy, ImportId};
use switchboard_domain::imports::{
    Beginning, Dialect, FileProblem, Import, ImportKind, ImportSourceType, ImportStatus, Phase, Plan, Planner, RowCounts, SAMPLE_BYTES, StagedFile, packing,
    phone_column, sniff,
};
use switchboard_domain::tenant::is_slug;
use switchboard_platform::{FileStream, PlatformError};
use switchboard_store::imports::{self, Planned};
use switchboard_store::{TenantScope, tenants};

use super::rows::{RowsMessage, Step};
use super::stage::stage;
use super::{ImportServices, Place, staged_key};
use crate::error::AppError;

/// How many values of each column are kept to show.
const SAMPLES: usize = 5;
/// Longest value shown, in characters.
const SAMPLE_LENGTH: usize = 100;

/// A file as the bucket's event tells of it.
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

/// What became of a dropped file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// Its rows are on their way, or were already.
    Planned(ImportId),
    /// It can't be imported; the import says why.
    Failed(ImportId, String),
    /// It belongs to no tenant, so there is no import to say so.
    Rejected(&'static str),
}

/// Takes a dropped file in. 2 R to find the tenant, 2 W for the import, 1 W per chunk, 1 W to go on to checking; 1 request for the file, 1 for its
/// samples, 1 per 10 chunks to the queue; for a file that isn't plain text those that write it as such and 1 to read it. A file that is received
/// again changes nothing.
///
/// # Errors
/// Those of the services.
pub async fn receive(services: &ImportServices, file: &DroppedFile) -> Result<Received, AppError> {
    let core = &services.services.core;
    let Some((slug, profile, name)) = parse_key(&file.key) else {
        return Ok(Received::Rejected("the key is not drop/<tenant>/<file> or drop/<tenant>/<profile>/<file>"));
    };
    let Some(tenant) = (if is_slug(slug) { tenants::by_slug(core, slug).await? } else { None }) else {
        return Ok(Received::Rejected("there is no such tenant"));
    };
    let Some((scope, record)) = tenants::load(core, tenant).await? else {
        return Ok(Received::Rejected("there is no such tenant"));
    };
    let import = imports::create(core, &scope, new_import(file, name, services.services.clock.now())).await?;
    match import.phase {
        Phase::Planning => {}
        Phase::Checking => {
            send_checks(services, &scope, import.id, import.chunks).await?;
            return Ok(Received::Planned(import.id));
        }
        Phase::Ended if import.status == ImportStatus::Failed => return Ok(Received::Failed(import.id, import.failure_reason.unwrap_or_default())),
        Phase::Writing | Phase::Ended => return Ok(Received::Planned(import.id)),
    }
    let planned = match profile {
        Some(profile) => Err(PlanError::Profile(profile.to_owned())),
        None => plan(services, &staged_key(&scope, import.id), file, &record.country).await,
    };
    let problem = match planned {
        Err(PlanError::Profile(profile)) => {
            format!("There is no mapping profile named {profile}. Drop the file directly in the tenant's folder to map its columns by their header.")
        }
        Ok(Found { beginning, plan, staged }) => {
            let mapping = beginning.mapping(&record.country);
            if phone_column(&mapping).is_some() {
                services.results.put_json(&Place::of(&scope, import.id).samples(), &column_samples(&beginning)).await?;
                for range in &plan.chunks {
                    imports::create_chunk(core, &scope, import.id, *range).await?;
                }
                let chunks = u32::try_from(plan.chunks.len()).unwrap_or(u32::MAX);
                let planned = Planned { staged, dialect: Dialect { encoding: plan.encoding, ..beginning.dialect }, mapping, rows: plan.rows, chunks };
                imports::begin_checking(core, &scope, import.id, &planned).await?;
                send_checks(services, &scope, import.id, chunks).await?;
                return Ok(Received::Planned(import.id));
            }
            beginning.without_phone().to_string()
        }
        Err(PlanError::File(problem)) => problem.to_string(),
        Err(PlanError::App(error)) => match error {
            AppError::Platform(PlatformError::NotFound(key)) if key == file.key => "The file was removed before it could be read. Drop it again.".to_owned(),
            AppError::Platform(PlatformError::Changed(key)) if key == file.key => {
                "Another file was put in its place before it could be read; that one is imported instead.".to_owned()
            }
            error => return Err(error),
        },
    };
    imports::fail(core, &scope, import.id, &problem, services.services.clock.now()).await?;
    Ok(Received::Failed(import.id, problem))
}

async fn send_checks(services: &ImportServices, scope: &TenantScope, import: ImportId, chunks: u32) -> Result<(), AppError> {
    let messages: Vec<RowsMessage> = (1..=chunks).map(|chunk| RowsMessage { tenant: scope.tenant(), import, step: Step::Check { chunk } }).collect();
    Ok(services.rows.send(&messages).await?)
}

/// Why a file wasn't planned.
pub(super) enum PlanError {
    /// Its folder names a profile there isn't.
    Profile(String),
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
        return opened.read(country, None).await;
    };
    let staged = stage(&services.uploads, staged_key, opened, packing, file.bytes).await?;
    Opened::of(services, &staged.key, &staged.tag).await?.read(country, Some(staged)).await
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
    async fn read(mut self, country: &str, staged: Option<StagedFile>) -> Result<Found, PlanError> {
        let beginning = sniff(self.beginning(), self.whole, country)?;
        let mut planner = Planner::new(beginning.dialect.separator, beginning.leading);
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

fn parse_key(key: &str) -> Option<(&str, Option<&str>, &str)> {
    let parts: Vec<&str> = key.strip_prefix("drop/")?.split('/').collect();
    match parts[..] {
        [slug, name] if !name.is_empty() => Some((slug, None, name)),
        [slug, profile, name] if !profile.is_empty() && !name.is_empty() => Some((slug, Some(profile), name)),
        _ => None,
    }
}

fn new_import(file: &DroppedFile, name: &str, now: Timestamp) -> Import {
    let digest = Sha256::digest(format!("{}\0{}\0{}", file.key, file.tag, file.sequencer));
    let mut entropy = IdEntropy::default();
    entropy.copy_from_slice(&digest[..10]);
    Import {
        id: ImportId::new(file.at, &entropy),
        kind: ImportKind::Contacts,
        source_type: ImportSourceType::Csv,
        source_platform: "n/a".to_owned(),
        status: ImportStatus::Processing,
        phase: Phase::Planning,
        failure_reason: None,
        file_name: name.chars().take(255).collect(),
        file_bytes: file.bytes,
        file_key: file.key.clone(),
        file_tag: file.tag.clone(),
        staged: None,
        dialect: None,
        mapping: Vec::new(),
        rows_total: None,
        chunks: 0,
        chunks_checked: 0,
        chunks_written: 0,
        counts: RowCounts::default(),
        created_by: Actor::system(),
        created_at: file.at,
        started_at: Some(now),
        writing_since: None,
        finished_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_the_tenant_the_profile_and_the_file() {
        assert_eq!(parse_key("drop/demo/a.csv"), Some(("demo", None, "a.csv")));
        assert_eq!(parse_key("drop/demo/weekly/a.csv"), Some(("demo", Some("weekly"), "a.csv")));
        for wrong in ["drop/a.csv", "drop/demo/", "drop/demo//a.csv", "drop/demo/a/b/c.csv", "other/demo/a.csv", ""] {
            assert_eq!(parse_key(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_same_event_is_the_same_import_and_another_upload_is_another() {
        let file = DroppedFile { key: "drop/demo/a.csv".to_owned(), tag: "t".to_owned(), bytes: 1, sequencer: "1".to_owned(), at: Timestamp::UNIX_EPOCH };
        let id = |file: &DroppedFile| new_import(file, "a.csv", Timestamp::UNIX_EPOCH).id;
        assert_eq!(id(&file), id(&file.clone()));
        assert_ne!(id(&file), id(&DroppedFile { sequencer: "2".to_owned(), ..file.clone() }));
    }
}
