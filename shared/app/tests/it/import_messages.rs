//! The messages of imports in every order in which they may come, and what people do meanwhile: each row is counted once, and what can't be done is set aside alone.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use futures::future::join;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use switchboard_app::AppError;
use switchboard_app::imports::{
    CreateImport, Created, DroppedFile, ErrorPlace, Handled, LANES, MappedColumn, Received, SetMapping, Step, cancel, create, dry_run, errors, set_mapping, start,
};
use switchboard_domain::audit::{Audited, Changes};
use switchboard_domain::ids::{ImportId, TenantId};
use switchboard_domain::imports::{ImportKind, ImportOptions, ImportStatus, Phase, Piece, RowCounts};
use switchboard_domain::team::Team;
use switchboard_store::imports::Chunk;
use switchboard_store::item::text;
use switchboard_store::{contacts, imports};

use crate::pipeline::{self, Chance, Pipeline, list};

const HERE: &str = "Windsor";

fn created(created: u64) -> RowCounts {
    RowCounts { created, ..RowCounts::default() }
}

/// The step that writes a whole chunk.
fn write(chunk: u32) -> Step {
    Step::Write(Piece::whole(chunk))
}

/// A dropped list of so many people.
async fn dropped(pipeline: &Pipeline, count: usize) -> ImportId {
    let file = pipeline.dropped("people.csv", "1", list(0, count, HERE)).await;
    pipeline.planned(&file).await
}

/// The same, when its first chunks are to be written; their messages are taken.
async fn checked(pipeline: &Pipeline, count: usize) -> ImportId {
    let id = dropped(pipeline, count).await;
    let messages = pipeline.work_on(|step| !matches!(step, Step::Write(_))).await;
    assert!(messages.iter().all(|message| message.import == id && matches!(message.step, Step::Write(_))));
    id
}

/// An import that somebody made, and the event of its file.
async fn uploaded(pipeline: &Pipeline, text: &str) -> (ImportId, DroppedFile) {
    let Created { import, .. } = made(pipeline, text).await;
    (import.id, pipeline.put(&import.file_key, "1", text).await)
}

async fn made(pipeline: &Pipeline, text: &str) -> Created {
    let file_bytes = i64::try_from(text.len()).unwrap();
    let request = CreateImport { kind: ImportKind::Contacts, file_name: "people.csv".to_owned(), file_bytes, idempotency_key: None };
    create(&pipeline.services, &pipeline.world.viewer("admin").await, request).await.unwrap().unwrap()
}

async fn started(pipeline: &Pipeline, id: ImportId) -> bool {
    start(&pipeline.services, &pipeline.world.viewer("admin").await, Some(id)).await.unwrap().is_ok()
}

async fn cancelled(pipeline: &Pipeline, id: ImportId) -> bool {
    cancel(&pipeline.services, &pipeline.world.viewer("admin").await, Some(id)).await.unwrap().is_ok()
}

/// That it ended well with these counts, and each contact was written once by it.
async fn assert_completed(pipeline: &Pipeline, id: ImportId, counts: RowCounts) {
    let import = pipeline.import(id).await;
    assert_eq!((import.status, import.phase, import.counts), (ImportStatus::Completed, Phase::Ended, counts), "{import:?}");
    assert_eq!((Some(import.counts.total()), import.pieces_written), (import.rows_total, import.pieces()));
}

async fn assert_written_once(pipeline: &Pipeline, count: usize) {
    let contacts = pipeline.contacts().await;
    assert_eq!((contacts.len(), contacts.iter().all(|contact| contact.record.version == 1)), (count, true));
}

