//! The network between hosts: how long messages travel, and what stands in their way.
//!
//! | file | what |
//! |---|---|
//! | here | [`Network`]: latency, jitter, loss and bandwidth put together |
//! | [`regions`] | six regions of the world with published figures |
//! | [`bandwidth`] | lines, and the queues in front of them |
//! | [`loss`] | packets that TCP has to send again |
//! | [`connection`] | connections; packets as messages or as frames in pieces |
//! | [`partition`] | a network that falls apart |

pub mod bandwidth;
pub mod connection;
pub mod loss;
pub mod partition;
pub mod regions;

use std::collections::BTreeMap;

use tally_node_core::random::Random;
use tally_wire::Message;

use crate::clock::VirtualTime;
use crate::network::bandwidth::{Bandwidth, Line};
use crate::network::regions::Region;
use crate::topology::Link;

/// How far hosts are from each other.
#[derive(Clone, Debug)]
pub enum Latency {
    /// The same between any two, one way, in milliseconds.
    Constant {
        /// How long.
        millis: u64,
    },
    /// Its own for each link.
    ByLink {
        /// By the lower host and the higher one, in milliseconds.
        millis: BTreeMap<(usize, usize), u64>,
        /// For all others.
        otherwise: u64,
    },
    /// By the regions of the two.
    Regions {
        /// The region of each host.
        of: Vec<Region>,
    },
}

/// What messages go through.
#[derive(Clone, Debug)]
pub struct Network {
    /// How far hosts are from each other.
    pub latency: Latency,
    /// What is added to each journey by chance: exponentially distributed, with this mean in percent of the latency.
    pub jitter_percent: u64,
    /// Packets lost, out of a million.
    pub loss: u64,
    /// The line of each host; without it lines are as fast as can be.
    pub lines: Option<Vec<Bandwidth>>,
    /// What a block counts for on a line, if it is shorter: blocks of a simulation are nearly empty, those of a real network are not.
    pub min_block_bytes: usize,
    /// The same for a compact block.
    pub min_compact_bytes: usize,
}

impl Latency {
    /// A random one for each link.
    pub fn random(links: &[Link], low_ms: u64, high_ms: u64, random: &mut Random) -> Latency {
        let millis = links.iter().map(|(a, b)| ((*a.min(b), *a.max(b)), random.between(low_ms, high_ms))).collect();
        Latency::ByLink { millis, otherwise: high_ms }
    }

    /// Between two hosts, one way, in milliseconds.
    #[must_use]
    pub fn between(&self, a: usize, b: usize) -> u64 {
        match self {
            Latency::Constant { millis } => *millis,
            Latency::ByLink { millis, otherwise } => *millis.get(&(a.min(b), a.max(b))).unwrap_or(otherwise),
            Latency::Regions { of } => match (of.get(a), of.get(b)) {
                (Some(a), Some(b)) => a.latency_ms(*b),
                _ => 0,
            },
        }
    }
}

impl Network {
    /// One in which a message takes so many milliseconds, and nothing else happens to it.
    #[must_use]
    pub fn constant(millis: u64) -> Network {
        Network::with(Latency::Constant { millis })
    }

    /// One with these latencies and nothing else.
    #[must_use]
    pub fn with(latency: Latency) -> Network {
        Network { latency, jitter_percent: 0, loss: 0, lines: None, min_block_bytes: 0, min_compact_bytes: 0 }
    }

    /// Hosts all over the world, as many in each region as Bitcoin has, with the latencies and lines of the regions.
    pub fn world(hosts: usize, random: &mut Random) -> Network {
        let of: Vec<Region> = (0..hosts).map(|_| Region::random(random)).collect();
        let lines = of.iter().map(|region| region.bandwidth()).collect();
        Network { lines: Some(lines), ..Network::with(Latency::Regions { of }) }
    }

    /// Adds random delays to each journey, with this mean in percent of the latency.
    #[must_use]
    pub fn jitter_percent(mut self, percent: u64) -> Network {
        self.jitter_percent = percent;
        self
    }

    /// Loses packets, so many out of a million.
    #[must_use]
    pub fn loss(mut self, out_of_a_million: u64) -> Network {
        self.loss = out_of_a_million;
        self
    }
}

/// A network in use.
#[derive(Debug)]
pub(crate) struct Transit {
    network: Network,
    lines: Vec<Line>,
}

/// A message's way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journey {
    pub from: usize,
    pub to: usize,
    pub one_way_micros: u64,
    pub bytes: usize,
}

impl Transit {
    pub fn new(network: Network) -> Transit {
        let lines = network.lines.iter().flatten().map(|bandwidth| Line::new(*bandwidth)).collect();
        Transit { network, lines }
    }

    pub fn latency_micros(&self, a: usize, b: usize) -> u64 {
        self.network.latency.between(a, b) * 1_000
    }

    /// What a message counts for on a line, given its length.
    pub fn bytes_of(&self, message: &Message, bytes: usize) -> usize {
        match message {
            Message::Block(_) => bytes.max(self.network.min_block_bytes),
            Message::CompactBlock(_) => bytes.max(self.network.min_compact_bytes),
            _ => bytes,
        }
    }

    /// Whether it matters how long a message is.
    pub fn counts_bytes(&self) -> bool {
        !self.lines.is_empty() || self.network.loss > 0
    }

    /// When a message that is sent now arrives.
    pub fn arrival(&mut self, now: VirtualTime, journey: Journey, random: &mut Random) -> VirtualTime {
        let Journey { from, to, one_way_micros, bytes } = journey;
        let mut travels = one_way_micros;
        if self.network.jitter_percent > 0 {
            travels += random.exponential(one_way_micros * self.network.jitter_percent / 100);
        }
        travels += loss::delay_micros(bytes, one_way_micros, self.network.loss, random);
        let left = self.lines.get_mut(from).map_or(now, |line| line.send(now, bytes));
        let last = left.plus_micros(travels);
        match self.lines.get_mut(to) {
            Some(line) => line.receive(now.plus_micros(travels), last, bytes),
            None => last,
        }
    }
}
