//! How well a node keeps up that comes and goes.
//!
//! Sessions last S in the mean, pauses O, blocks come every T, all of them exponentially distributed. A node is "in step" while it is
//! within one block of the best. With a = 1/O and b = 1/T, the next thing in a pause is a block with the probability q = b / (a + b), and it comes after
//! 1 / (a + b) in the mean. So a pause that began with the best block keeps the node in step for E₀ = (1 + q) / (a + b), one that began a block behind for
//! E₁ = 1 / (a + b), and one that began further behind not at all.
//!
//! A node that comes back needs the time c to catch up: eight trips, for the call and its answer, both versions, headers asked and sent, blocks
//! asked and sent. A session is shorter than that with the probability r = 1 − e^(−c/S), and then the next pause begins where this one ended. So of
//! the pauses π₀ = (1 − r) / (1 − r (1 − q)) begin with the best block, π₁ = r q (1 − q) π₀ / (1 − r (1 − q)) a block behind, π₂ = 1 − π₀ − π₁ further behind; a
//! session begins out of step with the probability s = π₀ q² + π₁ q + π₂, and then loses min(c, session), which is r S in the mean. All together a node is in step for
//! the share (π₀ E₀ + π₁ E₁ + S − s r S) / (S + O) of the time. That c is what the theory says is measured too.

use crate::clock::VirtualTime;
use crate::host::Death;
use crate::labs::statistics::{Estimate, RULE, Uncertain};
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

/// The lab.
#[derive(Clone, Copy, Debug)]
pub struct Churn {
    /// How much to do.
    pub effort: Effort,
    /// Cycles of session and pause in one world.
    pub cycles: u64,
}

/// How well the nodes of one world kept up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Kept {
    /// The share of time that they were in step.
    share: f64,
    /// Returns out of step that were followed by a catching up, and how long it took all together, in seconds.
    joins: usize,
    join_seconds: f64,
}

impl Lab for Churn {
    type Sample = Kept;

    fn runs(&self) -> usize {
        SESSIONS_S.len() * self.effort.worlds
    }

    fn run(&self, number: usize) -> Kept {
        let session_ms = SESSIONS_S[number / self.effort.worlds] * 1_000;
        let seed = self.effort.seed_of(number);
        let hosts = STABLE + CHURNING;
        let links = (1..hosts).flat_map(|host| (0..host.min(STABLE)).map(move |stable| (host, stable))).collect();
        let config =
            WorldConfig { observed: true, ..WorldConfig::new(seed, hosts, links, Network::constant(DELAY_MS)) };
        let mut world = World::new(config);
        world.start_mining((0..STABLE).map(|host| Miner { host, mean_ms: STABLE as u64 * SPACING_MS }).collect());
        let cycle_ms = session_ms + PAUSE_MS;
        let (warm_up_ms, whole_ms) = (5 * PAUSE_MS, 5 * PAUSE_MS + self.cycles * cycle_ms);
        let mut random = Random::new(!seed);
        for host in STABLE..hosts {
            for (at, event) in sessions(host, session_ms, whole_ms, &mut random) {
                world.schedule(at, event);
            }
        }
        world.run(whole_ms);
        kept_up(&world, hosts, VirtualTime::from_millis(warm_up_ms))
    }

    fn conclude(&self, samples: Vec<Kept>) -> LabReport {
        let rows: Vec<Row> = SESSIONS_S.into_iter().zip(samples.chunks(self.effort.worlds)).map(row).collect();
        let x = Axis { label: "mean session, in seconds", logarithmic: true };
        let series = vec![Series::measured(&rows), Series::curve("theory", x, 5.0, 2_000.0, share_in_step)];
        LabReport {
            lab: "churn",
            seed: self.effort.seed,
            parameter: "session_seconds",
            quantity: "share of time within one block of the best",
            rule: RULE,
            figures: Vec::new(),
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

fn row((session_s, samples): (u64, &[Kept])) -> Row {
    let estimated = Estimate::of(&samples.iter().map(|sample| sample.share).collect::<Vec<_>>());
    let session_s = session_s as f64;
    let theory = share_in_step(session_s);
    let joins = samples.iter().map(|sample| sample.joins).sum::<usize>().max(1);
    let join_seconds = samples.iter().map(|sample| sample.join_seconds).sum::<f64>() / joins as f64;
    Row {
        at: session_s,
        measured: estimated.mean,
        theory,
        interval: estimated.printed(),
        pass: estimated.allows(theory),
        more: vec![("running", session_s / (session_s + seconds(PAUSE_MS))), ("join_seconds", join_seconds)],
    }
}

fn seconds(millis: u64) -> f64 {
    millis as f64 / 1_000.0
}

/// See the top of this file.
fn share_in_step(session: f64) -> f64 {
    let (pause, spacing) = (seconds(PAUSE_MS), seconds(SPACING_MS));
    let catch_up = seconds(TRIPS * DELAY_MS);
    let both = 1.0 / pause + 1.0 / spacing;
    let block_first = 1.0 / spacing / both;
    let too_short = 1.0 - (-catch_up / session).exp();
    let stays = 1.0 - too_short * (1.0 - block_first);
    let best = (1.0 - too_short) / stays;
    let one_behind = too_short * block_first * (1.0 - block_first) * best / stays;
    let further = 1.0 - best - one_behind;
    let in_pause = best * (1.0 + block_first) / both + one_behind / both;
    let starts_late = best * block_first * block_first + one_behind * block_first + further;
    (in_pause + session - starts_late * too_short * session) / (session + pause)
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

/// How well the churning hosts kept up since `from`.
fn kept_up(world: &World, hosts: usize, from: VirtualTime) -> Kept {
    let Some(seen) = world.observations() else {
        return Kept::default();
    };
    let (mut heights, mut late_since) = (vec![0; hosts], vec![None; hosts]);
    let (mut best, mut last, mut micros) = (0, VirtualTime::ZERO, 0);
    let mut kept = Kept::default();
    let mut running = seen.running.iter().peekable();
    let mut pass = |from_then: VirtualTime, to: VirtualTime, heights: &[u32], best: u32| {
        let near = heights.iter().skip(STABLE).filter(|height| **height + 1 >= best).count();
        micros += to.micros_since(from_then.max(from)) * near as u64;
    };
    for tip in &seen.tips {
        while let Some(change) = running.next_if(|change| change.at <= tip.at) {
            let is_late = change.what && heights[change.host] + 1 < best;
            late_since[change.host] = is_late.then_some(change.at);
        }
        pass(last, tip.at, &heights, best);
        last = tip.at;
        heights[tip.host] = tip.what.1;
        best = best.max(tip.what.1);
        if tip.what.1 + 1 >= best
            && let Some(since) = late_since[tip.host].take()
        {
            kept.joins += 1;
            kept.join_seconds += tip.at.micros_since(since) as f64 / 1e6;
        }
    }
    pass(last, world.now(), &heights, best);
    kept.share = micros as f64 / (CHURNING as u64 * world.now().micros_since(from)) as f64;
    kept
}
