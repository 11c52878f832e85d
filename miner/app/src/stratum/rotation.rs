//! Which server next, and when: the first that works is used until it fails, then the next one. When all have failed there is
//! a pause, longer each time, and different for each miner: after an outage thousands of them must not come back in step.

use std::time::Duration;

/// The longest pause after the first round of failures.
const PAUSE_FIRST: Duration = Duration::from_millis(500);

/// The longest pause at all.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// A server that has given work for so long has not failed: what comes now is a new outage.
const GOOD_SERVICE: Duration = Duration::from_secs(10);

/// The servers in turn.
#[derive(Clone, Debug)]
pub struct Rotation {
    servers: usize,
    current: usize,
    pause: Duration,
    random: u64,
}

impl Rotation {
    /// So many servers (at least 1), the first preferred. The seed decides the pauses.
    #[must_use]
    pub fn new(servers: usize, seed: u64) -> Rotation {
        Rotation { servers: servers.max(1), current: 0, pause: PAUSE_FIRST, random: seed }
    }

    /// The server to use.
    #[must_use]
    pub fn current(&self) -> usize {
        self.current
    }

    /// The server has failed after giving work for so long. Moves on to the next and says how long to pause before it.
    pub fn failed(&mut self, served: Duration) -> Duration {
        if served >= GOOD_SERVICE {
            self.pause = PAUSE_FIRST;
        }
        self.current = (self.current + 1) % self.servers;
        if self.current != 0 {
            return Duration::ZERO;
        }
        let longest = self.pause;
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        // Between half of it and all of it.
        longest.mul_f64(0.5 + 0.5 * self.fraction())
    }

    /// Moves on to the next server as if this one did not exist.
    pub fn skip(&mut self) {
        self.current = (self.current + 1) % self.servers;
    }

    /// A number from 0 to 1 (exclusive): SplitMix64 (Steele, Lea, Flood 2014), which needs no more than one word of state.
    fn fraction(&mut self) -> f64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        // The highest 53 bits are a float exactly.
        (mixed >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests;
