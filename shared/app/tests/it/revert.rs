//! Reverting: a record says again what it said at an earlier version, by the rules of every change, or nothing is written.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::{join, join_all};
use jiff::SignedDuration;
use serde_json::{Value, json};
use switchboard_app::agents::{self, AgentPatch, UpdateAgent};
use switchboard_app::audit::{self, RecordId, Recorder, RevertRecord, Reverted};
use switchboard_app::contacts::{self, AssignContacts, CreateContact, MergeContacts, SetStatus, UpdateContact};
use switchboard_app::roles::{self, CreateRole, DeleteRole, UpdateRole};
use switchboard_app::statuses::{self, CreateStatus, DeleteStatus, UpdateStatus};
use switchboard_app::suppressions::{self, RemoveSuppression};
use switchboard_app::teams::{self, CreateTeam, UpdateTeam};
use switchboard_app::tenant_settings::{self, UpdateTenant};
use switchboard_app::users::{self, DisableUser, Enrolled, NewPerson, UpdateUser};
use switchboard_app::{AppError, Existing, UserError, Viewer};
use switchboard_domain::audit::{Audited, Changes, FieldChange, Place};
use switchboard_domain::change::{Change, Origin};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::{AttributeValue as Attribute, Contact, ContactDetails, ContactInput, ContactPatch};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{ContactId, RoleId, StatusId, TeamId, TenantId, UserId};
use switchboard_domain::permission::Grant;
use switchboard_domain::person::{ADMIN, Agent, Role, TELEPHONIST, User, UserStatus};
use switchboard_domain::role::{RoleInput, RolePatch};
use switchboard_domain::status::{ContactStatus, StatusInput, StatusPatch};
use switchboard_domain::suppression;
use switchboard_domain::tenant_settings::TenantPatch;
use switchboard_store::contacts::{self as store, open_key};
use switchboard_store::item::{Item, text};
use switchboard_store::{people, settings, suppressions as list, tenants};
use switchboard_testkit::World;

use crate::made;

/// What is in the core table goes on record whenever it is looked at: once behind each change, because the stream tells of each by itself.
pub(crate) struct Trail<'a> {
    world: &'a World,
    recorder: Recorder,
    seen: BTreeMap<(String, String), Item>,
}

impl<'a> Trail<'a> {
    /// A trail on which everything is that there is.
    pub(crate) async fn of(world: &'a World) -> Self {
        let mut trail = Self { world, recorder: made::recorder(world), seen: BTreeMap::new() };
        trail.follow().await;
        trail
    }

    /// Records what changed since the last look.
    pub(crate) async fn follow(&mut self) {
        let mut batch = Vec::new();
        for item in made::everything(&self.world.database).await {
            let key = |name: &str| text(&item, name).unwrap().to_owned();
            match self.seen.insert((key("PK"), key("SK")), item.clone()) {
                Some(before) if before == item => {}
                Some(before) => batch.push(made::changed(&before, &item)),
                None => batch.push(made::inserted(&item)),
            }
        }
        self.recorder.record(batch).await.unwrap();
    }
}

fn asked(record: RecordId, to_version: i32, expected_version: i32) -> RevertRecord {
    RevertRecord { record: Some(record), to_version, expected_version }
}

/// What somebody is answered who reverts a record.
async fn reverted(world: &World, viewer: &Viewer, record: RecordId, to: i32, expected: i32) -> Result<Reverted, Vec<UserError>> {
    audit::revert(&world.services, viewer, asked(record, to, expected)).await.unwrap()
}

async fn refused(world: &World, record: RecordId, to: i32, expected: i32) -> Vec<UserError> {
    reverted(world, &world.viewer(ADMIN).await, record, to, expected).await.unwrap_err()
}

fn codes(errors: &[UserError]) -> Vec<(&str, FieldErrorCode)> {
    errors.iter().map(|error| (error.error.field.as_str(), error.error.code)).collect()
}

/// Reverts a contact; the contact.
async fn contact_at(world: &World, id: &ContactId, to: i32, expected: i32) -> Contact {
    match reverted(world, &world.viewer(ADMIN).await, RecordId::Contact(id.clone()), to, expected).await.unwrap() {
        Reverted::Contact(contact) => *contact,
        other => panic!("{other:?}"),
    }
}

async fn contact(world: &World, id: &ContactId) -> Contact {
    store::get(&world.services.core, &world.tenant, id).await.unwrap().unwrap().contact
}

async fn created(world: &World, input: ContactInput) -> Contact {
    let viewer = world.viewer_in_request(ADMIN, &format!("create {}", input.phone)).await;
    contacts::create(&world.services, &viewer, CreateContact { input, ..CreateContact::default() }).await.unwrap().unwrap()
}

fn named(phone: &str, name: &str) -> ContactInput {
    ContactInput { phone: phone.to_owned(), name: Some(name.to_owned()), ..ContactInput::default() }
}

fn text_of(value: &str) -> Option<Option<String>> {
    Some(Some(value.to_owned()))
}

/// Changes a contact, and puts it on record.
async fn updated(world: &World, trail: &mut Trail<'_>, id: &ContactId, patch: ContactPatch) -> Contact {
    let expected_version = i32::try_from(contact(world, id).await.record.version).unwrap();
    let request = UpdateContact { id: Some(id.clone()), expected_version, patch, ..UpdateContact::default() };
    let after = contacts::update(&world.services, &world.viewer(ADMIN).await, request).await.unwrap().unwrap();
    trail.follow().await;
    after
}

async fn renamed(world: &World, trail: &mut Trail<'_>, id: &ContactId, name: &str) -> Contact {
    updated(world, trail, id, ContactPatch { name: text_of(name), ..ContactPatch::default() }).await
}

