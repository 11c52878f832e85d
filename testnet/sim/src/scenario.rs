//! A whole story from a seed: a network, what messages go through, what goes wrong, who pays and mines, and how it must end.

use tally_node_core::net::limits::MAX_STALL_TIMEOUT_MS;
use tally_node_core::random::Random;

use crate::checkers;
use crate::checkers::bounds::bounds;
use crate::host::Death;
use crate::hostile::Malice;
use crate::log::LogHash;
use crate::network::partition::{Partition, PartitionKind};
use crate::network::{Latency, Network};
use crate::topology::{Link, Topology};
use crate::traffic::Miner;
use crate::world::{Event, World, WorldConfig};

/// How long a world that has been calmed may take to become quiet: longer than the longest pause between two calls to a lost peer, and
/// than every time-out of the peer protocol.
const QUIET_MS: u64 = 180_000;

/// Blocks mined one after the other at the end. The first decides between chains of equal work, of which each node rightly keeps
/// the one it saw first; the others confirm what is left in mempools.
const LAST_BLOCKS: usize = 3;

/// Time between those: longer than any block travels, also where two peers announce it and never send it: each of them is waited for, and
/// a node that has met many of those waits for `MAX_STALL_TIMEOUT_MS`.
const LAST_BLOCK_PAUSE_MS: u64 = 3 * MAX_STALL_TIMEOUT_MS;

/// Clocks differ by less than the two hours of HDR-06, or nodes could rightly disagree until the time has come.
const MAX_SKEW_MS: u64 = 50 * 60_000;

/// A story to be run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Hosts, links, network.
    pub world: WorldConfig,
    /// Who mines.
    pub miners: Vec<Miner>,
    /// Mean time between payments, in milliseconds.
    pub payments_mean_ms: u64,
    /// How long there is traffic, in milliseconds.
    pub busy_ms: u64,
    /// Hosts with hostile owners.
    pub hostile: Vec<(usize, Malice)>,
    /// What goes wrong, and when (milliseconds from the start).
    pub faults: Vec<(u64, Event)>,
}

/// How a story ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The seed that repeats it.
    pub seed: u64,
    /// What was found wrong; empty is good.
    pub violations: Vec<String>,
    /// Events that happened.
    pub events: u64,
    /// The hash over all of them.
    pub log_hash: LogHash,
    /// Blocks mined.
    pub blocks: u64,
    /// The height of the last tip: with fewer than all blocks, some were lost to forks.
    pub height: u32,
    /// Payments accepted by some node.
    pub payments: usize,
    /// Blocks that hostile hosts forged.
    pub forged: u64,
    /// The trace, if one was asked for.
    pub trace: Vec<String>,
}

impl Scenario {
    /// A random world with a random story.
    #[must_use]
    pub fn random(seed: u64) -> Scenario {
        // Not the world's own generator: that one starts from the seed itself.
        let mut random = Random::new(seed ^ 0x0073_6365_6e61_7269);
        let honest = usize::try_from(random.between(3, 7)).unwrap_or(3);
        let topology = match random.below(4) {
            0 => Topology::Line,
            1 => Topology::Ring,
            2 => Topology::Star,
            _ => Topology::Random { extra_links: random.index(honest) },
        };
        let mut links = topology.links(honest, &mut random);
        let hostile = random_hostile(honest, &mut links, &mut random);
        let hosts = honest + hostile.len();
        let network = random_network(hosts, &links, &mut random);
        let busy_ms = random.between(60_000, 180_000);
        let count = random.between(2, 4);
        let block_mean_ms = random.between(2_000, 10_000);
        let miners: Vec<Miner> =
            (0..count).map(|_| Miner { host: random.index(hosts), mean_ms: block_mean_ms * count }).collect();
        let mut faults = Vec::new();
        for _ in 0..random.below(3) {
            faults.extend(random_partition(hosts, busy_ms, &mut random));
        }
        for _ in 0..random.below(3) {
            let host = random.index(honest);
            faults.extend(random_crash(host, busy_ms, &mut random));
        }
        if random.chance(1, 4) {
            let host = random.index(honest);
            faults.extend(random_churn(host, busy_ms, &mut random));
        }
        let world = WorldConfig {
            clock_skews_ms: random_skews(hosts, &mut random),
            framed: random.chance(1, 4),
            trickle_mean_ms: [0, 100, 2_000][random.index(3)],
            counts_bytes: true,
            ..WorldConfig::new(seed, hosts, links, network)
        };
        Scenario { world, miners, payments_mean_ms: random.between(4_000, 20_000), busy_ms, hostile, faults }
    }

