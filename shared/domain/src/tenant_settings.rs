//! What an organisation decides about itself: its name and place, when its day begins, how long things last.

use jiff::tz::TimeZone;

use crate::audit::{Fields, value_of};
use crate::change::Change;
use crate::field_error::{FieldError, FieldErrorCode};
use crate::phone;
use crate::tenant::{self, Tenant};
use crate::text;

/// Most minutes kept free between two bookings of an agent.
pub const MOST_BOOKING_BUFFER_MINUTES: u16 = 480;
/// Fewest and most seconds of silence after which an agent counts as offline.
pub const HEARTBEAT_TIMEOUTS: (u16, u16) = (15, 3_600);
/// Fewest and most days for which audit events are kept: from one year to ten, leap years among them.
pub const RETENTIONS: (u32, u32) = (365, 3_653);

/// Minutes of a day on the clock.
const DAY_MINUTES: u16 = 24 * 60;

/// What is to change of a tenant. `None` stays; `Some(None)` was given as nothing, which no setting can be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantPatch {
    /// What people call it.
    pub name: Option<Option<String>>,
    /// IANA time zone.
    pub time_zone: Option<Option<String>>,
    /// ISO 3166-1 country.
    pub country: Option<Option<String>>,
    /// When its day begins, as `HH:MM`.
    pub calling_day_start: Option<Option<String>>,
    /// Minutes kept free between two bookings of an agent.
    pub booking_buffer_minutes: Option<Option<i32>>,
    /// Seconds without a heartbeat after which an agent counts as offline.
    pub heartbeat_timeout_seconds: Option<Option<i32>>,
    /// Days for which audit events are kept.
    pub retention_days: Option<Option<i32>>,
    /// Whether every opening of a contact goes on record.
    pub record_contact_views: Option<Option<bool>>,
}

impl TenantPatch {
    /// What makes a tenant say again what it said when these were its audited fields; none when they aren't those of a tenant.
    #[must_use]
    pub fn from_fields(fields: &Fields) -> Option<Self> {
        Some(Self {
            name: value_of(fields, "name")?.map(Some),
            time_zone: value_of(fields, "timeZone")?.map(Some),
            country: value_of(fields, "country")?.map(Some),
            calling_day_start: value_of(fields, "callingDayStart")?.map(|minutes| Some(clock_time(minutes))),
            booking_buffer_minutes: value_of(fields, "bookingBufferMinutes")?.map(Some),
            heartbeat_timeout_seconds: value_of(fields, "heartbeatTimeoutSeconds")?.map(Some),
            retention_days: value_of(fields, "retentionDays")?.map(Some),
            record_contact_views: value_of(fields, "recordContactViews")?.map(Some),
        })
    }
}

/// The tenant with what was given; none when that changes nothing.
///
/// # Errors
/// `STALE` alone when it isn't at the expected version; else all that is wrong, each with its field: `BLANK`, `TOO_LONG`, `INVALID`.
pub fn update(tenant: &Tenant, expected_version: i32, patch: &TenantPatch, change: Change) -> Result<Option<Tenant>, Vec<FieldError>> {
    check_version(tenant, expected_version).map_err(|error| vec![error])?;
    let mut errors = Vec::new();
    let mut after = tenant.clone();
    set(&mut errors, "name", patch.name.as_ref(), &mut after.name, |name| checked_name("name", name));
    set(&mut errors, "timeZone", patch.time_zone.as_ref(), &mut after.time_zone, |zone| checked_time_zone("timeZone", zone));
    set(&mut errors, "country", patch.country.as_ref(), &mut after.country, |country| checked_country("country", country));
    set(&mut errors, "callingDayStart", patch.calling_day_start.as_ref(), &mut after.calling_day_start, |time| checked_time("callingDayStart", time, DAY_MINUTES - 1));
    set(&mut errors, "bookingBufferMinutes", patch.booking_buffer_minutes.as_ref(), &mut after.booking_buffer_minutes, |minutes| {
        within("bookingBufferMinutes", *minutes, (0, MOST_BOOKING_BUFFER_MINUTES), "minutes")
    });
    set(&mut errors, "heartbeatTimeoutSeconds", patch.heartbeat_timeout_seconds.as_ref(), &mut after.heartbeat_timeout_seconds, |seconds| {
        within("heartbeatTimeoutSeconds", *seconds, HEARTBEAT_TIMEOUTS, "seconds")
    });
    set(&mut errors, "retentionDays", patch.retention_days.as_ref(), &mut after.retention_days, |days| within("retentionDays", *days, RETENTIONS, "days"));
    set(&mut errors, "recordContactViews", patch.record_contact_views.as_ref(), &mut after.record_contact_views, |recorded| Ok(*recorded));
    if !errors.is_empty() {
        return Err(errors);
    }
    if after == *tenant {
        return Ok(None);
    }
    Ok(Some(Tenant { record: tenant.record.changed(change), ..after }))
}

