//! The machine's own time and randomness.

use jiff::Timestamp;
use rand::Rng;
use switchboard_domain::clock::{Clock, Entropy};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the time comes from")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Random numbers that nobody can foresee: of the generator that `rand` keeps for each thread, which the operating system seeds anew from time to time. An import asks
/// for some with every row, and each call of the operating system would cost as much as sealing what is sealed with them.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        rand::rng().fill_bytes(bytes);
    }
}
