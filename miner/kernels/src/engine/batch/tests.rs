use super::{BATCH_TIME, BatchSize, HASHES_MAX, HASHES_MIN, hashes_until_hit};
use std::time::Duration;

/// Batches of a processor of so many hashes a second until the size settles.
fn settled(hashes_per_second: f64) -> BatchSize {
    let mut size = BatchSize::new();
    for _ in 0..40 {
        size.learn(size.hashes(), Duration::from_secs_f64(f64::from(size.hashes()) / hashes_per_second));
    }
    size
}

#[test]
fn a_batch_settles_at_one_millisecond_on_any_processor() {
    for rate in [1e5, 1e6, 7e6, 22e6, 5e8] {
        let seconds = f64::from(settled(rate).hashes()) / rate;
        assert!((seconds / BATCH_TIME.as_secs_f64() - 1.0).abs() < 0.02, "{rate} H/s: {seconds} s");
    }
}

#[test]
fn the_size_stays_within_its_bounds() {
    assert_eq!(settled(1.0).hashes(), HASHES_MIN);
    assert_eq!(settled(1e15).hashes(), HASHES_MAX);
    let mut size = settled(1e6);
    size.learn(size.hashes(), Duration::ZERO);
    assert!(size.hashes() <= 2002, "a clock that stood still at most doubles the size");
}

#[test]
fn losing_the_processor_once_at_most_halves_the_size() {
    let mut size = settled(1e6);
    let before = size.hashes();
    size.learn(before, Duration::from_secs(1));
    assert_eq!(size.hashes(), before / 2);
}

#[test]
fn a_small_batch_teaches_nothing() {
    let mut size = settled(1e6);
    let before = size.hashes();
    size.learn(10, Duration::from_secs(1));
    assert_eq!(size.hashes(), before);
}

#[test]
fn an_easy_target_is_met_after_few_hashes_and_a_hard_one_after_many() {
    let mut target = [0xff; 32];
    assert_eq!((hashes_until_hit(&target, 8), hashes_until_hit(&target, 1)), (1, 1));
    (target[0], target[1]) = (0, 0);
    assert_eq!(hashes_until_hit(&target, 8), 8192);
    assert_eq!(hashes_until_hit(&[0; 32], 8), u32::MAX);
}
