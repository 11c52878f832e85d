//! Payments on their way: announced, asked for, passed on; orphans and their parents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tally_node_core::net::limits::{MAX_ANNOUNCED_TRANSACTIONS, MAX_TRANSACTIONS_IN_FLIGHT};
use tally_node_core::net::peer::{Direction, PeerId};
use tally_node_core::node::NodeConfig;
use tally_node_core::testing::{self, BlockBuilder};
use tally_primitives::hash::Wtxid;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::Height;
use tally_wire::{InventoryItem, Message};

use crate::bench::{Bench, block, header, headers};

fn payment(coin: usize) -> Transaction {
    let params = testing::params();
    testing::pay_on(&params, &testing::allocations(&params)[coin], 1_000)
}

fn child_of(parent: &Transaction) -> Transaction {
    testing::pay_on(&testing::params(), &testing::outputs_of(parent)[0], 1_000)
}

fn by_wtxid(transaction: &Transaction) -> InventoryItem {
    InventoryItem::Transaction(transaction.wtxid())
}

fn inventory(transaction: &Transaction) -> Message {
    Message::Inventory(vec![by_wtxid(transaction)])
}

fn send(transaction: &Transaction) -> Message {
    Message::Transaction(Arc::new(transaction.clone()))
}

fn in_mempool(bench: &Bench, transaction: &Transaction) -> bool {
    bench.node.mempool().contains(&transaction.txid())
}

#[test]
fn an_announced_payment_is_asked_for_once_and_passed_on_to_those_who_lack_it() {
    let mut bench = Bench::new();
    let (first, second, third) = (bench.peer(), bench.peer(), bench.peer());
    let payment = payment(0);
    bench.receive(first, inventory(&payment));
    bench.receive(second, inventory(&payment));
    assert_eq!(bench.asked_of(first), [by_wtxid(&payment)]);
    assert_eq!(bench.asked_of(second), []);
    bench.receive(first, send(&payment));
    assert!(in_mempool(&bench, &payment));
    bench.advance(0);
    assert!(bench.sent_to(third).contains(&inventory(&payment)));
    for knows in [first, second] {
        assert!(!bench.sent_to(knows).contains(&inventory(&payment)));
    }
    bench.receive(third, Message::GetData(vec![by_wtxid(&payment)]));
    assert_eq!(bench.sent_to(third), [send(&payment)]);
}

#[test]
fn a_payment_waits_a_short_random_time_and_its_parents_go_first() {
    let mut bench = Bench::with(NodeConfig { trickle_mean_ms: 1_000, ..NodeConfig::default() });
    let peer = bench.peer();
    let parent = payment(0);
    let child = child_of(&parent);
    for transaction in [&parent, &child] {
        bench.node.submit_transaction(bench.now, Arc::new(transaction.clone())).expect("an honest payment");
        bench.pump();
    }
    assert_eq!(bench.sent_to(peer), []);
    let mut delay = 0;
    let items = loop {
        bench.advance(10);
        delay += 10;
        let sent = bench.sent_to(peer);
        if let Some(Message::Inventory(items)) =
            sent.into_iter().find(|message| matches!(message, Message::Inventory(_)))
        {
            break items;
        }
        assert!(delay < 8_000, "never announced");
    };
    assert_eq!(items, [by_wtxid(&parent), by_wtxid(&child)], "in one message");
    assert!(delay > 10, "the seed gives a delay");
}

#[test]
fn who_calls_often_hears_no_earlier_than_who_calls_once() {
    let config = NodeConfig { trickle_mean_ms: 1_000, trickle_inbound_mean_ms: Some(3_000), ..NodeConfig::default() };
    let mut bench = Bench::with(config);
    let callers: Vec<_> = (0..20).map(|_| bench.peer()).collect();
    let called: Vec<_> = (0..8)
        .map(|_| {
            let peer = bench.connect(Direction::Outbound);
            bench.receive(peer, Message::Version(Box::new(bench.version())));
            bench.receive(peer, Message::VersionAck);
            peer
        })
        .collect();
    let payment = payment(0);
    bench.node.submit_transaction(bench.now, Arc::new(payment.clone())).expect("an honest payment");
    bench.pump();
    let begun = bench.now;
    let mut heard = BTreeMap::new();
    while heard.len() < callers.len() + called.len() {
        bench.advance(1);
        for peer in callers.iter().chain(&called) {
            if bench.sent_to(*peer).contains(&inventory(&payment)) {
                heard.insert(*peer, bench.now.millis_since(begun));
            }
        }
        assert!(bench.now.millis_since(begun) <= 12_000, "no delay is longer than four means");
    }
    let times = |peers: &[PeerId]| -> BTreeSet<u64> { peers.iter().map(|peer| heard[peer]).collect() };
    assert_eq!(times(&callers).len(), 1, "all at the same time");
    assert!(times(&called).len() > 5, "each at its own");
}

