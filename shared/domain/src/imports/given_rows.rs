//! Rows that another program gave: written down as the file that every import is read from, so that nothing behind it knows where they came from.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::blank::{is_blank_name, is_blank_word};
use super::dialect::{Dialect, Encoding, MOST_COLUMNS};
use super::literal::from_cell;
use super::mapping::{ColumnMapping, EXACT, NAMED, Target};
use super::mapping_check::missing;
use super::plan::{MOST_ROW_BYTES, Plan, Planner};
use super::reader::is_filler;
use super::record::ImportKind;
use super::sheet::writer;
use crate::contact::{MAX_ALTERNATE_PHONES, validate_name};
use crate::field_error::{FieldError, FieldErrorCode};

/// Most rows given at once.
pub const MOST_GIVEN_ROWS: usize = 1_000;
/// What they take at most together, in bytes of JSON.
pub const MOST_GIVEN_BYTES: usize = 4 * 1024 * 1024;
/// Most errors that are told.
const MOST_ERRORS: usize = 20;
/// Longest name of a field that is repeated where it is wrong, in characters.
const LONGEST_FIELD: usize = 80;
/// What stands between the cells of the file.
const SEPARATOR: u8 = b',';

/// Rows as the file that they are read from.
#[derive(Debug, Clone, PartialEq)]
pub struct GivenRows {
    /// Which column is what.
    pub mapping: Vec<ColumnMapping>,
    /// How the file is written.
    pub dialect: Dialect,
    /// The file: a header, and a row for each that was given.
    pub file: Vec<u8>,
    /// The chunks of the file.
    pub plan: Plan,
}

/// Where a value stands among the others of its row: in the order of the fields, attributes behind them by their names, further numbers as they were given.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rank: usize,
    name: String,
    number: usize,
}

/// The cells of a row.
type Cells = BTreeMap<Place, String>;

/// The file of rows, each an object of fields by their names in the API (`phone`, `attributes.colour`, or an object `attributes`) and their values: text, a number,
/// true, false or null, of further numbers also a list of these. Text that files say nothing with, such as `N/A`, says nothing here either; all other text is read
/// from the file as it was given, but for the white space around it.
///
/// # Errors
/// At most 20, each with its place (`rows.3.phone`, counted from 0): `INVALID` for what is no row, no field of this kind of import or no such value, and for the name
/// of an attribute that can't be one; `BLANK` for no rows, for a row without values, and when no row gives a field that this kind of import needs; `CONFLICT` for a
/// field that is given twice; `TOO_LONG` for a row of more than 1 MB; `LIMIT_EXCEEDED` beyond 1,000 rows, 4 MB, 500 different fields and the further numbers that a
/// contact can have.
pub fn given_rows(rows: &[Value], kind: ImportKind) -> Result<GivenRows, Vec<FieldError>> {
    check_size(rows).map_err(|error| vec![error])?;
    let mut reading = Reading { kind, errors: Vec::new() };
    let mut read = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        read.push(reading.row(&format!("rows.{index}"), row));
        if reading.errors.len() >= MOST_ERRORS {
            break;
        }
    }
    reading.errors.truncate(MOST_ERRORS);
    if !reading.errors.is_empty() {
        return Err(reading.errors);
    }
    let places: BTreeSet<&Place> = read.iter().flat_map(BTreeMap::keys).collect();
    let mapping: Vec<ColumnMapping> = places.iter().map(|place| column(place)).collect();
    check_mapping(&mapping, kind).map_err(|error| vec![error])?;
    let mut file = Vec::new();
    write(&mut file, mapping.iter().map(|column| column.column.as_str()));
    for (index, cells) in read.iter().enumerate() {
        let before = file.len();
        write(&mut file, places.iter().map(|place| cells.get(*place).map_or("", String::as_str)));
        if (file.len() - before) as u64 > MOST_ROW_BYTES {
            return Err(vec![FieldError::new(format!("rows.{index}"), FieldErrorCode::TooLong, "The row is longer than 1 MB. Shorten its values.")]);
        }
    }
    let plan = plan(&file).map_err(|error| vec![error])?;
    let dialect = Dialect { encoding: Encoding::Utf8, separator: SEPARATOR, columns: u32::try_from(mapping.len()).unwrap_or(u32::MAX) };
    Ok(GivenRows { mapping, dialect, file, plan })
}

fn on_rows(code: FieldErrorCode, message: impl Into<String>) -> FieldError {
    FieldError::new("rows", code, message)
}