async fn moved(world: &World, trail: &mut Trail<'_>, id: &ContactId, phone: &str) -> Contact {
    updated(world, trail, id, ContactPatch { phone: text_of(phone), ..ContactPatch::default() }).await
}

async fn status_set(world: &World, trail: &mut Trail<'_>, id: &ContactId, status: StatusId) -> Contact {
    let request = SetStatus { id: Some(id.clone()), status: Some(status), ..SetStatus::default() };
    let after = contacts::set_status(&world.services, &world.viewer(ADMIN).await, request).await.unwrap().unwrap();
    trail.follow().await;
    after
}

fn status(viewer: &Viewer, code: &str) -> StatusId {
    viewer.settings.status_by_code(code).unwrap().id
}

/// The action, the reason and the differences of the event of a contact's version.
async fn event_of(world: &World, id: &ContactId, version: u32) -> (String, Option<String>, Vec<FieldChange>) {
    let stored = world.services.audit.get(world.tenant.record.id, Contact::ENTITY_TYPE, id.as_str(), &Place::Version(version)).await.unwrap().unwrap();
    let Changes::Sealed(sealed) = &stored.event.changes else { panic!("not sealed: {stored:?}") };
    let kept = store::get(&world.services.core, &world.tenant, id).await.unwrap().unwrap();
    let key = open_key(&world.tenant.keyring, id, kept.wrapped_key()).unwrap();
    let changes = serde_json::from_slice(&key.open(id, &Changes::purpose(version), sealed).unwrap()).unwrap();
    (stored.event.change.action, stored.event.change.reason, changes)
}

/// The same of a record that is about nobody.
async fn clear_event_of(world: &World, entity_type: &str, id: impl ToString, version: u32) -> (String, Option<String>, Vec<FieldChange>) {
    let stored = world.services.audit.get(world.tenant.record.id, entity_type, &id.to_string(), &Place::Version(version)).await.unwrap().unwrap();
    let Changes::Clear(changes) = &stored.event.changes else { panic!("sealed: {stored:?}") };
    (stored.event.change.action.clone(), stored.event.change.reason.clone(), changes.clone())
}

fn change(field: &str, old: Value, new: Value) -> FieldChange {
    let value = |value: Value| Some(value).filter(|value| !value.is_null());
    FieldChange { field: field.to_owned(), old: value(old), new: value(new) }
}

/// A contact made and changed in every way; as it was at its first version, and as it is at its sixth.
async fn six_versions(world: &World, trail: &mut Trail<'_>) -> (Contact, Contact) {
    let viewer = world.viewer(ADMIN).await;
    let input = ContactInput {
        phone_extension: Some("12".to_owned()),
        alternate_phones: vec!["514-555-0190".to_owned()],
        email: Some("zoe@example.com".to_owned()),
        city: Some("Montréal".to_owned()),
        postal_code: Some("H3A 1B2".to_owned()),
        source: Some("fair".to_owned()),
        attributes: vec![("colour".to_owned(), Attribute::String("red".to_owned())), ("SIN".to_owned(), Attribute::String("046 454 286".to_owned()))],
        next_contact_at: Some("2027-05-14T09:30:00Z".parse().unwrap()),
        ..named("514-555-0123", "Zoé Roy")
    };
    let request = CreateContact { input, assignee: Some(Some(viewer.agent())), ..CreateContact::default() };
    let first = contacts::create(&world.services, &viewer, request).await.unwrap().unwrap();
    trail.follow().await;
    let id = &first.id;
    renamed(world, trail, id, "Liam Roy").await;
    let emptied = ContactPatch {
        alternate_phones: Some(None),
        email: Some(None),
        city: Some(None),
        postal_code: text_of("V6B 1A1"),
        source: Some(None),
        next_contact_at: Some(None),
        attributes: vec![("colour".to_owned(), Some(Attribute::Boolean(true))), ("SIN".to_owned(), None), ("rooms".to_owned(), Some(Attribute::Number(2.5)))],
        ..ContactPatch::default()
    };
    updated(world, trail, id, emptied).await;
    moved(world, trail, id, "418-555-0124").await;
    status_set(world, trail, id, status(&viewer, "interested")).await;
    contacts::assign(&world.services, &viewer, AssignContacts { ids: vec![Some(id.clone())], ..AssignContacts::default() }).await.unwrap();
    trail.follow().await;
    let last = contact(world, id).await;
    assert_eq!(last.record.version, 6);
    (first, last)
}

#[tokio::test]
async fn a_contact_says_again_what_it_said_five_changes_ago() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (first, last) = six_versions(&world, &mut trail).await;
    world.clock.advance(SignedDuration::from_secs(1));
    let back = contact_at(&world, &first.id, 1, 6).await;
    assert_eq!((&back.details, back.record.version), (&first.details, 7));
    assert_eq!(contact(&world, &first.id).await, back);
    let viewer = world.viewer(ADMIN).await;
    assert_eq!(back.record.last_change, Change::new("contact.reverted", world.clock.now(), viewer.origin()).because("to version 1"));
    assert_eq!(contacts::by_phone(&world.services, &viewer, "514-555-0123").await.unwrap().unwrap().id, first.id, "its number is its own again");
    assert!(contacts::by_phone(&world.services, &viewer, "418-555-0124").await.unwrap().is_none(), "and the other one is free");
    trail.follow().await;
    let (action, reason, changes) = event_of(&world, &first.id, 7).await;
    assert_eq!((action.as_str(), reason.as_deref()), ("contact.reverted", Some("to version 1")));
    let expected = [
        change("alternatePhones", Value::Null, json!(["+15145550190"])),
        change("assignee", Value::Null, json!(viewer.agent())),
        change("attributes.SIN", Value::Null, json!("046 454 286")),
        change("attributes.colour", json!(true), json!("red")),
        change("attributes.rooms", json!(2.5), Value::Null),
        change("city", Value::Null, json!("Montréal")),
        change("email", Value::Null, json!("zoe@example.com")),
        change("name", json!("Liam Roy"), json!("Zoé Roy")),
        change("nextContactAt", Value::Null, json!("2027-05-14T09:30:00.000Z")),
        change("phone", json!("+14185550124"), json!("+15145550123")),
        change("phoneExtension", Value::Null, json!("12")),
        change("postalCode", json!("V6B 1A1"), json!("H3A 1B2")),
        change("source", Value::Null, json!("fair")),
        change("status", json!(status(&viewer, "interested")), json!(status(&viewer, "new"))),
        change("timeZone", json!("America/Vancouver"), json!("America/Toronto")),
    ];
    assert_eq!(changes, expected);
    // Reverting is undone by reverting, and every version on the way is reached.
    let again = contact_at(&world, &first.id, 6, 7).await;
    assert_eq!((&again.details, again.record.version), (&last.details, 8));
    trail.follow().await;
    let halfway = contact_at(&world, &first.id, 2, 8).await;
    assert_eq!(halfway.details, ContactDetails { name: Some("Liam Roy".to_owned()), ..first.details });
}

