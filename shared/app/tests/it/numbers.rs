//! A number has one owner at a time: whatever is done with three numbers and four contacts, in every order and at once, agrees with a plain map.

use futures::future::join_all;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use switchboard_app::contacts::{self, CreateContact, MergeContacts, UpdateContact};
use switchboard_app::{AppError, Existing, UserError, Viewer};
use switchboard_domain::contact::{Contact, ContactInput, ContactPatch};
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::ContactId;
use switchboard_store::contacts as store;
use switchboard_testkit::World;

const NUMBERS: [&str; 3] = ["+15145550123", "+15145550124", "+15145550125"];
const PEOPLE: usize = 4;

#[derive(Debug, Clone, Copy)]
enum Operation {
    Create { number: usize },
    Change { person: usize, number: usize },
    Delete { person: usize },
    Restore { person: usize },
    Merge { winner: usize, loser: usize },
    Unmerge { loser: usize },
    Erase { person: usize },
}

fn operation() -> impl Strategy<Value = Operation> {
    let person = || 0..PEOPLE;
    let number = || 0..NUMBERS.len();
    prop_oneof![
        3 => number().prop_map(|number| Operation::Create { number }),
        3 => (person(), number()).prop_map(|(person, number)| Operation::Change { person, number }),
        2 => person().prop_map(|person| Operation::Delete { person }),
        2 => person().prop_map(|person| Operation::Restore { person }),
        5 => (person(), person()).prop_map(|(winner, loser)| Operation::Merge { winner, loser }),
        2 => person().prop_map(|loser| Operation::Unmerge { loser }),
        1 => person().prop_map(|person| Operation::Erase { person }),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Done,
    Unchanged,
    /// Somebody has the number: the code, and who.
    Occupied(FieldErrorCode, usize),
    Refused(FieldErrorCode),
    NotFound,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Live,
    Deleted,
    /// Into whom, and the versions of winner and loser after it.
    Merged(usize, u32, u32),
    Erased,
}

#[derive(Debug, Clone)]
struct Person {
    number: usize,
    /// What it had before it was merged with another: a merge changes nothing but that, so its number suffices.
    state: State,
    version: u32,
    merged: Vec<usize>,
}

/// The plain map.
#[derive(Debug, Clone, Default)]
struct Model {
    people: Vec<Person>,
    owners: [Option<usize>; NUMBERS.len()],
}

impl Model {
    fn occupied(&self, owner: usize) -> Answer {
        let deleted = self.people[owner].state == State::Deleted;
        Answer::Occupied(if deleted { FieldErrorCode::Conflict } else { FieldErrorCode::Taken }, owner)
    }

    fn apply(&mut self, operation: Operation) -> Option<Answer> {
        let exists = |person: usize| person < self.people.len();
        Some(match operation {
            Operation::Create { number } => match self.owners[number] {
                Some(owner) => self.occupied(owner),
                None if self.people.len() == PEOPLE => return None,
                None => {
                    self.owners[number] = Some(self.people.len());
                    self.people.push(Person { number, state: State::Live, version: 1, merged: Vec::new() });
                    Answer::Done
                }
            },
            Operation::Change { person, number } => {
                if !exists(person) {
                    return None;
                }
                let before = self.people[person].number;
                match (self.people[person].state, self.owners[number]) {
                    (State::Erased, _) => Answer::NotFound,
                    (State::Deleted | State::Merged(..), _) => Answer::Refused(FieldErrorCode::ForbiddenTransition),
                    (State::Live, _) if before == number => Answer::Unchanged,
                    (State::Live, Some(owner)) if owner != person => self.occupied(owner),
                    (State::Live, _) => {
                        self.owners[before] = None;
                        self.owners[number] = Some(person);
                        self.people[person].number = number;
                        self.people[person].version += 1;
                        Answer::Done
                    }
                }
            }
            Operation::Delete { person } => {
                if !exists(person) {
                    return None;
                }
                match self.people[person].state {
                    State::Erased => Answer::NotFound,
                    State::Live => {
                        self.people[person].state = State::Deleted;
                        self.people[person].version += 1;
                        Answer::Done
                    }
                    State::Deleted | State::Merged(..) => Answer::Refused(FieldErrorCode::ForbiddenTransition),
                }
            }
            Operation::Restore { person } => {
                if !exists(person) {
                    return None;
                }
                match self.people[person].state {
                    State::Erased => Answer::NotFound,
                    State::Deleted => {
                        self.people[person].state = State::Live;
                        self.people[person].version += 1;
                        Answer::Done
                    }
                    State::Live | State::Merged(..) => Answer::Refused(FieldErrorCode::ForbiddenTransition),
                }
            }
            Operation::Merge { winner, loser } => {
                if !exists(winner) || !exists(loser) {
                    return None;
                }
                match (self.people[winner].state, self.people[loser].state) {
                    (State::Erased, _) | (_, State::Erased) => Answer::NotFound,
                    _ if winner == loser => Answer::Refused(FieldErrorCode::Invalid),
                    (State::Live, State::Live) => {
                        for owner in &mut self.owners {
                            if *owner == Some(loser) {
                                *owner = Some(winner);
                            }
                        }
                        let more = self.people[loser].merged.clone();
                        self.people[winner].merged.push(loser);
                        self.people[winner].merged.extend(more);
                        self.people[winner].version += 1;
                        self.people[loser].version += 1;
                        self.people[loser].state = State::Merged(winner, self.people[winner].version, self.people[loser].version);
                        Answer::Done
                    }
                    _ => Answer::Refused(FieldErrorCode::ForbiddenTransition),
                }
            }
            Operation::Unmerge { loser } => {
                if !exists(loser) {
                    return None;
                }
                match self.people[loser].state {
                    State::Erased => Answer::NotFound,
                    State::Merged(winner, version, own) if self.people[winner].version == version && self.people[loser].version == own => {
                        // The winner didn't change, so all that came with the loser is still the winner's.
                        let with: Vec<usize> = std::iter::once(loser).chain(self.people[loser].merged.iter().copied()).collect();
                        for person in &with {
                            let number = self.people[*person].number;
                            if self.owners[number] == Some(winner) && self.people[winner].number != number {
                                self.owners[number] = Some(loser);
                            }
                        }
                        self.people[winner].merged.retain(|merged| !with.contains(merged));
                        self.people[winner].version += 1;
                        self.people[loser].version += 1;
                        self.people[loser].state = State::Live;
                        Answer::Done
                    }
                    State::Merged(..) => Answer::Refused(FieldErrorCode::Conflict),
                    State::Live | State::Deleted => Answer::Refused(FieldErrorCode::ForbiddenTransition),
                }
            }
            Operation::Erase { person } => {
                if !exists(person) {
                    return None;
                }
                match self.people[person].state {
                    State::Erased => Answer::NotFound,
                    State::Merged(..) => Answer::Refused(FieldErrorCode::ForbiddenTransition),
                    State::Live | State::Deleted => {
                        for owner in &mut self.owners {
                            if *owner == Some(person) {
                                *owner = None;
                            }
                        }
                        for merged in self.people[person].merged.clone() {
                            self.people[merged].state = State::Erased;
                        }
                        self.people[person].state = State::Erased;
                        Answer::Done
                    }
                }
            }
        })
    }
}

fn create(number: usize) -> CreateContact {
    CreateContact { input: ContactInput { phone: NUMBERS[number].to_owned(), ..ContactInput::default() }, ..CreateContact::default() }
}

fn answer(result: Result<Result<Contact, Vec<UserError>>, AppError>, before: Option<u32>, ids: &[ContactId]) -> (Answer, Option<Contact>) {
    match result {
        Err(AppError::NotFound) => (Answer::NotFound, None),
        Err(error) => panic!("{error}"),
        Ok(Ok(contact)) if before == Some(contact.record.version) => (Answer::Unchanged, Some(contact)),
        Ok(Ok(contact)) => (Answer::Done, Some(contact)),
        Ok(Err(errors)) => {
            let existing = errors[0].existing.clone().and_then(|existing| ids.iter().position(|id| Existing::Contact(id.clone()) == existing));
            (existing.map_or(Answer::Refused(errors[0].error.code), |owner| Answer::Occupied(errors[0].error.code, owner)), None)
        }
    }
}

/// Does it for real; gives the contact too when it made or changed one.
async fn perform(world: &World, viewer: &Viewer, operation: Operation, ids: &[ContactId]) -> (Answer, Option<Contact>) {
    let services = &world.services;
    let id = |person: usize| Some(ids[person].clone());
    let version = async |person: usize| match store::get(&services.core, &world.tenant, &ids[person]).await.unwrap() {
        Some(stored) => (i32::try_from(stored.contact.record.version).unwrap(), Some(stored.contact.record.version)),
        None => (1, None),
    };
    match operation {
        Operation::Create { number } => answer(contacts::create(services, viewer, create(number)).await, None, ids),
        Operation::Change { person, number } => {
            let (expected_version, before) = version(person).await;
            let patch = ContactPatch { phone: Some(Some(NUMBERS[number].to_owned())), ..ContactPatch::default() };
            let request = UpdateContact { id: id(person), expected_version, patch, ..UpdateContact::default() };
            answer(contacts::update(services, viewer, request).await, before, ids)
        }
        Operation::Delete { person } => answer(contacts::delete(services, viewer, id(person), version(person).await.0).await, None, ids),
        Operation::Restore { person } => answer(contacts::restore(services, viewer, id(person), None).await, None, ids),
        Operation::Merge { winner, loser } => {
            let request = MergeContacts { winner: id(winner), loser: id(loser), ..MergeContacts::default() };
            answer(contacts::merge(services, viewer, request).await, None, ids)
        }
        Operation::Unmerge { loser } => answer(contacts::unmerge(services, viewer, id(loser)).await.map(|result| result.map(|(winner, _)| winner)), None, ids),
        Operation::Erase { person } => {
            answer(contacts::erase(services, viewer, id(person), "they asked for it").await.map(|result| result.map(|erasure| erasure.contact)), None, ids)
        }
    }
}

async fn owner(world: &World, number: usize) -> Option<Contact> {
    store::owner_of_number(&world.services.core, &world.tenant, NUMBERS[number]).await.unwrap().map(|stored| stored.contact)
}

async fn agrees_with_the_map(operations: &[Operation]) {
    let world = World::new().await;
    let mut model = Model::default();
    let mut ids: Vec<ContactId> = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        let Some(expected) = model.apply(*operation) else {
            continue;
        };
        let viewer = world.viewer_in_request("admin", &index.to_string()).await;
        let (found, contact) = perform(&world, &viewer, *operation, &ids).await;
        assert_eq!(found, expected, "{operation:?} of {operations:?}");
        if let (Operation::Create { .. }, Some(contact)) = (operation, contact) {
            assert!(!ids.contains(&contact.id), "an id is given once");
            ids.push(contact.id);
        }
        for number in 0..NUMBERS.len() {
            let found = owner(&world, number).await.map(|contact| ids.iter().position(|id| *id == contact.id).unwrap());
            assert_eq!(found, model.owners[number], "number {number} after {operation:?} of {operations:?}");
        }
        for (person, id) in model.people.iter().zip(&ids) {
            let stored = store::get(&world.services.core, &world.tenant, id).await.unwrap();
            assert_eq!(stored.is_none(), person.state == State::Erased);
            if let Some(stored) = stored {
                assert_eq!((stored.contact.details.phone.as_str(), stored.contact.record.version), (NUMBERS[person.number], person.version));
            }
        }
    }
}

