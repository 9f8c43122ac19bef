//! Names and telephone numbers that no other test and no earlier run uses.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Area codes of Canada.
const AREA_CODES: [&str; 20] =
    ["204", "250", "306", "403", "416", "418", "450", "506", "514", "519", "604", "613", "647", "705", "709", "778", "780", "807", "819", "905"];
/// Numbers of one exchange.
const LINES: u64 = 10_000;
/// Exchanges of one area code: 201 to 549, because 555 is that of the demo data.
const EXCHANGES: u64 = 349;

/// What tells this run from others: drawn by the standard library for its hash tables.
static RUN: LazyLock<u64> = LazyLock::new(|| RandomState::new().build_hasher().finish());
static NAMES: AtomicU64 = AtomicU64::new(0);
static NUMBERS: AtomicU64 = AtomicU64::new(0);

/// A valid Canadian number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Number(u64);

impl Number {
    fn parts(self) -> (&'static str, u64, u64) {
        let exchanges = self.0 / LINES;
        let area_code = AREA_CODES[usize::try_from(exchanges / EXCHANGES).unwrap() % AREA_CODES.len()];
        // No exchange ends in 11: those are service numbers.
        let exchange = 201 + exchanges % EXCHANGES;
        (area_code, if exchange % 100 == 11 { exchange + 349 } else { exchange }, self.0 % LINES)
    }

    /// `+15142010123`.
    pub(crate) fn e164(self) -> String {
        let (area, exchange, line) = self.parts();
        format!("+1{area}{exchange}{line:04}")
    }

    /// `514-201-0123`.
    pub(crate) fn dashed(self) -> String {
        let (area, exchange, line) = self.parts();
        format!("{area}-{exchange}-{line:04}")
    }

    /// Its last digits.
    pub(crate) fn ending(self, digits: usize) -> String {
        let e164 = self.e164();
        e164[e164.len() - digits..].to_owned()
    }

    /// One of the ways in which people write it.
    pub(crate) fn written(self, way: usize) -> String {
        let (area, exchange, line) = self.parts();
        match way % 5 {
            0 => self.dashed(),
            1 => format!("({area}) {exchange}-{line:04}"),
            2 => format!("{area}.{exchange}.{line:04}"),
            3 => format!("+1 {area} {exchange} {line:04}"),
            _ => format!("1{area}{exchange}{line:04}"),
        }
    }
}

/// Numbers nobody has.
pub(crate) fn numbers(count: u64) -> Vec<Number> {
    let first = *RUN % (AREA_CODES.len() as u64 * EXCHANGES * LINES) + NUMBERS.fetch_add(count, Ordering::Relaxed);
    (first..first + count).map(Number).collect()
}

/// A number nobody has.
pub(crate) fn number() -> Number {
    numbers(1)[0]
}

/// Letters nobody used, always as many: a name made of them is found by no part of another.
pub(crate) fn letters() -> String {
    // An odd factor gives each count another number.
    let number = RUN.wrapping_add(NAMES.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    (0..16).map(|place| char::from(b"bcdfghjklmnpqrst"[usize::try_from((number >> (4 * place)) & 15).unwrap()])).collect()
}

/// A word nobody used, beginning with what it names; fit for files, addresses, pools and users.
pub(crate) fn word(what: &str) -> String {
    format!("{what}-{:x}-{}", *RUN, NAMES.fetch_add(1, Ordering::Relaxed))
}
