//! The rows of a workbook. It is read beside the asynchronous work, from a temporary file and on a thread of its own, which hands its rows over piece by piece.

use std::fs::File;
use std::io::{self, Write};

use switchboard_domain::imports::{FileProblem, MOST_WORKBOOK, WorkbookError, write_first_sheet};
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::{JoinHandle, spawn_blocking};

use super::plan::{Opened, PlanError};
use crate::error::AppError;

/// As many bytes of rows, or a few more, are handed over at once.
const PIECE_BYTES: usize = 1024 * 1024;

/// The rows of a workbook's first sheet as separated values, piece by piece. When it is dropped, the reading ends.
pub(super) struct WorkbookRows {
    pieces: Receiver<Vec<u8>>,
    reading: JoinHandle<Result<(), WorkbookError>>,
}

impl WorkbookRows {
    /// Takes a workbook of so many bytes from the bucket and begins to read it. The disk holds it, and what it unpacks to; memory a few pieces and what
    /// [`write_first_sheet`] needs. No request more than those of the file.
    pub(super) async fn of(mut opened: Opened, file_bytes: u64) -> Result<Self, PlanError> {
        if file_bytes > MOST_WORKBOOK {
            return Err(FileProblem::WorkbookTooLarge.into());
        }
        let mut packed = tokio::fs::File::from_std(tempfile::tempfile().map_err(failed)?);
        let mut left = MOST_WORKBOOK;
        while let Some(block) = opened.next().await? {
            left = left.checked_sub(block.len() as u64).ok_or(FileProblem::WorkbookTooLarge)?;
            packed.write_all(&block).await.map_err(failed)?;
        }
        packed.flush().await.map_err(failed)?;
        let packed = packed.into_std().await;
        let (sender, pieces) = channel(1);
        Ok(Self { pieces, reading: spawn_blocking(move || read(packed, sender)) })
    }

    /// The next piece; none at the end, after which it isn't to be asked again.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, PlanError> {
        if let Some(piece) = self.pieces.recv().await {
            return Ok(Some(piece));
        }
        match (&mut self.reading).await {
            Ok(Ok(())) => Ok(None),
            Ok(Err(WorkbookError::File(problem))) => Err(problem.into()),
            Ok(Err(WorkbookError::Io(error))) => Err(failed(error)),
            // Only what a damaged workbook says can bring the reader to that.
            Err(error) if error.is_panic() => Err(FileProblem::DamagedWorkbook.into()),
            Err(error) => Err(failed(error.into())),
        }
    }
}

fn read(packed: File, sender: Sender<Vec<u8>>) -> Result<(), WorkbookError> {
    let unpacked = tempfile::tempfile()?;
    write_first_sheet(packed, unpacked, Pieces { sender, piece: Vec::new() })
}

/// The machine is to blame, not the file: the message comes again.
fn failed(error: io::Error) -> PlanError {
    tracing::warn!(%error, "a workbook could not be read beside the asynchronous work");
    PlanError::App(AppError::Unavailable("there is no room to read a workbook"))
}

/// Where rows are written, to be handed over.
struct Pieces {
    sender: Sender<Vec<u8>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    /// Waits until there is room; an error when nobody takes the pieces any more.
    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::take(&mut self.piece);
        self.sender.blocking_send(piece).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}
