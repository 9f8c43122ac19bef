//! A large import of one tenant doesn't hold up a small one of another: no more of its chunks are worked on at once than it has lanes.

use crate::stack::drops::{Counts, csv, dropped, ended, imports_of, in_chunks, put};
use crate::stack::fresh;
use crate::stack::history::AUDIT;
use crate::stack::tenant::Tenant;
use crate::stack::waiting::eventually;

/// Chunks of the large list: more than there are workers for the chunks of all tenants.
const CHUNKS: usize = 14;
/// Rows of each.
const ROWS: usize = 400;
/// How often is tried to be done with the small list before the large one has ended.
const ATTEMPTS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn ten_rows_of_one_tenant_are_in_while_thousands_of_another_are_still_being_imported() {
    let (busy, quick) = (Tenant::new().await, Tenant::shared().await);
    for _ in 0..ATTEMPTS {
        let numbers = fresh::numbers((CHUNKS * ROWS) as u64);
        let (large, small) = (format!("{}.csv", fresh::word("large")), format!("{}.csv", fresh::word("small")));
        let rows: Vec<String> = numbers.iter().map(|number| format!("{},Somebody", number.e164())).collect();
        put(&busy.stack, &format!("drop/{}/{large}", busy.slug), in_chunks("phone,name", &rows, ROWS)).await;
        let is_under_way = async || imports_of(&busy.api, &large).await.pop().filter(|import| import.counts().total > 0);
        eventually("the large list was read to its end", AUDIT, is_under_way).await;

        let few = fresh::numbers(10).iter().map(|number| [number.dashed(), "Somebody".to_owned()]).collect::<Vec<_>>();
        let beside = dropped(&quick.stack, &quick.api, &quick.slug, &small, csv("phone,name", &few)).await;
        let meanwhile = imports_of(&busy.api, &large).await.remove(0);
        assert_eq!(beside.counts(), Counts { total: 10, created: 10, ..Counts::default() });
        let done = ended(&busy.api, &large, &[].into()).await;
        assert_eq!(done.counts(), Counts { total: numbers.len() as u64, created: numbers.len() as u64, ..Counts::default() });
        if meanwhile.status() == "PROCESSING" {
            return;
        }
    }
    panic!("the small list waited for the large one in all of {ATTEMPTS} attempts");
}
