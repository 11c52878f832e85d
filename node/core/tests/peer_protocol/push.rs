//! Compact blocks to scripted peers: who is pushed what and when, who is asked to push, and what is served.

use std::sync::Arc;

use tally_node_core::net::address_book::secret::Secret;
use tally_node_core::net::disconnect::{DisconnectReason, Violation};
use tally_node_core::net::finding::FindingConfig;
use tally_node_core::net::limits::{
    MAX_COMPACT_DEPTH, MAX_HIGH_BANDWIDTH_PEERS, MAX_TRANSACTIONS_DEPTH, MAX_TRANSACTIONS_REQUESTS,
    RELAY_FIRST_TRANSACTIONS,
};
use tally_node_core::net::peer::{Direction, PeerId};
use tally_node_core::node::NodeConfig;
use tally_node_core::testing;
use tally_primitives::block::Block;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::{FeeRate, Height};
use tally_wire::{CompactBlock, InventoryItem, Message};

use crate::bench::{Bench, block, header};
use crate::compact::{block_of, compact, give, payments, willing_peer};

/// The compact blocks that the node has pushed to a peer.
fn pushed(bench: &mut Bench, peer: PeerId) -> Vec<Arc<CompactBlock>> {
    let compact = |message| match message {
        Message::CompactBlock(compact) => Some(compact),
        _ => None,
    };
    bench.sent_to(peer).into_iter().filter_map(compact).collect()
}

/// Whether the node has asked a peer to push, or not to, since the last look.
fn told_to_push(bench: &mut Bench, peer: PeerId) -> Vec<bool> {
    let told = |message| match message {
        Message::SendCompact { high_bandwidth } => Some(high_bandwidth),
        _ => None,
    };
    bench.sent_to(peer).into_iter().filter_map(told).collect()
}

#[test]
fn a_block_of_our_own_is_pushed_to_who_wants_that() {
    let mut bench = Bench::new();
    let (eager, modest) = (willing_peer(&mut bench, true), willing_peer(&mut bench, false));
    let mined = bench.mine();
    let pushed = pushed(&mut bench, eager);
    assert_eq!(pushed.len(), 1);
    assert_eq!(pushed[0].hash(), mined.hash());
    assert_eq!(*pushed[0].prefilled[0].transaction, mined.transactions[0], "the coinbase is prefilled");
    assert_eq!(bench.sent_to(modest), [header(&mined)]);
}

#[test]
fn a_large_block_is_passed_on_before_it_is_validated_and_its_transactions_are_served_meanwhile() {
    let mut bench = Bench::new();
    let payments = payments(RELAY_FIRST_TRANSACTIONS + 1);
    let (sender, taker) = (bench.peer(), willing_peer(&mut bench, true));
    let large = block_of(&payments);
    bench.receive(sender, block(&large));
    let pushed = pushed(&mut bench, taker);
    assert_eq!(pushed.len(), 1, "at once");
    assert_eq!(bench.height(), 0, "and not connected yet");
    let wanted = Message::GetBlockTransactions { block: large.hash(), indexes: vec![2, 5] };
    bench.receive(taker, wanted);
    let transactions = [2, 5].map(|index| Arc::new(large.transactions[index].clone())).to_vec();
    assert_eq!(bench.sent_to(taker), [Message::BlockTransactions { block: large.hash(), transactions }]);
    bench.advance(0);
    assert_eq!(bench.height(), 1);
    assert_eq!(bench.sent_to(taker), [], "nothing is said twice");
    assert_eq!(bench.sent_to(sender), []);
}

#[test]
fn a_large_block_that_turns_out_invalid_is_refused_as_any_other() {
    let mut bench = Bench::new();
    let sender = bench.peer();
    let mut payments = payments(RELAY_FIRST_TRANSACTIONS + 1);
    // A signature of another payment.
    payments[3].inputs[0].witness = payments[4].inputs[0].witness.clone();
    let bad = block_of(&payments);
    bench.receive(sender, block(&bad));
    assert_eq!(bench.reason(sender), None, "not known yet");
    bench.advance(0);
    assert_eq!(bench.height(), 0);
    assert!(matches!(bench.reason(sender), Some(DisconnectReason::Violation { .. })));
    assert!(bench.node.chain().index().entry(&bad.hash()).is_some_and(|entry| entry.is_invalid()));
    bench.mine();
    assert_eq!(bench.height(), 1);
}

#[test]
fn who_has_the_block_or_lacks_its_parent_is_not_pushed_to() {
    let mut bench = Bench::new();
    for _ in 0..9 {
        bench.mine();
    }
    let (sender, stranger) = (willing_peer(&mut bench, true), willing_peer(&mut bench, true));
    let tip = bench.node.chain().tip();
    let parent = *bench.node.chain().header(&tip.hash).expect("the tip's header");
    let next = &testing::branch_on(&testing::params(), &parent, tip.height, 1, 1)[0];
    bench.receive(sender, compact(next));
    assert_eq!(bench.height(), 10);
    assert_eq!(pushed(&mut bench, sender), []);
    let to_stranger = bench.sent_to(stranger);
    assert_eq!(to_stranger, [Message::Inventory(vec![InventoryItem::Block(next.hash())])]);
}

