use super::{is_urgent, is_worth_telling, rounded};
use tally_primitives::units::FeeRate;

fn rate(notches: u64) -> FeeRate {
    FeeRate::from_notches_per_kilobyte(notches)
}

#[test]
fn rates_are_rounded_down_by_a_fifth_at_most() {
    for (exact, told) in [(0, 0), (1, 1), (7, 7), (8, 8), (9, 8), (1_000, 896), (1_024, 1_024), (1_279, 1_024)] {
        assert_eq!(rounded(rate(exact)), rate(told), "{exact}");
    }
    assert_eq!(rounded(rate(u64::MAX)), rate(7 << 61));
    for exact in 1..10_000 {
        let told = rounded(rate(exact)).to_notches_per_kilobyte();
        assert!(told <= exact && told * 5 >= exact * 4, "{exact} → {told}");
    }
}

#[test]
fn a_rate_that_wavers_is_not_told_over_and_over() {
    let mut told = rounded(rate(1_000));
    let mut times = 0;
    for step in 0..100 {
        let now = rate(if step % 2 == 0 { 1_000 } else { 1_100 });
        if is_worth_telling(told, now) {
            told = rounded(now);
            times += 1;
        }
    }
    assert_eq!(times, 0);
    assert!(is_worth_telling(told, rate(1_280)) && is_worth_telling(told, rate(800)));
    assert!(!is_worth_telling(rate(0), rate(0)) && is_worth_telling(rate(0), rate(1)));
}

#[test]
fn a_third_down_or_up_is_urgent() {
    assert!(!is_urgent(rate(900), rate(675)) && is_urgent(rate(900), rate(674)));
    assert!(!is_urgent(rate(900), rate(1_200)) && is_urgent(rate(900), rate(1_201)));
    assert!(is_urgent(rate(u64::MAX), rate(0)) && !is_urgent(rate(0), rate(0)));
}
