//! Contacts by score, the highest first; those of equal scores by their age, the oldest first.

use futures::future::try_join_all;
use switchboard_domain::contact::Contact;
use switchboard_domain::scoring::ScoreCategory;

use super::lanes::{Index, Lane, Merged};
use super::{Filled, RankedPage, RankedWalk, fill, sorted};
use crate::contacts::list::Candidate;
use crate::error::StoreError;
use crate::keys;
use crate::table::CoreTable;
use crate::tenants::OpenTenant;

/// The sort keys of index 3 of values from `least` to `greatest`.
fn range(least: u8, greatest: u8) -> (String, String) {
    (keys::rank(greatest, ""), format!("{}~", keys::rank(least, "")))
}

/// The ranges of index 3 that some categories mean, the best first; without any, all of it.
fn ranges(categories: &[ScoreCategory]) -> Vec<(String, String)> {
    if categories.is_empty() {
        return vec![range(0, 100)];
    }
    let meant = ScoreCategory::ALL.into_iter().filter(|category| categories.contains(category));
    meant.map(ScoreCategory::bounds).map(|(least, greatest)| range(least, greatest)).collect()
}

/// The lists of contacts of each shard.
fn partitions(tenant: &OpenTenant) -> impl Iterator<Item = String> {
    (0..tenant.record.shards.max(1)).map(move |shard| keys::contact_list(&tenant.scope, shard))
}

/// Walks the contacts that have a score, the highest first; of categories only theirs. 1 request per shard, half an R per started 4 KB of entries (about 0.2 KB each), and 1
/// request per 100 contacts read, half an R each.
///
/// # Errors
/// Those of the database.
pub async fn by_score(table: &CoreTable, tenant: &OpenTenant, asked: &RankedWalk<'_>, matches: impl Fn(&Contact) -> bool) -> Result<RankedPage, StoreError> {
    let mut page = RankedPage::default();
    let beyond = asked.after.map(|after| format!("{after}!")).unwrap_or_default();
    let mut ranges = ranges(&asked.filter.categories);
    ranges.retain(|(_, high)| *high >= beyond);
    let count = ranges.len();
    for (index, (low, high)) in ranges.into_iter().enumerate() {
        let low = low.max(beyond.clone());
        let lane = |partition| Lane::new(Index::Score, partition, String::new(), "", low.clone(), high.clone());
        let mut lanes = Merged::new(partitions(tenant).map(lane).collect());
        match fill(table, tenant, &mut lanes, asked, "", &matches, &mut page).await? {
            Filled::AtEnd => {}
            Filled::AtEndAndFull if index + 1 == count => {}
            Filled::AtEndAndFull | Filled::Full => return Ok(page),
        }
    }
    page.next = None;
    Ok(page)
}

/// Reads candidates and gives those that match and have a score, the highest first. 1 request per 100, half an R each.
///
/// # Errors
/// Those of the database.
pub async fn sort_by_score(
    table: &CoreTable,
    tenant: &OpenTenant,
    candidates: &[Candidate],
    asked: &RankedWalk<'_>,
    matches: impl Fn(&Contact) -> bool,
) -> Result<RankedPage, StoreError> {
    let after = asked.after.unwrap_or_default();
    sorted(table, tenant, candidates, asked, ("", after), |stored| Some(keys::rank(stored.contact.score.as_ref()?.value, stored.place())), matches).await
}

/// How many contacts have a score from `least` to `greatest`. 1 request per shard and started MB, half an R per started 4 KB of what is counted (about 0.2 KB each).
///
/// # Errors
/// Those of the database.
pub async fn count_with_scores(table: &CoreTable, tenant: &OpenTenant, least: u8, greatest: u8) -> Result<u64, StoreError> {
    let (low, high) = range(least, greatest);
    let partitions: Vec<String> = partitions(tenant).collect();
    let counted = try_join_all(partitions.iter().map(|partition| table.count_ranks(&tenant.scope, partition, &low, &high))).await?;
    Ok(counted.into_iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: &str = "0123456789abcdefghijklmnop";

    #[test]
    fn a_range_has_the_values_of_its_category_and_no_other() {
        for category in ScoreCategory::ALL {
            let found = ranges(&[category]);
            assert_eq!(found.len(), 1);
            for value in 0..=100 {
                let key = keys::rank(value, PLACE);
                assert_eq!(key >= found[0].0 && key <= found[0].1, ScoreCategory::of(value) == category, "{value}");
            }
        }
    }

    #[test]
    fn ranges_come_with_the_best_first_whatever_was_named_first() {
        let all = ranges(&[ScoreCategory::Nurture, ScoreCategory::Hot, ScoreCategory::Cold, ScoreCategory::Hot]);
        assert_eq!(all.len(), 3);
        assert!(all.is_sorted() && all.windows(2).all(|pair| pair[0].1 < pair[1].0));
        let whole = &ranges(&[])[0];
        assert!((0..=100).map(|value| keys::rank(value, PLACE)).all(|key| key >= whole.0 && key <= whole.1));
    }
}
