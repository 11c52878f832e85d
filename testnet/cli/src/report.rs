//! The shape of `status --json`, which `up --json` prints as well.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::Height;

use crate::layout::{Layout, PEOPLE};
use crate::state::{NodeState, State};
use crate::watch::Health;

/// A whole network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Every node of this run.
    pub nodes: Vec<NodeReport>,
    /// The demo wallets by their owner.
    pub wallets: BTreeMap<String, PathBuf>,
    /// The network file.
    pub network_file: PathBuf,
    /// The page that shows the whole network; null if there is none.
    pub web: Option<String>,
}

/// One node. What is not known of a node that does not run or answer is null.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeReport {
    /// Its name.
    pub name: String,
    /// Its process.
    pub pid: Option<u32>,
    /// `ip:port` for peers.
    pub listen: Option<String>,
    /// URL for JSON-RPC.
    pub rpc: Option<String>,
    /// The file that lets one call it.
    pub cookie: PathBuf,
    /// URL for browsers.
    pub web: Option<String>,
    /// URL for miners; missing unless it lets them connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stratum: Option<String>,
    /// How many peers it has.
    pub peers: Option<u32>,
    /// Height of its tip.
    pub height: Option<Height>,
    /// Its tip.
    pub tip: Option<BlockHash>,
    /// Transactions in its mempool; for the table only.
    #[serde(skip)]
    pub waiting: Option<u64>,
}

impl Report {
    /// Puts together what is known.
    pub fn new(layout: &Layout, state: &State, health: &[Option<Health>]) -> Report {
        let health = health.iter().copied().chain(std::iter::repeat(None));
        Report {
            nodes: state.nodes.iter().zip(health).map(|(node, health)| node_report(layout, node, health)).collect(),
            wallets: PEOPLE.iter().map(|person| ((*person).to_owned(), layout.wallet(person))).collect(),
            network_file: layout.network_file(),
            web: None,
        }
    }
}

fn node_report(layout: &Layout, node: &NodeState, health: Option<Health>) -> NodeReport {
    // The addresses of a node that does not run are only where it was.
    let addresses = node.addresses.filter(|_| node.pid.is_some());
    NodeReport {
        name: node.name.clone(),
        pid: node.pid,
        listen: addresses.map(|addresses| addresses.listen.to_string()),
        rpc: addresses.map(|addresses| addresses.rpc_url()),
        cookie: layout.cookie(&node.name),
        web: addresses.and_then(|addresses| addresses.web_url()),
        stratum: addresses.and_then(|addresses| addresses.stratum_url()),
        peers: health.map(|health| health.peers),
        height: health.map(|health| health.height),
        tip: health.map(|health| health.tip),
        waiting: health.map(|health| health.waiting),
    }
}

#[cfg(test)]
mod tests;
