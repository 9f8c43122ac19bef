//! Making one contact of two: which values the winner keeps, and what is needed to make two of it again.

use serde::{Deserialize, Serialize};

use super::attributes::validate_all;
use super::{ContactDetails, MAX_ALTERNATE_PHONES, TimeZoneSource};
use crate::field_error::{FieldError, FieldErrorCode};

/// Most contacts that can be merged into one, those merged into them included: all of them are written in one transaction.
pub const MAX_MERGED: usize = 20;

/// A value, or values that belong together, which the winner can take over from the loser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeField {
    /// The name.
    Name,
    /// The e-mail address.
    Email,
    /// Address, city, region, postal code, country and time zone.
    Address,
    /// Where the contact came from.
    Source,
    /// The status.
    Status,
    /// The agent or pool.
    Assignee,
    /// When to call next.
    NextContactAt,
    /// Attributes that both have.
    Attributes,
}

/// What is needed to undo a merge, kept with the loser as long as neither changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Unmerge {
    /// What the winner said before.
    pub winner_before: ContactDetails,
    /// The winner's version after the merge.
    pub winner_version: u32,
    /// The loser's version after the merge.
    pub loser_version: u32,
}

/// What the winner says after the merge: its own values, what it lacks from the loser, and of `from_loser` the loser's. The loser's numbers
/// become further numbers of the winner.
///
/// # Errors
/// `LIMIT_EXCEEDED` when the two have too many further numbers or attributes for one contact.
pub fn merge(winner: &ContactDetails, loser: &ContactDetails, from_loser: &[MergeField]) -> Result<ContactDetails, FieldError> {
    let takes = |field| from_loser.contains(&field);
    let pick = |field, winner: &Option<String>, loser: &Option<String>| {
        if takes(field) { loser.clone().or_else(|| winner.clone()) } else { winner.clone().or_else(|| loser.clone()) }
    };
    let mut merged = winner.clone();
    merged.name = pick(MergeField::Name, &winner.name, &loser.name);
    merged.email = pick(MergeField::Email, &winner.email, &loser.email);
    merged.source = pick(MergeField::Source, &winner.source, &loser.source);
    // An address is one thing: half of one and half of another is nowhere.
    let has_address = |details: &ContactDetails| details.address.is_some() || details.city.is_some() || details.region.is_some() || details.postal_code.is_some();
    if has_address(loser) && (takes(MergeField::Address) || !has_address(winner)) {
        merged.address.clone_from(&loser.address);
        merged.city.clone_from(&loser.city);
        merged.region.clone_from(&loser.region);
        merged.postal_code.clone_from(&loser.postal_code);
        merged.country.clone_from(&loser.country);
        if winner.time_zone.source != TimeZoneSource::Given {
            merged.time_zone = loser.time_zone.clone();
        }
    }
    if takes(MergeField::Status) {
        merged.status = loser.status;
    }
    let is_free = |details: &ContactDetails| details.assignee.is_none() && details.team.is_none();
    if !is_free(loser) && (takes(MergeField::Assignee) || is_free(winner)) {
        (merged.assignee, merged.team) = (loser.assignee, loser.team);
    }
    merged.next_contact_at =
        if takes(MergeField::NextContactAt) { loser.next_contact_at.or(winner.next_contact_at) } else { winner.next_contact_at.or(loser.next_contact_at) };
    for (name, value) in &loser.attributes {
        if takes(MergeField::Attributes) || !merged.attributes.contains_key(name) {
            merged.attributes.insert(name.clone(), value.clone());
        }
    }
    validate_all(&merged.attributes)?;
    let numbers = std::iter::once(&loser.phone).chain(&winner.alternate_phones).chain(&loser.alternate_phones);
    merged.alternate_phones = Vec::new();
    for number in numbers {
        if *number != merged.phone && !merged.alternate_phones.contains(number) {
            merged.alternate_phones.push(number.clone());
        }
    }
    if merged.alternate_phones.len() > MAX_ALTERNATE_PHONES {
        let message = format!("Together the two have more than {MAX_ALTERNATE_PHONES} further numbers. Remove some first.");
        return Err(FieldError::new("alternatePhones", FieldErrorCode::LimitExceeded, message));
    }
    Ok(merged)
}

#[cfg(test)]
mod tests {
    use super::super::AttributeValue;
    use super::super::draft::tests::details;
    use super::*;

    fn other() -> ContactDetails {
        ContactDetails {
            phone: "+15145550199".to_owned(),
            name: Some("Zoé".to_owned()),
            email: Some("zoe@example.com".to_owned()),
            city: Some("Laval".to_owned()),
            ..details()
        }
    }

    #[test]
    fn the_winner_keeps_its_own_values_and_takes_what_it_lacks() {
        let winner = ContactDetails { name: Some("Z. Roy".to_owned()), ..details() };
        let merged = merge(&winner, &other(), &[]).unwrap();
        assert_eq!((merged.phone.as_str(), merged.name.as_deref(), merged.email.as_deref()), ("+15145550123", Some("Z. Roy"), Some("zoe@example.com")));
        assert_eq!((merged.city.as_deref(), merged.alternate_phones.as_slice()), (Some("Laval"), &["+15145550199".to_owned()][..]));
    }

    #[test]
    fn a_field_that_is_chosen_comes_from_the_loser_unless_it_has_none() {
        let winner = ContactDetails { name: Some("Z. Roy".to_owned()), source: Some("web".to_owned()), ..details() };
        let merged = merge(&winner, &other(), &[MergeField::Name, MergeField::Source]).unwrap();
        assert_eq!((merged.name.as_deref(), merged.source.as_deref()), (Some("Zoé"), Some("web")));
    }

    #[test]
    fn numbers_stay_unique_and_at_most_five_further_ones() {
        let numbers = |from: u32, to: u32| (from..to).map(|number| format!("+1514555{number:04}")).collect::<Vec<_>>();
        let winner = ContactDetails { alternate_phones: numbers(200, 202), ..details() };
        let loser = ContactDetails { alternate_phones: numbers(201, 203), ..other() };
        assert_eq!(merge(&winner, &loser, &[]).unwrap().alternate_phones.len(), 4);
        let full = ContactDetails { alternate_phones: numbers(300, 305), ..other() };
        assert_eq!(merge(&winner, &full, &[]).unwrap_err().code, FieldErrorCode::LimitExceeded);
    }

    #[test]
    fn attributes_are_joined_and_the_winner_s_stand_unless_chosen() {
        let with = |value: f64, name: &str, details: ContactDetails| {
            let attributes = [("a".to_owned(), AttributeValue::Number(value)), (name.to_owned(), AttributeValue::Boolean(true))].into();
            ContactDetails { attributes, ..details }
        };
        let (winner, loser) = (with(1.0, "b", details()), with(2.0, "c", other()));
        let kept = merge(&winner, &loser, &[]).unwrap().attributes;
        assert_eq!((kept.len(), kept.get("a")), (3, Some(&AttributeValue::Number(1.0))));
        assert_eq!(merge(&winner, &loser, &[MergeField::Attributes]).unwrap().attributes.get("a"), Some(&AttributeValue::Number(2.0)));
    }
}
