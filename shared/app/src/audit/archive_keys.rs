//! Where everything of the archive lies: events by tenant and day of recording, and of each day its hashes and seals.

use jiff::civil::Date;
use switchboard_domain::ids::TenantId;

/// Where the events of all tenants lie.
pub(super) const EVENTS: &str = "events/";
/// Where what could not be read lies as it came, among the tenants of [`EVENTS`].
pub(super) const UNREADABLE: &str = "events/unreadable/";
/// How the names of files of events end.
pub(super) const LINES: &str = ".jsonl.gz";

/// The folder of a tenant's events.
#[must_use]
pub fn tenant_folder(tenant: TenantId) -> String {
    format!("{EVENTS}{tenant}/")
}

/// The folder of the events that were recorded on a day (UTC).
#[must_use]
pub fn day_folder(tenant: TenantId, day: Date) -> String {
    format!("{EVENTS}{tenant}/{day}/")
}

/// The file of some events of a day, which begin with this place in the stream.
pub(super) fn events_key(tenant: TenantId, day: Date, sequence: &str, count: usize) -> String {
    format!("{EVENTS}{tenant}/{day}/{sequence:0>40}-{count}{LINES}")
}

/// The sorted hashes of a day, as far as the seal of this number goes.
#[must_use]
pub fn leaves_key(tenant: TenantId, day: Date, number: u32) -> String {
    format!("leaves/{tenant}/{day}/{number:04}.bin")
}

/// The folder of a day's hashes.
pub(super) fn day_leaves_folder(tenant: TenantId, day: Date) -> String {
    format!("leaves/{tenant}/{day}/")
}

/// The folder of a tenant's seals.
#[must_use]
pub fn seals_folder(tenant: TenantId) -> String {
    format!("seals/{tenant}/")
}

/// The folder of a day's seals.
#[must_use]
pub fn day_seals_folder(tenant: TenantId, day: Date) -> String {
    format!("seals/{tenant}/{day}/")
}

/// A seal of a day.
#[must_use]
pub fn seal_key(tenant: TenantId, day: Date, number: u32) -> String {
    format!("seals/{tenant}/{day}/{number:04}.json")
}

/// The newest seal of a tenant once more: where the next one goes on.
#[must_use]
pub fn newest_seal_key(tenant: TenantId) -> String {
    format!("seals/{tenant}/newest.json")
}

/// The last part of a folder: the tenant or the day that it is named after.
fn name(folder: &str) -> &str {
    let folder = folder.strip_suffix('/').unwrap_or(folder);
    folder.rsplit('/').next().unwrap_or(folder)
}

/// The tenant whose folder this is.
pub(super) fn tenant_of(folder: &str) -> Option<TenantId> {
    TenantId::parse(name(folder))
}

/// The day whose folder this is.
#[must_use]
pub fn day_of_folder(folder: &str) -> Option<Date> {
    let name = name(folder);
    name.parse().ok().filter(|day: &Date| day.to_string() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::civil::date;

    #[test]
    fn folders_name_their_tenant_and_their_day_and_nothing_else_does() {
        let (tenant, day) = (TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]), date(2026, 11, 30));
        assert_eq!(tenant_of(&tenant_folder(tenant)), Some(tenant));
        assert_eq!(tenant_of(UNREADABLE), None);
        for folder in [day_folder(tenant, day), day_seals_folder(tenant, day)] {
            assert_eq!(day_of_folder(&folder), Some(day));
        }
        for wrong in ["seals/x/newest.json", "events/x/20261130/", "events/x/2026-11-31/", ""] {
            assert_eq!(day_of_folder(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_files_of_a_day_lie_in_the_order_of_the_stream() {
        let (tenant, day) = (TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]), date(2026, 11, 30));
        let key = |sequence: &str, count| events_key(tenant, day, sequence, count);
        assert_eq!(key("42", 3), format!("events/{tenant}/2026-11-30/0000000000000000000000000000000000000042-3.jsonl.gz"));
        assert!(key("9", 1000) < key("10", 1) && key("10", 1) < key("100000000000000000000000000000000000000", 1));
        assert_eq!(leaves_key(tenant, day, 3), format!("leaves/{tenant}/2026-11-30/0003.bin"));
        assert_eq!(seal_key(tenant, day, 0), format!("seals/{tenant}/2026-11-30/0000.json"));
        assert!(newest_seal_key(tenant) > seal_key(tenant, day, 9999), "behind the folders of all days");
    }
}
