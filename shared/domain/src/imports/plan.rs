//! One streaming pass over a file that finds where records end, cuts them into chunks and settles the encoding.
//!
//! It agrees with the CSV reader about what a record is (`the_scanner_and_the_reader_agree` holds it to that), so that any chunk read by
//! itself gives the same records as the whole file. No chunk is much larger than it is to be, because no row is.

use serde::{Deserialize, Serialize};

use super::dialect::{Encoding, FileProblem, without_bom};
use super::reader::{State, is_filler};

/// A chunk is closed when it holds this many bytes…
pub const CHUNK_BYTES: u64 = 2 * 1024 * 1024;
/// …or this many rows.
pub const CHUNK_ROWS: u64 = 5_000;
/// Longest row.
pub const MOST_ROW_BYTES: u64 = 1024 * 1024;

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

/// Takes a file's bytes in order. Its memory doesn't grow with the file, but for one range per chunk.
#[derive(Debug)]
pub struct Planner {
    separator: u8,
    chunk_rows: u64,
    chunk_bytes: u64,
    state: State,
    position: u64,
    record_start: u64,
    /// Whether the record being read has a byte other than white space, quotes and separators.
    has_content: bool,
    /// Records with content that are still to come before the first row.
    leading: u32,
    rows: u64,
    chunk_start: u64,
    chunk_first_row: u64,
    chunks: Vec<ChunkRange>,
    utf8: bool,
    /// The bytes of a character cut by the end of the last block.
    pending: Vec<u8>,
    /// The first row of more than [`MOST_ROW_BYTES`].
    too_long: Option<u64>,
}

impl Planner {
    /// A pass over a file with this separator, and so many records with content before its first row.
    #[must_use]
    pub fn new(separator: u8, leading: u32) -> Self {
        Self::with_chunks(separator, leading, CHUNK_ROWS, CHUNK_BYTES)
    }

    /// The same with other sizes of chunks.
    #[must_use]
    pub fn with_chunks(separator: u8, leading: u32, chunk_rows: u64, chunk_bytes: u64) -> Self {
        Self {
            separator,
            chunk_rows,
            chunk_bytes,
            state: State::RecordStart,
            position: 0,
            record_start: 0,
            has_content: false,
            leading,
            rows: 0,
            chunk_start: 0,
            chunk_first_row: 1,
            chunks: Vec::new(),
            utf8: true,
            pending: Vec::new(),
            too_long: None,
        }
    }

    /// Takes the next block of bytes; the first one holds the byte order mark whole, if there is one.
    ///
    /// # Errors
    /// When the file has NUL bytes or a row that is too long: the rest of it needn't be read.
    pub fn feed(&mut self, block: &[u8]) -> Result<(), FileProblem> {
        if self.utf8 {
            self.check_utf8(block);
        }
        let mut block = block;
        if self.position == 0 {
            let text = without_bom(block);
            self.position = (block.len() - text.len()) as u64;
            (self.chunk_start, self.record_start) = (self.position, self.position);
            block = text;
        }
        let nul = memchr::memchr(0, block);
        self.scan(&block[..nul.unwrap_or(block.len())]);
        if nul.is_some() {
            return Err(FileProblem::Nul(self.rows + 1));
        }
        // A quote that never closes makes a long row too, and says more; it shows at the end of the file.
        if self.state != State::Quoted && self.is_long() {
            self.too_long.get_or_insert(self.rows + 1);
        }
        self.too_long.map_or(Ok(()), |row| Err(FileProblem::RowTooLong(row)))
    }

