//! Pings, calls to manual peers, bans, addresses.

use std::net::SocketAddr;

use tally_node_core::net::bans::{BanError, BanTarget};
use tally_node_core::net::disconnect::DisconnectReason;
use tally_node_core::net::limits::MIN_REDIAL_MS;
use tally_node_core::net::peer::Direction;
use tally_node_core::net::redial::ManualPeerError;
use tally_node_core::node::NodeConfig;
use tally_node_core::testing::{self, BlockBuilder};
use tally_primitives::units::Timestamp;
use tally_wire::{AddressRecord, Message, Services, Version};

use crate::bench::Bench;

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn target(text: &str) -> BanTarget {
    text.parse().expect("a target")
}

#[test]
fn pings_measure_and_silence_ends_the_connection() {
    let mut bench = Bench::new();
    bench.peers_pong = false;
    let peer = bench.peer();
    bench.advance(0);
    let [Message::Ping { nonce }] = bench.sent_to(peer)[..] else {
        panic!("a ping right after the handshake");
    };
    bench.advance(30);
    bench.receive(peer, Message::Pong { nonce: nonce ^ 1 });
    bench.advance(10);
    let info = bench.node.peers(bench.now).next().expect("one peer");
    assert_eq!((info.ping_millis, info.ping_wait_millis), (None, Some(40)), "another nonce is no answer");
    bench.receive(peer, Message::Pong { nonce });
    let info = bench.node.peers(bench.now).next().expect("one peer");
    assert_eq!((info.ping_millis, info.min_ping_millis, info.ping_wait_millis), (Some(40), Some(40), None));

    bench.advance(60_000);
    assert!(matches!(bench.sent_to(peer)[..], [Message::Ping { .. }]));
    bench.advance(19_900);
    assert_eq!(bench.reason(peer), None);
    bench.advance(100);
    assert_eq!(bench.reason(peer), Some(&DisconnectReason::PingTimeout { millis: 20_000 }));
}

#[test]
fn a_ping_is_answered_with_its_nonce() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    bench.receive(peer, Message::Ping { nonce: 77 });
    assert_eq!(bench.sent_to(peer), [Message::Pong { nonce: 77 }]);
}

#[test]
fn a_manual_peer_is_called_again_with_growing_pauses() {
    let to = address("10.1.1.1:9740");
    let mut bench = Bench::with(NodeConfig { connect: vec![to], ..NodeConfig::default() });
    bench.advance(0);
    assert_eq!(bench.dialled.len(), 1);
    let mut pauses = Vec::new();
    for call in 2..=6 {
        let failed_at = bench.now;
        bench.node.handle_dial_failed(bench.now, to);
        while bench.dialled.len() < call {
            bench.advance(10);
            assert!(bench.now.millis_since(failed_at) < 60_000, "never called again");
        }
        pauses.push(bench.now.millis_since(failed_at));
    }
    for (pause, nominal) in pauses.iter().zip([1, 2, 4, 8, 16].map(|factor| factor * MIN_REDIAL_MS)) {
        assert!((nominal * 3 / 4..=nominal * 5 / 4 + 10).contains(pause), "{pauses:?}");
    }
}

#[test]
fn a_lost_manual_peer_is_called_again_and_others_are_not() {
    let mut bench = Bench::new();
    let to = address("10.1.1.1:9740");
    bench.node.add_node(bench.now, to).expect("new");
    bench.pump();
    assert_eq!(bench.node.add_node(bench.now, to), Err(ManualPeerError::AlreadyAdded { address: to }));
    assert_eq!(bench.dialled, [to], "called at once");
    let peer = bench.connect_at(Direction::Outbound, to);
    let other = bench.connect(Direction::Outbound);
    let second = bench.connect_at(Direction::Outbound, to);
    assert_eq!(bench.reason(second), Some(&DisconnectReason::AlreadyConnected));
    bench.gone(peer);
    bench.gone(other);
    bench.advance(MIN_REDIAL_MS * 2);
    assert_eq!(bench.dialled, [to, to]);

    let peer = bench.connect_at(Direction::Outbound, to);
    bench.node.remove_node(bench.now, to).expect("added");
    bench.pump();
    assert_eq!(bench.reason(peer), Some(&DisconnectReason::ByHand));
    bench.advance(600_000);
    assert_eq!(bench.dialled.len(), 2);
}

/// The operator's word counts more than our opinion, but not more than the operator's own ban.
#[test]
fn a_manual_peer_that_broke_a_rule_may_come_back_unless_it_is_banned() {
    let to = address("10.1.1.1:9740");
    let mut bench = Bench::with(NodeConfig { connect: vec![to], ..NodeConfig::default() });
    let peer = bench.connect_at(Direction::Outbound, to);
    bench.receive(peer, Message::Ping { nonce: 1 });
    assert!(bench.reason(peer).is_some(), "a ping before the handshake");
    let inbound = bench.connect_at(Direction::Inbound, address("10.1.1.1:5000"));
    assert_eq!(bench.reason(inbound), Some(&DisconnectReason::Discouraged));
    let again = bench.connect_at(Direction::Outbound, to);
    assert_eq!(bench.reason(again), None);
    let until = bench.now.saturating_add_millis(1_000);
    bench.node.ban(bench.now, target("10.1.1.1"), until).expect("new");
    bench.pump();
    assert_eq!(bench.reason(again), Some(&DisconnectReason::Banned));
    let banned = bench.connect_at(Direction::Outbound, to);
    assert_eq!(bench.reason(banned), Some(&DisconnectReason::Banned));
}

