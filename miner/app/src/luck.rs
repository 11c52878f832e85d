//! The rate, and how many blocks were to be expected for the hashes done: luck evens out, so the two must come together.

use std::collections::VecDeque;
use std::time::Duration;

/// The rate is measured over this time.
const WINDOW: Duration = Duration::from_secs(10);

/// What was hashed, when, and against which targets. Time is a duration since the start.
#[derive(Clone, Debug)]
pub struct Luck {
    /// Hashes already attributed to a target.
    attributed: u64,
    /// The chance of one hash against the present target.
    chance: f64,
    expected: f64,
    samples: VecDeque<(Duration, u64)>,
}

/// The chance that one hash meets a target (most significant byte first): (target + 1) / 2^256.
#[must_use]
pub fn chance(target: &[u8; 32]) -> f64 {
    let target = target.iter().fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte));
    (target + 1.0) / 2.0_f64.powi(256)
}

impl Default for Luck {
    /// Nothing hashed at time zero, and no target yet.
    fn default() -> Luck {
        Luck { attributed: 0, chance: 0.0, expected: 0.0, samples: VecDeque::from([(Duration::ZERO, 0)]) }
    }
}

impl Luck {
    /// From here on hashes count against another target; `hashes` is the engine's counter.
    pub fn set_target(&mut self, target: &[u8; 32], hashes: u64) {
        self.attribute(hashes);
        self.chance = chance(target);
    }

    fn attribute(&mut self, hashes: u64) {
        self.expected += hashes.saturating_sub(self.attributed) as f64 * self.chance;
        self.attributed = hashes;
    }

    /// Blocks to be expected for all hashes so far.
    pub fn expected(&mut self, hashes: u64) -> f64 {
        self.attribute(hashes);
        self.expected
    }

    /// Hashes a second over the last ten seconds (or since the start).
    pub fn rate(&mut self, hashes: u64, now: Duration) -> f64 {
        self.samples.push_back((now, hashes));
        while self.samples.len() > 2 && self.samples.get(1).is_some_and(|(when, _)| now.saturating_sub(*when) >= WINDOW)
        {
            self.samples.pop_front();
        }
        let (since, before) = *self.samples.front().unwrap_or(&(now, hashes));
        let seconds = now.saturating_sub(since).as_secs_f64();
        if seconds > 0.0 { hashes.saturating_sub(before) as f64 / seconds } else { 0.0 }
    }
}

#[cfg(test)]
mod tests;
