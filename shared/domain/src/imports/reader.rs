//! Records of separated values: where a byte stands in one, and reading them one after the other.
//!
//! The pass that cuts a file into chunks ([`super::Planner`]) follows the bytes by [`State`], chunks are read by the `csv` crate; both have the same idea of a
//! record (`the_scanner_and_the_reader_agree` holds them to it), so that any chunk read by itself gives the records it has in the whole file.

use std::io::{Chain, Read};

/// The place between two bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Before a record; line breaks here are empty lines.
    RecordStart,
    /// Before a cell that isn't the first one.
    FieldStart,
    /// In a cell without quotes around it, or behind the closing quote of one.
    Unquoted,
    /// In quotes.
    Quoted,
    /// Behind a quote in quotes, which closes them unless another one follows.
    QuoteInQuoted,
}

impl State {
    /// The place behind the next byte.
    pub(super) fn after(self, byte: u8, separator: u8) -> Self {
        match self {
            Self::Quoted if byte == b'"' => Self::QuoteInQuoted,
            Self::Quoted => Self::Quoted,
            Self::QuoteInQuoted | Self::RecordStart | Self::FieldStart if byte == b'"' => Self::Quoted,
            _ if byte == b'\n' || byte == b'\r' => Self::RecordStart,
            _ if byte == separator => Self::FieldStart,
            _ => Self::Unquoted,
        }
    }
}

/// Whether a byte can stand in a blank row: white space, quotes and separators.
pub(super) fn is_filler(byte: u8, separator: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'"' || byte == separator
}

/// A record with its cells as they came, quotes taken away.
pub(super) struct Record {
    /// Its cells.
    pub(super) cells: csv::ByteRecord,
    /// Whether one of them goes on behind its closing quote.
    pub(super) has_text_after_quote: bool,
}

impl Record {
    /// Whether there is nothing in it.
    pub(super) fn is_blank(&self, separator: u8) -> bool {
        self.cells.iter().all(|cell| cell.iter().all(|byte| is_filler(*byte, separator)))
    }
}

/// The records of a text that begins between two of them.
pub(super) struct Records<'a> {
    reader: csv::Reader<Chain<&'static [u8], &'a [u8]>>,
    text: &'a [u8],
    at: usize,
    separator: u8,
}

/// The empty line that the reader is given before the text. It takes a byte order mark at the very beginning away, which anywhere but at the beginning of a
/// file is part of a cell.
const BEFORE: &[u8] = b"\n";

impl<'a> Records<'a> {
    pub(super) fn of(text: &'a [u8], separator: u8) -> Self {
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(BEFORE.chain(text));
        Self { reader, text, at: 0, separator }
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let mut cells = csv::ByteRecord::new();
        if !self.reader.read_byte_record(&mut cells).ok()? {
            return None;
        }
        let end = usize::try_from(self.reader.position().byte()).ok()?.checked_sub(BEFORE.len())?;
        let written = self.text.get(self.at..end)?;
        self.at = end;
        Some(Record { cells, has_text_after_quote: has_text_after_quote(written, self.separator) })
    }
}

