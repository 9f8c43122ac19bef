//! That nothing slips past the audit: every type of item that the store writes has a rule, and every attribute of an audited item is either on record or named here
//! as technical. `docs/audit.md` says why each of those is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::civil::date;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use switchboard_app::audit::{Report, StreamRecord};
use switchboard_app::contacts::{self as app, AddNote, CreateContact};
use switchboard_app::presence::UpdatePresence;
use switchboard_app::schedules::AddWindow;
use switchboard_app::suppressions::AddSuppression;
use switchboard_domain::audit::{Audited, Fields};
use switchboard_domain::audit_export::{AuditExport, AuditExportFilter, AuditExportFormat};
use switchboard_domain::bulk_job::{BulkAction, BulkJob};
use switchboard_domain::change::{Change, Origin, Revisioned};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{Contact, ContactDetails, ContactFilter, ContactInput, ContactTimeZone, ImportMark, RowWrite, TimeZoneSource, Unmerge};
use switchboard_domain::ids::{
    AgentId, AuditExportId, BulkJobId, ContactId, ImportId, NoteId, RoleId, ScheduleExceptionId, ScheduleWindowId, ScoringModelId, StatusId, SuppressionId, TeamId,
    UserId,
};
use switchboard_domain::imports::{BlankCells, ColumnMapping, ImportKind, ImportOptions, Profile, Target};
use switchboard_domain::note::Note;
use switchboard_domain::person::{Agent, AgentTeam, MembershipRole, Role, User, UserStatus};
use switchboard_domain::presence::{CurrentCall, Presence, PresencePatch, PresenceStatus, Step};
use switchboard_domain::schedule::{Exception, ExceptionKind, Recurrence, Schedule, Weekday, Window, WindowInput};
use switchboard_domain::scoring::training::{CalibrationBand, Coefficient, TrainingReport};
use switchboard_domain::scoring::{ActiveScoringModel, Score, ScoringModel, pipeline, standard};
use switchboard_domain::sealing::ContactKey;
use switchboard_domain::status::ContactStatus;
use switchboard_domain::suppression::Suppression;
use switchboard_domain::team::Team;
use switchboard_domain::tenant::Tenant;
use switchboard_store::contacts::{self, Slot, StoredContact};
use switchboard_store::item::{Item, text};
use switchboard_store::table::Part;
use switchboard_store::{audit_exports, bulk_jobs, import_profiles, imports, keys, people, presence, schedules, scoring_models, settings, suppressions, tenants};
use switchboard_testkit::World;

use crate::made;

/// The types of items whose changes are on record one by one, which is what events about them are called, too.
const VERSIONED: [&str; 14] = [
    "active_scoring_model",
    "agent",
    "contact",
    "contact_status",
    "import_profile",
    "note",
    "presence",
    "role",
    "schedule",
    "scoring_model",
    "suppression",
    "team",
    "tenant",
    "user",
];
/// Those of which it is on record that they were asked for and how they ended; the rest of them is progress.
const ASKED_FOR: [&str; 3] = ["audit_export", "bulk_job", "import"];
/// Those that one event sums up when they are complete: `tests/e2e/audit_imports.rs` looks at it.
const SUMMED_UP: [&str; 1] = ["import_chunk"];
/// Those of which nothing is on record.
const TECHNICAL: [&str; 19] = [
    "administrators",
    "due_score",
    "due_watermark",
    "idempotency",
    "membership",
    "number",
    "presence_day",
    "presence_segment",
    "replaced_score",
    "scoring_model_version",
    "scoring_models_revision",
    "scoring_training",
    "search_entry",
    "search_token",
    "settings_revision",
    "slug",
    "staff_email",
    "subject",
    "team_name",
];

/// Attributes of every record: keys, what tells which record it is, and what an event says of itself.
const OF_EVERY_RECORD: [&str; 15] =
    ["GSI1PK", "GSI1SK", "GSI2PK", "GSI2SK", "PK", "SK", "agent", "created_at", "created_by", "id", "last_change", "revision", "type", "updated_at", "version"];

