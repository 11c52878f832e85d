//! `testnet lab worlds`: random worlds, on all cores. Each is a function of its seed, so it does not matter which core runs it.

use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::Serialize;
use tally_sim::scenario::Scenario;
use tally_sim::worlds::{self, Outcome, Summary};

use crate::args::lab::WorldsArgs;
use crate::commands::{print_json, print_line};
use crate::error::Error;
use crate::progress;

/// The shape of `--json`.
#[derive(Serialize)]
struct Answer {
    worlds: u64,
    failed: usize,
    failures: Vec<Failure>,
    events: u64,
    hash: String,
}

#[derive(Serialize)]
struct Failure {
    seed: u64,
    violations: Vec<String>,
    repeat: String,
}

impl Failure {
    fn new(outcome: &Outcome) -> Failure {
        let Outcome { seed, violations, .. } = outcome;
        Failure { seed: *seed, violations: violations.clone(), repeat: worlds::repeat_command(*seed) }
    }
}

pub(super) fn run(args: &WorldsArgs) -> Result<(), Error> {
    let seeds = args.first_seed..args.first_seed + u64::from(args.seeds.get());
    let outcomes: Vec<Outcome> = if args.trace {
        seeds.map(traced).collect::<Result<_, _>>()?
    } else {
        let bar = progress::bar("worlds", u64::from(args.seeds.get()), args.json);
        let run = |seed| {
            let outcome = worlds::run(seed);
            bar.inc(1);
            outcome
        };
        let outcomes = seeds.into_par_iter().map(run).collect();
        bar.finish_and_clear();
        outcomes
    };
    let summary = Summary::of(outcomes);
    if args.json {
        print_json(&Answer {
            worlds: summary.worlds,
            failed: summary.failures.len(),
            failures: summary.failures.iter().map(Failure::new).collect(),
            events: summary.events,
            hash: summary.hash.to_string(),
        })?;
    } else {
        tell(&summary)?;
    }
    match summary.failures.len() {
        0 => Ok(()),
        failed => Err(Error::WorldsFailed { failed, worlds: summary.worlds }),
    }
}

/// Runs one world and prints what happens in it.
fn traced(seed: u64) -> Result<Outcome, Error> {
    let mut scenario = Scenario::random(seed);
    scenario.world.traced = true;
    let report = scenario.run();
    report.trace.iter().try_for_each(|line| print_line(line))?;
    print_line(&format!(
        "world {seed}: {} events, {} blocks, height {}, {} payments",
        report.events, report.blocks, report.height, report.payments
    ))?;
    Ok(report.into())
}

fn tell(summary: &Summary) -> Result<(), Error> {
    for failure in summary.failures.iter().map(Failure::new) {
        print_line(&format!("world {} failed:", failure.seed))?;
        failure.violations.iter().try_for_each(|violation| print_line(&format!("  {violation}")))?;
        print_line(&format!("  repeat: {}", failure.repeat))?;
    }
    let Summary { worlds, events, failures, hash } = summary;
    print_line(&format!("worlds  {worlds}"))?;
    print_line(&format!("failed  {}", failures.len()))?;
    print_line(&format!("events  {events}"))?;
    print_line(&format!("hash    {hash}"))
}
