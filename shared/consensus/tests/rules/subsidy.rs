//! The subsidy's schedule.

use tally_consensus::subsidy::{issued, subsidy};
use tally_primitives::params::Params;
use tally_primitives::units::{Amount, Height};

fn at(params: &Params, height: u32) -> u64 {
    subsidy(params, Height::new(height)).to_notches()
}

#[test]
fn it_halves_at_the_interval_and_ends() {
    let mainnet = Params::mainnet();
    let first = 5_000_000_000;
    let cases = [
        (1, first),
        (209_999, first),
        (210_000, first / 2),
        (419_999, first / 2),
        (420_000, first / 4),
        (210_000 * 32, 1),
        (210_000 * 33 - 1, 1),
        (210_000 * 33, 0),
        (210_000 * 64, 0),
        (u32::MAX, 0),
    ];
    for (height, expected) in cases {
        assert_eq!(at(&mainnet, height), expected, "height {height}");
    }
    assert_eq!(at(&Params::devnet(), 149), first);
    assert_eq!(at(&Params::devnet(), 150), first / 2);
    assert_eq!(at(&Params::devnet(), 150 * 64), 0);
}

#[test]
fn genesis_has_none() {
    assert_eq!(at(&Params::mainnet(), 0), 0);
    assert_eq!(issued(&Params::mainnet(), Height::GENESIS), Amount::ZERO);
}

#[test]
fn issued_is_the_sum_of_all_subsidies() {
    let mut params = Params::devnet();
    for (interval, first) in [(150, 5_000_000_000), (1, 1 << 40), (7, 999), (0, 3)] {
        params.halving_interval = interval;
        params.subsidy = Amount::from_notches(first);
        let mut sum = 0;
        for height in 0..6_000 {
            sum += at(&params, height);
            assert_eq!(issued(&params, Height::new(height)).to_notches(), sum, "interval {interval}, height {height}");
        }
    }
}

#[test]
fn all_of_mainnets_subsidies_stay_within_the_maximum_supply() {
    let all = issued(&Params::mainnet(), Height::new(u32::MAX));
    assert!(all < Amount::MAX_SUPPLY);
    // Rounding down at each halving, and the genesis block without a subsidy, leave this much unissued.
    assert_eq!(Amount::MAX_SUPPLY.checked_sub(all), Some(Amount::from_notches(2_310_000 + 5_000_000_000)));
}

#[test]
fn an_endless_schedule_saturates() {
    let mut params = Params::devnet();
    params.halving_interval = 0;
    params.subsidy = Amount::from_notches(u64::MAX / 2);
    assert_eq!(issued(&params, Height::new(3)).to_notches(), u64::MAX);
    assert_eq!(at(&params, u32::MAX), u64::MAX / 2);
}
