//! What it costs to tell everybody of a payment, and how long it takes: by flooding, and as nodes do it.
//!
//! In a network of N nodes and E links, flooding sends the payment 2E − N + 1 times: over every link in both directions, but over
//! the N − 1 links by which nodes first heard of it only once. Tallystick's nodes announce a hash and send the payment to who asks: each of the other
//! N − 1 nodes asks once. With the same delay D on every link, a flood moves a hop in D, and announcement, request and payment take 3 D.

use std::collections::VecDeque;

use tally_node_core::random::Random;
use tally_node_core::testing;
use tally_wire::MessageKind;

use crate::labs::{Axis, Effort, Lab, LabReport, Plot, Row, Series, flood};
use crate::network::Network;
use crate::topology::{Link, Topology};
use crate::world::{World, WorldConfig};

/// Network sizes.
const SIZES: [usize; 5] = [10, 30, 100, 300, 1_000];

/// Links beside those that a tree needs, for each node: with them nodes have eight neighbours in the mean.
const EXTRA_LINKS_PER_NODE: usize = 3;

/// One way, in milliseconds.
const DELAY_MS: u64 = 50;

/// Until all connections stand.
const WARM_UP_MS: u64 = 2_000;

/// Long enough for any payment to reach everybody.
const RUN_MS: u64 = 10_000;

/// Announcement, request, payment.
const TRIPS: u64 = 3;

/// The lab.
#[derive(Clone, Copy, Debug)]
pub struct Gossip {
    /// How much to do.
    pub effort: Effort,
    /// The largest network.
    pub max_nodes: usize,
}

/// What one payment cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    nodes: usize,
    links: u64,
    flood_messages: u64,
    flood_half_ms: u64,
    flood_ninety_ms: u64,
    bodies: u64,
    announcements: u64,
    half_ms: u64,
    ninety_ms: u64,
    /// Hops to half and to nine tenths of the nodes.
    half_hops: u64,
    ninety_hops: u64,
}

impl Gossip {
    fn sizes(&self) -> Vec<usize> {
        SIZES.into_iter().filter(|size| *size <= self.max_nodes).collect()
    }
}

impl Lab for Gossip {
    type Sample = Sample;

    fn runs(&self) -> usize {
        self.sizes().len() * self.effort.worlds
    }

    fn run(&self, number: usize) -> Sample {
        let nodes = self.sizes()[number / self.effort.worlds];
        let seed = self.effort.seed_of(number);
        let mut random = Random::new(seed);
        let links = Topology::Random { extra_links: EXTRA_LINKS_PER_NODE * nodes }.links(nodes, &mut random);
        let from = random.index(nodes);
        let flood = flood::flood(nodes, &links, from, DELAY_MS);
        let flood_times: Vec<u64> = flood.reached.iter().flatten().map(|at| at.as_millis()).collect();
        let hops = distances(nodes, &links, from);

        let config =
            WorldConfig { observed: true, ..WorldConfig::new(seed, nodes, links.clone(), Network::constant(DELAY_MS)) };
        let mut world = World::new(config);
        world.run(WARM_UP_MS);
        let before = world.messages().clone();
        let start = world.now();
        let params = world.params().clone();
        let payment = testing::pay_on(&params, &testing::allocations(&params)[0], 5_000);
        world.submit(from, payment);
        world.run(RUN_MS);
        let sent = |kind| world.messages().of(kind) - before.of(kind);
        let seen = world.observations().map(|seen| seen.transactions.clone()).unwrap_or_default();
        let times: Vec<u64> = seen.iter().map(|seen| seen.at.micros_since(start) / 1_000).collect();
        Sample {
            nodes,
            links: links.len() as u64,
            flood_messages: flood.messages,
            flood_half_ms: reached(&flood_times, nodes, 50),
            flood_ninety_ms: reached(&flood_times, nodes, 90),
            bodies: sent(MessageKind::Transaction),
            announcements: sent(MessageKind::Inventory),
            half_ms: reached(&times, nodes, 50),
            ninety_ms: reached(&times, nodes, 90),
            half_hops: reached(&hops, nodes, 50),
            ninety_hops: reached(&hops, nodes, 90),
        }
    }

