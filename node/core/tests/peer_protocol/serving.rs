//! Answering requests, no faster than the peer reads.

use tally_node_core::net::disconnect::{DisconnectReason, Violation};
use tally_node_core::net::limits::{MAX_SEND_QUEUE_BYTES, MAX_SERVE_QUEUE};
use tally_node_core::node::NodeConfig;
use tally_node_core::testing::{self, BlockBuilder};
use tally_primitives::block::Block;
use tally_primitives::hash::BlockHash;
use tally_primitives::transaction::Transaction;
use tally_wire::{InventoryItem, Message};

use crate::bench::{Bench, block};

/// Mines `count` blocks of some 500 KB on the node.
fn big_blocks(bench: &mut Bench, count: usize) -> Vec<Block> {
    let params = testing::params();
    let coins = testing::allocations(&params);
    let mut blocks: Vec<Block> = Vec::new();
    for coin in coins.iter().take(count) {
        let fat: Transaction = testing::split(&params, coin, 12_000, 1_000_000);
        let tip = bench.node.chain().tip();
        let parent = *bench.node.chain().header(&tip.hash).expect("the tip has a header");
        let block = BlockBuilder::on(&params, &parent, tip.height).with(fat).build();
        bench.node.submit_block(bench.now, std::sync::Arc::new(block.clone())).expect("an honest block");
        bench.pump();
        blocks.push(block);
    }
    blocks
}

fn blocks_in(messages: Vec<Message>) -> Vec<Message> {
    messages.into_iter().filter(|message| matches!(message, Message::Block(_))).collect()
}

#[test]
fn blocks_wait_until_the_peer_has_read_what_was_sent() {
    let mut bench = Bench::with(NodeConfig::default());
    let peer = bench.peer();
    let blocks = big_blocks(&mut bench, 10);
    bench.sent_to(peer);
    bench.peers_read = false;
    let wanted: Vec<InventoryItem> = blocks.iter().map(|block| InventoryItem::Block(block.hash())).collect();
    bench.receive(peer, Message::GetData(wanted));
    let first = blocks_in(bench.sent_to(peer));
    assert!((2..10).contains(&first.len()), "{} blocks at once", first.len());
    bench.advance(100);
    assert_eq!(blocks_in(bench.sent_to(peer)), []);
    bench.node.handle_send_queue(bench.now, peer, 1_900_000);
    bench.pump();
    assert_eq!(blocks_in(bench.sent_to(peer)).len(), 1, "room for one more");
    bench.peers_read = true;
    bench.node.handle_send_queue(bench.now, peer, 0);
    bench.pump();
    let rest = blocks_in(bench.sent_to(peer));
    assert_eq!(first.len() + 1 + rest.len(), 10);
    assert_eq!(rest.last(), Some(&block(&blocks[9])));
}

#[test]
fn whoever_does_not_read_is_dropped() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    bench.node.handle_send_queue(bench.now, peer, MAX_SEND_QUEUE_BYTES);
    bench.pump();
    assert_eq!(bench.reason(peer), None);
    bench.node.handle_send_queue(bench.now, peer, MAX_SEND_QUEUE_BYTES + 1);
    bench.pump();
    assert_eq!(bench.reason(peer), Some(&DisconnectReason::SlowReader { bytes: MAX_SEND_QUEUE_BYTES + 1 }));
}

#[test]
fn more_requests_than_anybody_needs_are_a_violation() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    big_blocks(&mut bench, 5);
    bench.peers_read = false;
    let tip = bench.node.chain().tip().hash;
    let flood = Message::GetData(vec![InventoryItem::Block(tip); 1_000]);
    for _ in 0..2 {
        bench.receive(peer, flood.clone());
    }
    assert_eq!(bench.reason(peer), None);
    bench.receive(peer, flood);
    let Some(DisconnectReason::Violation { violation }) = bench.reason(peer) else {
        panic!("dropped");
    };
    assert!(matches!(**violation, Violation::RequestFlood { max: MAX_SERVE_QUEUE, .. }));
}

#[test]
fn what_is_not_there_is_said_not_to_be_there() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    let unknown = InventoryItem::Block(BlockHash::from_bytes([8; 32]));
    bench.receive(peer, Message::GetData(vec![unknown, InventoryItem::Block(bench.genesis().hash()), unknown]));
    let sent = bench.sent_to(peer);
    assert_eq!(sent, [block(&bench.genesis()), Message::NotFound(vec![unknown, unknown])]);
}

#[test]
fn headers_follow_on_the_last_common_block() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    let mined: Vec<Block> = (0..5).map(|_| bench.mine()).collect();
    bench.sent_to(peer);
    let ask = |locator: &[BlockHash], stop: BlockHash| Message::GetHeaders { locator: locator.to_vec(), stop };
    let unknown = BlockHash::from_bytes([8; 32]);
    let cases = [
        (ask(&[unknown, mined[1].hash()], BlockHash::ZERO), &mined[2..]),
        (ask(&[unknown], BlockHash::ZERO), &mined[..]),
        (ask(&[mined[1].hash()], mined[3].hash()), &mined[2..4]),
        (ask(&[mined[4].hash()], BlockHash::ZERO), &mined[5..]),
    ];
    for (question, expected) in cases {
        bench.receive(peer, question);
        assert_eq!(bench.sent_to(peer), [crate::bench::headers(expected)]);
    }
}
