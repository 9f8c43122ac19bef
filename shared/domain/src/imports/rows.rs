//! Reading the rows of a chunk and turning each into values for a contact. Nothing after this knows about CSV.

use super::blank::{is_blank_name, is_blank_word};
use super::dialect::{Dialect, decode};
use super::literal::from_cell;
use super::mapping::{ColumnMapping, Target};
use crate::contact::{AttributeValue, ContactInput};

/// One row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its number, from 1 for the first row after the header.
    pub number: u64,
    /// Its cells as they came, decoded.
    pub cells: Vec<String>,
}

/// Why a row can't be read as the header promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowProblem {
    /// Cells beyond the header that aren't blank.
    #[error("The row has more cells than the header. Quote cells that contain the separator.")]
    TooManyCells,
}

/// The rows of a chunk's bytes, blank ones left out, numbered from `first_row`.
pub fn read_rows<'a>(chunk: &'a [u8], dialect: &'a Dialect, first_row: u64) -> impl Iterator<Item = Row> + 'a {
    let reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(dialect.separator).from_reader(chunk);
    reader
        .into_byte_records()
        .map_while(Result::ok)
        .filter(|record| !record.iter().all(|cell| is_empty(cell, dialect.separator)))
        .zip(first_row..)
        .map(|(record, number)| Row { number, cells: record.iter().map(|cell| decode(dialect.encoding, cell)).collect() })
}

/// The planner's idea of a cell without content, on the bytes that the reader left of it.
fn is_empty(cell: &[u8], separator: u8) -> bool {
    cell.iter().all(|byte| byte.is_ascii_whitespace() || *byte == b'"' || *byte == separator)
}

/// The values of a row for a contact; blank cells give nothing, short rows are filled with blanks.
///
/// # Errors
/// [`RowProblem::TooManyCells`].
pub fn to_input(row: &Row, mapping: &[ColumnMapping]) -> Result<ContactInput, RowProblem> {
    if row.cells.iter().skip(mapping.len()).any(|cell| !cell.trim().is_empty()) {
        return Err(RowProblem::TooManyCells);
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
    use crate::imports::{map_columns, sniff};

    fn inputs(text: &str) -> Vec<Result<ContactInput, RowProblem>> {
        let (dialect, header) = sniff(text.as_bytes(), true).unwrap();
        let mapping = map_columns(&header);
        let body = text.split_once('\n').unwrap().1;
        read_rows(body.as_bytes(), &dialect, 1).map(|row| to_input(&row, &mapping)).collect()
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
        let rows = inputs("phone,name\n1\n1,a,,\n1,a,b\n");
        assert!(rows[0].is_ok() && rows[1].is_ok());
        assert_eq!(rows[2], Err(RowProblem::TooManyCells));
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
