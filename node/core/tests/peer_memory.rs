//! What one hostile peer can make a node keep in memory, by everything that a peer can make a node keep. A binary of its own, with one test,
//! because it counts what the whole process allocates.

#[path = "peer_protocol/bench.rs"]
#[expect(dead_code, reason = "the peer protocol's tests use the rest")]
mod bench;

use std::alloc::System;
use std::net::SocketAddr;
use std::sync::Arc;

use bench::Bench;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tally_node_core::net::limits::{
    MAX_ADDRESS_BOOK, MAX_INBOUND_PEERS, MAX_LOW_WORK_HELD, MAX_SERVE_QUEUE, MAX_TRANSACTIONS_REQUESTS,
    SERVE_QUEUE_BYTES,
};
use tally_node_core::net::peer::PeerId;
use tally_node_core::node::NodeConfig;
use tally_node_core::random::Random;
use tally_node_core::testing;
use tally_primitives::block::Header;
use tally_primitives::hash::{BlockHash, LockHash, Txid, Wtxid};
use tally_primitives::pow::Work;
use tally_primitives::spending::{SpendingPolicy, Witness};
use tally_primitives::transaction::{Input, OutPoint};
use tally_primitives::units::Height;
use tally_wire::limits::{MAX_BLOCK_TRANSACTIONS, MAX_HEADERS};
use tally_wire::{AddressRecord, InventoryItem, Message, Services};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Hostile peers at a time: what they cost together is divided among them.
const PEERS: usize = MAX_INBOUND_PEERS;

/// What a peer may cost, whatever it does, in bytes: all slots together stay below 120 MB. What its connection takes is the daemon's to bound.
const MAX_PEER_BYTES: usize = 1_000_000;

/// Bytes in use.
fn in_use() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

fn hash(random: &mut Random) -> [u8; 32] {
    let mut bytes = [0; 32];
    for chunk in bytes.chunks_mut(8) {
        chunk.copy_from_slice(&random.next_u64().to_le_bytes());
    }
    bytes
}

/// Announces transactions that do not exist.
fn announce(bench: &mut Bench, peer: PeerId, random: &mut Random) {
    for _ in 0..2 {
        let item = |_| InventoryItem::Transaction(Wtxid::from_bytes(hash(random)));
        bench.receive(peer, Message::Inventory((0..5_000).map(item).collect()));
        bench.sent_to(peer);
    }
}

/// Sends transactions that spend what does not exist, with the inputs that take the most memory for their bytes.
fn send_orphans(bench: &mut Bench, peer: PeerId, random: &mut Random) {
    for inputs in [10, 40, 100].into_iter().cycle().take(30) {
        let input = |_| {
            let policy = SpendingPolicy::Opaque(LockHash::from_bytes(hash(random)));
            let policy = SpendingPolicy::Threshold { required: 1, of: vec![SpendingPolicy::Older(1), policy] };
            let witness = Witness { policy, signatures: Vec::new(), preimages: Vec::new() };
            Input { outpoint: OutPoint { txid: Txid::from_bytes(hash(random)), index: 0 }, witness }
        };
        let mut orphan = testing::pay_on(&testing::params(), &testing::allocations(&testing::params())[0], 1_000);
        orphan.inputs = (0..inputs).map(input).collect();
        bench.receive(peer, Message::Transaction(Arc::new(orphan)));
        bench.sent_to(peer);
    }
}

/// Tells addresses.
fn tell_addresses(bench: &mut Bench, peer: PeerId, random: &mut Random) {
    for _ in 0..5 {
        let address = |_| {
            let [a, b, c, d, ..] = random.next_u64().to_le_bytes();
            let address = SocketAddr::from(([a, b, c, d], 9_740));
            AddressRecord { last_seen: 0, services: Services::FULL_CHAIN, address }
        };
        bench.receive(peer, Message::Addresses((0..1_000).map(address).collect()));
    }
}

/// Shows headers whose chain ends before it has enough work.
fn show_headers(bench: &mut Bench, peer: PeerId, headers: &[Header]) {
    for message in headers.chunks(MAX_HEADERS) {
        bench.receive(peer, Message::Headers(message.into()));
        bench.sent_to(peer);
    }
}

/// Asks for everything and reads nothing.
fn ask_and_do_not_read(bench: &mut Bench, peer: PeerId, random: &mut Random, block: BlockHash) {
    bench.node.handle_send_queue(bench.now, peer, SERVE_QUEUE_BYTES);
    for _ in 0..MAX_TRANSACTIONS_REQUESTS {
        let indexes = (0..u16::try_from(MAX_BLOCK_TRANSACTIONS).expect("16 bits are enough")).collect();
        bench.receive(peer, Message::GetBlockTransactions { block, indexes });
    }
    for _ in 0..2 {
        let item = |_| InventoryItem::Block(BlockHash::from_bytes(hash(random)));
        let rest = (MAX_SERVE_QUEUE - MAX_TRANSACTIONS_REQUESTS) / 2;
        bench.receive(peer, Message::GetData((0..rest).map(item).collect()));
    }
    bench.sent_to(peer);
}

#[test]
fn whatever_a_peer_does_it_costs_little_memory() {
    let block = testing::params().target_limit().work();
    let minimum_chain_work: Work = std::iter::repeat_n(block, 9_999).sum();
    let mut bench = Bench::with(NodeConfig { minimum_chain_work, trickle_mean_ms: 0, ..NodeConfig::default() });
    let genesis = bench.genesis().header;
    let headers: Vec<Header> =
        testing::branch_on(&testing::params(), &genesis, Height::GENESIS, 10_000, 3).iter().map(|b| b.header).collect();
    let random = &mut Random::new(11);
    let peers: Vec<PeerId> = (0..PEERS).map(|_| bench.peer()).collect();
    bench.peers_read = false;
    let mut last = in_use();
    let mut total = 0;
    let mut cost = |what: &str| {
        let now = in_use();
        let bytes = now.saturating_sub(last) / PEERS;
        println!("{what:<40} {bytes:>9} bytes a peer");
        last = now;
        total += bytes;
    };
    for peer in &peers {
        announce(&mut bench, *peer, random);
    }
    cost("announcements");
    for peer in &peers {
        send_orphans(&mut bench, *peer, random);
    }
    cost("orphans");
    for peer in &peers {
        tell_addresses(&mut bench, *peer, random);
    }
    cost("addresses");
    for peer in &peers {
        // All of it once, and a second time as much as is held back.
        show_headers(&mut bench, *peer, &headers);
        show_headers(&mut bench, *peer, &headers[..MAX_LOW_WORK_HELD]);
    }
    cost("headers without enough work");
    for peer in &peers {
        ask_and_do_not_read(&mut bench, *peer, random, genesis.hash());
    }
    cost("requests whose answers are not read");
    for peer in &peers {
        assert_eq!(bench.reason(*peer), None, "none of this ends a connection");
    }
    assert_eq!(bench.node.chain().index().len(), 1, "no header is kept");
    assert!(bench.node.address_book().len() <= MAX_ADDRESS_BOOK);
    println!("{:<40} {total:>9} bytes a peer, {} MB for all slots", "together", total * MAX_INBOUND_PEERS / 1_000_000);
    assert!(total < MAX_PEER_BYTES, "{total} bytes a peer");

    // And nothing of it stays when they go.
    let before = in_use();
    for peer in &peers {
        bench.gone(*peer);
    }
    let after = in_use();
    let freed = before.saturating_sub(after) / PEERS;
    println!("{:<40} {freed:>9} bytes a peer", "freed when they go");
    assert!(freed * 10 > total * 9, "{freed} of {total} bytes are freed");
}
