//! How long after its answer a change is on record on the local stack. Run by `./dev bench stack`; it takes a minute, and no time fails it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::stack::api::{Api, created};
use crate::stack::fresh;
use crate::stack::history::{AUDIT, caught_up};
use crate::stack::mutations::changed;
use crate::stack::tenant::Tenant;

/// Changes, one after another.
const CHANGES: usize = 200;
/// How often is looked: what is measured is this much too long at most.
const LOOK: Duration = Duration::from_millis(10);

/// The version of the newest event of a contact.
async fn newest(api: &Api, contact: &Value) -> Value {
    let query = "query($id: ID!) { contact(id: $id) { auditEvents(first: 1) { nodes { entityVersion } } } }";
    api.data(query, json!({ "id": contact })).await["contact"]["auditEvents"]["nodes"][0]["entityVersion"].take()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[tokio::test]
#[ignore = "takes a minute: ./dev bench stack runs it"]
async fn a_change_is_on_record_soon_after_its_answer() {
    let tenant = Tenant::new().await;
    let api = &tenant.api;
    let contact = created(api, json!({ "phone": fresh::number().e164() })).await["id"].take();
    caught_up(api).await;
    let mut delays = Vec::with_capacity(CHANGES);
    for version in 1..=CHANGES {
        changed(api, "contactUpdate", json!({ "id": contact, "expectedVersion": version, "name": fresh::word("Name") })).await;
        let answered = Instant::now();
        while newest(api, &contact).await != json!(version + 1) {
            assert!(answered.elapsed() < AUDIT, "version {} is not on record", version + 1);
            sleep(LOOK).await;
        }
        delays.push(answered.elapsed());
    }
    delays.sort();
    println!(
        "a change is on record after its answer: {:.0} ms (median of {CHANGES}), {:.0} ms (99 of 100), {:.0} ms at most",
        ms(delays[CHANGES / 2]),
        ms(delays[CHANGES * 99 / 100]),
        ms(delays[CHANGES - 1])
    );
}
