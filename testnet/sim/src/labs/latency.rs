//! How many blocks are lost because news of a block takes time.
//!
//! N equal miners find a block every T together, and each block reaches all others D later. While the first block of a height is under
//! way, others may find one of the same height: one of the two is lost. The well-known estimate is x / (1 + x) with x = (N − 1)/N · D/T. It
//! forgets that the finders of a height know it already and may find the next one before D is over. Exactly: after the first block of
//! a height, the next height is reached with the first block found by somebody who has one of this height, or after D by anybody. That none
//! has been after a time s means that all m blocks found meanwhile had different finders (the birthday problem), so
//! P(s) = e^(−s/T) · Σ_m (s/T)^m / m! · Π_{j ≤ m} (1 − j/N), a height lasts ∫₀^D P(s) ds + P(D) · T, and T divided by that is the share that counts.
//!
//! The peer protocol is left out on purpose: its one to three trips would make D a mixture. Blocks are handed to the nodes D after they
//! were found; everything else (checks, forks, which of two equals stays) is the nodes' own.

use crate::labs::statistics::{Estimate, RULE, Uncertain};
use crate::labs::{Axis, Effort, Lab, LabReport, Plot, Row, Series};
use crate::network::Network;
use crate::traffic::Miner;
use crate::world::{World, WorldConfig};

/// Miners.
const MINERS: usize = 20;

/// Mean time between blocks, in milliseconds.
const SPACING_MS: u64 = 10_000;

/// Delay over spacing, in thousandths.
const DELAYS_PER_MILLE: [u64; 6] = [20, 50, 100, 200, 500, 1_000];

/// The lab.
#[derive(Clone, Copy, Debug)]
pub struct Latency {
    /// How much to do.
    pub effort: Effort,
    /// Blocks in each world.
    pub blocks: u64,
}

impl Lab for Latency {
    type Sample = f64;

    fn runs(&self) -> usize {
        DELAYS_PER_MILLE.len() * self.effort.worlds
    }

    /// The share of blocks that are not in the chain at the end.
    fn run(&self, number: usize) -> f64 {
        let delay_ms = DELAYS_PER_MILLE[number / self.effort.worlds] * SPACING_MS / 1_000;
        let config = WorldConfig::new(self.effort.seed_of(number), MINERS, Vec::new(), Network::constant(1));
        let mut world = World::new(config);
        world.hand_blocks_after(delay_ms);
        let mean_ms = MINERS as u64 * SPACING_MS;
        world.start_mining((0..MINERS).map(|host| Miner { host, mean_ms }).collect());
        while world.blocks_mined() < self.blocks {
            world.run(SPACING_MS / 10);
        }
        world.stop_mining();
        world.run(2 * delay_ms + 1);
        let height = (0..MINERS).filter_map(|host| world.node(host)).map(|node| node.chain().tip().height.get()).max();
        1.0 - f64::from(height.unwrap_or(0)) / world.blocks_mined() as f64
    }

    fn conclude(&self, samples: Vec<f64>) -> LabReport {
        let rows: Vec<Row> = DELAYS_PER_MILLE.into_iter().zip(samples.chunks(self.effort.worlds)).map(row).collect();
        let x = Axis { label: "delay / spacing", logarithmic: true };
        let (from, to) = (0.01, 1.5);
        let series = vec![
            Series::measured(&rows),
            Series::curve("theory", x, from, to, |ratio| stale_share(MINERS, ratio)),
            Series::curve("x / (1 + x)", x, from, to, |ratio| estimate(MINERS, ratio)),
        ];
        LabReport {
            lab: "latency",
            seed: self.effort.seed,
            parameter: "delay_over_spacing",
            quantity: "share of blocks that are lost",
            rule: RULE,
            figures: Vec::new(),
            plot: Plot {
                title: "Blocks lost because news travels slowly",
                x,
                y: Axis { label: "share of blocks lost", logarithmic: false },
                series,
            },
            rows,
        }
    }
}

fn row((per_mille, samples): (u64, &[f64])) -> Row {
    let ratio = per_mille as f64 / 1_000.0;
    let estimated = Estimate::of(samples);
    let theory = stale_share(MINERS, ratio);
    Row {
        at: ratio,
        measured: estimated.mean,
        theory,
        interval: estimated.printed(),
        pass: estimated.allows(theory),
        more: vec![("estimate", estimate(MINERS, ratio))],
    }
}

/// The well-known estimate.
#[must_use]
pub fn estimate(miners: usize, delay_over_spacing: f64) -> f64 {
    let x = (miners - 1) as f64 / miners as f64 * delay_over_spacing;
    x / (1.0 + x)
}

/// The share of blocks lost: see the top of this file.
#[must_use]
pub fn stale_share(miners: usize, delay_over_spacing: f64) -> f64 {
    // Simpson's rule; in units of the spacing.
    const STEPS: u32 = 200;
    let step = delay_over_spacing / f64::from(STEPS);
    let weight = |position: u32| match position {
        0 | STEPS => 1.0,
        odd if odd % 2 == 1 => 4.0,
        _ => 2.0,
    };
    let integral: f64 =
        (0..=STEPS).map(|position| weight(position) * unreached(miners, f64::from(position) * step)).sum::<f64>()
            * step
            / 3.0;
    let height_lasts = integral + unreached(miners, delay_over_spacing);
    1.0 - 1.0 / height_lasts
}

/// The probability that the next height has not been reached so long after the first block of this one, while that is under way.
fn unreached(miners: usize, time: f64) -> f64 {
    let mut term = 1.0;
    let mut sum = 1.0;
    for found in 1..miners {
        term *= time / found as f64 * (1.0 - found as f64 / miners as f64);
        sum += term;
    }
    sum * (-time).exp()
}
