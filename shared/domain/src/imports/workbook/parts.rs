//! The parts of a workbook that its cells are read from, unpacked once. In the copy nothing is packed any more, so that a byte that is read of it is a byte of
//! XML, and what a library may make of a workbook can be held to a number of bytes.

use std::io::{Read, Seek, Write};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::super::dialect::FileProblem;
use super::metered::{Allowance, Metered};
use super::{Limits, WorkbookError};

/// The list of an archive's files may be so long: some ten thousand of them.
const MOST_LIST: u64 = 4 * 1024 * 1024;

const BLOCK: usize = 64 * 1024;

/// A list of texts may say that it has so many, for which memory is set aside at once. Digits of the number.
const MOST_DIGITS: usize = 7;

/// So many bytes of a block are looked at together with the next one.
const OVERLAP: usize = 256;

/// Each style may repeat what stands in one element, so that the elements times the longest of them may be so many bytes.
const MOST_STYLES: u64 = 256 * 1024 * 1024;

/// Parts that are never needed and may be large.
const PASSED_OVER: [&str; 4] = ["calcchain.xml", "/pivotcache/", "/externallinks/", "/drawings/"];

/// Writes the parts of XML of the archive `packed` to the archive `unpacked`, which is returned.
///
/// # Errors
/// When it is no workbook, is damaged, or has more than `limits` allow; when `unpacked` can't be written.
pub(super) fn unpack<P: Read + Seek, U: Write + Seek>(packed: P, unpacked: U, limits: &Limits) -> Result<U, WorkbookError> {
    let allowance = Allowance::of(MOST_LIST);
    let mut archive = ZipArchive::new(Metered::new(packed, allowance.clone())).map_err(|_| FileProblem::DamagedWorkbook)?;
    allowance.renew(u64::MAX);
    let parts: Vec<(usize, String)> = (0..archive.len()).filter_map(|index| Some((index, archive.name_for_index(index)?.ok()?.into_owned()))).collect();
    tell_workbook(&parts)?;
    let mut copy = ZipWriter::new(unpacked);
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut left = limits.unpacked;
    let mut block = vec![0; BLOCK];
    for (index, name) in parts {
        let path = path(&name);
        if !is_read(&path) {
            continue;
        }
        let mut part = archive.by_index(index).map_err(|_| FileProblem::DamagedWorkbook)?;
        // What it says of itself may be wrong either way; what is read counts.
        if part.size() > left {
            return Err(FileProblem::InflatedWorkbook.into());
        }
        copy.start_file(name, options).map_err(unwritten)?;
        let mut watch = Watch::of(&path);
        loop {
            let read = part.read(&mut block).map_err(|_| FileProblem::DamagedWorkbook)?;
            if read == 0 {
                break;
            }
            left = left.checked_sub(read as u64).ok_or(FileProblem::InflatedWorkbook)?;
            watch.see(&block[..read])?;
            copy.write_all(&block[..read])?;
        }
    }
    copy.finish().map_err(unwritten)
}

/// Names in an archive are told apart without regard to case, and some programs write them with backslashes.
fn path(name: &str) -> String {
    name.replace('\\', "/").to_ascii_lowercase()
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

fn is_read(path: &str) -> bool {
    (path.ends_with(".xml") || path.ends_with(".rels")) && !PASSED_OVER.iter().any(|passed_over| path.contains(passed_over))
}

/// Whether an archive with these parts is a workbook, else what it is.
fn tell_workbook(parts: &[(usize, String)]) -> Result<(), FileProblem> {
    let paths: Vec<String> = parts.iter().map(|(_, name)| path(name)).collect();
    if paths.iter().any(|path| file_name(path) == "workbook.bin") {
        return Err(FileProblem::NotText("a binary Excel workbook"));
    }
    let is_workbook = paths.iter().any(|path| path.ends_with(".xml") && file_name(path).starts_with("workbook"));
    if is_workbook { Ok(()) } else { Err(FileProblem::NotText("a zip archive that is no Excel workbook")) }
}

fn unwritten(error: ZipError) -> WorkbookError {
    match error {
        ZipError::Io(error) => error.into(),
        _ => FileProblem::DamagedWorkbook.into(),
    }
}

/// Looks at a part that goes by for what takes more memory than it has bytes when it is read.
enum Watch {
    /// A part that doesn't.
    Nothing,
    /// The list of texts, which says how many it has; with the end of the block before.
    Texts(Vec<u8>),
    /// The styles, which repeat fonts and formats.
    Styles {
        /// Elements that came.
        elements: u64,
        /// The bytes of the longest.
        longest: u64,
        /// The bytes since the last one began.
        since: u64,
    },
}

impl Watch {
    fn of(path: &str) -> Self {
        match file_name(path) {
            "sharedstrings.xml" => Self::Texts(Vec::new()),
            "styles.xml" => Self::Styles { elements: 0, longest: 0, since: 0 },
            _ => Self::Nothing,
        }
    }

    fn see(&mut self, bytes: &[u8]) -> Result<(), FileProblem> {
        let is_too_much = match self {
            Self::Nothing => false,
            Self::Texts(before) => {
                before.extend_from_slice(bytes);
                let says_too_many = says_too_many(before);
                before.drain(..before.len().saturating_sub(OVERLAP));
                says_too_many
            }
            Self::Styles { elements, longest, since } => {
                let mut from = 0;
                for at in memchr::memchr_iter(b'<', bytes) {
                    *elements += 1;
                    *longest = (*longest).max(*since + (at - from) as u64);
                    *since = 0;
                    from = at;
                }
                *since += (bytes.len() - from) as u64;
                elements.saturating_mul((*longest).max(*since)) > MOST_STYLES
            }
        };
        if is_too_much { Err(FileProblem::TooMuchText) } else { Ok(()) }
    }
}

/// Whether a list of texts says that it has more than can be set aside for.
fn says_too_many(bytes: &[u8]) -> bool {
    const COUNT: &[u8] = b"uniqueCount";
    memchr::memmem::find_iter(bytes, COUNT).any(|at| {
        let behind = bytes[at + COUNT.len()..].iter().skip_while(|byte| b" \t\r\n='\"+".contains(byte));
        behind.take_while(|byte| byte.is_ascii_digit()).count() > MOST_DIGITS
    })
}
