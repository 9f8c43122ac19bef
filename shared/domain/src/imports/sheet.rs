//! The file that exports write: a table of contacts with columns that an import maps by itself and reads back as what they were.
//!
//! It is UTF-8 with a byte order mark, without which spreadsheets read accents as those of an older encoding; imports don't mind the mark. Lines end as
//! RFC 4180 has it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::blank::{is_blank_name, is_blank_word};
use super::literal::to_cell;
use super::mapping::{ATTRIBUTE, Target, map_columns};
use super::record::ImportKind;
use crate::contact::{AttributeValue, ContactDetails, MAX_ALTERNATE_PHONES, TimeZoneSource, is_sensitive};

/// The columns every file has. What a contact doesn't have is an empty cell, which an import leaves alone.
const COLUMNS: [&str; 11 + MAX_ALTERNATE_PHONES] = [
    "phone",
    "phone extension",
    "alternate phone 1",
    "alternate phone 2",
    "alternate phone 3",
    "alternate phone 4",
    "alternate phone 5",
    "name",
    "email",
    "address",
    "city",
    "region",
    "postal code",
    "country",
    "time zone",
    "source",
];

/// What a file begins with.
pub(crate) const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The names of a contact's attributes that are exported: sensitive ones aren't.
pub fn exported_names(details: &ContactDetails) -> impl Iterator<Item = &String> {
    details.attributes.keys().filter(|name| !is_sensitive(name))
}

/// A table being written.
#[derive(Debug, Clone)]
pub struct Sheet {
    names: Vec<String>,
    header: Vec<String>,
}

impl Sheet {
    /// A table with a column for each of these attributes, in the order of their names. A name that an import would take for something else, or
    /// that a spreadsheet would run, gets `attributes.` in front.
    #[must_use]
    pub fn new(attributes: &BTreeSet<String>) -> Self {
        let fixed: Vec<String> = COLUMNS.map(str::to_owned).to_vec();
        let names: Vec<String> = attributes.iter().filter(|name| !is_sensitive(name)).cloned().collect();
        let columns = names.iter().map(|name| {
            let means_itself = to_cell(name, is_blank_word) == name.as_str()
                && map_columns(&[fixed[0].clone(), name.clone()], ImportKind::Contacts)
                    .pop()
                    .is_some_and(|column| column.field.as_ref() == Some(&Target::Attribute(name.clone())));
            if means_itself { name.clone() } else { format!("{ATTRIBUTE}{name}") }
        });
        let header = fixed.iter().cloned().chain(columns).collect();
        Self { names, header }
    }

    /// How long the header is, about, in bytes.
    #[must_use]
    pub fn header_bytes(&self) -> usize {
        self.header.iter().map(|column| column.len() + 3).sum()
    }

    /// Writes the beginning of the file: the mark and the header.
    ///
    /// # Errors
    /// None in practice: the writer's own, and memory has none.
    pub fn write_header(&self, out: &mut Vec<u8>) -> Result<(), csv::Error> {
        out.extend_from_slice(BYTE_ORDER_MARK);
        let mut writer = writer(out);
        writer.write_record(&self.header)?;
        Ok(writer.flush()?)
    }

    /// Writes a row for each contact.
    ///
    /// # Errors
    /// As [`Self::write_header`].
    pub fn write_rows<'a>(&self, contacts: impl IntoIterator<Item = &'a ContactDetails>, out: &mut Vec<u8>) -> Result<(), csv::Error> {
        let mut writer = writer(out);
        for details in contacts {
            for cell in self.cells(details) {
                writer.write_field(cell.as_bytes())?;
            }
            writer.write_record(None::<&[u8]>)?;
        }
        Ok(writer.flush()?)
    }

    fn cells<'a>(&self, details: &'a ContactDetails) -> Vec<Cow<'a, str>> {
        let text = |value: &'a Option<String>| to_cell(value.as_deref().unwrap_or_default(), is_blank_word);
        let mut cells = vec![to_cell(&details.phone, is_blank_word), text(&details.phone_extension)];
        cells.extend((0..MAX_ALTERNATE_PHONES).map(|index| to_cell(details.alternate_phones.get(index).map_or("", String::as_str), is_blank_word)));
        cells.push(to_cell(details.name.as_deref().unwrap_or_default(), is_blank_name));
        cells.extend([&details.email, &details.address, &details.city, &details.region, &details.postal_code, &details.country].map(text));
        // A zone that was worked out would be given, and so fixed, if it were written.
        let given = (details.time_zone.source == TimeZoneSource::Given).then_some(details.time_zone.name.as_str());
        cells.push(to_cell(given.unwrap_or_default(), is_blank_word));
        cells.push(text(&details.source));
        cells.extend(self.names.iter().map(|name| match details.attributes.get(name) {
            None => Cow::Borrowed(""),
            Some(AttributeValue::String(value)) => to_cell(value, is_blank_word),
            Some(AttributeValue::Boolean(value)) => Cow::Borrowed(if *value { "true" } else { "false" }),
            Some(number @ AttributeValue::Number(_)) => Cow::Owned(to_cell(&serde_json::to_string(number).unwrap_or_default(), is_blank_word).into_owned()),
        }));
        cells
    }
}