/// The other attributes of audited items that aren't on record themselves, in the order of the alphabet.
const NOT_ON_RECORD: [(&str, &[&str]); 15] = [
    ("active_scoring_model", &[]),
    ("agent", &["email"]),
    ("contact", &["GSI3SK", "imports", "jobs", "key", "merged", "number_owner", "score", "scored", "suppressed", "time_zone_from", "unmerge"]),
    ("contact_status", &["retired"]),
    ("erased contact", &["number_owner"]),
    ("import_profile", &[]),
    ("note", &[]),
    ("presence", &["call", "last_activity_at", "since"]),
    ("role", &["system"]),
    ("schedule", &[]),
    ("scoring_model", &[]),
    ("suppression", &["slot"]),
    ("team", &["member_count"]),
    ("tenant", &["keyring", "shards", "slug"]),
    ("user", &["activated_at", "email", "subject"]),
];

fn set<'a>(names: impl IntoIterator<Item = &'a &'a str>) -> BTreeSet<String> {
    names.into_iter().map(|name| (*name).to_owned()).collect()
}

/// The sources of the store, without their tests, each in one line.
fn sources(folder: &Path) -> Vec<String> {
    let mut sources = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources.extend(self::sources(&path));
        } else {
            let source = std::fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]").next().unwrap_or_default();
            sources.push(source.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }
    sources
}

/// What stands between two texts, wherever both stand in this order.
fn between<'a>(source: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    source.split(before).skip(1).filter_map(|rest| Some(rest.split_once(after)?.0)).collect()
}

/// The ways in which the store writes the type of an item.
const WRITTEN_AS: [&str; 4] = [" kind: ", "item_type: ", "\"type\".to_owned(), AttributeValue::S(", "\":type\", AttributeValue::S("];

/// The types of all items that the store writes, found where it writes them.
fn types() -> BTreeSet<String> {
    let sources = sources(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../store/src")));
    let constants = |source: &str| -> BTreeMap<String, String> {
        let constants = between(source, "const ", ";").into_iter().filter_map(|constant| constant.split_once(": &str = "));
        constants.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
    };
    let everywhere: BTreeMap<String, String> = sources.iter().flat_map(|source| constants(source)).collect();
    let mut types = BTreeSet::new();
    for source in &sources {
        let here = constants(source);
        let mut written = BTreeSet::new();
        for name in WRITTEN_AS.iter().flat_map(|way| between(source, way, ".to_owned()")) {
            if let Some(literal) = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
                written.insert(literal.to_owned());
            } else if name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
                let value = here.get(name).or_else(|| everywhere.get(name));
                written.insert(value.unwrap_or_else(|| panic!("the store has no constant {name}")).clone());
            }
        }
        let has_items = ["rename = \"type\"", "\"type\".to_owned(),", "\":type\""].iter().any(|form| source.contains(form));
        assert_eq!(has_items, !written.is_empty(), "this file writes the type of an item in a way that isn't known here: {source:.200}");
        types.extend(written);
    }
    types
}

#[test]
fn every_type_of_item_is_audited_or_named_technical() {
    let known: BTreeSet<String> = [set(&VERSIONED), set(&ASKED_FOR), set(&SUMMED_UP), set(&TECHNICAL)].into_iter().flatten().collect();
    let found = types();
    let without: Vec<&String> = found.difference(&known).collect();
    assert!(without.is_empty(), "no rule of the audit says what becomes of items of these types: {without:?}");
    let gone: Vec<&String> = known.difference(&found).collect();
    assert!(gone.is_empty(), "nothing writes items of these types: {gone:?}");
    let listed: BTreeSet<&str> = NOT_ON_RECORD.iter().map(|(kind, _)| *kind).filter(|kind| *kind != "erased contact").collect();
    assert_eq!(listed, VERSIONED.into(), "each of them says which of its attributes are technical");
}

/// Everything in the table that this test wrote, each by its type.
async fn written(world: &World) -> Vec<(String, Item)> {
    let items = made::everything(&world.database).await;
    items.into_iter().map(|item| (text(&item, "type").unwrap().to_owned(), item)).collect()
}