/// Whatever happens at once, a number has at most one owner, and whoever is there has their number.
async fn stays_consistent(rounds: &[[Operation; 4]]) {
    let world = World::new().await;
    let mut ids: Vec<ContactId> = Vec::new();
    for (index, round) in rounds.iter().enumerate() {
        let possible = round.iter().filter(|operation| match operation {
            Operation::Create { .. } => true,
            Operation::Change { person, .. } | Operation::Delete { person } | Operation::Restore { person } | Operation::Erase { person } => *person < ids.len(),
            Operation::Merge { winner, loser } => *winner < ids.len() && *loser < ids.len(),
            Operation::Unmerge { loser } => *loser < ids.len(),
        });
        let done = join_all(possible.enumerate().map(|(place, operation)| {
            let (world, ids) = (&world, &ids);
            async move {
                let viewer = world.viewer_in_request("admin", &format!("{index} {place}")).await;
                (*operation, perform(world, &viewer, *operation, ids).await)
            }
        }))
        .await;
        for (operation, (_, contact)) in done {
            if let (Operation::Create { .. }, Some(contact)) = (operation, contact)
                && !ids.contains(&contact.id)
                && ids.len() < PEOPLE
            {
                ids.push(contact.id);
            }
        }
        for (number, phone) in NUMBERS.iter().enumerate() {
            if let Some(owner) = owner(&world, number).await {
                assert!(owner.merged_into.is_none(), "a merged contact owns nothing: {rounds:?}");
                assert!(owner.details.phone == *phone || owner.details.alternate_phones.iter().any(|alternate| alternate == phone), "{rounds:?}");
            }
        }
        for id in &ids {
            if let Some(stored) = store::get(&world.services.core, &world.tenant, id).await.unwrap()
                && stored.contact.merged_into.is_none()
            {
                let number = NUMBERS.iter().position(|number| *number == stored.contact.details.phone).unwrap();
                assert_eq!(owner(&world, number).await.map(|owner| owner.id), Some(stored.contact.id), "{rounds:?}");
            }
        }
    }
}

