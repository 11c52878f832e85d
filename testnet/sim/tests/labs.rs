//! The labs, small: each must find its theory, whatever the seed.

use tally_sim::labs::churn::Churn;
use tally_sim::labs::eclipse::{Eclipse, all_hostile};
use tally_sim::labs::flood::flood;
use tally_sim::labs::gossip::Gossip;
use tally_sim::labs::latency::{Latency, estimate, stale_share};
use tally_sim::labs::partition::Partition;
use tally_sim::labs::statistics::{Estimate, Share, Uncertain, student};
use tally_sim::labs::{Effort, Lab, LabReport};

fn run(lab: &impl Lab) -> LabReport {
    lab.conclude((0..lab.runs()).map(|number| lab.run(number)).collect())
}

fn assert_passes(report: &LabReport) {
    assert!(report.pass(), "{report:#?}");
    for row in &report.rows {
        assert!(row.interval.0 <= row.measured && row.measured <= row.interval.1, "{row:?}");
    }
}

#[test]
fn gossip_costs_exactly_what_the_theory_says() {
    for seed in 0..3 {
        assert_passes(&run(&Gossip { effort: Effort { seed, worlds: 3 }, max_nodes: 100 }));
    }
}

#[test]
fn latency_loses_the_share_of_blocks_that_the_theory_says() {
    assert_passes(&run(&Latency { effort: Effort { seed: 1, worlds: 8 }, blocks: 60 }));
}

#[test]
fn a_partition_kills_the_smaller_number_of_blocks_and_no_payment() {
    assert_passes(&run(&Partition { effort: Effort { seed: 1, worlds: 8 } }));
}

#[test]
fn nodes_that_come_and_go_keep_up_as_the_theory_says() {
    assert_passes(&run(&Churn { effort: Effort { seed: 1, worlds: 4 }, cycles: 8 }));
}

#[test]
fn who_has_most_addresses_gets_all_peers_only_without_the_defences() {
    let report = run(&Eclipse { effort: Effort { seed: 1, worlds: 60 } });
    assert_passes(&report);
    let last = report.rows.last().expect("a row");
    assert!(last.measured > 0.4, "without defences this attacker wins often: {last:?}");
}

#[test]
fn the_chance_that_all_peers_are_hostile_is_that_of_drawing_without_putting_back() {
    assert!((all_hostile(0.5, 1_000_000, 8) - 0.5_f64.powi(8)).abs() < 1e-6);
    // Six of eight are hostile: of 28 pairs one is the two others'.
    assert!((all_hostile(0.75, 8, 2) - 15.0 / 28.0).abs() < 1e-12);
    assert_eq!((all_hostile(1.0, 20, 8), all_hostile(0.3, 20, 8)), (1.0, 0.0));
}

#[test]
fn shares_are_uncertain_at_their_ends_too() {
    let none = Share { hits: 0, trials: 100 };
    let (low, high) = none.printed();
    assert!(low.abs() < 1e-9 && (0.03..0.04).contains(&high), "{low} {high}");
    assert!(none.allows(0.01) && !none.allows(0.2));
    // Wilson 1927, as any table of the score interval has it for 20 of 100.
    let (low, high) = Share { hits: 20, trials: 100 }.printed();
    assert!((low - 0.133_4).abs() < 1e-3 && (high - 0.288_8).abs() < 1e-3, "{low} {high}");
}

#[test]
fn the_same_seed_gives_the_same_figures() {
    let lab = |seed| Partition { effort: Effort { seed, worlds: 2 } };
    assert_eq!(run(&lab(5)), run(&lab(5)));
    assert_ne!(run(&lab(5)).rows, run(&lab(6)).rows);
}

#[test]
fn the_theory_of_lost_blocks_is_the_published_one() {
    // Twenty equal miners, measured elsewhere with many more blocks than here.
    for (ratio, known) in [(0.02, 0.0188), (0.1, 0.0863), (0.5, 0.316), (1.0, 0.473)] {
        assert!((stale_share(20, ratio) - known).abs() < 0.000_4, "{ratio}: {}", stale_share(20, ratio));
        assert!(stale_share(20, ratio) <= estimate(20, ratio), "who finds two in a row loses nothing");
    }
    assert!(stale_share(1, 1.0).abs() < 1e-9, "a miner alone loses nothing");
    // Among very many miners nobody finds two in a row.
    assert!((stale_share(10_000, 0.5) - 0.5 / 1.5).abs() < 1e-3);
}

#[test]
fn students_t_is_the_one_of_the_tables() {
    let table = [
        (0.95, 1, 12.706),
        (0.95, 2, 4.303),
        (0.95, 10, 2.228),
        (0.99, 5, 4.032),
        (0.999, 29, 3.659),
        (0.95, 400, 1.966),
    ];
    for (confidence, freedom, known) in table {
        assert!((student(confidence, freedom) - known).abs() < 1e-3, "{confidence} {freedom}");
    }
    assert_eq!(student(0.95, 0), f64::INFINITY);
}

#[test]
fn a_wrong_theory_fails() {
    let estimate = Estimate::of(&[1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 1.02, 0.98]);
    assert!(estimate.allows(1.0) && estimate.allows(0.95));
    assert!(!estimate.allows(1.2) && !estimate.allows(0.8));
    let (low, high) = estimate.printed();
    assert!(0.9 < low && low < 1.0 && 1.0 < high && high < 1.1, "{low} {high}");
}

#[test]
fn a_flood_reaches_everybody_and_stops() {
    // A triangle with a tail: four links, four nodes, 2 × 4 − 4 + 1 messages.
    let found = flood(4, &[(0, 1), (1, 2), (2, 0), (3, 2)], 0, 10);
    assert_eq!(found.messages, 5);
    let times: Vec<u64> = found.reached.iter().flatten().map(|at| at.as_millis()).collect();
    assert_eq!(times, [0, 10, 10, 20]);
    assert_eq!(flood(3, &[(0, 1)], 0, 10).reached[2], None, "nobody calls the third");
}
