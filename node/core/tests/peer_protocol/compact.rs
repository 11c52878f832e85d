//! Compact blocks from scripted peers: pushed, asked for, incomplete, wrong, late or never completed.

use std::sync::Arc;

use tally_consensus::subsidy::subsidy;
use tally_node_core::net::disconnect::{DisconnectReason, Violation};
use tally_node_core::net::limits::{COMPACT_HEDGE_MS, COMPACT_TIMEOUT_MS, MAX_RECONSTRUCTIONS_PER_BLOCK};
use tally_node_core::net::peer::PeerId;
use tally_node_core::testing::{self, BlockBuilder};
use tally_primitives::block::Block;
use tally_primitives::hash::BlockHash;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::{Amount, Height};
use tally_wire::{CompactBlock, InventoryItem, Message, ShortId};

use crate::bench::{Bench, block, header};

/// So many payments of different coins.
pub fn payments(count: usize) -> Vec<Transaction> {
    let params = testing::params();
    testing::allocations(&params)[..count].iter().map(|coin| testing::pay_on(&params, coin, 1_000)).collect()
}

/// A block of these payments on genesis.
pub fn block_of(payments: &[Transaction]) -> Block {
    let params = testing::params();
    let builder = BlockBuilder::on(&params, &params.genesis().header, Height::GENESIS);
    payments.iter().fold(builder, |builder, payment| builder.with(payment.clone())).build()
}

pub fn compact_form(block: &Block) -> CompactBlock {
    CompactBlock::new(block, &block.wtxids(), 5, |_| false)
}

pub fn compact(block: &Block) -> Message {
    Message::CompactBlock(Arc::new(compact_form(block)))
}

/// A peer that takes part, and wants blocks pushed or not.
pub fn willing_peer(bench: &mut Bench, high_bandwidth: bool) -> PeerId {
    let peer = bench.peer();
    bench.receive(peer, Message::SendCompact { high_bandwidth });
    peer
}

/// Puts payments into the node's mempool.
pub fn give(bench: &mut Bench, payments: &[Transaction]) {
    for payment in payments {
        bench.node.submit_transaction(bench.now, Arc::new(payment.clone())).expect("an honest payment");
        bench.pump();
    }
}

fn question(block: &Block, indexes: &[u16]) -> Message {
    Message::GetBlockTransactions { block: block.hash(), indexes: indexes.to_vec() }
}

fn answer(block: &Block, indexes: &[usize]) -> Message {
    let transactions = indexes.iter().map(|index| Arc::new(block.transactions[*index].clone())).collect();
    Message::BlockTransactions { block: block.hash(), transactions }
}

/// What the node has sent to a peer about blocks.
fn about_blocks(bench: &mut Bench, peer: PeerId) -> Vec<Message> {
    let is_about_blocks = |message: &Message| match message {
        Message::GetBlockTransactions { .. } | Message::CompactBlock(_) | Message::Block(_) => true,
        Message::GetData(items) => !matches!(items[..], [InventoryItem::Transaction(_), ..]),
        _ => false,
    };
    bench.sent_to(peer).into_iter().filter(is_about_blocks).collect()
}

fn get_whole(block: &Block) -> Message {
    Message::GetData(vec![InventoryItem::Block(block.hash())])
}

#[test]
fn a_pushed_block_of_known_payments_is_taken_without_a_question() {
    let mut bench = Bench::new();
    let peer = willing_peer(&mut bench, false);
    let payments = payments(5);
    give(&mut bench, &payments);
    bench.receive(peer, compact(&block_of(&payments)));
    assert_eq!((bench.height(), bench.node.mempool().len()), (1, 0));
    assert_eq!(about_blocks(&mut bench, peer), []);
}

#[test]
fn what_is_missing_is_asked_for_in_one_round() {
    let mut bench = Bench::new();
    let peer = willing_peer(&mut bench, false);
    let payments = payments(5);
    give(&mut bench, &payments[..3]);
    let block = block_of(&payments);
    bench.receive(peer, compact(&block));
    assert_eq!(about_blocks(&mut bench, peer), [question(&block, &[4, 5])]);
    assert_eq!(bench.height(), 0);
    bench.receive(peer, answer(&block, &[4, 5]));
    assert_eq!(bench.height(), 1);
    assert_eq!(about_blocks(&mut bench, peer), []);
}

