//! The six-region world: thousands of nodes placed and linked as Bitcoin's, on lines as fast as theirs, with blocks as large. It is what
//! SimBlock simulates too (Aoki and others 2019), so both can be compared; here every node is the real one.

use tally_node_core::random::Random;

use crate::clock::VirtualTime;
use crate::log::LogHash;
use crate::network::Network;
use crate::topology::{Link, out_degree};
use crate::traffic::Miner;
use crate::world::{World, WorldConfig};

/// What a block and a compact block count for on a line, in bytes: the means that SimBlock takes from Bitcoin's network.
const BLOCK_BYTES: usize = 535_000;
const COMPACT_BYTES: usize = 18_000;

/// Until all connections stand, in milliseconds.
const WARM_UP_MS: u64 = 10_000;

/// For the last block to reach everybody.
const LAST_MS: u64 = 20_000;

/// A world to be run.
#[derive(Clone, Copy, Debug)]
pub struct Globe {
    /// The source of all randomness.
    pub seed: u64,
    /// How many nodes.
    pub nodes: usize,
    /// How many blocks, about: the time is that of so many spacings.
    pub blocks: u64,
    /// Mean time between blocks, in milliseconds.
    pub spacing_ms: u64,
    /// How often nodes ping each other, in milliseconds; `None`: as they do everywhere else.
    pub ping_interval_ms: Option<u64>,
    /// Whether nodes tell each other of addresses.
    pub gossip: bool,
    /// Whether to find out how long blocks take to half and nine tenths of the nodes, which takes memory.
    pub measures_propagation: bool,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GlobeReport {
    /// Connections.
    pub links: usize,
    /// Events: [`World::steps`].
    pub steps: u64,
    /// Messages sent.
    pub messages: u64,
    /// Blocks mined.
    pub blocks: u64,
    /// The height at the end, the same everywhere.
    pub height: u32,
    /// Nodes that are not at that height.
    pub behind: usize,
    /// Virtual time, in milliseconds.
    pub virtual_ms: u64,
    /// Mean time of a block to half of the nodes, and to nine tenths, in milliseconds; 0 if not measured.
    pub half_ms: u64,
    /// The same for nine tenths.
    pub ninety_ms: u64,
    /// The hash over all that happened.
    pub log_hash: LogHash,
    /// What was found wrong.
    pub violations: usize,
}

impl Globe {
    /// Runs it.
    #[must_use]
    pub fn run(self) -> GlobeReport {
        let mut random = Random::new(self.seed);
        let links = links(self.nodes, &mut random);
        let link_count = links.len();
        let network = Network {
            min_block_bytes: BLOCK_BYTES,
            min_compact_bytes: COMPACT_BYTES,
            ..Network::world(self.nodes, &mut random)
        };
        let mut world = World::new(WorldConfig {
            ping_interval_ms: self.ping_interval_ms,
            gossip: self.gossip,
            observed: self.measures_propagation,
            ..WorldConfig::new(self.seed, self.nodes, links, network)
        });
        world.run(WARM_UP_MS);
        let mean_ms = self.nodes as u64 * self.spacing_ms;
        world.start_mining((0..self.nodes).map(|host| Miner { host, mean_ms }).collect());
        world.run(self.blocks * self.spacing_ms);
        world.stop_mining();
        world.run(LAST_MS);
        let heights = || world.hosts().iter().filter_map(|host| Some(host.node()?.chain().tip().height.get()));
        let height = heights().max().unwrap_or(0);
        let behind = heights().filter(|other| *other != height).count();
        let (half_ms, ninety_ms) = propagation(&world, self.nodes);
        GlobeReport {
            links: link_count,
            steps: world.steps(),
            messages: world.messages().all(),
            blocks: world.blocks_mined(),
            height,
            behind,
            virtual_ms: world.now().as_millis(),
            half_ms,
            ninety_ms,
            violations: world.violations().len(),
            log_hash: world.log().hash(),
        }
    }
}

/// Each node calls others by chance, as many as Bitcoin's nodes do.
fn links(nodes: usize, random: &mut Random) -> Vec<Link> {
    let mut links = Vec::new();
    for node in 0..nodes {
        let mut called = Vec::new();
        let wanted = out_degree(random).min(nodes.saturating_sub(1));
        while called.len() < wanted {
            let other = random.index(nodes);
            if other != node && !called.contains(&other) {
                called.push(other);
                links.push((node, other));
            }
        }
    }
    links
}

/// Mean times from the first node that had a block as its tip to half of the nodes and to nine tenths.
fn propagation(world: &World, nodes: usize) -> (u64, u64) {
    let mut by_block = std::collections::BTreeMap::<_, Vec<VirtualTime>>::new();
    for seen in world.observations().iter().flat_map(|seen| &seen.tips) {
        by_block.entry(seen.what.0).or_default().push(seen.at);
    }
    let mut sums = (0, 0);
    let mut whole = 0;
    for times in by_block.values() {
        let (half, ninety) = (times.get(nodes / 2), times.get(nodes * 9 / 10));
        if let (Some(first), Some(half), Some(ninety)) = (times.first(), half, ninety) {
            whole += 1;
            sums.0 += half.micros_since(*first) / 1_000;
            sums.1 += ninety.micros_since(*first) / 1_000;
        }
    }
    let mean = |sum: u64| sum.checked_div(whole).unwrap_or(0);
    (mean(sums.0), mean(sums.1))
}
