//! A row of an import of numbers that must not be called: what its cells say, and what that does to the entry there is.

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::contact_row::value_of;
use super::mapping::{ColumnMapping, Target};
use super::next_contact::local;
use super::options::{BlankCells, ImportOptions, OnDeleted, OnExisting};
use super::record::Import;
use super::rows::{Row, RowProblem};
use crate::actor::Actor;
use crate::contact::{OnInvalid, RowWrite, Warning, country};
use crate::field_error::{FieldError, FieldErrorCode};
use crate::phone::{self, Phone};
use crate::suppression::{self, SOURCE_LENGTH, Suppression};
use crate::text;

/// The first year of which a list may tell.
const EARLIEST_YEAR: i16 = 1990;

/// What a row says of a number, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SuppressionRow {
    /// The number.
    pub phone: String,
    /// The country it is dialled in.
    pub country: Option<String>,
    /// Why it is on the list.
    pub reason: Option<String>,
    /// Where the entry comes from.
    pub source: Option<String>,
    /// Since when it is on the list that it comes from.
    pub listed_at: Option<String>,
    /// Whether the reason is emptied: its cell is blank, and blank cells clear.
    pub empties_reason: bool,
    /// Whether the day is, likewise.
    pub empties_listed_at: bool,
}

/// The checked values of a row. Of reason and day: a value, nothing, or no word of it.
#[derive(Debug, Clone, PartialEq)]
pub struct SuppressionValues {
    /// The number.
    pub phone: Phone,
    /// Why it is on the list.
    pub reason: Option<Option<String>>,
    /// Where the entry comes from, when the row says so.
    pub source: Option<String>,
    /// Since when it is on the list that it comes from.
    pub listed_at: Option<Option<Date>>,
}

/// What the entry of a number is to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuppressionEntry {
    /// Why it is on the list.
    pub reason: Option<String>,
    /// Where the entry comes from.
    pub source: String,
    /// Since when it is on the list that it comes from.
    pub listed_at: Option<Date>,
}

/// What is to be done with a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SuppressionDecision {
    /// It comes on the list, for the first time.
    Add(SuppressionEntry),
    /// It comes on the list again.
    AddAgain(SuppressionEntry),
    /// It is on the list, and its entry is to say this.
    Describe(SuppressionEntry),
    /// Its entry says that already.
    Unchanged,
    /// Its entry is to stay as it is.
    Skipped,
    /// The row can't be used.
    Refused(FieldError),
    /// This very row was written before, with this outcome; only count it.
    Done(RowWrite),
}

/// What a row says of a number. A blank cell, which one that a short row doesn't have is too, takes its column's default; without one it says nothing, and empties
/// reason and day when `options` say so.
///
/// # Errors
/// What is wrong with the row as it is written.
pub fn to_suppression(row: &Row, mapping: &[ColumnMapping], options: &ImportOptions) -> Result<SuppressionRow, RowProblem> {
    if let Some(problem) = row.problem {
        return Err(problem);
    }
    let mut said = SuppressionRow::default();
    for (index, column) in mapping.iter().enumerate() {
        let Some(target) = &column.field else { continue };
        let value = value_of(column, target, row.cells.get(index).map(String::as_str)).map(str::to_owned);
        let empties = value.is_none() && options.blank_cells == BlankCells::Clear;
        match target {
            Target::Phone => said.phone = value.unwrap_or_default(),
            Target::Country => said.country = value,
            Target::Source => said.source = value,
            Target::Reason => (said.reason, said.empties_reason) = (value, empties),
            Target::ListedAt => (said.listed_at, said.empties_listed_at) = (value, empties),
            // Those of other kinds of import, which a mapping of numbers doesn't have.
            _ => {}
        }
    }
    Ok(said)
}

