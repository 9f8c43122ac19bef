//! What is done to scoring models. Scores are technical: that one was made anew is on record nowhere.

use std::time::Duration;

use serde_json::{Value, json};

use super::ledger::{Ledger, THEN, beside, created, event};
use crate::stack::contacts::new_contact;
use crate::stack::fresh;
use crate::stack::jobs::ended;
use crate::stack::waiting::eventually;

pub(super) const MUTATIONS: &[&str] =
    &["scoringModelCreate", "scoringModelUpdate", "scoringModelActivate", "scoringModelDelete", "scoringModelTrain", "scoreRecalculate"];

/// A worker that has nothing to learn from takes less.
const PATIENCE: Duration = Duration::from_secs(180);

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_to_scoring_models_is_on_record_and_so_is_the_job_that_scores_all_contacts() {
    let mut ledger = Ledger::open().await;
    let api = ledger.api();
    let tenant = api.data("{ viewer { tenant { id } } }", json!({})).await["viewer"]["tenant"]["id"].take();
    let contact = new_contact(&api, json!({})).await["id"].take();
    ledger.done("scoreRecalculate", json!({ "contactId": contact })).await;
    ledger.leaves([]);

    let (name, other, copied) = (fresh::word("Ours"), fresh::word("Ours"), fresh::word("Copy"));
    let factor = json!({ "name": "assignment", "maximum": 100, "reason": "{value}", "rule": { "assignment": { "assigned": 100, "unassigned": 0 } } });
    let made = ledger.done("scoringModelCreate", json!({ "name": name, "factors": [factor] })).await["scoringModel"].take();
    // Points are kept in ten-thousandths.
    let factors = json!([{ "name": "assignment", "maximum": 1_000_000, "reason": "{value}", "rule": { "kind": "assignment", "assigned": 1_000_000, "unassigned": 0 } }]);
    let id = &made["id"];
    ledger.leaves([event("scoring_model.created", id, 1, created(&json!({ "name": name, "factors": factors })))]);
    ledger.done("scoringModelUpdate", json!({ "id": id, "expectedVersion": 1, "name": other })).await;
    ledger.leaves([event("scoring_model.updated", id, 2, json!({ "name": [name, other] }))]);

    let job = ledger.done("scoringModelActivate", json!({ "id": id })).await["job"]["id"].take();
    ledger.leaves([
        event("scoring_model.activated", &tenant, 1, created(&json!({ "model": id, "modelVersion": 2, "name": other }))),
        beside("bulk_job.created", &job, &json!({ "action": "RESCORE" })).by_job(&job),
        beside("bulk_job.completed", &job, &json!({ "action": "RESCORE", "changed": 1, "unchanged": 0, "failed": 0 })).by_job(&job),
    ]);
    ended(&api, &job).await;

    let copy = ledger.done("scoringModelCreate", json!({ "name": copied, "copyOf": id })).await["scoringModel"]["id"].take();
    ledger.leaves([event("scoring_model.created", &copy, 1, created(&json!({ "name": copied, "factors": factors })))]);
    ledger.done("scoringModelDelete", json!({ "id": copy, "expectedVersion": 1 })).await;
    ledger.leaves([event("scoring_model.deleted", &copy, 2, json!({ "factors": [factors, []], "deletedAt": [null, THEN] }))]);

    // A model that was learned is on record as what was learned; of what could not be there is nothing to say.
    let input = json!({ "name": fresh::word("Learned"), "outcomeAttribute": "nobody_has_it" });
    let training = ledger.done("scoringModelTrain", input).await["training"]["id"].take();
    ledger.leaves([]);
    let query = "query($id: ID!) { scoringTraining(id: $id) { status } }";
    eventually("the training has failed", PATIENCE, async || {
        let status: Value = api.data(query, json!({ "id": training })).await["scoringTraining"]["status"].take();
        (status == "FAILED").then_some(())
    })
    .await;
    ledger.settle(MUTATIONS).await;
}
