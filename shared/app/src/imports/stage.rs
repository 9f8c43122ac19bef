//! A file that isn't plain text as it is read, such as a gzip archive, UTF-16 or a workbook, is written again as plain text and imported from there.

use switchboard_domain::file_parts::FilePart;
use switchboard_domain::imports::{FileProblem, PACKED_SLICE, Packing, StagedFile, Unpacker};
use switchboard_platform::{Download, Files, PlatformError};

use super::plan::{Opened, PlanError};
use super::workbook::WorkbookRows;
use crate::error::AppError;

/// All parts but the last have this size, so that the same file makes the same parts, and the same entity tag.
const PART_BYTES: usize = 8 * 1024 * 1024;

const FORM: Download<'static> = Download { content_type: "text/csv", file_name: "staged.csv" };

/// Writes what a packed file says under `key`, over what an earlier attempt left there. Memory holds a part and what a few kilobytes of the file unpack to; for a
/// workbook it also holds its texts. 1 request for a small file, 1 per 8 MiB and 2 for a larger one.
pub(super) async fn stage(uploads: &Files, key: &str, opened: Opened, packing: Packing, file_bytes: u64) -> Result<StagedFile, PlanError> {
    let mut staging = Staging { uploads, key, text: Vec::new(), upload: None, parts: Vec::new() };
    let written = match Unpacker::new(packing, file_bytes) {
        Some(unpacker) => staging.write_unpacked(opened, unpacker).await,
        None => staging.write_workbook(opened, file_bytes).await,
    };
    match written {
        Ok(tag) => Ok(StagedFile { key: key.to_owned(), tag }),
        Err(error) => {
            staging.give_up().await;
            Err(error)
        }
    }
}

struct Staging<'a> {
    uploads: &'a Files,
    key: &'a str,
    /// What is to be written next.
    text: Vec<u8>,
    /// The upload, once there is enough for a part.
    upload: Option<String>,
    parts: Vec<FilePart>,
}

impl Staging<'_> {
    /// Writes the whole of a file that is unpacked in its order; its entity tag.
    async fn write_unpacked(&mut self, mut opened: Opened, mut unpacker: Unpacker) -> Result<String, PlanError> {
        while let Some(block) = opened.next().await? {
            for slice in block.chunks(PACKED_SLICE) {
                unpacker.feed(slice, &mut self.text)?;
                self.write_parts().await?;
            }
        }
        unpacker.finish(&mut self.text)?;
        self.write_parts().await?;
        self.finish().await
    }

    /// Writes the rows of a workbook's first sheet; their entity tag.
    async fn write_workbook(&mut self, opened: Opened, file_bytes: u64) -> Result<String, PlanError> {
        let mut rows = WorkbookRows::of(opened, file_bytes).await?;
        while let Some(piece) = rows.next().await? {
            self.text.extend_from_slice(&piece);
            self.write_parts().await?;
        }
        self.finish().await
    }

    /// Writes what is left; the entity tag of the whole.
    async fn finish(&mut self) -> Result<String, PlanError> {
        let rest = std::mem::take(&mut self.text);
        if self.upload.is_none() {
            if rest.is_empty() {
                return Err(FileProblem::Empty.into());
            }
            return self.uploads.put(self.key, FORM.content_type, rest).await.map_err(stays_open);
        }
        if !rest.is_empty() {
            self.write_part(rest).await?;
        }
        let upload = self.upload.as_deref().unwrap_or_default();
        self.uploads.complete_multipart(self.key, upload, &self.parts).await.map_err(stays_open)
    }

    /// Writes the parts that are full.
    async fn write_parts(&mut self) -> Result<(), PlanError> {
        while self.text.len() >= PART_BYTES {
            let rest = self.text.split_off(PART_BYTES);
            let part = std::mem::replace(&mut self.text, rest);
            self.write_part(part).await?;
        }
        Ok(())
    }

    async fn write_part(&mut self, bytes: Vec<u8>) -> Result<(), PlanError> {
        if self.upload.is_none() {
            self.upload = Some(self.uploads.create_multipart(self.key, &FORM).await.map_err(stays_open)?);
        }
        let upload = self.upload.as_deref().unwrap_or_default();
        let number = u32::try_from(self.parts.len() + 1).unwrap_or(u32::MAX);
        let part = self.uploads.upload_part(self.key, upload, number, bytes).await.map_err(stays_open)?;
        self.parts.push(part);
        Ok(())
    }

    /// Removes the parts of a file that will not be. When that fails too, the bucket's lifecycle does it.
    async fn give_up(&self) {
        if let Some(upload) = &self.upload
            && let Err(error) = self.uploads.abort_multipart(self.key, upload).await
        {
            tracing::warn!(%error, "the parts of a file that was given up stay for a day");
        }
    }
}

/// An upload that is gone, because another attempt ended it, is no fault of the file: the message comes again.
fn stays_open(error: PlatformError) -> PlanError {
    PlanError::App(match error {
        PlatformError::NotFound(_) | PlatformError::Changed(_) => AppError::Unavailable("the upload of a staged file is gone"),
        error => error.into(),
    })
}