impl SuppressionRow {
    /// Checks every value. Only the number is needed: any other that isn't valid is left out with a warning, unless such values refuse the row. `default_country` is
    /// where the number is dialled when the row doesn't say; `now` is that of the import's beginning, so that a row says the same however often it is read.
    ///
    /// # Errors
    /// All that is wrong, each with its field.
    pub fn validate(&self, default_country: &str, on_invalid: OnInvalid, now: Timestamp) -> Result<(SuppressionValues, Vec<Warning>), Vec<FieldError>> {
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        let mut aside = |error: FieldError, value: Option<&str>| match on_invalid {
            OnInvalid::Warn => warnings.push(Warning { error, value: value.map(str::to_owned) }),
            OnInvalid::Fail => errors.push(error),
        };
        let mut optional = |given: Option<&str>, rule: &dyn Fn(&str) -> Result<Option<String>, FieldError>| {
            given.map(rule).transpose().map_err(|error| aside(error, given)).ok().flatten().flatten()
        };
        let country = optional(self.country.as_deref(), &|value| country("country", value));
        let reason = optional(self.reason.as_deref(), &|value| suppression::reason("reason", value));
        let source = optional(self.source.as_deref(), &|value| text::line("source", value, SOURCE_LENGTH));
        let listed_at = match self.listed_at.as_deref().map(|cell| listed_at(cell, now)).transpose() {
            Ok(day) => day,
            Err(error) => {
                aside(error, self.listed_at.as_deref());
                None
            }
        };
        match phone::parse("phone", &self.phone, country.as_deref().unwrap_or(default_country)) {
            Ok(phone) if errors.is_empty() => {
                let reason = reason.map(Some).or_else(|| self.empties_reason.then_some(None));
                let listed_at = listed_at.map(Some).or_else(|| self.empties_listed_at.then_some(None));
                Ok((SuppressionValues { phone, reason, source, listed_at }, warnings))
            }
            Ok(_) => Err(errors),
            Err(error) => Err(std::iter::once(error).chain(errors).collect()),
        }
    }

    /// What the row says in the field that an error names, as it came.
    #[must_use]
    pub fn text_of(&self, field: &str) -> Option<&str> {
        match field {
            "phone" => Some(self.phone.as_str()).filter(|phone| !phone.is_empty()),
            "country" => self.country.as_deref(),
            "reason" => self.reason.as_deref(),
            "source" => self.source.as_deref(),
            "listedAt" => self.listed_at.as_deref(),
            _ => None,
        }
    }
}

/// The day that a cell says: in digits with a separator, as next contacts have it, or in eight digits without one, the year first. A time behind it doesn't count.
///
/// # Errors
/// `INVALID` for anything else, before 1990, and in the future.
fn listed_at(cell: &str, now: Timestamp) -> Result<Date, FieldError> {
    let refused = |message: &str| FieldError::new("listedAt", FieldErrorCode::Invalid, message);
    let cell = cell.trim();
    let day = match cell.parse::<Timestamp>() {
        // As the list's own clocks showed it.
        Ok(_) => cell.get(..10).and_then(|day| day.parse::<Date>().ok()),
        Err(_) => compact(cell).or_else(|| local(cell).map(|local| local.date())),
    };
    let day = day.ok_or_else(|| refused("listedAt is not a date that reads only one way. Write it as 2026-11-02."))?;
    // Somewhere it is tomorrow already.
    let last = Offset::UTC.to_datetime(now + SignedDuration::from_hours(24)).date();
    if day.year() < EARLIEST_YEAR || day > last {
        return Err(refused("listedAt is before 1990 or in the future. Give the day on which the number came on the list."));
    }
    Ok(day)
}

/// A day in eight digits.
fn compact(cell: &str) -> Option<Date> {
    let is_written_so = cell.len() == 8 && cell.bytes().all(|byte| byte.is_ascii_digit());
    let written = is_written_so.then(|| format!("{}-{}-{}", &cell[..4], &cell[4..6], &cell[6..]))?;
    written.parse().ok()
}

/// Where entries come from of which a row doesn't say it: the saved mapping of the import, else the name of its file, as far as it fits.
#[must_use]
pub fn default_source(import: &Import) -> String {
    let named = import.profile.as_ref().unwrap_or(&import.file_name);
    let cut: String = named.chars().filter(|character| !character.is_control()).take(SOURCE_LENGTH).collect();
    let cut = cut.trim();
    if cut.is_empty() { suppression::MANUAL.to_owned() } else { cut.to_owned() }
}

