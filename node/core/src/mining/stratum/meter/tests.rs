use tally_primitives::units::Timestamp;

use super::Meter;
use crate::mining::stratum::difficulty::Difficulty;

/// A share of 2^22 hashes every 4 s is 2^20 hashes a second.
#[test]
fn a_steady_miner_is_measured() {
    let start = Timestamp::from_seconds(1_000);
    let mut meter = Meter::new(start);
    assert_eq!(meter.rate(start).to_bits(), 0, "zero, and not minus zero");
    for share in 1..=300 {
        let now = start.saturating_add_millis(share * 4_000);
        meter.add(now, Difficulty::power_of_two(-10));
        let ratio = meter.rate(now) / f64::from(1 << 20);
        assert!((ratio - 1.0).abs() < 0.05, "after {share} shares: {ratio}");
    }
    assert!(meter.pieces.len() <= 20);
    // It stops: within five minutes nothing is left of its rate.
    assert_eq!(meter.rate(start.saturating_add_millis(300 * 4_000 + 315_000)), 0.0);
}
