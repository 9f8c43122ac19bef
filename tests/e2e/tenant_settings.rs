//! What an organisation decides about itself: changed by who may, one value at a time, and known everywhere soon.

use serde_json::{Value, json};

use crate::stack::api::{Api, create};
use crate::stack::mutations::{done, error, refused, with_fragments};
use crate::stack::staff::KNOWN;
use crate::stack::tenant::Tenant;
use crate::stack::waiting::eventually;

async fn settings(api: &Api) -> Value {
    api.data(&with_fragments("{ viewer { tenant { ...tenant } } }"), json!({})).await["viewer"]["tenant"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_change_one_by_one_and_what_is_wrong_with_them_is_named_and_nothing_is_changed() {
    let tenant = Tenant::with(&["--country", "CA", "--time-zone", "America/Toronto"]).await;
    let api = &tenant.api;
    let before = settings(api).await;
    assert_eq!((&before["country"], &before["timeZone"], &before["callingDayStart"]), (&json!("CA"), &json!("America/Toronto"), &json!("00:00")));
    assert_eq!((&before["bookingBufferMinutes"], &before["heartbeatTimeoutSeconds"], &before["retentionDays"]), (&json!(30), &json!(60), &json!(2557)));
    assert_eq!((&before["recordContactViews"], &before["version"]), (&json!(false), &json!(1)));
    for (field, value, code) in [
        ("expectedVersion", json!(2), "STALE"),
        ("expectedVersion", json!(0), "STALE"),
        ("name", json!(" "), "BLANK"),
        ("name", json!("é".repeat(256)), "TOO_LONG"),
        ("name", json!("a\nb"), "INVALID"),
        ("timeZone", json!("Mars/Olympus"), "INVALID"),
        ("timeZone", json!("../../etc/passwd"), "INVALID"),
        ("country", json!("Utopia"), "INVALID"),
        ("country", json!("ZZ"), "INVALID"),
        ("callingDayStart", json!("24:00"), "INVALID"),
        ("callingDayStart", json!("noon"), "INVALID"),
        ("bookingBufferMinutes", json!(-1), "INVALID"),
        ("bookingBufferMinutes", json!(481), "INVALID"),
        ("heartbeatTimeoutSeconds", json!(14), "INVALID"),
        ("heartbeatTimeoutSeconds", json!(3_601), "INVALID"),
        ("retentionDays", json!(364), "INVALID"),
        ("retentionDays", json!(3_654), "INVALID"),
        ("recordContactViews", Value::Null, "BLANK"),
    ] {
        // A good value beside it isn't taken either.
        let mut input = json!({ "expectedVersion": 1, "bookingBufferMinutes": 45 });
        input[field] = value.clone();
        assert_eq!(refused(api, "tenantUpdate", input).await, error(field, code), "{value:.40}");
    }
    assert_eq!(settings(api).await, before, "nothing is written");

    let mut expected = before.clone();
    for (version, field, given, shown) in [
        (1, "name", json!(" Nouvelle Société "), json!("Nouvelle Société")),
        (2, "timeZone", json!("Europe/Paris"), json!("Europe/Paris")),
        (3, "country", json!("FR"), json!("FR")),
        (4, "callingDayStart", json!("04:30"), json!("04:30")),
        (5, "bookingBufferMinutes", json!(0), json!(0)),
        (6, "heartbeatTimeoutSeconds", json!(3_600), json!(3_600)),
        (7, "retentionDays", json!(365), json!(365)),
        (8, "recordContactViews", json!(true), json!(true)),
    ] {
        let after = done(api, "tenantUpdate", json!({ "expectedVersion": version, field: given })).await["tenant"].take();
        expected[field] = shown;
        expected["version"] = json!(version + 1);
        expected["updatedAt"] = after["updatedAt"].clone();
        assert_eq!(after, expected, "{field} and nothing else");
    }
    let same = json!({ "expectedVersion": 9, "name": "Nouvelle Société", "callingDayStart": "04:30" });
    assert_eq!(done(api, "tenantUpdate", same).await["tenant"], expected, "what changes nothing is no change");
    // Each process learns of it by itself.
    eventually("the new settings are shown", KNOWN, async || (settings(api).await == expected).then_some(())).await;
    eventually("numbers without a prefix are read in the new country", KNOWN, async || {
        let payload = create(api, json!({ "phone": "01 42 68 53 00" })).await;
        (payload["contact"]["phone"] == "+33142685300").then_some(())
    })
    .await;
}
