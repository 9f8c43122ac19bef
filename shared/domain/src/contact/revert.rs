//! From the audited fields of an earlier version back to what the contact said, and what is to be given so that it says so again.

use super::attributes::{AttributeValue, Attributes};
use super::patch::{ContactPatch, Given};
use super::{ContactDetails, ContactTimeZone, Defaults, TimeZoneSource};
use crate::audit::{Fields, value_of};

impl ContactDetails {
    /// What a contact, which says `now`, said when these were its audited fields; none when they aren't those of a contact.
    ///
    /// Where a time zone came from isn't on record. It is as it is now while the zone is the same one and was given, or follows from the same values; else it
    /// is where such a zone would come from by itself; else somebody gave it.
    #[must_use]
    pub fn from_fields(fields: &Fields, now: &Self, defaults: &Defaults) -> Option<Self> {
        let mut attributes = Attributes::new();
        for field in fields.keys() {
            if let Some(name) = field.strip_prefix("attributes.") {
                attributes.insert(name.to_owned(), value_of::<AttributeValue>(fields, field)??);
            }
        }
        let time_zone = ContactTimeZone { name: value_of(fields, "timeZone")??, source: TimeZoneSource::Given };
        let then = Self {
            phone: value_of(fields, "phone")??,
            phone_extension: value_of(fields, "phoneExtension")?,
            alternate_phones: value_of(fields, "alternatePhones")?.unwrap_or_default(),
            name: value_of(fields, "name")?,
            email: value_of(fields, "email")?,
            address: value_of(fields, "address")?,
            city: value_of(fields, "city")?,
            region: value_of(fields, "region")?,
            postal_code: value_of(fields, "postalCode")?,
            country: value_of(fields, "country")?,
            time_zone,
            source: value_of(fields, "source")?,
            attributes,
            status: value_of(fields, "status")??,
            assignee: value_of(fields, "assignee")?,
            team: value_of(fields, "team")?,
            next_contact_at: value_of(fields, "nextContactAt")?,
        };
        let source = then.source_of_zone(now, defaults);
        Some(Self { time_zone: ContactTimeZone { source, ..then.time_zone }, ..then })
    }

    /// Where the zone of an earlier version came from.
    fn source_of_zone(&self, now: &Self, defaults: &Defaults) -> TimeZoneSource {
        let follows_from_the_same = (&self.phone, &self.postal_code, &self.country) == (&now.phone, &now.postal_code, &now.country);
        if self.time_zone.name == now.time_zone.name && (follows_from_the_same || now.time_zone.source == TimeZoneSource::Given) {
            return now.time_zone.source;
        }
        let derived = ContactTimeZone::derived(self.country.as_deref(), self.postal_code.as_deref(), &self.phone, defaults);
        if derived.name == self.time_zone.name { derived.source } else { TimeZoneSource::Given }
    }
}

impl ContactPatch {
    /// What is to be given so that a contact that says `now` says `then`, but for its status, whose it is, and where its time zone comes from.
    #[must_use]
    pub fn between(now: &ContactDetails, then: &ContactDetails) -> Self {
        // With a number its extension goes, and it is none of the further ones any more: then they are given whether they differ or not.
        let moves = now.phone != then.phone;
        let removed = now.attributes.keys().filter(|name| !then.attributes.contains_key(*name)).map(|name| (name.clone(), None));
        let set = then.attributes.iter().filter(|(name, value)| now.attributes.get(*name) != Some(*value)).map(|(name, value)| (name.clone(), Some(value.clone())));
        Self {
            phone: moves.then(|| Some(then.phone.clone())),
            phone_extension: (moves || now.phone_extension != then.phone_extension).then(|| then.phone_extension.clone()),
            alternate_phones: (moves || now.alternate_phones != then.alternate_phones).then(|| Some(then.alternate_phones.clone())),
            name: differing(&now.name, &then.name),
            email: differing(&now.email, &then.email),
            address: differing(&now.address, &then.address),
            city: differing(&now.city, &then.city),
            region: differing(&now.region, &then.region),
            postal_code: differing(&now.postal_code, &then.postal_code),
            country: differing(&now.country, &then.country),
            time_zone: (now.time_zone.name != then.time_zone.name).then(|| Some(then.time_zone.name.clone())),
            source: differing(&now.source, &then.source),
            next_contact_at: differing(&now.next_contact_at, &then.next_contact_at),
            attributes: removed.chain(set).collect(),
        }
    }
}

