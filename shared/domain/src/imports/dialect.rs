//! How a file of separated values is written: its encoding, its separator and its header, told from its beginning.

use serde::{Deserialize, Serialize};

use super::mapping::{ColumnMapping, is_known, is_phone_or_email, map_by_values, map_columns};
use super::packing::known_binary;
use super::reader::{Record, Records};
use super::record::ImportKind;

/// How much of the beginning of a file is looked at.
pub const SAMPLE_BYTES: usize = 64 * 1024;

/// Most columns of a file.
pub const MOST_COLUMNS: usize = 500;

/// How many records of the sample decide the separator, and how many rows of it tell what a column without a known name is.
const SAMPLE_RECORDS: usize = 50;

/// What may stand between cells; of two that explain a file as well, the first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

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
    /// The number of columns.
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
    /// An archive that doesn't unpack.
    #[error("The gzip archive is damaged or was cut off. Pack the file again, or drop it unpacked.")]
    DamagedArchive,
    /// An archive that unpacks to far more than a list would.
    #[error("The gzip archive unpacks to more than 100 times its size, so it can't be a list. Drop the file unpacked.")]
    Inflated,
    /// An archive of a file that is too large.
    #[error("The gzip archive unpacks to more than 5 GiB. Drop the file unpacked, or in parts.")]
    TooLargeUnpacked,
    /// A workbook that is too large to be read.
    #[error("The Excel workbook is larger than 100 MB. Save its first sheet as CSV and drop that.")]
    WorkbookTooLarge,
    /// A workbook whose parts can't be read.
    #[error("The Excel workbook is damaged or was cut off. Open it, save it again and drop that, or save its first sheet as CSV.")]
    DamagedWorkbook,
    /// A workbook that unpacks to more than it may.
    #[error("The Excel workbook unpacks to more than 1 GiB. Save its first sheet as CSV and drop that.")]
    InflatedWorkbook,
    /// A workbook whose texts and styles take more memory than there is.
    #[error("The Excel workbook has more texts and cell styles than can be read. Save its first sheet as CSV and drop that.")]
    TooMuchText,
    /// A cell, or a stretch of empty rows, that is too long to be read.
    #[error("Behind row {0} of its first sheet the Excel workbook has a cell, or empty rows, of more than 96 MiB. Remove them, or save the sheet as CSV and drop that.")]
    WorkbookGap(u32),
    /// A workbook without cells to see.
    #[error("The Excel workbook shows no sheet of cells. Put the list on its first sheet and drop it again.")]
    NoSheet,
    /// A sheet without cells.
    #[error("The first sheet of the Excel workbook is empty. Put the list there and drop it again.")]
    EmptySheet,
    /// NUL bytes further on.
    #[error("Row {0} contains NUL bytes, so the file is damaged or not text. Save it as CSV again.")]
    Nul(u64),
    /// A quote that never closes.
    #[error("The quote opened in row {0} never closes. Close it or remove it and drop the file again.")]
    UnclosedQuote(u64),
    /// A row that no list has.
    #[error("Row {0} is longer than 1 MB. If a quote in it was opened by mistake, close it or remove it, and drop the file again.")]
    RowTooLong(u64),
    /// No column is a telephone number.
    #[error("No column of the header is a telephone number. Name one of them phone (or téléphone) and drop the file again. The columns are: {0}.")]
    NoPhoneColumn(String),
    /// The same of a file without a header.
    #[error("The file has no header, and no column of it holds telephone numbers. Put a header row first that names one of them phone (or téléphone).")]
    NoPhoneValues,
    /// No column is an e-mail address or a name, where the staff is listed.
    #[error("A list of agents needs a column email and a column name (or first name and last name). Name them so and drop the file again. The columns are: {0}.")]
    NoStaffColumns(String),
    /// More columns than a list has.
    #[error("The first row has more than 500 columns. Remove those that aren't needed and drop the file again.")]
    TooManyColumns,
    /// A header or a record too long to be one.
    #[error("The first row is longer than 64 KB, so it can't be a header. Put a header row first.")]
    NoHeader,
}