#[test]
fn what_the_mempool_lacked_is_prefilled_for_the_next() {
    let mut bench = Bench::new();
    let (sender, taker) = (bench.peer(), willing_peer(&mut bench, true));
    let payments = payments(4);
    give(&mut bench, &payments[..2]);
    bench.receive(sender, block(&block_of(&payments)));
    let places: Vec<u16> = pushed(&mut bench, taker)[0].prefilled.iter().map(|prefilled| prefilled.index).collect();
    assert_eq!(places, [0, 3, 4], "the coinbase, and what was news here");
}

/// Their key depends on the node's secret.
#[test]
fn nobody_knows_short_ids_beforehand() {
    let next = block_of(&[]);
    let nonce = |secret: [u8; 32]| {
        let finding = FindingConfig { secret: Some(Secret::from_bytes(secret)), ..FindingConfig::default() };
        let mut bench = Bench::with(NodeConfig { finding, ..NodeConfig::default() });
        let eager = willing_peer(&mut bench, true);
        bench.node.submit_block(bench.now, Arc::new(next.clone())).expect("an honest block");
        bench.pump();
        pushed(&mut bench, eager)[0].nonce
    };
    assert_eq!(nonce([1; 32]), nonce([1; 32]));
    assert_ne!(nonce([1; 32]), nonce([2; 32]), "the seeds are the same");
}

/// A new peer is first with a new block.
fn first_with_a_block(bench: &mut Bench, peer: PeerId) -> Block {
    let tip = bench.node.chain().tip();
    let parent = *bench.node.chain().header(&tip.hash).expect("the tip's header");
    let next = testing::branch_on(&testing::params(), &parent, tip.height, 1, peer.0).remove(0);
    bench.receive(peer, compact(&next));
    assert_eq!(bench.height(), tip.height.get() + 1);
    next
}

#[test]
fn the_three_that_were_first_lately_push() {
    let mut bench = Bench::new();
    let peers: Vec<PeerId> = (0..5).map(|_| willing_peer(&mut bench, false)).collect();
    for peer in &peers[..MAX_HIGH_BANDWIDTH_PEERS] {
        first_with_a_block(&mut bench, *peer);
        assert_eq!(told_to_push(&mut bench, *peer), [true]);
    }
    first_with_a_block(&mut bench, peers[0]);
    assert_eq!(told_to_push(&mut bench, peers[0]), [true; 0], "it does already");
    first_with_a_block(&mut bench, peers[3]);
    assert_eq!(told_to_push(&mut bench, peers[3]), [true]);
    assert_eq!(told_to_push(&mut bench, peers[1]), [false], "the one that was first longest ago makes room");
    assert_eq!(told_to_push(&mut bench, peers[0]), [true; 0]);
    bench.gone(peers[2]);
    first_with_a_block(&mut bench, peers[4]);
    assert_eq!(told_to_push(&mut bench, peers[4]), [true], "in the place of the one that is gone");
    for peer in [peers[0], peers[3]] {
        assert_eq!(told_to_push(&mut bench, peer), [true; 0]);
    }
}

#[test]
fn one_of_the_three_is_a_peer_that_we_have_called() {
    let mut bench = Bench::new();
    let called = bench.connect(Direction::Outbound);
    bench.receive(called, Message::Version(Box::new(bench.version())));
    bench.receive(called, Message::VersionAck);
    bench.receive(called, Message::SendCompact { high_bandwidth: false });
    first_with_a_block(&mut bench, called);
    let callers: Vec<PeerId> = (0..4).map(|_| willing_peer(&mut bench, false)).collect();
    for caller in &callers {
        first_with_a_block(&mut bench, *caller);
    }
    assert_eq!(told_to_push(&mut bench, called), [false, true], "at the handshake, and never taken back");
    assert_eq!(told_to_push(&mut bench, callers[0]), [true, false]);
}

#[test]
fn what_was_agreed_upon_can_be_seen() {
    let mut bench = Bench::new();
    let peer = willing_peer(&mut bench, true);
    let seen = |bench: &Bench| {
        let info = bench.node.peers(bench.now).find(|info| info.id == peer).expect("it is connected");
        (info.pushes_to_us, info.we_push, info.fee_filter)
    };
    assert_eq!(seen(&bench), (false, true, FeeRate::ZERO));
    first_with_a_block(&mut bench, peer);
    let rate = FeeRate::from_notches_per_kilobyte(5_000);
    bench.receive(peer, Message::FeeFilter { rate });
    assert_eq!(seen(&bench), (true, true, rate));
}

