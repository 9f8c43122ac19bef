//! Records of separated values: where a byte stands in one, and reading them one after the other.
//!
//! The pass that cuts a file into chunks ([`super::Planner`]) follows the bytes by [`State`], chunks are read by [`Records`]; both have the same idea of a
//! record (`the_scanner_and_the_reader_agree` holds them to it), so that any chunk read by itself gives the records it has in the whole file. It is the idea of
//! the `csv` crate too (`records_are_those_of_the_csv_crate`), which reads a byte at a time and so takes some times as long; but for empty lines, which it passes
//! over, and which here are records of one empty cell.

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
            _ if is_line_break(byte) => Self::RecordStart,
            _ if byte == separator => Self::FieldStart,
            _ => Self::Unquoted,
        }
    }
}

fn is_line_break(byte: u8) -> bool {
    byte == b'\n' || byte == b'\r'
}

/// What comes behind the line break that a text begins with, if it does.
fn behind_line_break(text: &[u8]) -> &[u8] {
    match text {
        [b'\r', b'\n', rest @ ..] | [b'\r' | b'\n', rest @ ..] | rest => rest,
    }
}

/// Whether a byte can stand in a blank row: white space, quotes and separators.
pub(super) fn is_filler(byte: u8, separator: u8) -> bool {
    byte.is_ascii_whitespace() || byte == b'"' || byte == separator
}

/// The cells of a record as they came, quotes taken away: one behind the other in one buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cells {
    bytes: Vec<u8>,
    /// Where each cell ends.
    ends: Vec<usize>,
}

impl Cells {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Each in turn.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let cell = &self.bytes[start..*end];
            start = *end;
            cell
        })
    }

    /// Takes what stands in quotes from `at`, behind the opening one, and of two quotes the first. The place behind the closing quote, or the end of the text when
    /// nothing closes it.
    fn take_quoted(&mut self, text: &[u8], mut at: usize) -> usize {
        while let Some(length) = memchr::memchr(b'"', &text[at..]) {
            self.bytes.extend_from_slice(&text[at..at + length]);
            at += length + 1;
            if text.get(at) != Some(&b'"') {
                return at;
            }
            self.bytes.push(b'"');
            at += 1;
        }
        self.bytes.extend_from_slice(&text[at..]);
        text.len()
    }
}

/// A record with its cells.
pub(super) struct Record {
    /// Its cells.
    pub(super) cells: Cells,
    /// Whether one of them goes on behind its closing quote. White space doesn't count.
    pub(super) has_text_after_quote: bool,
}

impl Record {
    /// Whether there is nothing in it.
    pub(super) fn is_blank(&self, separator: u8) -> bool {
        self.cells.bytes.iter().all(|byte| is_filler(*byte, separator))
    }
}

/// Room for more bytes than the record before had: few records need more.
const SLACK: usize = 32;

/// The records of a text that begins between two of them.
pub(super) struct Records<'a> {
    /// What is left of the text.
    rest: &'a [u8],
    separator: u8,
    /// Bytes and cells of the record before, for which the next one makes room at once.
    bytes: usize,
    cells: usize,
}