#[tokio::test]
async fn a_message_that_names_nothing_there_is_fails_and_touches_nothing() {
    let pipeline = Pipeline::new(50).await;
    let id = dropped(&pipeline, 10).await;
    let checks = pipeline.messages();
    let before = pipeline.table().await;
    let mut messages = vec![
        pipeline.message(ImportId::new(Timestamp::UNIX_EPOCH, &[9; 10]), Step::Check { chunk: 1, run: 1 }),
        pipeline.message(id, Step::Check { chunk: 2, run: 1 }),
        pipeline.message(id, Step::Finish),
    ];
    messages[2].tenant = TenantId::new(Timestamp::UNIX_EPOCH, &[9; 10]);
    for message in &messages {
        for redelivered in [false, true] {
            let outcome = pipeline.handle(message, redelivered).await;
            assert!(matches!(outcome, Err(AppError::Broken(_))), "{message:?}: {outcome:?}");
        }
    }
    assert!(pipeline.table().await == before && pipeline.messages().is_empty());
    pipeline.work_off(&checks).await;
    assert_completed(&pipeline, id, created(10)).await;
}

#[tokio::test]
async fn a_chunk_that_keeps_failing_is_set_aside_alone_and_from_the_dead_letters_the_import_finishes() {
    let pipeline = Pipeline::new(10).await;
    let id = checked(&pipeline, 120).await;
    let key = pipeline.results.keys().into_iter().find(|key| key.ends_with("/overtaken/000003.json")).unwrap();
    let file = pipeline.results.remove(&key).unwrap();
    let broken = pipeline.message(id, write(3));
    for redelivered in [false, true, true, true, true] {
        let outcome = pipeline.handle(&broken, redelivered).await;
        assert!(matches!(outcome, Err(AppError::Broken(_))), "{outcome:?}");
        // Its place isn't held up: when it comes again, the next chunk has it.
        assert_eq!(pipeline.steps(), if redelivered { vec![write(7)] } else { vec![] });
    }
    let others: Vec<_> = [1, 2, 4, 7].into_iter().map(|chunk| pipeline.message(id, write(chunk))).collect();
    pipeline.work_off(&others).await;
    let import = pipeline.import(id).await;
    assert_eq!((import.phase, import.pieces_written, import.counts), (Phase::Writing, 11, created(110)));

    pipeline.results.put(&key, file);
    pipeline.work_off(&[broken]).await;
    assert_completed(&pipeline, id, created(120)).await;
    assert_written_once(&pipeline, 120).await;
}

#[tokio::test]
async fn nothing_is_written_before_what_the_checks_found_is_there() {
    let pipeline = Pipeline::new(10).await;
    let id = dropped(&pipeline, 30).await;
    let joins = pipeline.work_on(|step| !matches!(step, Step::Join { .. })).await;
    let key = pipeline.results.keys().into_iter().find(|key| key.ends_with("/keys/000002")).unwrap();
    let file = pipeline.results.remove(&key).unwrap();
    for join in &joins {
        assert!(matches!(pipeline.handle(join, false).await, Err(AppError::Broken(_))));
    }
    assert!(pipeline.contacts().await.is_empty() && pipeline.messages().is_empty());
    pipeline.results.put(&key, file);
    pipeline.work_off(&joins).await;
    assert_completed(&pipeline, id, created(30)).await;
}

#[tokio::test]
async fn no_more_chunks_of_an_import_are_under_way_than_it_has_lanes() {
    let pipeline = Pipeline::new(10).await;
    let chance = Chance::new(5);
    let id = dropped(&pipeline, 120).await;
    let mut waiting = pipeline.messages();
    let mut most = 0;
    while !waiting.is_empty() {
        most = most.max(waiting.len());
        let message = waiting.swap_remove(chance.below(waiting.len()));
        pipeline.handle(&message, false).await.unwrap();
        waiting.extend(pipeline.messages());
    }
    assert_eq!(most, LANES as usize);
    assert_completed(&pipeline, id, created(120)).await;
}

