//! Reading the rows of a chunk. Nothing after this knows about CSV.

use super::dialect::{Dialect, MOST_COLUMNS, decode};
use super::reader::{Record, Records};

/// One row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number, from 1 for the first row after the header.
    pub number: u64,
    /// Its cells as they came, decoded; at most as many as a file may have columns.
    pub cells: Vec<String>,
    /// Why it can't be used, when the way it is written tells.
    pub problem: Option<RowProblem>,
}

/// Why a row can't be read as the header promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// Cells beyond the header that aren't blank.
    #[error("The row has more cells than the header. Quote cells that contain the separator.")]
    TooManyCells,
    /// Text behind a closing quote.
    #[error("A cell goes on behind its closing quote. Double the quotes that are part of a cell, and quote the whole cell.")]
    TextAfterQuote,
}

/// The rows of a chunk's bytes, blank ones left out, numbered from `first_row`.
pub fn read_rows<'a>(chunk: &'a [u8], dialect: &'a Dialect, first_row: u64) -> impl Iterator<Item = Row> + 'a {
    let filled = Records::of(chunk, dialect.separator).filter(move |record| !record.is_blank(dialect.separator));
    filled.zip(first_row..).map(move |(record, number)| row(number, &record, dialect))
}

fn row(number: u64, record: &Record, dialect: &Dialect) -> Row {
    let text = |cell: &[u8]| decode(dialect.encoding, cell);
    let mut beyond = record.cells.iter().skip(dialect.columns as usize).filter(|cell| !cell.is_empty());
    let problem =
        if record.has_text_after_quote { Some(RowProblem::TextAfterQuote) } else { beyond.any(|cell| !text(cell).trim().is_empty()).then_some(RowProblem::TooManyCells) };
    Row { number, cells: record.cells.iter().take(MOST_COLUMNS).map(text).collect(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::{Encoding, sniff};

    /// The rows behind a header.
    fn rows(text: &str) -> Vec<Row> {
        let beginning = sniff(text.as_bytes(), true, "CA").unwrap();
        let body = text.split_once('\n').unwrap().1;
        read_rows(body.as_bytes(), &beginning.dialect, 1).collect()
    }

    #[test]
    fn long_rows_are_refused_unless_what_is_too_much_is_blank() {
        let rows = rows("phone,name\n1\n1,a,,\n1,a,b\n1,a, ,\u{a0},\n1,a,,,,,b\n");
        let problems: Vec<Option<RowProblem>> = rows.iter().map(|row| row.problem).collect();
        assert_eq!(problems, [None, None, Some(RowProblem::TooManyCells), None, Some(RowProblem::TooManyCells)]);
        assert_eq!((rows[0].cells.len(), rows[4].number), (1, 5));
    }

    #[test]
    fn a_cell_that_goes_on_behind_its_closing_quote_costs_its_row_and_no_other() {
        let rows = rows("phone,name\n1,\"Hey, I missed \" it\",3\n2,\"a\"b\n3,\"c\" \n4,\"d \"\"e\"\"\"\n");
        assert_eq!((rows[0].problem, rows[1].problem), (Some(RowProblem::TextAfterQuote), Some(RowProblem::TextAfterQuote)));
        assert_eq!((rows[2].problem, rows[3].problem, rows.len()), (None, None, 4));
        assert_eq!((rows[2].cells[1].as_str(), rows[3].cells[1].as_str()), ("c ", "d \"e\""));
    }

    #[test]
    fn a_row_of_nothing_but_separators_and_one_cell_takes_no_more_memory_than_a_row_may() {
        let dialect = Dialect { encoding: Encoding::Utf8, separator: b',', columns: 2 };
        let text = format!("1,a{}b\n", ",".repeat(100_000));
        let row = read_rows(text.as_bytes(), &dialect, 1).next().unwrap();
        assert_eq!((row.problem, row.cells.len()), (Some(RowProblem::TooManyCells), MOST_COLUMNS));
    }

    #[test]
    fn a_quote_inside_an_unquoted_cell_is_kept() {
        assert_eq!(rows("phone,name\n1,joh\"n\n")[0].cells, ["1", "joh\"n"]);
    }
}