/// Decides what a row does to the entry of its number, which may not exist. It takes no number off the list.
///
/// A row leaves no mark. Of an import only one row is about a number, so an entry that this import made, that row made, whatever became of it since; and one that
/// it changed last, that row changed. `redelivered` says that the row may have been handled before without either: what somebody changed since the writing
/// began is newer then, and stays.
#[must_use]
pub fn decide_suppression(import: &Import, values: &SuppressionValues, existing: Option<&Suppression>, redelivered: bool) -> SuppressionDecision {
    let new = || SuppressionEntry {
        reason: values.reason.clone().flatten(),
        source: values.source.clone().unwrap_or_else(|| default_source(import)),
        listed_at: values.listed_at.flatten(),
    };
    let Some(existing) = existing else {
        return SuppressionDecision::Add(new());
    };
    let import_itself = Actor::import(import.id, &import.file_name);
    if existing.record.created_by == import_itself {
        return SuppressionDecision::Done(RowWrite::Created);
    }
    if existing.record.last_change.origin.actor == import_itself {
        return SuppressionDecision::Done(RowWrite::Updated);
    }
    let is_newer = redelivered && import.writing_since.is_some_and(|since| existing.record.updated_at() > since);
    if !existing.is_in_force() {
        return match import.options.on_deleted {
            OnDeleted::Skip => SuppressionDecision::Skipped,
            OnDeleted::Restore if is_newer => SuppressionDecision::Unchanged,
            OnDeleted::Restore => SuppressionDecision::AddAgain(new()),
        };
    }
    match import.options.on_existing {
        OnExisting::Update => {}
        OnExisting::Skip => return SuppressionDecision::Skipped,
        OnExisting::Fail => {
            let message = "This number is on the list already. Leave the row out, or let the import change the entries there are.";
            return SuppressionDecision::Refused(FieldError::new("phone", FieldErrorCode::Conflict, message));
        }
    }
    let entry = SuppressionEntry {
        reason: values.reason.clone().unwrap_or_else(|| existing.reason.clone()),
        source: values.source.clone().unwrap_or_else(|| existing.source.clone()),
        listed_at: values.listed_at.unwrap_or(existing.listed_at),
    };
    let is_said = entry.reason == existing.reason && entry.source == existing.source && entry.listed_at == existing.listed_at;
    if is_said || is_newer { SuppressionDecision::Unchanged } else { SuppressionDecision::Describe(entry) }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::option;
    use proptest::prelude::*;

    use super::super::record::{ImportKind, ImportSourceType, NewImport};
    use super::super::{map_columns, read_rows, sniff};
    use super::*;
    use crate::change::{Change, Origin};
    use crate::ids::{ContactId, ImportId, SuppressionId};

    const NUMBER: &str = "514-555-0123";

    fn at(second: i64) -> Timestamp {
        "2026-11-21T12:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(second)
    }

    fn import(options: ImportOptions) -> Import {
        let new = NewImport {
            id: ImportId::new(at(0), &[1; 10]),
            kind: ImportKind::Suppressions,
            source_type: ImportSourceType::Csv,
            source_platform: "n/a".to_owned(),
            file_name: "dncl.csv".to_owned(),
            file_bytes: 1,
            file_key: "drop/demo/dncl.csv".to_owned(),
            file_tag: "tag".to_owned(),
            change: Change::new("import.created", at(0), Origin::system()),
        };
        Import { options, writing_since: Some(at(100)), ..Import::new(new) }
    }

    fn values() -> SuppressionValues {
        SuppressionValues { phone: phone::parse("phone", NUMBER, "CA").unwrap(), reason: None, source: None, listed_at: None }
    }

    /// An entry that somebody made before the import.
    fn entry() -> Suppression {
        let (id, slot) = (SuppressionId::from_hash(&[1; 32]), ContactId::from_hash(&[2; 32]));
        let change = Change::new("suppression.added", at(0), Origin::system());
        Suppression::added(id, slot, Some("asked".to_owned()), "manual".to_owned(), change).listed_since(Some(date(2026, 1, 2)))
    }

    fn changed(entry: &Suppression, at: Timestamp, origin: Origin) -> Suppression {
        Suppression { record: entry.record.changed(Change::new("suppression.updated", at, origin)), ..entry.clone() }
    }

    fn off(entry: &Suppression, at: Timestamp) -> Suppression {
        entry.removed("phone", "a mistake".to_owned(), Change::new("suppression.removed", at, Origin::system())).unwrap()
    }

    fn decided(values: &SuppressionValues, existing: &Suppression) -> SuppressionDecision {
        decide_suppression(&import(ImportOptions::default()), values, Some(existing), false)
    }

    /// What the rows of a file say, its columns mapped by their names.
    fn said(text: &str, options: &ImportOptions) -> Vec<SuppressionRow> {
        let beginning = sniff(text.as_bytes(), true, "CA").unwrap();
        let mapping = map_columns(&beginning.columns, ImportKind::Suppressions);
        let body = text.split_once('\n').unwrap().1;
        read_rows(body.as_bytes(), &beginning.dialect, 1).map(|row| to_suppression(&row, &mapping, options).unwrap()).collect()
    }

    #[test]
    fn without_its_number_a_row_is_of_no_use_and_all_that_is_wrong_is_named() {
        let row = said("phone,reason,source,listed at\n,a,b,2026-11-02\n", &ImportOptions::default()).remove(0);
        let errors = row.validate("CA", OnInvalid::Warn, at(0)).unwrap_err();
        assert_eq!((errors[0].field.as_str(), errors[0].code, errors.len()), ("phone", FieldErrorCode::Blank, 1));
        let wrong = SuppressionRow {
            phone: "12".to_owned(),
            country: Some("Atlantis".to_owned()),
            reason: Some("x".repeat(1_001)),
            source: Some("y".repeat(101)),
            listed_at: Some("soon".to_owned()),
            ..SuppressionRow::default()
        };
        let fields: Vec<String> = wrong.validate("CA", OnInvalid::Fail, at(0)).unwrap_err().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["phone", "country", "reason", "source", "listedAt"]);
        assert_eq!((wrong.text_of("phone"), wrong.text_of("listedAt"), wrong.text_of("name")), (Some("12"), Some("soon"), None));
    }

    #[test]
    fn any_other_value_that_is_not_valid_is_left_out_and_the_number_stays_on_the_list() {
        let row = SuppressionRow { phone: NUMBER.to_owned(), country: Some("Atlantis".to_owned()), listed_at: Some("2/11/2026".to_owned()), ..SuppressionRow::default() };
        let (values, warnings) = row.validate("CA", OnInvalid::Warn, at(0)).unwrap();
        assert_eq!((values.phone.e164.as_str(), values.listed_at), ("+15145550123", None));
        let fields: Vec<(&str, Option<&str>)> = warnings.iter().map(|warning| (warning.error.field.as_str(), warning.value.as_deref())).collect();
        assert_eq!(fields, [("country", Some("Atlantis")), ("listedAt", Some("2/11/2026"))]);
    }

    #[test]
    fn a_day_reads_one_way_and_is_not_to_come() {
        for wrong in ["2/11/2026", "soon", "2026", "20261302", "2026-02-30", "1989-12-31", "2026-11-23", "20270101", "2026-11-02 maybe"] {
            let error = listed_at(wrong, at(0)).unwrap_err();
            assert_eq!((error.field.as_str(), error.code), ("listedAt", FieldErrorCode::Invalid), "{wrong}");
        }
        for cell in ["2026-11-02", "2026/11/2", "20261102", " 2026-11-02 10:30 ", "2026-11-02T23:30:00-05:00", "2026-11-02T00:00:00Z"] {
            assert_eq!(listed_at(cell, at(0)), Ok(date(2026, 11, 2)), "{cell}");
        }
        assert_eq!(listed_at("22/11/2026", at(0)), Ok(date(2026, 11, 22)), "somewhere it is tomorrow already");
    }

    #[test]
    fn a_number_is_read_as_dialled_in_the_country_of_its_row() {
        let rows = said("phone;country;reason;source;date\n01 42 68 53 00;FR;courrier;lnnte;2026-11-02\n514-555-0123\n", &ImportOptions::default());
        let read = |row: &SuppressionRow| row.validate("CA", OnInvalid::Fail, at(0)).unwrap().0;
        let french = read(&rows[0]);
        assert_eq!((french.phone.e164.as_str(), french.source.as_deref()), ("+33142685300", Some("lnnte")));
        assert_eq!((french.reason, french.listed_at), (Some(Some("courrier".to_owned())), Some(Some(date(2026, 11, 2)))));
        let short = read(&rows[1]);
        assert_eq!((short.phone.e164.as_str(), short.reason, short.source, short.listed_at), ("+15145550123", None, None, None));
    }

    #[test]
    fn blank_cells_empty_reason_and_day_only_when_they_clear() {
        let text = "phone,reason,source,listed at\n514-555-0123,,,-\n";
        let read = |options: &ImportOptions| said(text, options).remove(0).validate("CA", OnInvalid::Warn, at(0)).unwrap().0;
        assert_eq!(read(&ImportOptions::default()), values());
        let cleared = read(&ImportOptions { blank_cells: BlankCells::Clear, ..ImportOptions::default() });
        assert_eq!((cleared.reason, cleared.source, cleared.listed_at), (Some(None), None, Some(None)));
    }

    #[test]
    fn an_entry_that_is_there_stays_or_costs_the_row_when_the_options_say_so() {
        let with = |on_existing| import(ImportOptions { on_existing, on_deleted: OnDeleted::Skip, ..ImportOptions::default() });
        assert_eq!(decide_suppression(&with(OnExisting::Skip), &values(), Some(&entry()), false), SuppressionDecision::Skipped);
        let SuppressionDecision::Refused(error) = decide_suppression(&with(OnExisting::Fail), &values(), Some(&entry()), false) else { panic!("not refused") };
        assert_eq!((error.field.as_str(), error.code), ("phone", FieldErrorCode::Conflict));
        assert_eq!(decide_suppression(&with(OnExisting::Update), &values(), Some(&off(&entry(), at(1))), false), SuppressionDecision::Skipped);
    }

    #[test]
    fn what_the_row_does_not_say_stays_of_an_entry_in_force_and_not_of_one_that_was_taken_off() {
        assert_eq!(decided(&values(), &entry()), SuppressionDecision::Unchanged);
        let sourced = SuppressionValues { source: Some("dncl".to_owned()), ..values() };
        let described = SuppressionEntry { reason: Some("asked".to_owned()), source: "dncl".to_owned(), listed_at: Some(date(2026, 1, 2)) };
        assert_eq!(decided(&sourced, &entry()), SuppressionDecision::Describe(described));
        let fresh = SuppressionEntry { reason: None, source: "dncl.csv".to_owned(), listed_at: None };
        assert_eq!(decided(&values(), &off(&entry(), at(1))), SuppressionDecision::AddAgain(fresh.clone()));
        assert_eq!(decide_suppression(&import(ImportOptions::default()), &values(), None, false), SuppressionDecision::Add(fresh));
    }

    #[test]
    fn a_row_that_comes_again_overwrites_nothing_newer() {
        let import = import(ImportOptions::default());
        let other = SuppressionValues { source: Some("dncl".to_owned()), ..values() };
        let (since, off) = (changed(&entry(), at(150), Origin::system()), off(&entry(), at(150)));
        for newer in [&since, &off] {
            assert_eq!(decide_suppression(&import, &other, Some(newer), true), SuppressionDecision::Unchanged);
        }
        assert!(matches!(decide_suppression(&import, &other, Some(&since), false), SuppressionDecision::Describe(_)));
        assert!(matches!(decide_suppression(&import, &other, Some(&off), false), SuppressionDecision::AddAgain(_)));
    }

    #[test]
    fn an_entry_comes_from_the_profile_or_the_file_as_far_as_the_name_fits() {
        let import = import(ImportOptions::default());
        let named = |name: &str| default_source(&Import { file_name: name.to_owned(), ..import.clone() });
        assert_eq!(default_source(&Import { profile: Some("dncl".to_owned()), ..import.clone() }), "dncl");
        assert_eq!((named("a\tb.csv"), named(" \n "), named(&"é".repeat(150)).chars().count()), ("ab.csv".to_owned(), "manual".to_owned(), 100));
    }

    proptest! {
        #[test]
        fn a_row_that_was_written_is_counted_as_before_whatever_it_says(source in option::of("[a-z]{1,9}"), redelivered in any::<bool>(), is_off in any::<bool>()) {
            let import = import(ImportOptions { on_existing: OnExisting::Fail, ..ImportOptions::default() });
            let ours = || Origin::import(import.id, &import.file_name);
            let values = SuppressionValues { source, ..values() };
            let made = Suppression::added(entry().id, entry().slot, None, "dncl.csv".to_owned(), Change::new("suppression.added", at(150), ours()));
            let made = if is_off { off(&made, at(160)) } else { made };
            prop_assert_eq!(decide_suppression(&import, &values, Some(&made), redelivered), SuppressionDecision::Done(RowWrite::Created));
            let described = changed(&entry(), at(150), ours());
            prop_assert_eq!(decide_suppression(&import, &values, Some(&described), redelivered), SuppressionDecision::Done(RowWrite::Updated));
        }

        #[test]
        fn no_cell_is_too_strange(cell in "[0-9:/.TZ +\\-é]{0,30}|\\PC{0,20}") {
            if let Ok(day) = listed_at(&cell, at(0)) {
                prop_assert!(day.year() >= EARLIEST_YEAR && day <= date(2026, 11, 22));
            }
        }
    }
}