#[test]
fn what_was_replaced_refused_or_orphaned_is_found() {
    let mut bench = Bench::new();
    let peer = willing_peer(&mut bench, false);
    let params = testing::params();
    let coins = testing::allocations(&params);
    let replaced = testing::pay_on(&params, &coins[0], 1_000);
    let cheap = testing::pay_on(&params, &coins[1], 1);
    let parent = testing::pay_on(&params, &coins[2], 1_000);
    let orphan = testing::pay_on(&params, &testing::outputs_of(&parent)[0], 1_000);
    give(&mut bench, &[replaced.clone(), testing::pay_on(&params, &coins[0], 50_000)]);
    for transaction in [&cheap, &orphan] {
        bench.receive(peer, Message::Transaction(Arc::new(transaction.clone())));
    }
    let block = block_of(&[replaced, cheap, parent, orphan]);
    bench.sent_to(peer);
    bench.receive(peer, compact(&block));
    assert_eq!(about_blocks(&mut bench, peer), [question(&block, &[3])], "only the orphan's parent is missing");
    bench.receive(peer, answer(&block, &[3]));
    assert_eq!(bench.height(), 1);
}

/// CVE-2024-35202: a second answer met a reconstruction that was half taken apart.
#[test]
fn a_second_answer_finds_nothing() {
    let mut bench = Bench::new();
    let peer = willing_peer(&mut bench, false);
    let block = block_of(&payments(3));
    bench.receive(peer, compact(&block));
    bench.sent_to(peer);
    bench.receive(peer, answer(&block, &[1, 2, 2]));
    assert_eq!(about_blocks(&mut bench, peer), [get_whole(&block)], "the first was wrong: no second round");
    for _ in 0..2 {
        bench.receive(peer, answer(&block, &[1, 2, 3]));
        assert_eq!(bench.height(), 0);
        assert_eq!(about_blocks(&mut bench, peer), []);
    }
    bench.receive(peer, crate::bench::block(&block));
    assert_eq!(bench.height(), 1);
    bench.receive(peer, answer(&block, &[1, 2, 3]));
    assert_eq!((bench.height(), bench.reason(peer)), (1, None));
}

#[test]
fn an_answer_to_no_question_is_ignored() {
    let mut bench = Bench::new();
    let (asked, other) = (willing_peer(&mut bench, false), willing_peer(&mut bench, false));
    let block = block_of(&payments(2));
    bench.receive(other, answer(&block, &[1, 2]));
    bench.receive(asked, compact(&block));
    bench.receive(other, answer(&block, &[1, 2]));
    assert_eq!((bench.height(), bench.reason(other)), (0, None));
    bench.receive(asked, answer(&block, &[1, 2]));
    assert_eq!(bench.height(), 1);
}

#[test]
fn too_few_or_too_many_transactions_lead_to_the_whole_block() {
    for places in [&[1][..], &[1, 2, 1], &[]] {
        let mut bench = Bench::new();
        let peer = willing_peer(&mut bench, false);
        let block = block_of(&payments(2));
        bench.receive(peer, compact(&block));
        bench.sent_to(peer);
        bench.receive(peer, answer(&block, places));
        assert_eq!(about_blocks(&mut bench, peer), [get_whole(&block)]);
        assert_eq!(bench.reason(peer), None, "never punished");
    }
}

#[test]
fn wrong_short_ids_lead_to_the_whole_block() {
    let mut bench = Bench::new();
    let peer = willing_peer(&mut bench, false);
    let payments = payments(4);
    give(&mut bench, &payments);
    let block = block_of(&payments[..2]);
    // The header is the block's, the short ids those of other payments that the node has too.
    let other = block_of(&payments[2..]);
    let wrong = CompactBlock { header: block.header, ..CompactBlock::new(&block, &other.wtxids(), 5, |_| false) };
    bench.receive(peer, Message::CompactBlock(Arc::new(wrong)));
    assert_eq!(about_blocks(&mut bench, peer), [get_whole(&block)]);
    bench.receive(peer, crate::bench::block(&block));
    assert_eq!((bench.height(), bench.reason(peer)), (1, None));
}

#[test]
fn equal_short_ids_lead_to_the_whole_block() {
    let mut bench = Bench::new();
    let peer = willing_peer(&mut bench, false);
    let block = block_of(&payments(2));
    let mut twice = compact_form(&block);
    twice.short_ids = vec![ShortId([1; 6]); 2];
    bench.receive(peer, Message::CompactBlock(Arc::new(twice)));
    assert_eq!(about_blocks(&mut bench, peer), [get_whole(&block)]);
}

#[test]
fn a_block_that_its_pusher_does_not_complete_is_asked_of_another() {
    let mut bench = Bench::new();
    let (silent, honest) = (willing_peer(&mut bench, false), willing_peer(&mut bench, false));
    let block = block_of(&payments(2));
    bench.receive(silent, compact(&block));
    bench.receive(honest, header(&block));
    bench.sent_to(silent);
    assert_eq!(about_blocks(&mut bench, honest), [], "one is asked");
    bench.advance(COMPACT_TIMEOUT_MS - 1);
    assert_eq!(about_blocks(&mut bench, honest), []);
    bench.advance(1);
    assert_eq!(about_blocks(&mut bench, honest), [Message::GetData(vec![InventoryItem::CompactBlock(block.hash())])]);
    assert_eq!(about_blocks(&mut bench, silent), []);
    bench.receive(silent, answer(&block, &[1, 2]));
    assert_eq!((bench.height(), bench.reason(silent)), (0, None), "too late, and no offence");
    bench.receive(honest, compact(&block));
    bench.receive(honest, answer(&block, &[1, 2]));
    assert_eq!(bench.height(), 1);
}