/// Writes rows as RFC 4180 has them.
pub(crate) fn writer(out: &mut Vec<u8>) -> csv::Writer<&mut Vec<u8>> {
    csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out)
}

#[cfg(test)]
mod tests {
    use super::super::decision::keep_what_stands;
    use super::super::{Encoding, ImportOptions, Planner, Row, read_rows, sniff, to_input};
    use super::*;
    use crate::contact::{Attributes, ContactDraft, ContactInput, ContactTimeZone, Defaults, OnInvalid, ValidatedDraft};
    use crate::ids::StatusId;
    use jiff::Timestamp;
    use proptest::prelude::*;

    fn defaults() -> Defaults {
        Defaults { country: "CA".to_owned(), time_zone: "America/Toronto".to_owned() }
    }

    fn details(input: &ContactInput) -> ContactDetails {
        let ValidatedDraft { draft, .. } = ContactDraft::validate(input, &defaults(), OnInvalid::Warn).unwrap();
        draft.into_details(&defaults(), StatusId::new(Timestamp::UNIX_EPOCH, &[1; 10]), None, None)
    }

    fn plain(phone: &str) -> ContactDetails {
        details(&ContactInput { phone: phone.to_owned(), ..ContactInput::default() })
    }

    fn file(contacts: &[ContactDetails]) -> Vec<u8> {
        let sheet = Sheet::new(&contacts.iter().flat_map(exported_names).cloned().collect());
        let mut file = Vec::new();
        sheet.write_header(&mut file).unwrap();
        sheet.write_rows(contacts, &mut file).unwrap();
        file
    }

    /// What importing a file makes of the contacts that it was exported from.
    fn imported(file: &[u8], contacts: &[ContactDetails]) -> Vec<ContactDetails> {
        let beginning = sniff(file, true, "CA").unwrap();
        let dialect = &beginning.dialect;
        assert_eq!((dialect.separator, dialect.encoding, beginning.has_header), (b',', Encoding::Utf8, true));
        let mapping = beginning.mapping(ImportKind::Contacts, "CA");
        let mut planner = Planner::new(dialect.separator, beginning.leading);
        planner.feed(file).unwrap();
        let chunk = planner.finish().unwrap().chunks[0];
        let body = &file[usize::try_from(chunk.start).unwrap()..usize::try_from(chunk.end).unwrap()];
        let rows: Vec<Row> = read_rows(body, dialect, 1).collect();
        assert_eq!(rows.len(), contacts.len());
        let merge = |(row, existing): (&Row, &ContactDetails)| {
            let ValidatedDraft { draft, .. } =
                ContactDraft::validate(&to_input(row, &mapping, &ImportOptions::default(), Timestamp::UNIX_EPOCH).unwrap().input, &defaults(), OnInvalid::Warn).unwrap();
            let mut merged = draft.merged_into(existing, &defaults()).unwrap();
            keep_what_stands(&mut merged, existing);
            merged
        };
        rows.iter().zip(contacts).map(merge).collect()
    }

    #[test]
    fn a_file_looks_like_this() {
        let mut zoe = details(&ContactInput {
            phone: "+15145550123".to_owned(),
            name: Some("Zoé \"Zo\" Roy".to_owned()),
            city: Some("-".to_owned()),
            region: Some("Québec, QC".to_owned()),
            attributes: vec![("SIN".to_owned(), AttributeValue::String("046 454 286".to_owned())), ("Rooms".to_owned(), AttributeValue::Number(7.0))],
            ..ContactInput::default()
        });
        zoe.phone_extension = Some("12".to_owned());
        let text = String::from_utf8(file(&[zoe])).unwrap();
        assert_eq!(
            text,
            "\u{feff}phone,phone extension,alternate phone 1,alternate phone 2,alternate phone 3,alternate phone 4,alternate phone 5,name,email,address,city,region,\
             postal code,country,time zone,source,Rooms\r\n'+15145550123,12,,,,,,\"Zoé \"\"Zo\"\" Roy\",,,'-,\"Québec, QC\",,CA,,,7\r\n"
        );
    }

