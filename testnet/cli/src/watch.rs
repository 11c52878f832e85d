//! Asks all nodes at once how they are. A node that hangs delays nobody but itself, and that not for long.

use std::time::Duration;

use tally_primitives::hash::BlockHash;
use tally_primitives::units::Height;
use tally_rpc::client::{Auth, Client, ClientError, Timeouts};

use crate::layout::Layout;
use crate::state::{Addresses, NodeState};
use crate::topology::degrees;

const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_millis(500), call: Duration::from_secs(2) };

/// What a node says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// Height of its tip.
    pub height: Height,
    /// Its tip.
    pub tip: BlockHash,
    /// Peers that have finished their handshake.
    pub peers: u32,
    /// Transactions in its mempool.
    pub waiting: u64,
}

/// Keeps a client for each node, with its connection.
#[derive(Debug, Default)]
pub struct Watch {
    clients: Vec<Option<(Addresses, Client)>>,
}

impl Watch {
    /// Asks all nodes. `None` for one that does not run or does not answer.
    pub fn ask(&mut self, layout: &Layout, nodes: &[NodeState]) -> Vec<Option<Health>> {
        self.clients.resize_with(nodes.len(), || None);
        std::thread::scope(|scope| {
            let asked: Vec<_> = self
                .clients
                .iter_mut()
                .zip(nodes)
                .map(|(slot, node)| {
                    prepare(slot, layout, node);
                    slot.as_ref().map(|(_, client)| scope.spawn(|| health(client).ok()))
                })
                .collect();
            asked.into_iter().map(|thread| thread.and_then(|thread| thread.join().unwrap_or(None))).collect()
        })
    }
}

/// A client of a node of ours.
pub fn client(layout: &Layout, node: &str, addresses: &Addresses) -> Client {
    let auth = Auth::CookieFile(layout.cookie(node));
    Client::with_timeouts(addresses.rpc_url(), auth, TIMEOUTS)
}

/// Brings the client up to date: none for a node that does not run, another one for a node that has moved.
fn prepare(slot: &mut Option<(Addresses, Client)>, layout: &Layout, node: &NodeState) {
    let Some(addresses) = node.addresses.filter(|_| node.pid.is_some()) else {
        *slot = None;
        return;
    };
    if slot.as_ref().is_none_or(|(old, _)| *old != addresses) {
        *slot = Some((addresses, client(layout, &node.name, &addresses)));
    }
}

fn health(client: &Client) -> Result<Health, ClientError> {
    let chain = client.blockchain_info()?;
    Ok(Health {
        height: chain.blocks,
        tip: chain.bestblockhash,
        peers: client.connection_count()?,
        waiting: client.mempool_info()?.size,
    })
}

/// What is missing until all nodes are in step: every one answers, has its links, and is at the same tip. `None` when
/// nothing is.
pub fn missing(health: &[Option<Health>]) -> Option<String> {
    let count = health.len();
    let answering: Vec<&Health> = health.iter().flatten().collect();
    if answering.len() < count {
        return Some(format!("{} of {count} nodes answer", answering.len()));
    }
    let wanted = degrees(count);
    let linked = answering.iter().zip(&wanted).filter(|(health, wanted)| health.peers as usize >= **wanted).count();
    if linked < count {
        return Some(format!("{linked} of {count} nodes have all their peers"));
    }
    let first = answering.first()?;
    let together = answering.iter().filter(|health| health.tip == first.tip).count();
    (together < count).then(|| format!("{together} of {count} nodes are at the same tip"))
}

#[cfg(test)]
mod tests;
