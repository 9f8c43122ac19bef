//! How many events one kind of access leaves: ten a minute, then only the hundredth, the thousandth and so on. Whoever floods the API doesn't flood the audit.

use std::fmt;

use jiff::Timestamp;

/// Events of their own that one kind of access has within a minute.
pub const EACH_A_MINUTE: u64 = 10;

/// What an event is called within its minute. Only one event can have a name, whichever process gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventName {
    /// One of the first, by its number from 0.
    Numbered(u64),
    /// It stands for as many as one process counted.
    Total(u64),
}

impl fmt::Display for EventName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbered(number) => write!(formatter, "{number}"),
            Self::Total(count) => write!(formatter, "x{count}"),
        }
    }
}

/// What one process saw of one kind of access within one minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccessWindow {
    seen: u64,
    tried: u64,
}

impl AccessWindow {
    /// Counts one more; the name its event is to have, none when it is only counted.
    pub fn occurred(&mut self) -> Option<EventName> {
        self.seen = self.seen.saturating_add(1);
        self.numbered().or_else(|| is_told(self.seen).then_some(EventName::Total(self.seen)))
    }

    /// Another name for the one that was counted last, when its own is taken: another process was there. None when all are.
    pub fn taken(&mut self) -> Option<EventName> {
        self.numbered()
    }

    fn numbered(&mut self) -> Option<EventName> {
        let name = (self.tried < EACH_A_MINUTE).then_some(EventName::Numbered(self.tried))?;
        self.tried += 1;
        Some(name)
    }
}

/// Whether a count is told: a power of ten beyond those that have an event each.
fn is_told(seen: u64) -> bool {
    std::iter::successors(Some(10 * EACH_A_MINUTE), |count| count.checked_mul(10)).take_while(|count| *count <= seen).last() == Some(seen)
}

/// When the minute of a moment began.
#[must_use]
pub fn minute_of(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second().div_euclid(60) * 60).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    /// A process of a test.
    #[derive(Clone, Copy, Default)]
    struct Process {
        window: AccessWindow,
        seen: u64,
        writes: u64,
    }

    impl Process {
        /// One more; whether it has an event.
        fn occurs(&mut self, table: &mut BTreeSet<EventName>) -> bool {
            self.seen += 1;
            let mut next = self.window.occurred();
            while let Some(name) = next {
                self.writes += 1;
                if table.insert(name) {
                    return true;
                }
                next = self.window.taken();
            }
            false
        }

        fn bound(&self) -> u64 {
            EACH_A_MINUTE + u64::from(self.seen.checked_ilog10().unwrap_or(0))
        }
    }

    #[test]
    fn names_are_short_and_differ() {
        assert_eq!([EventName::Numbered(0), EventName::Numbered(9), EventName::Total(100)].map(|name| name.to_string()), ["0", "9", "x100"]);
    }

    #[test]
    fn a_minute_begins_when_its_seconds_do() {
        for (at, begin) in [("12:00:59.999", "12:00"), ("12:01:00", "12:01"), ("23:59:59.999999999", "23:59")] {
            for day in ["2026-11-30", "1970-01-01"] {
                let (at, begin) = (format!("{day}T{at}Z"), format!("{day}T{begin}:00Z"));
                assert_eq!(minute_of(at.parse().unwrap()), begin.parse::<Timestamp>().unwrap(), "{at}");
            }
        }
    }

    proptest! {
        #[test]
        fn one_process_writes_the_first_ten_and_powers_of_ten(count in 1_u64..12_000) {
            let (mut process, mut table) = (Process::default(), BTreeSet::new());
            for _ in 0..count {
                process.occurs(&mut table);
            }
            let told = u64::from(count.ilog10()).saturating_sub(1);
            prop_assert_eq!(process.writes, count.min(EACH_A_MINUTE) + told);
            prop_assert!(process.writes <= process.bound());
            prop_assert_eq!(table.len() as u64, process.writes);
        }

        #[test]
        fn many_processes_in_any_order_write_no_more_than_one_and_lose_none_of_the_first_ten(turns in proptest::collection::vec(0_usize..5, 0..700)) {
            let (mut processes, mut table) = ([Process::default(); 5], BTreeSet::new());
            for (turn, process) in turns.iter().enumerate() {
                let has_event = processes[*process].occurs(&mut table);
                prop_assert!(has_event || turn as u64 >= EACH_A_MINUTE);
            }
            let most = processes.iter().map(Process::bound).max().unwrap_or_default();
            prop_assert!(table.len() as u64 <= most, "{} events, at most {most}", table.len());
            for process in processes {
                prop_assert!(process.writes <= process.bound());
            }
        }
    }
}