#[tokio::test]
async fn a_worker_whose_time_is_over_leaves_the_rest_and_every_row_is_counted_once_and_told_in_order() {
    let pipeline = Pipeline::new(600).await;
    let mut stream = pipeline.world.database.open_stream().await;
    let mut lines: Vec<String> = list(0, 450, HERE).lines().map(str::to_owned).collect();
    for row in [50, 250, 440] {
        lines[row] = format!("12,Nobody,{row}");
    }
    // The tenth is overtaken by one of the last rows, which another worker writes.
    lines[410] = lines[10].clone();
    let file = pipeline.dropped("people.csv", "1", lines.join("\n")).await;
    let id = pipeline.planned(&file).await;
    let messages = pipeline.work_on(|step| !matches!(step, Step::Write(_))).await;

    let mut waiting = messages;
    let mut pieces = Vec::new();
    while let Some(message) = waiting.pop() {
        pipeline.world.clock.advance(SignedDuration::from_secs(1));
        for redelivered in [false, true] {
            assert_eq!(pipeline.handle_late(&message, redelivered).await, Handled::Done, "{message:?}");
        }
        let mut next = pipeline.messages();
        assert_eq!(next.len(), 2, "what comes again is answered again");
        assert_eq!(next[0], next[1]);
        let Step::Write(piece) = message.step else { break };
        pieces.push(piece);
        next.truncate(1);
        waiting = next;
        if waiting[0].step == Step::Finish {
            pipeline.handle(&waiting[0], false).await.unwrap();
            break;
        }
    }
    let whole = Piece::whole(1);
    assert_eq!(pieces, [whole, whole.rest(201), whole.rest(401)]);
    let import = pipeline.import(id).await;
    assert_eq!((import.status, import.counts), (ImportStatus::CompletedWithErrors, RowCounts { created: 446, skipped: 1, failed: 3, ..RowCounts::default() }));
    assert_eq!((import.rests, import.pieces_written), (2, 3));

    let viewer = pipeline.world.viewer("admin").await;
    let mut rows = Vec::new();
    let mut after: Option<ErrorPlace> = None;
    loop {
        let page = errors(&pipeline.services.services, &viewer, &import, after, 2).await.unwrap();
        rows.extend(page.entries.iter().map(|(_, error)| error.row));
        after = page.entries.last().map(|(place, _)| *place);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(rows, [50, 250, 440]);
    let key = pipeline.results.keys().into_iter().find(|key| key.ends_with("/errors.csv")).unwrap();
    let failed = String::from_utf8(pipeline.results.get(&key).unwrap()).unwrap();
    let failed: Vec<&str> = failed.lines().skip(1).map(|line| line.split(',').nth(2).unwrap()).collect();
    assert_eq!(failed, ["50", "250", "440"]);

    let events = pipeline.recorded(&pipeline::told(&mut stream)).await;
    let mut told = Vec::new();
    for event in events.iter().map(|stored| &stored.event).filter(|event| event.change.action == "import.chunk_written") {
        let Changes::Clear(changes) = &event.changes else { panic!("{event:?}") };
        let said = |field: &str| changes.iter().find(|change| change.field == field).and_then(|change| change.new.clone());
        told.push((event.change.at, said("chunk"), said("fromRow"), said("rows")));
    }
    told.sort_by_key(|(at, ..)| *at);
    let told: Vec<_> = told.into_iter().map(|(_, chunk, from_row, rows)| (chunk, from_row, rows)).collect();
    assert_eq!(
        told,
        [(Some(json!(1)), None, Some(json!(198))), (Some(json!(1)), Some(json!(201)), Some(json!(199))), (Some(json!(1)), Some(json!(401)), Some(json!(49)))]
    );
}

#[tokio::test]
async fn one_that_was_cancelled_in_the_middle_goes_on_where_it_stopped() {
    let pipeline = Pipeline::new(250).await;
    let id = checked(&pipeline, 1_500).await;
    pipeline.handle(&pipeline.message(id, write(1)), false).await.unwrap();
    assert_eq!(pipeline.handle_late(&pipeline.message(id, write(2)), false).await, Handled::Done);
    let rest = Piece::whole(2).rest(451);
    assert_eq!(pipeline.steps(), [write(5), Step::Write(rest)]);

    assert!(cancelled(&pipeline, id).await && !cancelled(&pipeline, id).await);
    for step in [write(3), write(4), write(5), Step::Write(rest), write(1)] {
        assert_eq!(pipeline.handle(&pipeline.message(id, step), false).await.unwrap(), Handled::Nothing, "{step:?}");
    }
    pipeline.work_on(|_| true).await;
    let import = pipeline.import(id).await;
    assert_eq!((import.status, import.phase, import.counts), (ImportStatus::Cancelled, Phase::Ended, created(450)));

    assert!(started(&pipeline, id).await);
    pipeline.work_on(|_| true).await;
    assert_completed(&pipeline, id, created(1_500)).await;
    assert_written_once(&pipeline, 1_500).await;
}

#[tokio::test]
async fn the_rests_of_two_chunks_of_one_lane_are_both_written_when_a_cancelled_import_goes_on() {
    let pipeline = Pipeline::new(250).await;
    let id = checked(&pipeline, 1_500).await;
    pipeline.handle_late(&pipeline.message(id, write(1)), false).await;
    // Delivered again it hands its place on, although a rest of it is left.
    pipeline.handle_late(&pipeline.message(id, write(1)), true).await;
    pipeline.handle_late(&pipeline.message(id, write(5)), false).await;
    assert!(cancelled(&pipeline, id).await);
    pipeline.work_on(|_| true).await;
    let left = |chunk: &Chunk| chunk.left_at.map(|row| (chunk.range.number, row));
    assert_eq!(pipeline.chunks(id).await.iter().filter_map(left).collect::<Vec<_>>(), [(1, 201), (5, 1_201)]);

    assert!(started(&pipeline, id).await);
    pipeline.work_on(|_| true).await;
    assert_completed(&pipeline, id, created(1_500)).await;
    assert_written_once(&pipeline, 1_500).await;
}

#[tokio::test]
async fn what_is_cancelled_before_its_file_came_stays_so() {
    let pipeline = Pipeline::new(50).await;
    let text = list(0, 10, HERE);
    let import = made(&pipeline, &text).await.import;
    assert!(cancelled(&pipeline, import.id).await);
    let before = pipeline.table().await;
    let file = pipeline.put(&import.file_key, "1", text).await;
    assert!(matches!(pipeline.receive(&file).await, Received::Rejected(_)));
    assert!(!started(&pipeline, import.id).await);
    assert!(pipeline.table().await == before && pipeline.messages().is_empty());
}

#[tokio::test]
async fn one_that_was_cancelled_while_it_was_checked_is_checked_anew_and_older_messages_do_nothing() {
    let pipeline = Pipeline::new(10).await;
    let id = dropped(&pipeline, 60).await;
    let checks = pipeline.messages();
    pipeline.handle(&checks[0], false).await.unwrap();
    let mut old = [checks, pipeline.messages()].concat();
    old.push(pipeline.message(id, Step::Join { run: 1 }));
    assert!(cancelled(&pipeline, id).await);
    assert!(pipeline.messages().is_empty(), "nothing was written, so nothing is gathered");
    assert!(started(&pipeline, id).await);
    let before = pipeline.table().await;
    for message in &old {
        assert_eq!(pipeline.handle(message, true).await.unwrap(), Handled::Nothing, "{message:?}");
    }
    assert!(pipeline.table().await == before);
    pipeline.work_on(|_| true).await;
    assert_completed(&pipeline, id, created(60)).await;
    assert_written_once(&pipeline, 60).await;
}

#[tokio::test]
async fn an_event_that_comes_twelve_hours_late_changes_nothing() {
    let pipeline = Pipeline::new(10).await;
    let file = pipeline.dropped("people.csv", "1", list(0, 60, HERE)).await;
    let id = pipeline.planned(&file).await;
    pipeline.work_on(|_| true).await;
    assert_completed(&pipeline, id, created(60)).await;
    let before = pipeline.table().await;
    pipeline.world.clock.advance(SignedDuration::from_hours(12));
    assert_eq!(pipeline.receive(&file).await, Received::Planned(id));
    assert!(pipeline.table().await == before && pipeline.messages().is_empty());
}

#[tokio::test]
async fn a_check_that_was_sent_in_part_is_sent_again_as_far_as_it_is_not_done() {
    let pipeline = Pipeline::new(10).await;
    let file = pipeline.dropped("people.csv", "1", list(0, 60, HERE)).await;
    let id = pipeline.planned(&file).await;
    // The first two went out before the planner was killed, and were handled before its event came again.
    for message in &pipeline.messages()[..2] {
        pipeline.handle(message, false).await.unwrap();
    }
    assert_eq!(pipeline.planned(&file).await, id);
    pipeline.work_on(|_| true).await;
    assert_completed(&pipeline, id, created(60)).await;
}

#[tokio::test]
async fn the_same_file_under_the_same_key_is_another_import_that_changes_nothing() {
    let pipeline = Pipeline::new(10).await;
    let first = dropped(&pipeline, 60).await;
    pipeline.work_on(|_| true).await;
    let contacts = pipeline.contacts().await;
    pipeline.world.clock.advance(SignedDuration::from_secs(1));
    let again = pipeline.dropped("people.csv", "2", list(0, 60, HERE)).await;
    let second = pipeline.planned(&again).await;
    pipeline.work_on(|_| true).await;
    assert_ne!(first, second);
    assert_completed(&pipeline, second, RowCounts { unchanged: 60, ..RowCounts::default() }).await;
    assert_eq!(pipeline.contacts().await, contacts);
}

#[tokio::test]
async fn of_two_files_dropped_at_once_both_count_right_and_the_later_row_stands_whole() {
    let pipeline = Pipeline::new(20).await;
    let renamed = list(50, 100, "Laval").replace("Person", "Client");
    let files = [pipeline.dropped("first.csv", "1", list(0, 100, HERE)).await, pipeline.dropped("second.csv", "1", renamed).await];
    let mut ids = Vec::new();
    for file in &files {
        ids.push(pipeline.planned(file).await);
    }
    // Always two at once, of either import.
    let chance = Chance::new(17);
    let mut waiting = pipeline.messages();
    while !waiting.is_empty() {
        let first = waiting.swap_remove(chance.below(waiting.len()));
        let second = if waiting.is_empty() { None } else { Some(waiting.swap_remove(chance.below(waiting.len()))) };
        let other = async {
            match &second {
                Some(second) => pipeline.handle(second, false).await,
                None => Ok(Handled::Nothing),
            }
        };
        let (one, other) = join(Box::pin(pipeline.handle(&first, false)), Box::pin(other)).await;
        assert!(one.is_ok() && other.is_ok(), "{one:?} {other:?}");
        pipeline.world.clock.advance(SignedDuration::from_millis(1));
        waiting.extend(pipeline.messages());
    }
    let mut written = 0;
    for id in ids {
        let import = pipeline.import(id).await;
        assert_eq!((import.status, import.counts.total(), import.counts.unchanged), (ImportStatus::Completed, 100, 0));
        written += import.counts.created + import.counts.updated;
    }
    let contacts = pipeline.contacts().await;
    assert_eq!(contacts.len(), 150);
    assert_eq!(contacts.iter().map(|contact| u64::from(contact.record.version)).sum::<u64>(), written);
    for contact in contacts {
        let (name, city) = (contact.details.name.unwrap(), contact.details.city.unwrap());
        assert!((name.starts_with("Person") && city == HERE) || (name.starts_with("Client") && city == "Laval"), "{name} of {city}");
        assert_eq!(contact.record.last_change.origin.import_id(), Some(contact.import_marks[0].import));
    }
}

#[tokio::test]
async fn a_file_that_is_replaced_while_its_rows_are_written_fails_the_import_which_goes_on_when_it_is_back() {
    let pipeline = Pipeline::new(10).await;
    let id = checked(&pipeline, 60).await;
    pipeline.handle(&pipeline.message(id, write(1)), false).await.unwrap();
    let key = pipeline.import(id).await.file_key;
    let bytes = pipeline.uploads.get(&key).unwrap();
    pipeline.uploads.put(&key, list(0, 60, "Laval").into_bytes());
    assert_eq!(pipeline.handle(&pipeline.message(id, write(2)), false).await.unwrap(), Handled::Failed);
    for chunk in [2, 3, 4, 5] {
        assert_eq!(pipeline.handle(&pipeline.message(id, write(chunk)), false).await.unwrap(), Handled::Nothing);
    }
    drop(pipeline.messages());
    let import = pipeline.import(id).await;
    assert_eq!((import.status, import.counts), (ImportStatus::Failed, created(10)));
    assert!(import.failure_reason.unwrap().contains("removed or replaced"));
    assert_eq!(pipeline.contacts().await.len(), 10);

    pipeline.uploads.put(&key, bytes);
    assert!(started(&pipeline, id).await);
    pipeline.work_on(|_| true).await;
    assert_completed(&pipeline, id, created(60)).await;
    assert_written_once(&pipeline, 60).await;
}

#[tokio::test]
async fn the_rows_that_failed_are_gathered_when_the_file_goes_in_the_middle() {
    let pipeline = Pipeline::new(10).await;
    let mut lines: Vec<String> = list(0, 60, HERE).lines().map(str::to_owned).collect();
    lines[5] = "12,Nobody,5".to_owned();
    let file = pipeline.dropped("people.csv", "1", lines.join("\n")).await;
    let id = pipeline.planned(&file).await;
    pipeline.work_on(|step| !matches!(step, Step::Write(_))).await;
    pipeline.handle(&pipeline.message(id, write(1)), false).await.unwrap();
    pipeline.uploads.remove(&file.key).unwrap();
    assert_eq!(pipeline.handle(&pipeline.message(id, write(2)), false).await.unwrap(), Handled::Failed);
    pipeline.work_on(|_| true).await;
    let import = pipeline.import(id).await;
    assert_eq!((import.status, import.counts, import.has_errors_file), (ImportStatus::Failed, RowCounts { failed: 1, ..created(9) }, true));
}

#[tokio::test]
async fn the_rows_that_failed_are_gathered_when_their_worker_dies_behind_the_end() {
    let pipeline = Pipeline::new(10).await;
    let mut lines: Vec<String> = list(0, 60, HERE).lines().map(str::to_owned).collect();
    lines[5] = "12,Nobody,5".to_owned();
    let file = pipeline.dropped("people.csv", "1", lines.join("\n")).await;
    let id = pipeline.planned(&file).await;
    pipeline.work_on(|step| !matches!(step, Step::Write(_))).await;
    pipeline.handle(&pipeline.message(id, write(1)), false).await.unwrap();
    assert!(cancelled(&pipeline, id).await);
    // Neither the message that whoever cancelled it sent is there, nor that of the worker.
    drop(pipeline.messages());
    assert_eq!(pipeline.handle(&pipeline.message(id, write(1)), true).await.unwrap(), Handled::Done);
    assert!(pipeline.import(id).await.has_errors_file);
}

#[tokio::test]
async fn an_earlier_upload_of_which_the_bucket_tells_late_changes_nothing_and_a_later_one_ends_the_import() {
    let pipeline = Pipeline::new(50).await;
    let import = made(&pipeline, &list(0, 10, HERE)).await.import;
    let earlier = pipeline.put(&import.file_key, "1", list(0, 10, "Laval")).await;
    let there = pipeline.put(&import.file_key, "2", list(0, 10, HERE)).await;
    for file in [&there, &earlier] {
        assert_eq!(pipeline.receive(file).await, Received::Planned(import.id));
    }
    assert_eq!(pipeline.import(import.id).await.status, ImportStatus::Ready);
    let later = pipeline.put(&import.file_key, "3", list(0, 10, "Laval")).await;
    assert!(matches!(pipeline.receive(&later).await, Received::Failed(..)));
    assert_eq!(pipeline.import(import.id).await.status, ImportStatus::Failed);
}

#[tokio::test]
async fn one_that_was_cancelled_before_its_columns_were_mapped_is_not_started() {
    let pipeline = Pipeline::new(50).await;
    let (id, file) = uploaded(&pipeline, "name,city\nZoe,Laval\n").await;
    pipeline.planned(&file).await;
    assert_eq!(pipeline.import(id).await.status, ImportStatus::AwaitingMapping);
    assert!(!started(&pipeline, id).await && cancelled(&pipeline, id).await);
    assert!(!started(&pipeline, id).await);
    assert_eq!(pipeline.import(id).await.status, ImportStatus::Cancelled);
}

#[tokio::test]
async fn of_a_row_that_is_overtaken_no_team_is_made() {
    let pipeline = Pipeline::new(50).await;
    let teams = async || pipeline.table().await.values().filter(|item| text(item, "type") == Some(Team::ENTITY_TYPE)).count();
    let before = teams().await;
    let file = pipeline.dropped("people.csv", "1", "phone,team\n514-555-0100,Wrong team\n514-555-0100,Right team\n").await;
    let id = pipeline.planned(&file).await;
    pipeline.work_on(|_| true).await;
    assert_completed(&pipeline, id, RowCounts { skipped: 1, ..created(1) }).await;
    assert_eq!(teams().await, before + 1);
}

#[tokio::test]
async fn two_joins_at_once_and_every_chunk_twice_at_once_come_to_the_same() {
    let pipeline = Pipeline::new(30).await;
    let text = format!("{}{}", list(0, 150, HERE), list(0, 30, "Laval").split_once('\n').unwrap().1);
    let file = pipeline.dropped("people.csv", "1", text).await;
    let id = pipeline.planned(&file).await;
    let mut waiting = pipeline.work_on(|step| !matches!(step, Step::Join { .. })).await;
    while let Some(message) = waiting.pop() {
        let (first, second) = join(pipeline.handle(&message, false), pipeline.handle(&message, false)).await;
        assert!(first.is_ok() && second.is_ok(), "{message:?}: {first:?} {second:?}");
        waiting.extend(pipeline.messages());
    }
    assert_completed(&pipeline, id, RowCounts { created: 150, skipped: 30, ..RowCounts::default() }).await;
    assert_written_once(&pipeline, 150).await;
    assert_eq!(pipeline.contact("+15145550000").await.details.city.as_deref(), Some("Laval"));
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_what_it_checked_is_not_checked_again() {
    let pipeline = Pipeline::new(10).await;
    let (id, file) = uploaded(&pipeline, &list(0, 60, HERE)).await;
    assert_eq!(pipeline.receive(&file).await, Received::Planned(id));
    assert!(pipeline.messages().is_empty(), "it waits for somebody");
    let viewer = pipeline.world.viewer("admin").await;
    for _ in 0..2 {
        dry_run(&pipeline.services, &viewer, Some(id)).await.unwrap().unwrap();
    }
    pipeline.work_on(|_| true).await;
    let import = pipeline.import(id).await;
    assert_eq!((import.phase, import.status, import.counts), (Phase::Planned, ImportStatus::Ready, RowCounts::default()));
    assert!(pipeline.contacts().await.is_empty());

    assert!(started(&pipeline, id).await);
    let messages = pipeline.messages();
    assert_eq!(messages.iter().map(|message| message.step).collect::<Vec<_>>(), [1, 2, 3, 4].map(write));
    pipeline.work_off(&messages).await;
    assert_completed(&pipeline, id, created(60)).await;
}

#[tokio::test]
async fn a_message_of_a_check_before_the_columns_were_mapped_anew_does_nothing() {
    let pipeline = Pipeline::new(10).await;
    let (id, file) = uploaded(&pipeline, &list(0, 30, HERE)).await;
    pipeline.planned(&file).await;
    let viewer = pipeline.world.viewer("admin").await;
    dry_run(&pipeline.services, &viewer, Some(id)).await.unwrap().unwrap();
    let checks = pipeline.messages();
    pipeline.work_off(&checks).await;
    let join = pipeline.message(id, Step::Join { run: 1 });
    let column = MappedColumn { column: "city".to_owned(), field: Some("attributes.town".to_owned()), default: None };
    let request = SetMapping { id: Some(id), columns: vec![column], options: ImportOptions::default(), save_as_profile: None };
    set_mapping(&pipeline.services, &viewer, request).await.unwrap().unwrap();
    for is_started in [false, true] {
        if is_started {
            assert!(started(&pipeline, id).await);
        }
        let before = pipeline.table().await;
        for message in checks.iter().chain([&join]) {
            assert_eq!(pipeline.handle(message, true).await.unwrap(), Handled::Nothing, "{message:?}");
        }
        assert!(pipeline.table().await == before);
    }
    let steps = pipeline.messages();
    assert!(steps.iter().all(|message| matches!(message.step, Step::Check { run, .. } if run > 1)), "it is checked anew: {steps:?}");
    pipeline.work_off(&steps).await;
    assert_completed(&pipeline, id, created(30)).await;
    let details = pipeline.contact("+15145550000").await.details;
    assert!(details.city.is_none() && details.attributes.contains_key("town"), "{details:?}");
}

#[tokio::test]
async fn one_that_is_started_twice_is_written_once() {
    let pipeline = Pipeline::new(10).await;
    let (id, file) = uploaded(&pipeline, &list(0, 60, HERE)).await;
    assert!(!started(&pipeline, id).await, "its file wasn't read");
    pipeline.planned(&file).await;
    assert!(started(&pipeline, id).await && started(&pipeline, id).await);
    let mut is_second = false;
    let mut waiting = pipeline.messages();
    while let Some(message) = waiting.pop() {
        pipeline.handle(&message, false).await.unwrap();
        if matches!(message.step, Step::Write(_)) && !std::mem::replace(&mut is_second, true) {
            assert!(started(&pipeline, id).await);
        }
        waiting.extend(pipeline.messages());
    }
    assert_completed(&pipeline, id, created(60)).await;
    assert_written_once(&pipeline, 60).await;
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Files that can't be imported, and what is said of them. The bucket of tests keeps files in memory: one cell of 8 MB stands for larger ones, since the pass ends where
/// a row gets longer than 1 MB.
fn bad_files() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let columns: Vec<String> = (0..10_000).map(|column| format!("column {column}")).collect();
    vec![
        ("nothing", Vec::new(), "The file is empty."),
        ("a header and nothing else", b"phone,name\n".to_vec(), "no rows"),
        ("10,000 columns", format!("phone,{}\n514-555-0000\n", columns.join(",")).into_bytes(), "more than 500 columns"),
        ("NUL bytes", format!("{}514-555-0200,\0\n", list(0, 120, &"x".repeat(1_000))).into_bytes(), "Row 121 contains NUL bytes"),
        ("a cell of 8 MB", format!("{}514-555-0200,{}\n", list(0, 120, HERE), "x".repeat(8_000_000)).into_bytes(), "Row 121 is longer than 1 MB."),
        ("an archive that unpacks to much more", packed(&vec![b'\n'; 3_000_000]), "more than 100 times its size"),
        (
            "a quote that never closes",
            format!("{}514-555-0200,\"Zoe\n{}", list(0, 120, HERE), list(200, 40, HERE)).into_bytes(),
            "The quote opened in row 121 never closes.",
        ),
    ]
}

#[tokio::test]
async fn a_file_that_cannot_be_imported_says_why_and_leaves_nothing_but_the_import() {
    let pipeline = Pipeline::new(50).await;
    for (name, bytes, expected) in bad_files() {
        let before = pipeline.table().await;
        let file = pipeline.dropped(&format!("{name}.csv"), "1", bytes).await;
        let received = pipeline.receive(&file).await;
        let Received::Failed(id, reason) = received else { panic!("{name}: {received:?}") };
        assert!(reason.contains(expected) && reason.ends_with('.'), "{name}: {reason}");
        let import = pipeline.import(id).await;
        assert_eq!((import.status, import.chunks, import.counts), (ImportStatus::Failed, 0, RowCounts::default()), "{name}");
        assert_eq!(import.failure_reason, Some(reason), "{name}");
        let after = pipeline.table().await;
        let new: Vec<Option<&str>> = after.iter().filter(|(place, item)| before.get(*place) != Some(*item)).map(|(_, item)| text(item, "type")).collect();
        assert_eq!(new, [Some(imports::IMPORT)], "{name}");
        assert!(after.values().all(|item| text(item, "type") != Some(contacts::CONTACT)) && pipeline.messages().is_empty(), "{name}");
    }
    assert_eq!(pipeline.uploads.open_uploads(), 0);
}
