//! The labs about races: their formulas against published tables, and the races against the formulas.

use tally_sim::labs::double_spend::DoubleSpend;
use tally_sim::labs::race::{Race, Rule, nakamoto};
use tally_sim::labs::selfish::{Selfish, revenue, threshold};
use tally_sim::labs::withholding::best_revenue;
use tally_sim::labs::{Effort, Lab, LabReport};

fn run(lab: &impl Lab) -> LabReport {
    lab.conclude((0..lab.runs()).map(|number| lab.run(number)).collect())
}

fn assert_near(value: f64, published: f64, last_digit: f64) {
    assert!((value - published).abs() <= last_digit / 2.0 + 1e-12, "{value} is not {published}");
}

fn success(share: f64, rule: Rule, premined: u32, confirmations: u32) -> f64 {
    Race { share, rule, premined }.success(confirmations)
}

/// S. Nakamoto, "Bitcoin: a peer-to-peer electronic cash system" (2008), section 11.
#[test]
fn nakamotos_table() {
    let of_a_tenth = [
        1.0,
        0.204_587_3,
        0.050_977_9,
        0.013_172_2,
        0.003_455_2,
        0.000_913_7,
        0.000_242_8,
        0.000_064_7,
        0.000_017_3,
        0.000_004_6,
        0.000_001_2,
    ];
    for (confirmations, published) in (0..).zip(of_a_tenth) {
        assert_near(nakamoto(0.1, confirmations), published, 1e-7);
    }
    for (confirmations, published) in [(5, 0.177_352_3), (10, 0.041_660_5), (50, 0.000_000_6)] {
        assert_near(nakamoto(0.3, confirmations), published, 1e-7);
    }
}

/// M. Rosenfeld, "Analysis of hashrate-based double-spending" (2012), table 1: level is enough.
#[test]
fn rosenfelds_table() {
    for (confirmations, percent) in (1..).zip([60.0, 43.2, 32.616, 25.2072, 19.761_73, 15.644_96]) {
        assert_near(100.0 * success(0.3, Rule::Tie, 0, confirmations), percent, 1e-5);
        let premined = success(0.3, Rule::Strict, 1, confirmations);
        assert_near(premined, success(0.3, Rule::Tie, 0, confirmations), 1e-12);
    }
}

#[test]
fn a_strict_overtake_without_a_head_start() {
    for (share, percent) in [(0.1, 0.011_03), (0.2, 0.875_45), (0.3, 8.910_74), (0.4, 38.140_66)] {
        assert_near(100.0 * success(share, Rule::Strict, 0, 6), percent, 1e-5);
    }
}

#[test]
fn who_does_not_wait_meets_the_gamblers_ruin() {
    assert_near(success(0.25, Rule::Strict, 0, 0), 1.0 / 3.0, 1e-12);
    assert_near(success(0.25, Rule::Tie, 0, 0), 1.0, 1e-12);
    assert_near(success(0.25, Rule::Strict, 3, 1), 1.0, 1e-12);
}

#[test]
fn the_confirmations_needed_are_the_first_that_are_enough() {
    for share in [0.1, 0.3, 0.45] {
        let race = Race { share, rule: Rule::Tie, premined: 0 };
        let needed = race.confirmations_needed(0.001);
        assert!(race.success(needed) < 0.001 && race.success(needed - 1) >= 0.001, "{share}: {needed}");
    }
}

#[test]
fn races_are_won_as_often_as_the_theory_says() {
    for (seed, rule, premined) in [(1, Rule::Strict, 0), (2, Rule::Tie, 0), (3, Rule::Strict, 2)] {
        let race = Race { share: 0.3, rule, premined };
        let effort = Effort { seed, worlds: 7 };
        let report = run(&DoubleSpend { effort, race, confirmations: vec![0, 1, 3, 6], trials: 20_000 });
        assert!(report.pass(), "{report:#?}");
    }
}

/// The lab can fail: were the rule another than the theory's, the difference would show.
#[test]
fn another_rule_is_told_apart() {
    let trials = |rule| {
        let race = Race { share: 0.3, rule, premined: 0 };
        let lab = DoubleSpend { effort: Effort { seed: 5, worlds: 4 }, race, confirmations: vec![3], trials: 20_000 };
        run(&lab).rows[0].clone()
    };
    let (strict, tie) = (trials(Rule::Strict), trials(Rule::Tie));
    assert!(strict.interval.1 < tie.theory && tie.interval.0 > strict.theory);
}

/// I. Eyal and E. G. Sirer, "Majority is not enough" (2014), equation 8, at γ = 0.
#[test]
fn selfish_mining_earns_what_the_paper_says() {
    for (share, published) in [(0.3, 0.273_13), (0.35, 0.366_51), (0.4, 0.483_72), (0.45, 0.651_77)] {
        assert_near(revenue(share, 0.0), published, 1e-5);
    }
    assert_near(threshold(0.0), 1.0 / 3.0, 1e-12);
    assert_near(threshold(0.5), 0.25, 1e-12);
    assert_near(revenue(threshold(0.5), 0.5), 0.25, 1e-12);
    for (seed, gamma) in [(1, 0.0), (2, 0.5), (3, 1.0)] {
        let lab = Selfish { effort: Effort { seed, worlds: 20 }, shares: vec![0.2, 0.4], gamma, blocks: 20_000 };
        let report = run(&lab);
        assert!(report.pass(), "{report:#?}");
    }
}

/// A. Sapirshtein, Y. Sompolinsky and A. Zohar, "Optimal selfish mining strategies in Bitcoin" (2016), table 1, at γ = 0.
#[test]
fn the_best_withholding_earns_what_the_paper_says() {
    for (share, published) in [(0.35, 0.370_77), (0.4, 0.488_66)] {
        assert_near(best_revenue(share, 0.0), published, 2e-5);
    }
    // Theirs is a lower bound with chains of at most 75 blocks, ours one with at most 100.
    let best = best_revenue(0.45, 0.0);
    assert!((0.668_94..0.669_2).contains(&best), "{best}");
    // Below the threshold nothing beats honesty.
    assert_near(best_revenue(0.3, 0.0), 0.3, 1e-6);
}
