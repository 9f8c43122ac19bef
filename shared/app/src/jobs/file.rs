//! Files that jobs write: uploaded in parts, so that memory stays flat and a worker that is killed costs one part.

use std::ops::AddAssign;

use jiff::Timestamp;
use switchboard_domain::file_parts::{FilePart, FileParts};
use switchboard_platform::{Download, Files, PlatformError};

use super::{Job, Steps};
use crate::error::AppError;

/// A part is uploaded when it holds this much; the bucket takes none below 5 MiB but the last.
const PART_BYTES: usize = 8 * 1024 * 1024;
/// Most parts of a file: 8 GiB.
const MOST_PARTS: usize = 1_000;
/// Most part numbers, those of overtaken workers included, as the bucket has it.
const MOST_NUMBERS: u32 = 10_000;

/// A job that writes a file.
pub(crate) trait FileJob: Job {
    /// A place in what it writes.
    type Place: Clone + Send + Sync;
    /// What is counted of it.
    type Count: Default + AddAssign + Send + Sync;

    /// What there is of the file; none when it writes none.
    fn parts(&self) -> Option<&FileParts>;

    /// Up to where the file is written; none at its beginning.
    fn place(&self) -> Option<Self::Place>;

    /// A part is about to be uploaded, under a number that was never used; the first time with the upload it belongs to.
    fn numbered(&self, upload: &str) -> Self;

    /// A part was uploaded; at the end, where there may be no part, the parts are joined.
    fn uploaded(&self, part: Option<FilePart>, count: &Self::Count, next: Option<Self::Place>) -> Self;

    /// What was written since the last part was put aside.
    fn put_aside(&self, rest: &str, count: &Self::Count, next: Self::Place) -> Self;

    /// The file is there, with what was written since the last part.
    fn completed(&self, count: &Self::Count, now: Timestamp) -> Self;
}

/// What a file is made of.
pub(crate) trait Content<J: FileJob> {
    /// Writes what comes behind a place, or the beginning of the file; tells what it comes to, and the place up to which it is written then; no place at the
    /// end.
    async fn next(&mut self, after: Option<J::Place>, out: &mut Vec<u8>) -> Result<(J::Count, Option<J::Place>), AppError>;
}

/// What a kind of file is.
pub(crate) struct Form {
    /// What a browser is told of it.
    pub(crate) download: Download<'static>,
    /// Why a job fails whose file would have more than 1,000 parts.
    pub(crate) too_large: &'static str,
    /// Why one fails whose parts are gone, because it took longer than the bucket keeps them.
    pub(crate) lost: &'static str,
}

/// One worker writing one file.
pub(crate) struct FileWriter<'a> {
    pub(crate) steps: &'a Steps<'a>,
    pub(crate) results: &'a Files,
    pub(crate) form: &'a Form,
    /// The key of the file.
    pub(crate) key: String,
    /// The folder of what workers put aside.
    pub(crate) rest: String,
}

