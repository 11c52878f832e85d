//! How many hashes a thread does before it looks up.

use std::time::Duration;

/// What a batch should take. With new work due within 5 ms, this leaves room for a busy processor.
pub(super) const BATCH_TIME: Duration = Duration::from_millis(1);

const HASHES_MIN: u32 = 64;
const HASHES_MAX: u32 = 1 << 20;

/// The size of a thread's batches, adapted to its speed.
#[derive(Clone, Copy, Debug)]
pub(super) struct BatchSize {
    hashes: u32,
}

impl BatchSize {
    /// Starts small, so that the first batch is short even on a slow processor.
    pub(super) fn new() -> BatchSize {
        BatchSize { hashes: HASHES_MIN }
    }

    /// Hashes in the next batch.
    pub(super) fn hashes(self) -> u32 {
        self.hashes
    }

    /// Learns from a batch. A single measurement at most halves or doubles the size, since the thread may just have lost
    /// the processor; a batch much smaller than the size (under a low limit) teaches nothing.
    pub(super) fn learn(&mut self, hashes: u32, took: Duration) {
        if hashes < self.hashes / 2 {
            return;
        }
        let ideal = f64::from(hashes) * BATCH_TIME.as_secs_f64() / took.as_secs_f64().max(1e-9);
        #[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates, and the clamp follows")]
        #[expect(clippy::cast_sign_loss, reason = "hashes and times are positive")]
        let ideal = ideal as u32;
        self.hashes = ideal.clamp(self.hashes / 2, self.hashes.saturating_mul(2)).clamp(HASHES_MIN, HASHES_MAX);
    }
}

/// One part in `parts` of the hashes that it takes on average to meet a target, at least 1. When one result ends a job, what
/// a batch does after it is in vain: on a network with easy targets a whole millisecond of it would be most of the work.
pub(super) fn hashes_until_hit(target: &[u8; 32], parts: u32) -> u32 {
    /// 2^256, exactly: how many hashes there are.
    const HASHES: f64 = 1.157_920_892_373_162e77;
    let target = target.iter().fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte));
    let hashes = HASHES / (target + 1.0) / f64::from(parts);
    #[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates, and the minimum follows")]
    #[expect(clippy::cast_sign_loss, reason = "a quotient of positive numbers")]
    let hashes = hashes as u32;
    hashes.max(1)
}

#[cfg(test)]
mod tests;