fn check_size(rows: &[Value]) -> Result<(), FieldError> {
    if rows.is_empty() {
        return Err(on_rows(FieldErrorCode::Blank, "There are no rows. Give at least one."));
    }
    if rows.len() > MOST_GIVEN_ROWS {
        return Err(on_rows(FieldErrorCode::LimitExceeded, "There are more than 1,000 rows. Give them in several calls, or import them as a file."));
    }
    let bytes: usize = rows.iter().map(|row| row.to_string().len()).sum();
    if bytes > MOST_GIVEN_BYTES {
        return Err(on_rows(FieldErrorCode::LimitExceeded, "The rows take more than 4 MB. Give them in several calls, or import them as a file."));
    }
    Ok(())
}

fn check_mapping(mapping: &[ColumnMapping], kind: ImportKind) -> Result<(), FieldError> {
    if mapping.len() > MOST_COLUMNS {
        return Err(on_rows(
            FieldErrorCode::LimitExceeded,
            "The rows have more than 500 different fields. Leave out those that aren't needed, or give the rows in several calls.",
        ));
    }
    let missing: Vec<String> = missing(mapping, kind).iter().map(ToString::to_string).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(on_rows(FieldErrorCode::Blank, format!("No row gives {}, which this kind of import needs. Give it in each row.", missing.join(" and "))))
}

/// The column of a field, which is named as the field is.
fn column(place: &Place) -> ColumnMapping {
    ColumnMapping { column: place.name.clone(), field: place.name.parse().ok(), confidence: EXACT, default: None }
}

fn write<'a>(out: &mut Vec<u8>, cells: impl Iterator<Item = &'a str>) {
    let mut writer = writer(out);
    // Memory takes everything.
    let _ = writer.write_record(cells);
    let _ = writer.flush();
}

fn plan(file: &[u8]) -> Result<Plan, FieldError> {
    let mut planner = Planner::new(SEPARATOR, 1);
    let planned = planner.feed(file).and_then(|()| planner.finish());
    planned.map_err(|problem| on_rows(FieldErrorCode::Invalid, problem.to_string()))
}

/// Rows being read.
struct Reading {
    kind: ImportKind,
    errors: Vec<FieldError>,
}

impl Reading {
    fn refuse(&mut self, field: &str, code: FieldErrorCode, message: impl Into<String>) {
        self.errors.push(FieldError::new(field, code, message));
    }

    /// The cells of the row at a place.
    fn row(&mut self, at: &str, row: &Value) -> Cells {
        let mut cells = Cells::new();
        let Value::Object(fields) = row else {
            self.refuse(at, FieldErrorCode::Invalid, "A row is an object of fields and their values. Give one.");
            return cells;
        };
        let before = self.errors.len();
        for (name, value) in fields {
            match (name.as_str(), value) {
                ("attributes", Value::Null) => {}
                ("attributes", Value::Object(attributes)) => {
                    for (name, value) in attributes {
                        self.field(at, &format!("attributes.{name}"), value, &mut cells);
                    }
                }
                (name, value) => self.field(at, name, value, &mut cells),
            }
        }
        // The reader leaves such a row out and counts those behind it by one less.
        let is_blank = cells.values().all(|cell| cell.bytes().all(|byte| is_filler(byte, SEPARATOR)));
        if is_blank && self.errors.len() == before {
            self.refuse(at, FieldErrorCode::Blank, "The row has no values. Leave it out.");
        }
        cells
    }

    fn field(&mut self, at: &str, name: &str, value: &Value, cells: &mut Cells) {
        let field = format!("{at}.{}", name.chars().take(LONGEST_FIELD).collect::<String>());
        let target = match name.parse::<Target>() {
            Ok(Target::Attribute(name)) if Target::Attribute(String::new()).is_of(self.kind) => match validate_name(&name) {
                Ok(name) => Target::Attribute(name),
                Err(error) => return self.refuse(&field, error.code, error.message),
            },
            Ok(target) if target.is_of(self.kind) => target,
            _ => {
                let message = "This kind of import has no such field. Use one that docs/imports.md lists; a column of your own is attributes.<name>, of a contact.";
                return self.refuse(&field, FieldErrorCode::Invalid, message);
            }
        };
        let values = match (&target, value) {
            (Target::AlternatePhones, Value::Array(values)) => values.as_slice(),
            (_, value) => std::slice::from_ref(value),
        };
        if values.len() > MAX_ALTERNATE_PHONES {
            let message = format!("A contact has at most {MAX_ALTERNATE_PHONES} further numbers. Leave some out.");
            return self.refuse(&field, FieldErrorCode::LimitExceeded, message);
        }
        let (rank, name) = (rank(&target), target.to_string());
        for (number, value) in values.iter().enumerate() {
            let Some(text) = text_of(value) else {
                return self.refuse(&field, FieldErrorCode::Invalid, "The value is no single one. Give text, a number, true, false or null.");
            };
            if text.contains('\0') {
                return self.refuse(&field, FieldErrorCode::Invalid, "The text has NUL characters. Remove them.");
            }
            if cells.insert(Place { rank, name: name.clone(), number }, cell(&text, &target)).is_some() {
                return self.refuse(&field, FieldErrorCode::Conflict, "The row gives this field twice. Give it once.");
            }
        }
    }
}

