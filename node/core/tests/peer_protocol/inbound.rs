//! Who gets in: limits by group and by rate, eviction, an upload target, wrong clocks.

use std::net::SocketAddr;
use std::sync::Arc;

use tally_node_core::net::address_book::group::AddressGroups;
use tally_node_core::net::disconnect::DisconnectReason;
use tally_node_core::net::finding::FindingConfig;
use tally_node_core::net::peer::{Direction, PeerId};
use tally_node_core::node::NodeConfig;
use tally_node_core::testing;
use tally_wire::{InventoryItem, Message, Version};

use crate::bench::{Bench, block};

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn host(network: u8, number: u16) -> SocketAddr {
    let [high, low] = number.to_be_bytes();
    SocketAddr::from(([60, network, high, low], 40_000))
}

#[test]
fn one_network_gets_a_limited_number_of_slots() {
    let mut bench = Bench::new();
    for number in 0..32 {
        let id = bench.connect_at(Direction::Inbound, host(1, number));
        assert_eq!(bench.reason(id), None, "{number}");
    }
    let id = bench.connect_at(Direction::Inbound, host(1, 99));
    assert_eq!(bench.reason(id), Some(&DisconnectReason::GroupFull { max: 32 }));
    let other = bench.connect_at(Direction::Inbound, host(2, 1));
    assert_eq!(bench.reason(other), None);
}

/// A classroom and a testnet on one machine are not in their own way, unless somebody wants to see the limit there.
#[test]
fn local_addresses_are_not_limited_unless_asked_for() {
    let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let mut bench = Bench::new();
    let refused = |bench: &mut Bench, count: u16| {
        let ids: Vec<PeerId> = (1..=count).map(|port| bench.connect_at(Direction::Inbound, local(port))).collect();
        ids.iter().filter(|id| bench.reason(**id).is_some()).count()
    };
    assert_eq!(refused(&mut bench, 100), 0);
    let finding = FindingConfig { groups: AddressGroups::All, max_inbound_per_group: 5, ..FindingConfig::default() };
    let mut strict = Bench::with(NodeConfig { finding, ..NodeConfig::default() });
    assert_eq!(refused(&mut strict, 100), 95);
}

#[test]
fn a_reconnect_storm_is_refused_and_the_neighbour_is_not() {
    let mut bench = Bench::new();
    let storm = host(1, 1);
    let mut refused = 0;
    for _ in 0..300 {
        let id = bench.connect_at(Direction::Inbound, storm);
        refused += usize::from(bench.reason(id) == Some(&DisconnectReason::TooOften));
        bench.gone(id);
        bench.advance(10);
    }
    assert!(refused >= 300 - 64 - 4, "{refused}");
    let neighbour = bench.connect_at(Direction::Inbound, host(1, 2));
    assert_eq!(bench.reason(neighbour), None);
    bench.advance(60_000);
    let later = bench.connect_at(Direction::Inbound, storm);
    assert_eq!(bench.reason(later), None, "storms pass");
}

/// The attack of p2p_eviction: connections without end, while honest peers do something for us.
#[test]
fn honest_peers_keep_their_slots_when_an_attacker_takes_the_others() {
    let mut bench = Bench::with(NodeConfig { max_inbound: 40, trickle_mean_ms: 0, ..NodeConfig::default() });
    let honest: Vec<PeerId> = (0..8).map(|number| bench.caller(host(100 + number, 1))).collect();
    let params = testing::params();
    // Four bring a payment, four bring a block.
    for (coin, id) in honest[..4].iter().enumerate() {
        let payment = testing::pay_on(&params, &testing::allocations(&params)[coin], 1_000);
        bench.receive(*id, Message::Transaction(Arc::new(payment)));
    }
    for id in &honest[4..] {
        let template = bench.node.template(bench.now);
        let mined = testing::mine_template(&template, testing::lock_of(&testing::key(9)), &[]);
        bench.receive(*id, block(&mined));
    }
    assert_eq!(bench.height(), 4);
    for number in 0..400 {
        bench.advance(1_000);
        // Sixteen networks at the attacker's disposal.
        bench.caller(host(u8::try_from(number % 16).expect("small"), number));
    }
    for id in honest {
        assert_eq!(bench.reason(id), None);
    }
    assert_eq!(bench.node.peers(bench.now).count(), 40);
}

/// With every slot taken by one network, a newcomer of another still gets in.
#[test]
fn a_newcomer_takes_the_place_of_one_of_the_crowd() {
    let finding = FindingConfig { max_inbound_per_group: 1_000, ..FindingConfig::default() };
    let mut bench = Bench::with(NodeConfig { max_inbound: 40, finding, ..NodeConfig::default() });
    let crowd: Vec<PeerId> = (0..40).map(|number| bench.caller(host(1, number))).collect();
    let newcomer = bench.caller(host(2, 1));
    assert_eq!(bench.reason(newcomer), None);
    let evicted: Vec<_> = crowd.iter().filter_map(|id| bench.reason(*id)).collect();
    assert_eq!(evicted, [&DisconnectReason::Evicted]);
}

#[test]
fn a_banned_address_drives_nobody_out() {
    let mut bench = Bench::with(NodeConfig { max_inbound: 40, ..NodeConfig::default() });
    let peers: Vec<PeerId> = (0..40).map(|number| bench.caller(host(number, 1))).collect();
    let until = bench.now.saturating_add_millis(3_600_000);
    bench.node.ban(bench.now, "60.99.0.1".parse().expect("a target"), until).expect("new");
    let banned = bench.connect_at(Direction::Inbound, host(99, 1));
    assert_eq!(bench.reason(banned), Some(&DisconnectReason::Banned));
    assert!(peers.iter().all(|id| bench.reason(*id).is_none()));
}

