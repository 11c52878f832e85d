//! A machine: a node while it runs, a store that outlives it, a clock that may be wrong, and whatever its owner is up to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use tally_node_core::chain::ChainError;
use tally_node_core::node::{Node, NodeConfig};
use tally_primitives::params::Params;
use tally_primitives::pow::Work;
use tally_primitives::units::Timestamp;

use crate::clock::{HostClock, VirtualTime};
use crate::disk::Disk;
use crate::hostile::Malice;

/// Every host listens here, on an address of its own.
pub const PORT: u16 = 9_740;

/// The first byte of the first host's address.
const FIRST_NETWORK: usize = 11;
/// Addresses from here on are a machine's own (127.0.0.0/8): skipped.
const LOOPBACK_NETWORK: usize = 127;

/// How a node dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// After it has carried out so many outputs more; 0: between two calls.
    AfterOutputs(u32),
    /// While its next change set is being written. If `torn`, bodies and undo data reach the disk and the rest does not, otherwise nothing.
    InCommit {
        /// Whether a part is written.
        torn: bool,
    },
}

/// What a host has sent and received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Messages sent.
    pub sent: u64,
    /// Their bytes, where bytes are counted.
    pub sent_bytes: u64,
    /// Those of them that went to honest hosts.
    pub honest_bytes: u64,
    /// Bytes received.
    pub received_bytes: u64,
    /// Connections that it has had.
    pub connections: u64,
}

/// A machine.
pub struct Host {
    pub(crate) node: Option<Node>,
    pub(crate) disk: Disk,
    /// Whom its node calls.
    pub(crate) calls: Vec<SocketAddr>,
    /// The connections that have an open end here.
    pub(crate) connections: Vec<u32>,
    /// When its next tick is scheduled.
    pub(crate) tick_at: Option<VirtualTime>,
    /// How its node is going to die soon.
    pub(crate) death: Option<Death>,
    /// The work of its tip when last looked at; forgotten in a crash, which may lose what was not committed.
    pub(crate) work: Work,
    pub(crate) starts: u64,
    pub(crate) clock: HostClock,
    /// What its owner is up to, if it is not honest.
    pub(crate) malice: Option<Malice>,
    pub(crate) traffic: Traffic,
    seed: u64,
    trickle_mean_ms: u64,
}

/// Where a host listens: each in a network (/16) of its own, for nodes choose their peers by that.
#[must_use]
pub fn address_of(host: usize) -> SocketAddr {
    let mut first = FIRST_NETWORK + host / 256;
    if first >= LOOPBACK_NETWORK {
        first += 1;
    }
    let byte = |number: usize| u8::try_from(number % 256).unwrap_or(0);
    SocketAddr::new(IpAddr::V4(Ipv4Addr::new(byte(first), byte(host), 0, 1)), PORT)
}

/// Which of `hosts` hosts listens at an address.
#[must_use]
pub fn host_at(address: SocketAddr, hosts: usize) -> Option<usize> {
    let IpAddr::V4(ip) = address.ip() else {
        return None;
    };
    let [first, second, ..] = ip.octets().map(usize::from);
    let network = first.checked_sub(FIRST_NETWORK + usize::from(first > LOOPBACK_NETWORK))?;
    let host = network * 256 + second;
    (host < hosts && address_of(host) == address).then_some(host)
}

impl Host {
    pub(crate) fn new(seed: u64, disk: Disk, calls: Vec<SocketAddr>, clock: HostClock, trickle_mean_ms: u64) -> Host {
        Host {
            node: None,
            disk,
            calls,
            connections: Vec::new(),
            tick_at: None,
            death: None,
            work: Work::ZERO,
            starts: 0,
            clock,
            malice: None,
            traffic: Traffic::default(),
            seed,
            trickle_mean_ms,
        }
    }

    /// The node, if it runs.
    #[must_use]
    pub fn node(&self) -> Option<&Node> {
        self.node.as_ref()
    }

    /// Its store.
    #[must_use]
    pub fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Whether it keeps to the rules.
    #[must_use]
    pub fn is_honest(&self) -> bool {
        self.malice.is_none()
    }

    /// What it has sent and received.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Starts the node on what the store holds.
    pub(crate) fn start(&mut self, params: &Arc<Params>, now: Timestamp) -> Result<(), ChainError> {
        let config = NodeConfig {
            user_agent: "tally-sim".to_owned(),
            listen_port: PORT,
            trickle_mean_ms: self.trickle_mean_ms,
            connect: self.calls.clone(),
            ..NodeConfig::default()
        };
        self.starts += 1;
        let seed = self.seed.wrapping_add(self.starts);
        let node = Node::new(config, params.clone(), Box::new(self.disk.clone()), seed, now)?;
        self.work = node.chain().tip().work;
        self.node = Some(node);
        Ok(())
    }

    /// The node is gone, and with it everything that was not committed. Returns its connections.
    pub(crate) fn crash(&mut self) -> Vec<u32> {
        self.node = None;
        self.tick_at = None;
        self.death = None;
        std::mem::take(&mut self.connections)
    }
}