/// What a value was, if it is another now.
fn differing<T: Clone + PartialEq>(now: &Option<T>, then: &Option<T>) -> Given<T> {
    (now != then).then(|| then.clone())
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::collection::{btree_map, vec};
    use proptest::option;
    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::json;

    use super::super::draft::tests::{defaults, details};
    use super::*;
    use crate::field_error::FieldErrorCode;
    use crate::ids::{AgentId, StatusId, TeamId};

    static PHONES: [&str; 5] = ["+15145550123", "+15145550124", "+14165550125", "+14185550126", "+18195550127"];
    /// City, postal code and country, which belong together.
    static PLACES: [(Option<&str>, Option<&str>, &str); 5] = [
        (None, None, "CA"),
        (Some("Montréal"), Some("H3A 1B2"), "CA"),
        (Some("Vancouver"), Some("V6B 1A1"), "CA"),
        (None, Some("02139"), "US"),
        (Some("Paris"), Some("75001"), "FR"),
    ];

    fn any_attribute() -> impl Strategy<Value = AttributeValue> {
        prop_oneof![
            any::<bool>().prop_map(AttributeValue::Boolean),
            any::<i32>().prop_map(|number| AttributeValue::Number(number.into())),
            proptest::num::f64::NORMAL.prop_map(AttributeValue::Number),
            "[a-zé]{1,8}".prop_map(AttributeValue::String),
        ]
    }

    /// Details as a contact can have them.
    fn any_details() -> impl Strategy<Value = ContactDetails> {
        let numbers = (select(&PHONES[..]), option::of(select(vec!["1", "89"])), vec(select(&PHONES[..]), 0..3));
        let texts = (option::of("[A-Z][a-zé]{1,8}"), option::of("[a-z]{1,8}@example\\.com"), option::of("[0-9] rue [a-z]{1,8}"), option::of("[a-z]{1,8}"));
        let zone = option::of(select(vec!["America/Halifax", "America/Toronto", "America/Vancouver", "Europe/Paris"]));
        let others = (0..3_u8, 0..3_u8, option::of(0..4_102_444_800_000_i64), btree_map("[a-c]", any_attribute(), 0..3));
        (numbers, texts, select(&PLACES[..]), zone, others).prop_map(|(numbers, (name, email, address, source), (city, postal_code, country), zone, others)| {
            let (phone, extension, mut alternates) = numbers;
            let (status, owner, next, attributes) = others;
            alternates.sort_unstable();
            alternates.dedup();
            alternates.retain(|alternate| *alternate != phone);
            let derived = ContactTimeZone::derived(Some(country), postal_code, phone, &defaults());
            ContactDetails {
                phone: phone.to_owned(),
                phone_extension: extension.map(str::to_owned),
                alternate_phones: alternates.into_iter().map(str::to_owned).collect(),
                name,
                email,
                address,
                city: city.map(str::to_owned),
                region: None,
                postal_code: postal_code.map(str::to_owned),
                country: Some(country.to_owned()),
                time_zone: zone.map_or(derived, |name| ContactTimeZone { name: name.to_owned(), source: TimeZoneSource::Given }),
                source,
                attributes,
                status: StatusId::new(Timestamp::UNIX_EPOCH, &[status; 10]),
                assignee: (owner == 1).then(|| AgentId::new(Timestamp::UNIX_EPOCH, &[1; 10])),
                team: (owner == 2).then(|| TeamId::new(Timestamp::UNIX_EPOCH, &[2; 10])),
                next_contact_at: next.and_then(|millis| Timestamp::from_millisecond(millis).ok()),
            }
        })
    }

    proptest! {
        #[test]
        fn what_a_contact_says_is_read_back_from_its_audited_fields(said in any_details(), now in any_details()) {
            prop_assert_eq!(ContactDetails::from_fields(&said.fields(), &said, &defaults()), Some(said.clone()));
            let read = ContactDetails::from_fields(&said.fields(), &now, &defaults()).unwrap();
            prop_assert_eq!(&read.time_zone.name, &said.time_zone.name);
            prop_assert_eq!(ContactDetails { time_zone: said.time_zone.clone(), ..read }, said);
        }

        #[test]
        fn what_is_given_makes_it_say_so_again(now in any_details(), then in any_details()) {
            let applied = ContactPatch::between(&now, &then).apply(&now, &defaults()).unwrap();
            let beside = ContactDetails { time_zone: then.time_zone.clone(), status: then.status, assignee: then.assignee, team: then.team, ..applied };
            prop_assert_eq!(beside, then);
        }

        #[test]
        fn nothing_is_given_when_nothing_differs(now in any_details()) {
            prop_assert_eq!(ContactPatch::between(&now, &now), ContactPatch::default());
        }
    }

    fn zone(name: &str, source: TimeZoneSource) -> ContactTimeZone {
        ContactTimeZone { name: name.to_owned(), source }
    }

    #[test]
    fn where_a_zone_came_from_is_what_it_is_now_or_follows_or_was_given() {
        let toronto = details();
        assert_eq!(toronto.time_zone, zone("America/Toronto", TimeZoneSource::AreaCode));
        let vancouver = zone("America/Vancouver", TimeZoneSource::PostalCode);
        let west = ContactDetails { postal_code: Some("V6B 1A1".to_owned()), time_zone: vancouver.clone(), ..toronto.clone() };
        let given = ContactDetails { time_zone: zone("America/Toronto", TimeZoneSource::Given), ..toronto.clone() };
        let halifax = ContactDetails { time_zone: zone("America/Halifax", TimeZoneSource::Given), ..toronto.clone() };
        for (then, now, expected) in [
            (&west, &toronto, vancouver.source),
            (&toronto, &west, TimeZoneSource::AreaCode),
            (&halifax, &west, TimeZoneSource::Given),
            (&toronto, &given, TimeZoneSource::Given),
            (&given, &toronto, TimeZoneSource::AreaCode),
        ] {
            let read = ContactDetails::from_fields(&then.fields(), now, &defaults()).unwrap();
            assert_eq!(read.time_zone, zone(&then.time_zone.name, expected));
        }
        // The tenant's own zone was another when the contact was made, and nobody gave it.
        let elsewhere = Defaults { time_zone: "America/Regina".to_owned(), ..defaults() };
        let of_tenant = ContactDetails { phone: "+18005550123".to_owned(), time_zone: zone("America/Toronto", TimeZoneSource::Tenant), ..toronto };
        assert_eq!(ContactDetails::from_fields(&of_tenant.fields(), &of_tenant, &elsewhere), Some(of_tenant));
    }

    #[test]
    fn what_the_rules_no_longer_accept_is_named() {
        let now = details();
        let then = ContactDetails { email: Some("nobody".to_owned()), city: Some("x".repeat(101)), phone: "+1514".to_owned(), ..now.clone() };
        let errors = ContactPatch::between(&now, &then).apply(&now, &defaults()).unwrap_err();
        let named: Vec<(&str, FieldErrorCode)> = errors.iter().map(|error| (error.field.as_str(), error.code)).collect();
        assert_eq!(named, [("phone", FieldErrorCode::Invalid), ("email", FieldErrorCode::Invalid), ("city", FieldErrorCode::TooLong)]);
    }

    #[test]
    fn fields_of_something_else_are_no_contact() {
        let said = details();
        let wrong = [("phone", json!(7)), ("status", json!("new")), ("alternatePhones", json!("x")), ("attributes.a", json!(["x"])), ("timeZone", json!(null))];
        for (field, value) in wrong {
            let mut fields = said.fields();
            fields.insert(field.to_owned(), value);
            assert_eq!(ContactDetails::from_fields(&fields, &said, &defaults()), None, "{field}");
        }
        assert_eq!(ContactDetails::from_fields(&Fields::new(), &said, &defaults()), None);
    }
}