#[test]
fn alone_a_silent_pusher_is_asked_for_the_whole_block() {
    let mut bench = Bench::new();
    let peer = willing_peer(&mut bench, false);
    let block = block_of(&payments(2));
    bench.receive(peer, compact(&block));
    bench.sent_to(peer);
    bench.advance(COMPACT_TIMEOUT_MS);
    assert_eq!(about_blocks(&mut bench, peer), [get_whole(&block)]);
}

#[test]
fn who_pushed_the_same_block_stands_by_and_is_asked_half_a_second_later() {
    let mut bench = Bench::new();
    let peers: Vec<PeerId> = (0..5).map(|_| willing_peer(&mut bench, false)).collect();
    let block = block_of(&payments(2));
    for peer in &peers {
        bench.receive(*peer, compact(&block));
    }
    let asked = |bench: &mut Bench| -> Vec<usize> {
        let sent = peers.iter().map(|peer| about_blocks(bench, *peer));
        sent.map(|messages| messages.len()).collect()
    };
    assert_eq!(asked(&mut bench), [1, 0, 0, 0, 0]);
    bench.advance(COMPACT_HEDGE_MS - 1);
    assert_eq!(asked(&mut bench), [0, 0, 0, 0, 0]);
    bench.advance(1);
    assert_eq!(asked(&mut bench).iter().sum::<usize>(), MAX_RECONSTRUCTIONS_PER_BLOCK - 1, "the others are too many");
    bench.receive(peers[1], answer(&block, &[1, 2]));
    assert_eq!(bench.height(), 1);
    bench.advance(COMPACT_TIMEOUT_MS);
    assert_eq!(asked(&mut bench), [0, 0, 0, 0, 0], "all is settled");
}

#[test]
fn when_the_one_that_is_asked_has_gone_or_has_nothing_the_next_is_asked_at_once() {
    let mut bench = Bench::new();
    let peers: Vec<PeerId> = (0..3).map(|_| willing_peer(&mut bench, false)).collect();
    let block = block_of(&payments(2));
    for peer in &peers {
        bench.receive(*peer, compact(&block));
    }
    bench.gone(peers[0]);
    assert_eq!(about_blocks(&mut bench, peers[1]), [question(&block, &[1, 2])]);
    bench.receive(peers[1], Message::NotFound(vec![InventoryItem::CompactBlock(block.hash())]));
    assert_eq!(about_blocks(&mut bench, peers[2]), [question(&block, &[1, 2])]);
    bench.receive(peers[2], answer(&block, &[1, 2]));
    assert_eq!(bench.height(), 1);
}

/// CVE-2024-52921: a mutated copy made the node forget that it had asked somebody else.
#[test]
fn a_mutated_copy_does_not_cancel_what_was_asked_of_others() {
    let payments = payments(3);
    let honest_block = block_of(&payments);
    let mut wrong_body = honest_block.clone();
    wrong_body.transactions[1] = wrong_body.transactions[2].clone();
    let mut wrong_compact = compact_form(&honest_block);
    wrong_compact.short_ids.clear();
    let mutated = [block(&wrong_body), Message::CompactBlock(Arc::new(wrong_compact))];
    for copy in mutated {
        let mut bench = Bench::new();
        let (honest, hostile) = (willing_peer(&mut bench, false), willing_peer(&mut bench, false));
        bench.receive(honest, compact(&honest_block));
        assert_eq!(about_blocks(&mut bench, honest), [question(&honest_block, &[1, 2, 3])]);
        bench.receive(hostile, copy);
        assert_eq!(about_blocks(&mut bench, honest), [], "still waited for");
        bench.receive(honest, answer(&honest_block, &[1, 2, 3]));
        assert_eq!(bench.height(), 1);
        assert_eq!(bench.reason(honest), None);
    }
}

#[test]
fn the_same_copy_twice_is_one_reconstruction() {
    let mut bench = Bench::new();
    let peer = willing_peer(&mut bench, false);
    let block = block_of(&payments(2));
    bench.receive(peer, compact(&block));
    assert_eq!(about_blocks(&mut bench, peer), [question(&block, &[1, 2])]);
    bench.receive(peer, compact(&block));
    assert_eq!(about_blocks(&mut bench, peer), []);
    bench.receive(peer, answer(&block, &[1, 2]));
    assert_eq!(bench.height(), 1);
}

