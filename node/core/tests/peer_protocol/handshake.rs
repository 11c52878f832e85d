//! Both sides say who they are, in order, in time, and on the same network.

use tally_node_core::event::Event;
use tally_node_core::net::disconnect::{DisconnectReason, Violation};
use tally_node_core::net::peer::Direction;
use tally_node_core::node::NodeConfig;
use tally_primitives::hash::BlockHash;
use tally_wire::{FrameError, Message, MessageKind, Version};

use crate::bench::Bench;

fn kinds(messages: &[Message]) -> Vec<MessageKind> {
    messages.iter().map(Message::kind).collect()
}

#[test]
fn the_caller_speaks_first() {
    let mut bench = Bench::new();
    let peer = bench.connect(Direction::Outbound);
    let sent = bench.sent_to(peer);
    let [Message::Version(version)] = sent.as_slice() else {
        panic!("a Version and no more: {sent:?}");
    };
    assert_eq!(version.genesis, bench.genesis().hash());
    assert_eq!((version.protocol, version.listen_port), (1, 9_740));
    bench.receive(peer, Message::Version(Box::new(bench.version())));
    assert_eq!(kinds(&bench.sent_to(peer)), [MessageKind::VersionAck]);
    assert!(bench.events.is_empty());
    bench.receive(peer, Message::VersionAck);
    let greetings = [MessageKind::GetAddresses, MessageKind::SendCompact, MessageKind::FeeFilter];
    assert_eq!(kinds(&bench.sent_to(peer)), greetings);
    assert!(matches!(bench.events[..], [Event::PeerConnected { inbound: false, .. }]));
}

#[test]
fn the_called_one_answers_and_asks_for_no_addresses() {
    let mut bench = Bench::new();
    let peer = bench.connect(Direction::Inbound);
    assert_eq!(bench.sent_to(peer), []);
    bench.receive(peer, Message::Version(Box::new(bench.version())));
    assert_eq!(kinds(&bench.sent_to(peer)), [MessageKind::Version, MessageKind::VersionAck]);
    bench.receive(peer, Message::VersionAck);
    assert_eq!(kinds(&bench.sent_to(peer)), [MessageKind::SendCompact, MessageKind::FeeFilter]);
    let info = bench.node.peers(bench.now).next().expect("one peer");
    assert!(info.ready);
    assert_eq!(info.user_agent, "scripted");
    assert_eq!(info.listen_address.map(|address| address.port()), Some(9_740));
}

#[test]
fn a_peer_of_another_network_is_told_ours_and_disconnected() {
    let mut bench = Bench::new();
    let peer = bench.connect(Direction::Inbound);
    let theirs = BlockHash::from_bytes([9; 32]);
    bench.receive(peer, Message::Version(Box::new(Version { genesis: theirs, ..bench.version() })));
    let sent = bench.sent_to(peer);
    let [Message::Version(version)] = sent.as_slice() else {
        panic!("our Version and no more: {sent:?}");
    };
    let ours = bench.genesis().hash();
    assert_eq!(version.genesis, ours);
    assert_eq!(bench.reason(peer), Some(&DisconnectReason::WrongGenesis { ours, theirs }));
    let again = bench.connect_at(Direction::Inbound, "10.0.0.1:5".parse().expect("an address"));
    assert_eq!(bench.reason(again), None, "to be elsewhere is no offence");
}

#[test]
fn a_caller_with_another_magic_is_told_ours_too() {
    let mut bench = Bench::new();
    let peer = bench.connect(Direction::Inbound);
    let error = FrameError::WrongMagic { expected: 1, found: 2 };
    bench.receive_bad(peer, error.clone());
    assert_eq!(kinds(&bench.sent_to(peer)), [MessageKind::Version]);
    assert_eq!(bench.reason(peer), Some(&DisconnectReason::BadFrame { error }));
}