#[tokio::test]
async fn what_is_audited_leaves_an_event_and_what_is_technical_none() {
    let world = World::new().await;
    let (services, viewer, now) = (&world.services, world.viewer("admin").await, world.clock.now());
    let input = ContactInput { phone: "514-555-0123".to_owned(), ..ContactInput::default() };
    let contact = app::create(services, &viewer, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap();
    app::add_note(services, &viewer, AddNote { id: Some(contact.id), body: "A note".to_owned(), idempotency_key: None }).await.unwrap().unwrap();
    let add = AddSuppression { phone: "514-555-0199".to_owned(), ..AddSuppression::default() };
    switchboard_app::suppressions::add(services, &viewer, add).await.unwrap().unwrap();
    let patch = PresencePatch { status: Some(PresenceStatus::Available), ..PresencePatch::default() };
    switchboard_app::presence::update(services, &viewer, UpdatePresence { patch, ..UpdatePresence::default() }).await.unwrap().unwrap();
    let input = WindowInput {
        date: date(2026, 11, 23),
        start_time: "09:00".to_owned(),
        end_time: "12:00".to_owned(),
        ends_next_day: false,
        recurrence: Recurrence::Once,
        weekdays: Vec::new(),
        until: None,
    };
    let window = AddWindow { agent: None, input, expected_version: None, idempotency_key: None };
    switchboard_app::schedules::add_window(services, &viewer, window).await.unwrap().unwrap();
    let job = BulkJob::asked(BulkJobId::new(now, &[1; 10]), BulkAction::Delete, ContactFilter::default(), viewer.origin(), now, now);
    bulk_jobs::create(&services.core, &world.tenant, &job, Vec::new(), services.entropy.as_ref()).await.unwrap();
    let (id, filter) = (AuditExportId::new(now, &[1; 10]), AuditExportFilter::default());
    let export = AuditExport::asked(id, AuditExportFormat::Csv, filter, true, viewer.origin(), now);
    audit_exports::create(&services.core, &world.tenant.scope, &export, Vec::new()).await.unwrap();
    let (import, _) = made::import(&world, 1, &made::file(1));
    imports::create(&services.core, &world.tenant.scope, import).await.unwrap();
    let profile = Profile::of("weekly", ImportKind::Contacts, &[], &ImportOptions::default()).unwrap();
    let profile = Profile::saved(None, profile, now, viewer.origin()).unwrap();
    assert!(import_profiles::save(&services.core, &world.tenant.scope, &profile, None).await.unwrap());
    let record = || Revisioned::created(Change::new("scoring_model.created", now, viewer.origin()));
    let (id, factors) = (ScoringModelId::new(now, &[1; 10]), standard().factors);
    let model = ScoringModel { id, record: record(), name: "Ours".to_owned(), factors, training: None, deleted_at: None };
    assert!(scoring_models::save(&services.core, &world.tenant.scope, 0, &model, None, Vec::new()).await.unwrap());
    let active = ActiveScoringModel { record: record(), model: model.model() };
    assert!(scoring_models::save_active(&services.core, &world.tenant.scope, &active, None, Some(1)).await.unwrap());

    let recorder = made::recorder(&world);
    let mut audited: BTreeSet<String> = BTreeSet::new();
    for (kind, item) in written(&world).await {
        let report = recorder.record(vec![made::inserted(&item)]).await.unwrap();
        let is_technical = TECHNICAL.contains(&kind.as_str());
        let expected = if is_technical { Report { technical: 1, ..Report::default() } } else { Report { recorded: 1, ..Report::default() } };
        assert_eq!(report, expected, "{kind}");
        if !is_technical {
            audited.insert(kind);
        }
    }
    let expected: BTreeSet<String> = [set(&VERSIONED), set(&ASKED_FOR)].into_iter().flatten().collect();
    assert_eq!(audited, expected);
    for kind in TECHNICAL {
        let item = Item::from([("type".to_owned(), AttributeValue::S(kind.to_owned()))]);
        for record in [made::inserted(&item), StreamRecord { sequence: "2".to_owned(), old: Some(item.clone()), new: None }] {
            assert_eq!(recorder.record(vec![record]).await.unwrap(), Report { technical: 1, ..Report::default() }, "{kind}");
        }
    }
}

/// Two states of one record, which differ in every attribute that isn't one of every record.
struct States {
    kind: &'static str,
    one: Item,
    other: Item,
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_953_600 + second).unwrap()
}

/// What all records have, in their first state and in their second.
fn records() -> (Revisioned, Revisioned) {
    let first = Revisioned::created(Change::new("record.created", at(0), Origin::system()));
    let second = first.changed(Change::new("record.updated", at(60), Origin::system()));
    (first, second)
}

