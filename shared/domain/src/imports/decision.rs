//! What a row makes, or does to the contact at its number.

use std::fmt;

use jiff::Timestamp;

use super::contact_row::ValidatedRow;
use super::mapping::Target;
use super::options::{OnDeleted, OnExisting};
use super::record::Import;
use super::row_statuses::RowStatuses;
use crate::contact::{AttributeValue, Attributes, Contact, ContactDetails, Defaults, ImportMark, RowWrite, TimeZoneSource, Warning};
use crate::field_error::{FieldError, FieldErrorCode};
use crate::ids::{AgentId, TeamId};

/// What is to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum RowDecision {
    /// Write the contact with these details.
    Update(Box<ContactDetails>),
    /// The contact already says this.
    Unchanged,
    /// The contact is to stay as it is.
    Skipped(SkipReason),
    /// The contact can't take these values.
    Refused(FieldError),
    /// This very row was written before, with this outcome; only count it.
    Done(RowWrite),
}

/// Why a row was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// The contact is there, and those that are stay as they are.
    Exists,
    /// The contact was deleted, and those that were stay so.
    Deleted,
}

impl fmt::Display for SkipReason {
    /// The stable code.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Exists => "exists",
            Self::Deleted => "deleted",
        })
    }
}

/// Whose a contact becomes: who or what the row names, found out beforehand. With both it is the agent's, because a contact is either an agent's or in a
/// team's pool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resolved {
    /// The agent.
    pub assignee: Option<AgentId>,
    /// The team.
    pub team: Option<TeamId>,
}

impl Resolved {
    /// Whose a contact becomes that is theirs now.
    fn after(self, assignee: Option<AgentId>, team: Option<TeamId>) -> (Option<AgentId>, Option<TeamId>) {
        match (self.assignee, self.team) {
            (Some(agent), _) => (Some(agent), None),
            (None, Some(team)) => (None, Some(team)),
            (None, None) => (assignee, team),
        }
    }
}

impl ValidatedRow {
    /// The details of the contact that the row makes when its number has none.
    #[must_use]
    pub fn into_details(self, resolved: Resolved, defaults: &Defaults, statuses: &RowStatuses) -> ContactDetails {
        let (assignee, team) = resolved.after(None, None);
        let status = statuses.after(statuses.new, self.status, self.asks_not_to_be_called(statuses));
        self.draft.into_details(defaults, status, assignee, team)
    }

    /// Whether the row says that its number must not be called: outright, or by giving the status that says so. Whatever becomes of the contact, unless the row is
    /// left out or refused, its number belongs on the suppression list then.
    #[must_use]
    pub fn asks_not_to_be_called(&self, statuses: &RowStatuses) -> bool {
        self.do_not_call == Some(true) || self.status == Some(statuses.do_not_call)
    }

    /// What the row says in vain of the contact at its number: that who must not be called may be, and another status for who must not be called or was won.
    /// `suppressed` says that the number is on the suppression list, which no import weakens.
    #[must_use]
    pub fn said_in_vain(&self, existing: Option<&Contact>, suppressed: bool, statuses: &RowStatuses) -> Vec<Warning> {
        let current = existing.map(|contact| contact.details.status);
        let is_suppressed = suppressed || existing.is_some_and(|contact| contact.suppressed) || current == Some(statuses.do_not_call);
        let asks = self.asks_not_to_be_called(statuses);
        let weakens = (self.do_not_call == Some(false) && is_suppressed && !asks).then(|| {
            let message = "The number must not be called, and an import doesn't change that. Take it off the suppression list if it may be called again.";
            FieldError::new("doNotCall", FieldErrorCode::Conflict, message)
        });
        let stays = current.filter(|current| !asks && statuses.stays(*current) && self.status.is_some_and(|asked| asked != *current)).map(|_| {
            let message = "The contact was won or must not be called, and an import doesn't give it another status. Change it by hand if it is wrong.";
            FieldError::new("statusCode", FieldErrorCode::Conflict, message)
        });
        [weakens, stays].into_iter().flatten().map(|error| Warning { error, value: None }).collect()
    }
}