    /// Runs it, checks everything, and tells.
    #[must_use]
    pub fn run(self) -> Report {
        let seed = self.world.seed;
        let mut world = World::new(self.world);
        for (host, malice) in self.hostile {
            world.corrupt(host, malice);
        }
        world.start_mining(self.miners);
        world.start_payments(self.payments_mean_ms);
        for (at, fault) in self.faults {
            world.schedule(at, fault);
        }
        world.run(self.busy_ms);
        world.calm();
        settle(&mut world);
        let mut violations = world.violations().to_vec();
        violations.extend(checkers::agreement(&world));
        violations.extend(checkers::stores(&world));
        violations.extend(checkers::mempools(&world));
        violations.extend(bounds(&world));
        Report {
            seed,
            violations,
            events: world.log().events(),
            log_hash: world.log().hash(),
            blocks: world.blocks_mined(),
            height: world.node(0).map_or(0, |node| node.chain().tip().height.get()),
            payments: world.payments(),
            forged: world.forged_headers,
            trace: world.log().lines().to_vec(),
        }
    }
}

/// Lets a calmed world become quiet, and decides between equals.
pub fn settle(world: &mut World) {
    world.run(QUIET_MS);
    for _ in 0..LAST_BLOCKS {
        world.mine_on(0);
        world.run(LAST_BLOCK_PAUSE_MS);
    }
}

/// Hostile hosts beside the honest ones: calling and called, but never the only link between two honest ones.
fn random_hostile(honest: usize, links: &mut Vec<Link>, random: &mut Random) -> Vec<(usize, Malice)> {
    let count = [0, 0, 1, 2][random.index(4)];
    let mut hostile = Vec::new();
    for host in honest..honest + count {
        let victims = 1 + random.index(honest);
        for victim in 0..victims {
            links.push(if random.chance(1, 2) { (host, victim) } else { (victim, host) });
        }
        hostile.push((host, Malice::ALL[random.index(Malice::ALL.len())]));
    }
    hostile
}

/// Links are slow at times, but not so slow that a handshake cannot be done within its five seconds.
fn random_network(hosts: usize, links: &[Link], random: &mut Random) -> Network {
    let slowest_ms = [20, 200, 700][random.index(3)];
    let mut network = if random.chance(1, 4) {
        Network::world(hosts, random)
    } else {
        Network::with(Latency::random(links, 1, slowest_ms, random))
    };
    if random.chance(1, 3) {
        let most = if slowest_ms > 200 { 20 } else { 100 };
        network = network.jitter_percent([5, 20, most][random.index(3)]);
    }
    if random.chance(1, 4) {
        network = network.loss([1_000, 10_000, 50_000][random.index(3)]);
    }
    network
}

fn random_skews(hosts: usize, random: &mut Random) -> Vec<i64> {
    if random.chance(2, 3) {
        return Vec::new();
    }
    let skew = |random: &mut Random| i64::try_from(random.below(2 * MAX_SKEW_MS)).unwrap_or(0);
    let middle = i64::try_from(MAX_SKEW_MS).unwrap_or(0);
    (0..hosts).map(|_| skew(random) - middle).collect()
}

fn random_partition(hosts: usize, busy_ms: u64, random: &mut Random) -> [(u64, Event); 2] {
    let second_part = (0..hosts).filter(|_| random.chance(1, 2)).collect();
    let kind = if random.chance(1, 2) { PartitionKind::Break } else { PartitionKind::Stall };
    let from = random.below(busy_ms);
    let to = from + random.between(1_000, 90_000);
    [(from, Event::Split(Partition { second_part, kind })), (to, Event::Heal)]
}

fn random_crash(host: usize, busy_ms: u64, random: &mut Random) -> [(u64, Event); 2] {
    let death = match random.below(4) {
        0 | 1 => Death::AfterOutputs(0),
        2 => Death::AfterOutputs(u32::try_from(random.between(1, 20)).unwrap_or(1)),
        _ => Death::InCommit { torn: random.chance(1, 2) },
    };
    let at = random.below(busy_ms);
    let back = at + random.between(500, 120_000);
    [(at, Event::Crash { host, death }), (back, Event::Start { host })]
}

/// A host that goes and comes back, again and again.
fn random_churn(host: usize, busy_ms: u64, random: &mut Random) -> Vec<(u64, Event)> {
    let (session_ms, pause_ms) = (random.between(2_000, 20_000), random.between(1_000, 20_000));
    let mut story = Vec::new();
    let mut at = random.exponential(session_ms);
    while at < busy_ms {
        story.push((at, Event::Crash { host, death: Death::AfterOutputs(0) }));
        at += 1 + random.exponential(pause_ms);
        story.push((at, Event::Start { host }));
        at += 1 + random.exponential(session_ms);
    }
    story
}
