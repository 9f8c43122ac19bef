//! Cells that mean something else than they say: a spreadsheet would run them as formulas, or an import would take them for nothing. An apostrophe in
//! front makes them plain text; exports put it there and imports take it away.

use std::borrow::Cow;

/// What formulas begin with. A tab or a carriage return counts, because programs drop it and look at what follows.
pub(super) const FORMULA: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// The cell that says a value and nothing else. `is_blank` tells what the column takes for nothing.
#[must_use]
pub(super) fn to_cell(value: &str, is_blank: fn(&str) -> bool) -> Cow<'_, str> {
    if is_misread(value, is_blank) { Cow::Owned(format!("'{value}")) } else { Cow::Borrowed(value) }
}

/// The cell that says a value, in a table that nobody imports again: only what a spreadsheet would run gets an apostrophe.
#[must_use]
pub fn harmless_cell(value: &str) -> Cow<'_, str> {
    to_cell(value, |_| false)
}

/// The value that a cell says. An apostrophe that isn't in front of something misread is part of it: `'t Hooft` stays.
#[must_use]
pub(super) fn from_cell(cell: &str, is_blank: fn(&str) -> bool) -> &str {
    cell.strip_prefix('\'').filter(|value| is_misread(value, is_blank)).unwrap_or(cell)
}

/// Whether a text would be misread as it is. With apostrophes in front of it already it would lose one on its way back, so that counts too.
fn is_misread(value: &str, is_blank: fn(&str) -> bool) -> bool {
    let bare = value.trim_start_matches('\'');
    bare.starts_with(FORMULA) || (!bare.is_empty() && is_blank(bare))
}

#[cfg(test)]
mod tests {
    use super::super::{is_blank_name, is_blank_word};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_and_words_for_nothing_get_an_apostrophe_and_lose_it_again() {
        for (value, cell) in [
            ("=1+1", "'=1+1"),
            ("+15145550123", "'+15145550123"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("'=1", "''=1"),
            ("''-", "'''-"),
            ("N/A", "'N/A"),
            ("-", "'-"),
            ("'none", "''none"),
        ] {
            assert_eq!(to_cell(value, is_blank_word), cell);
            assert_eq!(from_cell(cell, is_blank_word), value);
        }
    }

    #[test]
    fn what_says_what_it_means_stays() {
        for value in ["", "'", "''", "Zoé", "'t Hooft", "O'Neil", "a=b", "1-2", "' =1", "nobody"] {
            assert_eq!(to_cell(value, is_blank_word), value);
            assert_eq!(from_cell(value, is_blank_word), value);
        }
    }

    #[test]
    fn a_table_that_is_only_read_keeps_words_for_nothing_as_they_are() {
        assert_eq!((harmless_cell("N/A"), harmless_cell("none"), harmless_cell("=1"), harmless_cell("-")), ("N/A".into(), "none".into(), "'=1".into(), "'-".into()));
    }

    #[test]
    fn a_person_called_nan_needs_no_apostrophe() {
        assert_eq!((to_cell("Nan", is_blank_name), to_cell("Nan", is_blank_word)), ("Nan".into(), "'Nan".into()));
    }

    proptest! {
        #[test]
        fn every_value_comes_back_and_no_cell_is_a_formula(value in "(['=+@\\-\t\r]|[ -~]|N/A|null|é|\\PC){0,12}") {
            for is_blank in [is_blank_word, is_blank_name] {
                let cell = to_cell(&value, is_blank);
                prop_assert!(!cell.starts_with(FORMULA), "{:?}", cell);
                prop_assert_eq!(from_cell(&cell, is_blank), &value);
                prop_assert!(value.trim().is_empty() || value.trim() != value || !is_blank(&cell), "{:?} would be taken for nothing", cell);
            }
        }
    }
}