fn item(part: Part) -> Item {
    match part {
        Part::Insert { item, .. } | Part::Replace { item, .. } => item,
        other => panic!("no item: {other:?}"),
    }
}

async fn stored(world: &World, key: &keys::Key) -> Item {
    world.services.core.get(&world.tenant.scope, key).await.unwrap().unwrap()
}

fn staff(world: &World) -> Vec<States> {
    let (scope, (first, second)) = (&world.tenant.scope, records());
    let id = UserId::new(at(0), &[1; 10]);
    let user = |record: Revisioned, seed: u8, status: UserStatus, permission: &str| User {
        id,
        record,
        subject: format!("subject {seed}"),
        name: format!("Name {seed}"),
        sealed_email: vec![seed; 40],
        status,
        roles: vec![RoleId::new(at(0), &[seed; 10])],
        grants: vec![permission.parse().unwrap()],
        signed_out_at: Some(at(seed.into())),
        activated_at: Some(at(seed.into())),
    };
    let (one, other) = (user(first.clone(), 1, UserStatus::Active, "contact:read:ALL"), user(second.clone(), 2, UserStatus::Disabled, "contact:read:OWN"));
    let users = (people::insert_user(scope, &one).unwrap(), people::replace_user(scope, &other, 1).unwrap());
    let agent = |record: Revisioned, seed: u8, deleted_at: Option<Timestamp>| Agent {
        id: id.into(),
        record,
        name: format!("Name {seed}"),
        sealed_email: vec![seed; 40],
        employee_id: Some(format!("E-{seed}")),
        time_zone: Some(if seed == 1 { "America/Toronto" } else { "America/Halifax" }.to_owned()),
        teams: vec![AgentTeam { team: TeamId::new(at(0), &[seed; 10]), role: MembershipRole::Agent, assigned_at: at(0) }],
        deleted_at,
    };
    let (one, other) = (agent(first.clone(), 1, None), agent(second.clone(), 2, Some(at(60))));
    let agents = (people::insert_agent(scope, &one).unwrap(), people::replace_agent(scope, &other, 1).unwrap());
    let team = |record: Revisioned, seed: u8, deleted_at: Option<Timestamp>| Team {
        id: TeamId::new(at(0), &[1; 10]),
        record,
        name: format!("Team {seed}"),
        member_count: seed.into(),
        deleted_at,
    };
    let teams = (people::insert_team(scope, &team(first, 1, None)).unwrap(), people::replace_team(scope, &team(second, 2, Some(at(60))), 1).unwrap());
    let states = [("user", users), ("agent", agents), ("team", teams)];
    states.into_iter().map(|(kind, (one, other))| States { kind, one: item(one), other: item(other) }).collect()
}

async fn at_work(world: &World) -> Vec<States> {
    let (core, scope, (first, second)) = (&world.services.core, &world.tenant.scope, records());
    let agent = AgentId::new(at(0), &[1; 10]);
    let presence = |record: Revisioned, status: PresenceStatus, reason: Option<&str>, second: i64| Presence {
        agent,
        record,
        status,
        break_reason: reason.map(str::to_owned),
        accepting_leads: reason.is_some(),
        since: at(second),
        last_activity_at: at(second),
        call: Some(CurrentCall { device: format!("device {second}"), since: at(second), reported_at: at(second), seconds: 1 }),
    };
    let steps = [presence(first.clone(), PresenceStatus::OnBreak, Some("Lunch"), 0), presence(second.clone(), PresenceStatus::Busy, None, 60)];
    let mut presences = Vec::new();
    for after in steps {
        assert!(presence::save(core, scope, &Step { after, finished: Vec::new(), ended_call: None }, None).await.unwrap());
        presences.push(stored(world, &keys::presence(scope, agent)).await);
    }
    let schedule = |record: Revisioned, start: u16| Schedule {
        agent,
        record,
        windows: vec![Window {
            id: ScheduleWindowId::new(at(0), &[1; 10]),
            date: date(2026, 11, 23),
            start,
            end: 720,
            ends_next_day: false,
            recurrence: Recurrence::Weekly,
            weekdays: [Weekday::Monday].into(),
            until: Some(date(2027, 11, 23)),
        }],
        exceptions: vec![Exception {
            id: ScheduleExceptionId::new(at(0), &[1; 10]),
            date: date(2026, 12, 24),
            until: date(2026, 12, 26),
            start: Some(start),
            end: Some(720),
            kind: ExceptionKind::Holiday,
            note: Some("Closed".to_owned()),
        }],
    };
    let mut kept = Vec::new();
    for (schedule, replaced) in [(schedule(first, 540), None), (schedule(second, 600), Some(1))] {
        assert!(schedules::write(core, scope, &schedule, replaced, Vec::new()).await.unwrap());
        kept.push(stored(world, &keys::schedule(scope, agent)).await);
    }
    let [[one_presence, presence], [one_schedule, schedule]] = [presences, kept].map(|states| <[Item; 2]>::try_from(states).unwrap());
    vec![States { kind: "presence", one: one_presence, other: presence }, States { kind: "schedule", one: one_schedule, other: schedule }]
}

