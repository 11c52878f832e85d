//! Nobody can make an honest node hold or send without end.

use tally_node_core::net::limits::{MAX_ADDRESS_BOOK, MAX_ORPHANS_PER_PEER};
use tally_node_core::node::Node;

use crate::checkers::honest;
use crate::world::World;

/// Bytes that a connection costs by itself: handshake, addresses, a locator.
const CONNECTION_BYTES: u64 = 64_000;

/// Bytes of a ping or a pong in its frame, and how often there is one at most, in milliseconds.
const PING_BYTES: u64 = 24;
const PING_EVERY_MS: u64 = 30_000;

/// How often the same block, header or payment may go over one connection in one direction: announced, sent, and once again after
/// a reorganisation.
const REPEATS: u64 = 3;

/// Bytes that announcing or asking for a block or a payment takes: a header or a hash, with its frame.
const ANNOUNCEMENT_BYTES: u64 = 150;

/// What every honest node holds, and what it sent to honest ones, is within what the world's blocks, payments and connections
/// explain.
#[must_use]
pub fn bounds(world: &World) -> Vec<String> {
    let mut found = Vec::new();
    for (host, machine) in honest(world) {
        if let Some(node) = machine.node.as_ref() {
            found.extend(memory(world, node).into_iter().map(|wrong| format!("host {host}: {wrong}")));
        }
        let sent = machine.traffic.honest_bytes;
        let allowed = allowed_bytes(world, machine.traffic.connections);
        if sent > allowed {
            found.push(format!("host {host} sent {sent} bytes to honest peers; {allowed} would have been plenty"));
        }
    }
    found
}

fn memory(world: &World, node: &Node) -> Vec<String> {
    let peers = node.sync_progress().peers + 1;
    let headers = 1 + world.blocks + world.forged_headers;
    let held = [
        ("headers", node.chain().index().len() as u64, headers),
        ("addresses", node.known_addresses().count() as u64, MAX_ADDRESS_BOOK as u64),
        ("orphans", node.orphan_count() as u64, (peers * MAX_ORPHANS_PER_PEER) as u64),
        ("payments in the mempool", node.mempool().len() as u64, world.payments() as u64),
    ];
    let too_many = held.into_iter().filter(|(_, held, allowed)| held > allowed);
    too_many.map(|(what, held, allowed)| format!("it holds {held} {what}, more than {allowed}")).collect()
}

/// What a host may have sent over so many connections: on each everything once, with announcements, and some of it again.
fn allowed_bytes(world: &World, connections: u64) -> u64 {
    let things = world.blocks + world.forged_headers + world.payments() as u64;
    let content = world.block_bytes + world.payment_bytes + things * ANNOUNCEMENT_BYTES;
    let pings = world.now().as_millis() / PING_EVERY_MS * PING_BYTES;
    (connections + 1) * (CONNECTION_BYTES + REPEATS * content + pings)
}
