//! What each factor of a model gives a contact now, and which case of its rule held.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::model::{CompletenessField, DayBand, Factor, NumberBand, Rule};
use super::points::Points;
use super::score::{Case, Component};
use super::{Scorer, Standing};
use crate::contact::{AttributeValue, Contact};
use crate::text;

/// Milliseconds of a day, which always has 24 hours here: clocks that change make no day of a band longer.
pub(super) const DAY: i64 = 24 * 60 * 60 * 1_000;

/// What the factors of a model give a contact at a moment, in the model's order.
pub(super) fn components(scorer: &Scorer, contact: &Contact, now: Timestamp) -> Vec<Component> {
    let looked_at = LookedAt { scorer, contact, now: now.as_millisecond(), zone: OnceCell::new() };
    scorer.model.factors.iter().map(|factor| looked_at.component(factor)).collect()
}

/// The value of a score: the points of its components, rounded half up.
pub(super) fn value_of(components: &[Component]) -> u8 {
    components.iter().map(|component| component.points).sum::<Points>().rounded()
}

/// The fields of a contact that are filled, in the order in which [`CompletenessField`] lists them.
pub(crate) fn filled(contact: &Contact) -> impl Iterator<Item = CompletenessField> + '_ {
    use CompletenessField::{Address, City, Email, Name, Phone, PostalCode, Region, Source};
    [Phone, Email, Name, Address, City, Region, PostalCode, Source].into_iter().filter(move |field| is_filled(contact, *field))
}

/// The form in which sources and values of attributes are compared: folded and trimmed, spaces and hyphens as underscores. A text that has it already
/// isn't copied. The form of a form is itself.
pub(crate) fn normalised(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase() && byte != b'-') {
        return Cow::Borrowed(text);
    }
    // Twice, because the small letter of a capital with an accent can be a letter and an accent of its own.
    let folded = if text.is_ascii() { text.to_ascii_lowercase() } else { text::fold(&text::fold(text)) };
    Cow::Owned(folded.trim().chars().map(|character| if is_gap(character) { '_' } else { character }).collect())
}

/// Whether a character only stands between words.
fn is_gap(character: char) -> bool {
    character.is_whitespace() || matches!(character, '-' | '\u{2010}'..='\u{2015}')
}

/// The compare form of an attribute's value; none when nothing is left of it.
pub(crate) fn text_of(value: &AttributeValue) -> Option<Cow<'_, str>> {
    let form = match value {
        AttributeValue::Boolean(true) => Cow::Borrowed("true"),
        AttributeValue::Boolean(false) => Cow::Borrowed("false"),
        // Adding nothing makes 0 of -0.
        AttributeValue::Number(number) => Cow::Owned(normalised(&(number + 0.0).to_string()).into_owned()),
        AttributeValue::String(text) => normalised(text),
    };
    Some(form).filter(|form| !form.is_empty())
}

/// The number that an attribute's value is, also as a text: what imports bring are texts. None for other texts, and for a yes or no.
pub(crate) fn number_of(value: &AttributeValue) -> Option<f64> {
    let number = match value {
        AttributeValue::Number(number) => *number,
        AttributeValue::String(text) => text.trim().parse().ok()?,
        AttributeValue::Boolean(_) => return None,
    };
    number.is_finite().then_some(number)
}

/// What is left of the points of a factor of age.
pub(super) fn age_points(maximum: Points, half_life_days: u32, created: i64, now: i64) -> Points {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of all times that there are lie below 2^53")]
    let days = now.saturating_sub(created).max(0) as f64 / DAY as f64;
    maximum.scaled(0.5_f64.powf(days / f64::from(half_life_days)))
}

/// A contact at a moment, beside the model that scores it.
struct LookedAt<'a> {
    scorer: &'a Scorer,
    contact: &'a Contact,
    /// Milliseconds since 1970.
    now: i64,
    /// The contact's time zone, once it was needed.
    zone: OnceCell<TimeZone>,
}

