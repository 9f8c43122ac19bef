//! One streaming pass over a file that finds where records end, cuts them into chunks and settles the encoding.
//!
//! It agrees with the CSV reader about what a record is (`the_scanner_and_the_reader_agree` holds it to that), so that any chunk read by
//! itself gives the same records as the whole file.

use serde::{Deserialize, Serialize};

use super::dialect::{Encoding, FileProblem, without_bom};

/// A chunk is closed when it holds this many bytes…
pub const CHUNK_BYTES: u64 = 2 * 1024 * 1024;
/// …or this many rows.
pub const CHUNK_ROWS: u64 = 5_000;

/// A part of a file that begins and ends between records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkRange {
    /// Its number, from 1.
    pub number: u32,
    /// The first byte.
    pub start: u64,
    /// The byte after the last.
    pub end: u64,
    /// The number of its first row.
    pub first_row: u64,
    /// How many rows it has.
    pub rows: u64,
}

/// What the pass found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The encoding of the whole file.
    pub encoding: Encoding,
    /// The rows after the header, blank ones left out.
    pub rows: u64,
    /// The chunks, in order; none of them empty.
    pub chunks: Vec<ChunkRange>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    RecordStart,
    FieldStart,
    Unquoted,
    Quoted,
    QuoteInQuoted,
}

/// Takes a file's bytes in order. Its memory doesn't grow with the file, but for one range per chunk.
#[derive(Debug)]
pub struct Planner {
    separator: u8,
    chunk_rows: u64,
    chunk_bytes: u64,
    state: State,
    position: u64,
    /// Whether the record being read has a byte other than white space, quotes and separators.
    has_content: bool,
    header_read: bool,
    rows: u64,
    chunk_start: u64,
    chunk_first_row: u64,
    chunks: Vec<ChunkRange>,
    utf8: bool,
    /// The bytes of a character cut by the end of the last block.
    pending: Vec<u8>,
    nul_in_row: Option<u64>,
}

impl Planner {
    /// A pass over a file with this separator.
    #[must_use]
    pub fn new(separator: u8) -> Self {
        Self::with_chunks(separator, CHUNK_ROWS, CHUNK_BYTES)
    }

    /// The same with other sizes of chunks.
    #[must_use]
    pub fn with_chunks(separator: u8, chunk_rows: u64, chunk_bytes: u64) -> Self {
        Self {
            separator,
            chunk_rows,
            chunk_bytes,
            state: State::RecordStart,
            position: 0,
            has_content: false,
            header_read: false,
            rows: 0,
            chunk_start: 0,
            chunk_first_row: 1,
            chunks: Vec::new(),
            utf8: true,
            pending: Vec::new(),
            nul_in_row: None,
        }
    }

    /// Takes the next block of bytes.
    pub fn feed(&mut self, block: &[u8]) {
        if self.utf8 {
            self.check_utf8(block);
        }
        let mut block = block;
        if self.position == 0 {
            let text = without_bom(block);
            self.position = (block.len() - text.len()) as u64;
            self.chunk_start = self.position;
            block = text;
        }
        for byte in block {
            self.position += 1;
            self.step(*byte);
        }
    }

    /// Ends the pass.
    ///
    /// # Errors
    /// When the file has a quote that never closes, NUL bytes, or no rows.
    pub fn finish(mut self) -> Result<Plan, FileProblem> {
        if let Some(row) = self.nul_in_row {
            return Err(FileProblem::Nul(row));
        }
        if self.state == State::Quoted {
            return Err(FileProblem::UnclosedQuote(self.rows + 1));
        }
        if self.state != State::RecordStart {
            self.end_record();
        }
        self.close_chunk();
        if self.chunks.is_empty() {
            return Err(FileProblem::NoRows);
        }
        let utf8 = self.utf8 && self.pending.is_empty();
        Ok(Plan { encoding: if utf8 { Encoding::Utf8 } else { Encoding::Windows1252 }, rows: self.rows, chunks: self.chunks })
    }

    fn step(&mut self, byte: u8) {
        if byte == 0 && self.nul_in_row.is_none() {
            self.nul_in_row = Some(self.rows + 1);
        }
        let terminator = byte == b'\n' || byte == b'\r';
        match self.state {
            State::Quoted if byte == b'"' => self.state = State::QuoteInQuoted,
            State::Quoted => {}
            State::QuoteInQuoted if byte == b'"' => self.state = State::Quoted,
            State::RecordStart if terminator => {}
            State::RecordStart | State::FieldStart if byte == b'"' => self.state = State::Quoted,
            _ if terminator => {
                self.end_record();
                return;
            }
            _ if byte == self.separator => self.state = State::FieldStart,
            _ => self.state = State::Unquoted,
        }
        if !(byte.is_ascii_whitespace() || byte == b'"' || byte == self.separator) {
            self.has_content = true;
        }
    }