/// Thousands of addresses that broke a rule: the memory of them is bounded.
#[test]
fn discouragement_is_bounded_and_ends() {
    let mut bench = Bench::new();
    for number in 0..12_000_u32 {
        let [_, b, c, d] = number.to_be_bytes();
        let id = bench.connect_at(Direction::Inbound, SocketAddr::from(([20 + b, c, d, 9], 4_000)));
        bench.receive(id, Message::Ping { nonce: 1 });
        bench.advance(1);
    }
    let again = |bench: &mut Bench, number: u32| {
        let [_, b, c, d] = number.to_be_bytes();
        let id = bench.connect_at(Direction::Inbound, SocketAddr::from(([20 + b, c, d, 9], 4_001)));
        let reason = bench.reason(id).cloned();
        bench.gone(id);
        reason
    };
    assert_eq!(again(&mut bench, 11_999), Some(DisconnectReason::Discouraged));
    assert_eq!(again(&mut bench, 0), None, "the oldest are forgotten");
    bench.advance(24 * 3_600_000);
    assert_eq!(again(&mut bench, 11_999), None);
}

#[test]
fn beyond_the_upload_target_only_recent_blocks_are_served() {
    let config = NodeConfig { max_upload_per_day: Some(2_000), trickle_mean_ms: 0, ..NodeConfig::default() };
    let mut bench = Bench::with(config);
    let old = bench.mine();
    let month = 30 * 24 * 3_600_000;
    bench.advance(month);
    let recent = bench.mine();
    let ask = |hash| Message::GetData(vec![InventoryItem::Block(hash)]);
    let served = |bench: &mut Bench, id| bench.sent_to(id).iter().any(|message| matches!(message, Message::Block(_)));

    let hungry = bench.caller(host(1, 1));
    bench.sent_to(hungry);
    bench.receive(hungry, ask(old.hash()));
    assert!(served(&mut bench, hungry));
    while bench.node.uploaded_today() < 2_000 {
        bench.receive(hungry, ask(recent.hash()));
    }
    bench.sent_to(hungry);
    bench.receive(hungry, ask(recent.hash()));
    assert!(served(&mut bench, hungry), "a recent block in any case");
    bench.receive(hungry, ask(old.hash()));
    assert_eq!(bench.reason(hungry), Some(&DisconnectReason::UploadTarget { bytes: 2_000 }));

    // Nor in any other form: what lies deep is sent whole.
    let compact = Message::GetData(vec![InventoryItem::CompactBlock(old.hash())]);
    let places = Message::GetBlockTransactions { block: old.hash(), indexes: vec![0] };
    for (network, ask_otherwise) in [(3, compact), (4, places)] {
        let sly = bench.caller(host(network, 1));
        bench.sent_to(sly);
        bench.receive(sly, ask_otherwise);
        assert_eq!(bench.reason(sly), Some(&DisconnectReason::UploadTarget { bytes: 2_000 }));
    }

    let wanted = address("61.1.1.1:9740");
    bench.node.add_node(bench.now, wanted).expect("new");
    bench.pump();
    let manual = bench.answer(wanted);
    bench.sent_to(manual);
    bench.receive(manual, ask(old.hash()));
    assert!(served(&mut bench, manual), "whom the operator asked for is served");

    bench.advance(24 * 3_600_000);
    let next_day = bench.caller(host(2, 1));
    bench.sent_to(next_day);
    bench.receive(next_day, ask(old.hash()));
    assert!(served(&mut bench, next_day));
}

#[test]
fn wrong_clocks_of_peers_are_told_and_change_nothing() {
    let mut bench = Bench::new();
    let before = bench.node.template(bench.now).current_time;
    for number in 0..5 {
        let peer = bench.connect_at(Direction::Outbound, host(number, 1));
        let time = bench.now.saturating_add_millis(3_600_000);
        bench.receive(peer, Message::Version(Box::new(Version { time, ..bench.version() })));
        bench.receive(peer, Message::VersionAck);
        assert_eq!(bench.reason(peer), None);
        assert_eq!(bench.node.clock_warning().is_some(), number == 4);
    }
    assert_eq!(bench.node.clock_warning(), Some(3_600_000));
    assert_eq!(bench.node.template(bench.now).current_time, before, "our own clock decides");
    // Inbound peers have no say: anybody can open connections.
    let mut other = Bench::new();
    for number in 0..10 {
        let peer = other.connect_at(Direction::Inbound, host(number, 1));
        let time = other.now.saturating_add_millis(3_600_000);
        other.receive(peer, Message::Version(Box::new(Version { time, ..other.version() })));
        other.receive(peer, Message::VersionAck);
    }
    assert_eq!(other.node.clock_warning(), None);
}

#[test]
fn of_a_user_agent_64_characters_are_kept_and_sent() {
    let mut bench = Bench::with(NodeConfig { user_agent: "x".repeat(100), ..NodeConfig::default() });
    let peer = bench.connect_at(Direction::Outbound, host(1, 1));
    let Message::Version(version) = bench.sent_to(peer).remove(0) else { panic!("a Version") };
    assert_eq!(version.user_agent.len(), 64);
    bench.receive(peer, Message::Version(Box::new(Version { user_agent: "y".repeat(128), ..bench.version() })));
    let info = bench.node.peers(bench.now).next().expect("one peer");
    assert_eq!(info.user_agent, "y".repeat(64));
}
