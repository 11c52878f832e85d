//! How likely it is that all whom a node calls are hostile, when an attacker owns a share of the addresses that it has heard of.
//!
//! Of N known addresses f N are hostile, and everybody who is called answers. A node without defences draws its eight peers among all alike, so all
//! are hostile with the probability Π (f N − i) / (N − i) for i = 0 … 7, which is nearly f⁸. The attacker's addresses lie in a few networks, as addresses do that
//! somebody owns, and come from one teller; each honest one lies in a network of its own and comes from somebody else. With the
//! defences no two peers are of one network, so fewer networks than peers are never enough, and the chance is zero whatever f is.
//! Before that rule matters, buckets have made the attacker's addresses rare: one teller's addresses of one network share a bucket, and buckets are drawn alike.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use tally_node_core::chain::memory::MemoryStore;
use tally_node_core::net::finding::{EclipseDefences, FindingConfig};
use tally_node_core::net::limits::{CALL_PACE_MS, OUTBOUND_PEERS};
use tally_node_core::net::peer::{Direction, PeerId};
use tally_node_core::node::{Node, NodeConfig, Output};
use tally_node_core::random::Random;
use tally_node_core::testing;
use tally_primitives::pow::Work;
use tally_primitives::units::{Height, Timestamp};
use tally_wire::{Message, Services, Version};

use crate::labs::statistics::{Share, Uncertain};
use crate::labs::{Axis, Effort, Lab, LabReport, Plot, Row, Series};

/// Addresses that the node has heard of.
const ADDRESSES: usize = 400;

/// Networks in which the attacker has addresses.
const HOSTILE_NETWORKS: usize = 4;

/// Hostile addresses, of a hundred.
const PERCENTS: [usize; 6] = [50, 60, 70, 80, 90, 95];

/// Time enough for many more calls than there are slots, in milliseconds.
const PATIENCE_MS: u64 = 50 * CALL_PACE_MS;

/// When a row passes, in words.
const RULE: &str =
    "theory within the 99.9 % interval (Wilson's, over independent nodes), and no node eclipsed that defends itself";

/// The lab.
#[derive(Clone, Copy, Debug)]
pub struct Eclipse {
    /// How much to do: a world is a node without defences, and one with them.
    pub effort: Effort,
}

/// Hostile ones among the peers of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Without defences.
    open: usize,
    /// With them.
    defended: usize,
}

impl Lab for Eclipse {
    type Sample = Outcome;

    fn runs(&self) -> usize {
        PERCENTS.len() * self.effort.worlds
    }

    fn run(&self, number: usize) -> Outcome {
        let hostile = ADDRESSES * PERCENTS[number / self.effort.worlds] / 100;
        let seed = self.effort.seed_of(number);
        Outcome {
            open: hostile_peers(seed, hostile, EclipseDefences::NONE),
            defended: hostile_peers(seed, hostile, EclipseDefences::ALL),
        }
    }

    fn conclude(&self, samples: Vec<Outcome>) -> LabReport {
        let rows: Vec<Row> = PERCENTS.into_iter().zip(samples.chunks(self.effort.worlds)).map(row).collect();
        let x = Axis { label: "share of hostile addresses", logarithmic: false };
        let series = vec![
            Series::measured(&rows),
            Series::curve("theory", x, 0.4, 1.0, |share| all_hostile(share, ADDRESSES, OUTBOUND_PEERS)),
            Series::more(&rows, "defended", "with the defences", false),
        ];
        LabReport {
            lab: "eclipse",
            seed: self.effort.seed,
            parameter: "hostile_share",
            quantity: "chance that all outbound peers are hostile, without the defences",
            rule: RULE,
            figures: Vec::new(),
            plot: Plot {
                title: "Who is alone among hostile peers",
                x,
                y: Axis { label: "chance that all peers are hostile", logarithmic: false },
                series,
            },
            rows,
        }
    }
}

fn row((percent, samples): (usize, &[Outcome])) -> Row {
    let at = percent as f64 / 100.0;
    let eclipsed = |peers: fn(&Outcome) -> usize| {
        let hits = samples.iter().filter(|sample| peers(sample) == OUTBOUND_PEERS).count();
        Share { hits, trials: samples.len() }
    };
    let mean = |peers: fn(&Outcome) -> usize| samples.iter().map(peers).sum::<usize>() as f64 / samples.len() as f64;
    let (open, defended) = (eclipsed(|sample| sample.open), eclipsed(|sample| sample.defended));
    let theory = all_hostile(at, ADDRESSES, OUTBOUND_PEERS);
    Row {
        at,
        measured: open.value(),
        theory,
        interval: open.printed(),
        pass: open.allows(theory) && defended.hits == 0,
        more: vec![
            ("f^8", at.powi(8)),
            ("defended", defended.value()),
            ("hostile_peers", mean(|sample| sample.open)),
            ("hostile_peers_defended", mean(|sample| sample.defended)),
        ],
    }
}

