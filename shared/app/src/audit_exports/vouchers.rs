//! What vouches for the events of an export: the signed seals of the days on which they were recorded, and the hashes that those are over.
//!
//! A seal carries the hash of the tenant's seal before it. So those between the ones that matter are in the file too: the verifier follows the chain.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use switchboard_domain::audit::{Leaf, leaves_lines, seal_line};
use switchboard_domain::ids::TenantId;
use switchboard_platform::Files;

use crate::audit::seals::{KeptSeal, all_seals, in_order_of_sealing, leaves};
use crate::error::AppError;

/// Hashes that are written in one step: more than a part of the file.
const HASHES: usize = 200_000;

/// A day, and how many of its hashes are written.
pub(super) type HashesReached = (Date, u64);

/// What vouches for events.
pub(super) struct Vouchers {
    seals: Vec<KeptSeal>,
    /// The days that matter, with the number of the last seal of each.
    days: BTreeMap<Date, u32>,
    /// The hashes of the day that is being written.
    read: Option<(Date, Vec<Leaf>)>,
}

impl Vouchers {
    /// Reads the seals of a tenant, made before some time, of which some days matter: later, a worker that goes on finds the same. Where nothing is left out from
    /// the beginning on, they begin with the tenant's first. 1 request per 1,000 seals of the tenant, and 1 for each of them.
    pub(super) async fn read(
        archive: &Files,
        tenant: TenantId,
        before: Timestamp,
        is_from_the_beginning: bool,
        is_concerned: impl Fn(Date) -> bool,
    ) -> Result<Self, AppError> {
        let mut seals = Vec::new();
        for seal in all_seals(archive, tenant).await? {
            match seal {
                Ok(kept) if kept.seal.sealed_at >= before => {}
                Ok(kept) => seals.push(kept),
                // The verifier misses it: the one behind it carries its hash.
                Err(what) => tracing::error!(tenant.id = %tenant, what, "a seal can't be read, and is missing from an export"),
            }
        }
        in_order_of_sealing(&mut seals);
        Ok(Self::of(seals, is_from_the_beginning, is_concerned))
    }

    /// Of seals in the order of the chain, those from the first that matters, or from the first of all, to the last that matters.
    fn of(mut seals: Vec<KeptSeal>, is_from_the_beginning: bool, is_concerned: impl Fn(Date) -> bool) -> Self {
        let last = seals.iter().rposition(|kept| is_concerned(kept.seal.day)).map_or(0, |last| last + 1);
        seals.truncate(last);
        if !is_from_the_beginning {
            let first = seals.iter().position(|kept| is_concerned(kept.seal.day)).unwrap_or(0);
            seals.drain(..first);
        }
        let mut days = BTreeMap::new();
        for kept in seals.iter().filter(|kept| is_concerned(kept.seal.day)) {
            days.insert(kept.seal.day, kept.seal.number);
        }
        Self { seals, days, read: None }
    }

    /// The lines of the seals, and where the hashes begin; nowhere when no day that matters has a seal.
    pub(super) fn seals(&self) -> (Vec<String>, Option<HashesReached>) {
        let lines = self.seals.iter().map(|kept| seal_line(&kept.signed)).collect();
        (lines, self.days.first_key_value().map(|(day, _)| (*day, 0)))
    }