#[test]
fn a_ban_of_one_node_on_a_machine_leaves_the_others() {
    let mut bench = Bench::new();
    let local = |port: u16| SocketAddr::from(([127, 0, 0, 1], port));
    let banned = bench.connect_at(Direction::Inbound, local(50_001));
    bench.receive(banned, Message::Version(Box::new(Version { listen_port: 7_001, ..bench.version() })));
    let neighbour = bench.connect_at(Direction::Inbound, local(50_002));
    bench.receive(neighbour, Message::Version(Box::new(Version { listen_port: 7_002, nonce: 5, ..bench.version() })));
    let until = bench.now.saturating_add_millis(3_600_000);
    bench.node.ban(bench.now, target("127.0.0.1:7001"), until).expect("new");
    bench.pump();
    assert_eq!(bench.reason(banned), Some(&DisconnectReason::Banned));
    assert_eq!(bench.reason(neighbour), None);

    let back = bench.connect_at(Direction::Inbound, local(50_003));
    assert_eq!(bench.reason(back), None, "it has not said who it is");
    bench.receive(back, Message::Version(Box::new(Version { listen_port: 7_001, nonce: 6, ..bench.version() })));
    assert_eq!(bench.reason(back), Some(&DisconnectReason::Banned));
    let called = bench.connect_at(Direction::Outbound, local(7_001));
    assert_eq!(bench.reason(called), Some(&DisconnectReason::Banned));

    bench.node.unban(target("127.0.0.1:7001")).expect("banned");
    let called = bench.connect_at(Direction::Outbound, local(7_001));
    assert_eq!(bench.reason(called), None);
}

#[test]
fn bans_outlive_a_restart_and_end_in_time() {
    let mut bench = Bench::new();
    let until = bench.now.saturating_add_millis(60_000);
    bench.node.ban(bench.now, target("10.0.0.1"), until).expect("new");
    let twice = bench.node.ban(bench.now, target("10.0.0.1"), until);
    assert_eq!(twice, Err(BanError::AlreadyBanned { target: target("10.0.0.1") }));
    let bans = bench.node.bans(bench.now).copied().collect();
    let mut restarted = Bench::with(NodeConfig { bans, ..NodeConfig::default() });
    let early = restarted.connect_at(Direction::Inbound, address("10.0.0.1:4000"));
    assert_eq!(restarted.reason(early), Some(&DisconnectReason::Banned));
    restarted.advance(60_000);
    let late = restarted.connect_at(Direction::Inbound, address("10.0.0.1:4001"));
    assert_eq!(restarted.reason(late), None);
    assert_eq!(restarted.node.bans(Timestamp::from_millis(u64::MAX)).count(), 0);
}

#[test]
fn known_listen_addresses_are_told_once_a_connection() {
    let mut bench = Bench::new();
    let called = bench.connect_at(Direction::Outbound, address("10.5.5.5:9740"));
    bench.receive(called, Message::Version(Box::new(bench.version())));
    bench.receive(called, Message::VersionAck);
    let rumour = AddressRecord {
        last_seen: bench.now.as_seconds(),
        services: Services::FULL_CHAIN,
        address: address("10.6.6.6:9740"),
    };
    bench.receive(called, Message::Addresses(vec![rumour]));
    let asker = bench.peer();
    bench.receive(asker, Message::GetAddresses);
    let Some(Message::Addresses(records)) = bench.sent_to(asker).pop() else {
        panic!("addresses");
    };
    let mut told: Vec<SocketAddr> = records.iter().map(|record| record.address).collect();
    told.sort();
    assert_eq!(told, [address("10.0.0.2:9740"), address("10.5.5.5:9740"), address("10.6.6.6:9740")]);
    bench.receive(asker, Message::GetAddresses);
    assert_eq!(bench.sent_to(asker), []);
}

#[test]
fn unasked_addresses_are_taken_one_by_one() {
    let mut bench = Bench::new();
    let peer = bench.peer();
    let before = bench.node.known_addresses().count();
    let last_seen = bench.now.as_seconds();
    let record =
        |port| AddressRecord { last_seen, services: Services::NONE, address: SocketAddr::from(([10, 7, 7, 7], port)) };
    bench.receive(peer, Message::Addresses((1..=1_000).map(record).collect()));
    assert_eq!(bench.node.known_addresses().count(), before + 1);
    bench.advance(30_000);
    bench.receive(peer, Message::Addresses((1_001..=2_000).map(record).collect()));
    assert_eq!(bench.node.known_addresses().count(), before + 4);
}

/// Somebody sets the machine's clock, or it was asleep: connections may be lost over it, blocks are not.
#[test]
fn a_clock_that_jumps_harms_nothing() {
    let day = 24 * 3_600_000;
    let mut bench = Bench::new();
    bench.peer();
    bench.advance(1_000);
    let before = bench.now;
    for jump in [before.saturating_add_millis(30 * day), Timestamp::from_millis(before.as_millis() - day), before] {
        bench.now = jump;
        bench.node.tick(bench.now);
        bench.pump();
        bench.advance(200_000);
        let peer = bench.peer();
        let (tip, header) = (bench.node.chain().tip(), bench.node.chain().tip().hash);
        let header = *bench.node.chain().header(&header).expect("the tip has a header");
        let next = BlockBuilder::on(&testing::params(), &header, tip.height).build();
        bench.receive(peer, crate::bench::block(&next));
        assert_eq!(bench.node.chain().tip().hash, next.hash());
        bench.advance(200_000);
        assert_eq!(bench.reason(peer), None, "a peer of after the jump");
    }
}