async fn configuration(world: &World) -> Vec<States> {
    let (core, scope, (first, second)) = (&world.services.core, &world.tenant.scope, records());
    let status = |record: Revisioned, seed: u8, is_first: bool| ContactStatus {
        id: StatusId::new(at(0), &[9; 10]),
        record,
        code: format!("code_{seed}"),
        name: format!("Status {seed}"),
        color: format!("#00000{seed}"),
        order: seed.into(),
        exclude_from_call_list: is_first,
        system: is_first,
        retired: is_first,
        deleted_at: (!is_first).then(|| at(60)),
    };
    let key = keys::status(scope, StatusId::new(at(0), &[9; 10]));
    settings::create_status(core, scope, &status(first.clone(), 1, true)).await.unwrap();
    let one_status = stored(world, &key).await;
    assert!(settings::touch_status(core, scope, &status(second.clone(), 2, false), 1).await.unwrap());
    let other_status = stored(world, &key).await;
    let role = |record: Revisioned, seed: u8, permission: &str, is_first: bool| Role {
        id: RoleId::new(at(0), &[9; 10]),
        record,
        code: format!("code_{seed}"),
        name: format!("Role {seed}"),
        grants: vec![permission.parse().unwrap()],
        system: is_first,
        deleted_at: (!is_first).then(|| at(60)),
    };
    let key = keys::role(scope, RoleId::new(at(0), &[9; 10]));
    settings::create_role(core, scope, &role(first.clone(), 1, "contact:read:ALL", true)).await.unwrap();
    let one_role = stored(world, &key).await;
    let decided_on = settings::load(core, scope).await.unwrap().revision;
    assert!(settings::write_role(core, scope, decided_on, &role(second.clone(), 2, "contact:read:OWN", false), Some(1), Vec::new()).await.unwrap());
    let other_role = stored(world, &key).await;

    let before = &world.tenant.record;
    let one_tenant = stored(world, &keys::tenant(before.id)).await;
    let other = Tenant {
        id: before.id,
        record: before.record.changed(Change::new("tenant.updated", at(60), Origin::system())),
        slug: "other".to_owned(),
        name: "Other".to_owned(),
        time_zone: "Europe/Paris".to_owned(),
        country: "FR".to_owned(),
        calling_day_start: before.calling_day_start + 60,
        booking_buffer_minutes: before.booking_buffer_minutes + 1,
        heartbeat_timeout_seconds: before.heartbeat_timeout_seconds + 1,
        retention_days: before.retention_days + 1,
        record_contact_views: !before.record_contact_views,
        shards: before.shards + 1,
        wrapped_keyring: vec![1; 40],
    };
    assert!(tenants::save(core, scope, &other, before.record.revision).await.unwrap());
    let other_tenant = stored(world, &keys::tenant(before.id)).await;

    let suppression = |record: Revisioned, seed: u8, removed_at: Option<Timestamp>| Suppression {
        id: SuppressionId::from_hash(&[1; 32]),
        slot: ContactId::from_hash(&[seed; 32]),
        record,
        reason: Some(format!("Reason {seed}")),
        source: format!("source {seed}"),
        listed_at: Some(jiff::civil::date(2026, 1, i8::try_from(seed).unwrap())),
        removed_at,
    };
    let one_suppression = item(suppressions::insert_part(scope, &suppression(first.clone(), 1, None)).unwrap());
    let other_suppression = item(suppressions::replace_part(scope, &suppression(second.clone(), 2, Some(at(60))), 1).unwrap());
    let mapping = [Target::Phone, Target::City].map(|field| ColumnMapping { column: "Tel".to_owned(), field: Some(field), confidence: 1.0, default: None });
    let options = ImportOptions { blank_cells: BlankCells::Clear, ..ImportOptions::default() };
    let one = Profile::of("weekly", ImportKind::Contacts, &mapping[..1], &ImportOptions::default()).unwrap();
    let other = Profile::of("Weekly", ImportKind::Agents, &mapping[1..], &options).unwrap();
    let one = Profile::saved(None, one, at(0), Origin::system()).unwrap();
    let other = Profile { deleted_at: Some(at(60)), ..Profile::saved(Some(&one), other, at(60), Origin::system()).unwrap() };
    let mut profiles = Vec::new();
    for (profile, replaced) in [(&one, None), (&other, Some(1))] {
        assert!(import_profiles::save(core, scope, profile, replaced).await.unwrap());
        profiles.push(stored(world, &keys::import_profile(scope, &one.key)).await);
    }
    let [one_profile, other_profile] = <[Item; 2]>::try_from(profiles).unwrap();
    let model = |record: Revisioned, is_first: bool| ScoringModel {
        id: ScoringModelId::new(at(0), &[1; 10]),
        record,
        name: if is_first { "Ours" } else { "Theirs" }.to_owned(),
        factors: if is_first { standard() } else { pipeline() }.factors,
        training: is_first.then(|| Box::new(training())),
        deleted_at: (!is_first).then(|| at(60)),
    };
    let (one, other) = (model(first.clone(), true), model(second.clone(), false));
    assert!(scoring_models::save(core, scope, 0, &one, None, Vec::new()).await.unwrap());
    let one_model = stored(world, &keys::scoring_model(scope, one.id)).await;
    assert!(scoring_models::save(core, scope, 1, &other, Some(1), Vec::new()).await.unwrap());
    let other_model = stored(world, &keys::scoring_model(scope, one.id)).await;
    assert!(scoring_models::save_active(core, scope, &ActiveScoringModel { record: first, model: standard() }, None, None).await.unwrap());
    let one_active = stored(world, &keys::active_scoring_model(scope)).await;
    assert!(scoring_models::save_active(core, scope, &ActiveScoringModel { record: second, model: pipeline() }, Some(1), None).await.unwrap());
    let other_active = stored(world, &keys::active_scoring_model(scope)).await;
    vec![
        States { kind: "scoring_model", one: one_model, other: other_model },
        States { kind: "active_scoring_model", one: one_active, other: other_active },
        States { kind: "import_profile", one: one_profile, other: other_profile },
        States { kind: "contact_status", one: one_status, other: other_status },
        States { kind: "role", one: one_role, other: other_role },
        States { kind: "tenant", one: one_tenant, other: other_tenant },
        States { kind: "suppression", one: one_suppression, other: other_suppression },
    ]
}