#[tokio::test]
async fn a_version_that_is_stale_absent_or_says_the_same_writes_nothing() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let id = created(&world, named("514-555-0123", "One")).await.id;
    trail.follow().await;
    renamed(&world, &mut trail, &id, "Two").await;
    let now = renamed(&world, &mut trail, &id, "One").await;
    for expected in [i32::MIN, 0, 1, 2, 4, i32::MAX] {
        assert_eq!(codes(&refused(&world, RecordId::Contact(id.clone()), 1, expected).await), [("expectedVersion", FieldErrorCode::Stale)]);
    }
    for to in [i32::MIN, -1, 0, 4, i32::MAX] {
        let errors = refused(&world, RecordId::Contact(id.clone()), to, 3).await;
        assert_eq!(codes(&errors), [("toVersion", FieldErrorCode::NotFound)]);
        assert!(errors[0].error.message.contains("1 to 3"), "{errors:?}");
    }
    world.database.meter.reset();
    for to in [1, 3] {
        assert_eq!(contact_at(&world, &id, to, 3).await, now);
    }
    assert!(world.database.meter.usage().total_write_units() < 0.5);
    assert_eq!(contact(&world, &id).await, now);
}

#[tokio::test]
async fn a_number_that_another_contact_has_by_now_is_taken_until_it_is_free() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let id = created(&world, named("514-555-0123", "First")).await.id;
    trail.follow().await;
    let now = moved(&world, &mut trail, &id, "514-555-0124").await;
    let heir = created(&world, named("514-555-0123", "Heir")).await.id;
    trail.follow().await;
    let record = || RecordId::Contact(id.clone());
    let errors = refused(&world, record(), 1, 2).await;
    assert_eq!((codes(&errors), errors[0].existing.clone()), (vec![("phone", FieldErrorCode::Taken)], Some(Existing::Contact(heir.clone()))));
    contacts::delete(&world.services, &world.viewer(ADMIN).await, Some(heir.clone()), 1).await.unwrap().unwrap();
    trail.follow().await;
    assert_eq!(codes(&refused(&world, record(), 1, 2).await), [("phone", FieldErrorCode::Conflict)], "a deleted contact keeps its number");
    let kept = contact(&world, &id).await;
    assert_eq!((kept.record.version, kept.details), (now.record.version, now.details), "its slot tells whose the number is by now, which is technical");
    contacts::restore(&world.services, &world.viewer(ADMIN).await, Some(heir.clone()), None).await.unwrap().unwrap();
    trail.follow().await;
    moved(&world, &mut trail, &heir, "514-555-0125").await;
    assert_eq!(contact_at(&world, &id, 1, 2).await.details.phone, "+15145550123");
}

#[tokio::test]
async fn a_status_that_was_deleted_and_an_owner_who_is_gone_do_not_come_back() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let viewer = world.viewer(ADMIN).await;
    let telephonist = world.user_id(TELEPHONIST);
    let request = CreateContact { input: named("514-555-0123", "One"), assignee: Some(Some(telephonist.into())), ..CreateContact::default() };
    let id = contacts::create(&world.services, &viewer, request).await.unwrap().unwrap().id;
    trail.follow().await;
    status_set(&world, &mut trail, &id, status(&viewer, "attempted")).await;
    contacts::assign(&world.services, &viewer, AssignContacts { ids: vec![Some(id.clone())], ..AssignContacts::default() }).await.unwrap();
    trail.follow().await;
    let now = status_set(&world, &mut trail, &id, status(&viewer, "interested")).await;
    statuses::delete(&world.services, &viewer, DeleteStatus { id: Some(status(&viewer, "attempted")), expected_version: 1 }).await.unwrap().unwrap();
    let user = people::user(&world.database.core, &world.tenant.scope, telephonist).await.unwrap().unwrap();
    let expected_version = i32::try_from(user.record.version).unwrap();
    let request = DisableUser { id: Some(telephonist), expected_version, reason: "left".to_owned(), ..DisableUser::default() };
    // The record is written; the user pool, which isn't there, comes after.
    assert!(matches!(users::disable(&world.services, &viewer, request).await, Err(AppError::Platform(_))));
    for (to, expected) in [
        (1, vec![("assigneeId", FieldErrorCode::NotAllowed)]),
        (2, vec![("statusId", FieldErrorCode::NotFound), ("assigneeId", FieldErrorCode::NotAllowed)]),
        (3, vec![("statusId", FieldErrorCode::NotFound)]),
    ] {
        let errors = refused(&world, RecordId::Contact(id.clone()), to, 4).await;
        assert_eq!(codes(&errors), expected, "{to}");
        assert!(errors.iter().all(|error| error.error.message.contains(&format!("version {to}")) && error.error.message.contains("contactUpdate")), "{errors:?}");
    }
    assert_eq!(contact(&world, &id).await, now);
}