#[test]
fn who_does_not_take_part_is_not_asked_to_push_and_neither_is_a_second_deliverer() {
    let mut bench = Bench::new();
    let (plain, second) = (bench.peer(), willing_peer(&mut bench, false));
    let next = block_of(&[]);
    bench.receive(plain, block(&next));
    bench.receive(second, compact(&next));
    assert_eq!(bench.height(), 1);
    assert_eq!((told_to_push(&mut bench, plain), told_to_push(&mut bench, second)), (vec![], vec![]));
}

#[test]
fn blocks_near_the_tip_are_served_in_compact_form_and_others_whole() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    let mined: Vec<Block> = (0..15).map(|_| bench.mine()).collect();
    bench.sent_to(peer);
    let at_depth = |depth: u32| &mined[mined.len() - 1 - depth as usize];
    for depth in [0, MAX_COMPACT_DEPTH, MAX_COMPACT_DEPTH + 1] {
        let wanted = at_depth(depth);
        bench.receive(peer, Message::GetData(vec![InventoryItem::CompactBlock(wanted.hash())]));
        match bench.sent_to(peer).as_slice() {
            [Message::CompactBlock(compact)] => assert!(compact.hash() == wanted.hash() && depth <= MAX_COMPACT_DEPTH),
            [message] => assert!(*message == block(wanted) && depth > MAX_COMPACT_DEPTH, "{depth}"),
            other => panic!("{other:?}"),
        }
    }
    for depth in [MAX_TRANSACTIONS_DEPTH, MAX_TRANSACTIONS_DEPTH + 1] {
        let wanted = at_depth(depth);
        bench.receive(peer, Message::GetBlockTransactions { block: wanted.hash(), indexes: vec![0] });
        let coinbase = Arc::new(wanted.transactions[0].clone());
        let some = Message::BlockTransactions { block: wanted.hash(), transactions: vec![coinbase] };
        let expected = if depth <= MAX_TRANSACTIONS_DEPTH { some } else { block(wanted) };
        assert_eq!(bench.sent_to(peer), [expected], "{depth}");
    }
}

#[test]
fn what_a_block_does_not_have_cannot_be_asked_for() {
    let mut bench = Bench::new();
    let (lost, liar) = (bench.peer(), bench.peer());
    let mined = bench.mine();
    bench.sent_to(lost);
    let unknown = BlockHash::from_bytes([8; 32]);
    bench.receive(lost, Message::GetBlockTransactions { block: unknown, indexes: vec![0] });
    assert_eq!(bench.sent_to(lost), [Message::NotFound(vec![InventoryItem::CompactBlock(unknown)])]);
    bench.receive(liar, Message::GetBlockTransactions { block: mined.hash(), indexes: vec![0, 1] });
    let expected = Violation::PlaceBeyondBlock { hash: mined.hash(), index: 1, count: 1 };
    assert_eq!(bench.reason(liar), Some(&expected.into()));
}

#[test]
fn requests_for_transactions_wait_for_the_reader_within_a_limit() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    let mined = bench.mine();
    bench.peers_read = false;
    bench.node.handle_send_queue(bench.now, peer, 5_000_000);
    let wanted = Message::GetBlockTransactions { block: mined.hash(), indexes: vec![0] };
    bench.sent_to(peer);
    for _ in 0..MAX_TRANSACTIONS_REQUESTS {
        bench.receive(peer, wanted.clone());
    }
    assert_eq!((bench.sent_to(peer), bench.reason(peer)), (vec![], None));
    bench.node.handle_send_queue(bench.now, peer, 0);
    bench.pump();
    assert_eq!(bench.sent_to(peer).len(), MAX_TRANSACTIONS_REQUESTS);
    bench.node.handle_send_queue(bench.now, peer, 5_000_000);
    for _ in 0..=MAX_TRANSACTIONS_REQUESTS {
        bench.receive(peer, wanted.clone());
    }
    let Some(DisconnectReason::Violation { violation }) = bench.reason(peer) else {
        panic!("more than anybody needs");
    };
    assert!(matches!(**violation, Violation::RequestFlood { max: MAX_TRANSACTIONS_REQUESTS, .. }));
}

#[test]
fn in_initial_sync_nothing_is_pushed_and_compact_blocks_are_headers() {
    let mut bench = Bench::new();
    let (ahead, eager) = (willing_peer(&mut bench, false), willing_peer(&mut bench, true));
    let chain = testing::branch_on(&testing::params(), &bench.genesis().header, Height::GENESIS, 40, 1);
    bench.receive(ahead, crate::bench::headers(&chain));
    let asked = bench.asked_of(ahead);
    assert!(!asked.is_empty() && asked.iter().all(|item| matches!(item, InventoryItem::Block(_))), "{asked:?}");
    bench.receive(ahead, block(&chain[0]));
    assert_eq!(bench.height(), 1);
    assert_eq!(pushed(&mut bench, eager), []);
    assert_eq!(told_to_push(&mut bench, ahead), [true; 0]);
}
