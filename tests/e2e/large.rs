//! Many contacts on the local stack: how long a page and a search take there. Run by `./dev bench stack`; it takes some minutes, and no time fails it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::stack::api::Api;
use crate::stack::drops::{imports_of, put};
use crate::stack::fresh;
use crate::stack::mutations::done;
use crate::stack::waiting::eventually;

const FILE: &str = "many.csv";
const RUNS: usize = 7;
const FIRST_NAMES: [&str; 8] = ["Zoé", "Émile", "Marie", "Jean", "Noor", "Ines", "Otto", "Wei"];
const LAST_NAMES: [&str; 9] = ["Gélinas", "Tremblay", "Roy", "Côté", "Singh", "Martin", "Nguyen", "Bouchard", "Li"];

/// `CONTACTS` of them, 100,000 when it isn't set.
fn file(count: usize) -> String {
    let mut file = "phone,name,email,city,source\n".to_owned();
    for number in 0..count {
        let first = if number % 1_000 == 7 { "Zebulon" } else { FIRST_NAMES[number % 8] };
        let source = if number % 500 == 0 { "fair" } else { "web" };
        file.push_str(&format!("+1514{:07},{first} {},person{number}@example.com,Laval,{source}\n", 2_000_000 + number, LAST_NAMES[number % 9]));
    }
    file
}

async fn asked(api: &Api, filter: &Value, fields: &str) -> (usize, bool, Duration) {
    let query = format!("query($filter: ContactFilter) {{ contacts(first: 50, filter: $filter) {{ nodes {{ {fields} }} pageInfo {{ hasNextPage }} }} }}");
    let begun = Instant::now();
    let data = api.data(&query, json!({ "filter": filter })).await;
    let page = &data["contacts"];
    (page["nodes"].as_array().unwrap().len(), page["pageInfo"]["hasNextPage"] == true, begun.elapsed())
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[tokio::test]
#[ignore = "takes minutes: ./dev bench stack runs it"]
async fn a_page_and_a_search_among_many_contacts_answer_soon() {
    let count: usize = std::env::var("CONTACTS").ok().and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let (stack, _) = Stack::as_admin().await;
    let api = stack.sign_in("admin@other.test").await;
    let begun = Instant::now();
    put(&stack, &format!("drop/other/{FILE}"), file(count)).await;
    let patience = Duration::from_secs(3_600);
    let import = eventually("the import has ended", patience, async || imports_of(&api, FILE).await.into_iter().find(|import| import.status() != "PROCESSING")).await;
    println!("{} of {count} contacts imported in {:.0} s", import.counts().created, begun.elapsed().as_secs_f64());
    eventually("all are found by their names", patience, async || {
        let mut found = BTreeSet::new();
        let mut after = Value::Null;
        loop {
            let query =
                "query($after: String) { contacts(first: 100, after: $after, filter: { search: \"zebulon\" }) { nodes { id } pageInfo { hasNextPage endCursor } } }";
            let data = api.data(query, json!({ "after": after })).await;
            found.extend(data["contacts"]["nodes"].as_array().unwrap().iter().map(|node| node["id"].to_string()));
            after = data["contacts"]["pageInfo"]["endCursor"].clone();
            if data["contacts"]["pageInfo"]["hasNextPage"] != true {
                break;
            }
        }
        (found.len() == count.div_ceil(1_000)).then_some(())
    })
    .await;
    println!("all of them indexed for searching {:.0} s after the file was dropped", begun.elapsed().as_secs_f64());
    let mut lags = Vec::new();
    for number in fresh::numbers(10) {
        let name = fresh::letters();
        done(&api, "contactCreate", json!({ "phone": number.e164(), "name": name })).await;
        let begun = Instant::now();
        eventually("the contact is found", patience, async || (asked(&api, &json!({ "search": name }), "id").await.0 == 1).then_some(())).await;
        lags.push(begun.elapsed());
    }
    lags.sort();
    println!("a contact is found by its name after it was answered to be created: {:.0} ms (median of 10), {:.0} ms at most", ms(lags[5]), ms(lags[9]));
    let status = api.data("{ contactStatuses { id code } }", json!({})).await["contactStatuses"][0]["id"].clone();
    let list = "id name phone email status { name } createdAt";
    let (middle, all) = (count / 2, "id name phone email address postalCode attributes alternatePhones updatedBy { name }");
    println!("{:<56} {:>6} {:>6} {:>10} {:>10}", "", "found", "more", "best, ms", "worst, ms");
    for (what, wanted, fields) in [
        ("a page of the list", json!({}), list),
        ("a page of the list, any field of each contact", json!({}), all),
        ("status and date and source, which no index serves alone", json!({ "statusIds": [status], "createdTo": "2100-01-01T00:00:00Z", "source": "fair" }), list),
        ("nobody's, of a source that there is none of", json!({ "assigned": false, "source": "nowhere" }), list),
        ("search by a whole number", json!({ "search": format!("+1514{:07}", 2_000_000 + middle) }), list),
        ("search by the last four digits", json!({ "search": format!("{:04}", middle % 10_000) }), list),
        ("search by an e-mail address", json!({ "search": format!("person{middle}@example.com") }), list),
        ("search by a name that one in 1,000 has", json!({ "search": "zebulon" }), list),
        ("search by the start of a name that one in 9 has", json!({ "search": "gelin" }), list),
    ] {
        let (mut best, mut worst, mut found, mut more) = (Duration::MAX, Duration::ZERO, 0, false);
        for _ in 0..RUNS {
            let (count, rest, taken) = asked(&api, &wanted, fields).await;
            (best, worst, found, more) = (best.min(taken), worst.max(taken), count, rest);
        }
        println!("{what:<56} {found:>6} {more:>6} {:>10.0} {:>10.0}", ms(best), ms(worst));
    }
}