#[tokio::test]
async fn a_contact_that_is_deleted_merged_or_erased_is_not_reverted() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (services, viewer) = (&world.services, world.viewer(ADMIN).await);
    let mut ids = Vec::new();
    for phone in ["514-555-0123", "514-555-0124"] {
        let id = created(&world, named(phone, "One")).await.id;
        trail.follow().await;
        renamed(&world, &mut trail, &id, "Two").await;
        ids.push(id);
    }
    let [winner, loser] = &ids[..] else { panic!() };
    contacts::delete(services, &viewer, Some(loser.clone()), 2).await.unwrap().unwrap();
    trail.follow().await;
    let forbidden = [("id", FieldErrorCode::ForbiddenTransition)];
    assert_eq!(codes(&refused(&world, RecordId::Contact(loser.clone()), 1, 3).await), forbidden);
    contacts::restore(services, &viewer, Some(loser.clone()), None).await.unwrap().unwrap();
    trail.follow().await;
    assert_eq!(contact_at(&world, loser, 3, 4).await.record.version, 4, "that it was deleted then is no value");
    let merged = MergeContacts { winner: Some(winner.clone()), loser: Some(loser.clone()), ..MergeContacts::default() };
    contacts::merge(services, &viewer, merged).await.unwrap().unwrap();
    trail.follow().await;
    assert_eq!(codes(&refused(&world, RecordId::Contact(loser.clone()), 1, 5).await), forbidden);
    assert_eq!(contact_at(&world, winner, 1, 3).await.details.alternate_phones, Vec::<String>::new(), "the one that stays can be");
    trail.follow().await;
    contacts::erase(services, &viewer, Some(winner.clone()), "asked for").await.unwrap().unwrap();
    for id in [winner, loser] {
        let outcome = audit::revert(services, &viewer, asked(RecordId::Contact(id.clone()), 1, 5)).await;
        assert!(matches!(outcome, Err(AppError::NotFound)), "{outcome:?}");
    }
}

#[tokio::test]
async fn going_back_to_do_not_call_puts_the_number_on_the_list_and_going_back_from_it_does_not_take_it_off() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let viewer = world.viewer(ADMIN).await;
    let id = created(&world, named("514-555-0123", "One")).await.id;
    trail.follow().await;
    status_set(&world, &mut trail, &id, status(&viewer, "do_not_call")).await;
    let back = contact_at(&world, &id, 1, 2).await;
    trail.follow().await;
    assert!(back.suppressed, "the list is another matter");
    let remove = RemoveSuppression { phone: Some("514-555-0123".to_owned()), id: None, reason: "by mistake".to_owned() };
    suppressions::remove(&world.services, &viewer, remove).await.unwrap().unwrap();
    trail.follow().await;
    assert!(contact_at(&world, &id, 2, 3).await.suppressed);
    trail.follow().await;
    let entry = suppression::id_of(&world.tenant.keyring, "+15145550123");
    let entry = list::find(&world.services.core, &world.tenant.scope, &entry).await.unwrap().unwrap();
    let change = &entry.record.last_change;
    assert_eq!((entry.is_in_force(), change.action.as_str(), &change.reason), (true, "suppression.added", &None));
}

#[tokio::test]
async fn of_many_who_revert_and_change_one_version_at_once_one_wins() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let id = created(&world, named("514-555-0123", "One")).await.id;
    trail.follow().await;
    renamed(&world, &mut trail, &id, "Two").await;
    let (services, viewer) = (&world.services, world.viewer(ADMIN).await);
    let reverting = join_all((0..8).map(|_| audit::revert(services, &viewer, asked(RecordId::Contact(id.clone()), 1, 2))));
    let renaming = join_all((0..8).map(|number| {
        let patch = ContactPatch { name: text_of(&format!("Name {number}")), ..ContactPatch::default() };
        contacts::update(services, &viewer, UpdateContact { id: Some(id.clone()), expected_version: 2, patch, ..UpdateContact::default() })
    }));
    let (reverting, renaming) = join(reverting, renaming).await;
    let reverting = reverting.into_iter().map(|outcome| outcome.unwrap().map(|_| ()));
    let outcomes: Vec<Result<(), Vec<UserError>>> = reverting.chain(renaming.into_iter().map(|outcome| outcome.unwrap().map(|_| ()))).collect();
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for errors in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert_eq!(codes(errors), [("expectedVersion", FieldErrorCode::Stale)]);
    }
    assert_eq!(contact(&world, &id).await.record.version, 3);
}

/// The same user with these permissions and no role.
fn granted(viewer: &Viewer, permissions: &[&str]) -> Viewer {
    let grants: Vec<Grant> = permissions.iter().map(|permission| permission.parse().unwrap()).collect();
    let user = User { roles: Vec::new(), grants, ..viewer.user.as_ref().clone() };
    Viewer { user: Arc::new(user), ..viewer.clone() }
}

