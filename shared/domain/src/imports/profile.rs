//! A mapping that is kept under a name, and used for other files that are made like the one it was made for.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::dialect::MOST_COLUMNS;
use super::mapping::{ColumnMapping, EXACT, OWN, Target, attribute_at};
use super::options::ImportOptions;
use super::record::ImportKind;
use crate::audit::{Audited, Fields};
use crate::change::{Change, Origin, Revisioned};
use crate::contact::MAX_ALTERNATE_PHONES;
use crate::field_error::{FieldError, FieldErrorCode};
use crate::text::fold;

/// Most profiles of a tenant, deleted ones not counted.
pub const MOST_PROFILES: usize = 100;
/// Longest name, in characters.
const NAME_LENGTH: usize = 50;
/// Longest folded name, in bytes.
const KEY_BYTES: usize = 200;
/// What the columns take at most, in bytes of JSON, so that the event of a change fits one item.
const MOST_BYTES: usize = 100 * 1024;
/// Where a client gives a name.
const FIELD: &str = "saveAsProfile";

/// What tells a tenant's profiles apart: the name without capitals and accents.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProfileKey(String);

impl ProfileKey {
    /// The key of a name; none for one that no profile can have.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        checked_name(name).ok().map(|(_, key)| key)
    }

    /// Reads a key as it is displayed; none for a text that can't be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_key = !text.is_empty() && text.len() <= KEY_BYTES && text.chars().all(is_in_names);
        is_key.then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for ProfileKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a name is made of. It names a folder, too.
fn is_in_names(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, ' ' | '-' | '_' | '.')
}

/// The name in its one form, and its key. Accents may come as characters of their own, as some file systems write them.
fn checked_name(given: &str) -> Result<(String, ProfileKey), FieldError> {
    let name: String = given.trim().nfc().collect();
    if name.is_empty() {
        return Err(FieldError::new(FIELD, FieldErrorCode::Blank, "saveAsProfile is empty. Give the mapping a name, or leave it out."));
    }
    if name.chars().count() > NAME_LENGTH {
        return Err(FieldError::new(FIELD, FieldErrorCode::TooLong, "saveAsProfile is longer than 50 characters. Shorten it."));
    }
    let is_folder = !name.starts_with('.') && name.chars().all(|character| is_in_names(character) || is_combining_mark(character));
    match ProfileKey::parse(&fold(&name)).filter(|_| is_folder) {
        Some(key) => Ok((name, key)),
        None => {
            let message = "saveAsProfile names a folder: it has letters, digits, spaces, hyphens, underscores and points, and doesn't begin with a point. Change it.";
            Err(FieldError::new(FIELD, FieldErrorCode::Invalid, message))
        }
    }
}

/// What becomes of a column of this name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileColumn {
    /// Its name in the header.
    pub column: String,
    /// The field its values become; none leaves it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<Target>,
    /// The value that a blank cell of it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// A mapping that is to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileInput {
    /// What tells it from others.
    pub key: ProfileKey,
    /// Its name.
    pub name: String,
    /// What the rows of its files become.
    pub kind: ImportKind,
    /// The columns, in the order of the file that it was made for.
    pub columns: Vec<ProfileColumn>,
    /// What is done with rows that leave a choice.
    pub options: ImportOptions,
}

/// A mapping that is kept under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// What tells it from others, and names it in the audit trail.
    pub key: ProfileKey,
    /// What all records have.
    pub record: Revisioned,
    /// Its name, which a folder of dropped files can have.
    pub name: String,
    /// What the rows of its files become.
    pub kind: ImportKind,
    /// The columns, in the order of the file that it was made for; none once it was deleted.
    pub columns: Vec<ProfileColumn>,
    /// What is done with rows that leave a choice.
    pub options: ImportOptions,
    /// Set when it was deleted. The record stays, and is the same one when a mapping is kept under this name again.
    pub deleted_at: Option<Timestamp>,
}

impl Profile {
    /// A mapping that is to be kept under this name.
    ///
    /// # Errors
    /// Of `saveAsProfile`: `BLANK`, `TOO_LONG` and `INVALID` for a name; `LIMIT_EXCEEDED` for a mapping of more than 500 columns, or of more than 100 KB.
    pub fn of(name: &str, kind: ImportKind, mapping: &[ColumnMapping], options: &ImportOptions) -> Result<ProfileInput, FieldError> {
        let (name, key) = checked_name(name)?;
        let kept = |column: &ColumnMapping| ProfileColumn { column: column.column.clone(), field: column.field.clone(), default: column.default.clone() };
        let columns: Vec<ProfileColumn> = mapping.iter().map(kept).collect();
        if columns.len() > MOST_COLUMNS {
            return Err(FieldError::new(FIELD, FieldErrorCode::LimitExceeded, "A mapping of more than 500 columns can't be kept. Remove columns from the file."));
        }
        if serde_json::to_vec(&columns).map_or(usize::MAX, |json| json.len()) > MOST_BYTES {
            let message = "The mapping takes more than 100 KB, so it can't be kept. Shorten the defaults of its columns, and their names.";
            return Err(FieldError::new(FIELD, FieldErrorCode::LimitExceeded, message));
        }
        Ok(ProfileInput { key, name, kind, columns, options: options.clone() })
    }