/// 5,000 announcements of a peer are kept, and no more: a hundred asked for at a time, and the next when those are settled.
#[test]
fn what_a_peer_announces_beyond_the_limit_is_forgotten() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    let item = |number: u32| {
        InventoryItem::Transaction(Wtxid::from_bytes(tally_primitives::hash::sha256(&number.to_le_bytes())))
    };
    for chunk in 0..2 {
        bench.receive(peer, Message::Inventory((0..5_000).map(|number| item(chunk * 5_000 + number)).collect()));
    }
    let mut asked = 0;
    loop {
        let items = bench.asked_of(peer);
        assert!(items.len() <= MAX_TRANSACTIONS_IN_FLIGHT);
        if items.is_empty() {
            break;
        }
        asked += items.len();
        bench.receive(peer, Message::NotFound(items));
    }
    assert_eq!(asked, MAX_ANNOUNCED_TRANSACTIONS + MAX_TRANSACTIONS_IN_FLIGHT);
}

#[test]
fn a_new_peer_is_told_what_waits_in_the_mempool() {
    let mut bench = Bench::new();
    let payment = payment(0);
    bench.node.submit_transaction(bench.now, Arc::new(payment.clone())).expect("an honest payment");
    bench.pump();
    let peer = bench.connect(Direction::Inbound);
    bench.receive(peer, Message::Version(Box::new(bench.version())));
    bench.receive(peer, Message::VersionAck);
    bench.advance(0);
    assert!(bench.sent_to(peer).contains(&inventory(&payment)));
}

#[test]
fn a_payment_that_does_not_come_is_asked_of_the_next_announcer() {
    let mut bench = Bench::new();
    let (silent, lacking, honest) = (bench.peer(), bench.peer(), bench.peer());
    let payment = payment(0);
    for peer in [silent, lacking, honest] {
        bench.receive(peer, inventory(&payment));
    }
    assert_eq!(bench.asked_of(silent), [by_wtxid(&payment)]);
    bench.advance(20_000);
    assert_eq!(bench.asked_of(lacking), [by_wtxid(&payment)]);
    bench.receive(lacking, Message::NotFound(vec![by_wtxid(&payment)]));
    assert_eq!(bench.asked_of(honest), [by_wtxid(&payment)]);
    bench.gone(honest);
    bench.receive(silent, send(&payment));
    assert!(in_mempool(&bench, &payment), "late, but welcome");
}

#[test]
fn announcements_without_end_are_asked_for_within_bounds() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    let item = |number: u32| {
        let digest = tally_primitives::hash::sha256(&number.to_le_bytes());
        InventoryItem::Transaction(Wtxid::from_bytes(digest))
    };
    for chunk in 0..20 {
        let items = (0..5_000).map(|number| item(chunk * 5_000 + number)).collect();
        bench.receive(peer, Message::Inventory(items));
    }
    assert_eq!(bench.asked_of(peer).len(), MAX_TRANSACTIONS_IN_FLIGHT);
    assert_eq!(bench.reason(peer), None);
}

#[test]
fn a_child_before_its_parent_is_kept_and_the_parent_is_asked_for() {
    let mut bench = Bench::new();
    let (sender, other) = (bench.peer(), bench.peer());
    let parent = payment(0);
    let child = child_of(&parent);
    let grandchild = child_of(&child);
    bench.receive(sender, send(&grandchild));
    bench.receive(sender, send(&child));
    let asked = bench.asked_of(sender);
    assert_eq!(asked, [InventoryItem::Parent(child.txid()), InventoryItem::Parent(parent.txid())]);
    assert_eq!((bench.node.orphan_count(), bench.node.mempool().len()), (2, 0));
    bench.receive(sender, send(&parent));
    assert_eq!((bench.node.orphan_count(), bench.node.mempool().len()), (0, 3));
    bench.advance(0);
    let announced: Vec<InventoryItem> = bench
        .sent_to(other)
        .into_iter()
        .flat_map(|message| match message {
            Message::Inventory(items) => items,
            _ => Vec::new(),
        })
        .collect();
    assert_eq!(announced, [by_wtxid(&parent), by_wtxid(&child), by_wtxid(&grandchild)]);
}