#[tokio::test]
async fn who_reverts_a_contact_may_do_so_and_change_what_differs() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (services, admin) = (&world.services, world.viewer(ADMIN).await);
    let request = CreateContact { input: named("514-555-0123", "One"), assignee: Some(Some(admin.agent())), ..CreateContact::default() };
    let id = contacts::create(services, &admin, request).await.unwrap().unwrap().id;
    trail.follow().await;
    contacts::assign(services, &admin, AssignContacts { ids: vec![Some(id.clone())], ..AssignContacts::default() }).await.unwrap();
    trail.follow().await;
    status_set(&world, &mut trail, &id, status(&admin, "interested")).await;
    renamed(&world, &mut trail, &id, "Two").await;
    let (revert, update) = ("record:revert:ALL", "contact:update:ALL");
    for (permissions, to) in [
        (vec![update, "contact:set_status:ALL", "contact:assign:ALL"], 3),
        (vec![revert, "contact:set_status:ALL", "contact:assign:ALL"], 3),
        (vec!["record:revert:TEAM", update], 3),
        (vec![revert, update, "contact:assign:ALL"], 2),
        (vec![revert, update, "contact:set_status:ALL"], 1),
    ] {
        let outcome = audit::revert(services, &granted(&admin, &permissions), asked(RecordId::Contact(id.clone()), to, 4)).await;
        assert!(matches!(outcome, Err(AppError::Forbidden)), "{permissions:?}: {outcome:?}");
    }
    let own = granted(&admin, &[revert, "contact:update:OWN"]);
    let outcome = audit::revert(services, &own, asked(RecordId::Contact(id.clone()), 3, 4)).await;
    assert!(matches!(outcome, Err(AppError::NotFound)), "it isn't theirs: {outcome:?}");
    for (permissions, to, expected) in [
        (vec![revert, update], 3, 4),
        (vec![revert, update, "contact:set_status:ALL"], 2, 5),
        (vec![revert, update, "contact:set_status:ALL", "contact:assign:ALL"], 4, 6),
    ] {
        reverted(&world, &granted(&admin, &permissions), RecordId::Contact(id.clone()), to, expected).await.unwrap();
        trail.follow().await;
    }
    for role in ["supervisor", TELEPHONIST, "agent"] {
        let outcome = audit::revert(services, &world.viewer(role).await, asked(RecordId::Contact(id.clone()), 1, 7)).await;
        assert!(matches!(outcome, Err(AppError::Forbidden)), "{role}: {outcome:?}");
    }
    let manager = world.viewer("manager").await;
    reverted(&world, &manager, RecordId::Contact(id), 1, 7).await.unwrap();
    let others = [
        RecordId::Role(RoleId::new(world.clock.now(), &[9; 10])),
        RecordId::Team(TeamId::new(world.clock.now(), &[9; 10])),
        RecordId::Agent(manager.agent()),
        RecordId::User(manager.user.id),
        RecordId::Tenant(world.tenant.record.id),
    ];
    for record in others {
        let outcome = audit::revert(services, &manager, asked(record.clone(), 1, 1)).await;
        assert!(matches!(outcome, Err(AppError::Forbidden)), "{record:?}: {outcome:?}");
    }
}

/// Takes the event of a version out of the table, as its expiry does.
async fn expired(world: &World, id: &ContactId, version: u32) {
    let key = [("PK", format!("T#{}#E#contact#{id}", world.tenant.record.id)), ("SK", format!("{version:010}"))];
    let delete = key.into_iter().fold(world.database.client.delete_item().table_name("audit"), |delete, (name, value)| delete.key(name, AttributeValue::S(value)));
    delete.send().await.unwrap();
}

#[tokio::test]
async fn only_the_changes_since_must_be_on_record() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let id = created(&world, named("514-555-0123", "One")).await.id;
    trail.follow().await;
    for name in ["Two", "Three", "Four"] {
        renamed(&world, &mut trail, &id, name).await;
    }
    let patch = ContactPatch { name: text_of("Five"), ..ContactPatch::default() };
    let request = UpdateContact { id: Some(id.clone()), expected_version: 4, patch, ..UpdateContact::default() };
    contacts::update(&world.services, &world.viewer(ADMIN).await, request).await.unwrap().unwrap();
    let early = audit::revert(&world.services, &world.viewer(ADMIN).await, asked(RecordId::Contact(id.clone()), 2, 5)).await.unwrap_err();
    assert!(matches!(early, AppError::Unavailable(_)) && early.is_transient(), "the newest change isn't on record yet: {early}");
    trail.follow().await;
    for version in 1..=3 {
        expired(&world, &id, version).await;
    }
    for to in [1, 2] {
        let errors = refused(&world, RecordId::Contact(id.clone()), to, 5).await;
        assert_eq!(codes(&errors), [("toVersion", FieldErrorCode::NotFound)]);
        assert!(errors[0].error.message.contains("retentionDays"), "{errors:?}");
    }
    assert_eq!(contact_at(&world, &id, 3, 5).await.details.name.as_deref(), Some("Three"), "its own event isn't asked for");
    trail.follow().await;
    for version in 4..=6 {
        expired(&world, &id, version).await;
    }
    world.clock.advance(SignedDuration::from_hours(24 * 400));
    assert_eq!(codes(&refused(&world, RecordId::Contact(id), 5, 6).await), [("toVersion", FieldErrorCode::NotFound)]);
}

#[tokio::test]
async fn many_changes_are_taken_back_a_part_at_a_time() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let first = created(&world, named("514-555-0123", "First")).await;
    trail.follow().await;
    for number in 2..=120 {
        renamed(&world, &mut trail, &first.id, &format!("Name {number}")).await;
    }
    assert_eq!(contact_at(&world, &first.id, 1, 120).await.details, first.details);
}

async fn settings_of(world: &World) -> settings::Settings {
    settings::load(&world.database.core, &world.tenant.scope).await.unwrap()
}

fn looks(name: &str, color: &str) -> StatusPatch {
    StatusPatch { name: text_of(name), color: text_of(color), ..StatusPatch::default() }
}

