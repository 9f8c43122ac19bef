//! When agents can be booked: windows on the clocks of their zone, less the exceptions, also when those clocks change; and what is free of it.

use serde_json::{Value, json};

use crate::stack::api::Api;
use crate::stack::mutations::{done, error, refusal, refused, with_fragments};
use crate::stack::tenant::{Person, Tenant};

/// Somebody's schedule with what it comes to between two times.
async fn schedule(api: &Api, agent: &Value, from: &str, to: &str) -> Value {
    let query = with_fragments(
        "query($id: ID!, $from: DateTime!, $to: DateTime!) { agentSchedule(agentId: $id, from: $from, to: $to) {
            timeZone version agent { id } windows { ...window } exceptions { ...exception } availability { startsAt endsAt } } }",
    );
    api.data(&query, json!({ "id": agent, "from": from, "to": to })).await["agentSchedule"].take()
}

/// The times between two days in which somebody can be booked, to the minute.
async fn bookable(api: &Api, agent: &Value, from: &str, to: &str) -> Vec<String> {
    let schedule = schedule(api, agent, &format!("{from}T00:00:00Z"), &format!("{to}T00:00:00Z")).await;
    schedule["availability"].as_array().unwrap().iter().map(written).collect()
}

/// A range of time, to the minute.
fn written(range: &Value) -> String {
    let minute = |time: &Value| {
        let time = time.as_str().unwrap();
        assert!(time.ends_with(":00.000Z"), "a whole minute: {time}");
        time[..16].to_owned()
    };
    format!("{} {}", minute(&range["startsAt"]), minute(&range["endsAt"]))
}