    /// Ends the pass.
    ///
    /// # Errors
    /// When the file has a quote that never closes, a row that is too long, or no rows.
    pub fn finish(mut self) -> Result<Plan, FileProblem> {
        if self.state == State::Quoted {
            return Err(FileProblem::UnclosedQuote(self.rows + 1));
        }
        if self.state != State::RecordStart {
            self.end_record();
        }
        if let Some(row) = self.too_long {
            return Err(FileProblem::RowTooLong(row));
        }
        self.close_chunk();
        if self.chunks.is_empty() {
            return Err(FileProblem::NoRows);
        }
        let utf8 = self.utf8 && self.pending.is_empty();
        Ok(Plan { encoding: if utf8 { Encoding::Utf8 } else { Encoding::Windows1252 }, rows: self.rows, chunks: self.chunks })
    }

    /// Takes bytes without NUL among them, at once those that only a separator tells apart.
    fn scan(&mut self, mut text: &[u8]) {
        while !text.is_empty() {
            let length = self.run(text);
            let (run, rest) = text.split_at(length);
            if let Some(last) = run.last() {
                self.pass(run, *last);
            }
            text = match rest.split_first() {
                Some((byte, rest)) => {
                    self.step(*byte);
                    rest
                }
                None => rest,
            };
        }
    }

    /// How many of the next bytes end no record and open or close no quotes.
    fn run(&self, text: &[u8]) -> usize {
        let end = match self.state {
            State::Quoted => memchr::memchr(b'"', text),
            _ => memchr::memchr3(b'"', b'\n', b'\r', text),
        };
        end.unwrap_or(text.len())
    }

    /// Takes such bytes. In quotes they change nothing; elsewhere the last one tells whether a cell begins behind it.
    fn pass(&mut self, run: &[u8], last: u8) {
        if self.state != State::Quoted {
            self.state = if last == self.separator { State::FieldStart } else { State::Unquoted };
        }
        self.position += run.len() as u64;
        self.has_content = self.has_content || run.iter().any(|byte| !is_filler(*byte, self.separator));
    }

    fn step(&mut self, byte: u8) {
        self.position += 1;
        let before = self.state;
        self.state = before.after(byte, self.separator);
        if !is_filler(byte, self.separator) {
            self.has_content = true;
        }
        match (before, self.state) {
            (State::RecordStart, State::RecordStart) => self.pass_empty_line(),
            (_, State::RecordStart) => self.end_record(),
            _ => {}
        }
    }

    fn end_record(&mut self) {
        self.state = State::RecordStart;
        let has_content = std::mem::take(&mut self.has_content);
        if self.is_long() {
            self.too_long.get_or_insert(self.rows + 1);
        }
        self.record_start = self.position;
        if self.leading > 0 {
            self.leading -= u32::from(has_content);
            self.chunk_start = self.position;
            return;
        }
        if has_content {
            self.rows += 1;
        }
        if self.rows + 1 - self.chunk_first_row >= self.chunk_rows {
            self.close_chunk();
        }
        self.close_full_chunk();
    }

    /// An empty line is part of no record, but of the bytes that are read with a chunk.
    fn pass_empty_line(&mut self) {
        self.record_start = self.position;
        self.close_full_chunk();
    }

    fn is_long(&self) -> bool {
        self.position - self.record_start > MOST_ROW_BYTES
    }

    fn close_full_chunk(&mut self) {
        if self.position - self.chunk_start >= self.chunk_bytes {
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
    use super::super::reader::{Cells, Records};
    use super::*;
    use proptest::prelude::*;

    fn planned(text: &[u8], leading: u32) -> Result<Plan, FileProblem> {
        let mut planner = Planner::with_chunks(b',', leading, 2, 1_000);
        planner.feed(text)?;
        planner.finish()
    }

    fn plan(text: &[u8]) -> Result<Plan, FileProblem> {
        planned(text, 1)
    }

    fn part<'a>(text: &'a [u8], chunk: &ChunkRange) -> &'a [u8] {
        &text[usize::try_from(chunk.start).unwrap()..usize::try_from(chunk.end).unwrap()]
    }

