//! Cells that mean "nothing".

/// Whether a cell's text stands for no value: empty, or one of the words that exports write instead.
#[must_use]
pub fn is_blank_word(text: &str) -> bool {
    let trimmed = text.trim();
    trimmed.is_empty()
        || trimmed.chars().all(|character| matches!(character, '-' | '\u{2013}' | '\u{2014}'))
        || ["null", "nil", "none", "n/a", "#n/a", "na", "nan", "(blank)", "(vide)", "\\n", "s.o.", "s/o"].iter().any(|word| trimmed.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::is_blank_word;

    #[test]
    fn words_for_nothing_are_blank_and_names_are_not() {
        for blank in ["", "  ", "null", "NULL", "N/A", "n/a", "-", "--", "\u{2014}", "#N/A", "\\N"] {
            assert!(is_blank_word(blank), "{blank}");
        }
        for value in ["0", "Nathalie", "Null Island", "-5", "no"] {
            assert!(!is_blank_word(value), "{value}");
        }
    }
}