/// The probability that so many, drawn without putting back, are all hostile.
#[must_use]
pub fn all_hostile(share: f64, addresses: usize, peers: usize) -> f64 {
    let hostile = (share * addresses as f64).round();
    let drawn = |number: usize| (hostile - number as f64).max(0.0) / (addresses - number) as f64;
    (0..peers).map(drawn).product()
}

/// Hostile ones among the peers of a node that has heard of so many hostile addresses.
fn hostile_peers(seed: u64, hostile: usize, defences: EclipseDefences) -> usize {
    let mut random = Random::new(seed);
    let finding = FindingConfig { full_peers: OUTBOUND_PEERS, defences, ..FindingConfig::default() };
    let config = NodeConfig { finding, ..NodeConfig::default() };
    let now = testing::now();
    let store = MemoryStore::new();
    let Ok(node) = Node::new(config, testing::params(), Box::new(store.clone()), random.next_u64(), now) else {
        return 0;
    };
    let mut bench = Bench { node, store, now, next_peer: 0, peers: BTreeSet::new() };
    bench.pump();
    for number in in_random_order(ADDRESSES, &mut random) {
        let teller = if number < hostile { "the attacker".to_owned() } else { format!("teller {number}") };
        bench.node.handle_seed(now, &teller, &[address(number, hostile)]);
        bench.pump();
    }
    bench.let_call(now.saturating_add_millis(PATIENCE_MS));
    let is_hostile = |peer: &&SocketAddr| (0..hostile).any(|number| address(number, hostile) == **peer);
    bench.peers.iter().filter(is_hostile).count()
}

/// Hostile ones first: a few networks with many hosts each, then networks of one.
fn address(number: usize, hostile: usize) -> SocketAddr {
    let byte = |number: usize| u8::try_from(number % 256).unwrap_or(0);
    let port = 9_740;
    if number < hostile {
        let (network, host) = (number % HOSTILE_NETWORKS, number / HOSTILE_NETWORKS);
        SocketAddr::from(([60 + byte(network), 1, byte(host / 250), 1 + byte(host % 250)], port))
    } else {
        SocketAddr::from(([80 + byte(number / 256), byte(number), 1, 1], port))
    }
}

fn in_random_order(count: usize, random: &mut Random) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for place in (1..count).rev() {
        order.swap(place, random.index(place + 1));
    }
    order
}

/// A node whose every call is answered at once.
struct Bench {
    node: Node,
    store: MemoryStore,
    now: Timestamp,
    next_peer: u64,
    /// Whom the node has called.
    peers: BTreeSet<SocketAddr>,
}

impl Bench {
    /// Lets the node call until it has what it wants.
    fn let_call(&mut self, end: Timestamp) {
        while self.peers.len() < OUTBOUND_PEERS
            && let Some(at) = self.node.next_timeout().filter(|at| *at <= end)
        {
            self.now = self.now.max(at);
            self.node.tick(self.now);
            self.pump();
        }
    }

    fn pump(&mut self) {
        while let Some(output) = self.node.poll_output() {
            match output {
                Output::Dial { address } => self.answer(address),
                // A store in memory refuses nothing that a node makes of genesis.
                Output::Commit(changes) => drop(self.store.apply(*changes)),
                _ => {}
            }
        }
    }

    /// Somebody is there, and shakes hands.
    fn answer(&mut self, address: SocketAddr) {
        self.next_peer += 1;
        let id = PeerId(self.next_peer);
        self.peers.insert(address);
        self.node.handle_peer_connected(self.now, id, address, Direction::Outbound);
        let version = Version {
            protocol: 1,
            services: Services::FULL_CHAIN,
            genesis: self.node.chain().genesis_hash(),
            time: self.now,
            nonce: u64::MAX - self.next_peer,
            user_agent: "somebody".to_owned(),
            listen_port: address.port(),
            height: Height::GENESIS,
            chain_work: Work::ZERO,
        };
        self.node.handle_message(self.now, id, Message::Version(Box::new(version)));
        self.node.handle_message(self.now, id, Message::VersionAck);
    }
}