/// What the beginning of a file tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    /// How the file is written. The encoding is the best guess from the sample; [`super::Planner`] settles it.
    pub dialect: Dialect,
    /// The names of the columns: the header's cells, or `Column 1` and so on.
    pub columns: Vec<String>,
    /// Whether the names are the file's own.
    pub has_header: bool,
    /// The records with content before the first row: the header, and a line that tells the separator.
    pub leading: u32,
    /// The cells of the first rows.
    pub rows: Vec<Vec<String>>,
}

impl Beginning {
    /// Which column is what: by its name, else by its values as they are read in `country`.
    #[must_use]
    pub fn mapping(&self, kind: ImportKind, country: &str) -> Vec<ColumnMapping> {
        let mut mapping = map_columns(&self.columns, kind);
        map_by_values(&mut mapping, &self.rows, country, kind);
        mapping
    }

    /// What is wrong when no column is mapped to what an import of this kind needs.
    #[must_use]
    pub fn without(&self, kind: ImportKind) -> FileProblem {
        match (kind, self.has_header) {
            (ImportKind::Agents, _) => FileProblem::NoStaffColumns(self.columns.join(", ")),
            (ImportKind::Contacts | ImportKind::Suppressions, true) => FileProblem::NoPhoneColumn(self.columns.join(", ")),
            (ImportKind::Contacts | ImportKind::Suppressions, false) => FileProblem::NoPhoneValues,
        }
    }
}

/// Reads the beginning of a file of text (up to [`SAMPLE_BYTES`]; `whole` when that is all of it).
///
/// The first record with content is the header, unless one of its cells is a telephone number as written in `country` or an e-mail address and none of them
/// names a known column.
///
/// # Errors
/// A [`FileProblem`] when it isn't a file of separated values.
pub fn sniff(sample: &[u8], whole: bool, country: &str) -> Result<Beginning, FileProblem> {
    if let Some(kind) = known_binary(sample) {
        return Err(FileProblem::NotText(kind));
    }
    if memchr::memchr(0, sample).is_some() {
        return Err(FileProblem::NotText("a binary file"));
    }
    let text = without_bom(sample);
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err(FileProblem::Empty);
    }
    let told = told_separator(text);
    let separator = told.unwrap_or_else(|| likeliest_separator(text, whole));
    let encoding = match std::str::from_utf8(text) {
        Ok(_) => Encoding::Utf8,
        Err(error) if error.error_len().is_none() && !whole => Encoding::Utf8,
        Err(_) => Encoding::Windows1252,
    };
    let before_header = usize::from(told.is_some());
    let cells = |record: Record| -> Vec<String> { record.cells.iter().map(|cell| decode(encoding, cell)).collect() };
    let mut records = records(text, separator, whole).skip(before_header).take(1 + SAMPLE_RECORDS).map(cells);
    let Some(first) = records.next() else {
        return Err(no_first_record(text, separator, whole, before_header));
    };
    let rows: Vec<Vec<String>> = records.collect();
    let has_header = first.iter().any(|cell| is_known(cell)) || !first.iter().any(|cell| is_phone_or_email(cell, country));
    let (columns, rows) = if has_header {
        (named(&first), rows)
    } else {
        let rows: Vec<Vec<String>> = std::iter::once(first).chain(rows).collect();
        (numbered(&rows), rows)
    };
    if columns.len() > MOST_COLUMNS {
        return Err(FileProblem::TooManyColumns);
    }
    let dialect = Dialect { encoding, separator, columns: u32::try_from(columns.len()).unwrap_or(u32::MAX) };
    let leading = u32::from(told.is_some()) + u32::from(has_header);
    Ok(Beginning { dialect, columns, has_header, leading, rows })
}

/// The text after a byte order mark, if there is one; programs that add one to what has one make two.
pub(super) fn without_bom(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(BOM) {
        bytes = rest;
    }
    bytes
}