    fn end_record(&mut self) {
        self.state = State::RecordStart;
        let has_content = std::mem::take(&mut self.has_content);
        if !self.header_read {
            self.header_read = true;
            self.chunk_start = self.position;
            return;
        }
        if has_content {
            self.rows += 1;
        }
        let chunk_rows = self.rows + 1 - self.chunk_first_row;
        if chunk_rows >= self.chunk_rows || self.position - self.chunk_start >= self.chunk_bytes {
            self.close_chunk();
        }
    }

    fn close_chunk(&mut self) {
        let rows = self.rows + 1 - self.chunk_first_row;
        if rows > 0 {
            let number = u32::try_from(self.chunks.len() + 1).unwrap_or(u32::MAX);
            self.chunks.push(ChunkRange { number, start: self.chunk_start, end: self.position, first_row: self.chunk_first_row, rows });
        }
        self.chunk_start = self.position;
        self.chunk_first_row = self.rows + 1;
    }

    fn check_utf8(&mut self, block: &[u8]) {
        let joined;
        let bytes = if self.pending.is_empty() {
            block
        } else {
            joined = [std::mem::take(&mut self.pending).as_slice(), block].concat();
            &joined
        };
        if let Err(error) = std::str::from_utf8(bytes) {
            match error.error_len() {
                None => self.pending = bytes[error.valid_up_to()..].to_vec(),
                Some(_) => self.utf8 = false,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(text: &[u8]) -> Result<Plan, FileProblem> {
        let mut planner = Planner::with_chunks(b',', 2, 1_000);
        planner.feed(text);
        planner.finish()
    }

    #[test]
    fn chunks_begin_and_end_between_records() {
        let text = b"phone,name\n1,\"a\nb\"\n2,c\r\n3,d";
        let plan = plan(text).unwrap();
        assert_eq!(plan.rows, 3);
        let parts: Vec<&[u8]> = plan.chunks.iter().map(|chunk| &text[usize::try_from(chunk.start).unwrap()..usize::try_from(chunk.end).unwrap()]).collect();
        assert_eq!(parts, [b"1,\"a\nb\"\n2,c\r".as_slice(), b"\n3,d"]);
        assert_eq!(plan.chunks[1].first_row, 3);
    }

    #[test]
    fn blank_rows_are_not_counted() {
        assert_eq!(plan(b"a,b\n\n1,2\n,,\n \t,\"\"\n3,4\n\n").unwrap().rows, 2);
    }

    #[test]
    fn a_file_that_breaks_at_its_end_has_no_plan() {
        assert_eq!(plan(b"a,b\n1,2\n3,\"4\n5,6\n"), Err(FileProblem::UnclosedQuote(2)));
        assert_eq!(plan(b"a,b\n1,2\n3,\0\n"), Err(FileProblem::Nul(2)));
        assert_eq!(plan(b"a,b\n"), Err(FileProblem::NoRows));
        assert_eq!(plan(b""), Err(FileProblem::NoRows));
    }

    #[test]
    fn the_encoding_is_that_of_the_whole_file_however_it_is_cut() {
        let text = "a,b\n1,é\n2,€\n".as_bytes();
        for cut in 0..text.len() {
            let mut planner = Planner::new(b',');
            planner.feed(&text[..cut]);
            planner.feed(&text[cut..]);
            assert_eq!(planner.finish().unwrap().encoding, Encoding::Utf8, "cut at {cut}");
        }
        assert_eq!(plan(b"a,b\n1,\xE9\n").unwrap().encoding, Encoding::Windows1252);
        assert_eq!(plan(b"a,b\n1,\xC3").unwrap().encoding, Encoding::Windows1252);
    }

    fn read(text: &[u8]) -> Vec<csv::ByteRecord> {
        let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
        let blank = |record: &csv::ByteRecord| record.iter().all(|cell| cell.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b'"' || *byte == b','));
        reader.into_byte_records().map(Result::unwrap).enumerate().filter(|(index, record)| *index == 0 || !blank(record)).map(|(_, record)| record).collect()
    }

    proptest! {
        #[test]
        fn the_scanner_and_the_reader_agree(text in "([ab\",\n\r \u{e9}]|\"\"|,\"){1,60}", cut in 0_usize..60) {
            let text = text.as_bytes();
            let mut planner = Planner::with_chunks(b',', 2, 1_000);
            let cut = cut.min(text.len());
            planner.feed(&text[..cut]);
            planner.feed(&text[cut..]);
            match planner.finish() {
                Err(FileProblem::UnclosedQuote(_)) => {}
                Err(FileProblem::NoRows) => prop_assert!(read(text).len() <= 1),
                Err(other) => prop_assert!(false, "{other}"),
                Ok(plan) => {
                    let whole = read(text);
                    prop_assert_eq!(plan.rows as usize, whole.len() - 1);
                    let parts: Vec<csv::ByteRecord> = plan.chunks.iter().flat_map(|chunk| {
                        let part = [b"header\n".as_slice(), &text[chunk.start as usize..chunk.end as usize]].concat();
                        read(&part).into_iter().skip(1).collect::<Vec<_>>()
                    }).collect();
                    prop_assert_eq!(&parts[..], &whole[1..]);
                }
            }
        }
    }
}
