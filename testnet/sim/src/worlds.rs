//! Many worlds, and what came out of them all: the same answer however they were shared out among threads.

use tally_primitives::hash::sha256;

use crate::log::LogHash;
use crate::scenario::{Report, Scenario};

/// What is kept of a world once it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The seed that repeats it.
    pub seed: u64,
    /// What was found wrong; empty is good.
    pub violations: Vec<String>,
    /// Events that happened.
    pub events: u64,
    /// The hash over all of them.
    pub log_hash: LogHash,
}

impl From<Report> for Outcome {
    fn from(report: Report) -> Outcome {
        let Report { seed, violations, events, log_hash, .. } = report;
        Outcome { seed, violations, events, log_hash }
    }
}

/// Runs the random world of a seed.
#[must_use]
pub fn run(seed: u64) -> Outcome {
    Scenario::random(seed).run().into()
}

/// The command that runs one world again and shows what happens in it.
#[must_use]
pub fn repeat_command(seed: u64) -> String {
    format!("testnet lab worlds --seeds 1 --first-seed {seed} --trace")
}

/// What came out of several worlds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How many there were.
    pub worlds: u64,
    /// Events in all of them.
    pub events: u64,
    /// Those in which something was wrong.
    pub failures: Vec<Outcome>,
    /// A hash over the hashes of all, in the order given.
    pub hash: LogHash,
}

impl Summary {
    /// Adds up worlds in order.
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Summary {
        let mut summary = Summary { worlds: 0, events: 0, failures: Vec::new(), hash: LogHash::default() };
        for outcome in outcomes {
            let mut bytes = summary.hash.as_bytes().to_vec();
            bytes.extend_from_slice(&outcome.seed.to_le_bytes());
            bytes.extend_from_slice(outcome.log_hash.as_bytes());
            summary.hash = LogHash::from_bytes(sha256(&bytes));
            summary.worlds += 1;
            summary.events += outcome.events;
            if !outcome.violations.is_empty() {
                summary.failures.push(outcome);
            }
        }
        summary
    }
}