/// The word for a tenant in drop folders.
///
/// # Errors
/// `BLANK`, `INVALID`.
pub fn checked_slug(field: &str, value: &str) -> Result<String, FieldError> {
    if value.is_empty() {
        return Err(FieldError::new(field, FieldErrorCode::Blank, format!("{field} is empty. Give a short word, such as acme.")));
    }
    if tenant::is_slug(value) {
        return Ok(value.to_owned());
    }
    let message = format!("{field} is not a word for drop folders. Give 1 to 63 lower-case letters, digits and inner hyphens, such as acme.");
    Err(FieldError::new(field, FieldErrorCode::Invalid, message))
}

/// The name of a tenant: one line of at most 255 characters, trimmed.
///
/// # Errors
/// `BLANK`, `TOO_LONG`, `INVALID`.
pub fn checked_name(field: &str, value: &str) -> Result<String, FieldError> {
    let name = text::line(field, value, text::NAME_LENGTH)?;
    name.ok_or_else(|| FieldError::new(field, FieldErrorCode::Blank, format!("{field} is empty. Give what people call the organisation.")))
}

/// The name of a time zone that is known, as IANA spells it.
///
/// # Errors
/// `BLANK`, `TOO_LONG`, `INVALID`.
pub fn checked_time_zone(field: &str, value: &str) -> Result<String, FieldError> {
    const REMEDY: &str = "Give one such as America/Toronto.";
    let blank = || FieldError::new(field, FieldErrorCode::Blank, format!("{field} is empty. {REMEDY}"));
    let name = text::line(field, value, text::PLACE_LENGTH)?.ok_or_else(blank)?;
    let zone = TimeZone::get(&name).ok();
    match zone.as_ref().and_then(TimeZone::iana_name) {
        Some(known) => Ok(known.to_owned()),
        None => Err(FieldError::new(field, FieldErrorCode::Invalid, format!("{field} is not an IANA time zone. {REMEDY}"))),
    }
}

/// The two letters of a country whose telephone numbers can be read.
///
/// # Errors
/// `BLANK`, `TOO_LONG`, `INVALID`.
pub fn checked_country(field: &str, value: &str) -> Result<String, FieldError> {
    const REMEDY: &str = "Give its two-letter code, such as CA.";
    let blank = || FieldError::new(field, FieldErrorCode::Blank, format!("{field} is empty. {REMEDY}"));
    let code = text::line(field, value, text::PLACE_LENGTH)?.ok_or_else(blank)?.to_ascii_uppercase();
    if phone::is_country(&code) {
        return Ok(code);
    }
    Err(FieldError::new(field, FieldErrorCode::Invalid, format!("{field} is not a country. {REMEDY}")))
}

