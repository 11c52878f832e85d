//! The rate, and how many results (blocks, shares) were to be expected for the hashes done: luck evens out, so found and
//! expected must come together.

use std::collections::VecDeque;
use std::fmt;
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

/// Below this expectation a thermometer of luck would only show noise.
const EXPECTED_MIN: f64 = 5.0;

/// How far luck is from the average, in standard deviations: results come as a Poisson process, so the deviation of their
/// number is the square root of the expectation. Two thirds of the time it is mild; cold or hot are one time in twenty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Temperature {
    /// Two deviations below the average, or more: if it stays so, something is wrong.
    Cold,
    /// One to two below.
    Cool,
    /// Within one.
    Mild,
    /// One to two above.
    Warm,
    /// Two above, or more.
    Hot,
}

impl fmt::Display for Temperature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Temperature::Cold => "cold",
            Temperature::Cool => "cool",
            Temperature::Mild => "mild",
            Temperature::Warm => "warm",
            Temperature::Hot => "hot",
        })
    }
}

/// The temperature of the luck; `None` while it is too early to tell (fewer than five expected).
#[must_use]
pub fn temperature(found: u64, expected: f64) -> Option<Temperature> {
    if expected < EXPECTED_MIN {
        return None;
    }
    let deviations = (found as f64 - expected) / expected.sqrt();
    Some(match deviations {
        below if below <= -2.0 => Temperature::Cold,
        below if below <= -1.0 => Temperature::Cool,
        above if above >= 2.0 => Temperature::Hot,
        above if above >= 1.0 => Temperature::Warm,
        _ => Temperature::Mild,
    })
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

    /// Results to be expected for all hashes so far.
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
