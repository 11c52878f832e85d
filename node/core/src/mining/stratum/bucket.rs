//! How often something may happen: so many times at once, and once more every so often.

use tally_primitives::units::Timestamp;

/// An allowance that refills with time.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    refill_ms: u64,
    /// When the allowance will be whole again; the further ahead, the less is left.
    full_at: Timestamp,
    depth_ms: u64,
}

impl Bucket {
    /// A full allowance of `burst`, of which one comes back every `refill_ms` milliseconds.
    pub fn new(burst: u32, refill_ms: u64) -> Bucket {
        Bucket { refill_ms, full_at: Timestamp::from_millis(0), depth_ms: u64::from(burst).saturating_mul(refill_ms) }
    }

    /// Takes one; false if there is none left.
    pub fn take(&mut self, now: Timestamp) -> bool {
        // After the clock was set back nothing is left, but it refills from now on.
        let missing = self.full_at.millis_since(now).min(self.depth_ms);
        let allowed = missing + self.refill_ms <= self.depth_ms;
        self.full_at = now.saturating_add_millis(if allowed { missing + self.refill_ms } else { missing });
        allowed
    }
}

#[cfg(test)]
mod tests;