/// Minutes after midnight as a clock shows them: `HH:MM`.
#[must_use]
pub fn clock_time(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Minutes after midnight of a time from 00:00 to the last one allowed.
///
/// # Errors
/// `BLANK`, `INVALID`.
pub(crate) fn checked_time(field: &str, value: &str, last: u16) -> Result<u16, FieldError> {
    let remedy = format!("Write it as HH:MM, from 00:00 to {}.", clock_time(last));
    let given = value.trim();
    if given.is_empty() {
        return Err(FieldError::new(field, FieldErrorCode::Blank, format!("{field} is empty. {remedy}")));
    }
    let digits = |part: &str| (part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit())).then(|| part.parse::<u16>().ok()).flatten();
    let parts = given.split_once(':').and_then(|(hours, minutes)| Some((digits(hours)?, digits(minutes)?)));
    match parts {
        Some((hours, minutes)) if minutes < 60 && hours * 60 + minutes <= last => Ok(hours * 60 + minutes),
        _ => Err(FieldError::new(field, FieldErrorCode::Invalid, format!("{field} is not a time of day. {remedy}"))),
    }
}

/// A whole number between two others, which it may be.
fn within<T: TryFrom<i32> + PartialOrd + std::fmt::Display>(field: &str, given: i32, (least, most): (T, T), unit: &str) -> Result<T, FieldError> {
    match T::try_from(given) {
        Ok(number) if least <= number && number <= most => Ok(number),
        _ => Err(FieldError::new(field, FieldErrorCode::Invalid, format!("{field} is not from {least} to {most}. Give whole {unit}."))),
    }
}

fn check_version(tenant: &Tenant, expected: i32) -> Result<(), FieldError> {
    let version = tenant.record.version;
    if i64::from(expected) == i64::from(version) {
        return Ok(());
    }
    let message = format!("The organisation is at version {version}, not {expected}. Read it again and decide again.");
    Err(FieldError::new("expectedVersion", FieldErrorCode::Stale, message))
}

