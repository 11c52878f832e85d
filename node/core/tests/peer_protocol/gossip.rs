//! Addresses on their way, and peers that lie about them or flood us with them.

use std::net::SocketAddr;

use tally_node_core::net::finding::FindingConfig;
use tally_node_core::net::peer::{Direction, PeerId};
use tally_node_core::node::NodeConfig;
use tally_wire::{AddressRecord, Message, Services, Version};

use crate::bench::Bench;

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn public(number: u32) -> SocketAddr {
    SocketAddr::from(((0x0b00_0000_u32 + number.wrapping_mul(77_777) % 0x3000_0000).to_be_bytes(), 9_740))
}

fn fresh(bench: &Bench, address: SocketAddr) -> AddressRecord {
    AddressRecord { last_seen: bench.now.as_seconds(), services: Services::FULL_CHAIN, address }
}

/// Inbound peers that say nothing of where they listen.
fn callers(bench: &mut Bench, count: u8) -> Vec<PeerId> {
    let call = |number: u8| {
        let id = bench.connect_at(Direction::Inbound, SocketAddr::from(([80 + number, 5, 5, 5], 4_000)));
        bench.receive(id, Message::Version(Box::new(Version { listen_port: 0, ..bench.version() })));
        bench.receive(id, Message::VersionAck);
        bench.sent_to(id);
        id
    };
    (0..count).map(call).collect()
}

fn told(bench: &mut Bench, id: PeerId) -> Vec<SocketAddr> {
    let records = |message| match message {
        Message::Addresses(records) => records,
        _ => Vec::new(),
    };
    bench.sent_to(id).into_iter().flat_map(records).map(|record| record.address).collect()
}

#[test]
fn news_goes_to_two_peers_and_repeating_it_to_nobody_else() {
    let mut bench = Bench::new();
    let others = callers(&mut bench, 10);
    let mut hearers = Vec::new();
    for teller in callers_from(&mut bench, 100, 4) {
        let record = fresh(&bench, public(1));
        bench.receive(teller, Message::Addresses(vec![record]));
        bench.advance(200_000);
        hearers.extend(others.iter().copied().filter(|id| told(&mut bench, *id).contains(&public(1))));
    }
    hearers.sort_unstable();
    let all = hearers.len();
    hearers.dedup();
    assert!(all <= 2 && all == hearers.len(), "{all} tellings to {hearers:?}");
    assert!(all >= 1, "nobody heard of it");
}

fn callers_from(bench: &mut Bench, first: u8, count: u8) -> Vec<PeerId> {
    let call = |number: u8| {
        let id = bench.connect_at(Direction::Inbound, SocketAddr::from(([first + number, 6, 6, 6], 4_000)));
        bench.receive(id, Message::Version(Box::new(Version { listen_port: 0, ..bench.version() })));
        bench.receive(id, Message::VersionAck);
        id
    };
    (0..count).map(call).collect()
}

#[test]
fn old_news_long_lists_and_lies_are_not_passed_on() {
    let now = |bench: &Bench| bench.now.as_seconds();
    type Lie = fn(&Bench) -> Vec<AddressRecord>;
    let cases: [(&str, Lie); 5] = [
        ("old", |bench| vec![AddressRecord { last_seen: bench.now.as_seconds() - 601, ..fresh(bench, public(1)) }]),
        ("of the future", |bench| vec![AddressRecord { last_seen: u32::MAX, ..fresh(bench, public(1)) }]),
        ("a long list", |bench| (1..=11).map(|number| fresh(bench, public(number))).collect()),
        ("port 0", |bench| vec![fresh(bench, address("11.1.1.1:0"))]),
        ("nowhere", |bench| vec![fresh(bench, address("0.0.0.0:9740"))]),
    ];
    for (name, records) in cases {
        let mut bench = Bench::new();
        let peers = callers(&mut bench, 4);
        assert!(now(&bench) > 0);
        // A whole bucket, so that the rate is not what stops it.
        bench.advance(200_000);
        let records = records(&bench);
        bench.receive(peers[0], Message::Addresses(records));
        bench.advance(200_000);
        for other in &peers[1..] {
            assert_eq!(told(&mut bench, *other), [], "{name}");
        }
        assert_eq!(bench.reason(peers[0]), None, "{name}: tolerated");
    }
}