fn training() -> TrainingReport {
    TrainingReport {
        outcome: "converted".to_owned(),
        examples: 500,
        converted: 100,
        held_out: 100,
        area_under_curve: 0.75,
        lift_at_tenth: 2.5,
        calibration: vec![CalibrationBand { predicted: 0.25, observed: 0.5, count: 10 }],
        regularisation: 1.0,
        intercept: -1.5,
        log_odds_per_point: 0.125,
        coefficients: vec![Coefficient { feature: "source".to_owned(), case: "referral".to_owned(), value: 1.5 }],
        left_out: Vec::new(),
    }
}

/// A contact with a value in every field.
fn details(world_statuses: &[ContactStatus], seed: u8) -> ContactDetails {
    let text = |what: &str| Some(format!("{what} {seed}"));
    ContactDetails {
        phone: format!("+1514555000{seed}"),
        phone_extension: Some(seed.to_string()),
        alternate_phones: vec![format!("+1514555001{seed}")],
        name: text("Name"),
        email: text("email"),
        address: text("Address"),
        city: text("City"),
        region: text("Region"),
        postal_code: text("Postal code"),
        country: Some(if seed == 1 { "CA" } else { "FR" }.to_owned()),
        time_zone: if seed == 1 {
            ContactTimeZone { name: "America/Toronto".to_owned(), source: TimeZoneSource::AreaCode }
        } else {
            ContactTimeZone { name: "Europe/Paris".to_owned(), source: TimeZoneSource::Given }
        },
        source: text("Source"),
        attributes: serde_json::from_value(json!({ "Colour": format!("red {seed}"), "SIN": format!("sealed {seed}") })).unwrap(),
        status: world_statuses[usize::from(seed)].id,
        assignee: Some(AgentId::new(at(0), &[seed; 10])),
        team: Some(TeamId::new(at(0), &[seed; 10])),
        next_contact_at: Some(at(seed.into())),
    }
}