#[test]
fn a_new_block_is_asked_for_in_compact_form_and_older_ones_whole() {
    let mut bench = Bench::new();
    let (willing, plain) = (willing_peer(&mut bench, false), bench.peer());
    let first = block_of(&[]);
    bench.receive(willing, header(&first));
    assert_eq!(bench.asked_of(willing), [InventoryItem::CompactBlock(first.hash())]);
    bench.receive(willing, compact(&first));
    assert_eq!(bench.height(), 1);
    let params = testing::params();
    let next = testing::branch_on(&params, &first.header, Height::new(1), 2, 1);
    bench.receive(willing, crate::bench::headers(&next));
    let wanted = [InventoryItem::CompactBlock(next[0].hash()), InventoryItem::Block(next[1].hash())];
    assert_eq!(bench.asked_of(willing), wanted, "the second one's transactions are not the mempool's");
    // A peer that never said that it takes part may not even know what a compact block is.
    let other = testing::branch_on(&params, &first.header, Height::new(1), 1, 2);
    bench.receive(plain, crate::bench::headers(&other));
    assert_eq!(bench.asked_of(plain), [InventoryItem::Block(other[0].hash())]);
}

#[test]
fn a_silent_peer_that_was_asked_for_a_compact_block_counts_as_any_other() {
    let mut bench = Bench::new();
    let (silent, honest) = (willing_peer(&mut bench, false), willing_peer(&mut bench, false));
    let block = block_of(&[]);
    bench.receive(silent, header(&block));
    bench.receive(honest, header(&block));
    bench.advance(2_000);
    assert_eq!(bench.asked_of(honest), [InventoryItem::CompactBlock(block.hash())]);
    bench.receive(honest, compact(&block));
    assert_eq!(bench.height(), 1);
}

#[test]
fn a_pusher_has_checked_the_header_alone_and_answers_for_that() {
    let params = testing::params();
    let greedy = BlockBuilder::on(&params, &params.genesis().header, Height::GENESIS);
    let too_much = subsidy(&params, Height::new(1)).checked_add(Amount::from_notches(1)).expect("far below the supply");
    let greedy = greedy.claim(too_much).build();
    let mut bench = Bench::new();
    let (pusher, sender) = (willing_peer(&mut bench, false), bench.peer());
    bench.receive(pusher, compact(&greedy));
    assert_eq!((bench.height(), bench.reason(pusher)), (0, None), "it may have passed it on before it validated it");
    let mut bench_of_another = Bench::new();
    let other = bench_of_another.peer();
    bench_of_another.receive(other, block(&greedy));
    assert!(matches!(bench_of_another.reason(other), Some(DisconnectReason::Violation { .. })));
    bench.receive(pusher, compact(&greedy));
    bench.receive(sender, compact(&greedy));
    assert_eq!(bench.reason(pusher), None);

    let mut without_work = block_of(&[]);
    while without_work.header.bits.to_target().expect("a target").is_met_by(&without_work.header.hash()) {
        without_work.header.nonce += 1;
    }
    bench.receive(pusher, compact(&without_work));
    let Some(DisconnectReason::Violation { violation }) = bench.reason(pusher) else {
        panic!("a header without work is an offence");
    };
    assert!(matches!(**violation, Violation::Header { .. }));
}

#[test]
fn a_push_without_a_known_parent_is_a_reason_to_ask_for_headers() {
    let mut bench = Bench::new();
    let peer = willing_peer(&mut bench, false);
    let far = testing::branch_on(&testing::params(), &block_of(&[]).header, Height::new(1), 1, 1);
    bench.receive(peer, compact(&far[0]));
    assert!(bench.headers_asked_of(peer));
    assert_eq!(bench.reason(peer), None);
}

#[test]
fn a_push_with_less_work_than_the_tip_leaves_no_trace() {
    let mut bench = Bench::new();
    let peer = willing_peer(&mut bench, false);
    for _ in 0..3 {
        bench.mine();
    }
    let old = block_of(&payments(1));
    bench.receive(peer, compact(&old));
    assert!(bench.node.chain().header(&old.hash()).is_none());
    assert_eq!((about_blocks(&mut bench, peer), bench.reason(peer)), (vec![], None));
}

#[test]
fn an_unknown_block_is_never_asked_about_by_its_transactions() {
    let mut bench = Bench::new();
    let peer = willing_peer(&mut bench, false);
    let unknown = BlockHash::from_bytes([9; 32]);
    bench.receive(peer, Message::BlockTransactions { block: unknown, transactions: Vec::new() });
    assert_eq!((bench.height(), bench.reason(peer)), (0, None));
}
