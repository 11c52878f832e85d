//! How often a payment with z confirmations is undone by an attacker with a share of the hash rate.
//!
//! The race is a walk ([`race`](crate::labs::race)), without nodes; `testnet attack` runs it with real ones. Measured: the share of races
//! that the attacker wins. Theory: the exact probability. Beside them Nakamoto's estimate, which most tables show.

use tally_node_core::random::Random;

use crate::labs::race::{Race, nakamoto};
use crate::labs::statistics::{Share, Uncertain};
use crate::labs::{Axis, Effort, Lab, LabReport, Plot, Row, Series};

/// The risk that merchants are usually advised to take.
const ACCEPTED_RISK: f64 = 0.001;

/// When a row passes, in words.
const RULE: &str = "theory within the 99.9 % interval (Wilson's, over independent races)";

/// The lab.
#[derive(Clone, Debug)]
pub struct DoubleSpend {
    /// How much to do; the races of a point are spread over the worlds.
    pub effort: Effort,
    /// Who attacks, and how.
    pub race: Race,
    /// Confirmations that the merchant waits for, a row each.
    pub confirmations: Vec<u32>,
    /// Races for each row.
    pub trials: u64,
}

impl Lab for DoubleSpend {
    type Sample = Share;

    fn runs(&self) -> usize {
        self.confirmations.len() * self.effort.worlds
    }

    fn run(&self, number: usize) -> Share {
        let (row, world) = (number / self.effort.worlds, (number % self.effort.worlds) as u64);
        let worlds = self.effort.worlds as u64;
        let trials = self.trials / worlds + u64::from(world < self.trials % worlds);
        let mut random = Random::new(self.effort.seed_of(number));
        let hits = (0..trials).filter(|_| self.race.run(self.confirmations[row], &mut random)).count() as u64;
        Share { hits: to_usize(hits), trials: to_usize(trials) }
    }

    fn conclude(&self, samples: Vec<Share>) -> LabReport {
        let of_rows = self.confirmations.iter().zip(samples.chunks(self.effort.worlds));
        let rows: Vec<Row> = of_rows.map(|(confirmations, samples)| self.row(*confirmations, samples)).collect();
        let series = vec![
            Series::measured(&rows),
            Series::more(&rows, "exact", "theory", true),
            Series::more(&rows, "nakamoto", "Nakamoto 2008", true),
        ];
        LabReport {
            lab: "double-spend",
            seed: self.effort.seed,
            parameter: "confirmations",
            quantity: "share of races that the attacker wins (a walk, without nodes)",
            rule: RULE,
            plot: Plot {
                title: "Payments undone, against confirmations",
                x: Axis { label: "confirmations", logarithmic: false },
                y: Axis { label: "share of payments undone", logarithmic: false },
                series,
            },
            rows,
            figures: vec![
                ("share", self.race.share),
                ("confirmations_for_a_risk_of_0.001", f64::from(self.race.confirmations_needed(ACCEPTED_RISK))),
            ],
        }
    }
}

impl DoubleSpend {
    fn row(&self, confirmations: u32, samples: &[Share]) -> Row {
        let share = samples.iter().fold(Share { hits: 0, trials: 0 }, |sum, more| Share {
            hits: sum.hits + more.hits,
            trials: sum.trials + more.trials,
        });
        let theory = self.race.success(confirmations);
        Row {
            at: f64::from(confirmations),
            measured: share.value(),
            theory,
            interval: share.printed(),
            pass: share.allows(theory),
            more: vec![("exact", theory), ("nakamoto", nakamoto(self.race.share, confirmations))],
        }
    }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