/// Contacts, erased ones and notes; and the key of the contact.
async fn of_people(world: &World) -> (Vec<States>, ContactKey) {
    let (services, (first, second)) = (&world.services, records());
    let (tenant, entropy) = (&world.tenant, services.entropy.as_ref());
    let settings = services.tenants.settings(&tenant.scope).await.unwrap();
    let id = tenant.keyring.slot("+15145550001");
    let contact = |record: Revisioned, seed: u8, is_first: bool| {
        let details = details(&settings.statuses, seed);
        let mut contact = Contact {
            id: id.clone(),
            record,
            deleted_at: (!is_first).then(|| at(60)),
            merged_into: (!is_first).then(|| ContactId::from_hash(&[2; 32])),
            unmerge: (!is_first).then(|| Box::new(Unmerge { winner_before: details.clone(), winner_version: 1, loser_version: 1 })),
            merged: vec![ContactId::from_hash(&[seed; 32])],
            suppressed: !is_first,
            import_marks: vec![ImportMark { import: ImportId::new(at(0), &[seed; 10]), row: 1, written: RowWrite::Created, version: None }],
            job_marks: vec![BulkJobId::new(at(0), &[seed; 10])],
            score: None,
            details,
        };
        let score = settings.scorer.score(&contact, at(seed.into()));
        contact.score = Some(Score { value: seed, ..score });
        contact
    };
    let one = contact(first.clone(), 1, true);
    let placement = contacts::new_placement(tenant, &one, entropy);
    let one = StoredContact { contact: one, placement };
    let key = contacts::open_key(&tenant.keyring, &id, one.wrapped_key()).unwrap();
    let other = StoredContact { contact: contact(second.clone(), 2, false), placement: one.placement.clone() };
    let (one, mut other) = (contacts::encode(tenant, &settings, &one, entropy).unwrap(), contacts::encode(tenant, &settings, &other, entropy).unwrap());
    other.insert("key".to_owned(), AttributeValue::B(tenant.keyring.wrap(&id, &key, entropy).into()));
    other.insert("number_owner".to_owned(), AttributeValue::S("nobody".to_owned()));

    let note = |record: Revisioned, body: &str| {
        let note = Note { id: NoteId::new(at(0), &[1; 10]), contact: id.clone(), record, body: body.to_owned() };
        item(contacts::note_part(&tenant.scope, &note, &key, entropy).unwrap())
    };
    let notes = States { kind: "note", one: note(first, "One"), other: note(second, "Other") };

    let viewer = world.viewer("admin").await;
    let input = ContactInput { phone: "514-555-0123".to_owned(), ..ContactInput::default() };
    let erased = app::create(services, &viewer, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap().id;
    app::erase(services, &viewer, Some(erased.clone()), "asked for").await.unwrap().unwrap();
    let erased = made::contact_item(world, &erased).await;
    let mut later = erased.clone();
    later.insert("erased_at".to_owned(), AttributeValue::N((at(60) + SignedDuration::from_hours(24)).as_millisecond().to_string()));
    later.remove("number_owner");
    (vec![States { kind: "contact", one, other }, States { kind: "erased contact", one: erased, other: later }, notes], key)
}

/// What would be on record of an item.
fn fields(world: &World, key: &ContactKey, item: &Item) -> Fields {
    let (keyring, item) = (&world.tenant.keyring, item.clone());
    match text(&item, "type").unwrap() {
        "agent" => people::decode_agent(item).unwrap().audit_fields(),
        "contact" => match contacts::decode_slot(keyring, item).unwrap() {
            Slot::Contact(stored) => stored.contact.audit_fields(),
            Slot::Erased(erased) => erased.audit_fields(),
            Slot::Pointer(_) => panic!("a pointer"),
        },
        "contact_status" => settings::decode_status(item).unwrap().audit_fields(),
        "import_profile" => import_profiles::decode(item).unwrap().audit_fields(),
        "note" => contacts::decode_note(item).unwrap().open(key).unwrap().audit_fields(),
        "presence" => presence::decode(item).unwrap().audit_fields(),
        "role" => settings::decode_role(item).unwrap().audit_fields(),
        "schedule" => schedules::decode(item).unwrap().audit_fields(),
        "scoring_model" => scoring_models::decode(item).unwrap().audit_fields(),
        "active_scoring_model" => scoring_models::decode_active(item).unwrap().audit_fields(),
        "suppression" => suppressions::decode(item).unwrap().audit_fields(),
        "team" => people::decode_team(item).unwrap().audit_fields(),
        "tenant" => tenants::decode(item).unwrap().audit_fields(),
        "user" => people::decode_user(item).unwrap().audit_fields(),
        other => panic!("nothing of a {other} is on record"),
    }
}

#[tokio::test]
async fn every_attribute_of_an_audited_item_is_on_record_or_named_technical() {
    let world = World::new().await;
    let (mut states, key) = of_people(&world).await;
    states.extend(staff(&world));
    states.extend(at_work(&world).await);
    states.extend(configuration(&world).await);
    states.sort_by_key(|states| states.kind);
    assert_eq!(states.iter().map(|states| states.kind).collect::<Vec<_>>(), NOT_ON_RECORD.map(|(kind, _)| kind));
    for (States { kind, one, other }, (_, expected)) in states.iter().zip(NOT_ON_RECORD) {
        let before = fields(&world, &key, one);
        let names: BTreeSet<&String> = one.keys().chain(other.keys()).filter(|name| !OF_EVERY_RECORD.contains(&name.as_str())).collect();
        let mut technical = Vec::new();
        for name in names {
            assert_ne!(one.get(name), other.get(name), "{kind}: give {name} two values here, so that it shows whether it is on record");
            let mut changed = one.clone();
            match other.get(name) {
                Some(value) => changed.insert(name.clone(), value.clone()),
                None => changed.remove(name),
            };
            if fields(&world, &key, &changed) == before {
                technical.push(name.as_str());
            }
        }
        assert_eq!(technical, expected, "{kind}: attributes that aren't on record, beside those named technical");
    }
}

/// A contact's details with one field of others, for each of its fields. All are named here: a new one is missed when this is compiled.
fn each_field(one: &ContactDetails, other: &ContactDetails) -> Vec<(&'static str, ContactDetails)> {
    let ContactDetails {
        phone,
        phone_extension,
        alternate_phones,
        name,
        email,
        address,
        city,
        region,
        postal_code,
        country,
        time_zone,
        source,
        attributes,
        status,
        assignee,
        team,
        next_contact_at,
    } = other.clone();
    let one = || one.clone();
    vec![
        ("phone", ContactDetails { phone, ..one() }),
        ("phone_extension", ContactDetails { phone_extension, ..one() }),
        ("alternate_phones", ContactDetails { alternate_phones, ..one() }),
        ("name", ContactDetails { name, ..one() }),
        ("email", ContactDetails { email, ..one() }),
        ("address", ContactDetails { address, ..one() }),
        ("city", ContactDetails { city, ..one() }),
        ("region", ContactDetails { region, ..one() }),
        ("postal_code", ContactDetails { postal_code, ..one() }),
        ("country", ContactDetails { country, ..one() }),
        ("time_zone", ContactDetails { time_zone, ..one() }),
        ("source", ContactDetails { source, ..one() }),
        ("attributes", ContactDetails { attributes, ..one() }),
        ("status", ContactDetails { status, ..one() }),
        ("assignee", ContactDetails { assignee, ..one() }),
        ("team", ContactDetails { team, ..one() }),
        ("next_contact_at", ContactDetails { next_contact_at, ..one() }),
    ]
}

#[tokio::test]
async fn every_field_of_a_contact_is_on_record() {
    let world = World::new().await;
    let settings = world.services.tenants.settings(&world.tenant.scope).await.unwrap();
    let [one, other] = [1, 2].map(|seed| details(&settings.statuses, seed));
    for (field, changed) in each_field(&one, &other) {
        assert_ne!(changed, one, "give {field} two values, so that it shows whether it is on record");
        assert_ne!(changed.fields(), one.fields(), "{field} is in no event: it belongs into ContactDetails::fields");
    }
}
