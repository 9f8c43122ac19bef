//! Cells that mean "nothing".

/// Whether a cell's text stands for no value: empty, dashes, or one of the words that exports write instead.
#[must_use]
pub fn is_blank_word(text: &str) -> bool {
    let trimmed = text.trim();
    is_blank_name(trimmed)
        || ["null", "nil", "none", "na", "n/a", "n.a.", "nan", "(blank)", "(vide)", "s.o.", "s/o"].iter().any(|word| trimmed.eq_ignore_ascii_case(word))
}

/// The same for a cell of a person's name. People are called Nan, Na, Nil and Null, so only what no name is written like counts.
#[must_use]
pub fn is_blank_name(text: &str) -> bool {
    let trimmed = text.trim();
    trimmed.chars().all(|character| matches!(character, '-' | '\u{2013}' | '\u{2014}')) || ["null", "NULL", "n/a", "N/A", "#N/A", "\\N"].contains(&trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_nothing_are_blank_and_values_are_not() {
        for blank in ["", "  ", "null", "NULL", "N/A", "n/a", "-", "--", "\u{2014}", "#N/A", "\\N", "NaN", "None", "N/a", "n.a."] {
            assert!(is_blank_word(blank), "{blank}");
        }
        for value in ["0", "Nathalie", "Null Island", "-5", "no"] {
            assert!(!is_blank_word(value), "{value}");
        }
    }

    #[test]
    fn people_may_be_called_like_words_for_nothing() {
        for name in ["Nan", "Na", "Nil", "Null", "None"] {
            assert!(!is_blank_name(name), "{name}");
        }
        for blank in ["", " - ", "null", "NULL", "N/A"] {
            assert!(is_blank_name(blank), "{blank}");
        }
    }
}