#[test]
fn a_callers_own_address_is_passed_on_once() {
    let mut bench = Bench::new();
    let peers = callers(&mut bench, 5);
    bench.caller(address("11.1.1.1:5000"));
    bench.advance(200_000);
    let hearers = peers.iter().filter(|id| told(&mut bench, **id) == [address("11.1.1.1:9740")]).count();
    assert_eq!(hearers, 2);
    assert!(bench.node.known_addresses().any(|record| record.address == address("11.1.1.1:9740")));
}

#[test]
fn local_addresses_stay_where_they_mean_something() {
    let mut bench = Bench::new();
    let neighbour = bench.caller(address("192.168.0.7:5000"));
    let stranger = callers(&mut bench, 1)[0];
    bench.caller(address("192.168.0.8:5000"));
    bench.advance(200_000);
    assert_eq!(told(&mut bench, stranger), []);
    assert_eq!(told(&mut bench, neighbour), [address("192.168.0.8:9740")]);
    bench.receive(stranger, Message::GetAddresses);
    assert_eq!(told(&mut bench, stranger), []);
    let lie = fresh(&bench, address("192.168.0.9:1"));
    bench.receive(stranger, Message::Addresses(vec![lie]));
    assert!(bench.node.known_addresses().all(|record| record.address != address("192.168.0.9:1")));
}

#[test]
fn an_answer_shows_a_part_of_the_book_and_stays_the_same_for_a_day() {
    let mut bench = Bench::new();
    let source = bench.answer(address("8.8.8.8:9740"));
    bench.receive(source, Message::Addresses((1..=1_000).map(|number| fresh(&bench, public(number))).collect()));
    let known = bench.node.known_addresses().count();
    assert!(known > 700, "{known}");
    let ask = |bench: &mut Bench, id| {
        bench.receive(id, Message::GetAddresses);
        let mut answer = told(bench, id);
        answer.sort_unstable();
        answer
    };
    let peers = callers(&mut bench, 3);
    let first = ask(&mut bench, peers[0]);
    assert_eq!(first.len(), known * 23 / 100);
    assert_eq!(ask(&mut bench, peers[1]), first);
    assert_eq!(ask(&mut bench, peers[0]), [], "once a connection");
    assert_eq!(ask(&mut bench, source), [], "whom we call cannot ask us");
    bench.advance(24 * 3_600_000);
    let second = ask(&mut bench, peers[2]);
    assert!(second != first && second.len() > 100, "another day, another answer");
}

/// A flood of lists: no memory, no relaying, no matter how often.
#[test]
fn an_address_flood_is_taken_at_a_bounded_rate() {
    let mut bench = Bench::new();
    let peers = callers(&mut bench, 3);
    let before = bench.node.known_addresses().count();
    for round in 0..100 {
        let list = (0..1_000).map(|number| fresh(&bench, public(round * 1_000 + number))).collect();
        bench.receive(peers[0], Message::Addresses(list));
        bench.advance(100);
    }
    // One at once, and one in ten seconds.
    assert!(bench.node.known_addresses().count() <= before + 2);
    bench.advance(200_000);
    assert_eq!(told(&mut bench, peers[1]).len() + told(&mut bench, peers[2]).len(), 0);
}

#[test]
fn our_own_address_is_told_to_whom_we_call_and_again_a_day_later() {
    let own = address("8.1.1.1:9740");
    let finding = FindingConfig { own_address: Some(own), ..FindingConfig::default() };
    let mut bench = Bench::with(NodeConfig { listen_port: 9_740, finding, ..NodeConfig::default() });
    let inbound = callers(&mut bench, 1)[0];
    let outbound = bench.answer(address("8.8.8.8:9740"));
    assert_eq!(told(&mut bench, outbound), [own]);
    bench.advance(23 * 3_600_000);
    assert_eq!(told(&mut bench, outbound), []);
    bench.advance(2 * 3_600_000);
    assert_eq!(told(&mut bench, outbound), [own]);
    assert_eq!(told(&mut bench, inbound), []);
}