#[tokio::test]
async fn a_status_is_called_and_looks_as_before() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (services, viewer) = (&world.services, world.viewer(ADMIN).await);
    let input = StatusInput { name: "Warm".to_owned(), color: "#111111".to_owned(), order: 60, ..StatusInput::default() };
    let first: ContactStatus = statuses::create(services, &viewer, CreateStatus { input: input.clone(), idempotency_key: None }).await.unwrap().unwrap();
    trail.follow().await;
    let (id, record) = (first.id, || RecordId::ContactStatus(first.id));
    for (version, patch) in [(1, looks("Hot", "#222222")), (2, looks("Cold", "#333333"))] {
        statuses::update(services, &viewer, UpdateStatus { id: Some(id), expected_version: version, patch }).await.unwrap().unwrap();
        trail.follow().await;
    }
    assert_eq!(codes(&refused(&world, record(), 1, 2).await), [("expectedVersion", FieldErrorCode::Stale)]);
    assert_eq!(codes(&refused(&world, record(), 4, 3).await), [("toVersion", FieldErrorCode::NotFound)]);
    let other = statuses::create(services, &viewer, CreateStatus { input, idempotency_key: None }).await.unwrap().unwrap();
    trail.follow().await;
    let errors = refused(&world, record(), 1, 3).await;
    assert_eq!((codes(&errors), errors[0].existing.clone()), (vec![("name", FieldErrorCode::Taken)], Some(Existing::ContactStatus(other.id))));
    statuses::delete(services, &viewer, DeleteStatus { id: Some(other.id), expected_version: 1 }).await.unwrap().unwrap();
    trail.follow().await;
    let Reverted::ContactStatus(back) = reverted(&world, &viewer, record(), 1, 3).await.unwrap() else { panic!() };
    assert_eq!((back.audit_fields(), back.record.version), (first.audit_fields(), 4));
    assert_eq!(settings_of(&world).await.status(id), Some(&back));
    trail.follow().await;
    let (action, reason, changes) = clear_event_of(&world, ContactStatus::ENTITY_TYPE, id, 4).await;
    assert_eq!((action.as_str(), reason.as_deref()), ("contact_status.reverted", Some("to version 1")));
    assert_eq!(changes, [change("color", json!("#333333"), json!("#111111")), change("name", json!("Cold"), json!("Warm"))]);
    let Reverted::ContactStatus(same) = reverted(&world, &viewer, record(), 1, 4).await.unwrap() else { panic!() };
    assert_eq!(same, back, "it says that already");
    statuses::delete(services, &viewer, DeleteStatus { id: Some(id), expected_version: 4 }).await.unwrap().unwrap();
    assert_eq!(codes(&refused(&world, record(), 1, 5).await), [("id", FieldErrorCode::ForbiddenTransition)]);
}

fn permissions(permissions: &[&str]) -> Vec<String> {
    permissions.iter().map(|permission| (*permission).to_owned()).collect()
}

async fn made_role(world: &World, name: &str, granted: &[&str]) -> Role {
    let input = RoleInput { name: name.to_owned(), code: None, permissions: permissions(granted) };
    roles::create(&world.services, &world.viewer(ADMIN).await, CreateRole { input, idempotency_key: None }).await.unwrap().unwrap()
}