impl LookedAt<'_> {
    fn component(&self, factor: &Factor) -> Component {
        let details = &self.contact.details;
        match &factor.rule {
            Rule::Source { table, aliases, otherwise } => {
                let source = details.source.as_deref().map(normalised).filter(|source| !source.is_empty());
                let source = source.as_deref().map(|source| aliases.get(source).map_or(source, String::as_str));
                by_table(table, source, *otherwise, *otherwise)
            }
            Rule::Completeness { fields } => by_completeness(fields, self.contact),
            Rule::Conversion { converted, next_contact, otherwise } => {
                if self.standing() == Standing::Converted {
                    component(*converted, 0)
                } else if details.next_contact_at.is_some() {
                    component(*next_contact, 1)
                } else {
                    component(*otherwise, 2)
                }
            }
            Rule::Pipeline => match self.standing() {
                Standing::Converted => component(factor.maximum, 0),
                Standing::Excluded => component(Points::ZERO, 1),
                Standing::Called { place } => component(factor.maximum.scaled(self.scorer.share_of_place(place)), usize::from(place) + 2),
            },
            Rule::Urgency { overdue, bands, later, none } => {
                let Some(next) = details.next_contact_at else {
                    return component(*none, bands.len() + 2);
                };
                let away = next.as_millisecond() - self.now;
                if away <= 0 {
                    return self.dated(*overdue, 0, next);
                }
                match band_of(bands, away) {
                    Some((place, points)) => self.dated(points, place + 1, next),
                    None => component(*later, bands.len() + 1),
                }
            }
            Rule::Age { half_life_days } => {
                let created = self.contact.record.created_at;
                self.dated(age_points(factor.maximum, *half_life_days, created.as_millisecond(), self.now), 0, created)
            }
            Rule::Activity { bands, otherwise } => {
                let changed = self.contact.record.updated_at();
                let (place, points) = band_of(bands, self.now - changed.as_millisecond()).unwrap_or((bands.len(), *otherwise));
                self.dated(points, place, changed)
            }
            Rule::Assignment { assigned, unassigned } => {
                if details.assignee.is_some() {
                    component(*assigned, 0)
                } else {
                    component(*unassigned, 1)
                }
            }
            Rule::AttributeTable { attribute, table, otherwise, missing } => {
                let value = details.attributes.get(attribute).and_then(text_of);
                by_table(table, value.as_deref(), *otherwise, *missing)
            }
            Rule::AttributeBands { attribute, bands, below, missing } => match details.attributes.get(attribute).and_then(number_of) {
                Some(number) => by_number(bands, number, *below),
                None => component(*missing, bands.len() + 1),
            },
        }
    }

    fn standing(&self) -> Standing {
        self.scorer.standing(self.contact.details.status)
    }

    /// A case that depends on the day of a moment, as the contact's calendar has it.
    fn dated(&self, points: Points, case: usize, at: Timestamp) -> Component {
        Component { points, case: Case::on(case_number(case), self.day(at)) }
    }

    fn day(&self, at: Timestamp) -> Date {
        let zone = self.zone.get_or_init(|| TimeZone::get(&self.contact.details.time_zone.name).unwrap_or(TimeZone::UTC));
        zone.to_datetime(at).date()
    }
}

fn component(points: Points, case: usize) -> Component {
    Component { points, case: Case::new(case_number(case)) }
}

fn case_number(case: usize) -> u16 {
    u16::try_from(case).unwrap_or(u16::MAX)
}

/// By the entry of a value, which is in its compare form.
fn by_table(table: &BTreeMap<String, Points>, value: Option<&str>, otherwise: Points, missing: Points) -> Component {
    let Some(value) = value else {
        return component(missing, table.len() + 1);
    };
    let entry = table.iter().zip(0..).find(|((key, _), _)| key.as_str() == value);
    entry.map_or_else(|| component(otherwise, table.len()), |((_, points), place)| component(*points, place))
}

fn by_completeness(fields: &BTreeMap<CompletenessField, Points>, contact: &Contact) -> Component {
    let mut points = Points::ZERO;
    let mut number = 0;
    for ((field, given), place) in fields.iter().zip(0..) {
        if is_filled(contact, *field) {
            points = points + *given;
            number |= 1_u16.checked_shl(place).unwrap_or(0);
        }
    }
    Component { points, case: Case::new(number) }
}

/// By the last band that a number reaches.
fn by_number(bands: &[NumberBand], number: f64, below: Points) -> Component {
    let reached = bands.iter().zip(0..).take_while(|(band, _)| band.at_least <= number).last();
    reached.map_or_else(|| component(below, bands.len()), |(band, place)| component(band.points, place))
}

/// The first band that a span of milliseconds is within, and its place.
fn band_of(bands: &[DayBand], span: i64) -> Option<(usize, Points)> {
    bands.iter().zip(0..).find(|(band, _)| span <= i64::from(band.within_days) * DAY).map(|(band, place)| (place, band.points))
}

fn is_filled(contact: &Contact, field: CompletenessField) -> bool {
    let details = &contact.details;
    match field {
        CompletenessField::Phone => !details.phone.is_empty(),
        CompletenessField::Email => details.email.is_some(),
        CompletenessField::Name => details.name.is_some(),
        CompletenessField::Address => details.address.is_some(),
        CompletenessField::City => details.city.is_some(),
        CompletenessField::Region => details.region.is_some(),
        CompletenessField::PostalCode => details.postal_code.is_some(),
        CompletenessField::Source => details.source.is_some(),
    }
}

#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;
