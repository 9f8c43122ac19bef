//! Searching contacts: by names as people type them, numbers, ends of numbers and addresses, within moments of every change.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::stack::Stack;
use crate::stack::api::Api;
use crate::stack::contacts::{LISTED, ids, ids_of, new_contact};
use crate::stack::fresh;
use crate::stack::mutations::changed;
use crate::stack::waiting::eventually;

/// What a change may take to be found. It is a second where nothing else runs; here dozens of tests share two processors.
const FOUND_WITHIN: Duration = Duration::from_secs(5);

/// Waits until a search finds a contact, or no longer does; says and returns how long that took.
async fn time_until(api: &Api, search: &str, contact: &Value, finds: bool) -> Duration {
    let begun = Instant::now();
    let id = contact["id"].as_str().unwrap();
    eventually(&format!("{search:?} finds {id}: {finds}"), LISTED, async || (ids_of(api, &json!({ "search": search })).await.contains(id) == finds).then_some(())).await;
    let took = begun.elapsed();
    println!("{search:?} {} after {} ms", if finds { "finds the contact" } else { "finds it no longer" }, took.as_millis());
    took
}

async fn assert_found(api: &Api, contact: &Value, searches: &[String]) {
    for search in searches {
        time_until(api, search, contact, true).await;
    }
}

