//! Fetching the chain: headers first, bodies from several peers, and nobody's silence stops it.

use tally_node_core::net::disconnect::DisconnectReason;
use tally_node_core::net::limits::{MAX_BLOCKS_IN_FLIGHT, MAX_STALLS};
use tally_node_core::net::peer::PeerId;
use tally_node_core::testing::{self, BlockBuilder};
use tally_primitives::block::Block;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::Height;
use tally_wire::{InventoryItem, Message};

use crate::bench::{Bench, block, header, headers, much_work};

/// `count` blocks on top of genesis.
fn chain(count: u32, branch: u64) -> Vec<Block> {
    let params = testing::params();
    testing::branch_on(&params, &params.genesis().header, Height::GENESIS, count, branch)
}

fn find<'a>(blocks: &'a [Block], hash: &BlockHash) -> &'a Block {
    blocks.iter().find(|block| block.hash() == *hash).expect("only what exists is asked for")
}

/// Answers everything that the node asks these peers for, until it asks no more.
fn deliver(bench: &mut Bench, peers: &[PeerId], blocks: &[Block]) {
    loop {
        let asked: Vec<(PeerId, BlockHash)> =
            peers.iter().flat_map(|peer| bench.blocks_asked_of(*peer).into_iter().map(|hash| (*peer, hash))).collect();
        if asked.is_empty() {
            return;
        }
        for (peer, hash) in asked {
            bench.receive(peer, block(find(blocks, &hash)));
        }
    }
}

#[test]
fn the_two_best_claims_are_asked_and_a_silent_one_stops_nobody() {
    let mut bench = Bench::new();
    let blocks = chain(3, 0);
    let silent = bench.peer_claiming(much_work());
    assert!(bench.headers_asked_of(silent));
    let second = bench.peer_claiming(much_work());
    assert!(bench.headers_asked_of(second));
    let third = bench.peer_claiming(much_work());
    assert!(!bench.headers_asked_of(third), "two at a time");

    bench.receive(second, headers(&blocks));
    assert!(bench.headers_asked_of(third), "the second has shown what it has, less than it claimed");
    bench.receive(third, headers(&blocks));
    deliver(&mut bench, &[second, third], &blocks);
    assert_eq!(bench.height(), 3);
    assert_eq!(bench.reason(silent), None);
    bench.advance(30_000);
    assert_eq!(bench.reason(silent), Some(&DisconnectReason::HeadersTimeout { millis: 30_000 }));
}

#[test]
fn a_full_message_of_headers_is_followed_by_the_next_request() {
    let mut bench = Bench::new();
    let blocks = chain(2_003, 0);
    let peer = bench.peer_claiming(much_work());
    bench.sent_to(peer);
    bench.receive(peer, headers(&blocks[..2_000]));
    let locator = bench.sent_to(peer).into_iter().find_map(|message| match message {
        Message::GetHeaders { locator, .. } => Some(locator),
        _ => None,
    });
    let locator = locator.expect("the next headers are asked for");
    assert_eq!(locator[0], blocks[1_999].hash());
    assert_eq!(locator.last(), Some(&bench.genesis().hash()));
    assert!(locator.len() <= 101);
    bench.receive(peer, headers(&blocks[2_000..]));
    assert!(!bench.headers_asked_of(peer));
    let progress = bench.node.sync_progress();
    assert_eq!((progress.headers.get(), progress.blocks.get(), progress.initial_sync), (2_003, 0, true));
}

#[test]
fn blocks_come_from_all_peers_at_once_within_bounds() {
    let mut bench = Bench::new();
    let blocks = chain(100, 0);
    let peers = [bench.peer(), bench.peer(), bench.peer()];
    for peer in peers {
        bench.receive(peer, headers(&blocks));
    }
    let asked: Vec<Vec<BlockHash>> = peers.iter().map(|peer| bench.blocks_asked_of(*peer)).collect();
    assert!(asked.iter().all(|hashes| hashes.len() == MAX_BLOCKS_IN_FLIGHT), "{asked:?}");
    let mut all: Vec<BlockHash> = asked.concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 3 * MAX_BLOCKS_IN_FLIGHT, "nothing is asked twice");
    for (peer, hashes) in peers.iter().zip(asked) {
        // In the wrong order, too.
        for hash in hashes.iter().rev() {
            bench.receive(*peer, block(find(&blocks, hash)));
        }
    }
    deliver(&mut bench, &peers, &blocks);
    assert_eq!(bench.height(), 100);
    assert_eq!(bench.node.sync_progress().blocks_in_flight, 0);
}