fn run<T: std::fmt::Debug>(cases: u32, strategy: impl Strategy<Value = T>, test: impl AsyncFn(&T)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases, max_shrink_iters: 200, failure_persistence: None, ..Config::default() });
    runner
        .run(&strategy, |value| {
            runtime.block_on(test(&value));
            Ok(())
        })
        .unwrap();
}

/// Any operations; every other time after three contacts were made, so that chains of merges come up often.
fn operations() -> impl Strategy<Value = Vec<Operation>> {
    (any::<bool>(), proptest::collection::vec(operation(), 1..40)).prop_map(|(with_three, operations)| {
        let made = (0..NUMBERS.len()).map(|number| Operation::Create { number }).filter(|_| with_three);
        made.chain(operations).collect()
    })
}

#[test]
fn three_numbers_and_four_contacts_agree_with_a_plain_map_in_every_order() {
    run(100, operations(), async |operations: &Vec<Operation>| agrees_with_the_map(operations).await);
}

#[tokio::test]
async fn numbers_that_came_by_a_merge_go_on_with_the_next_and_come_back_with_its_undoing() {
    use Operation::{Create, Erase, Merge, Unmerge};
    let three = [Create { number: 0 }, Create { number: 1 }, Create { number: 2 }];
    let chain = [Merge { winner: 1, loser: 2 }, Merge { winner: 0, loser: 1 }];
    for after in [Unmerge { loser: 1 }, Unmerge { loser: 2 }, Erase { person: 0 }, Create { number: 2 }] {
        agrees_with_the_map(&[&three[..], &chain, &[after]].concat()).await;
    }
}

#[test]
fn what_happens_at_once_leaves_each_number_with_one_owner() {
    let round = [operation(), operation(), operation(), operation()];
    run(25, proptest::collection::vec(round, 1..6), async |rounds: &Vec<[Operation; 4]>| stays_consistent(rounds).await);
}