/// Where a field stands among the others.
fn rank(target: &Target) -> usize {
    NAMED.iter().position(|(named, _)| named == target).unwrap_or(NAMED.len())
}

/// What a value says; none when it isn't a single one.
fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => Some(Cow::Borrowed("")),
        Value::Bool(answer) => Some(Cow::Borrowed(if *answer { "true" } else { "false" })),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The cell from which a text is read as it is: nobody meant an apostrophe in front of it for a spreadsheet.
fn cell(text: &str, target: &Target) -> String {
    let is_blank: fn(&str) -> bool = if matches!(target, Target::FirstName | Target::LastName | Target::Name) { is_blank_name } else { is_blank_word };
    let text = text.trim();
    if from_cell(text, is_blank) == text { text.to_owned() } else { format!("'{text}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::read_rows;
    use super::*;

    fn given(rows: &Value) -> Result<GivenRows, Vec<FieldError>> {
        given_rows(rows.as_array().unwrap(), ImportKind::Contacts)
    }

    fn refused_of(kind: ImportKind, rows: &Value) -> Vec<(String, FieldErrorCode)> {
        given_rows(rows.as_array().unwrap(), kind).unwrap_err().into_iter().map(|error| (error.field, error.code)).collect()
    }

    fn refused(rows: &Value) -> Vec<(String, FieldErrorCode)> {
        refused_of(ImportKind::Contacts, rows)
    }

    fn is(field: &str, code: FieldErrorCode) -> (String, FieldErrorCode) {
        (field.to_owned(), code)
    }

    /// The cells of the rows, as an import reads them from the file.
    fn cells(given: &GivenRows) -> Vec<Vec<String>> {
        let part = |start: u64, end: u64| &given.file[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()];
        let rows = given.plan.chunks.iter().flat_map(|range| read_rows(part(range.start, range.end), &given.dialect, range.first_row));
        rows.enumerate()
            .map(|(index, row)| {
                assert_eq!((row.number, row.problem), (index as u64 + 1, None));
                row.cells
            })
            .collect()
    }

    #[test]
    fn what_is_too_much_is_refused_with_the_remedy() {
        use FieldErrorCode::{Blank, LimitExceeded, TooLong};
        assert_eq!(refused(&json!([])), [is("rows", Blank)]);
        assert_eq!(refused(&json!(vec![json!({ "phone": "1" }); 1_001])), [is("rows", LimitExceeded)]);
        assert_eq!(refused(&json!(vec![json!({ "phone": "1", "city": "x".repeat(5_000) }); 1_000])), [is("rows", LimitExceeded)]);
        assert_eq!(refused(&json!([{ "phone": "1" }, { "phone": "1", "city": "x".repeat(1_048_576) }])), [is("rows.1", TooLong)]);
        let many: serde_json::Map<String, Value> = (0..500).map(|number| (format!("attributes.a{number}"), json!(1))).collect();
        assert_eq!(refused(&json!([{ "phone": "1" }, many])), [is("rows", LimitExceeded)]);
        assert_eq!(refused(&json!([{ "phone": "1", "alternatePhones": ["1", "2", "3", "4", "5", "6"] }])), [is("rows.0.alternatePhones", LimitExceeded)]);
    }

    #[test]
    fn what_is_no_row_no_field_or_no_value_is_refused_where_it_stands() {
        use FieldErrorCode::{Blank, Conflict, Invalid};
        let rows = json!([
            "514-555-0123",
            { "phone": ["1"], "colour": "red", "role": "agent", "attributes": { "note": { "a": 1 }, "PK": "x" } },
            { "phone": "a\u{0}b", "alternatePhones": [["1"]], "attributes": "red" },
            { "phone": "1", "attributes": { "note": "a" }, "attributes. note": "b" },
        ]);
        assert_eq!(
            refused(&rows),
            [
                is("rows.0", Invalid),
                is("rows.1.attributes.PK", Invalid),
                is("rows.1.attributes.note", Invalid),
                is("rows.1.colour", Invalid),
                is("rows.1.phone", Invalid),
                is("rows.1.role", Invalid),
                is("rows.2.alternatePhones", Invalid),
                is("rows.2.attributes", Invalid),
                is("rows.2.phone", Invalid),
                is("rows.3.attributes. note", Conflict),
            ]
        );
        let long = "x".repeat(200);
        let error = refused(&json!([{ long: 1 }])).remove(0);
        assert_eq!(error.0.len(), "rows.0.".len() + LONGEST_FIELD);
        let blank = json!([{}, { "phone": null }, { "phone": " ", "city": "\",\" ", "attributes": null }, { "city": "Laval" }]);
        assert_eq!(refused(&blank), [is("rows.0", Blank), is("rows.1", Blank), is("rows.2", Blank)]);
    }

    #[test]
    fn no_more_than_twenty_errors_are_told() {
        assert_eq!(refused(&json!(vec![json!({ "a": 1, "b": 1, "c": 1 }); 100])).len(), 20);
    }

    #[test]
    fn a_field_that_no_row_can_do_without_is_asked_for() {
        assert_eq!(refused(&json!([{ "name": "Zoé" }])), [is("rows", FieldErrorCode::Blank)]);
        let error = given_rows(&[json!({ "team": "Est" })], ImportKind::Agents).unwrap_err().remove(0);
        assert_eq!(error.message, "No row gives email and name, which this kind of import needs. Give it in each row.");
        assert_eq!(refused_of(ImportKind::Suppressions, &json!([{ "phone": "1", "attributes": { "a": 1 } }])), [is("rows.0.attributes.a", FieldErrorCode::Invalid)]);
    }

    #[test]
    fn columns_stand_in_the_order_of_the_fields_and_say_what_they_are() {
        let given = given(&json!([
            { "city": "Laval", "phone": 5_145_550_123_u64, "attributes.b": true, "doNotCall": false },
            { "attributes": { "a": 7.5, "b": null }, "alternatePhones": ["514-555-0124", null, "514-555-0125"], "phone": "514-555-0126" },
            { "phone": "514-555-0127", "alternatePhones": "514-555-0128" },
        ]))
        .unwrap();
        let columns: Vec<&str> = given.mapping.iter().map(|column| column.column.as_str()).collect();
        assert_eq!(columns, ["phone", "alternatePhones", "alternatePhones", "alternatePhones", "city", "doNotCall", "attributes.a", "attributes.b"]);
        assert!(given.mapping.iter().all(|column| column.field.as_ref().map(ToString::to_string).as_ref() == Some(&column.column)));
        assert_eq!(
            cells(&given),
            [
                ["5145550123", "", "", "", "Laval", "false", "", "true"],
                ["514-555-0126", "514-555-0124", "", "514-555-0125", "", "", "7.5", ""],
                ["514-555-0127", "514-555-0128", "", "", "", "", "", ""],
            ]
        );
        assert_eq!((given.plan.rows, given.dialect.columns), (3, 8));
    }

    #[test]
    fn the_same_rows_are_the_same_file_in_whatever_order_their_fields_come() {
        let one = given(&json!([{ "phone": "1", "attributes": { "a": "x" } }])).unwrap();
        assert_eq!(one, given(&json!([{ "attributes.a": "x", "phone": "1" }])).unwrap());
    }

    #[test]
    fn a_formula_is_a_text_and_a_word_for_nothing_says_nothing() {
        let given = given(&json!([{ "phone": "+15145550123", "name": "=1+1", "city": "'=1", "region": "'N/A", "address": "N/A", "source": "'t Hooft" }])).unwrap();
        assert_eq!(cells(&given), [["+15145550123", "=1+1", "N/A", "''=1", "''N/A", "'t Hooft"]]);
    }

    proptest! {
        /// What an import reads from the file is what was given, and rows are counted as they were given.
        #[test]
        fn every_text_comes_through(texts in proptest::collection::vec(("['=+@\\-]{0,3}([ -~]|\r|\n|\t|,|\"|;|é|N/A|null|\\PC){0,10}", "['\\-]{0,2}(Nan|null|-|x)?"), 1..20)) {
            let rows: Vec<Value> = texts.iter().map(|(text, name)| json!({ "phone": "1", "attributes": { "text": text }, "name": name })).collect();
            let given = given_rows(&rows, ImportKind::Contacts).unwrap();
            prop_assert_eq!(given.plan.rows, texts.len() as u64);
            for (row, (text, name)) in cells(&given).iter().zip(&texts) {
                for (cell, text, is_blank) in [(&row[2], text, is_blank_word as fn(&str) -> bool), (&row[1], name, is_blank_name as fn(&str) -> bool)] {
                    prop_assert_eq!(is_blank(cell), is_blank(text));
                    prop_assert!(is_blank(text) || from_cell(cell.trim(), is_blank) == text.trim(), "{:?} was read from {:?}", text, cell);
                }
            }
        }
    }
}