/// Somebody active who holds a role and nothing else.
async fn holder(world: &World, name: &str, role: RoleId) -> Viewer {
    let now = world.clock.now();
    let person = NewPerson {
        id: UserId::new(now, &world.services.entropy.id()),
        subject: format!("the subject of {name}"),
        email: format!("{name}@new.test"),
        name: name.to_owned(),
        roles: vec![role],
        grants: Vec::new(),
        change: Change::new("user.invited", now, Origin::system()),
        status: UserStatus::Active,
        agent: None,
        others: Vec::new(),
    };
    match users::enrol(&world.services, &world.tenant, person).await.unwrap() {
        Enrolled::Done(user, None) => world.viewer_of(user.id, name).await,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_role_grants_again_what_it_granted_by_who_has_it() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (services, viewer) = (&world.services, world.viewer(ADMIN).await);
    let first = made_role(&world, "Closer", &["contact:read:ALL", "contact:export:ALL"]).await;
    let reverter = made_role(&world, "Reverter", &["record:revert:ALL", "role:update:ALL", "contact:read:ALL"]).await;
    trail.follow().await;
    let patch = RolePatch { name: text_of("Reader"), permissions: Some(Some(permissions(&["contact:read:ALL"]))) };
    roles::update(services, &viewer, UpdateRole { id: Some(first.id), expected_version: 1, patch }).await.unwrap().unwrap();
    trail.follow().await;
    let limited = holder(&world, "limited", reverter.id).await;
    trail.follow().await;
    let errors = reverted(&world, &limited, RecordId::Role(first.id), 1, 2).await.unwrap_err();
    assert_eq!(codes(&errors), [("permissions", FieldErrorCode::NotAllowed)], "nobody gives what they don't have");
    let Reverted::Role(back) = reverted(&world, &viewer, RecordId::Role(first.id), 1, 2).await.unwrap() else { panic!() };
    assert_eq!((back.audit_fields(), back.record.version), (first.audit_fields(), 3));
    trail.follow().await;
    let (action, reason, changes) = clear_event_of(&world, Role::ENTITY_TYPE, first.id, 3).await;
    assert_eq!((action.as_str(), reason.as_deref()), ("role.reverted", Some("to version 1")));
    let granted = json!(first.grants.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(changes, [change("name", json!("Reader"), json!("Closer")), change("permissions", json!(["contact:read:ALL"]), granted)]);
    roles::delete(services, &viewer, DeleteRole { id: Some(first.id), expected_version: 3 }).await.unwrap().unwrap();
    assert_eq!(codes(&refused(&world, RecordId::Role(first.id), 1, 4).await), [("id", FieldErrorCode::ForbiddenTransition)]);
}

#[tokio::test]
async fn a_team_is_called_as_before_and_keeps_its_members() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (services, viewer, id) = (&world.services, world.viewer(ADMIN).await, world.team_id("Est"));
    let team = async || people::team(&world.database.core, &world.tenant.scope, id).await.unwrap().unwrap();
    let first = team().await;
    let rename = UpdateTeam { id: Some(id), expected_version: 1, name: text_of("Ouest lointain") };
    teams::update(services, &viewer, rename).await.unwrap().unwrap();
    trail.follow().await;
    let heir = teams::create(services, &viewer, CreateTeam { name: "est".to_owned(), idempotency_key: None }).await.unwrap().unwrap();
    trail.follow().await;
    let errors = refused(&world, RecordId::Team(id), 1, 2).await;
    assert_eq!((codes(&errors), errors[0].existing.clone()), (vec![("name", FieldErrorCode::Taken)], Some(Existing::Team(heir.id))));
    let rename = UpdateTeam { id: Some(heir.id), expected_version: 1, name: text_of("Sud") };
    teams::update(services, &viewer, rename).await.unwrap().unwrap();
    trail.follow().await;
    let Reverted::Team(back) = reverted(&world, &viewer, RecordId::Team(id), 1, 2).await.unwrap() else { panic!() };
    assert_eq!((back.name.as_str(), back.member_count, back.record.version), ("Est", first.member_count, 3));
    assert_eq!(team().await, back);
    trail.follow().await;
    let (action, reason, changes) = clear_event_of(&world, "team", id, 3).await;
    assert_eq!((action.as_str(), reason.as_deref()), ("team.reverted", Some("to version 1")));
    assert_eq!(changes, [change("name", json!("Ouest lointain"), json!("Est"))]);
}

#[tokio::test]
async fn an_agents_entry_says_again_what_it_said_and_the_user_is_called_so_too() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (services, viewer, user) = (&world.services, world.viewer("admin").await, world.user_id(TELEPHONIST));
    let agent = async || people::agent(&world.database.core, &world.tenant.scope, user.into()).await.unwrap().unwrap();
    let first = agent().await;
    let patch = AgentPatch { name: text_of("Zoé Roy"), employee_id: Some(None), time_zone: text_of("America/Vancouver") };
    agents::update(services, &viewer, UpdateAgent { id: Some(user.into()), expected_version: 1, patch }).await.unwrap().unwrap();
    trail.follow().await;
    let Reverted::Agent(back) = reverted(&world, &viewer, RecordId::Agent(user.into()), 1, 2).await.unwrap() else { panic!() };
    assert_eq!((back.audit_fields(), back.record.version), (first.audit_fields(), 3));
    assert_eq!(agent().await, back);
    trail.follow().await;
    let (action, reason, changes) = clear_event_of(&world, Agent::ENTITY_TYPE, user, 3).await;
    assert_eq!((action.as_str(), reason.as_deref()), ("agent.reverted", Some("to version 1")));
    let number = json!(first.employee_id);
    let name = change("name", json!("Zoé Roy"), json!(first.name));
    let expected = [change("employeeId", Value::Null, number), name.clone(), change("timeZone", json!("America/Vancouver"), Value::Null)];
    assert_eq!(changes, expected);
    let (action, reason, changes) = clear_event_of(&world, User::ENTITY_TYPE, user, 3).await;
    assert_eq!((action.as_str(), reason, changes), ("user.updated", None, vec![name]), "the version is the agent's");
}

async fn user_of(world: &World, id: UserId) -> User {
    people::user(&world.database.core, &world.tenant.scope, id).await.unwrap().unwrap()
}

/// Changes a user as somebody, and puts it on record.
async fn user_changed(world: &World, trail: &mut Trail<'_>, viewer: &Viewer, request: UpdateUser) -> User {
    let expected_version = i32::try_from(user_of(world, request.id.unwrap()).await.record.version).unwrap();
    let after = users::update(&world.services, viewer, UpdateUser { expected_version, ..request }).await.unwrap().unwrap();
    trail.follow().await;
    after
}

fn roles_of(id: UserId, roles: &[RoleId]) -> UpdateUser {
    UpdateUser { id: Some(id), roles: Some(Some(roles.iter().copied().map(Some).collect())), ..UpdateUser::default() }
}

#[tokio::test]
async fn a_user_has_again_the_name_the_roles_and_the_permissions_they_had() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (viewer, id) = (world.viewer(ADMIN).await, world.user_id(TELEPHONIST));
    let first = user_of(&world, id).await;
    let closer = made_role(&world, "Closer", &["contact:read:ALL"]).await.id;
    trail.follow().await;
    let given = UpdateUser { name: text_of("Zoé Roy"), permissions: Some(Some(permissions(&["contact:read:TEAM"]))), ..roles_of(id, &[closer]) };
    user_changed(&world, &mut trail, &viewer, given).await;
    let Reverted::User(back) = reverted(&world, &viewer, RecordId::User(id), 1, 2).await.unwrap() else { panic!() };
    assert_eq!((back.audit_fields(), back.record.version), (first.audit_fields(), 3));
    assert_eq!(people::agent(&world.database.core, &world.tenant.scope, id.into()).await.unwrap().unwrap().name, first.name, "the agent is called so too");
    trail.follow().await;
    let (action, reason, changes) = clear_event_of(&world, User::ENTITY_TYPE, id, 3).await;
    assert_eq!((action.as_str(), reason.as_deref()), ("user.reverted", Some("to version 1")));
    let expected = [
        change("name", json!("Zoé Roy"), json!(first.name)),
        change("permissions", json!(["contact:read:TEAM"]), Value::Null),
        change("roles", json!([closer]), json!(first.roles)),
    ];
    assert_eq!(changes, expected);
    roles::delete(&world.services, &viewer, DeleteRole { id: Some(closer), expected_version: 1 }).await.unwrap().unwrap();
    trail.follow().await;
    let errors = refused(&world, RecordId::User(id), 2, 3).await;
    assert_eq!((codes(&errors), errors[0].index), (vec![("roleIds", FieldErrorCode::NotFound)], None), "a role that was deleted is not held again");
    assert_eq!(user_of(&world, id).await, back);
}

