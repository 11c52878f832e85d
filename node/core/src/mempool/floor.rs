//! The fee rate that rises when the mempool overflows, and sinks again with time.

use tally_primitives::units::{FeeRate, Timestamp};

/// Time in which the raised minimum halves, in milliseconds; faster while the pool is rather empty.
const HALF_LIFE_MILLIS: u64 = 12 * 60 * 60 * 1000;

/// A minimum fee rate that halves over and over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FeeFloor {
    rate: FeeRate,
    since: Timestamp,
}

impl FeeFloor {
    /// The rate now, in a pool that is filled to `memory` of `max_bytes`.
    pub fn rate(&self, now: Timestamp, memory: usize, max_bytes: usize) -> FeeRate {
        let half_life = match memory {
            few if few < max_bytes / 4 => HALF_LIFE_MILLIS / 4,
            some if some < max_bytes / 2 => HALF_LIFE_MILLIS / 2,
            _ => HALF_LIFE_MILLIS,
        };
        let elapsed = now.millis_since(self.since);
        let halvings = u32::try_from(elapsed / half_life).unwrap_or(u32::MAX);
        let start = self.rate.to_notches_per_kilobyte().checked_shr(halvings).unwrap_or(0);
        // Within a half-life the rate sinks in a straight line: integers give the same on every machine.
        let within = u128::from(elapsed % half_life);
        let half_life = u128::from(half_life);
        let rate = u128::from(start) * (2 * half_life - within) / (2 * half_life);
        FeeRate::from_notches_per_kilobyte(u64::try_from(rate).unwrap_or(u64::MAX))
    }

    /// Whether it was ever raised: until then it is zero and stays so.
    pub fn moves(&self) -> bool {
        self.rate != FeeRate::ZERO
    }

    /// Raises the floor to `rate`, unless it is higher now.
    pub fn raise(&mut self, rate: FeeRate, now: Timestamp, memory: usize, max_bytes: usize) {
        let current = self.rate(now, memory, max_bytes);
        *self = Self { rate: rate.max(current), since: now };
    }
}
