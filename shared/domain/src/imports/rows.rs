//! Reading the rows of a chunk and turning each into values for a contact. Nothing after this knows about CSV.

use super::blank::{is_blank_name, is_blank_word};
use super::dialect::{Dialect, MOST_COLUMNS, decode};
use super::literal::from_cell;
use super::mapping::{ColumnMapping, Target};
use super::reader::{Record, Records};
use crate::contact::{AttributeValue, ContactInput};

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

/// The values of a row for a contact; blank cells give nothing, short rows are filled with blanks.
///
/// # Errors
/// What is wrong with the row as it is written.
pub fn to_input(row: &Row, mapping: &[ColumnMapping]) -> Result<ContactInput, RowProblem> {
    if let Some(problem) = row.problem {
        return Err(problem);
    }
    let mut input = ContactInput::default();
    let (mut first_name, mut last_name) = (None, None);
    for (column, cell) in mapping.iter().zip(&row.cells) {
        let Some(target) = &column.field else { continue };
        let is_blank: fn(&str) -> bool = if matches!(target, Target::FirstName | Target::LastName | Target::Name) { is_blank_name } else { is_blank_word };
        if is_blank(cell) {
            continue;
        }
        let cell = from_cell(cell.trim(), is_blank);
        match target {
            Target::Phone => cell.clone_into(&mut input.phone),
            Target::AlternatePhones => input.alternate_phones.push(cell.to_owned()),
            Target::PhoneExtension => input.phone_extension = Some(cell.to_owned()),
            Target::FirstName => first_name = Some(cell),
            Target::LastName => last_name = Some(cell),
            Target::Name => input.name = Some(cell.to_owned()),
            Target::Email => input.email = Some(cell.to_owned()),
            Target::Address => input.address = Some(input.address.map_or_else(|| cell.to_owned(), |before| format!("{before}, {cell}"))),
            Target::City => input.city = Some(cell.to_owned()),
            Target::Region => input.region = Some(cell.to_owned()),
            Target::PostalCode => input.postal_code = Some(cell.to_owned()),
            Target::Country => input.country = Some(cell.to_owned()),
            Target::TimeZone => input.time_zone = Some(cell.to_owned()),
            Target::Source => input.source = Some(cell.to_owned()),
            Target::Attribute(name) => input.attributes.push((name.clone(), AttributeValue::String(cell.to_owned()))),
        }
    }
    if input.name.is_none() {
        let joined = [first_name, last_name].into_iter().flatten().collect::<Vec<_>>().join(" ");
        input.name = (!joined.is_empty()).then_some(joined);
    } else if let (Some(first_name), Some(name)) = (first_name, &input.name) {
        // A column "nom" beside a column "prénom" is the family name.
        if !mapping.iter().any(|column| column.field == Some(Target::LastName)) {
            input.name = Some(format!("{first_name} {name}"));
        }
    }
    Ok(input)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::{Encoding, sniff};

    fn inputs(text: &str) -> Vec<Result<ContactInput, RowProblem>> {
        let beginning = sniff(text.as_bytes(), true, "CA").unwrap();
        let mapping = beginning.mapping("CA");
        let body = text.split_once('\n').unwrap().1;
        read_rows(body.as_bytes(), &beginning.dialect, 1).map(|row| to_input(&row, &mapping)).collect()
    }

    #[test]
    fn names_are_joined_in_either_language() {
        let english = inputs("first name,last name,phone\nZoé,Roy,1\nZoé,,1\n,Roy,1\n");
        let names: Vec<Option<String>> = english.into_iter().map(|input| input.unwrap().name).collect();
        assert_eq!(names, [Some("Zoé Roy".to_owned()), Some("Zoé".to_owned()), Some("Roy".to_owned())]);
        let french = inputs("Prénom;Nom;Téléphone\nZoé;Roy;1\n");
        assert_eq!(french[0].as_ref().unwrap().name.as_deref(), Some("Zoé Roy"));
    }

    #[test]
    fn short_rows_are_filled_and_long_ones_refused_unless_blank() {
        let rows = inputs("phone,name\n1\n1,a,,\n1,a,b\n1,a, ,\u{a0},\n1,a,,,,,b\n");
        assert!(rows[0].is_ok() && rows[1].is_ok() && rows[3].is_ok());
        assert_eq!((&rows[2], &rows[4]), (&Err(RowProblem::TooManyCells), &Err(RowProblem::TooManyCells)));
    }

    #[test]
    fn a_cell_that_goes_on_behind_its_closing_quote_costs_its_row_and_no_other() {
        let rows = inputs("phone,name\n1,\"Hey, I missed \" it\",3\n2,\"a\"b\n3,\"c\" \n4,\"d \"\"e\"\"\"\n");
        assert_eq!((&rows[0], &rows[1]), (&Err(RowProblem::TextAfterQuote), &Err(RowProblem::TextAfterQuote)));
        let name = |row: usize| rows[row].as_ref().unwrap().name.as_deref();
        assert_eq!((name(2), name(3), rows.len()), (Some("c"), Some("d \"e\""), 4));
    }

    #[test]
    fn a_row_of_nothing_but_separators_and_one_cell_takes_no_more_memory_than_a_row_may() {
        let dialect = Dialect { encoding: Encoding::Utf8, separator: b',', columns: 2 };
        let text = format!("1,a{}b\n", ",".repeat(100_000));
        let row = read_rows(text.as_bytes(), &dialect, 1).next().unwrap();
        assert_eq!((row.problem, row.cells.len()), (Some(RowProblem::TooManyCells), MOST_COLUMNS));
    }

    #[test]
    fn words_for_nothing_give_nothing() {
        let rows = inputs("phone,name,city\n1,N/A,-\n");
        let input = rows[0].as_ref().unwrap();
        assert_eq!((input.name.as_ref(), input.city.as_ref()), (None, None));
    }

    #[test]
    fn a_person_called_nan_keeps_the_name() {
        assert_eq!(inputs("first name,last name,phone\nNan,Weekly,1\n")[0].as_ref().unwrap().name.as_deref(), Some("Nan Weekly"));
    }

    #[test]
    fn an_apostrophe_in_front_of_what_would_be_misread_is_no_part_of_it() {
        let rows = inputs("phone,name,city,note\n'+15145550123,'=Zoe,'N/A,'tis\n");
        let input = rows[0].as_ref().unwrap();
        assert_eq!((input.phone.as_str(), input.name.as_deref(), input.city.as_deref()), ("+15145550123", Some("=Zoe"), Some("N/A")));
        assert_eq!(input.attributes, [("note".to_owned(), AttributeValue::String("'tis".to_owned()))]);
    }

    #[test]
    fn a_quote_inside_an_unquoted_cell_is_kept() {
        assert_eq!(inputs("phone,name\n1,joh\"n\n")[0].as_ref().unwrap().name.as_deref(), Some("joh\"n"));
    }
}
