//! Miners of known speed on virtual time.

use tally_primitives::units::Timestamp;

use super::Vardiff;
use crate::mining::stratum::difficulty::Difficulty;
use crate::mining::stratum::limits::{MAX_DIFFICULTY, MIN_DIFFICULTY, START_DIFFICULTY};
use crate::random::Random;

/// A miner, its connection's difficulty, and a clock.
struct Miner {
    hashes_per_second: f64,
    vardiff: Vardiff,
    now: Timestamp,
    /// Part of a millisecond that the clock cannot show.
    rest_ms: f64,
    changes: u32,
    random: Random,
}

#[expect(clippy::cast_possible_truncation, reason = "times of a test are small")]
impl Miner {
    fn new(hashes_per_second: f64) -> Miner {
        let now = Timestamp::from_seconds(1_000_000);
        let vardiff = Vardiff::new(now, START_DIFFICULTY);
        Miner { hashes_per_second, vardiff, now, rest_ms: 0.0, changes: 0, random: Random::new(7) }
    }

    /// Mines for so many seconds; the number of shares.
    fn mine(&mut self, seconds: u64) -> u32 {
        let end = self.now.saturating_add_millis(seconds * 1_000);
        let mut shares = 0;
        loop {
            let difficulty = self.vardiff.difficulty();
            let mean_ms = difficulty.hashes() / self.hashes_per_second * 1_000.0;
            let micros = self.random.exponential((mean_ms * 1_000.0) as u64);
            self.rest_ms += micros as f64 / 1_000.0;
            let share_at = self.now.saturating_add_millis(self.rest_ms as u64);
            while self.vardiff.due() <= share_at.min(end) {
                let due = self.vardiff.due();
                self.rest_ms -= due.millis_since(self.now) as f64;
                self.now = due;
                self.changes += u32::from(self.vardiff.tick(due));
            }
            if share_at >= end {
                self.now = end;
                self.rest_ms = 0.0;
                return shares;
            }
            self.now = share_at;
            self.rest_ms = self.rest_ms.fract();
            shares += 1;
            self.changes += u32::from(self.vardiff.add(self.now, difficulty));
        }
    }
}

#[test]
fn every_speed_comes_to_some_twenty_shares_a_minute() {
    for speed in [20e3, 400e3, 8e6, 22e6, 1e9, 100e12] {
        let mut miner = Miner::new(speed);
        miner.mine(600);
        let shares = miner.mine(3_600);
        assert!((600..2_400).contains(&shares), "{speed}: {shares} shares in an hour");
    }
}

#[test]
fn a_flood_is_over_within_moments() {
    // An ASIC at the first difficulty finds 24,000 shares a millisecond.
    let mut miner = Miner::new(100e12);
    let shares = miner.mine(10);
    assert!(shares < 300, "{shares} shares before it was slowed down");
}

#[test]
fn a_steady_miner_is_left_in_peace() {
    let mut miner = Miner::new(22e6);
    miner.mine(600);
    let before = miner.changes;
    miner.mine(24 * 3_600);
    assert!(miner.changes - before < 30, "{} changes in a day", miner.changes - before);
}

#[test]
fn one_that_becomes_slower_is_followed() {
    let mut miner = Miner::new(1e9);
    miner.mine(600);
    miner.hashes_per_second = 1e6;
    miner.mine(900);
    let shares = miner.mine(600);
    assert!((80..500).contains(&shares), "{shares} shares in ten minutes");
}

#[test]
fn bounds_hold() {
    let now = Timestamp::from_seconds(5);
    let mut vardiff = Vardiff::new(now, START_DIFFICULTY);
    let mut later = now;
    for _ in 0..40 {
        later = vardiff.due();
        vardiff.tick(later);
    }
    assert_eq!(vardiff.difficulty(), MIN_DIFFICULTY);
    vardiff.suggest(later, Difficulty::new(1e200).unwrap());
    assert_eq!(vardiff.difficulty(), MAX_DIFFICULTY);
    for _ in 0..1_000 {
        vardiff.add(later, MAX_DIFFICULTY);
    }
    assert_eq!(vardiff.difficulty(), MAX_DIFFICULTY);
    vardiff.suggest(later, Difficulty::power_of_two(-60));
    assert_eq!(vardiff.difficulty(), MIN_DIFFICULTY);
}
