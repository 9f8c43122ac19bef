//! How long after the answer to a change its contact has the new score on the local stack. Run by `./dev bench stack`; it takes a minute, and no time fails it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::stack::api::{Api, created};
use crate::stack::fresh;
use crate::stack::mutations::changed;
use crate::stack::scores::SCORED;
use crate::stack::tenant::Tenant;

/// Contacts that are changed beside each other: most of a change's time is the wait for those that follow it.
const CONTACTS: usize = 5;
/// Changes of each, one after another.
const CHANGES: usize = 20;
/// How often is looked: what is measured is this much too long at most.
const LOOK: Duration = Duration::from_millis(50);
/// Sources whose points differ, so that each change is one of the score.
const SOURCES: [&str; 2] = ["direct_website", "cold_call"];

/// When a contact's score was calculated.
async fn calculated_at(api: &Api, contact: &Value) -> Value {
    api.data("query($id: ID!) { contact(id: $id) { score { calculatedAt } } }", json!({ "id": contact })).await["contact"]["score"]["calculatedAt"].take()
}

/// The delays of a contact's changes.
async fn delays(api: Api) -> Vec<Duration> {
    let contact = created(&api, json!({ "phone": fresh::number().e164(), "source": "referral" })).await["id"].take();
    let mut delays = Vec::with_capacity(CHANGES);
    for (change, source) in (1..=CHANGES).zip(SOURCES.iter().cycle()) {
        let before = calculated_at(&api, &contact).await;
        changed(&api, "contactUpdate", json!({ "id": contact, "expectedVersion": change, "source": source })).await;
        let answered = Instant::now();
        while calculated_at(&api, &contact).await == before {
            assert!(answered.elapsed() < SCORED, "change {change} of {contact} has no score");
            sleep(LOOK).await;
        }
        delays.push(answered.elapsed());
    }
    delays
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute: ./dev bench stack runs it"]
async fn a_contact_has_its_new_score_soon_after_the_answer_to_its_change() {
    let tenant = Tenant::new().await;
    let mut contacts = JoinSet::new();
    for _ in 0..CONTACTS {
        contacts.spawn(delays(tenant.api.clone()));
    }
    let mut delays = contacts.join_all().await.concat();
    delays.sort();
    let ms = |share: usize| delays[(delays.len() * share / 100).min(delays.len() - 1)].as_secs_f64() * 1e3;
    println!("score after a change: median {:.0} ms, p99 {:.0} ms, at most {:.0} ms ({} changes)", ms(50), ms(99), ms(100), delays.len());
}
