use tally_primitives::hash::Txid;
use tally_primitives::units::{FeeRate, Height, Timestamp};

use super::estimate::{Estimator, MAX_TARGET_BLOCKS};
use super::floor::FeeFloor;

fn txid(number: u32) -> Txid {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    Txid::from_bytes(bytes)
}

fn per_byte(notches: u64) -> FeeRate {
    FeeRate::from_notches_per_byte(notches)
}

/// A market: transactions of these rates, in notches a byte, come with every block and are confirmed after a number of
/// blocks (never, if 0).
fn market(blocks: u32, rates: &[(u64, u32)]) -> Estimator {
    let mut estimator = Estimator::default();
    let id = |height: u32, at: usize| txid(height * 100 + u32::try_from(at).unwrap());
    for height in 1..=blocks {
        let due = rates.iter().enumerate().filter(|(_, (_, wait))| *wait > 0 && *wait < height);
        let confirmed: Vec<Txid> = due.map(|(at, (_, wait))| id(height - wait, at)).collect();
        estimator.block(Height::new(height), &confirmed);
        for (at, (rate, _)) in rates.iter().enumerate() {
            estimator.entered(id(height, at), per_byte(*rate), Height::new(height));
        }
    }
    estimator
}

/// A bucket is a fifth wide.
fn is_about(found: Option<FeeRate>, notches: u64) -> bool {
    let rate = per_byte(notches).to_notches_per_kilobyte();
    found.is_some_and(|found| (rate * 4 / 5..=rate).contains(&found.to_notches_per_kilobyte()))
}

#[test]
fn without_a_record_there_is_no_estimate() {
    assert_eq!(Estimator::default().estimate(6), None);
    assert_eq!(market(3, &[(10, 1)]).estimate(1), None, "two confirmations are not enough");
}

#[test]
fn who_waits_longer_pays_less() {
    let estimator = market(60, &[(50, 1), (10, 4), (2, 12)]);
    for (target, rate) in [(1, 50), (3, 50), (4, 10), (11, 10), (12, 2), (MAX_TARGET_BLOCKS, 2)] {
        let found = estimator.estimate(target);
        assert!(is_about(found, rate), "{target} blocks: {found:?} is not about {rate}");
    }
    assert_eq!(estimator.estimate(0), estimator.estimate(1));
    assert_eq!(estimator.estimate(10_000), estimator.estimate(MAX_TARGET_BLOCKS));
}

#[test]
fn what_is_never_confirmed_counts_against_its_rate() {
    let estimator = market(60, &[(50, 1), (5, 0)]);
    assert!(is_about(estimator.estimate(10), 50), "{:?}", estimator.estimate(10));
    // The same when they give up waiting.
    let mut gone = market(60, &[(50, 1), (5, 0)]);
    let waiting: Vec<Txid> = (1..=60).map(|height| txid(height * 100 + 1)).collect();
    gone.left(&waiting);
    assert!(is_about(gone.estimate(10), 50), "{:?}", gone.estimate(10));
}

#[test]
fn when_nothing_is_confirmed_in_time_there_is_no_estimate() {
    assert_eq!(market(60, &[(50, 8)]).estimate(2), None);
}

#[test]
fn the_past_fades() {
    let mut estimator = market(300, &[(50, 1)]);
    // Fees have fallen: for a long time even 2 notches a byte have been enough.
    for height in 301..900u32 {
        estimator.block(Height::new(height), &[txid(1_000_000 + height - 1)]);
        estimator.entered(txid(1_000_000 + height), per_byte(2), Height::new(height));
    }
    assert!(is_about(estimator.estimate(1), 2), "{:?}", estimator.estimate(1));
}

#[test]
fn floor_halves_in_twelve_hours_and_faster_when_there_is_room() {
    let hours = |count: u64| Timestamp::from_millis(1_000 + count * 3_600_000);
    let mut floor = FeeFloor::default();
    floor.raise(per_byte(80), hours(0), 100, 100);
    assert_eq!(floor.rate(hours(0), 100, 100), per_byte(80));
    assert_eq!(floor.rate(hours(6), 100, 100), per_byte(60));
    assert_eq!(floor.rate(hours(12), 100, 100), per_byte(40));
    assert_eq!(floor.rate(hours(24), 100, 100), per_byte(20));
    assert_eq!(floor.rate(hours(6), 49, 100), per_byte(40));
    assert_eq!(floor.rate(hours(3), 24, 100), per_byte(40));
    assert_eq!(floor.rate(hours(100_000), 100, 100), FeeRate::ZERO);
    floor.raise(per_byte(10), hours(12), 100, 100);
    assert_eq!(floor.rate(hours(12), 100, 100), per_byte(40), "raising never lowers");
}
