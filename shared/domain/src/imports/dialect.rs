//! How a file of separated values is written: its encoding, its separator and its header, told from its beginning.

use serde::{Deserialize, Serialize};

/// How much of the beginning of a file is looked at.
pub const SAMPLE_BYTES: usize = 64 * 1024;

/// How many records of the sample decide the separator.
const SAMPLE_RECORDS: usize = 50;

const BOM: &[u8] = &[0xEF, 0xBB, 0xBF];

/// How the text is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// Windows-1252, the Western European encoding of older spreadsheets.
    Windows1252,
}

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dialect {
    /// The encoding.
    pub encoding: Encoding,
    /// The byte between cells.
    pub separator: u8,
    /// The number of columns of the header.
    pub columns: u32,
}

/// Why a file can't be imported, in words for the person who dropped it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileProblem {
    /// Nothing in it.
    #[error("The file is empty. Save the list as CSV with a header row and drop it again.")]
    Empty,
    /// A header and nothing else.
    #[error("The file has a header but no rows.")]
    NoRows,
    /// Not text.
    #[error("The file is not a CSV file: it looks like {0}. Save the list as CSV and drop it again.")]
    NotText(&'static str),
    /// Two bytes a character.
    #[error("The file is encoded as UTF-16. Save it as CSV in UTF-8 and drop it again.")]
    Utf16,
    /// NUL bytes further on.
    #[error("Row {0} contains NUL bytes, so the file is damaged or not text. Save it as CSV again.")]
    Nul(u64),
    /// A quote that never closes.
    #[error("The quote opened in row {0} never closes. Close it or remove it and drop the file again.")]
    UnclosedQuote(u64),
    /// No column is a telephone number.
    #[error("No column of the header is a telephone number. Name one of them phone (or téléphone) and drop the file again. The columns are: {0}.")]
    NoPhoneColumn(String),
    /// A header or a record too long to be one.
    #[error("The first row is longer than 64 KB, so it can't be a header. Put a header row first.")]
    NoHeader,
}

/// Reads the beginning of a file (up to [`SAMPLE_BYTES`]; `whole` when that is all of it): its separator and its header's cells.
/// The encoding is the best guess from the sample; [`super::Planner`] settles it.
///
/// # Errors
/// A [`FileProblem`] when it isn't a file of separated values.
pub fn sniff(sample: &[u8], whole: bool) -> Result<(Dialect, Vec<String>), FileProblem> {
    if let Some(kind) = known_binary(sample) {
        return Err(FileProblem::NotText(kind));
    }
    if sample.starts_with(&[0xFF, 0xFE]) || sample.starts_with(&[0xFE, 0xFF]) {
        return Err(FileProblem::Utf16);
    }
    if memchr::memchr(0, sample).is_some() {
        return Err(FileProblem::NotText("a binary file"));
    }
    let text = without_bom(sample);
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(FileProblem::Empty);
    }
    let separator = [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|separator| score(text, *separator, whole)).unwrap_or(b',');
    let encoding = match std::str::from_utf8(text) {
        Ok(_) => Encoding::Utf8,
        Err(error) if error.error_len().is_none() && !whole => Encoding::Utf8,
        Err(_) => Encoding::Windows1252,
    };
    let header = records(text, separator, whole).next().ok_or(FileProblem::NoHeader)?;
    let cells: Vec<String> = header.iter().map(|cell| decode(encoding, cell).trim().to_owned()).collect();
    Ok((Dialect { encoding, separator, columns: u32::try_from(cells.len()).unwrap_or(u32::MAX) }, cells))
}

/// The text after a byte order mark, if there is one.
pub(super) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM).unwrap_or(bytes)
}

/// A cell's text.
pub(super) fn decode(encoding: Encoding, bytes: &[u8]) -> String {
    match encoding {
        Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Encoding::Windows1252 => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// The records of a sample. Without the rest of the file its last record may be cut, and is left out.
fn records(text: &[u8], separator: u8, whole: bool) -> impl Iterator<Item = csv::ByteRecord> {
    let end = if whole { text.len() } else { memchr::memrchr2(b'\n', b'\r', text).map_or(0, |at| at + 1) };
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(std::io::Cursor::new(text[..end].to_vec()));
    reader.into_byte_records().map_while(Result::ok)
}

/// How well a separator explains the sample: how many records have as many cells as the first, times that number.
fn score(text: &[u8], separator: u8, whole: bool) -> usize {
    let lengths: Vec<usize> = records(text, separator, whole).take(SAMPLE_RECORDS).map(|record| record.len()).collect();
    match lengths.split_first() {
        Some((first, _)) if *first > 1 => first * lengths.iter().filter(|length| *length == first).count(),
        _ => 0,
    }
}

fn known_binary(sample: &[u8]) -> Option<&'static str> {
    let signatures: [(&[u8], &str); 8] = [
        (b"\x89PNG", "a PNG picture"),
        (b"\xFF\xD8\xFF", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"%PDF", "a PDF document"),
        (b"PK\x03\x04", "a zip archive or an Excel workbook"),
        (b"\xD0\xCF\x11\xE0", "an old Excel workbook"),
        (b"\x1F\x8B", "a gzip archive"),
        (b"\x7FELF", "a program"),
    ];
    signatures.into_iter().find(|(signature, _)| sample.starts_with(signature)).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sniffed(text: &[u8]) -> (u8, Vec<String>) {
        let (dialect, header) = sniff(text, true).unwrap();
        (dialect.separator, header)
    }

    #[test]
    fn the_separator_is_the_one_that_explains_the_rows() {
        assert_eq!(sniffed(b"name,phone\nZoe,1\n").0, b',');
        assert_eq!(sniffed(b"name;phone\n\"a,b\";1\nc,d;2\n").0, b';');
        assert_eq!(sniffed(b"name\tphone\nZoe\t1\n").0, b'\t');
        assert_eq!(sniffed(b"name|phone\nZoe|1\n").0, b'|');
        assert_eq!(sniffed(b"phone\n1\n2\n"), (b',', vec!["phone".to_owned()]));
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_header() {
        assert_eq!(sniffed(b"\xEF\xBB\xBFphone,name\n1,2\n").1, ["phone", "name"]);
    }

    #[test]
    fn older_spreadsheets_are_read_as_windows_1252() {
        let (dialect, header) = sniff(b"t\xE9l\xE9phone;nom\n1;2\n", true).unwrap();
        assert_eq!((dialect.encoding, header[0].as_str()), (Encoding::Windows1252, "téléphone"));
    }

    #[test]
    fn what_is_no_csv_is_refused_with_its_reason() {
        assert_eq!(sniff(b"", true), Err(FileProblem::Empty));
        assert_eq!(sniff(b"\xEF\xBB\xBF \r\n", true), Err(FileProblem::Empty));
        assert_eq!(sniff(b"\x89PNG\r\n\x1a\n\0\0", true), Err(FileProblem::NotText("a PNG picture")));
        assert_eq!(sniff(b"\xFF\xFEp\0h\0", true), Err(FileProblem::Utf16));
        assert_eq!(sniff(b"a\0b", true), Err(FileProblem::NotText("a binary file")));
        assert_eq!(sniff(&vec![b'x'; SAMPLE_BYTES], false), Err(FileProblem::NoHeader));
    }
}