#[test]
fn the_window_moves_with_the_first_missing_block() {
    let mut bench = Bench::new();
    let blocks = chain(1_200, 0);
    let (holder, other) = (bench.peer(), bench.peer());
    bench.receive(holder, headers(&blocks[..16]));
    let held = bench.blocks_asked_of(holder);
    assert_eq!(held.len(), 16);
    bench.receive(other, headers(&blocks));
    bench.peers_read = true;
    deliver(&mut bench, &[other], &blocks);
    let stored = blocks.iter().filter(|block| bench.node.chain().has_body(&block.hash())).count();
    assert_eq!(stored, 1_024 - 16, "no further than the window above the first missing block");
    for hash in held {
        bench.receive(holder, block(find(&blocks, &hash)));
    }
    deliver(&mut bench, &[other, holder], &blocks);
    assert_eq!(bench.height(), 1_200);
}

#[test]
fn a_stalled_block_is_asked_elsewhere_and_the_time_allowed_adapts() {
    let mut bench = Bench::new();
    let blocks = chain(1, 0);
    let (staller, other) = (bench.peer(), bench.peer());
    bench.receive(staller, headers(&blocks));
    assert_eq!(bench.blocks_asked_of(staller), [blocks[0].hash()]);
    bench.receive(other, headers(&blocks));
    bench.advance(1_999);
    assert_eq!(bench.blocks_asked_of(other), []);
    bench.advance(1);
    assert_eq!(bench.blocks_asked_of(other), [blocks[0].hash()]);
    // When the other is late too, it is the first one's turn again: its request still stands, so nothing is sent.
    bench.advance(1_999);
    assert_eq!(bench.node.sync_progress().blocks_in_flight, 1);
    bench.advance(1);
    assert_eq!(bench.node.sync_progress().blocks_in_flight, 1);
    assert_eq!((bench.blocks_asked_of(staller), bench.blocks_asked_of(other)), (vec![], vec![]));
    bench.receive(staller, block(&blocks[0]));
    assert_eq!(bench.height(), 1, "late is better than never");
    assert_eq!((bench.reason(staller), bench.reason(other)), (None, None));
}

/// The time allowed is each peer's own: else one that stalls would have every other one waited for as long.
#[test]
fn who_is_late_buys_no_time_for_others() {
    let mut bench = Bench::new();
    let blocks = chain(2, 0);
    let (staller, other, third) = (bench.peer(), bench.peer(), bench.peer());
    bench.receive(staller, headers(&blocks[..1]));
    bench.receive(other, headers(&blocks[..1]));
    bench.advance(2_000);
    assert_eq!(bench.blocks_asked_of(other), [blocks[0].hash()]);
    bench.receive(other, block(&blocks[0]));
    bench.receive(other, header(&blocks[1]));
    assert_eq!(bench.blocks_asked_of(other), [blocks[1].hash()]);
    bench.receive(third, header(&blocks[1]));
    bench.advance(1_999);
    assert_eq!(bench.blocks_asked_of(third), []);
    bench.advance(1);
    assert_eq!(bench.blocks_asked_of(third), [blocks[1].hash()]);
}

#[test]
fn however_long_the_only_owner_stalls_the_next_one_is_asked_soon() {
    let mut bench = Bench::new();
    let blocks = chain(1, 0);
    let (staller, other) = (bench.peer(), bench.peer());
    bench.receive(staller, headers(&blocks));
    bench.advance(62_000);
    bench.receive(other, headers(&blocks));
    bench.advance(2_000);
    assert_eq!(bench.blocks_asked_of(other), [blocks[0].hash()]);
}