/// Puts a value that was given in its place, once it is checked.
fn set<T, U>(errors: &mut Vec<FieldError>, field: &str, given: Option<&Option<T>>, place: &mut U, check: impl FnOnce(&T) -> Result<U, FieldError>) {
    let checked = match given {
        None => return,
        Some(None) => Err(FieldError::new(field, FieldErrorCode::Blank, format!("{field} can't be empty. Leave it out to keep it."))),
        Some(Some(value)) => check(value),
    };
    match checked {
        Ok(value) => *place = value,
        Err(error) => errors.push(error),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::audit::Audited;
    use crate::change::{Origin, Revisioned};
    use crate::ids::TenantId;
    use crate::tenant::{BOOKING_BUFFER_MINUTES, HEARTBEAT_TIMEOUT_SECONDS, RETENTION_DAYS};

    fn change() -> Change {
        Change::new("tenant.updated", Timestamp::UNIX_EPOCH, Origin::system())
    }

    fn tenant() -> Tenant {
        Tenant {
            id: TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]),
            record: Revisioned::created(change()),
            slug: "acme".to_owned(),
            name: "Acme".to_owned(),
            time_zone: "America/Toronto".to_owned(),
            country: "CA".to_owned(),
            calling_day_start: 0,
            booking_buffer_minutes: BOOKING_BUFFER_MINUTES,
            heartbeat_timeout_seconds: HEARTBEAT_TIMEOUT_SECONDS,
            retention_days: RETENTION_DAYS,
            record_contact_views: false,
            shards: 1,
            wrapped_keyring: Vec::new(),
        }
    }

    fn given<T>(value: T) -> Option<Option<T>> {
        Some(Some(value))
    }

    fn text(value: &str) -> Option<Option<String>> {
        given(value.to_owned())
    }

    fn refused(patch: &TenantPatch) -> Vec<(String, FieldErrorCode)> {
        update(&tenant(), 1, patch, change()).unwrap_err().into_iter().map(|error| (error.field, error.code)).collect()
    }

    fn one(field: &str, code: FieldErrorCode) -> Vec<(String, FieldErrorCode)> {
        vec![(field.to_owned(), code)]
    }

    #[test]
    fn what_is_given_changes_and_the_rest_stays() {
        let patch = TenantPatch {
            name: text("  Acme & Fils "),
            time_zone: text("america/vancouver"),
            country: text("us"),
            calling_day_start: text("04:30"),
            booking_buffer_minutes: given(0),
            heartbeat_timeout_seconds: given(15),
            retention_days: given(3_653),
            record_contact_views: given(true),
        };
        let after = update(&tenant(), 1, &patch, change()).unwrap().unwrap();
        assert_eq!((after.name.as_str(), after.time_zone.as_str(), after.country.as_str()), ("Acme & Fils", "America/Vancouver", "US"));
        assert_eq!((after.calling_day_start, after.booking_buffer_minutes, after.heartbeat_timeout_seconds), (270, 0, 15));
        assert_eq!((after.retention_days, after.record_contact_views), (3_653, true));
        assert_eq!((after.record.version, after.record.revision, after.slug.as_str(), after.shards), (2, 2, "acme", 1));

        let named = update(&tenant(), 1, &TenantPatch { name: text("Other"), ..TenantPatch::default() }, change()).unwrap().unwrap();
        assert_eq!(Tenant { name: "Acme".to_owned(), record: tenant().record, ..named }, tenant());
    }

    #[test]
    fn what_changes_nothing_is_no_change() {
        assert_eq!(update(&tenant(), 1, &TenantPatch::default(), change()), Ok(None));
        let same =
            TenantPatch { name: text(" Acme "), time_zone: text("AMERICA/toronto"), country: text("ca"), calling_day_start: text("00:00"), ..TenantPatch::default() };
        assert_eq!(update(&tenant(), 1, &same, change()), Ok(None));
    }

    #[test]
    fn a_stale_version_is_all_that_is_said() {
        for expected in [0, 2, -1] {
            let errors = update(&tenant(), expected, &TenantPatch { name: text(""), ..TenantPatch::default() }, change()).unwrap_err();
            assert_eq!(errors.iter().map(|error| error.code).collect::<Vec<_>>(), [FieldErrorCode::Stale]);
        }
    }

    #[test]
    fn no_setting_can_be_emptied_and_all_that_is_wrong_is_named_at_once() {
        let emptied = TenantPatch {
            name: Some(None),
            time_zone: Some(None),
            country: Some(None),
            calling_day_start: Some(None),
            booking_buffer_minutes: Some(None),
            heartbeat_timeout_seconds: Some(None),
            retention_days: Some(None),
            record_contact_views: Some(None),
        };
        let fields = ["name", "timeZone", "country", "callingDayStart", "bookingBufferMinutes", "heartbeatTimeoutSeconds", "retentionDays", "recordContactViews"];
        assert_eq!(refused(&emptied), fields.map(|field| (field.to_owned(), FieldErrorCode::Blank)));
    }

    #[test]
    fn a_text_that_cannot_be_is_refused_with_its_field() {
        use FieldErrorCode::{Blank, Invalid, TooLong};
        for (value, code) in [("  ", Blank), ("a\nb", Invalid), (&*"é".repeat(256), TooLong)] {
            assert_eq!(refused(&TenantPatch { name: text(value), ..TenantPatch::default() }), one("name", code), "{value:?}");
        }
        for (value, code) in
            [("", Blank), ("Montreal", Invalid), ("EST5EDT,M3.2.0,M11.1.0", Invalid), ("Etc/Unknown", Invalid), ("+05:00", Invalid), ("Amerika/Toronto", Invalid)]
        {
            assert_eq!(refused(&TenantPatch { time_zone: text(value), ..TenantPatch::default() }), one("timeZone", code), "{value:?}");
        }
        for (value, code) in [(" ", Blank), ("Canada", Invalid), ("ZZ", Invalid), ("CAN", Invalid), ("001", Invalid), ("C", Invalid)] {
            assert_eq!(refused(&TenantPatch { country: text(value), ..TenantPatch::default() }), one("country", code), "{value:?}");
        }
        for (value, code) in
            [("", Blank), ("24:00", Invalid), ("4:30", Invalid), ("04:60", Invalid), ("0430", Invalid), ("04:30:00", Invalid), ("-1:00", Invalid), ("+4:30", Invalid)]
        {
            assert_eq!(refused(&TenantPatch { calling_day_start: text(value), ..TenantPatch::default() }), one("callingDayStart", code), "{value:?}");
        }
    }

    #[test]
    fn numbers_have_their_bounds() {
        for wrong in [-1, 481, i32::MIN, i32::MAX] {
            assert_eq!(refused(&TenantPatch { booking_buffer_minutes: given(wrong), ..TenantPatch::default() }), one("bookingBufferMinutes", FieldErrorCode::Invalid));
        }
        for wrong in [0, 14, 3_601, 65_536 + 60, -60] {
            assert_eq!(
                refused(&TenantPatch { heartbeat_timeout_seconds: given(wrong), ..TenantPatch::default() }),
                one("heartbeatTimeoutSeconds", FieldErrorCode::Invalid)
            );
        }
        for wrong in [0, 364, 3_654, -365] {
            assert_eq!(refused(&TenantPatch { retention_days: given(wrong), ..TenantPatch::default() }), one("retentionDays", FieldErrorCode::Invalid));
        }
        for (buffer, timeout, days) in [(0, 15, 365), (480, 3_600, 3_653)] {
            let patch =
                TenantPatch { booking_buffer_minutes: given(buffer), heartbeat_timeout_seconds: given(timeout), retention_days: given(days), ..TenantPatch::default() };
            assert!(update(&tenant(), 1, &patch, change()).is_ok());
        }
    }

    #[test]
    fn what_a_new_tenant_has_is_within_the_bounds() {
        const { assert!(BOOKING_BUFFER_MINUTES <= MOST_BOOKING_BUFFER_MINUTES) };
        assert!((HEARTBEAT_TIMEOUTS.0..=HEARTBEAT_TIMEOUTS.1).contains(&HEARTBEAT_TIMEOUT_SECONDS));
        assert!((RETENTIONS.0..=RETENTIONS.1).contains(&RETENTION_DAYS));
    }

    #[test]
    fn a_slug_is_a_word_for_folders() {
        assert_eq!(checked_slug("slug", "acme-2").as_deref(), Ok("acme-2"));
        assert_eq!(checked_slug("slug", "").unwrap_err().code, FieldErrorCode::Blank);
        for wrong in ["Acme", "acme/west", "-acme", "acme ", "é"] {
            assert_eq!(checked_slug("slug", wrong).unwrap_err().code, FieldErrorCode::Invalid, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn every_minute_of_a_day_reads_back(minutes in 0..DAY_MINUTES) {
            prop_assert_eq!(checked_time("callingDayStart", &clock_time(minutes), DAY_MINUTES - 1).unwrap(), minutes);
        }

        #[test]
        fn a_tenant_says_again_what_it_said(
            name in "[A-Z][a-zé]{1,20}", start in 0..DAY_MINUTES, buffer in 0..=MOST_BOOKING_BUFFER_MINUTES, timeout in HEARTBEAT_TIMEOUTS.0..=HEARTBEAT_TIMEOUTS.1,
            days in RETENTIONS.0..=RETENTIONS.1, (is_abroad, views) in any::<(bool, bool)>(),
        ) {
            let (time_zone, country) = if is_abroad { ("Europe/Paris", "FR") } else { ("America/Toronto", "CA") };
            let then = Tenant {
                name,
                time_zone: time_zone.to_owned(),
                country: country.to_owned(),
                calling_day_start: start,
                booking_buffer_minutes: buffer,
                heartbeat_timeout_seconds: timeout,
                retention_days: days,
                record_contact_views: views,
                ..tenant()
            };
            let patch = TenantPatch::from_fields(&then.audit_fields()).unwrap();
            let after = update(&tenant(), 1, &patch, change()).unwrap().unwrap_or_else(tenant);
            prop_assert_eq!(after.audit_fields(), then.audit_fields());
        }

        #[test]
        fn no_text_is_too_strange(text in ".{0,40}") {
            let time = checked_time("t", &text, DAY_MINUTES);
            let _ = (time, checked_time_zone("z", &text), checked_country("c", &text), checked_slug("s", &text), checked_name("n", &text));
        }
    }
}