    /// The profile once a mapping is kept under its name: a new one, or the one that is there and says now what is given. None when it says that already.
    #[must_use]
    pub fn saved(before: Option<&Self>, input: ProfileInput, at: Timestamp, origin: Origin) -> Option<Self> {
        let action = if before.is_some_and(Self::is_live) { "import_profile.updated" } else { "import_profile.created" };
        let change = Change::new(action, at, origin);
        let record = before.map_or_else(|| Revisioned::created(change.clone()), |before| before.record.changed(change.clone()));
        let ProfileInput { key, name, kind, columns, options } = input;
        let after = Self { key, record, name, kind, columns, options, deleted_at: None };
        let is_same = before.is_some_and(|before| Self { record: before.record.clone(), ..after.clone() } == *before);
        (!is_same).then_some(after)
    }

    /// The same profile, deleted by this change. What it said of columns stays in its trail.
    #[must_use]
    pub fn deleted(&self, change: Change) -> Self {
        Self { deleted_at: Some(change.at), columns: Vec::new(), record: self.record.changed(change), ..self.clone() }
    }

    /// Whether files can be imported with it.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.deleted_at.is_none()
    }

    /// What becomes of the columns of a file that map themselves like this. Columns are told by their names, whose capitals and accents don't matter; those that
    /// share a name, by their order. A column that the profile doesn't know maps itself, unless the profile has another for its field: then it becomes an
    /// attribute of a contact, and is left out by other kinds of import.
    #[must_use]
    pub fn applied_to(&self, automatic: Vec<ColumnMapping>) -> Vec<ColumnMapping> {
        let mut known: HashMap<String, VecDeque<&ProfileColumn>> = HashMap::new();
        for column in &self.columns {
            known.entry(folded(&column.column)).or_default().push_back(column);
        }
        let mut mapping = automatic;
        let mut unknown = Vec::new();
        let mut taken: Vec<Target> = Vec::new();
        for (index, column) in mapping.iter_mut().enumerate() {
            match known.get_mut(&folded(&column.column)).and_then(VecDeque::pop_front) {
                Some(kept) => {
                    (column.field, column.confidence, column.default) = (kept.field.clone(), EXACT, kept.default.clone());
                    taken.extend(kept.field.clone());
                }
                None => unknown.push(index),
            }
        }
        for index in unknown {
            let Some(target) = mapping[index].field.take() else { continue };
            let field = if is_free(&target, &taken) {
                Some(target)
            } else {
                mapping[index].confidence = OWN;
                attribute_at(&mapping, index).filter(|attribute| attribute.is_of(self.kind))
            };
            taken.extend(field.clone());
            mapping[index].field = field;
        }
        mapping
    }
}

fn folded(column: &str) -> String {
    fold(column.trim())
}

/// Whether one more column can be this field.
fn is_free(target: &Target, taken: &[Target]) -> bool {
    match target {
        Target::Address | Target::DoNotCall => true,
        Target::AlternatePhones => taken.iter().filter(|other| *other == target).count() < MAX_ALTERNATE_PHONES,
        target => !taken.contains(target),
    }
}

impl Audited for Profile {
    const ENTITY_TYPE: &'static str = "import_profile";

