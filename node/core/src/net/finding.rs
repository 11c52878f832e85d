//! How a node finds peers: the settings.

use std::net::SocketAddr;

use crate::net::address_book::group::AddressGroups;
use crate::net::address_book::saved::SavedBook;
use crate::net::address_book::secret::Secret;
use crate::net::limits::{BLOCK_ONLY_PEERS, MAX_INBOUND_PER_GROUP, OUTBOUND_PEERS};

/// What stands in the way of somebody who wants to be all of a node's peers. Each can be turned off **in the laboratory only**, to see
/// what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EclipseDefences {
    /// The bucket of an address depends on its group and on who told of it. Without: any address may take any place.
    pub buckets: bool,
    /// Outbound peers are of different groups.
    pub distinct_groups: bool,
    /// Nobody loses a tried place without having failed to answer.
    pub test_before_evict: bool,
    /// Now and then a call that only finds out whether an address answers.
    pub feelers: bool,
    /// The block-only peers of the last run are called first.
    pub anchors: bool,
}

impl EclipseDefences {
    /// All of them.
    pub const ALL: EclipseDefences =
        EclipseDefences { buckets: true, distinct_groups: true, test_before_evict: true, feelers: true, anchors: true };

    /// None of them: for the laboratory only.
    pub const NONE: EclipseDefences = EclipseDefences {
        buckets: false,
        distinct_groups: false,
        test_before_evict: false,
        feelers: false,
        anchors: false,
    };
}

impl Default for EclipseDefences {
    fn default() -> EclipseDefences {
        EclipseDefences::ALL
    }
}

/// How a node finds peers. By default it calls nobody but those it was told to, as simulations and tests want it;
/// [`FindingConfig::standard`] is for real nodes.
#[derive(Clone, Debug)]
pub struct FindingConfig {
    /// Peers to choose and call, for blocks, transactions and addresses.
    pub full_peers: usize,
    /// Peers to choose and call for blocks only: nobody learns of these connections from what passes over them.
    pub block_only_peers: usize,
    /// Which addresses count as one.
    pub groups: AddressGroups,
    /// What stands in the way of an eclipse.
    pub defences: EclipseDefences,
    /// Names (or addresses) of nodes to begin with, besides those of the network: `seed.example.org`, `seed.example.org:9740`, `192.0.2.1:9740`.
    pub seeds: Vec<String>,
    /// Where others can call this node, if that is known; peers that we call are told.
    pub own_address: Option<SocketAddr>,
    /// The secret of a book that is new; `None`: from the seed of [`Node::new`](crate::node::Node::new).
    pub secret: Option<Secret>,
    /// The book of an earlier run.
    pub saved: Option<SavedBook>,
    /// Inbound peers of one group, at most.
    pub max_inbound_per_group: usize,
}

impl FindingConfig {
    /// As a real node does it: 8 peers for everything and 2 for blocks only.
    #[must_use]
    pub fn standard() -> FindingConfig {
        FindingConfig { full_peers: OUTBOUND_PEERS, block_only_peers: BLOCK_ONLY_PEERS, ..FindingConfig::default() }
    }

    /// Whether the node chooses peers by itself.
    pub(crate) fn is_on(&self) -> bool {
        self.full_peers > 0 || self.block_only_peers > 0
    }
}

impl Default for FindingConfig {
    fn default() -> FindingConfig {
        FindingConfig {
            full_peers: 0,
            block_only_peers: 0,
            groups: AddressGroups::default(),
            defences: EclipseDefences::ALL,
            seeds: Vec::new(),
            own_address: None,
            secret: None,
            saved: None,
            max_inbound_per_group: MAX_INBOUND_PER_GROUP,
        }
    }
}