/// None of these finds a contact that others already find.
async fn assert_not_found(api: &Api, contact: &Value, searches: &[String]) {
    for search in searches {
        assert!(!ids_of(api, &json!({ "search": search })).await.contains(contact["id"].as_str().unwrap()), "{search:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_searched_for_is_a_bad_request() {
    let (_, api) = Stack::as_admin().await;
    let query = "query($search: String) { contacts(filter: { search: $search }) { nodes { id } } }";
    for search in ["7", "123", "+", "(51)", "1234567890123456", "?!", "a\u{0}b", &*"x".repeat(256)] {
        assert_eq!(api.refusal(query, json!({ "search": search })).await, "BAD_REQUEST", "{search:?}");
    }
    assert_eq!(api.data("{ contacts(first: 3, filter: { search: \"  \" }) { nodes { id } } }", json!({})).await["contacts"]["nodes"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_start_of_any_word_of_the_name_finds_whatever_its_accents_and_case() {
    let (_, api) = Stack::as_admin().await;
    let (first, last) = (format!("Zoé{}", fresh::letters()), format!("Gélinas{}", fresh::letters()));
    let plain = |text: &str| text.replace('é', "e");
    let contact = new_contact(&api, json!({ "name": format!("{first} de la {last}-Côté") })).await;
    let cut = |text: &str, letters: usize| text.chars().take(letters).collect::<String>();
    let searches = [
        last.clone(),
        plain(&last),
        plain(&last).to_uppercase(),
        cut(&last, 15),
        plain(&cut(&first, 12)),
        format!("{} {}", cut(&last, 14), plain(&first).to_uppercase()),
        format!("  {first}   côté "),
        format!("{last}, {first}"),
    ];
    assert_found(&api, &contact, &searches).await;
    let inner = plain(&last).chars().skip(1).collect::<String>();
    assert_not_found(&api, &contact, &[inner, format!("{first} Tremblay"), format!("{last}x")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_without_accents_is_found_by_one_with_accents() {
    let (_, api) = Stack::as_admin().await;
    let last = format!("Gelinas{}", fresh::letters());
    let contact = new_contact(&api, json!({ "name": format!("Zoe {last}") })).await;
    assert_found(&api, &contact, &[last.replace("Ge", "Gé"), last.replace("Ge", "GÉ")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_words_must_fit() {
    let (_, api) = Stack::as_admin().await;
    let family = fresh::letters();
    let anne = new_contact(&api, json!({ "name": format!("Anne {family}") })).await;
    let marie = new_contact(&api, json!({ "name": format!("Marie {family}") })).await;
    time_until(&api, &family, &anne, true).await;
    time_until(&api, &family, &marie, true).await;
    assert_eq!(ids_of(&api, &json!({ "search": format!("an {family}") })).await, ids([&anne]));
    assert_eq!(ids_of(&api, &json!({ "search": family })).await, ids([&anne, &marie]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_found_whole_however_written_and_by_its_last_four_digits_or_more() {
    let (_, api) = Stack::as_admin().await;
    let (number, alternate) = (fresh::number(), fresh::number());
    let contact = new_contact(&api, json!({ "phone": number.e164(), "alternatePhones": [alternate.e164()] })).await;
    for number in [number, alternate] {
        let whole: Vec<String> = (0..5).map(|way| number.written(way)).collect();
        assert_found(&api, &contact, &whole).await;
        let ends: Vec<String> = [4, 5, 7, 9].into_iter().map(|digits| number.ending(digits)).collect();
        assert_found(&api, &contact, &ends).await;
        let end = number.ending(7);
        assert_found(&api, &contact, &[format!("{}-{}", &end[..3], &end[3..])]).await;
        let first = end.chars().next().unwrap().to_digit(10).unwrap();
        assert_not_found(&api, &contact, &[format!("{}{}", (first + 1) % 10, &end[1..])]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_found_whole_in_any_case_and_not_in_part() {
    let (_, api) = Stack::as_admin().await;
    let name = fresh::word("someone");
    let email = format!("{name}@example.com");
    let contact = new_contact(&api, json!({ "email": email })).await;
    assert_found(&api, &contact, &[email.clone(), email.to_uppercase(), format!(" {email} ")]).await;
    assert_not_found(&api, &contact, &[format!("{name}@example.org"), format!("{}@example.com", &name[1..]), format!("{name}@")]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_found_by_what_is_said_now_and_not_by_what_was_said_before() {
    let (_, api) = Stack::as_admin().await;
    let [old_number, new_number] = fresh::numbers(2)[..] else { panic!() };
    let (old_name, new_name) = (fresh::letters(), fresh::letters());
    let [old_email, new_email] = [fresh::word("old"), fresh::word("new")].map(|name| format!("{name}@example.com"));
    let contact = new_contact(&api, json!({ "phone": old_number.e164(), "name": old_name, "email": old_email })).await;
    let before = [old_name, old_email, old_number.e164(), old_number.ending(7)];
    assert_found(&api, &contact, &before).await;
    let input = json!({ "id": contact["id"], "expectedVersion": 1, "phone": new_number.e164(), "name": new_name, "email": new_email });
    changed(&api, "contactUpdate", input).await;
    assert_found(&api, &contact, &[new_name, new_email, new_number.e164(), new_number.ending(7)]).await;
    for search in &before {
        time_until(&api, search, &contact, false).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_deleted_is_not_found_until_it_is_restored() {
    let (_, api) = Stack::as_admin().await;
    let (number, name) = (fresh::number(), fresh::letters());
    let email = format!("{}@example.com", fresh::word("deleted"));
    let contact = new_contact(&api, json!({ "phone": number.e164(), "name": name, "email": email })).await;
    let searches = [name, email, number.e164(), number.ending(7)];
    assert_found(&api, &contact, &searches).await;
    changed(&api, "contactDelete", json!({ "id": contact["id"], "expectedVersion": 1 })).await;
    for search in &searches {
        time_until(&api, search, &contact, false).await;
    }
    changed(&api, "contactRestore", json!({ "id": contact["id"], "expectedVersion": 2 })).await;
    assert_found(&api, &contact, &searches).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_and_a_filter_narrow_each_other() {
    let (_, api) = Stack::as_admin().await;
    let (family, source) = (fresh::letters(), fresh::word("source"));
    let with = new_contact(&api, json!({ "name": family, "source": source })).await;
    let without = new_contact(&api, json!({ "name": family })).await;
    time_until(&api, &family, &with, true).await;
    time_until(&api, &family, &without, true).await;
    assert_eq!(ids_of(&api, &json!({ "search": family, "source": source })).await, ids([&with]));
    assert_eq!(ids_of(&api, &json!({ "search": family, "converted": true })).await, [].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_found_within_moments() {
    let (_, api) = Stack::as_admin().await;
    let mut times = Vec::new();
    for _ in 0..5 {
        let (before, after) = (fresh::letters(), fresh::letters());
        let contact = new_contact(&api, json!({ "name": before })).await;
        times.push(time_until(&api, &before, &contact, true).await);
        changed(&api, "contactUpdate", json!({ "id": contact["id"], "expectedVersion": 1, "name": after })).await;
        times.push(time_until(&api, &after, &contact, true).await);
    }
    times.sort_unstable();
    // An import of thousands of rows beside it can hold up one; it can't hold up most.
    let median = times[times.len() / 2];
    println!("found after {} ms at best, {} ms in the middle, {} ms at worst", times[0].as_millis(), median.as_millis(), times[times.len() - 1].as_millis());
    assert!(median <= FOUND_WITHIN, "{times:?}");
}