    /// The lines of the next hashes, and where those behind them begin; nowhere at the end. 1 request a day.
    pub(super) async fn hashes(&mut self, archive: &Files, tenant: TenantId, (day, written): HashesReached) -> Result<(Vec<String>, Option<HashesReached>), AppError> {
        let Some((found, number)) = self.days.range(day..).next().map(|(day, number)| (*day, *number)) else {
            return Ok((Vec::new(), None));
        };
        if self.read.as_ref().is_none_or(|(read, _)| *read != found) {
            let hashes = leaves(archive, tenant, found, number).await?;
            if hashes.is_none() {
                tracing::error!(tenant.id = %tenant, day = %found, number, "the hashes of a sealed day are gone, and are missing from an export");
            }
            self.read = Some((found, hashes.unwrap_or_default()));
        }
        let hashes = self.read.as_ref().map_or(&[][..], |(_, hashes)| hashes.as_slice());
        let from = if found == day { usize::try_from(written).unwrap_or(usize::MAX).min(hashes.len()) } else { 0 };
        let to = (from + HASHES).min(hashes.len());
        let lines = leaves_lines(found, &hashes[from..to]);
        let next = if to < hashes.len() { Some((found, to as u64)) } else { self.behind(found).map(|day| (day, 0)) };
        Ok((lines, next))
    }

    /// The next day that matters.
    fn behind(&self, day: Date) -> Option<Date> {
        self.days.range(day.tomorrow().ok()?..).next().map(|(day, _)| *day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use switchboard_domain::audit::{DaySeal, SignedSeal};

    /// Seals of days in November in the order in which they were made, each by its number.
    fn chain(made: &[(i8, u32)]) -> Vec<KeptSeal> {
        let tenant = TenantId::new(Timestamp::UNIX_EPOCH, &[1; 10]);
        let seal = |(second, (day, number)): (i64, &(i8, u32))| {
            let sealed_at = Timestamp::from_second(second).unwrap();
            let seal = DaySeal { day: date(2026, 11, *day), events: 1, number: *number, previous: None, root: String::new(), sealed_at, tenant };
            KeptSeal { signed: SignedSeal { seal: seal.text(), signature: String::new(), key: String::new() }, seal }
        };
        (0..).zip(made).map(seal).collect()
    }

    fn days(vouchers: &Vouchers) -> Vec<(i8, u32)> {
        vouchers.seals.iter().map(|kept| (kept.seal.day.day(), kept.seal.number)).collect()
    }

    #[test]
    fn the_chain_is_whole_from_the_first_to_the_last_seal_of_a_day_that_matters() {
        let made = [(1, 0), (2, 0), (3, 0), (2, 1), (4, 0), (5, 0)];
        let of = |wanted: &[i8]| Vouchers::of(chain(&made), false, |day| wanted.contains(&day.day()));
        assert_eq!(days(&of(&[2])), [(2, 0), (3, 0), (2, 1)], "events that were archived late have a seal of their own");
        assert_eq!(days(&of(&[1, 4])), [(1, 0), (2, 0), (3, 0), (2, 1), (4, 0)]);
        assert_eq!(days(&of(&[5])), [(5, 0)]);
        assert_eq!(days(&of(&[6])), []);
        let from_the_beginning = |wanted: &[i8]| days(&Vouchers::of(chain(&made), true, |day| wanted.contains(&day.day())));
        assert_eq!(from_the_beginning(&[3, 4]), made[..5], "a day that was sealed before it was over may come before one that it follows");
        assert_eq!((from_the_beginning(&[1]), from_the_beginning(&[6])), (vec![(1, 0)], vec![]));
        assert_eq!(of(&[2, 4]).days, BTreeMap::from([(date(2026, 11, 2), 1), (date(2026, 11, 4), 0)]), "the last seal of a day is over all of it");
    }

    #[test]
    fn the_hashes_begin_with_the_first_day_that_matters_and_there_are_none_without_one() {
        let vouchers = Vouchers::of(chain(&[(1, 0), (2, 0)]), false, |day| day.day() == 2);
        let (lines, next) = vouchers.seals();
        assert_eq!((lines.len(), next), (1, Some((date(2026, 11, 2), 0))));
        assert_eq!((vouchers.behind(date(2026, 11, 1)), vouchers.behind(date(2026, 11, 2))), (Some(date(2026, 11, 2)), None));
        let (lines, next) = Vouchers::of(chain(&[(1, 0)]), false, |_| false).seals();
        assert!(lines.is_empty() && next.is_none());
    }
}