#[test]
fn a_protocol_of_the_past_is_refused() {
    let mut bench = Bench::new();
    let peer = bench.connect(Direction::Inbound);
    bench.receive(peer, Message::Version(Box::new(Version { protocol: 0, ..bench.version() })));
    assert_eq!(bench.reason(peer), Some(&DisconnectReason::OldProtocol { theirs: 0, min: 1 }));
}

#[test]
fn a_node_recognises_itself_and_does_not_call_again() {
    let own = "10.9.9.9:9740".parse().expect("an address");
    let mut bench = Bench::with(NodeConfig { connect: vec![own], listen_port: 9_740, ..NodeConfig::default() });
    bench.advance(0);
    assert_eq!(bench.dialled, [own]);
    let outbound = bench.connect_at(Direction::Outbound, own);
    let inbound = bench.connect(Direction::Inbound);
    let version = bench.sent_to(outbound).remove(0);
    bench.receive(inbound, version);
    assert_eq!(bench.reason(outbound), Some(&DisconnectReason::SelfConnection));
    assert_eq!(bench.reason(inbound), Some(&DisconnectReason::SelfConnection));
    assert_eq!(bench.sent_to(inbound), [], "not even a Version");
    bench.advance(600_000);
    assert_eq!(bench.dialled, [own]);
    assert_eq!(bench.node.peers(bench.now).count(), 0);
}

#[test]
fn whoever_is_silent_loses_the_slot() {
    let mut bench = Bench::with(NodeConfig { max_inbound: 1, ..NodeConfig::default() });
    let silent = bench.connect(Direction::Inbound);
    let turned_away = bench.connect(Direction::Inbound);
    assert_eq!(bench.reason(turned_away), Some(&DisconnectReason::Full { max: 1 }));
    bench.advance(4_999);
    assert_eq!(bench.reason(silent), None);
    bench.advance(1);
    assert_eq!(bench.reason(silent), Some(&DisconnectReason::HandshakeTimeout { millis: 5_000 }));
    let next = bench.connect(Direction::Inbound);
    assert_eq!(bench.reason(next), None);

    // A Version alone is not enough.
    bench.receive(next, Message::Version(Box::new(bench.version())));
    bench.advance(5_000);
    assert_eq!(bench.reason(next), Some(&DisconnectReason::HandshakeTimeout { millis: 5_000 }));
}

#[test]
fn the_order_of_the_handshake_is_fixed() {
    let bench = Bench::new();
    let (version, ack) = (Message::Version(Box::new(bench.version())), Message::VersionAck);
    let ping = Message::Ping { nonce: 1 };
    let cases = [
        (vec![ack.clone()], Some(MessageKind::VersionAck)),
        (vec![ping.clone()], Some(MessageKind::Ping)),
        (vec![version.clone(), ping.clone()], Some(MessageKind::Ping)),
        (vec![version.clone(), version.clone()], Some(MessageKind::Version)),
        (vec![version.clone(), ack.clone(), version.clone()], Some(MessageKind::Version)),
        (vec![version.clone(), ack.clone(), ack], None),
    ];
    for (messages, wrong) in cases {
        let mut bench = Bench::new();
        let peer = bench.connect(Direction::Inbound);
        for message in &messages {
            bench.receive(peer, message.clone());
        }
        let expected = wrong.map(|kind| DisconnectReason::from(Violation::HandshakeOrder { kind }));
        assert_eq!(bench.reason(peer), expected.as_ref(), "{:?}", kinds(&messages));
    }
}

#[test]
fn a_tip_found_during_the_handshake_is_not_missed() {
    let mut bench = Bench::new();
    let peer = bench.connect(Direction::Inbound);
    bench.receive(peer, Message::Version(Box::new(bench.version())));
    let block = bench.mine();
    bench.sent_to(peer);
    bench.receive(peer, Message::VersionAck);
    let told = bench.sent_to(peer).into_iter().any(|message| match message {
        Message::Headers(headers) => headers.contains(&block.header),
        Message::Inventory(items) => items.contains(&tally_wire::InventoryItem::Block(block.hash())),
        _ => false,
    });
    assert!(told);
}
