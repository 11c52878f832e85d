//! Hundreds of random worlds: topologies, delays, partitions, crashes, miners and payments. Each must end in agreement.
//!
//! A failure prints its seed, and the command that repeats that world alone and prints what happened in it. For longer runs:
//! `testnet lab worlds`.

use tally_sim::scenario::{Report, Scenario};
use tally_sim::worlds::{self, Outcome, Summary};

/// Worlds in a run of the tests.
const WORLDS: u64 = 300;

fn describe(report: &Report) -> String {
    format!(
        "world {seed} failed: {violations:#?}\nrepeat it with: {command}",
        seed = report.seed,
        violations = report.violations,
        command = worlds::repeat_command(report.seed),
    )
}

#[test]
fn worlds_converge() {
    let mut failures = Vec::new();
    let (mut blocks, mut stale, mut payments, mut forged) = (0, 0, 0, 0);
    for seed in 0..WORLDS {
        let report = Scenario::random(seed).run();
        blocks += report.blocks;
        stale += report.blocks - u64::from(report.height);
        payments += report.payments as u64;
        forged += report.forged;
        if !report.violations.is_empty() {
            failures.push(describe(&report));
        }
    }
    assert!(failures.is_empty(), "{} of {WORLDS} worlds failed\n{}", failures.len(), failures.join("\n"));
    // Worlds in which nothing happens prove nothing.
    assert!(blocks > 10 * WORLDS, "{blocks} blocks in {WORLDS} worlds");
    assert!(stale > WORLDS, "{stale} blocks lost to forks in {WORLDS} worlds");
    assert!(forged > WORLDS, "{forged} forged blocks in {WORLDS} worlds");
    assert!(payments > 5 * WORLDS, "{payments} payments in {WORLDS} worlds");
}

#[test]
fn the_same_seed_gives_the_same_world() {
    for seed in [1, 2, 3, 4, 5, 6, 7, 8] {
        let (first, second) = (Scenario::random(seed).run(), Scenario::random(seed).run());
        assert_eq!(first, second);
        let mut traced = Scenario::random(seed);
        traced.world.traced = true;
        assert_eq!(traced.run().log_hash, first.log_hash, "looking on changes nothing");
    }
    assert_ne!(Scenario::random(1).run().log_hash, Scenario::random(2).run().log_hash);
}

#[test]
fn a_summary_counts_failures_and_depends_on_every_world() {
    let outcomes: Vec<Outcome> = (20..24).map(worlds::run).collect();
    let good = Summary::of(outcomes.clone());
    assert_eq!((good.worlds, good.failures.len()), (4, 0));
    assert_eq!(good.events, outcomes.iter().map(|outcome| outcome.events).sum::<u64>());
    let mut reversed = outcomes.clone();
    reversed.reverse();
    assert_ne!(Summary::of(reversed).hash, good.hash);
    let mut bad = outcomes;
    bad[2].violations.push("the sky fell".to_owned());
    let bad = Summary::of(bad);
    assert_eq!(bad.failures.iter().map(|failure| failure.seed).collect::<Vec<_>>(), [22]);
    assert_eq!(bad.hash, good.hash, "what the checkers say is no event");
}