impl FileWriter<'_> {
    /// Writes until it makes a part, the file ends, or the deadline is there.
    pub(crate) async fn write<J: FileJob>(&self, job: &J, content: &mut impl Content<J>) -> Result<Option<J>, AppError> {
        let mut bytes = self.begin(job).await?;
        let (mut count, mut after) = (J::Count::default(), job.place());
        loop {
            let (more, next) = content.next(after, &mut bytes).await?;
            count += more;
            let Some(place) = next else {
                return self.finish(job, bytes, &count).await;
            };
            if bytes.len() >= PART_BYTES {
                return self.part(job, bytes, &count, Some(place)).await;
            }
            if self.steps.is_out_of_time() {
                return self.set_aside(job, bytes, &count, place).await;
            }
            // A part takes a while: somebody may want to stop it, or another worker have taken over.
            match self.steps.look_again(job).await? {
                None => return Ok(None),
                Some(asked) if asked.is_to_stop() => return Ok(Some(asked)),
                Some(_) => after = Some(place),
            }
        }
    }

    /// Makes one file of the parts. A worker that was killed after that finds the file and no upload.
    pub(crate) async fn join<J: FileJob>(&self, job: &J) -> Result<Option<J>, AppError> {
        let now = self.steps.services.clock.now();
        let parts = parts(job)?;
        let upload = parts.upload.as_deref().ok_or_else(|| AppError::Broken("a file in parts has no upload".to_owned()))?;
        let joined = self.results.complete_multipart(&self.key, upload, &parts.parts).await;
        if matches!(joined, Err(PlatformError::NotFound(_))) {
            if !self.results.exists(&self.key).await? {
                return self.steps.fail(job, self.form.lost).await;
            }
        } else {
            joined?;
        }
        self.steps.advance(job, |job| job.completed(&J::Count::default(), now)).await
    }

    /// Removes the parts of a file that will not be.
    pub(crate) async fn give_up<J: FileJob>(&self, job: &J) -> Result<(), AppError> {
        let Some(upload) = &parts(job)?.upload else {
            return Ok(());
        };
        match self.results.abort_multipart(&self.key, upload).await {
            Ok(()) | Err(PlatformError::NotFound(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// What was put aside and stands before what is written now; nothing at the beginning of a part.
    async fn begin<J: FileJob>(&self, job: &J) -> Result<Vec<u8>, AppError> {
        match &parts(job)?.rest {
            Some(rest) => self.results.get(rest).await?.ok_or_else(|| AppError::Broken("what was put aside is gone".to_owned())),
            None => Ok(Vec::new()),
        }
    }

    /// Ends the file: a small one is written at once, a larger one gets its last part.
    async fn finish<J: FileJob>(&self, job: &J, bytes: Vec<u8>, count: &J::Count) -> Result<Option<J>, AppError> {
        let now = self.steps.services.clock.now();
        if !parts(job)?.parts.is_empty() {
            return self.part(job, bytes, count, None).await;
        }
        self.results.put_download(&self.key, &self.form.download, bytes).await?;
        self.steps.advance(job, |job| job.completed(count, now)).await
    }

    /// Uploads a part, under a number that no other worker has.
    async fn part<J: FileJob>(&self, job: &J, bytes: Vec<u8>, count: &J::Count, next: Option<J::Place>) -> Result<Option<J>, AppError> {
        if bytes.is_empty() {
            return self.steps.advance(job, |job| job.uploaded(None, count, next.clone())).await;
        }
        let file = parts(job)?;
        if file.parts.len() >= MOST_PARTS || file.numbered >= MOST_NUMBERS {
            self.give_up(job).await?;
            return self.steps.fail(job, self.form.too_large).await;
        }
        let upload = match &file.upload {
            Some(upload) => upload.clone(),
            None => self.results.create_multipart(&self.key, &self.form.download).await?,
        };
        let Some(job) = self.steps.advance(job, |job| job.numbered(&upload)).await? else {
            return Ok(None);
        };
        let part = match self.results.upload_part(&self.key, &upload, parts(&job)?.numbered, bytes).await {
            Err(PlatformError::NotFound(_)) => return self.steps.fail(&job, self.form.lost).await,
            part => part?,
        };
        self.steps.advance(&job, |job| job.uploaded(Some(part.clone()), count, next.clone())).await
    }

    /// Puts what was written since the last part aside: too little for a part, and no time to write more.
    async fn set_aside<J: FileJob>(&self, job: &J, bytes: Vec<u8>, count: &J::Count, next: J::Place) -> Result<Option<J>, AppError> {
        let key = format!("{}/{}-{}", self.rest, job.revision(), self.steps.writer);
        self.results.put(&key, self.form.download.content_type, bytes).await?;
        self.steps.advance(job, |job| job.put_aside(&key, count, next.clone())).await
    }
}

fn parts<J: FileJob>(job: &J) -> Result<&FileParts, AppError> {
    job.parts().ok_or_else(|| AppError::Broken("a job that writes no file was to write one".to_owned()))
}
