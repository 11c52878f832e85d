//! Hundreds of random worlds: topologies, delays, partitions, crashes, miners and payments. Each must end in agreement.
//!
//! A failure prints its seed; `TALLY_SIM_SEED=<seed> cargo test -p tally-sim --test worlds` repeats that world alone and prints what
//! happened in it. `TALLY_SIM_WORLDS=<number>` runs more of them, or fewer.

use tally_sim::scenario::{Report, Scenario};

/// Worlds in a run of the tests.
const WORLDS: u64 = 300;

fn describe(report: &Report) -> String {
    format!(
        "world {seed} failed: {violations:#?}\nrepeat it with: TALLY_SIM_SEED={seed} cargo test -p tally-sim --test worlds",
        seed = report.seed,
        violations = report.violations,
    )
}

#[test]
fn worlds_converge() {
    if let Ok(seed) = std::env::var("TALLY_SIM_SEED") {
        return one_world(seed.parse().expect("TALLY_SIM_SEED is a number"));
    }
    let worlds = std::env::var("TALLY_SIM_WORLDS").map_or(WORLDS, |worlds| worlds.parse().expect("a number of worlds"));
    let mut failures = Vec::new();
    let (mut blocks, mut stale, mut payments) = (0, 0, 0);
    for seed in 0..worlds {
        let report = Scenario::random(seed).run();
        blocks += report.blocks;
        stale += report.blocks - u64::from(report.height);
        payments += report.payments as u64;
        if !report.violations.is_empty() {
            failures.push(describe(&report));
        }
    }
    assert!(failures.is_empty(), "{} of {worlds} worlds failed\n{}", failures.len(), failures.join("\n"));
    // Worlds in which nothing happens prove nothing.
    assert!(blocks > 10 * worlds, "{blocks} blocks in {worlds} worlds");
    assert!(stale > worlds, "{stale} blocks lost to forks in {worlds} worlds");
    assert!(payments > 5 * worlds, "{payments} payments in {worlds} worlds");
}

fn one_world(seed: u64) {
    let mut scenario = Scenario::random(seed);
    scenario.world.traced = true;
    let report = scenario.run();
    for line in &report.trace {
        println!("{line}");
    }
    println!(
        "world {seed}: {} events, {} blocks, height {}, {} payments, log {}",
        report.events, report.blocks, report.height, report.payments, report.log_hash
    );
    assert!(report.violations.is_empty(), "{}", describe(&report));
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