impl<'a> Records<'a> {
    pub(super) fn of(text: &'a [u8], separator: u8) -> Self {
        Self { rest: text, separator, bytes: 0, cells: 0 }
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        if self.rest.is_empty() {
            return None;
        }
        let text = self.rest;
        let mut cells = Cells { bytes: Vec::with_capacity(self.bytes + SLACK), ends: Vec::with_capacity(self.cells) };
        let (mut at, mut has_text_after_quote) = (0, false);
        loop {
            let is_quoted = text.get(at) == Some(&b'"');
            if is_quoted {
                at = cells.take_quoted(text, at + 1);
            }
            let length = memchr::memchr3(self.separator, b'\n', b'\r', &text[at..]).unwrap_or(text.len() - at);
            let plain = &text[at..at + length];
            has_text_after_quote |= is_quoted && !plain.iter().all(u8::is_ascii_whitespace);
            cells.bytes.extend_from_slice(plain);
            cells.ends.push(cells.bytes.len());
            at += length;
            if text.get(at) != Some(&self.separator) {
                break;
            }
            at += 1;
        }
        self.rest = behind_line_break(&text[at..]);
        (self.bytes, self.cells) = (cells.bytes.len(), cells.len());
        Some(Record { cells, has_text_after_quote })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Vec<Vec<String>> {
        let cells = |record: Record| record.cells.iter().map(|cell| String::from_utf8(cell.to_vec()).unwrap()).collect();
        Records::of(text.as_bytes(), b',').map(cells).collect()
    }

    /// The good files of sineemore/csv-test-data, each as that collection says: an empty line is a record of one empty cell. An import leaves it out.
    #[test]
    fn records_are_read_as_they_are_meant() {
        let good: [(&str, &str, &[&[&str]]); 18] = [
            ("all-empty", "\n\n", &[&[""], &[""]]),
            ("empty-field", "foo,bar,baz\n1,,3", &[&["foo", "bar", "baz"], &["1", "", "3"]]),
            ("empty-one-column", "foo\n\n", &[&["foo"], &[""]]),
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
            assert_eq!(read(&["a,b", "1,2", "", "3,4", ""].join(ending)), [vec!["a", "b"], vec!["1", "2"], vec![""], vec!["3", "4"]], "{ending:?}");
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
        assert_eq!(seen("\n\r\n\"a\"b\n\"c\",d\n"), [false, false, true, false]);
    }
    #[test]
    fn an_open_quote_takes_the_rest_of_the_text() {
        let cases: [(&str, &[&str]); 5] = [("\"", &[""]), ("a,\"b,\n", &["a", "b,\n"]), ("a,\"b\"\"", &["a", "b\""]), ("a,\"b\"", &["a", "b"]), ("a,", &["a", ""])];
        for (text, cells) in cases {
            assert_eq!(read(text), [cells], "{text:?}");
        }
    }

    /// The cells of the records that the `csv` crate finds, which passes over empty lines. The one in front keeps it from taking a byte order mark away.
    fn by_the_csv_crate(text: &[u8], separator: u8) -> Vec<Vec<Vec<u8>>> {
        let text = [b"\n".as_slice(), text].concat();
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_slice());
        reader.into_byte_records().map(|record| record.unwrap().iter().map(<[u8]>::to_vec).collect()).collect()
    }

    /// Which records have text behind a closing quote, told byte by byte. An empty line is a record, but for the second half of a line break.
    fn by_their_states(text: &[u8], separator: u8) -> Vec<bool> {
        let (mut state, mut is_behind, mut is_seen, mut seen) = (State::RecordStart, false, false, Vec::new());
        for (at, byte) in text.iter().enumerate() {
            if state == State::RecordStart && is_line_break(*byte) && !(*byte == b'\n' && at > 0 && text[at - 1] == b'\r') {
                seen.push(false);
            }
            let next = state.after(*byte, separator);
            is_behind = next == State::Unquoted && (is_behind || state == State::QuoteInQuoted);
            is_seen |= is_behind && !byte.is_ascii_whitespace();
            if next == State::RecordStart && state != State::RecordStart {
                seen.push(std::mem::take(&mut is_seen));
            }
            state = next;
        }
        if state != State::RecordStart {
            seen.push(is_seen);
        }
        seen
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn records_are_those_of_the_csv_crate(
            text in prop::collection::vec(prop::sample::select(b"\"\"\"\"aa ,,;\t|\n\r\xEF\xBB\xBF\xE9\0".to_vec()), 0..80),
            separator in prop::sample::select(vec![b',', b';', b'\t', b'|']),
        ) {
            let records: Vec<Record> = Records::of(&text, separator).collect();
            let cells: Vec<Vec<Vec<u8>>> = records.iter().map(|record| record.cells.iter().map(<[u8]>::to_vec).collect()).collect();
            // A record of one cell in quotes with nothing in it looks like an empty line.
            let filled = |cells: Vec<Vec<Vec<u8>>>| cells.into_iter().filter(|cells| cells.len() > 1 || !cells[0].is_empty()).collect::<Vec<_>>();
            prop_assert_eq!(filled(cells), filled(by_the_csv_crate(&text, separator)));
            let seen: Vec<bool> = records.iter().map(|record| record.has_text_after_quote).collect();
            prop_assert_eq!(seen, by_their_states(&text, separator));
        }
    }
}
