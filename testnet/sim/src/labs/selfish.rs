//! What a miner earns who keeps blocks back.
//!
//! A pool with a share α of the hash rate publishes a block only when somebody else has found one of the same height (I. Eyal and E. G. Sirer, "Majority is
//! not enough: Bitcoin mining is vulnerable", 2014). When two chains are equally long, a share γ of the others mines on the pool's. In the
//! long run the pool's share of the chain's blocks is
//! (α (1 − α)² (4α + γ (1 − 2α)) − α³) / (1 − α (1 + (2 − α) α)): more than α as soon as α > (1 − γ) / (3 − 2γ).
//!
//! The race is a walk, as in [`race`](crate::labs::race): who finds the next block is a coin toss, and no nodes take part. Measured: the pool's share of
//! the blocks that end up in the chain, by batch means. Beside it what the best strategy would earn ([`withholding`]).

use tally_node_core::random::Random;

use crate::labs::race::happens;
use crate::labs::statistics::{Estimate, RULE, Uncertain};
use crate::labs::withholding;
use crate::labs::{Axis, Effort, Lab, LabReport, Plot, Row, Series};

/// The lab.
#[derive(Clone, Debug)]
pub struct Selfish {
    /// How much to do; a world is a batch of blocks.
    pub effort: Effort,
    /// The pool's shares of the hash rate, a row each.
    pub shares: Vec<f64>,
    /// The share of the others that mines on the pool's block when two are equally high.
    pub gamma: f64,
    /// Blocks found in each world.
    pub blocks: u64,
}

impl Lab for Selfish {
    type Sample = f64;

    fn runs(&self) -> usize {
        self.shares.len() * self.effort.worlds
    }

    fn run(&self, number: usize) -> f64 {
        let share = self.shares[number / self.effort.worlds];
        let mut random = Random::new(self.effort.seed_of(number));
        let mut pool = Pool::new(share, self.gamma);
        for _ in 0..self.blocks {
            pool.next_block(&mut random);
        }
        pool.revenue()
    }

    fn conclude(&self, samples: Vec<f64>) -> LabReport {
        let rows: Vec<Row> = self
            .shares
            .iter()
            .zip(samples.chunks(self.effort.worlds))
            .map(|(share, samples)| self.row(*share, samples))
            .collect();
        let x = Axis { label: "share of the hash rate", logarithmic: false };
        let series = vec![
            Series::measured(&rows),
            Series::curve("theory", x, 0.0, 0.49, |share| revenue(share, self.gamma)),
            Series::curve("honest", x, 0.0, 0.49, |share| share),
            Series::more(&rows, "best", "the best strategy", false),
        ];
        LabReport {
            lab: "selfish",
            seed: self.effort.seed,
            parameter: "share",
            quantity: "the selfish pool's share of the chain's blocks (a walk, without nodes)",
            rule: RULE,
            plot: Plot {
                title: "What a selfish pool earns",
                x,
                y: Axis { label: "share of the chain's blocks", logarithmic: false },
                series,
            },
            rows,
            figures: vec![("gamma", self.gamma), ("it_pays_from_a_share_of", threshold(self.gamma))],
        }
    }
}

impl Selfish {
    fn row(&self, share: f64, samples: &[f64]) -> Row {
        let (estimate, theory) = (Estimate::of(samples), revenue(share, self.gamma));
        let more = vec![("honest", share), ("best", withholding::best_revenue(share, self.gamma))];
        Row {
            at: share,
            measured: estimate.mean,
            theory,
            interval: estimate.printed(),
            pass: estimate.allows(theory),
            more,
        }
    }
}

/// The pool's long-run share of the chain's blocks (Eyal and Sirer, equation 8).
#[must_use]
pub fn revenue(share: f64, gamma: f64) -> f64 {
    let others = 1.0 - share;
    let gained = share * others * others * (4.0 * share + gamma * (1.0 - 2.0 * share)) - share.powi(3);
    gained / (1.0 - share * (1.0 + (2.0 - share) * share))
}

/// From which share of the hash rate on it pays.
#[must_use]
pub fn threshold(gamma: f64) -> f64 {
    (1.0 - gamma) / (3.0 - 2.0 * gamma)
}

/// Where the race stands, and who has how many blocks of the chain that all agree on.
#[derive(Clone, Copy, Debug)]
struct Pool {
    share: f64,
    gamma: f64,
    /// Unpublished blocks by which the pool's chain is longer than the others'.
    lead: u64,
    /// Two published chains are equally long; the last block of one is the pool's.
    is_tied: bool,
    own: u64,
    others: u64,
}

impl Pool {
    const fn new(share: f64, gamma: f64) -> Pool {
        Pool { share, gamma, lead: 0, is_tied: false, own: 0, others: 0 }
    }

    /// Somebody finds a block.
    fn next_block(&mut self, random: &mut Random) {
        let is_own = happens(self.share, random);
        match (self.is_tied, self.lead, is_own) {
            // The pool's block ends the tie: it has both.
            (true, _, true) => self.settle(2, 0),
            (true, _, false) if happens(self.gamma, random) => self.settle(1, 1),
            (true, _, false) => self.settle(0, 2),
            (false, _, true) => self.lead += 1,
            (false, 0, false) => self.others += 1,
            (false, 1, false) => (self.lead, self.is_tied) = (0, true),
            // The lead shrinks to one: the pool publishes all, and the others' block is lost.
            (false, 2, false) => {
                self.lead = 0;
                self.own += 2;
            }
            // Far ahead, it publishes one for each of theirs, which will be lost.
            (false, _, false) => {
                self.lead -= 1;
                self.own += 1;
            }
        }
    }

    fn settle(&mut self, own: u64, others: u64) {
        self.own += own;
        self.others += others;
        self.is_tied = false;
    }

    /// Its share of the blocks that are settled.
    fn revenue(&self) -> f64 {
        self.own as f64 / (self.own + self.others) as f64
    }
}
