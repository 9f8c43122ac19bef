//! Finding the scores that change by time alone, when their time has come: what is due is asked for, and nothing else is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use switchboard_domain::clock::{Clock, to_millisecond};
use switchboard_domain::ids::{ContactId, TenantId};
use switchboard_platform::{FifoMessage, Queue};
use switchboard_store::CoreTable;
use switchboard_store::due_scores::{self, Begun, DueScore, Stretch, Watermark};
use switchboard_store::keys::DUE_SHARDS;

use super::message::{ScoreMessage, messages};
use crate::error::AppError;

/// How long after its moment a score is looked for: by then an entry is written that says so, even by a clock that is behind.
const SETTLED: SignedDuration = SignedDuration::from_secs(30);
/// How far back the first run looks.
const FIRST: SignedDuration = SignedDuration::from_hours(1);
/// Entries read, and messages sent, at once.
const PAGE: usize = 500;

/// Has scores made anew whose time has come.
pub struct Sweep {
    /// The core table.
    pub core: CoreTable,
    /// The queue of contacts to be scored.
    pub queue: Queue,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What a run did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Swept {
    /// Entries read.
    pub read: usize,
    /// Messages sent.
    pub sent: usize,
    /// All that was due before this was sent.
    pub until: Timestamp,
    /// Whether nothing is left that should have been sent by now; else the next run goes on.
    pub is_caught_up: bool,
}

impl Sweep {
    /// Sends a message for each score that changed by time alone since the last run, up to half a minute ago, hour by hour and shard by shard, until the deadline is there. A
    /// run that missed hours catches up, in order; what is a week old has expired, so none looks further back. Killed anywhere, or overtaken by another, it leaves nothing
    /// out: what was sent twice is looked at twice.
    ///
    /// 1 request and 1 R; for each hour in question 9 requests, 8 R and 1 W, and 1 R more per 35 entries; per 500 entries of a shard 2 requests and 1 W more; 1 request to the
    /// queue per 10 messages.
    ///
    /// # Errors
    /// Those of the database and of the queue. The next run begins where this one wrote down last how far it came.
    pub async fn sweep(&self, deadline: Instant) -> Result<Swept, AppError> {
        let target = earlier(to_millisecond(self.clock.now()), SETTLED);
        let mut mark = beginning(due_scores::watermark(&self.core).await?, target);
        let (mut read, mut sent, mut is_kept) = (0, 0, true);
        while (mark.begun.is_some() || mark.until < target) && Instant::now() < deadline {
            let begun = mark.begun.take().unwrap_or_else(|| Begun { until: Stretch::within_hour(mark.until, target).until, shard: 0, after: None });
            let stretch = Stretch { from: mark.until, until: begun.until };
            let page = due_scores::due(&self.core, stretch, begun.shard, begun.after.as_deref(), PAGE).await?;
            read += page.scores.len();
            sent += self.send(&page.scores).await?;
            let is_full = page.next.is_some();
            mark = further(mark, begun, page.next);
            // A whole stretch is worth writing down, and in it what another run would have to send again.
            is_kept = is_full || mark.begun.is_none();
            if is_kept {
                mark = self.keep(mark, target).await?;
            }
        }
        if !is_kept {
            mark = self.keep(mark, target).await?;
        }
        Ok(Swept { read, sent, until: mark.until, is_caught_up: mark.begun.is_none() && mark.until >= target })
    }

    /// Sends a message for each contact of a page.
    async fn send(&self, due: &[DueScore]) -> Result<usize, AppError> {
        let mut contacts: BTreeMap<TenantId, BTreeSet<&ContactId>> = BTreeMap::new();
        for score in due {
            contacts.entry(score.tenant).or_default().insert(&score.contact);
        }
        let now = self.clock.now();
        let of_all: Vec<FifoMessage<ScoreMessage>> = contacts.into_iter().flat_map(|(tenant, contacts)| messages(tenant, contacts, now)).collect();
        self.queue.send_fifo(&of_all).await?;
        Ok(of_all.len())
    }

    /// Writes down how far the run came. When another run has written meanwhile, this one goes on where that one is.
    async fn keep(&self, mut mark: Watermark, target: Timestamp) -> Result<Watermark, AppError> {
        if due_scores::move_watermark(&self.core, &mut mark).await? {
            return Ok(mark);
        }
        Ok(beginning(due_scores::watermark(&self.core).await?, target))
    }
}

/// Where a run begins.
fn beginning(kept: Option<Watermark>, target: Timestamp) -> Watermark {
    let oldest = earlier(target, due_scores::KEPT);
    match kept {
        None => Watermark { until: earlier(target, FIRST), begun: None, revision: 0 },
        Some(mark) if mark.until < oldest => Watermark { until: oldest, begun: None, ..mark },
        Some(mark) => mark,
    }
}

/// How far a run is with a page of a stretch behind it: at the next page of the shard, at the next shard, or at the end of the stretch.
fn further(mark: Watermark, begun: Begun, next: Option<String>) -> Watermark {
    match next {
        Some(after) => Watermark { begun: Some(Begun { after: Some(after), ..begun }), ..mark },
        None if begun.shard + 1 < DUE_SHARDS => Watermark { begun: Some(Begun { shard: begun.shard + 1, after: None, ..begun }), ..mark },
        None => Watermark { until: begun.until, begun: None, ..mark },
    }
}

fn earlier(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_sub(by).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn mark(until: &str, begun: Option<Begun>) -> Watermark {
        Watermark { until: at(until), begun, revision: 7 }
    }

    #[test]
    fn the_first_run_begins_an_hour_back_and_none_looks_further_than_a_week() {
        let target = at("2026-11-30T12:00:00Z");
        assert_eq!(beginning(None, target), Watermark { until: at("2026-11-30T11:00:00Z"), begun: None, revision: 0 });
        let begun = Some(Begun { until: at("2026-11-30T12:00:00Z"), shard: 3, after: None });
        assert_eq!(beginning(Some(mark("2026-11-30T11:58:00Z", begun.clone())), target), mark("2026-11-30T11:58:00Z", begun.clone()));
        assert_eq!(beginning(Some(mark("2026-11-23T11:59:59Z", begun)), target), mark("2026-11-23T12:00:00Z", None));
    }

    #[test]
    fn a_run_goes_page_by_page_and_shard_by_shard_to_the_end_of_a_stretch() {
        let (from, until) = ("2026-11-30T12:00:00Z", at("2026-11-30T12:01:00Z"));
        let begun = |shard, after: Option<&str>| Begun { until, shard, after: after.map(str::to_owned) };
        assert_eq!(further(mark(from, None), begun(0, None), Some("a".to_owned())), mark(from, Some(begun(0, Some("a")))));
        assert_eq!(further(mark(from, None), begun(0, Some("a")), None), mark(from, Some(begun(1, None))));
        assert_eq!(further(mark(from, None), begun(DUE_SHARDS - 1, Some("z")), None), mark("2026-11-30T12:01:00Z", None));
    }
}
