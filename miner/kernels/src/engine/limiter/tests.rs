use super::{CREDIT_MAX, Limiter, SLACK};
use std::time::Duration;

/// Threads on a virtual clock: each reserves, sleeps, hashes at `speed`, and counts. Returns the hashes done by `end`.
struct Threads {
    count: usize,
    /// Hashes a second of one thread.
    speed: f64,
    /// How much too late each sleep ends.
    oversleep: Duration,
    batch: u32,
}

impl Threads {
    fn run(&self, limiter: &mut Limiter, from: Duration, end: Duration) -> u64 {
        let mut free = vec![from; self.count];
        let mut hashes = 0;
        loop {
            // The thread that is free first goes next.
            let (index, now) = free.iter().copied().enumerate().min_by_key(|(_, time)| *time).unwrap();
            let slot = limiter.reserve(self.batch, now);
            let wait = limiter.wait(&slot, now).unwrap();
            let begins = if wait.is_zero() { now } else { now + wait + self.oversleep };
            let done = begins + Duration::from_secs_f64(f64::from(slot.hashes) / self.speed);
            if done > end {
                limiter.give_back(&slot, slot.hashes);
                return hashes;
            }
            hashes += u64::from(slot.hashes);
            free[index] = done;
        }
    }
}

fn assert_within(hashes: u64, expected: f64, share: f64, what: &str) {
    let error = hashes as f64 / expected - 1.0;
    assert!(error.abs() <= share, "{what}: {hashes} hashes, expected {expected}, off by {error}");
}

#[test]
fn the_total_is_exact_at_low_and_high_rates_with_any_number_of_threads() {
    for rate in [1e3, 2.5e4, 1e6, 5e6] {
        for count in [1, 2, 3, 16] {
            let threads = Threads { count, speed: 6e6, oversleep: Duration::from_micros(300), batch: 6000 };
            let mut limiter = Limiter::new(Some(rate), Duration::ZERO);
            let end = Duration::from_secs(3);
            let hashes = threads.run(&mut limiter, Duration::ZERO, end);
            assert_within(hashes, rate * 3.0, 0.01, &format!("{rate} H/s, {count} threads"));
        }
    }
}

#[test]
fn a_rate_below_one_hash_a_piece_is_exact_too() {
    let threads = Threads { count: 2, speed: 1e6, oversleep: Duration::from_millis(1), batch: 1000 };
    let mut limiter = Limiter::new(Some(7.0), Duration::ZERO);
    assert_within(threads.run(&mut limiter, Duration::ZERO, Duration::from_secs(100)), 700.0, 0.01, "7 H/s");
}

#[test]
fn every_second_is_exact_not_only_the_sum() {
    let threads = Threads { count: 2, speed: 6e6, oversleep: Duration::from_micros(500), batch: 6000 };
    let mut limiter = Limiter::new(Some(1e3), Duration::ZERO);
    for second in 0..20_u64 {
        let (from, end) = (Duration::from_secs(second), Duration::from_secs(second + 1));
        assert_within(threads.run(&mut limiter, from, end), 1e3, 0.02, &format!("second {second}"));
    }
}

#[test]
fn sleeping_badly_is_made_up_for() {
    let threads = Threads { count: 2, speed: 6e6, oversleep: Duration::from_millis(30), batch: 6000 };
    let mut limiter = Limiter::new(Some(1e5), Duration::ZERO);
    assert_within(
        threads.run(&mut limiter, Duration::ZERO, Duration::from_secs(5)),
        5e5,
        0.02,
        "oversleeping by 30 ms",
    );
}