    #[test]
    fn chunks_begin_and_end_between_records() {
        let text = b"phone,name\n1,\"a\nb\"\n2,c\r\n3,d";
        let plan = plan(text).unwrap();
        assert_eq!(plan.rows, 3);
        let parts: Vec<&[u8]> = plan.chunks.iter().map(|chunk| part(text, chunk)).collect();
        assert_eq!(parts, [b"1,\"a\nb\"\n2,c\r".as_slice(), b"\n3,d"]);
        assert_eq!(plan.chunks[1].first_row, 3);
    }

    #[test]
    fn blank_rows_are_not_counted() {
        assert_eq!(plan(b"a,b\n\n1,2\n,,\n \t,\"\"\n3,4\n\n").unwrap().rows, 2);
    }

    #[test]
    fn the_first_row_comes_behind_the_records_that_say_how_to_read_it() {
        let text = b"\xEF\xBB\xBF\n , \nsep=,\n,\nphone,name\n\n1,2\n";
        for (leading, rows) in [(0, 3), (1, 2), (2, 1)] {
            assert_eq!(planned(text, leading).unwrap().rows, rows, "{leading}");
        }
        assert_eq!(planned(b"\xEF\xBB\xBF1,2", 0).unwrap().chunks, [ChunkRange { number: 1, start: 3, end: 6, first_row: 1, rows: 1 }]);
        assert_eq!(planned(text, 3), Err(FileProblem::NoRows));
    }

    #[test]
    fn a_file_that_breaks_at_its_end_has_no_plan() {
        assert_eq!(plan(b"a,b\n1,2\n3,\"4\n5,6\n"), Err(FileProblem::UnclosedQuote(2)));
        assert_eq!(plan(b"a,b\n1,2\n3,\0\n"), Err(FileProblem::Nul(2)));
        assert_eq!(plan(b"a,b\n"), Err(FileProblem::NoRows));
        assert_eq!(plan(b""), Err(FileProblem::NoRows));
    }

    #[test]
    fn a_row_has_at_most_a_megabyte_and_what_it_is_fed_in_does_not_matter() {
        let longest = usize::try_from(MOST_ROW_BYTES).unwrap();
        let file = |cell: &str| format!("a,b\n1,2\n{cell}\n4,5\n");
        let fed = |text: &str, block: usize| {
            let mut planner = Planner::new(b',', 1);
            text.as_bytes().chunks(block).try_for_each(|block| planner.feed(block))?;
            planner.finish()
        };
        for block in [1_000, 5_000_000] {
            assert_eq!(fed(&file(&"x".repeat(longest - 1)), block).map(|plan| plan.rows), Ok(3));
            for cell in ["x".repeat(longest), format!("\"{}\"", "x\n".repeat(longest / 2)), ",".repeat(longest)] {
                assert_eq!(fed(&file(&cell), block), Err(FileProblem::RowTooLong(2)), "{}", &cell[..2]);
            }
            assert_eq!(fed(&file(&format!("\"{}", "x\n".repeat(longest))), block), Err(FileProblem::UnclosedQuote(2)));
        }
    }

    #[test]
    fn a_long_row_ends_the_pass_where_it_gets_long_and_empty_lines_are_no_row() {
        let mut planner = Planner::new(b',', 1);
        planner.feed(b"a,b\n1,2\n").unwrap();
        let block = vec![b'x'; 400_000];
        assert_eq!((planner.feed(&block), planner.feed(&block), planner.feed(&block)), (Ok(()), Ok(()), Err(FileProblem::RowTooLong(2))));
        let text = format!("a,b\n1,2\n{}3,4\n", "\r\n".repeat(3_000_000));
        let mut planner = Planner::new(b',', 1);
        planner.feed(text.as_bytes()).unwrap();
        let plan = planner.finish().unwrap();
        assert_eq!((plan.rows, plan.chunks.len()), (2, 2));
        assert!(plan.chunks.iter().all(|chunk| chunk.end - chunk.start <= CHUNK_BYTES + 1), "{:?}", plan.chunks);
    }

