//! What the other's mempool would refuse is not announced, and ours says what it asks for.

use std::sync::Arc;

use tally_node_core::mempool::RelayPolicy;
use tally_node_core::net::peer::{Direction, PeerId};
use tally_node_core::node::NodeConfig;
use tally_node_core::testing;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::FeeRate;
use tally_wire::{InventoryItem, Message};

use crate::bench::Bench;
use crate::compact::give;

const HOUR_MS: u64 = 60 * 60_000;

/// A payment of a coin with this fee.
fn payment(coin: usize, fee: u64) -> Transaction {
    let params = testing::params();
    testing::pay_on(&params, &testing::allocations(&params)[coin], fee)
}

fn announced(bench: &mut Bench, peer: PeerId) -> Vec<InventoryItem> {
    let items = |message| match message {
        Message::Inventory(items) => items,
        _ => Vec::new(),
    };
    bench.sent_to(peer).into_iter().flat_map(items).collect()
}

fn filters(bench: &mut Bench, peer: PeerId) -> Vec<u64> {
    let rate = |message| match message {
        Message::FeeFilter { rate } => Some(rate.to_notches_per_kilobyte()),
        _ => None,
    };
    bench.sent_to(peer).into_iter().filter_map(rate).collect()
}

fn welcome(bench: &mut Bench) -> PeerId {
    let peer = bench.connect(Direction::Inbound);
    bench.receive(peer, Message::Version(Box::new(bench.version())));
    bench.receive(peer, Message::VersionAck);
    peer
}

#[test]
fn what_pays_less_than_the_peer_asks_for_is_not_announced_to_it() {
    let mut bench = Bench::new();
    let (strict, lenient) = (bench.peer(), bench.peer());
    let (cheap, dear) = (payment(0, 1_000), payment(1, 100_000));
    let size = cheap.encoded_size();
    let between = FeeRate::from_notches_per_kilobyte(50_000 * 1_000 / size as u64);
    bench.receive(strict, Message::FeeFilter { rate: between });
    give(&mut bench, &[cheap.clone(), dear.clone()]);
    bench.advance(0);
    let [cheap, dear] = [cheap, dear].map(|payment| InventoryItem::Transaction(payment.wtxid()));
    assert_eq!(announced(&mut bench, strict), [dear]);
    assert_eq!(announced(&mut bench, lenient), [cheap, dear]);
    bench.receive(strict, Message::GetData(vec![cheap]));
    assert!(matches!(bench.sent_to(strict)[..], [Message::Transaction(_)]), "whoever asks gets it");
}

#[test]
fn a_filter_taken_back_counts_for_what_comes_then() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    bench.receive(peer, Message::FeeFilter { rate: FeeRate::from_notches_per_kilobyte(u64::MAX) });
    give(&mut bench, &[payment(0, 1_000)]);
    bench.advance(0);
    assert_eq!(announced(&mut bench, peer), []);
    bench.receive(peer, Message::FeeFilter { rate: FeeRate::ZERO });
    let second = payment(1, 1_000);
    give(&mut bench, std::slice::from_ref(&second));
    bench.advance(0);
    assert_eq!(announced(&mut bench, peer), [InventoryItem::Transaction(second.wtxid())]);
}

#[test]
fn our_own_minimum_is_told_rounded_and_not_again_while_it_stays() {
    let mut bench = Bench::new();
    let peer = welcome(&mut bench);
    assert_eq!(filters(&mut bench, peer), [896], "1,000 notches a kilobyte, rounded down");
    bench.advance(24 * HOUR_MS);
    assert_eq!(filters(&mut bench, peer), [0; 0]);
}

#[test]
fn a_minimum_that_has_risen_is_told_within_minutes_and_seldom_after_that() {
    let relay = RelayPolicy { max_bytes: 8_000, ..RelayPolicy::default() };
    let mut bench = Bench::with(NodeConfig { relay, trickle_mean_ms: 0, ..NodeConfig::default() });
    let peer = welcome(&mut bench);
    assert_eq!(filters(&mut bench, peer), [896]);
    for coin in 0..16 {
        let payment = payment(coin, 10_000 * (coin as u64 + 1));
        bench.node.submit_transaction(bench.now, Arc::new(payment)).expect("each pays more than the last");
        bench.pump();
    }
    let minimum = bench.node.mempool().min_fee_rate(bench.now).to_notches_per_kilobyte();
    assert!(minimum > 10_000, "the mempool overflows: {minimum}");
    assert_eq!(filters(&mut bench, peer), [0; 0], "not at once");
    bench.advance(6 * 60_000 + 1);
    let told = filters(&mut bench, peer);
    assert!(matches!(told[..], [rate] if rate <= minimum && rate * 5 >= minimum * 4), "{told:?} of {minimum}");
    // It sinks again over days: told now and then, and each time it is lower.
    bench.advance(48 * HOUR_MS);
    let sinking = filters(&mut bench, peer);
    assert!((3..60).contains(&sinking.len()), "{sinking:?}");
    assert!(sinking.windows(2).all(|pair| pair[1] < pair[0]), "{sinking:?}");
}