/// Adds a window to an agent's schedule; its id.
async fn window(api: &Api, agent: &Value, mut input: Value) -> Value {
    input["agentId"] = agent.clone();
    done(api, "scheduleAddWindow", input).await["window"]["id"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_keeps_the_hours_of_its_zone_when_the_clocks_change() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let agent = tenant.appoint(json!({ "roles": tenant.roles(&["agent"]).await })).await["id"].take();
    // In 2031 Toronto's clocks go forward on 9 March and back on 2 November, at two in the morning.
    let sundays = json!({ "date": "2031-02-23", "startTime": "09:00", "endTime": "17:00", "recurrence": "WEEKLY", "weekdays": ["SUNDAY"], "until": "2031-11-02" });
    window(api, &agent, sundays).await;
    let nights = json!({ "date": "2031-03-01", "startTime": "22:00", "endTime": "06:00", "endsNextDay": true, "recurrence": "WEEKLY", "weekdays": ["SATURDAY"] });
    window(api, &agent, nights).await;
    let spring = [
        "2031-03-02T03:00 2031-03-02T11:00",
        "2031-03-02T14:00 2031-03-02T22:00",
        "2031-03-09T03:00 2031-03-09T10:00",
        "2031-03-09T13:00 2031-03-09T21:00",
        "2031-03-16T02:00 2031-03-16T10:00",
        "2031-03-16T13:00 2031-03-16T21:00",
    ];
    assert_eq!(bookable(api, &agent, "2031-03-01", "2031-03-17").await, spring);
    let autumn = [
        "2031-10-26T02:00 2031-10-26T10:00",
        "2031-10-26T13:00 2031-10-26T21:00",
        "2031-11-02T02:00 2031-11-02T11:00",
        "2031-11-02T14:00 2031-11-02T22:00",
        "2031-11-09T03:00 2031-11-09T11:00",
    ];
    assert_eq!(bookable(api, &agent, "2031-10-25", "2031-11-10").await, autumn, "the last Sunday is that until which it goes");

    let other = tenant.appoint(json!({})).await["id"].take();
    for date in ["2031-03-09", "2031-11-02"] {
        window(api, &other, json!({ "date": date, "startTime": "02:15", "endTime": "02:45" })).await;
        window(api, &other, json!({ "date": date, "startTime": "00:30", "endTime": "01:30" })).await;
    }
    assert_eq!(bookable(api, &other, "2031-03-08", "2031-03-11").await, ["2031-03-09T05:30 2031-03-09T06:30"], "what the clocks skip is no time");
    let twice = ["2031-11-02T04:30 2031-11-02T05:30", "2031-11-02T07:15 2031-11-02T07:45"];
    assert_eq!(bookable(api, &other, "2031-11-01", "2031-11-03").await, twice, "of an hour that comes twice the first is meant");
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_windows_are_one_time_exceptions_are_cut_out_and_all_of_it_can_be_changed() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let agent = tenant.hire(&["agent"]).await;
    // A field agent keeps the schedule they have, and names nobody for it.
    let daily = json!({ "date": "2031-06-02", "startTime": "09:00", "endTime": "12:00", "recurrence": "DAILY", "until": "2031-06-04" });
    let made = done(&agent.api, "scheduleAddWindow", daily.clone()).await;
    assert_eq!((&made["version"], &made["agent"]["id"], &made["window"]["recurrence"]), (&json!(1), &agent.agent, &json!("DAILY")));
    let daily_id = made["window"]["id"].clone();
    for (start, end) in [("11:00", "15:00"), ("15:00", "16:00")] {
        window(api, &agent.agent, json!({ "date": "2031-06-02", "startTime": start, "endTime": end })).await;
    }
    let late = window(api, &agent.agent, json!({ "date": "2031-06-03", "startTime": "20:00", "endTime": "24:00" })).await;
    let exceptions = [
        json!({ "agentId": agent.agent, "date": "2031-06-02", "startTime": "10:00", "endTime": "10:30", "kind": "AWAY", "note": "Dentist" }),
        json!({ "agentId": agent.agent, "date": "2031-06-04", "untilDate": "2031-06-08", "kind": "HOLIDAY" }),
    ];
    let mut made = Vec::new();
    for exception in exceptions {
        made.push(done(api, "scheduleAddException", exception).await["exception"].take());
    }
    assert_eq!((&made[0]["note"], &made[0]["kind"], &made[1]["untilDate"]), (&json!("Dentist"), &json!("AWAY"), &json!("2031-06-08")));
    let first_day = ["2031-06-02T13:00 2031-06-02T14:00", "2031-06-02T14:30 2031-06-02T20:00"];
    let second_day = ["2031-06-03T13:00 2031-06-03T16:00", "2031-06-04T00:00 2031-06-04T04:00"];
    assert_eq!(bookable(&agent.api, &agent.agent, "2031-06-01", "2031-06-10").await, [first_day, second_day].concat());
    assert_eq!(bookable(api, &agent.agent, "2031-06-03", "2031-06-04").await, second_day[..1], "only what lies in the time asked for");

    let version = async || schedule(api, &agent.agent, "2031-06-01T00:00:00Z", "2031-06-02T00:00:00Z").await["version"].clone();
    assert_eq!(version().await, 6);
    let mut update = daily;
    update["windowId"] = daily_id.clone();
    update["agentId"] = agent.agent.clone();
    update["startTime"] = json!("08:30");
    update["expectedVersion"] = json!(5);
    assert_eq!(refused(api, "scheduleUpdateWindow", update.clone()).await, error("expectedVersion", "STALE"));
    update["expectedVersion"] = json!(6);
    let updated = done(api, "scheduleUpdateWindow", update).await;
    assert_eq!((&updated["window"]["id"], &updated["window"]["startTime"], &updated["version"]), (&daily_id, &json!("08:30"), &json!(7)));
    done(api, "scheduleRemoveException", json!({ "agentId": agent.agent, "exceptionId": made[0]["id"], "expectedVersion": 7 })).await;
    assert_eq!(done(&agent.api, "scheduleRemoveWindow", json!({ "windowId": late })).await["version"], 9);
    let after = ["2031-06-02T12:30 2031-06-02T20:00", "2031-06-03T12:30 2031-06-03T16:00"];
    assert_eq!(bookable(api, &agent.agent, "2031-06-01", "2031-06-10").await, after);
    done(api, "agentUpdate", json!({ "id": agent.agent, "expectedVersion": 1, "timeZone": "America/Vancouver" })).await;
    let west = ["2031-06-02T15:30 2031-06-02T23:00", "2031-06-03T15:30 2031-06-03T19:00"];
    assert_eq!(bookable(api, &agent.agent, "2031-06-01", "2031-06-10").await, west, "hours are those of the agent's zone");
    let whole = schedule(api, &agent.agent, "2031-06-01T00:00:00Z", "2031-06-02T00:00:00Z").await;
    assert_eq!((&whole["timeZone"], whole["windows"].as_array().unwrap().len(), whole["exceptions"].as_array().unwrap().len()), (&json!("America/Vancouver"), 3, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_schedule_is_named_and_nothing_is_written() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let telephonist = tenant.hire(&["telephonist"]).await;
    let id = &telephonist.agent;
    for (more, field, code) in [
        (json!({ "endTime": "08:00" }), "endTime", "INVALID"),
        (json!({ "endTime": "09:00" }), "endTime", "INVALID"),
        (json!({ "endTime": "24:01" }), "endTime", "INVALID"),
        (json!({ "endTime": "noon" }), "endTime", "INVALID"),
        (json!({ "startTime": "25:00" }), "startTime", "INVALID"),
        (json!({ "startTime": "09:60" }), "startTime", "INVALID"),
        (json!({ "startTime": "" }), "startTime", ""),
        (json!({ "recurrence": "DAILY", "until": "2031-06-01" }), "until", "INVALID"),
        (json!({ "until": "2031-06-08" }), "until", "INVALID"),
        (json!({ "recurrence": "WEEKLY" }), "weekdays", ""),
        (json!({ "recurrence": "WEEKLY", "weekdays": [] }), "weekdays", ""),
        (json!({ "recurrence": "DAILY", "weekdays": ["MONDAY"] }), "weekdays", ""),
        (json!({ "expectedVersion": 7 }), "expectedVersion", "STALE"),
    ] {
        let mut input = json!({ "agentId": id, "date": "2031-06-02", "startTime": "09:00", "endTime": "17:00" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let errors = refused(api, "scheduleAddWindow", input).await;
        let [(refused_field, refused_code)] = &errors[..] else { panic!("{more}: {errors:?}") };
        assert!(refused_field == field && (code.is_empty() || refused_code == code), "{more}: {errors:?}");
    }
    for (more, field, code) in [
        (json!({ "untilDate": "2031-06-01" }), "untilDate", "INVALID"),
        (json!({ "startTime": "10:00", "endTime": "09:00" }), "endTime", "INVALID"),
        (json!({ "note": "é".repeat(256) }), "note", "TOO_LONG"),
        (json!({ "note": "a\u{0}b" }), "note", "INVALID"),
        (json!({ "expectedVersion": 1 }), "expectedVersion", "STALE"),
    ] {
        let mut input = json!({ "agentId": id, "date": "2031-06-02", "kind": "AWAY" });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(refused(api, "scheduleAddException", input).await, error(field, code), "{more}");
    }
    assert_eq!(refusal(api, "scheduleAddWindow", json!({ "agentId": "nonsense", "date": "2031-06-02", "startTime": "09:00", "endTime": "10:00" })).await, "NOT_FOUND");
    let own = json!({ "date": "2031-06-02", "startTime": "09:00", "endTime": "10:00" });
    assert_eq!(refusal(&telephonist.api, "scheduleAddWindow", own).await, "FORBIDDEN", "only field agents keep their own");
    let empty = schedule(&telephonist.api, id, "2031-06-01T00:00:00Z", "2031-06-10T00:00:00Z").await;
    assert_eq!((&empty["version"], &empty["windows"], &empty["exceptions"], &empty["availability"]), (&json!(0), &json!([]), &json!([]), &json!([])));
    let query = "query($id: ID!, $from: DateTime!, $to: DateTime!) { agentSchedule(agentId: $id, from: $from, to: $to) { version } }";
    for (from, to) in [("2031-06-01", "2031-06-01"), ("2031-06-02", "2031-06-01"), ("2031-01-01", "2031-06-01")] {
        let variables = json!({ "id": id, "from": format!("{from}T00:00:00Z"), "to": format!("{to}T00:00:00Z") });
        assert_eq!(api.refusal(query, variables).await, "BAD_REQUEST", "{from} {to}");
    }
}

/// What is free, each with whose it is among these people.
async fn free(api: &Api, people: &[&Person], arguments: &str) -> Vec<(usize, String)> {
    let data = api.data(&format!("{{ freeSlots({arguments}) {{ agent {{ id }} startsAt endsAt }} }}"), json!({})).await;
    let whose = |slot: &Value| people.iter().position(|person| person.agent == slot["agent"]["id"]).unwrap();
    data["freeSlots"].as_array().unwrap().iter().map(|slot| (whose(slot), written(slot))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn free_slots_lie_in_free_times_with_the_tenants_buffer_between_them() {
    let tenant = Tenant::shared().await;
    let api = &tenant.api;
    let team = tenant.team().await["id"].take();
    let (one, two) = (tenant.hire(&["agent"]).await, tenant.hire(&["agent"]).await);
    let people = [&one, &two];
    for (person, start) in [(&one, "09:00"), (&two, "10:00")] {
        done(api, "teamAddMember", json!({ "teamId": team, "agentId": person.agent })).await;
        window(api, &person.agent, json!({ "date": "2031-06-02", "startTime": start, "endTime": "12:00" })).await;
        window(api, &person.agent, json!({ "date": "2020-06-01", "startTime": start, "endTime": "12:00" })).await;
    }
    let range = "from: \"2031-06-02T00:00:00Z\", to: \"2031-06-03T00:00:00Z\"";
    let slot = |whose: usize, start: &str, end: &str| (whose, format!("2031-06-02T{start} 2031-06-02T{end}"));
    let of_one = format!("agentId: {}, {range}, durationMinutes: 60", one.agent);
    assert_eq!(free(api, &people, &of_one).await, [slot(0, "13:00", "14:00"), slot(0, "14:30", "15:30")], "thirty minutes between them");
    let close = [slot(0, "13:00", "14:00"), slot(0, "14:00", "15:00"), slot(0, "15:00", "16:00")];
    assert_eq!(free(api, &people, &format!("{of_one}, bufferMinutes: 0")).await, close);
    assert_eq!(free(&one.api, &people, &format!("{of_one}, bufferMinutes: 0, first: 2")).await, close[..2]);
    let of_team = format!("teamId: {team}, {range}, durationMinutes: 60, bufferMinutes: 0");
    let both = free(api, &people, &of_team).await;
    let mut expected = close.to_vec();
    expected.extend([slot(1, "14:00", "15:00"), slot(1, "15:00", "16:00")]);
    expected.sort_by(|(_, one), (_, other)| one.cmp(other));
    assert_eq!(both.iter().map(|(_, time)| time).collect::<Vec<_>>(), expected.iter().map(|(_, time)| time).collect::<Vec<_>>(), "in the order of time");
    let sorted = |mut slots: Vec<(usize, String)>| {
        slots.sort();
        slots
    };
    assert_eq!(sorted(both), sorted(expected));
    let past = format!("agentId: {}, from: \"2020-06-01T00:00:00Z\", to: \"2020-06-02T00:00:00Z\", durationMinutes: 60", one.agent);
    assert!(free(api, &people, &past).await.is_empty(), "nobody is booked in the past");

    for arguments in [
        format!("{range}, durationMinutes: 60"),
        format!("agentId: {}, teamId: {team}, {range}, durationMinutes: 60", one.agent),
        format!("agentId: {}, {range}, durationMinutes: 4", one.agent),
        format!("agentId: {}, {range}, durationMinutes: 1441", one.agent),
        format!("agentId: {}, {range}, durationMinutes: 60, bufferMinutes: -1", one.agent),
        format!("agentId: {}, {range}, durationMinutes: 60, bufferMinutes: 481", one.agent),
        format!("agentId: {}, from: \"2031-06-02T00:00:00Z\", to: \"2031-07-04T00:00:00Z\", durationMinutes: 60", one.agent),
        format!("agentId: {}, from: \"2031-06-02T00:00:00Z\", to: \"2031-06-02T00:00:00Z\", durationMinutes: 60", one.agent),
    ] {
        assert_eq!(api.refusal(&format!("{{ freeSlots({arguments}) {{ startsAt }} }}"), json!({})).await, "BAD_REQUEST", "{arguments}");
    }
    done(api, "agentDelete", json!({ "id": one.agent, "expectedVersion": 2 })).await;
    assert_eq!(free(api, &people, &of_team).await, [slot(1, "14:00", "15:00"), slot(1, "15:00", "16:00")], "who is gone is not booked");
}
