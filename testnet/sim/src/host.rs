//! A machine: a node while it runs, and the store that outlives it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use tally_node_core::chain::ChainError;
use tally_node_core::chain::memory::MemoryStore;
use tally_node_core::net::peer::PeerId;
use tally_node_core::node::{Node, NodeConfig};
use tally_primitives::params::Params;
use tally_primitives::pow::Work;
use tally_primitives::units::Timestamp;

/// Every host listens here, on an address of its own.
pub const PORT: u16 = 9_740;

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// The connection's number in the world.
    pub connection: u64,
    /// Which of its two ends.
    pub end: usize,
}

/// A machine.
pub struct Host {
    pub(crate) node: Option<Node>,
    pub(crate) store: MemoryStore,
    /// Whom its node calls.
    pub(crate) calls: Vec<SocketAddr>,
    /// The node's connections.
    pub(crate) peers: BTreeMap<PeerId, Attachment>,
    /// When its next tick is scheduled.
    pub(crate) tick_at: Option<Timestamp>,
    /// The node dies after carrying out so many outputs more.
    pub(crate) outputs_to_live: Option<u32>,
    /// The work of its tip when last looked at; forgotten in a crash, which may lose what was not committed.
    pub(crate) work: Work,
    pub(crate) starts: u64,
    seed: u64,
    trickle_mean_ms: u64,
}

/// Where a host listens.
#[must_use]
pub fn address_of(host: usize) -> SocketAddr {
    let [.., high, low] = host.to_be_bytes();
    SocketAddr::from(([10, 1, high, low], PORT))
}

/// Which of `hosts` hosts listens at an address.
#[must_use]
pub fn host_at(address: SocketAddr, hosts: usize) -> Option<usize> {
    (0..hosts).find(|host| address_of(*host) == address)
}

impl Host {
    pub(crate) fn new(seed: u64, calls: Vec<SocketAddr>, trickle_mean_ms: u64) -> Host {
        Host {
            node: None,
            store: MemoryStore::new(),
            calls,
            peers: BTreeMap::new(),
            tick_at: None,
            outputs_to_live: None,
            work: Work::ZERO,
            starts: 0,
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
    pub fn store(&self) -> &MemoryStore {
        &self.store
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
        let node = Node::new(config, params.clone(), Box::new(self.store.clone()), seed, now)?;
        self.work = node.chain().tip().work;
        self.node = Some(node);
        Ok(())
    }

    /// The node is gone, and with it everything that was not committed. Returns the ends of its connections.
    pub(crate) fn crash(&mut self) -> Vec<Attachment> {
        self.node = None;
        self.tick_at = None;
        self.outputs_to_live = None;
        std::mem::take(&mut self.peers).into_values().collect()
    }
}
