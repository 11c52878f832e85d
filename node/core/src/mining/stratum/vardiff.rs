//! Variable difficulty: each miner is asked for shares that it finds so often, whatever its speed.
//!
//! The rate is measured over a window, which ends after [`WINDOW_MS`] or as soon as [`ENOUGH_SHARES`] have come, so a miner that
//! is far too fast is slowed down within moments. Difficulties are powers of two, and one is kept until the measured rate asks
//! for another that is more than 2.2 times as much or as little: with some 40 shares in a window, chance alone seldom does.

use tally_primitives::units::Timestamp;

use crate::mining::stratum::difficulty::Difficulty;
use crate::mining::stratum::limits::{MAX_DIFFICULTY, MIN_DIFFICULTY, SHARES_PER_MINUTE};

/// The longest window.
const WINDOW_MS: u64 = 120_000;

/// Shares that end a window early.
const ENOUGH_SHARES: u32 = 60;

/// The difficulty stays while the measured one is within this factor of it.
const TOLERANCE: f64 = 2.2;

/// After a window with hardly a share the difficulty falls at most to this fraction: little is known then.
const STEEPEST_FALL: f64 = 1.0 / 16.0;

/// The difficulty of one connection.
#[derive(Clone, Debug)]
pub struct Vardiff {
    difficulty: Difficulty,
    window_start: Timestamp,
    shares: u32,
    /// Sum of the difficulties of the window's shares.
    work: f64,
}

impl Vardiff {
    /// Begins with a difficulty.
    pub fn new(now: Timestamp, difficulty: Difficulty) -> Vardiff {
        Vardiff { difficulty, window_start: now, shares: 0, work: 0.0 }
    }

    /// What the miner is to be asked for.
    pub fn difficulty(&self) -> Difficulty {
        self.difficulty
    }

    /// The miner knows better what it can do. It is measured all the same.
    pub fn suggest(&mut self, now: Timestamp, difficulty: Difficulty) {
        *self = Vardiff::new(now, difficulty.clamped(MIN_DIFFICULTY, MAX_DIFFICULTY));
    }

    /// The miner begins to work now: what came before tells nothing.
    pub fn start(&mut self, now: Timestamp) {
        *self = Vardiff::new(now, self.difficulty);
    }

    /// A share of this difficulty has come. True if another difficulty is to be asked for.
    pub fn add(&mut self, now: Timestamp, difficulty: Difficulty) -> bool {
        self.shares += 1;
        self.work += difficulty.get();
        self.shares >= ENOUGH_SHARES && self.close(now)
    }

    /// When [`Vardiff::tick`] has something to do.
    pub fn due(&self) -> Timestamp {
        self.window_start.saturating_add_millis(WINDOW_MS)
    }

    /// Time has passed. True if another difficulty is to be asked for.
    pub fn tick(&mut self, now: Timestamp) -> bool {
        self.due() <= now && self.close(now)
    }

    /// Ends the window and draws the conclusion.
    fn close(&mut self, now: Timestamp) -> bool {
        let elapsed_ms = now.millis_since(self.window_start).max(1);
        let interval_ms = 60_000 / SHARES_PER_MINUTE;
        // At this difficulty one share would have come in each interval.
        let measured = self.work * interval_ms as f64 / elapsed_ms as f64;
        let ratio = (measured / self.difficulty.get()).max(STEEPEST_FALL);
        let old = self.difficulty;
        if !(TOLERANCE.recip()..=TOLERANCE).contains(&ratio) {
            self.difficulty = old.scaled(ratio).rounded().clamped(MIN_DIFFICULTY, MAX_DIFFICULTY);
        }
        self.start(now);
        self.difficulty != old
    }
}

#[cfg(test)]
mod tests;