/// Decides for one row about the contact at its number, under the options of its import.
///
/// `redelivered` says that this row may have been handled before without leaving a mark (because it changed nothing): then what somebody
/// changed since the writing began is newer than the file and stays.
#[must_use]
pub fn decide(
    import: &Import,
    number: u64,
    row: &ValidatedRow,
    resolved: Resolved,
    contact: &Contact,
    redelivered: bool,
    defaults: &Defaults,
    statuses: &RowStatuses,
) -> RowDecision {
    if let Some(ImportMark { written, .. }) = contact.import_marks.iter().find(|mark| mark.import == import.id && mark.row == number) {
        return RowDecision::Done(*written);
    }
    let restores = contact.deleted_at.is_some();
    if let Some(decision) = left_alone(import, restores) {
        return decision;
    }
    let mut merged = match row.draft.clone().merged_into(&cleared(&contact.details, row, defaults), defaults) {
        Ok(merged) => merged,
        Err(error) => return RowDecision::Refused(error),
    };
    keep_what_stands(&mut merged, &contact.details);
    merged.status = statuses.after(merged.status, row.status, row.asks_not_to_be_called(statuses));
    (merged.assignee, merged.team) = resolved.after(merged.assignee, merged.team);
    if merged == contact.details && !restores {
        return RowDecision::Unchanged;
    }
    let changed_since = import.writing_since.is_some_and(|since: Timestamp| contact.record.updated_at() > since);
    if redelivered && changed_since {
        return RowDecision::Unchanged;
    }
    RowDecision::Update(Box::new(merged))
}

/// What becomes of a row whose contact is to stay as it is.
fn left_alone(import: &Import, was_deleted: bool) -> Option<RowDecision> {
    match (was_deleted, import.options.on_deleted, import.options.on_existing) {
        (true, OnDeleted::Skip, _) => Some(RowDecision::Skipped(SkipReason::Deleted)),
        (false, _, OnExisting::Skip) => Some(RowDecision::Skipped(SkipReason::Exists)),
        (false, _, OnExisting::Fail) => {
            let message = "A contact with this number exists, and this import only makes new ones. Remove the row, or import it with onExisting UPDATE.";
            Some(RowDecision::Refused(FieldError::new("phone", FieldErrorCode::Conflict, message)))
        }
        (true, OnDeleted::Restore, _) | (false, _, OnExisting::Update) => None,
    }
}

/// The details without what the row empties. Without a country it is the number's again, and without a time zone it is worked out again.
fn cleared(details: &ContactDetails, row: &ValidatedRow, defaults: &Defaults) -> ContactDetails {
    let mut details = details.clone();
    for target in &row.cleared {
        match target {
            Target::AlternatePhones => details.alternate_phones.clear(),
            Target::PhoneExtension => details.phone_extension = None,
            Target::FirstName | Target::LastName | Target::Name => details.name = None,
            Target::Email => details.email = None,
            Target::Address => details.address = None,
            Target::City => details.city = None,
            Target::Region => details.region = None,
            Target::PostalCode => details.postal_code = None,
            Target::Country => details.country = Some(row.draft.phone.country.clone().unwrap_or_else(|| defaults.country.clone())),
            Target::TimeZone => details.time_zone.source = TimeZoneSource::Tenant,
            Target::Source => details.source = None,
            Target::AssignTo => details.assignee = None,
            Target::Team => details.team = None,
            Target::NextContactAt => details.next_contact_at = None,
            Target::Attribute(name) => {
                details.attributes.remove(name.trim());
            }
            // These are never empty, or belong to other kinds of import.
            Target::Phone | Target::StatusCode | Target::DoNotCall | Target::EmployeeId | Target::Role | Target::Reason | Target::ListedAt => {}
        }
    }
    details
}