#[test]
fn a_limit_beyond_the_processor_does_not_hold_it_back_or_build_a_debt() {
    let threads = Threads { count: 1, speed: 1e6, oversleep: Duration::ZERO, batch: 1000 };
    let mut limiter = Limiter::new(Some(2e6), Duration::ZERO);
    let hashes = threads.run(&mut limiter, Duration::ZERO, Duration::from_secs(10));
    assert_within(hashes, 1e7, 0.01, "at full speed");
    // A processor that becomes fast enough makes up for one second (and no more), then keeps the limit.
    let fast = Threads { count: 1, speed: 2e7, oversleep: Duration::ZERO, batch: 1000 };
    let hashes = fast.run(&mut limiter, Duration::from_secs(10), Duration::from_secs(20));
    assert_within(hashes, 2e6 * (10.0 + CREDIT_MAX.as_secs_f64()), 0.01, "after the debt");
}

#[test]
fn a_rest_gives_no_credit() {
    let threads = Threads { count: 2, speed: 6e6, oversleep: Duration::ZERO, batch: 6000 };
    let mut limiter = Limiter::new(Some(1e4), Duration::ZERO);
    let resumed = Duration::from_millis(700);
    limiter.begin(resumed);
    let hashes = threads.run(&mut limiter, resumed, resumed + Duration::from_secs(2));
    assert_within(hashes, 2e4, 0.01, "after a rest");
}

#[test]
fn beginning_again_at_once_gives_nothing_away() {
    // As when a block is found ten times a second: the schedule goes on where it was.
    let threads = Threads { count: 2, speed: 6e6, oversleep: Duration::ZERO, batch: 6000 };
    let mut limiter = Limiter::new(Some(1e4), Duration::ZERO);
    let mut hashes = 0;
    for tenth in 0..100_u32 {
        let from = Duration::from_millis(100) * tenth;
        limiter.begin(from);
        hashes += threads.run(&mut limiter, from, from + Duration::from_millis(100));
    }
    assert_within(hashes, 1e5, 0.02, "a hundred beginnings");
}

#[test]
fn an_unused_slot_goes_back_into_the_schedule() {
    let mut limiter = Limiter::new(Some(1e3), Duration::ZERO);
    let first = limiter.reserve(10, Duration::ZERO);
    let second = limiter.reserve(10, Duration::ZERO);
    assert_eq!(limiter.wait(&second, Duration::ZERO), Some(Duration::from_millis(10)));
    limiter.give_back(&first, first.hashes);
    let third = limiter.reserve(10, Duration::ZERO);
    assert_eq!(limiter.wait(&third, Duration::ZERO), Some(Duration::from_millis(10)));
}

#[test]
fn a_new_rate_counts_at_once_and_makes_old_slots_worthless() {
    let mut limiter = Limiter::new(Some(0.001), Duration::ZERO);
    limiter.reserve(1, Duration::ZERO);
    let far = limiter.reserve(1, Duration::ZERO);
    assert_eq!(limiter.wait(&far, Duration::ZERO), Some(Duration::from_secs(1000)));
    let now = Duration::from_secs(1);
    limiter.set_rate(Some(1e3), now);
    assert_eq!(limiter.wait(&far, now), None);
    limiter.give_back(&far, 1);
    let near = limiter.reserve(100, now);
    assert_eq!((near.hashes, limiter.wait(&near, now)), (10, Some(Duration::ZERO)));
}

#[test]
fn without_a_limit_nobody_waits() {
    let mut limiter = Limiter::new(None, Duration::ZERO);
    for _ in 0..1000 {
        let slot = limiter.reserve(500, Duration::ZERO);
        assert_eq!((slot.hashes, limiter.wait(&slot, Duration::ZERO)), (500, Some(Duration::ZERO)));
    }
}

#[test]
fn a_piece_may_begin_too_early_only_by_the_slack() {
    let mut limiter = Limiter::new(Some(1e6), Duration::ZERO);
    let mut ahead = 0;
    loop {
        let slot = limiter.reserve(100, Duration::ZERO);
        if limiter.wait(&slot, Duration::ZERO) != Some(Duration::ZERO) {
            break;
        }
        ahead += slot.hashes;
    }
    assert_within(u64::from(ahead), 1e6 * SLACK.as_secs_f64(), 0.06, "hashes ahead of the schedule");
}