    #[test]
    fn the_encoding_is_that_of_the_whole_file_however_it_is_cut() {
        let text = "a,b\n1,é\n2,€\n".as_bytes();
        for cut in 0..text.len() {
            let mut planner = Planner::new(b',', 1);
            planner.feed(&text[..cut]).unwrap();
            planner.feed(&text[cut..]).unwrap();
            assert_eq!(planner.finish().unwrap().encoding, Encoding::Utf8, "cut at {cut}");
        }
        assert_eq!(plan(b"a,b\n1,\xE9\n").unwrap().encoding, Encoding::Windows1252);
        assert_eq!(plan(b"a,b\n1,\xC3").unwrap().encoding, Encoding::Windows1252);
    }

    /// The records with content that the reader finds.
    fn read(text: &[u8], separator: u8) -> Vec<Cells> {
        let filled = Records::of(text, separator).filter(|record| !record.is_blank(separator));
        filled.map(|record| record.cells).collect()
    }

    /// Bytes of which most mean something in such a file.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let special = prop::sample::select(vec![
            "\"",
            "\"",
            "\"\"",
            ",",
            ";",
            "\t",
            "|",
            ",\"",
            "\",",
            ";\"",
            "\";",
            "\n",
            "\r",
            "\r\n",
            "\"\n",
            "\"\r\n",
            "\n\"",
            " ",
            "a",
            "é",
            "\u{feff}",
            "\n\u{feff}",
        ]);
        let piece = prop_oneof![8 => special.prop_map(|text| text.as_bytes().to_vec()), 1 => any::<u8>().prop_map(|byte| vec![byte])];
        prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn the_scanner_and_the_reader_agree(
            text in bytes(),
            separator in prop::sample::select(vec![b',', b';', b'\t', b'|']),
            leading in 0_u32..3,
            chunk_rows in 1_u64..4,
            cut in 3_usize..60,
        ) {
            let mut planner = Planner::with_chunks(separator, leading, chunk_rows, 40);
            // The first block holds all byte order marks.
            let cut = cut.max(text.len() - without_bom(&text).len()).min(text.len());
            let planned = planner.feed(&text[..cut]).and_then(|()| planner.feed(&text[cut..])).and_then(|()| planner.finish());
            let whole = read(without_bom(&text), separator);
            let rows = &whole[whole.len().min(leading as usize)..];
            match planned {
                Err(FileProblem::UnclosedQuote(_)) => {}
                Err(FileProblem::Nul(_)) => prop_assert!(text.contains(&0)),
                Err(FileProblem::NoRows) => prop_assert!(rows.is_empty()),
                Err(other) => prop_assert!(false, "{}", other),
                Ok(plan) => {
                    prop_assert_eq!(plan.rows as usize, rows.len());
                    let mut parts = Vec::new();
                    for (chunk, number) in plan.chunks.iter().zip(1..) {
                        let part = read(part(&text, chunk), separator);
                        prop_assert_eq!((chunk.number, chunk.first_row, chunk.rows), (number, parts.len() as u64 + 1, part.len() as u64));
                        parts.extend(part);
                    }
                    prop_assert_eq!(&parts[..], rows);
                }
            }
        }

        #[test]
        fn bytes_are_passed_together_as_they_would_be_one_by_one(
            text in bytes(),
            separator in prop::sample::select(vec![b',', b';', b'\t', b'|']),
            leading in 0_u32..3,
            cut in 0_usize..60,
        ) {
            let (mut together, mut one_by_one) = (Planner::with_chunks(separator, leading, 2, 40), Planner::with_chunks(separator, leading, 2, 40));
            let (first, second) = text.split_at(cut.min(text.len()));
            together.scan(first);
            together.scan(second);
            text.iter().for_each(|byte| one_by_one.step(*byte));
            prop_assert_eq!(format!("{together:?}"), format!("{one_by_one:?}"));
        }
    }
}