    #[test]
    fn columns_map_themselves_and_names_that_would_not_say_that_they_are_attributes() {
        let long = "x".repeat(64);
        let names = ["mobile", "street", "first name", "email", "note", "=1", "attributes.x", "N/A", long.as_str(), "Date de naissance"];
        let sheet = Sheet::new(&names.iter().map(|name| (*name).to_owned()).collect());
        let mapped: Vec<Target> = map_columns(&sheet.header, ImportKind::Contacts).into_iter().filter_map(|column| column.field).collect();
        let attributes = mapped.iter().filter_map(|target| if let Target::Attribute(name) = target { Some(name.as_str()) } else { None });
        let mut expected: Vec<&str> = names.into_iter().filter(|name| *name != "Date de naissance").collect();
        expected.sort_unstable();
        assert_eq!(attributes.collect::<Vec<_>>(), expected);
        assert_eq!(mapped.iter().filter(|target| **target == Target::AlternatePhones).count(), MAX_ALTERNATE_PHONES);
        let own: Vec<&String> = sheet.header.iter().filter(|column| !column.starts_with(ATTRIBUTE)).collect();
        assert_eq!(own.len(), COLUMNS.len() + 1, "note: {own:?}");
    }

    #[test]
    fn a_given_zone_is_written_and_a_derived_one_is_not() {
        let (mut given, derived) = (plain("+15145550123"), plain("+15145550124"));
        given.time_zone = ContactTimeZone { name: "America/Halifax".to_owned(), source: TimeZoneSource::Given };
        let text = String::from_utf8(file(&[given, derived])).unwrap();
        assert_eq!((text.matches("America/Halifax").count(), text.matches("America/").count()), (1, 1));
    }

    fn nasty() -> impl Strategy<Value = String> {
        prop_oneof![
            "['=+@\\-]{1,3}[a-zé0-9 ,;|\"]{0,6}",
            "[a-zA-Zé ,;\t|\"'\n\r]{1,12}",
            prop::sample::select(vec!["N/A", "-", "null", "none", "Nan", "TRUE", "false", "007", "1e5", "-12.50", "'N/A", "''", "\"", "inf"]).prop_map(str::to_owned),
        ]
    }

    fn value() -> impl Strategy<Value = AttributeValue> {
        prop_oneof![
            nasty().prop_map(AttributeValue::String),
            // A column of these is still the attribute that it was.
            prop::sample::select(vec!["514-555-0199", "zoe@example.com"]).prop_map(|text| AttributeValue::String(text.to_owned())),
            any::<bool>().prop_map(AttributeValue::Boolean),
            (-1e6_f64..1e6).prop_map(AttributeValue::Number),
            (-1_000_i32..1_000).prop_map(|number| AttributeValue::Number(f64::from(number))),
        ]
    }

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            nasty(),
            prop::sample::select(vec!["mobile", "street", "nom", "prénom", "Email", "city 2", "postalCode", "attributes.a", "x"]).prop_map(str::to_owned)
        ]
    }

    prop_compose! {
        fn input()(
            texts in prop::collection::vec(prop::option::of(nasty()), 5),
            alternates in prop::collection::vec(0_u32..100, 0..6),
            attributes in prop::collection::vec((name(), value()), 0..5),
            zone in prop::option::of(prop::sample::select(vec!["America/Halifax", "Europe/Paris"])),
            postal_code in prop::option::of(prop::sample::select(vec!["H3A 1B2", "75001", "none"])),
            country in prop::option::of(prop::sample::select(vec!["CA", "FR", "NA"])),
            last in 0_u32..100,
        ) -> ContactInput {
            let text = |index: usize| texts[index].clone();
            ContactInput {
                phone: format!("+1514555{last:04}"),
                alternate_phones: alternates.iter().map(|last| format!("+1438555{last:04}")).collect(),
                name: text(0),
                address: text(1),
                city: text(2),
                region: text(3),
                source: text(4),
                email: Some(format!("+a{last}@example.com")),
                time_zone: zone.map(str::to_owned),
                postal_code: postal_code.map(str::to_owned),
                country: country.map(str::to_owned),
                attributes,
                ..ContactInput::default()
            }
        }
    }

    proptest! {
        #[test]
        fn a_file_imported_again_changes_nothing_and_runs_nothing(inputs in prop::collection::vec(input(), 1..4)) {
            let mut contacts: Vec<ContactDetails> = inputs.iter().map(details).collect();
            for contact in &mut contacts {
                // Sensitive ones aren't in the file; they stay because what isn't in a file stays.
                contact.attributes.insert("SIN".to_owned(), AttributeValue::String("046 454 286".to_owned()));
            }
            let file = file(&contacts);
            prop_assert!(!String::from_utf8_lossy(&file).contains("046 454 286"));
            for record in csv::ReaderBuilder::new().has_headers(false).from_reader(&file[BYTE_ORDER_MARK.len()..]).into_records() {
                for cell in &record.unwrap() {
                    prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
                }
            }
            prop_assert_eq!(imported(&file, &contacts), contacts);
        }
    }

    #[test]
    fn a_contact_without_attributes_has_a_row_beside_one_with_many() {
        let mut many = plain("+15145550123");
        many.attributes = (0..50).map(|index| (format!("a{index}"), AttributeValue::Boolean(index % 2 == 0))).collect::<Attributes>();
        let contacts = [plain("+15145550124"), many];
        assert_eq!(imported(&file(&contacts), &contacts), contacts);
    }
}
