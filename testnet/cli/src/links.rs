//! Links between nodes. They are made by RPC, once all nodes have said where they listen; a node that comes back dials
//! its own peers, and those that dial it are told to do so now rather than after their next pause.

use std::net::SocketAddr;
use std::thread;

use tally_rpc::client::{Client, ClientError};
use tally_rpc::error::{CLIENT_NODE_ALREADY_ADDED, CLIENT_NODE_NOT_ADDED};

use crate::layout::Layout;
use crate::state::{Addresses, NodeState};
use crate::topology::{Link, links};
use crate::watch::client;

/// Makes all links, all at once.
///
/// # Errors
/// The first node that refuses or does not answer.
pub fn make_all(layout: &Layout, nodes: &[NodeState]) -> Result<(), ClientError> {
    thread::scope(|scope| {
        let dialling: Vec<_> = links(nodes.len())
            .into_iter()
            .filter_map(|link| Some((dialler(layout, nodes, link)?, address(nodes, link.to)?)))
            .map(|(dialler, to)| scope.spawn(move || add(&dialler, to)))
            .collect();
        dialling.into_iter().try_for_each(|thread| thread.join().unwrap_or(Ok(())))
    })
}

/// Tells everybody who dials this node that it is back, and where. A node that does not answer meanwhile finds it by
/// itself, or is started again soon and then dials anew.
pub fn renew(layout: &Layout, nodes: &[NodeState], node: usize, before: Option<Addresses>) {
    for link in links(nodes.len()).into_iter().filter(|link| link.to == node) {
        let Some((dialler, now)) = dialler(layout, nodes, link).zip(address(nodes, node)) else {
            continue;
        };
        // Failures are not the end of it: see above.
        let _ = redial(&dialler, before.map_or(now, |before| before.listen), now);
    }
}

/// Has a node dial at once, unless it has done so by itself.
fn redial(dialler: &Client, old: SocketAddr, now: SocketAddr) -> Result<(), ClientError> {
    let target = now.to_string();
    if dialler.peer_info()?.iter().any(|peer| !peer.inbound && peer.addr == target) {
        return Ok(());
    }
    match dialler.add_node(&old.to_string(), "remove") {
        Err(error) if error.as_rpc().is_none_or(|error| error.code != CLIENT_NODE_NOT_ADDED) => Err(error),
        _ => add(dialler, now),
    }
}

fn dialler(layout: &Layout, nodes: &[NodeState], link: Link) -> Option<Client> {
    let node = nodes.get(link.from).filter(|node| node.pid.is_some())?;
    Some(client(layout, &node.name, &node.addresses?))
}

fn address(nodes: &[NodeState], node: usize) -> Option<SocketAddr> {
    nodes.get(node)?.addresses.map(|addresses| addresses.listen)
}

fn add(dialler: &Client, to: SocketAddr) -> Result<(), ClientError> {
    match dialler.add_node(&to.to_string(), "add") {
        Err(error) if error.as_rpc().is_some_and(|error| error.code == CLIENT_NODE_ALREADY_ADDED) => Ok(()),
        answer => answer,
    }
}