/// A cell's text.
pub(super) fn decode(encoding: Encoding, bytes: &[u8]) -> String {
    match encoding {
        Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        Encoding::Windows1252 => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

/// The names of a header. Nameless columns at the end that are too many to be meant, as spreadsheets write them, are left away.
fn named(header: &[String]) -> Vec<String> {
    let mut columns: Vec<String> = header.iter().map(|cell| cell.trim().to_owned()).collect();
    if columns.len() > MOST_COLUMNS {
        let end = columns.iter().rposition(|column| !column.is_empty()).map_or(0, |last| last + 1);
        columns.truncate(end.max(MOST_COLUMNS));
    }
    columns
}

/// Names for the columns of a file that gives them none, as many as its widest row has.
fn numbered(rows: &[Vec<String>]) -> Vec<String> {
    let filled = |row: &Vec<String>| row.iter().rposition(|cell| !cell.trim().is_empty()).map_or(0, |last| last + 1);
    let widest = rows.iter().map(filled).max().unwrap_or(0);
    (1..=widest).map(|number| format!("Column {number}")).collect()
}

/// Why a sample has no first record.
fn no_first_record(text: &[u8], separator: u8, whole: bool, before_header: usize) -> FileProblem {
    match records(text, separator, true).nth(before_header) {
        Some(cut) if cut.cells.len() > MOST_COLUMNS => FileProblem::TooManyColumns,
        _ if whole => FileProblem::Empty,
        _ => FileProblem::NoHeader,
    }
}

/// The records of a sample, blank ones left out. Without the rest of the file its last record may be cut, and is left out too.
fn records(text: &[u8], separator: u8, whole: bool) -> impl Iterator<Item = Record> {
    let end = if whole { text.len() } else { memchr::memrchr2(b'\n', b'\r', text).map_or(0, |at| at + 1) };
    Records::of(&text[..end], separator).filter(move |record| !record.is_blank(separator))
}

/// The separator that a first line such as `sep=;` tells, which Excel writes and reads.
fn told_separator(text: &[u8]) -> Option<u8> {
    let line = text.split(|byte| *byte == b'\n' || *byte == b'\r').next()?;
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match line.split_at_checked(4)? {
        (key, [separator]) if key.eq_ignore_ascii_case(b"sep=") && SEPARATORS.contains(separator) => Some(*separator),
        _ => None,
    }
}

fn likeliest_separator(text: &[u8], whole: bool) -> u8 {
    SEPARATORS.into_iter().rev().max_by_key(|separator| score(text, *separator, whole)).unwrap_or(b',')
}

/// How well a separator explains the sample: how many records have as many cells as the first, times that number.
fn score(text: &[u8], separator: u8, whole: bool) -> usize {
    let lengths: Vec<usize> = records(text, separator, whole).take(SAMPLE_RECORDS).map(|record| record.cells.len()).collect();
    match lengths.split_first() {
        Some((first, _)) if *first > 1 => first * lengths.iter().filter(|length| *length == first).count(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(text: &[u8]) -> Beginning {
        sniff(text, true, "CA").unwrap()
    }

    fn sniffed(text: &[u8]) -> (u8, Vec<String>) {
        let beginning = begun(text);
        (beginning.dialect.separator, beginning.columns)
    }

    fn problem(text: &[u8]) -> FileProblem {
        sniff(text, true, "CA").unwrap_err()
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
    fn a_first_line_can_tell_the_separator() {
        for line in ["sep=;", "SEP=;", "\"sep=;\""] {
            let beginning = begun(format!("\u{feff}{line}\r\nname,a;phone\r\nZoe,b;1\r\n").as_bytes());
            assert_eq!((beginning.dialect.separator, beginning.leading), (b';', 2), "{line}");
            assert_eq!((beginning.columns, beginning.rows), (vec!["name,a".to_owned(), "phone".to_owned()], vec![vec!["Zoe,b".to_owned(), "1".to_owned()]]));
        }
        assert_eq!(begun(b"sep=,\n514-555-0123,Zoe\n").leading, 1);
        assert_eq!(sniffed(b"sep=x\n1\n").1, ["sep=x"]);
        assert_eq!(problem(b"sep=;\n"), FileProblem::Empty);
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_header() {
        assert_eq!(sniffed(b"\xEF\xBB\xBFphone,name\n1,2\n").1, ["phone", "name"]);
        assert_eq!(sniffed(b"\xEF\xBB\xBF\xEF\xBB\xBF\"phone\",name\n1,2\n").1, ["phone", "name"]);
    }

    #[test]
    fn the_header_is_the_first_row_with_something_in_it() {
        let beginning = begun(b"\n , \n\"\",\r\nphone,name\n,\n1,Zoe\n");
        assert_eq!((beginning.columns, beginning.rows), (vec!["phone".to_owned(), "name".to_owned()], vec![vec!["1".to_owned(), "Zoe".to_owned()]]));
    }

    #[test]
    fn a_first_row_with_a_number_or_an_address_and_without_a_known_name_is_no_header() {
        for (text, has_header) in [
            ("514-555-0123,Zoe\n514-555-0124,Ada\n", false),
            ("Zoe,zoe@example.com\n", false),
            ("'+15145550123,Zoe\n", false),
            ("phone,name\n514-555-0123,Zoe\n", true),
            ("514-555-0123,name\n514-555-0124,Ada\n", true),
            ("514-555-0123,attributes.note\n514-555-0124,Ada\n", true),
            ("who,what\n514-555-0123,Zoe\n", true),
            ("12345,Zoe\n514-555-0123,Ada\n", true),
            ("01 42 68 53 00,Zoe\n514-555-0123,Ada\n", true),
        ] {
            assert_eq!(begun(text.as_bytes()).has_header, has_header, "{text}");
        }
        assert!(!sniff("01 42 68 53 00,Zoe\n".as_bytes(), true, "FR").unwrap().has_header);
    }

    #[test]
    fn columns_without_names_are_numbered_up_to_the_widest_row() {
        let beginning = begun(b"514-555-0123,Zoe\n514-555-0124,Ada,Paris,,\n514-555-0125\n");
        assert_eq!((beginning.columns, beginning.leading, beginning.rows.len()), (["Column 1", "Column 2", "Column 3"].map(str::to_owned).to_vec(), 0, 3));
        assert_eq!(beginning.dialect.columns, 3);
    }

    #[test]
    fn older_spreadsheets_are_read_as_windows_1252() {
        let beginning = begun(b"t\xE9l\xE9phone;nom\n1;2\n");
        assert_eq!((beginning.dialect.encoding, beginning.columns[0].as_str()), (Encoding::Windows1252, "téléphone"));
    }

    #[test]
    fn a_file_has_at_most_500_columns_but_for_nameless_ones_at_its_end() {
        let header = |columns: usize| (1..=columns).map(|number| format!("c{number}")).collect::<Vec<_>>().join(",");
        assert_eq!(begun(format!("{}\n1\n", header(500)).as_bytes()).columns.len(), 500);
        assert_eq!(problem(format!("{}\n1\n", header(501)).as_bytes()), FileProblem::TooManyColumns);
        let long = header(20_000);
        assert_eq!(sniff(&long.as_bytes()[..SAMPLE_BYTES], false, "CA"), Err(FileProblem::TooManyColumns));
        let beginning = begun(format!("phone,name{}\n1,2\n", ",".repeat(16_382)).as_bytes());
        assert_eq!((beginning.columns.len(), beginning.dialect.columns), (500, 500));
        let wide = format!("514-555-0123{}x\n", ",".repeat(500));
        assert_eq!(problem(wide.as_bytes()), FileProblem::TooManyColumns);
    }

    #[test]
    fn what_is_no_csv_is_refused_with_its_reason() {
        assert_eq!(problem(b""), FileProblem::Empty);
        assert_eq!(problem(b"\xEF\xBB\xBF \r\n"), FileProblem::Empty);
        assert_eq!(problem(b",,\n\"\",,\n"), FileProblem::Empty);
        assert_eq!(problem(b"\x89PNG\r\n\x1a\n\0\0"), FileProblem::NotText("a PNG picture"));
        assert_eq!(problem(b"\x1F\x8B\x08"), FileProblem::NotText("a gzip archive"));
        assert_eq!(problem(b"\xD0\xCF\x11\xE0\xA1\xB1"), FileProblem::NotText("an old or a protected Excel workbook"));
        assert_eq!(problem(b"\xFF\xFE\0\0p\0\0\0"), FileProblem::NotText("text in UTF-32"));
        assert_eq!(problem(b"a\0b"), FileProblem::NotText("a binary file"));
        assert_eq!(sniff(&vec![b'x'; SAMPLE_BYTES], false, "CA"), Err(FileProblem::NoHeader));
    }
}
