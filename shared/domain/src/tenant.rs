//! An organisation that uses Switchboard.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};
use serde_json::json;

use crate::audit::{Audited, Fields};
use crate::change::Revisioned;
use crate::ids::TenantId;
use crate::time_zone;

/// A tenant's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// What all records have.
    pub record: Revisioned,
    /// The word for it in drop folders: lower-case letters, digits and hyphens.
    pub slug: String,
    /// What people call it.
    pub name: String,
    /// IANA time zone of its counters and of contacts whose own is unknown.
    pub time_zone: String,
    /// ISO 3166-1 country in which numbers without a prefix are read.
    pub country: String,
    /// Minutes after midnight at which its day begins: counters and timelines are kept by this day.
    pub calling_day_start: u16,
    /// Minutes kept free between two bookings of an agent.
    pub booking_buffer_minutes: u16,
    /// Seconds without a heartbeat after which an agent counts as offline.
    pub heartbeat_timeout_seconds: u16,
    /// Days for which audit events are kept.
    pub retention_days: u32,
    /// Whether every opening of a contact goes on record.
    pub record_contact_views: bool,
    /// How many partitions its lists are spread over; only grows.
    pub shards: u32,
    /// The keyring, encrypted by KMS.
    pub wrapped_keyring: Vec<u8>,
}

/// Days begin at midnight unless the tenant says otherwise.
pub const CALLING_DAY_START: u16 = 0;
/// Minutes between two bookings unless the tenant says otherwise.
pub const BOOKING_BUFFER_MINUTES: u16 = 30;
/// Seconds without a heartbeat unless the tenant says otherwise.
pub const HEARTBEAT_TIMEOUT_SECONDS: u16 = 60;
/// Seven years, two of them leap years.
pub const RETENTION_DAYS: u32 = 7 * 365 + 2;

impl Tenant {
    fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }

    /// The tenant's day that a moment falls in.
    #[must_use]
    pub fn day_of(&self, at: Timestamp) -> Date {
        let local = self.zone().to_datetime(at);
        let day = local.checked_sub(Span::new().minutes(self.calling_day_start)).unwrap_or(local).date();
        // An hour that comes twice may begin the day the first time.
        let (from, to) = self.day_span(day);
        let neighbour = if at < from {
            day.yesterday()
        } else if at >= to {
            day.tomorrow()
        } else {
            return day;
        };
        neighbour.unwrap_or(day)
    }

    /// When the tenant's day begins and when the next one does. A beginning that daylight saving skips is the moment of the change.
    #[must_use]
    pub fn day_span(&self, day: Date) -> (Timestamp, Timestamp) {
        let zone = self.zone();
        let begin = |day: Date| time_zone::first_moment(&zone, day.to_datetime(Time::MIN) + Span::new().minutes(self.calling_day_start));
        (begin(day), begin(day.tomorrow().unwrap_or(Date::MAX)))
    }

    /// How long an agent may be silent before they count as offline.
    #[must_use]
    pub fn heartbeat_timeout(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.heartbeat_timeout_seconds))
    }
}

/// Whether a text can be a tenant's slug: 1 to 63 lower-case letters, digits and inner hyphens.
#[must_use]
pub fn is_slug(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

impl Audited for Tenant {
    const ENTITY_TYPE: &'static str = "tenant";

    fn audit_fields(&self) -> Fields {
        Fields::from([
            ("name".to_owned(), json!(self.name)),
            ("timeZone".to_owned(), json!(self.time_zone)),
            ("country".to_owned(), json!(self.country)),
            ("callingDayStart".to_owned(), json!(self.calling_day_start)),
            ("bookingBufferMinutes".to_owned(), json!(self.booking_buffer_minutes)),
            ("heartbeatTimeoutSeconds".to_owned(), json!(self.heartbeat_timeout_seconds)),
            ("retentionDays".to_owned(), json!(self.retention_days)),
            ("recordContactViews".to_owned(), json!(self.record_contact_views)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Change, Origin};

    fn tenant(time_zone: &str, calling_day_start: u16) -> Tenant {
        Tenant {
            id: TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]),
            record: Revisioned::created(Change::new("tenant.created", Timestamp::UNIX_EPOCH, Origin::system())),
            slug: "t".to_owned(),
            name: "T".to_owned(),
            time_zone: time_zone.to_owned(),
            country: "CA".to_owned(),
            calling_day_start,
            booking_buffer_minutes: BOOKING_BUFFER_MINUTES,
            heartbeat_timeout_seconds: HEARTBEAT_TIMEOUT_SECONDS,
            retention_days: RETENTION_DAYS,
            record_contact_views: false,
            shards: 1,
            wrapped_keyring: Vec::new(),
        }
    }

    #[test]
    fn every_moment_lies_within_its_own_day_also_when_clocks_change() {
        for tenant in [
            tenant("America/Toronto", 0),
            tenant("America/Toronto", 90),
            tenant("America/Toronto", 150),
            tenant("America/Sao_Paulo", 0),
            tenant("Asia/Kolkata", 23 * 60 + 59),
        ] {
            for begin in ["2026-03-07T00:00:00Z", "2026-10-31T00:00:00Z", "2018-11-03T00:00:00Z"] {
                let begin: Timestamp = begin.parse().unwrap();
                for minutes in (0..3 * 24 * 60).step_by(7) {
                    let at = begin + SignedDuration::from_mins(minutes);
                    let day = tenant.day_of(at);
                    let (from, to) = tenant.day_span(day);
                    assert!(from <= at && at < to, "{} {at} {day} {from} {to}", tenant.time_zone);
                }
            }
        }
    }

    #[test]
    fn a_day_that_begins_at_four_still_runs_at_three() {
        let at: Timestamp = "2026-11-24T08:00:00Z".parse().unwrap();
        assert_eq!(tenant("America/Toronto", 4 * 60).day_of(at).to_string(), "2026-11-23");
        assert_eq!(tenant("America/Toronto", 0).day_of(at).to_string(), "2026-11-24");
    }
}