#[test]
fn a_parent_is_served_by_its_id() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    let parent = payment(0);
    bench.node.submit_transaction(bench.now, Arc::new(parent.clone())).expect("an honest payment");
    bench.pump();
    bench.sent_to(peer);
    bench.receive(peer, Message::GetData(vec![InventoryItem::Parent(parent.txid())]));
    assert_eq!(bench.sent_to(peer), [send(&parent)]);
}

#[test]
fn a_block_brings_the_parent_or_takes_the_orphan_away() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    let (parent, other_parent) = (payment(0), payment(1));
    let (child, confirmed_child) = (child_of(&parent), child_of(&other_parent));
    bench.receive(peer, send(&child));
    bench.receive(peer, send(&confirmed_child));
    assert_eq!(bench.node.orphan_count(), 2);
    let next = BlockBuilder::on(&testing::params(), &bench.genesis().header, Height::GENESIS)
        .with(parent)
        .with(other_parent)
        .with(confirmed_child.clone())
        .build();
    bench.receive(peer, header(&next));
    bench.receive(peer, block(&next));
    assert_eq!(bench.height(), 1);
    assert_eq!(bench.node.orphan_count(), 0);
    assert!(in_mempool(&bench, &child));
    assert!(!in_mempool(&bench, &confirmed_child));
    // Announcements of what was confirmed go on for a while.
    bench.sent_to(peer);
    bench.receive(peer, inventory(&confirmed_child));
    assert_eq!(bench.asked_of(peer), []);
}

#[test]
fn orphans_do_not_wait_for_ever() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    bench.receive(peer, send(&child_of(&payment(0))));
    bench.advance(4 * 60_000);
    assert_eq!(bench.node.orphan_count(), 1);
    bench.advance(2 * 60_000);
    assert_eq!(bench.node.orphan_count(), 0);
}

#[test]
fn a_refused_payment_is_not_asked_for_again_until_a_block_changes_things() {
    let mut bench = Bench::new();
    let (first, second) = (bench.peer(), bench.peer());
    let params = testing::params();
    let cheap = testing::pay_on(&params, &testing::allocations(&params)[0], 1);
    bench.receive(first, send(&cheap));
    bench.receive(second, inventory(&cheap));
    assert_eq!(bench.asked_of(second), []);
    bench.mine();
    bench.sent_to(second);
    bench.receive(second, inventory(&cheap));
    assert_eq!(bench.asked_of(second), [by_wtxid(&cheap)]);
}

#[test]
fn payments_of_a_lost_branch_return_and_are_announced() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    let params = testing::params();
    let payment = payment(0);
    let lost = BlockBuilder::on(&params, &bench.genesis().header, Height::GENESIS).with(payment.clone()).build();
    bench.receive(peer, header(&lost));
    bench.receive(peer, block(&lost));
    assert_eq!(bench.height(), 1);
    let winning = testing::branch_on(&params, &bench.genesis().header, Height::GENESIS, 2, 5);
    bench.receive(peer, headers(&winning));
    for winner in &winning {
        bench.receive(peer, block(winner));
    }
    assert_eq!(bench.node.chain().tip().hash, winning[1].hash());
    assert!(in_mempool(&bench, &payment));
    bench.advance(0);
    assert!(bench.sent_to(peer).contains(&inventory(&payment)), "it came in a block, so the peer may lack it now");
}

/// Announced, confirmed before the peer asked for it, and freed again by a reorganisation.
#[test]
fn a_payment_that_was_asked_for_in_vain_is_announced_again_when_it_returns() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    let payment = payment(0);
    bench.node.submit_transaction(bench.now, Arc::new(payment.clone())).expect("an honest payment");
    bench.pump();
    bench.advance(0);
    assert!(bench.sent_to(peer).contains(&inventory(&payment)));
    bench.mine();
    assert!(!in_mempool(&bench, &payment));
    bench.sent_to(peer);
    bench.receive(peer, Message::GetData(vec![by_wtxid(&payment)]));
    assert_eq!(bench.sent_to(peer), [Message::NotFound(vec![by_wtxid(&payment)])]);
    let winning = testing::branch_on(&testing::params(), &bench.genesis().header, Height::GENESIS, 2, 5);
    bench.receive(peer, headers(&winning));
    for winner in &winning {
        bench.receive(peer, block(winner));
    }
    assert!(in_mempool(&bench, &payment));
    bench.advance(0);
    assert!(bench.sent_to(peer).contains(&inventory(&payment)));
}