/// A file knows only text. An attribute that is a number or a yes or no stays one when the text says one, and a value that is set aside although the
/// contact has it (a postal code of another country than the contact is in now) isn't kept twice.
pub(super) fn keep_what_stands(merged: &mut ContactDetails, existing: &ContactDetails) {
    for (name, before) in &existing.attributes {
        if let Some(after) = merged.attributes.get_mut(name)
            && let AttributeValue::String(text) = &*after
            && let Some(same_kind) = read_as(text, before)
        {
            *after = same_kind;
        }
    }
    if let Some(postal_code) = &existing.postal_code {
        forget_set_aside(&mut merged.attributes, existing, "postalCode", postal_code);
    }
}

/// A text as a value of the kind that stands there.
fn read_as(text: &str, before: &AttributeValue) -> Option<AttributeValue> {
    match before {
        AttributeValue::Number(_) => text.parse().ok().filter(|number: &f64| number.is_finite()).map(AttributeValue::Number),
        // Spreadsheets write TRUE and FALSE.
        AttributeValue::Boolean(_) => text.to_ascii_lowercase().parse().ok().map(AttributeValue::Boolean),
        AttributeValue::String(before) => (before.trim() == text).then(|| AttributeValue::String(before.clone())),
    }
}

/// Takes a value that was set aside under the name of its field away again, when it is the one that the field has.
fn forget_set_aside(attributes: &mut Attributes, existing: &ContactDetails, field: &str, current: &str) {
    let Some(AttributeValue::String(aside)) = attributes.get(field) else {
        return;
    };
    match existing.attributes.get(field) {
        None if aside == current => {
            attributes.remove(field);
        }
        Some(AttributeValue::String(before)) if *aside == format!("{before}, {current}") => {
            let before = AttributeValue::String(before.clone());
            attributes.insert(field.to_owned(), before);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::super::options::{BlankCells, ImportOptions};
    use super::super::record::{ImportKind, ImportSourceType, NewImport};
    use super::super::row_statuses::tests::{id, seeded};
    use super::super::rows::Row;
    use super::super::{map_columns, to_input};
    use super::*;
    use crate::change::{Change, Origin};
    use crate::contact::{ContactDraft, ContactInput, OnInvalid};
    use crate::ids::{ContactId, ImportId, StatusId};

    fn defaults() -> Defaults {
        Defaults { country: "CA".to_owned(), time_zone: "America/Toronto".to_owned() }
    }

    fn draft(attributes: &[(&str, AttributeValue)], postal_code: Option<&str>, country: &str) -> ContactDraft {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let postal_code = postal_code.map(str::to_owned);
        let input = ContactInput { phone: "+15145550123".to_owned(), attributes, postal_code, country: Some(country.to_owned()), ..ContactInput::default() };
        ContactDraft::validate(&input, &defaults(), OnInvalid::Warn).unwrap().draft
    }

    fn details(attributes: &[(&str, AttributeValue)]) -> ContactDetails {
        draft(attributes, Some("H3A 1B2"), "CA").into_details(&defaults(), StatusId::new(Timestamp::UNIX_EPOCH, &[1; 10]), None, None)
    }

    fn text(text: &str) -> AttributeValue {
        AttributeValue::String(text.to_owned())
    }

    fn merged(draft: ContactDraft, existing: &ContactDetails) -> ContactDetails {
        let mut merged = draft.merged_into(existing, &defaults()).unwrap();
        keep_what_stands(&mut merged, existing);
        merged
    }

    #[test]
    fn numbers_and_booleans_stay_what_they_are_when_the_text_says_so() {
        use AttributeValue::{Boolean, Number};
        let existing = details(&[("rooms", Number(7.0)), ("price", Number(-12.5)), ("owner", Boolean(true)), ("code", text("007"))]);
        let same = draft(&[("rooms", text("7")), ("price", text("-12.50")), ("owner", text("TRUE")), ("code", text("007"))], None, "CA");
        assert_eq!(merged(same, &existing), existing);
        let other = merged(draft(&[("rooms", text("8")), ("price", text("inf")), ("owner", text("no")), ("code", text("7"))], None, "CA"), &existing);
        assert_eq!(other.attributes, details(&[("rooms", Number(8.0)), ("price", text("inf")), ("owner", text("no")), ("code", text("7"))]).attributes);
    }

    #[test]
    fn a_value_that_the_contact_has_is_not_also_set_aside() {
        let mut existing = details(&[]);
        existing.country = Some("FR".to_owned());
        existing.time_zone.source = crate::contact::TimeZoneSource::Given;
        assert_eq!(merged(draft(&[], Some("H3A 1B2"), "FR"), &existing), existing);
        let other = merged(draft(&[], Some("H3A 1B3"), "FR"), &existing);
        assert_eq!(other.attributes.get("postalCode"), Some(&text("H3A 1B3")));
        existing.attributes.insert("postalCode".to_owned(), text("H0H 0H0"));
        assert_eq!(merged(draft(&[("postalCode", text("H0H 0H0"))], Some("H3A 1B2"), "FR"), &existing), existing);
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn statuses() -> RowStatuses {
        RowStatuses::of(&seeded()).unwrap()
    }

    fn agent(number: u8) -> Option<AgentId> {
        Some(AgentId::new(Timestamp::UNIX_EPOCH, &[number; 10]))
    }

    fn team(number: u8) -> Option<TeamId> {
        Some(TeamId::new(Timestamp::UNIX_EPOCH, &[number; 10]))
    }

    /// An import with these options, which began to write at second 1,000.
    fn import(options: ImportOptions) -> Import {
        let new = NewImport {
            id: ImportId::new(Timestamp::UNIX_EPOCH, &[1; 10]),
            kind: ImportKind::Contacts,
            source_type: ImportSourceType::Csv,
            source_platform: "n/a".to_owned(),
            file_name: "a.csv".to_owned(),
            file_bytes: 1,
            file_key: "drop/demo/a.csv".to_owned(),
            file_tag: "1".to_owned(),
            change: Change::new("import.created", at(900), Origin::system()),
        };
        Import { options, writing_since: Some(at(1_000)), ..Import::new(new) }
    }

    fn clearing() -> ImportOptions {
        ImportOptions { blank_cells: BlankCells::Clear, ..ImportOptions::default() }
    }

    /// A row of a file of these columns, as it is under these options.
    fn row(options: &ImportOptions, cells: &[(&str, &str)]) -> ValidatedRow {
        let header: Vec<String> = std::iter::once("phone").chain(cells.iter().map(|(column, _)| *column)).map(str::to_owned).collect();
        let cells = std::iter::once("+15145550123").chain(cells.iter().map(|(_, cell)| *cell)).map(str::to_owned).collect();
        let said = to_input(&Row { number: 1, cells, problem: None }, &map_columns(&header, ImportKind::Contacts), options, at(946_684_800)).unwrap();
        said.validate(&defaults(), options, &statuses()).unwrap()
    }

    fn contact(details: ContactDetails) -> Contact {
        Contact::created(ContactId::from_hash(&[0; 32]), details, Change::new("contact.created", at(500), Origin::system()))
    }

    /// A contact that says everything that a row can empty.
    fn full() -> Contact {
        let mut details = details(&[("note", text("x")), ("other", text("y"))]);
        details.status = id(0);
        details.phone_extension = Some("12".to_owned());
        details.alternate_phones = vec!["+15145550124".to_owned()];
        for field in [&mut details.name, &mut details.address, &mut details.city, &mut details.region, &mut details.source] {
            *field = Some("Somewhere".to_owned());
        }
        details.email = Some("zoe@example.com".to_owned());
        details.country = Some("FR".to_owned());
        details.time_zone = crate::contact::ContactTimeZone { name: "Europe/Paris".to_owned(), source: TimeZoneSource::Given };
        details.assignee = agent(1);
        details.next_contact_at = Some(at(2_000));
        contact(details)
    }

    fn decided(options: ImportOptions, row: &ValidatedRow, resolved: Resolved, existing: &Contact) -> RowDecision {
        decide(&import(options), 1, row, resolved, existing, false, &defaults(), &statuses())
    }

    fn made(row: &ValidatedRow, resolved: Resolved) -> ContactDetails {
        row.clone().into_details(resolved, &defaults(), &statuses())
    }

    fn updated(options: ImportOptions, row: &ValidatedRow, resolved: Resolved, existing: &Contact) -> ContactDetails {
        match decided(options, row, resolved, existing) {
            RowDecision::Update(details) => *details,
            other => panic!("{other:?}"),
        }
    }

    fn codes(warnings: &[Warning]) -> Vec<(&str, FieldErrorCode)> {
        warnings.iter().map(|warning| (warning.error.field.as_str(), warning.error.code)).collect()
    }

    #[test]
    fn a_contact_that_is_there_stays_when_the_import_only_makes_new_ones() {
        let (skip, fail) =
            (ImportOptions { on_existing: OnExisting::Skip, ..ImportOptions::default() }, ImportOptions { on_existing: OnExisting::Fail, ..ImportOptions::default() });
        let row = row(&skip, &[("name", "Ada")]);
        assert_eq!(decided(skip.clone(), &row, Resolved::default(), &full()), RowDecision::Skipped(SkipReason::Exists));
        let RowDecision::Refused(error) = decided(fail.clone(), &row, Resolved::default(), &full()) else { panic!() };
        assert_eq!((error.field.as_str(), error.code), ("phone", FieldErrorCode::Conflict));
        for options in [skip, fail] {
            let deleted = Contact { deleted_at: Some(at(600)), ..full() };
            assert!(matches!(decided(options, &row, Resolved::default(), &deleted), RowDecision::Update(_)), "one that was deleted isn't there");
        }
        assert_eq!((SkipReason::Exists.to_string(), SkipReason::Deleted.to_string()), ("exists".to_owned(), "deleted".to_owned()));
    }

    #[test]
    fn a_deleted_contact_is_brought_back_or_left_alone() {
        let deleted = Contact { deleted_at: Some(at(600)), ..full() };
        let same = row(&ImportOptions::default(), &[("city", "Somewhere")]);
        assert_eq!(updated(ImportOptions::default(), &same, Resolved::default(), &deleted), deleted.details);
        let skip = ImportOptions { on_deleted: OnDeleted::Skip, ..ImportOptions::default() };
        assert_eq!(decided(skip.clone(), &same, Resolved::default(), &deleted), RowDecision::Skipped(SkipReason::Deleted));
        assert_eq!(decided(skip, &same, Resolved::default(), &full()), RowDecision::Unchanged);
    }

    #[test]
    fn a_row_that_finds_its_mark_is_done_whatever_the_options() {
        for written in [RowWrite::Created, RowWrite::Updated] {
            let mark = ImportMark { import: import(ImportOptions::default()).id, row: 1, written, version: None };
            let marked = Contact { import_marks: vec![mark], deleted_at: Some(at(2_000)), ..full() };
            for on_existing in [OnExisting::Update, OnExisting::Skip, OnExisting::Fail] {
                let options = ImportOptions { on_existing, on_deleted: OnDeleted::Skip, ..clearing() };
                let row = row(&options, &[("name", "Ada")]);
                assert_eq!(decided(options.clone(), &row, Resolved::default(), &marked), RowDecision::Done(written));
                assert_ne!(decide(&import(options), 2, &row, Resolved::default(), &marked, false, &defaults(), &statuses()), RowDecision::Done(written));
            }
        }
    }

    #[test]
    fn a_newer_change_stays_when_the_row_comes_again() {
        let row = row(&ImportOptions::default(), &[("name", "Ada")]);
        for (second, redelivered, stays) in [(999, true, false), (1_001, true, true), (1_001, false, false)] {
            let mut contact = full();
            contact.record = contact.record.changed(Change::new("contact.updated", at(second), Origin::system()));
            let decision = decide(&import(ImportOptions::default()), 1, &row, Resolved::default(), &contact, redelivered, &defaults(), &statuses());
            assert_eq!(decision == RowDecision::Unchanged, stays, "{second} {redelivered}");
        }
    }

    #[test]
    fn blank_cells_empty_fields_only_when_they_are_to() {
        let columns = ["ext", "mobile", "name", "email", "address", "city", "region", "postal code", "country", "time zone", "source", "note", "owner", "next call"];
        let blank: Vec<(&str, &str)> = columns.into_iter().map(|column| (column, "-")).collect();
        let keeping = ImportOptions::default();
        assert_eq!(decided(keeping.clone(), &row(&keeping, &blank), Resolved::default(), &full()), RowDecision::Unchanged);
        let emptied = updated(clearing(), &row(&clearing(), &blank), Resolved::default(), &full());
        let expected = draft(&[("other", text("y"))], None, "CA").into_details(&defaults(), id(0), None, None);
        assert_eq!(emptied, expected);
        assert_eq!(emptied.time_zone.source, TimeZoneSource::AreaCode);
    }

    #[test]
    fn what_a_row_gives_stays_when_it_empties_something_else() {
        let row = row(&clearing(), &[("name", ""), ("email", "nobody"), ("city", "Laval"), ("status", ""), ("dnc", ""), ("team", "")]);
        let after = updated(clearing(), &row, Resolved::default(), &full());
        let before = full().details;
        assert_eq!((after.name, after.city.as_deref(), after.email), (None, Some("Laval"), before.email));
        assert_eq!((after.status, after.assignee), (before.status, before.assignee));
        assert_eq!(after.attributes.get("email"), Some(&text("nobody")), "what isn't valid empties nothing");
    }

    #[test]
    fn whose_a_contact_becomes_it_is_alone() {
        let plain = row(&ImportOptions::default(), &[]);
        let mut pooled = full();
        (pooled.details.assignee, pooled.details.team) = (None, team(1));
        for (contact, resolved, whose) in [
            (&full(), Resolved { assignee: agent(2), team: None }, (agent(2), None)),
            (&full(), Resolved { assignee: None, team: team(2) }, (None, team(2))),
            (&full(), Resolved { assignee: agent(2), team: team(2) }, (agent(2), None)),
            (&pooled, Resolved { assignee: agent(2), team: None }, (agent(2), None)),
            (&pooled, Resolved { assignee: None, team: team(2) }, (None, team(2))),
        ] {
            let after = updated(ImportOptions::default(), &plain, resolved, contact);
            assert_eq!((after.assignee, after.team), whose, "{resolved:?}");
            let new = made(&plain, resolved);
            assert_eq!((new.assignee, new.team), whose, "{resolved:?}");
        }
        assert_eq!(decided(ImportOptions::default(), &plain, Resolved { assignee: agent(1), team: None }, &full()), RowDecision::Unchanged);
        let to_nobody = row(&clearing(), &[("owner", "")]);
        assert_eq!(updated(clearing(), &to_nobody, Resolved::default(), &full()).assignee, None);
        assert_eq!(updated(clearing(), &to_nobody, Resolved { assignee: None, team: team(2) }, &full()).team, team(2));
        assert_eq!(decided(clearing(), &to_nobody, Resolved::default(), &pooled), RowDecision::Unchanged);
    }

    #[test]
    fn a_status_is_given_and_who_must_not_be_called_or_was_won_keeps_theirs_with_a_warning() {
        let options = ImportOptions::default();
        let interested = row(&options, &[("status", "Interested")]);
        let new = made(&interested, Resolved::default());
        assert_eq!((new.status, updated(options.clone(), &interested, Resolved::default(), &full()).status), (id(4), id(4)));
        assert!(interested.said_in_vain(Some(&full()), false, &statuses()).is_empty());
        for stays in [6, 7] {
            let mut contact = full();
            contact.details.status = id(stays);
            assert_eq!(decided(options.clone(), &interested, Resolved::default(), &contact), RowDecision::Unchanged);
            assert_eq!(codes(&interested.said_in_vain(Some(&contact), false, &statuses())), [("statusCode", FieldErrorCode::Conflict)]);
        }
    }

    #[test]
    fn who_asks_not_to_be_called_gets_the_status_and_no_import_takes_it_back() {
        let options = ImportOptions::default();
        for cells in
            [[("dnc", "yes"), ("status", "")], [("dnc", ""), ("status", "Do not call")], [("dnc", "no"), ("status", "do_not_call")], [("dnc", "x"), ("status", "New")]]
        {
            let asks = row(&options, &cells);
            assert!(asks.asks_not_to_be_called(&statuses()), "{cells:?}");
            let new = made(&asks, Resolved::default());
            assert_eq!((new.status, updated(options.clone(), &asks, Resolved::default(), &full()).status), (id(7), id(7)), "{cells:?}");
            assert!(asks.said_in_vain(Some(&full()), true, &statuses()).is_empty(), "{cells:?}");
        }
        let weakens = row(&options, &[("dnc", "no")]);
        let (mut by_status, suppressed) = (full(), Contact { suppressed: true, ..full() });
        by_status.details.status = id(7);
        for (existing, on_list) in [(Some(&by_status), false), (Some(&suppressed), false), (None, true)] {
            assert_eq!(codes(&weakens.said_in_vain(existing, on_list, &statuses())), [("doNotCall", FieldErrorCode::Conflict)]);
        }
        assert_eq!(decided(options.clone(), &weakens, Resolved::default(), &by_status), RowDecision::Unchanged);
        assert_eq!(decided(options, &weakens, Resolved::default(), &full()), RowDecision::Unchanged);
        assert!(weakens.said_in_vain(Some(&full()), false, &statuses()).is_empty());
    }

    #[test]
    fn the_next_contact_of_a_contact_is_read_in_its_own_zone() {
        let options = ImportOptions::default();
        let next = row(&options, &[("next call", "1970-01-02")]);
        assert_eq!(codes(&next.warnings), [("nextContactAt", FieldErrorCode::Invalid)]);
        let cells = [("next call", "2000-07-01 10:30")];
        assert_eq!(updated(options.clone(), &row(&options, &cells), Resolved::default(), &full()).next_contact_at, Some("2000-07-01T08:30:00Z".parse().unwrap()));
        let new = made(&row(&options, &cells), Resolved::default());
        assert_eq!(new.next_contact_at, Some("2000-07-01T14:30:00Z".parse().unwrap()));
    }

    proptest! {
        /// A row that was written says the same when it comes again, under whatever options, and never takes away that a number must not be called.
        #[test]
        fn a_row_applied_twice_changes_nothing_the_second_time(
            cells in proptest::collection::vec(
                (
                    select(vec!["ext", "mobile", "name", "email", "city", "postal code", "country", "time zone", "note", "owner", "status", "dnc", "next call"]),
                    select(vec!["", "-", "12", "Zoe", "zoe@example.com", "H3A 1B2", "FR", "Europe/Paris", "Interested", "Do not call", "yes", "no", "2000-07-01 10:30"]),
                ),
                0..8,
            ),
            blank_cells in select(vec![BlankCells::Keep, BlankCells::Clear]),
            status in select(vec![0_u8, 4, 6, 7]),
            deleted in any::<bool>(),
            assignee in proptest::option::of(1_u8..3),
        ) {
            // An owner is found by an address only.
            let cells: Vec<(&str, &str)> = cells.into_iter().filter(|(column, cell)| *column != "owner" || ["", "-", "zoe@example.com"].contains(cell)).collect();
            let options = ImportOptions { blank_cells, ..ImportOptions::default() };
            let row = row(&options, &cells);
            let resolved = Resolved { assignee: assignee.and_then(agent), team: None };
            let mut contact = full();
            contact.details.status = id(status);
            contact.deleted_at = deleted.then(|| at(600));
            match decided(options.clone(), &row, resolved, &contact) {
                RowDecision::Update(details) => {
                    prop_assert!(status != 7 || details.status == id(7));
                    prop_assert!(!row.asks_not_to_be_called(&statuses()) || details.status == id(7));
                    let written = Contact { details: *details, deleted_at: None, ..contact };
                    prop_assert_eq!(decided(options, &row, resolved, &written), RowDecision::Unchanged);
                }
                RowDecision::Unchanged => prop_assert!(!deleted),
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            }
        }
    }
}
