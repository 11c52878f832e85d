//! The rate limit: a schedule of hashes on a line of time, without a clock of its own.
//!
//! A thread reserves the next piece of the schedule and sleeps until that piece begins, so each thread wakes only for
//! work that is its own. What counts is the schedule, not how well the threads slept: a thread that wakes late finds its
//! piece overdue and hashes at once, and so the total is exact over seconds as long as the processor can keep up.
//! What could not be made up within [`CREDIT_MAX`] is forgiven: a limit is never a debt.

use std::time::Duration;

/// How far the schedule may lie behind before the rest is forgotten.
pub const CREDIT_MAX: Duration = Duration::from_secs(1);

/// How much too early a piece may begin. Below this, sleeping costs more than it is good for.
pub const SLACK: Duration = Duration::from_millis(2);

/// The time that one reservation covers: as long as the threads may sleep without being woken in between.
const PIECE: Duration = Duration::from_millis(10);

/// A reserved piece of the schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// How many hashes it is good for, at least 1.
    pub hashes: u32,
    /// Seconds on the caller's line of time at which it begins.
    begins: f64,
    /// The setting of the limit that it belongs to.
    setting: u64,
}

/// The schedule. Time is what the caller says: a duration since any moment of its choice, never going back.
#[derive(Clone, Debug)]
pub struct Limiter {
    /// Hashes a second; `None`: no limit.
    rate: Option<f64>,
    /// When the next piece begins, in seconds.
    next: f64,
    /// Counts changes of the rate, which make all slots worthless.
    setting: u64,
}

impl Limiter {
    /// A schedule that begins now.
    #[must_use]
    pub fn new(rate: Option<f64>, now: Duration) -> Limiter {
        Limiter { rate, next: now.as_secs_f64(), setting: 0 }
    }

    /// Changes the rate from now on; slots reserved before are no longer valid.
    pub fn set_rate(&mut self, rate: Option<f64>, now: Duration) {
        *self = Limiter { rate, next: now.as_secs_f64(), setting: self.setting + 1 };
    }

    /// Reserves the next piece, of at most `hashes_max` (and at least 1) hashes.
    pub fn reserve(&mut self, hashes_max: u32, now: Duration) -> Slot {
        let now = now.as_secs_f64();
        let hashes_max = hashes_max.max(1);
        let Some(rate) = self.rate else {
            return Slot { hashes: hashes_max, begins: now, setting: self.setting };
        };
        #[expect(clippy::cast_possible_truncation, reason = "a cast from f64 saturates, and the minimum follows")]
        #[expect(clippy::cast_sign_loss, reason = "a rate is positive")]
        let hashes = ((rate * PIECE.as_secs_f64()) as u32).clamp(1, hashes_max);
        let begins = self.next.max(now - CREDIT_MAX.as_secs_f64());
        self.next = begins + f64::from(hashes) / rate;
        Slot { hashes, begins, setting: self.setting }
    }

    /// How long to sleep before this slot may be used: zero when it may be used now, `None` when it is worthless.
    #[must_use]
    pub fn wait(&self, slot: &Slot, now: Duration) -> Option<Duration> {
        if slot.setting != self.setting {
            return None;
        }
        let seconds = slot.begins - now.as_secs_f64();
        if seconds <= SLACK.as_secs_f64() {
            return Some(Duration::ZERO);
        }
        // A very low rate gives a very long wait; the caller asks again after an hour.
        Some(Duration::from_secs_f64(seconds.min(3600.0)))
    }

    /// Takes back a slot that was not used, in whole or in part: `unused` of its hashes go back into the schedule.
    pub fn give_back(&mut self, slot: &Slot, unused: u32) {
        if let Some(rate) = self.rate
            && slot.setting == self.setting
        {
            self.next -= f64::from(unused.min(slot.hashes)) / rate;
        }
    }

    /// Hashing begins again after a rest: the rest gives no credit.
    pub fn begin(&mut self, now: Duration) {
        self.next = self.next.max(now.as_secs_f64());
    }
}

#[cfg(test)]
mod tests;
