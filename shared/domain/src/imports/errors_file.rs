//! The file of the rows that failed: each as it came, with what is wrong with it. Mended, it can be imported again: the further columns are left out then.

use std::borrow::Cow;

use super::literal::FORMULA;
use super::sheet::{BYTE_ORDER_MARK, writer};

/// The column that names the field to blame.
pub const ERROR_FIELD: &str = "error_field";
/// The column that says what is wrong.
pub const ERROR_REASON: &str = "error_reason";

/// What the file begins with: a byte order mark, and the columns.
#[must_use]
pub fn errors_header<'a>(columns: impl Iterator<Item = &'a str>) -> Vec<u8> {
    let mut out = BYTE_ORDER_MARK.to_vec();
    write(&mut out, columns.chain([ERROR_FIELD, ERROR_REASON]));
    out
}

/// Writes a row that failed. A short one is filled, so that what is wrong stands below its name; one with more cells than there are columns stays one, and fails
/// again until it is mended.
pub fn write_failed_row(out: &mut Vec<u8>, cells: &[String], columns: usize, field: Option<&str>, reason: &str) {
    let missing = columns.saturating_sub(cells.len());
    let cells = cells.iter().map(String::as_str).chain(std::iter::repeat_n("", missing));
    write(out, cells.chain([field.unwrap_or_default(), reason]));
}

fn write<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = &'a str>) {
    let mut writer = writer(out);
    // Memory takes everything.
    let _ = writer.write_record(cells.map(harmless).map(|cell| cell.into_owned().into_bytes()));
    let _ = writer.flush();
}

/// A cell as it came, which no spreadsheet runs. An import takes the apostrophe away again.
fn harmless(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(FORMULA) { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(rows: &[(&[&str], Option<&str>)]) -> String {
        let mut out = errors_header(["phone", "name"].into_iter());
        for (cells, field) in rows {
            let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
            write_failed_row(&mut out, &cells, 2, *field, "It isn't valid.");
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_row_stands_as_it_came_and_what_is_wrong_below_its_name() {
        let said = file(&[(&["12", "a, \"b\"\n"], Some("phone")), (&["1"], None), (&["1", "2", "3"], None)]);
        let lines = [
            "\u{feff}phone,name,error_field,error_reason\r\n",
            "12,\"a, \"\"b\"\"\n\",phone,It isn't valid.\r\n",
            "1,,,It isn't valid.\r\n",
            "1,2,3,,It isn't valid.\r\n",
        ];
        assert_eq!(said, lines.concat());
    }

    #[test]
    fn no_spreadsheet_runs_a_cell_and_one_that_was_made_harmless_before_is_left_alone() {
        let said = file(&[(&["+1514", "=cmd()"], None), (&["'+1514", "'tis"], None)]);
        assert!(said.ends_with("'+1514,'=cmd(),,It isn't valid.\r\n'+1514,'tis,,It isn't valid.\r\n"), "{said}");
    }
}