#[tokio::test]
async fn the_last_administrator_stays_one_and_only_who_may_set_roles_gives_them_back() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (admin, id) = (world.viewer(ADMIN).await, world.user_id(TELEPHONIST));
    let settings = settings_of(&world).await;
    let (administrators, telephonists) = (settings.role_by_code(ADMIN).unwrap().id, settings.role_by_code(TELEPHONIST).unwrap().id);
    user_changed(&world, &mut trail, &admin, roles_of(id, &[administrators])).await;
    let second = world.viewer_of(id, "second").await;
    user_changed(&world, &mut trail, &second, roles_of(admin.user.id, &[telephonists])).await;
    let errors = reverted(&world, &second, RecordId::User(id), 1, 2).await.unwrap_err();
    assert_eq!(codes(&errors), [("roleIds", FieldErrorCode::NotAllowed)]);
    assert_eq!(user_of(&world, id).await.roles, [administrators]);
    let renamer = made_role_by(&world, &second, "Renamer", &["record:revert:ALL", "user:update:ALL"]).await;
    trail.follow().await;
    let renamer = holder(&world, "renamer", renamer).await;
    trail.follow().await;
    let outcome = audit::revert(&world.services, &renamer, asked(RecordId::User(admin.user.id), 1, 2)).await;
    assert!(matches!(outcome, Err(AppError::Forbidden)), "to make an administrator again one sets roles: {outcome:?}");
}

async fn made_role_by(world: &World, viewer: &Viewer, name: &str, granted: &[&str]) -> RoleId {
    let input = RoleInput { name: name.to_owned(), code: None, permissions: permissions(granted) };
    roles::create(&world.services, viewer, CreateRole { input, idempotency_key: None }).await.unwrap().unwrap().id
}

#[tokio::test]
async fn the_organisation_has_again_the_settings_it_had() {
    let world = World::new().await;
    let mut trail = Trail::of(&world).await;
    let (services, viewer, id) = (&world.services, world.viewer(ADMIN).await, world.tenant.record.id);
    let first = world.tenant.record.clone();
    let patch = TenantPatch {
        name: text_of("Other"),
        time_zone: text_of("America/Vancouver"),
        calling_day_start: text_of("04:30"),
        retention_days: Some(Some(400)),
        record_contact_views: Some(Some(true)),
        ..TenantPatch::default()
    };
    tenant_settings::update(services, &viewer, UpdateTenant { expected_version: 1, patch }).await.unwrap().unwrap();
    trail.follow().await;
    assert_eq!(codes(&refused(&world, RecordId::Tenant(id), 1, 1).await), [("expectedVersion", FieldErrorCode::Stale)]);
    let Reverted::Tenant(back) = reverted(&world, &viewer, RecordId::Tenant(id), 1, 2).await.unwrap() else { panic!() };
    assert_eq!((back.audit_fields(), back.record.version), (first.audit_fields(), 3));
    assert_eq!(tenants::load(&world.database.core, id).await.unwrap().unwrap().1, back);
    trail.follow().await;
    let (action, reason, changes) = clear_event_of(&world, "tenant", id, 3).await;
    assert_eq!((action.as_str(), reason.as_deref()), ("tenant.reverted", Some("to version 1")));
    let expected = [
        change("callingDayStart", json!(270), json!(0)),
        change("name", json!("Other"), json!(first.name)),
        change("recordContactViews", json!(true), json!(false)),
        change("retentionDays", json!(400), json!(first.retention_days)),
        change("timeZone", json!("America/Vancouver"), json!(first.time_zone)),
    ];
    assert_eq!(changes, expected);
    let other = audit::revert(services, &viewer, asked(RecordId::Tenant(TenantId::new(world.clock.now(), &[9; 10])), 1, 3)).await;
    assert!(matches!(other, Err(AppError::NotFound)), "{other:?}");
}

#[tokio::test]
async fn what_is_no_record_with_values_is_not_reverted() {
    let world = World::new().await;
    let viewer = world.viewer(ADMIN).await;
    for (record, remedy) in [(RecordId::Suppression, "suppressionRemove"), (RecordId::Other, "a contact")] {
        let errors = refused(&world, record, 1, 1).await;
        assert_eq!(codes(&errors), [("id", FieldErrorCode::NotAllowed)]);
        assert!(errors[0].error.message.contains(remedy), "{errors:?}");
    }
    let nothing = RevertRecord { record: None, to_version: 1, expected_version: 1 };
    assert!(matches!(audit::revert(&world.services, &viewer, nothing).await, Err(AppError::NotFound)));
    let now = world.clock.now();
    let absent = [
        RecordId::Contact(ContactId::from_hash(&[9; 32])),
        RecordId::ContactStatus(StatusId::new(now, &[9; 10])),
        RecordId::Role(RoleId::new(now, &[9; 10])),
        RecordId::Team(TeamId::new(now, &[9; 10])),
        RecordId::Agent(UserId::new(now, &[9; 10]).into()),
        RecordId::User(UserId::new(now, &[9; 10])),
    ];
    for record in absent {
        let outcome = audit::revert(&world.services, &viewer, asked(record.clone(), 1, 1)).await;
        assert!(matches!(outcome, Err(AppError::NotFound)), "{record:?}: {outcome:?}");
    }
}
