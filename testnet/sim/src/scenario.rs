//! A whole story from a seed: a network, its delays, its faults, its traffic, and how it must end.

use tally_node_core::random::Random;

use crate::checkers;
use crate::log::LogHash;
use crate::network::{Delays, Partition, PartitionKind};
use crate::topology::Topology;
use crate::traffic::Miner;
use crate::world::{Event, World, WorldConfig};

/// How long a world that has been calmed may take to become quiet: longer than the longest pause between two calls to a lost peer, and
/// than every time-out of the peer protocol.
const QUIET_MS: u64 = 180_000;

/// Blocks mined one after the other at the end. The first decides between chains of equal work, of which each node rightly keeps
/// the one it saw first; the others confirm what is left in mempools.
const LAST_BLOCKS: usize = 3;

/// Time between those: longer than any block travels.
const LAST_BLOCK_PAUSE_MS: u64 = 30_000;

/// A story to be run.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Hosts, links, delays.
    pub world: WorldConfig,
    /// Who mines.
    pub miners: Vec<Miner>,
    /// Mean time between payments, in milliseconds.
    pub payments_mean_ms: u64,
    /// How long there is traffic, in milliseconds.
    pub busy_ms: u64,
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
    /// The trace, if one was asked for.
    pub trace: Vec<String>,
}

impl Scenario {
    /// A random world with a random story.
    #[must_use]
    pub fn random(seed: u64) -> Scenario {
        // Not the world's own generator: that one starts from the seed itself.
        let mut random = Random::new(seed ^ 0x0073_6365_6e61_7269);
        let hosts = usize::try_from(random.between(3, 7)).unwrap_or(3);
        let topology = match random.below(4) {
            0 => Topology::Line,
            1 => Topology::Ring,
            2 => Topology::Star,
            _ => Topology::Random { extra_links: random.index(hosts) },
        };
        let links = topology.links(hosts, &mut random);
        let slowest_ms = [20, 200, 1_000][random.index(3)];
        let delays = Delays::random(&links, 1, slowest_ms, &mut random);
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
            faults.extend(random_crash(hosts, busy_ms, &mut random));
        }
        let world = WorldConfig {
            seed,
            hosts,
            links,
            delays,
            framed: random.chance(1, 4),
            trickle_mean_ms: [0, 100, 2_000][random.index(3)],
            traced: false,
        };
        Scenario { world, miners, payments_mean_ms: random.between(4_000, 20_000), busy_ms, faults }
    }

    /// Runs it, checks everything, and tells.
    #[must_use]
    pub fn run(self) -> Report {
        let seed = self.world.seed;
        let mut world = World::new(self.world);
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
        Report {
            seed,
            violations,
            events: world.log().events(),
            log_hash: world.log().hash(),
            blocks: world.blocks_mined(),
            height: world.node(0).map_or(0, |node| node.chain().tip().height.get()),
            payments: world.payments(),
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

fn random_partition(hosts: usize, busy_ms: u64, random: &mut Random) -> [(u64, Event); 2] {
    let second_part = (0..hosts).filter(|_| random.chance(1, 2)).collect();
    let kind = if random.chance(1, 2) { PartitionKind::Break } else { PartitionKind::Stall };
    let from = random.below(busy_ms);
    let to = from + random.between(1_000, 90_000);
    [(from, Event::Split(Partition { second_part, kind })), (to, Event::Heal)]
}

fn random_crash(hosts: usize, busy_ms: u64, random: &mut Random) -> [(u64, Event); 2] {
    let host = random.index(hosts);
    let outputs = if random.chance(1, 2) { 0 } else { u32::try_from(random.between(1, 20)).unwrap_or(1) };
    let at = random.below(busy_ms);
    let back = at + random.between(500, 120_000);
    [(at, Event::Crash { host, outputs }), (back, Event::Start { host })]
}