#[test]
fn a_staller_is_dropped_only_after_others_have_delivered_in_its_place() {
    let mut bench = Bench::new();
    let blocks = chain(MAX_STALLS, 0);
    let (staller, other) = (bench.peer(), bench.peer());
    bench.receive(staller, headers(&blocks));
    assert_eq!(bench.blocks_asked_of(staller).len(), 3);
    bench.advance(10_000);
    assert_eq!(bench.reason(staller), None, "nobody else has the blocks");
    bench.receive(other, headers(&blocks));
    for _ in 0..100 {
        bench.advance(1_000);
        deliver(&mut bench, &[other], &blocks);
    }
    assert_eq!(bench.height(), MAX_STALLS);
    assert_eq!(bench.reason(staller), Some(&DisconnectReason::BlockStall { blocks: MAX_STALLS }));
    assert_eq!(bench.reason(other), None);
}

#[test]
fn what_a_peer_that_left_was_asked_for_is_asked_elsewhere_at_once() {
    let mut bench = Bench::new();
    let blocks = chain(5, 0);
    let (first, second) = (bench.peer(), bench.peer());
    bench.receive(first, headers(&blocks));
    bench.receive(second, headers(&blocks));
    assert_eq!(bench.blocks_asked_of(first).len(), 5);
    assert_eq!(bench.blocks_asked_of(second).len(), 0);
    bench.gone(first);
    assert_eq!(bench.blocks_asked_of(second).len(), 5);
}

#[test]
fn a_block_that_is_not_found_is_asked_elsewhere() {
    let mut bench = Bench::new();
    let blocks = chain(1, 0);
    let (first, second) = (bench.peer(), bench.peer());
    bench.receive(first, headers(&blocks));
    bench.receive(second, headers(&blocks));
    bench.receive(first, Message::NotFound(vec![InventoryItem::Block(blocks[0].hash())]));
    assert_eq!(bench.blocks_asked_of(second), [blocks[0].hash()]);
    assert_eq!(bench.reason(first), None);
}

#[test]
fn bodies_held_back_on_the_best_chain_do_not_hide_another() {
    let mut bench = Bench::new();
    let (withheld, honest_blocks) = (chain(5, 1), chain(3, 2));
    let (withholder, honest) = (bench.peer(), bench.peer());
    bench.receive(withholder, headers(&withheld));
    bench.receive(honest, headers(&honest_blocks));
    deliver(&mut bench, &[honest], &honest_blocks);
    assert_eq!(bench.height(), 3);
    assert_eq!(bench.node.sync_progress().headers.get(), 5);
}

#[test]
fn a_block_with_an_unknown_parent_starts_header_sync() {
    let mut bench = Bench::new();
    let blocks = chain(3, 0);
    let peer = bench.peer();
    bench.receive(peer, block(&blocks[2]));
    assert!(bench.headers_asked_of(peer));
    bench.receive(peer, headers(&blocks));
    deliver(&mut bench, &[peer], &blocks);
    assert_eq!(bench.height(), 3);
}

/// The header is known, but whoever showed it is gone: the next one who claims as much may have the bodies. (The simulator found a
/// node that waited for ever.)
#[test]
fn whoever_claims_the_work_of_a_known_header_is_asked_for_it() {
    let mut bench = Bench::new();
    let blocks = chain(3, 0);
    let first = bench.peer();
    bench.receive(first, headers(&blocks));
    bench.gone(first);
    let best = bench.node.chain().best_header();
    assert_eq!((best.height, bench.height()), (Height::new(3), 0));
    let second = bench.peer_claiming(best.work);
    assert!(bench.headers_asked_of(second));
    bench.receive(second, headers(&blocks[2..]));
    deliver(&mut bench, &[second], &blocks);
    assert_eq!(bench.height(), 3);
}

#[test]
fn announcements_by_hash_or_by_unlinked_headers_lead_to_the_chain() {
    let blocks = chain(3, 0);
    let announcements = [Message::Inventory(vec![InventoryItem::Block(blocks[2].hash())]), headers(&blocks[2..])];
    for announcement in announcements {
        let mut bench = Bench::new();
        let peer = bench.peer();
        bench.receive(peer, announcement);
        assert!(bench.headers_asked_of(peer));
        bench.receive(peer, headers(&blocks));
        deliver(&mut bench, &[peer], &blocks);
        assert_eq!(bench.height(), 3);
    }
}