    fn conclude(&self, samples: Vec<Sample>) -> LabReport {
        let rows: Vec<Row> = samples.chunks(self.effort.worlds).map(row).collect();
        let x = Axis { label: "nodes", logarithmic: true };
        let series = vec![
            Series { name: "flooding: payments sent", ..Series::measured(&rows) },
            Series::more(&rows, "flood_theory", "2E − N + 1", true),
            Series::more(&rows, "bodies", "by inventory: payments sent", false),
            Series::more(&rows, "bodies_theory", "N − 1", true),
        ];
        LabReport {
            lab: "gossip",
            seed: self.effort.seed,
            parameter: "nodes",
            quantity: "times that a flooded payment is sent",
            rule: "every single run gives exactly what the theory says: messages, bodies and times",
            plot: Plot {
                title: "What it costs to tell everybody",
                x,
                y: Axis { label: "payments sent", logarithmic: true },
                series,
            },
            rows,
        }
    }
}

impl Sample {
    fn flood_theory(&self) -> u64 {
        2 * self.links + 1 - self.nodes as u64
    }

    /// These are identities, not averages: there is nothing to allow for.
    fn is_exact(&self) -> bool {
        self.flood_messages == self.flood_theory()
            && self.bodies == self.nodes as u64 - 1
            && (self.links..=self.flood_theory()).contains(&self.announcements)
            && self.flood_half_ms == self.half_hops * DELAY_MS
            && self.flood_ninety_ms == self.ninety_hops * DELAY_MS
            && self.half_ms == self.half_hops * TRIPS * DELAY_MS
            && self.ninety_ms == self.ninety_hops * TRIPS * DELAY_MS
    }
}

fn row(samples: &[Sample]) -> Row {
    let mean = |figure: fn(&Sample) -> u64| samples.iter().map(figure).sum::<u64>() as f64 / samples.len() as f64;
    let measured = mean(|sample| sample.flood_messages);
    Row {
        at: samples.first().map_or(0.0, |sample| sample.nodes as f64),
        measured,
        theory: mean(Sample::flood_theory),
        interval: (measured, measured),
        pass: samples.iter().all(Sample::is_exact),
        more: vec![
            ("links", mean(|sample| sample.links)),
            ("flood_theory", mean(Sample::flood_theory)),
            ("bodies", mean(|sample| sample.bodies)),
            ("bodies_theory", mean(|sample| sample.nodes as u64 - 1)),
            ("announcements", mean(|sample| sample.announcements)),
            ("flood_half_ms", mean(|sample| sample.flood_half_ms)),
            ("flood_ninety_ms", mean(|sample| sample.flood_ninety_ms)),
            ("half_ms", mean(|sample| sample.half_ms)),
            ("half_ms_theory", mean(|sample| sample.half_hops * TRIPS * DELAY_MS)),
            ("ninety_ms", mean(|sample| sample.ninety_ms)),
            ("ninety_ms_theory", mean(|sample| sample.ninety_hops * TRIPS * DELAY_MS)),
        ],
    }
}

/// When so many percent of the nodes had it.
fn reached(times: &[u64], nodes: usize, percent: usize) -> u64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get((nodes * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or(u64::MAX / 1_000_000)
}

/// How many hops each node is away.
fn distances(nodes: usize, links: &[Link], from: usize) -> Vec<u64> {
    let mut neighbours = vec![Vec::new(); nodes];
    for (a, b) in links {
        neighbours[*a].push(*b);
        neighbours[*b].push(*a);
    }
    let mut distances = vec![None; nodes];
    distances[from] = Some(0);
    let mut queue = VecDeque::from([(from, 0)]);
    while let Some((node, distance)) = queue.pop_front() {
        for neighbour in &neighbours[node] {
            if distances[*neighbour].is_none() {
                distances[*neighbour] = Some(distance + 1);
                queue.push_back((*neighbour, distance + 1));
            }
        }
    }
    distances.into_iter().flatten().collect()
}
