//! A file that is uploaded in parts: what was uploaded of it, and what was put aside until it makes a part.

use serde::{Deserialize, Serialize};

/// A part of a file that is uploaded in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePart {
    /// Its number; the parts are joined in their order.
    pub number: u32,
    /// The entity tag the bucket gave it.
    pub tag: String,
    /// Its checksum (CRC-32 in Base64), when the bucket confirmed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// What there is of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileParts {
    /// The upload in parts, once the file is larger than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<String>,
    /// The parts uploaded.
    pub parts: Vec<FilePart>,
    /// The last part number given to a worker. None gets the number of another, so that one who is overtaken can't replace what was counted.
    pub numbered: u32,
    /// Where what was written since the last part was put aside, when a worker ran out of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<String>,
}

impl FileParts {
    /// A part is about to be uploaded, under a number that was never used; the first time with the upload it belongs to.
    pub(crate) fn number(&mut self, upload: &str) {
        self.upload = Some(upload.to_owned());
        self.numbered += 1;
    }

    /// A part was uploaded, in which what was put aside before it is; or there was nothing to upload.
    pub(crate) fn add(&mut self, part: Option<FilePart>) {
        self.parts.extend(part);
        self.rest = None;
    }

    /// What was written since the last part is put aside, what was put aside before included.
    pub(crate) fn set_aside(&mut self, rest: &str) {
        self.rest = Some(rest.to_owned());
    }

    /// The file is there, or will not be: what only the work needed goes.
    pub(crate) fn forget(&mut self) {
        self.parts.clear();
        self.upload = None;
        self.rest = None;
    }
}
