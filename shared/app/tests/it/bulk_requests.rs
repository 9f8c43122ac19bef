//! Asking for bulk jobs, and reading them.

use jiff::SignedDuration;
use switchboard_app::AppError;
use switchboard_app::bulk::{self, AskedAction, StartBulk};
use switchboard_domain::bulk_job::{BulkAction, BulkJobStatus};
use switchboard_domain::clock::Clock;
use switchboard_domain::contact::ContactFilter;
use switchboard_domain::field_error::FieldErrorCode;
use switchboard_domain::ids::{AgentId, BulkJobId};
use switchboard_testkit::World;

use crate::bulk::{asked, codes};
use crate::made;

#[tokio::test]
async fn an_action_is_refused_what_it_has_no_use_for_and_told_what_it_lacks() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let (agent, status) = (Some(Some(viewer.agent())), Some(viewer.settings.status_by_code("attempted").map(|status| status.id)));
    let new = |action| StartBulk::new(action, ContactFilter::default());
    let filtered = |action, filter| StartBulk::new(action, filter);
    let other = ContactFilter { assignees: vec![AgentId::new(world.clock.now(), &[9; 10])], ..ContactFilter::default() };
    let deleted = ContactFilter { include_deleted: true, ..ContactFilter::default() };
    let digit = ContactFilter { search: Some("12".to_owned()), ..ContactFilter::default() };
    for (request, expected) in [
        (new(AskedAction::Assign), ("assigneeId", FieldErrorCode::Blank)),
        (StartBulk { assignee: Some(None), ..new(AskedAction::Assign) }, ("assigneeId", FieldErrorCode::NotFound)),
        (StartBulk { assignee: agent, status, ..new(AskedAction::Assign) }, ("statusId", FieldErrorCode::Invalid)),
        (StartBulk { assignee: agent, team: Some(None), ..new(AskedAction::Assign) }, ("teamId", FieldErrorCode::Invalid)),
        (StartBulk { assignee: agent, ..new(AskedAction::Move) }, ("fromAssigneeId", FieldErrorCode::Blank)),
        (StartBulk { from_assignee: agent, ..new(AskedAction::Move) }, ("assigneeId", FieldErrorCode::Blank)),
        (StartBulk { from_assignee: Some(None), assignee: agent, ..new(AskedAction::Move) }, ("fromAssigneeId", FieldErrorCode::NotFound)),
        (StartBulk { from_assignee: agent, assignee: agent, ..filtered(AskedAction::Move, other) }, ("fromAssigneeId", FieldErrorCode::Invalid)),
        (StartBulk { assignee: agent, ..new(AskedAction::Unassign) }, ("assigneeId", FieldErrorCode::Invalid)),
        (new(AskedAction::SetStatus), ("statusId", FieldErrorCode::Blank)),
        (StartBulk { status: Some(None), ..new(AskedAction::SetStatus) }, ("statusId", FieldErrorCode::NotFound)),
        (StartBulk { status, ..new(AskedAction::Delete) }, ("statusId", FieldErrorCode::Invalid)),
        (filtered(AskedAction::Export, deleted), ("filter.includeDeleted", FieldErrorCode::Invalid)),
        (filtered(AskedAction::Delete, digit), ("filter.search", FieldErrorCode::Invalid)),
    ] {
        let refused = bulk::start(&world.services, &viewer, request.clone()).await.unwrap().unwrap_err();
        assert_eq!(codes(&refused), [expected], "{request:?}");
    }
    assert!(bulk::list(&world.services, &viewer, None, 10).await.unwrap().entries.is_empty());
}

#[tokio::test]
async fn only_who_may_change_or_export_everything_asks_for_jobs_and_sees_them() {
    let world = World::new().await;
    let message = asked(&world, BulkAction::Delete, ContactFilter::default()).await;
    for role in ["supervisor", "telephonist", "agent"] {
        let viewer = world.viewer(role).await;
        for action in [AskedAction::Delete, AskedAction::Export, AskedAction::Unassign] {
            let answer = bulk::start(&world.services, &viewer, StartBulk::new(action, ContactFilter::default())).await;
            assert!(matches!(answer, Err(AppError::Forbidden)), "{role} {action:?}");
        }
        assert!(matches!(bulk::get(&world.services, &viewer, message.job).await, Err(AppError::Forbidden)));
        assert!(matches!(bulk::list(&world.services, &viewer, None, 10).await, Err(AppError::Forbidden)));
    }
    assert!(bulk::get(&world.services, &world.viewer("manager").await, message.job).await.unwrap().is_some());
}

#[tokio::test]
async fn a_job_that_could_not_be_sent_is_one_job_however_often_it_is_asked_for() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let request = StartBulk { idempotency_key: Some("key".to_owned()), ..StartBulk::new(AskedAction::Delete, ContactFilter::default()) };
    for _ in 0..2 {
        // Nothing listens where the queue would be.
        assert!(matches!(bulk::start(&world.services, &viewer, request.clone()).await, Err(AppError::Platform(_))));
    }
    let jobs = bulk::list(&world.services, &viewer, None, 10).await.unwrap().entries;
    assert_eq!((jobs.len(), jobs[0].status), (1, BulkJobStatus::Queued));
    let other = StartBulk { action: AskedAction::Unassign, ..request };
    let refused = bulk::start(&world.services, &viewer, other).await.unwrap().unwrap_err();
    assert_eq!(codes(&refused), [("idempotencyKey", FieldErrorCode::Conflict)]);
    let unkeyed = StartBulk::new(AskedAction::Delete, ContactFilter::default());
    assert!(matches!(bulk::start(&world.services, &viewer, unkeyed).await, Err(AppError::Platform(_))));
    let jobs = bulk::list(&world.services, &viewer, None, 10).await.unwrap().entries;
    let failed = jobs.iter().find(|job| job.status == BulkJobStatus::Failed).unwrap();
    assert!(jobs.len() == 2 && failed.failure_reason.is_some(), "without a key nobody can send it again");
}

#[tokio::test]
async fn jobs_are_listed_newest_first_and_what_was_searched_for_is_sealed() {
    let world = World::new().await;
    let viewer = world.viewer("admin").await;
    let mut asked_for = Vec::new();
    for word in ["gelinas", "tremblay", "roy"] {
        let filter = ContactFilter { search: Some(word.to_owned()), ..ContactFilter::default() };
        asked_for.push(asked(&world, BulkAction::Unassign, filter).await.job);
        world.clock.advance(SignedDuration::from_millis(1));
    }
    asked_for.reverse();
    let first = bulk::list(&world.services, &viewer, None, 2).await.unwrap();
    let rest = bulk::list(&world.services, &viewer, Some(&first.entries[1].id.to_string()), 2).await.unwrap();
    assert_eq!((first.has_more, rest.has_more), (true, false));
    let listed: Vec<BulkJobId> = first.entries.iter().chain(&rest.entries).map(|job| job.id).collect();
    assert_eq!(listed, asked_for);
    assert_eq!(first.entries[0].filter.search.as_deref(), Some("roy"));
    let written = format!("{:?}", made::everything(&world.database).await);
    assert!(!written.contains("gelinas"));
}