/// An announcement may cross with a `GetHeaders` whose answer was made before the block was there.
#[test]
fn news_during_a_request_leads_to_another_request() {
    let mut bench = Bench::new();
    let blocks = chain(2, 0);
    let peer = bench.peer_claiming(much_work());
    assert!(bench.headers_asked_of(peer));
    bench.receive(peer, Message::Inventory(vec![InventoryItem::Block(blocks[1].hash())]));
    assert!(!bench.headers_asked_of(peer), "one at a time");
    bench.receive(peer, headers(&blocks[..1]));
    assert!(bench.headers_asked_of(peer));
}

#[test]
fn a_header_too_far_ahead_is_asked_for_when_its_time_has_come() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    let builder = BlockBuilder::on(&testing::params(), &bench.genesis().header, Height::GENESIS);
    let early = builder.time(bench.now.as_seconds() + 7_200 + 15).build();
    bench.receive(peer, header(&early));
    bench.advance(14_000);
    assert!(!bench.headers_asked_of(peer));
    bench.advance(1_000);
    assert!(bench.headers_asked_of(peer));
    bench.receive(peer, header(&early));
    deliver(&mut bench, &[peer], std::slice::from_ref(&early));
    assert_eq!(bench.height(), 1);
}

#[test]
fn a_new_tip_is_announced_to_all_at_once_by_the_form_that_fits() {
    let mut bench = Bench::new();
    // Genesis everybody has: further away than what is announced by headers.
    for _ in 0..9 {
        bench.mine();
    }
    let common = bench.node.chain().tip().hash;
    let (follower, stranger) = (bench.peer(), bench.peer());
    let first = bench.mine();
    let told = bench.sent_to(follower);
    assert_eq!(told, [Message::Inventory(vec![InventoryItem::Block(first.hash())])], "what it has is unknown");
    bench.receive(follower, Message::GetHeaders { locator: vec![common], stop: BlockHash::ZERO });
    assert_eq!(bench.sent_to(follower), [header(&first)]);
    bench.receive(follower, Message::GetData(vec![InventoryItem::Block(first.hash())]));
    assert_eq!(bench.sent_to(follower), [block(&first)]);
    bench.sent_to(stranger);

    let second = bench.mine();
    assert_eq!(bench.sent_to(follower), [header(&second)]);
    assert_eq!(bench.sent_to(stranger), [Message::Inventory(vec![InventoryItem::Block(second.hash())])]);
    let third = bench.mine();
    assert_eq!(bench.sent_to(follower), [header(&third)], "it was told of the second by its header");
}

#[test]
fn an_old_branch_that_nobody_asked_for_is_not_kept() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    for _ in 0..3 {
        bench.mine();
    }
    let old = chain(3, 8);
    bench.receive(peer, block(&old[0]));
    assert!(!bench.node.chain().has_body(&old[0].hash()));
    assert_eq!(bench.reason(peer), None);
    bench.receive(peer, headers(&old[..2]));
    assert_eq!(bench.blocks_asked_of(peer), [], "less work than our tip");
    bench.receive(peer, headers(&old));
    assert_eq!(bench.blocks_asked_of(peer).len(), 3, "as much");
}

#[test]
fn whoever_sent_the_block_is_not_told_of_it() {
    let mut bench = Bench::new();
    let blocks = chain(1, 0);
    let (sender, other) = (bench.peer(), bench.peer());
    bench.receive(sender, headers(&blocks));
    bench.receive(sender, block(&blocks[0]));
    let to_sender = bench.sent_to(sender);
    assert!(to_sender.iter().all(|message| matches!(message, Message::GetData(_))), "{to_sender:?}");
    assert_eq!(bench.sent_to(other).len(), 1);
}

#[test]
fn the_longer_chain_wins_over_the_one_seen_first_and_equal_work_does_not() {
    let mut bench = Bench::new();
    let (short, long) = (chain(2, 1), chain(3, 2));
    let (first, second) = (bench.peer(), bench.peer());
    bench.receive(first, headers(&short));
    deliver(&mut bench, &[first], &short);
    bench.receive(second, headers(&long[..2]));
    deliver(&mut bench, &[second], &long);
    assert_eq!(bench.node.chain().tip().hash, short[1].hash());
    bench.receive(second, headers(&long[2..]));
    deliver(&mut bench, &[second], &long);
    assert_eq!(bench.node.chain().tip().hash, long[2].hash());
}