    /// What a default says is left out: it may be an address, or whatever a cell may say.
    fn audit_fields(&self) -> Fields {
        let options = &self.options;
        let mut fields = Fields::from([
            ("name".to_owned(), json!(self.name)),
            ("kind".to_owned(), json!(self.kind)),
            ("onExisting".to_owned(), json!(options.on_existing)),
            ("onDeleted".to_owned(), json!(options.on_deleted)),
            ("blankCells".to_owned(), json!(options.blank_cells)),
            ("onInvalid".to_owned(), json!(options.on_invalid)),
            ("createTeams".to_owned(), json!(options.create_teams)),
        ]);
        if let Some(country) = &options.default_country {
            fields.insert("defaultCountry".to_owned(), json!(country));
        }
        if !self.columns.is_empty() {
            let column = |column: &ProfileColumn| json!({ "column": column.column, "field": column.field, "hasDefault": column.default.is_some() });
            fields.insert("columns".to_owned(), self.columns.iter().map(column).collect());
        }
        if let Some(at) = self.deleted_at {
            fields.insert("deletedAt".to_owned(), json!(format!("{at:.3}")));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::mapping::map_columns;
    use super::super::mapping_check::validate_mapping;
    use super::super::options::OnExisting;
    use super::*;

    fn columns(columns: &[(&str, &str)]) -> Vec<ColumnMapping> {
        let column = |(column, field): &(&str, &str)| ColumnMapping { column: (*column).to_owned(), field: field.parse().ok(), confidence: 0.5, default: None };
        columns.iter().map(column).collect()
    }

    fn header(columns: &[&str]) -> Vec<String> {
        columns.iter().map(|column| (*column).to_owned()).collect()
    }

    fn input(name: &str, mapping: &[ColumnMapping]) -> ProfileInput {
        Profile::of(name, ImportKind::Contacts, mapping, &ImportOptions::default()).unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn saved(before: Option<&Profile>, input: ProfileInput) -> Option<Profile> {
        Profile::saved(before, input, at(60), Origin::system())
    }

    fn profile(mapping: &[ColumnMapping]) -> Profile {
        saved(None, input("weekly", mapping)).unwrap()
    }

    fn fields(mapping: &[ColumnMapping]) -> Vec<String> {
        mapping.iter().map(|column| column.field.as_ref().map_or("-".to_owned(), ToString::to_string)).collect()
    }

    #[test]
    fn a_name_that_no_folder_can_have_is_refused() {
        let refused = |name: &str| {
            let error = Profile::of(name, ImportKind::Contacts, &[], &ImportOptions::default()).unwrap_err();
            assert_eq!(error.field, "saveAsProfile", "{name:?}");
            error.code
        };
        assert_eq!((refused(""), refused(" \t ")), (FieldErrorCode::Blank, FieldErrorCode::Blank));
        assert_eq!(refused(&"é".repeat(51)), FieldErrorCode::TooLong);
        for name in ["a/b", "../x", ".hidden", ".", "a\nb", "a\\b", "a#b", "a:b", "100%", "\u{202e}a", "\u{301}", &"\u{fdfa}".repeat(50)] {
            assert_eq!(refused(name), FieldErrorCode::Invalid, "{name:?}");
            assert_eq!(ProfileKey::of(name), None, "{name:?}");
        }
    }

    #[test]
    fn names_that_differ_in_capitals_and_accents_are_one() {
        let input = input(" Été 2026_b.c-d ", &[]);
        assert_eq!((input.name.as_str(), input.key.to_string().as_str()), ("Été 2026_b.c-d", "ete 2026_b.c-d"));
        for other in ["été 2026_B.C-D", "E\u{301}te\u{301} 2026_b.c-d"] {
            assert_eq!(ProfileKey::of(other), Some(input.key.clone()), "{other}");
        }
        assert!(ProfileKey::of(&"\u{1f}".repeat(3)).is_none() && ProfileKey::of(&"é".repeat(50)).is_some());
    }

    #[test]
    fn a_mapping_that_no_item_holds_is_refused() {
        let refused = |mapping: &[ColumnMapping]| Profile::of("a", ImportKind::Contacts, mapping, &ImportOptions::default()).unwrap_err().code;
        assert_eq!(refused(&vec![columns(&[("note", "-")]).remove(0); 501]), FieldErrorCode::LimitExceeded);
        let long = ColumnMapping { default: Some("x".repeat(1_000)), ..columns(&[("note", "city")]).remove(0) };
        assert_eq!(refused(&vec![long.clone(); 101]), FieldErrorCode::LimitExceeded);
        assert_eq!(input("a", &vec![long; 90]).columns.len(), 90);
    }

    #[test]
    fn what_is_saved_again_changes_the_profile_or_nothing() {
        let first = profile(&columns(&[("Tel", "phone")]));
        assert_eq!((first.record.version, first.record.last_change.action.as_str()), (1, "import_profile.created"));
        assert_eq!(saved(Some(&first), input("weekly", &columns(&[("Tel", "phone")]))), None);
        let renamed = saved(Some(&first), input("Weekly", &columns(&[("Tel", "phone")]))).unwrap();
        assert_eq!((renamed.record.version, renamed.record.last_change.action.as_str(), renamed.name.as_str()), (2, "import_profile.updated", "Weekly"));
        let deleted = renamed.deleted(Change::new("import_profile.deleted", at(120), Origin::system()));
        assert_eq!((deleted.is_live(), deleted.record.version, deleted.columns.len()), (false, 3, 0));
        let again = saved(Some(&deleted), input("weekly", &columns(&[("Tel", "phone")]))).unwrap();
        assert_eq!((again.is_live(), again.record.version, again.record.last_change.action.as_str()), (true, 4, "import_profile.created"));
        assert_eq!((again.record.created_at, &again.key), (at(60), &first.key));
    }

    #[test]
    fn columns_are_told_by_their_names_and_their_order() {
        let kept = columns(&[("Ref", "-"), ("Tél", "phone"), ("Note", "attributes.first"), ("note", "attributes.second"), ("Agent", "assignTo")]);
        let automatic = map_columns(&header(&["AGENT", "NOTE", " tel ", "note", "note", "ref"]), ImportKind::Contacts);
        let applied = profile(&kept).applied_to(automatic);
        assert_eq!(fields(&applied), ["assignTo", "attributes.first", "phone", "attributes.second", "attributes.note (2)", "-"]);
        let sure: Vec<bool> = applied.iter().map(|column| column.confidence >= 1.0).collect();
        assert_eq!(sure, [true, true, true, true, false, true]);
        assert_eq!(applied[2].column, " tel ", "a column keeps its own name");
    }

    #[test]
    fn a_column_whose_field_the_profile_gives_to_another_becomes_an_attribute_or_is_left_out() {
        let kept = columns(&[("Mobile", "phone"), ("Contact", "attributes.city")]);
        let automatic = map_columns(&header(&["Phone", "Mobile", "City", "Contact", "attributes.city", "Address 1", "Address 2"]), ImportKind::Contacts);
        let applied = profile(&kept).applied_to(automatic);
        assert_eq!(fields(&applied), ["attributes.Phone", "phone", "city", "attributes.city", "attributes.attributes.city", "address", "address"]);

        let numbers = profile(&columns(&[("Mobile", "phone")]));
        let numbers = Profile { kind: ImportKind::Suppressions, ..numbers };
        assert_eq!(fields(&numbers.applied_to(map_columns(&header(&["Phone", "Mobile", "Reason"]), ImportKind::Suppressions))), ["-", "phone", "reason"]);
    }

    #[test]
    fn a_default_goes_with_its_column_and_is_not_on_record() {
        let mut kept = columns(&[("Tel", "phone"), ("Owner", "assignTo")]);
        kept[1].default = Some("zoe@example.com".to_owned());
        let profile = profile(&kept);
        let applied = profile.applied_to(map_columns(&header(&["owner", "tel"]), ImportKind::Contacts));
        assert_eq!(applied[0].default.as_deref(), Some("zoe@example.com"));
        let said = serde_json::to_string(&profile.audit_fields()).unwrap();
        assert!(!said.contains("zoe") && said.contains(r#"{"column":"Owner","field":"assignTo","hasDefault":true}"#), "{said}");
    }

    #[test]
    fn options_are_on_record_by_their_names_in_the_api() {
        let options = ImportOptions { on_existing: OnExisting::Skip, default_country: Some("FR".to_owned()), ..ImportOptions::default() };
        let input = Profile::of("weekly", ImportKind::Agents, &[], &options).unwrap();
        let fields = saved(None, input).unwrap().audit_fields();
        let said: Vec<(&str, String)> = fields.iter().map(|(name, value)| (name.as_str(), value.to_string())).collect();
        let text = |text: &str| format!("\"{text}\"");
        let expected = [
            ("blankCells", text("KEEP")),
            ("createTeams", "true".to_owned()),
            ("defaultCountry", text("FR")),
            ("kind", text("AGENTS")),
            ("name", text("weekly")),
            ("onDeleted", text("RESTORE")),
            ("onExisting", text("SKIP")),
            ("onInvalid", text("WARN")),
        ];
        assert_eq!(said, expected);
    }

    fn any_header() -> impl Strategy<Value = Vec<String>> {
        vec("phone|Phone|tél|mobile|mobile 2|dnc|email|note|note \\(2\\)|Note|ville|city|address|attributes\\.note|x||owner", 0..14)
    }

    proptest! {
        #[test]
        fn whatever_the_file_the_mapping_can_be_used_and_no_column_is_lost(kept in any_header(), file in any_header()) {
            let profile = profile(&map_columns(&kept, ImportKind::Contacts));
            let applied = profile.applied_to(map_columns(&file, ImportKind::Contacts));
            prop_assert_eq!(applied.iter().map(|column| column.column.clone()).collect::<Vec<_>>(), file);
            prop_assert_eq!(validate_mapping(&applied, ImportKind::Contacts), Ok(()), "{:?}", fields(&applied));
        }

        #[test]
        fn the_file_it_was_made_for_maps_as_it_was(kept in any_header()) {
            let mapping = map_columns(&kept, ImportKind::Contacts);
            prop_assert_eq!(fields(&profile(&mapping).applied_to(mapping.clone())), fields(&mapping));
        }

        #[test]
        fn every_name_that_is_kept_is_found_again(name in "\\PC{0,60}") {
            if let Ok(input) = Profile::of(&name, ImportKind::Contacts, &[], &ImportOptions::default()) {
                prop_assert_eq!(ProfileKey::of(&input.name), Some(input.key.clone()));
                prop_assert_eq!(ProfileKey::parse(&input.key.to_string()), Some(input.key));
            }
        }
    }
}
