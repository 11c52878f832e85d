//! How well a node keeps up that comes and goes.
//!
//! Sessions last S in the mean, pauses O, blocks come every T, all of them exponentially distributed. A node is "in step" while it is
//! within one block of the best. In a pause, that ends with the second block: after a pause that began in step, it lasts
//! E = 1/(a + b) + b/(a + b)² with a = 1/O and b = 1/T, and the node comes back out of step with the probability P = (b/(a + b))². Then it needs the
//! time c to catch up: eight trips, for the call and its answer, both versions, headers asked and sent, blocks asked and sent. A session ends
//! before that with the probability r = 1 − e^(−c/S), so a pause begins out of step with p = r P / (1 − r + r P). All together a node is in step
//! for the share ((1 − p) E + S − (p + (1 − p) P) r S) / (S + O) of the time.

use crate::clock::VirtualTime;
use crate::host::Death;
use crate::labs::statistics::{Estimate, RULE};
use crate::labs::{Axis, Effort, Lab, LabReport, Plot, Row, Series};
use crate::network::Network;
use crate::traffic::Miner;
use crate::world::{Event, World, WorldConfig};
use tally_node_core::random::Random;

/// Nodes that are always there, and mine.
const STABLE: usize = 3;
/// Nodes that come and go. Each calls all stable ones.
const CHURNING: usize = 12;

/// Mean time between blocks, in milliseconds.
const SPACING_MS: u64 = 30_000;
/// Mean pause.
const PAUSE_MS: u64 = 60_000;
/// Mean sessions, in seconds.
const SESSIONS_S: [u64; 5] = [10, 30, 100, 300, 1_000];

/// One way, in milliseconds.
const DELAY_MS: u64 = 50;
/// Trips from a node's start until it has the blocks that it lacked.
const TRIPS: u64 = 8;

/// Cycles of session and pause in one world.
const CYCLES: u64 = 25;

/// The lab.
#[derive(Clone, Copy, Debug)]
pub struct Churn {
    /// How much to do.
    pub effort: Effort,
}

impl Lab for Churn {
    type Sample = f64;

    fn runs(&self) -> usize {
        SESSIONS_S.len() * self.effort.worlds
    }

    /// The share of time that the churning nodes of one world were in step.
    fn run(&self, number: usize) -> f64 {
        let session_ms = SESSIONS_S[number / self.effort.worlds] * 1_000;
        let seed = self.effort.seed_of(number);
        let hosts = STABLE + CHURNING;
        let links = (1..hosts).flat_map(|host| (0..host.min(STABLE)).map(move |stable| (host, stable))).collect();
        let config =
            WorldConfig { observed: true, ..WorldConfig::new(seed, hosts, links, Network::constant(DELAY_MS)) };
        let mut world = World::new(config);
        world.start_mining((0..STABLE).map(|host| Miner { host, mean_ms: STABLE as u64 * SPACING_MS }).collect());
        let cycle_ms = session_ms + PAUSE_MS;
        let (warm_up_ms, whole_ms) = (5 * PAUSE_MS, 5 * PAUSE_MS + CYCLES * cycle_ms);
        let mut random = Random::new(!seed);
        for host in STABLE..hosts {
            for (at, event) in sessions(host, session_ms, whole_ms, &mut random) {
                world.schedule(at, event);
            }
        }
        world.run(whole_ms);
        in_step(&world, hosts, VirtualTime::from_millis(warm_up_ms))
    }

    fn conclude(&self, samples: Vec<f64>) -> LabReport {
        let rows: Vec<Row> = SESSIONS_S.into_iter().zip(samples.chunks(self.effort.worlds)).map(row).collect();
        let x = Axis { label: "mean session, in seconds", logarithmic: true };
        let series = vec![Series::measured(&rows), Series::curve("theory", x, 5.0, 2_000.0, share_in_step)];
        LabReport {
            lab: "churn",
            seed: self.effort.seed,
            parameter: "session_seconds",
            quantity: "share of time within one block of the best",
            rule: RULE,
            plot: Plot {
                title: "How well a node keeps up that comes and goes",
                x,
                y: Axis { label: "share of time in step", logarithmic: false },
                series,
            },
            rows,
        }
    }
}

fn row((session_s, samples): (u64, &[f64])) -> Row {
    let estimated = Estimate::of(samples);
    let session_s = session_s as f64;
    let theory = share_in_step(session_s);
    Row {
        at: session_s,
        measured: estimated.mean,
        theory,
        interval: estimated.printed(),
        pass: estimated.allows(theory),
        more: vec![("running", session_s / (session_s + PAUSE_MS as f64 / 1_000.0))],
    }
}

/// See the top of this file.
fn share_in_step(session_s: f64) -> f64 {
    let (pause, spacing) = (PAUSE_MS as f64 / 1_000.0, SPACING_MS as f64 / 1_000.0);
    let catch_up = (TRIPS * DELAY_MS) as f64 / 1_000.0;
    let (a, b) = (1.0 / pause, 1.0 / spacing);
    let in_pause = 1.0 / (a + b) + b / ((a + b) * (a + b));
    let late = (b / (a + b)) * (b / (a + b));
    let too_short = 1.0 - (-catch_up / session_s).exp();
    let stays_late = too_short * late / (1.0 - too_short + too_short * late);
    let starts_late = stays_late + (1.0 - stays_late) * late;
    ((1.0 - stays_late) * in_pause + session_s - starts_late * too_short * session_s) / (session_s + pause)
}

/// When a host goes and comes back.
fn sessions(host: usize, session_ms: u64, whole_ms: u64, random: &mut Random) -> Vec<(u64, Event)> {
    let mut story = Vec::new();
    let mut at = random.exponential(session_ms);
    while at < whole_ms {
        story.push((at, Event::Crash { host, death: Death::AfterOutputs(0) }));
        at += random.exponential(PAUSE_MS);
        story.push((at, Event::Start { host }));
        at += random.exponential(session_ms);
    }
    story
}

/// The share of time since `from` that the churning hosts were within one block of the best.
fn in_step(world: &World, hosts: usize, from: VirtualTime) -> f64 {
    let mut heights = vec![0; hosts];
    let mut best = 0;
    let mut last = VirtualTime::ZERO;
    let mut micros = 0;
    let tips = world.observations().map(|seen| seen.tips.as_slice()).unwrap_or_default();
    let mut pass = |from_then: VirtualTime, to: VirtualTime, heights: &[u32], best: u32| {
        let near = heights.iter().skip(STABLE).filter(|height| **height + 1 >= best).count();
        micros += to.micros_since(from_then.max(from)) * near as u64;
    };
    for tip in tips {
        pass(last, tip.at, &heights, best);
        last = tip.at;
        heights[tip.host] = tip.what.1;
        best = best.max(tip.what.1);
    }
    pass(last, world.now(), &heights, best);
    micros as f64 / (CHURNING as u64 * world.now().micros_since(from)) as f64
}
