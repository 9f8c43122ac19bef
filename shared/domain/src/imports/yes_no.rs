//! Cells that say yes or no, in English and French.

use crate::text;

/// What a cell says; none when it is neither. Case and accents don't matter.
fn yes_or_no(cell: &str) -> Option<bool> {
    match text::fold(cell.trim()).as_str() {
        "yes" | "y" | "true" | "1" | "x" | "oui" | "vrai" => Some(true),
        "no" | "n" | "false" | "0" | "non" | "faux" => Some(false),
        _ => None,
    }
}

/// What a cell says of whether a number must not be called: the same, and a yes where it names the list that the number is on.
pub(super) fn must_not_be_called(cell: &str) -> Option<bool> {
    match text::fold_alphanumeric(cell).as_str() {
        "donotcall" | "dnc" | "dncl" | "nepasappeler" | "lnnte" => Some(true),
        _ => yes_or_no(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_on_a_list_of_those_must_not_be_called() {
        for cell in ["Do not call", "DO_NOT_CALL", "DNC", "dncl", "Ne pas appeler", "LNNTE", "oui", "X"] {
            assert_eq!(must_not_be_called(cell), Some(true), "{cell}");
        }
        assert_eq!((must_not_be_called("non"), must_not_be_called("may be called"), must_not_be_called("")), (Some(false), None, None));
    }

    #[test]
    fn what_is_neither_is_nothing() {
        for cell in ["", " ", "maybe", "2", "-1", "yes no", "o", "N/A", "\u{2713}"] {
            assert_eq!(yes_or_no(cell), None, "{cell}");
        }
    }

    #[test]
    fn both_languages_say_yes_and_no() {
        for cell in ["yes", "Y", "TRUE", "1", "x", "X", " Oui ", "VRAI"] {
            assert_eq!(yes_or_no(cell), Some(true), "{cell}");
        }
        for cell in ["no", "N", "False", "0", "NON", "faux"] {
            assert_eq!(yes_or_no(cell), Some(false), "{cell}");
        }
    }
}