/// Whether a cell of a record as it is written goes on behind its closing quote. White space doesn't count.
fn has_text_after_quote(written: &[u8], separator: u8) -> bool {
    if memchr::memchr(b'"', written).is_none() {
        return false;
    }
    let (mut state, mut is_behind) = (State::RecordStart, false);
    written.iter().any(|byte| {
        let next = state.after(*byte, separator);
        is_behind = next == State::Unquoted && (is_behind || state == State::QuoteInQuoted);
        state = next;
        is_behind && !byte.is_ascii_whitespace()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Vec<String>> {
        let cells = |record: Record| record.cells.iter().map(|cell| String::from_utf8(cell.to_vec()).unwrap()).collect();
        Records::of(text.as_bytes(), b',').map(cells).collect()
    }

    /// The good files of sineemore/csv-test-data. Empty lines, which that collection reads as records of one empty cell, are none here: an import doesn't count
    /// them, whatever they are.
    #[test]
    fn records_are_read_as_they_are_meant() {
        let good: [(&str, &str, &[&[&str]]); 18] = [
            ("all-empty", "\n\n", &[]),
            ("empty-field", "foo,bar,baz\n1,,3", &[&["foo", "bar", "baz"], &["1", "", "3"]]),
            ("empty-one-column", "foo\n\n", &[&["foo"]]),
            ("header-no-rows", "foo,bar,baz", &[&["foo", "bar", "baz"]]),
            ("header-simple", "foo,bar,baz\n1,2,3", &[&["foo", "bar", "baz"], &["1", "2", "3"]]),
            ("leading-space", "foo,bar,baz\n1, leading space,3", &[&["foo", "bar", "baz"], &["1", " leading space", "3"]]),
            ("one-column", "foo\n1", &[&["foo"], &["1"]]),
            ("quotes-empty", "foo,bar,baz\n1,\"\",3", &[&["foo", "bar", "baz"], &["1", "", "3"]]),
            ("quotes-with-comma", "foo,bar,baz\n1,\"Luke, I am your father.\",3", &[&["foo", "bar", "baz"], &["1", "Luke, I am your father.", "3"]]),
            ("quotes-with-escaped-quote", "foo,bar,baz\n1,\"The \"\" must be escaped\",3", &[&["foo", "bar", "baz"], &["1", "The \" must be escaped", "3"]]),
            (
                "quotes-with-newline",
                "foo,bar,baz\n1,\"No man is an island,\nEntire of itself\",3",
                &[&["foo", "bar", "baz"], &["1", "No man is an island,\nEntire of itself", "3"]],
            ),
            ("quotes-with-space", "foo,bar,baz\n1,\"Field with spaces\",3", &[&["foo", "bar", "baz"], &["1", "Field with spaces", "3"]]),
            ("simple-crlf", "foo,bar,baz\r\n1,2,3", &[&["foo", "bar", "baz"], &["1", "2", "3"]]),
            ("simple-lf", "foo,bar,baz\n1,2,3", &[&["foo", "bar", "baz"], &["1", "2", "3"]]),
            ("trailing-newline-one-field", "foo\n1\n", &[&["foo"], &["1"]]),
            ("trailing-newline", "foo,bar,baz\n1,2,3\n", &[&["foo", "bar", "baz"], &["1", "2", "3"]]),
            ("trailing-space", "foo,bar,baz\n1,trailing space ,3", &[&["foo", "bar", "baz"], &["1", "trailing space ", "3"]]),
            ("utf8", "foo,bar,baz\n1,\u{1f60e},3", &[&["foo", "bar", "baz"], &["1", "\u{1f60e}", "3"]]),
        ];
        for (name, text, expected) in good {
            assert_eq!(read(text), expected, "{name}");
        }
    }

    #[test]
    fn every_line_ending_ends_a_record() {
        for ending in ["\n", "\r\n", "\r"] {
            assert_eq!(read(&["a,b", "1,2", "", "3,4", ""].join(ending)), [["a", "b"], ["1", "2"], ["3", "4"]], "{ending:?}");
        }
    }

    #[test]
    fn a_byte_order_mark_between_records_is_part_of_a_cell() {
        assert_eq!(read("\u{feff}a,b\n\u{feff}\"c\",d\n"), [["\u{feff}a", "b"], ["\u{feff}\"c\"", "d"]]);
    }

    #[test]
    fn text_behind_a_closing_quote_is_seen_and_other_quotes_are_left_alone() {
        let seen = |text: &str| Records::of(text.as_bytes(), b',').map(|record| record.has_text_after_quote).collect::<Vec<_>>();
        assert_eq!(seen("1,\"Hey, I missed \" it\",3\n1,\"a\"b\n\"a\"\"b\" c,2\n"), [true, true, true]);
        assert_eq!(seen("1,This \"quotes\" stays,3\n\"a\"\"b\",\"\"\n\"a\" ,\"b\"\t\r\n1, \"a\"b\n\"a\n\"\"b\"\n"), [false; 5]);
        assert_eq!(seen("\n\r\n\"a\"b\n\"c\",d\n"), [true, false]);
    }
}
