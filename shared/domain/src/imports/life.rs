//! What a person may do with an import, and what it leads to.

use super::mapping_check::missing;
use super::record::{Import, ImportStatus, Phase};
use crate::field_error::{FieldError, FieldErrorCode};

/// What starting an import leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Its rows are checked, and then written.
    Check,
    /// Its rows are being checked; they are to be written then.
    Follow,
    /// Its rows were checked, and are written.
    Write,
    /// The rows that weren't written yet are.
    GoOn,
    /// It was started before.
    Nothing,
}

fn refused(message: &str) -> FieldError {
    FieldError::new("id", FieldErrorCode::ForbiddenTransition, message)
}

impl Import {
    /// Whether which column is what, and what is done with rows, can be changed.
    ///
    /// # Errors
    /// `FORBIDDEN_TRANSITION` of `id` while its file isn't read, while its rows are checked, and once it was started.
    pub fn check_mappable(&self) -> Result<(), FieldError> {
        match self.phase {
            Phase::Planned => Ok(()),
            Phase::Uploading => Err(refused("The file of this import hasn't come. Upload it first.")),
            Phase::Planning => Err(refused("The file of this import is being read. Try again in a moment.")),
            Phase::Checking if !self.writes => Err(refused("The rows of this import are being checked. Try again when that is done, or cancel it.")),
            Phase::Checking | Phase::Writing | Phase::Reverting | Phase::Ended => {
                Err(refused("This import was started. Its columns can't be mapped any more; import the file again."))
            }
        }
    }

    /// Whether its rows can be checked without being written.
    ///
    /// # Errors
    /// As [`Self::check_mappable`], and while the columns that it needs aren't mapped.
    pub fn check_dry_run(&self) -> Result<(), FieldError> {
        self.check_mappable()?;
        self.check_mapped()
    }

    fn check_mapped(&self) -> Result<(), FieldError> {
        match self.phase {
            _ if missing(&self.mapping, self.kind).is_empty() => Ok(()),
            Phase::Ended => Err(refused("No column was mapped to what this import needs. Import the file again, and say which one it is before you start it.")),
            _ => Err(refused("No column is mapped to what this import needs. Say which one it is with importSetMapping first.")),
        }
    }

    /// What starting it leads to.
    ///
    /// # Errors
    /// `FORBIDDEN_TRANSITION` of `id` when its file isn't read, when nothing is left to be written, and when it failed or was cancelled before its file was read.
    pub fn start(&self) -> Result<Start, FieldError> {
        match self.phase {
            Phase::Uploading | Phase::Planning if !self.writes => self.check_mappable().map(|()| Start::Nothing),
            Phase::Planned => self.check_mapped().map(|()| if self.is_checked() { Start::Write } else { Start::Check }),
            Phase::Checking if !self.writes => Ok(Start::Follow),
            Phase::Uploading | Phase::Planning | Phase::Checking | Phase::Writing => Ok(Start::Nothing),
            Phase::Reverting => Err(refused("This import is being reverted. Import the file again.")),
            Phase::Ended => match self.status {
                ImportStatus::Failed | ImportStatus::Cancelled if self.writing_since.is_some() => Ok(Start::GoOn),
                ImportStatus::Failed | ImportStatus::Cancelled if self.chunks > 0 => self.check_mapped().map(|()| Start::Check),
                ImportStatus::Failed | ImportStatus::Cancelled => Err(refused("The file of this import was never read to its end. Import it again.")),
                ImportStatus::Reverted => Err(refused("This import was reverted. Import the file again.")),
                _ => Err(refused("Every row of this import was imported. Import the file again to repeat it.")),
            },
        }
    }

    /// Whether it can be stopped.
    ///
    /// # Errors
    /// `FORBIDDEN_TRANSITION` of `id` when it has ended, or is being reverted.
    pub fn check_cancellable(&self) -> Result<(), FieldError> {
        match self.phase {
            Phase::Ended => Err(refused("This import has ended. Revert it to undo what it wrote.")),
            Phase::Reverting => Err(refused("This import is being reverted, which can't be stopped.")),
            _ => Ok(()),
        }
    }

    /// Whether what it wrote can be undone.
    ///
    /// # Errors
    /// `FORBIDDEN_TRANSITION` of `id` when it hasn't ended, when it wrote nothing, and when it was reverted before.
    pub fn check_revertible(&self) -> Result<(), FieldError> {
        match (self.phase, self.status) {
            (Phase::Reverting, _) | (_, ImportStatus::Reverted) => Err(refused("This import was reverted before, or is being reverted.")),
            (Phase::Ended, _) if self.writing_since.is_some() => Ok(()),
            (Phase::Ended, _) => Err(refused("This import wrote nothing, so there is nothing to undo.")),
            _ => Err(refused("This import hasn't ended. Cancel it first.")),
        }
    }
}
