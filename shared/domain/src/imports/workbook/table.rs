//! Cells that come one by one, in the order of their places, as lines of separated values.

use std::io::Write;

use super::super::dialect::FileProblem;
use super::WorkbookError;

/// Rows and columns of a sheet.
const MOST_ROWS: u32 = 1_048_576;
const MOST_COLUMNS: u32 = 16_384;

/// Says what stands between cells, so that nobody has to find it out.
const SEPARATOR: [&str; 2] = ["sep=", ""];

/// A table being written. Memory doesn't grow with it.
pub(super) struct Table<W: Write> {
    writer: csv::Writer<W>,
    /// The place of the cell that would come next, from 0.
    row: u32,
    column: u32,
    is_empty: bool,
    /// How many more bytes it may have, quotes not counted: a few cells far to the right, or one long text named by many cells, would make a small workbook a file
    /// without end.
    left: u64,
}

impl<W: Write> Table<W> {
    /// One of at most so many bytes.
    pub(super) fn new(out: W, most: u64) -> Self {
        Self { writer: csv::WriterBuilder::new().flexible(true).from_writer(out), row: 0, column: 0, is_empty: true, left: most }
    }

    /// Writes a cell at a row and a column, from 0, and blanks before it where cells were left out. A blank cell is left out itself until another comes behind it.
    pub(super) fn put(&mut self, (row, column): (u32, u32), text: &str) -> Result<(), WorkbookError> {
        let is_next = row < MOST_ROWS && column < MOST_COLUMNS && (row, column) >= (self.row, self.column);
        if !is_next {
            return Err(FileProblem::DamagedWorkbook.into());
        }
        if text.is_empty() {
            return Ok(());
        }
        if self.is_empty {
            self.is_empty = false;
            self.writer.write_record(SEPARATOR).map_err(unwritten)?;
        }
        while self.row < row {
            self.end_row()?;
        }
        while self.column < column {
            self.put_next("")?;
        }
        self.put_next(text)
    }

    /// How many rows were begun.
    pub(super) fn rows(&self) -> u32 {
        self.row + u32::from(!self.is_empty)
    }

    /// Ends the table, which must have something in it.
    pub(super) fn finish(mut self) -> Result<(), WorkbookError> {
        if self.is_empty {
            return Err(FileProblem::EmptySheet.into());
        }
        self.end_row()?;
        Ok(self.writer.flush()?)
    }

    fn put_next(&mut self, text: &str) -> Result<(), WorkbookError> {
        self.left = self.left.checked_sub(text.len() as u64 + 1).ok_or(FileProblem::InflatedWorkbook)?;
        self.writer.write_field(text).map_err(unwritten)?;
        self.column += 1;
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), WorkbookError> {
        self.writer.write_record(None::<&[u8]>).map_err(unwritten)?;
        self.row += 1;
        self.column = 0;
        Ok(())
    }
}

/// The writer fails only where what it writes to does.
fn unwritten(error: csv::Error) -> WorkbookError {
    std::io::Error::from(error).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(cells: &[((u32, u32), &str)]) -> Result<String, String> {
        let mut out = Vec::new();
        let mut table = Table::new(&mut out, 100);
        cells.iter().try_for_each(|(place, text)| table.put(*place, text)).and_then(|()| table.finish()).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn cells_that_go_back_or_are_on_no_sheet_are_refused() {
        let damaged = FileProblem::DamagedWorkbook.to_string();
        for cells in [
            [((1, 1), "a"), ((1, 0), "b")],
            [((1, 1), "a"), ((1, 1), "b")],
            [((1, 0), "a"), ((0, 5), "b")],
            [((0, 0), "a"), ((0, MOST_COLUMNS), "b")],
            [((0, 0), "a"), ((MOST_ROWS, 0), "b")],
        ] {
            assert_eq!(table(&cells), Err(damaged.clone()), "{cells:?}");
        }
    }

    #[test]
    fn a_table_that_is_far_larger_than_what_its_cells_say_is_refused() {
        let inflated = FileProblem::InflatedWorkbook.to_string();
        let long = "a".repeat(60);
        assert_eq!(table(&[((0, 0), "phone"), ((1, MOST_COLUMNS - 1), "b")]), Err(inflated.clone()));
        assert_eq!(table(&[((0, 0), &long), ((1, 0), &long)]), Err(inflated));
        assert!(table(&[((0, 0), &long), ((1, 10), "b")]).is_ok());
    }

    #[test]
    fn a_table_without_a_text_is_empty() {
        let nothing: &[((u32, u32), &str)] = &[];
        for cells in [nothing, &[((0, 0), ""), ((7, 7), "")]] {
            assert_eq!(table(cells), Err(FileProblem::EmptySheet.to_string()));
        }
    }

    #[test]
    fn what_was_left_out_is_blank_before_a_cell_and_absent_behind_the_last_one() {
        let cells = [((1, 0), "phone"), ((1, 2), "name"), ((1, 3), ""), ((3, 2), "Zoe"), ((9, 0), "")];
        assert_eq!(table(&cells).as_deref(), Ok("sep=,\n\"\"\nphone,,name\n\"\"\n,,Zoe\n"));
    }

    #[test]
    fn texts_that_would_be_read_otherwise_are_quoted() {
        let cells = [((0, 0), "a,b"), ((0, 1), "c;d"), ((0, 2), "e \"f\""), ((0, 3), "g\r\nh"), ((1, 0), "sep=;")];
        assert_eq!(table(&cells).as_deref(), Ok("sep=,\n\"a,b\",c;d,\"e \"\"f\"\"\",\"g\r\nh\"\nsep=;\n"));
    }
}
