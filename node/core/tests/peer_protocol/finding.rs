//! Whom the node calls: slots, groups, feelers, anchors, seeds, a stale tip.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use tally_node_core::chain::memory::MemoryStore;
use tally_node_core::net::address_book::group::AddressGroups;
use tally_node_core::net::address_book::saved::SavedBook;
use tally_node_core::net::disconnect::DisconnectReason;
use tally_node_core::net::finding::{EclipseDefences, FindingConfig};
use tally_node_core::net::peer::{Direction, PeerId, Role};
use tally_node_core::node::{Node, NodeConfig, Output};
use tally_node_core::testing;
use tally_primitives::params::Params;
use tally_primitives::units::Timestamp;
use tally_wire::{AddressRecord, InventoryItem, Message, Services, Version};

use crate::bench::Bench;

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A public address of a network of its own.
fn public(number: u8) -> SocketAddr {
    SocketAddr::from(([11 + number / 200, number, 3, 4], 9_740))
}

fn finding(finding: FindingConfig) -> NodeConfig {
    NodeConfig { listen_port: 9_740, trickle_mean_ms: 0, finding, ..NodeConfig::default() }
}

fn standard() -> FindingConfig {
    FindingConfig::standard()
}

/// A node that has heard of these addresses from a seed.
fn bench_that_knows(config: FindingConfig, addresses: &[SocketAddr]) -> Bench {
    let mut bench = Bench::with(finding(config));
    for (number, some) in addresses.chunks(16).enumerate() {
        bench.node.handle_seed(bench.now, &format!("seed{number}.example.org"), some);
    }
    bench.pump();
    bench
}

/// Answers whatever the node calls, as long as it does, with a handshake; gives the peers by address.
fn answer_all(bench: &mut Bench, millis: u64) -> BTreeMap<SocketAddr, PeerId> {
    let mut peers = BTreeMap::new();
    for _ in 0..millis / 100 {
        bench.advance(100);
        for called in bench.take_calls() {
            peers.insert(called, bench.answer(called));
        }
    }
    peers
}

fn roles(bench: &Bench) -> BTreeMap<SocketAddr, Role> {
    bench.node.peers(bench.now).map(|peer| (peer.address, peer.role)).collect()
}

fn count(bench: &Bench, role: Role) -> usize {
    roles(bench).values().filter(|other| **other == role).count()
}

#[test]
fn slots_are_filled_with_peers_of_different_networks() {
    // Four networks with many addresses each, and twenty with one.
    let crowded =
        (0..4_u8).flat_map(|network| (1..100).map(move |host| SocketAddr::from(([60 + network, 1, host, 1], 9_740))));
    let addresses: Vec<SocketAddr> = crowded.chain((0..20).map(public)).collect();
    let mut bench = bench_that_knows(standard(), &addresses);
    answer_all(&mut bench, 60_000);
    assert_eq!((count(&bench, Role::Full), count(&bench, Role::BlockOnly)), (8, 2));
    let networks: BTreeSet<_> = roles(&bench).keys().map(|peer| AddressGroups::Public.group(*peer)).collect();
    assert_eq!(networks.len(), 10, "{:?}", roles(&bench));
}

#[test]
fn one_network_gets_one_slot_unless_the_defence_is_off_or_it_is_local() {
    let hosts = |network: [u8; 2]| {
        (1..40).map(|host| SocketAddr::from(([network[0], network[1], host, 1], 9_740))).collect::<Vec<_>>()
    };
    let undefended = FindingConfig { defences: EclipseDefences::NONE, ..standard() };
    let strict = FindingConfig { groups: AddressGroups::All, ..standard() };
    let cases = [
        ("public", standard(), hosts([9, 9]), 1),
        ("public, without defences", undefended, hosts([9, 9]), 10),
        ("a LAN", standard(), hosts([192, 168]), 10),
        ("a LAN taken for the internet", strict, hosts([192, 168]), 1),
        ("one machine", standard(), (1..40).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect(), 10),
    ];
    for (name, config, addresses, expected) in cases {
        let mut bench = bench_that_knows(config, &addresses);
        answer_all(&mut bench, 20_000);
        assert_eq!(roles(&bench).len(), expected, "{name}");
    }
}

#[test]
fn a_node_without_the_setting_calls_nobody() {
    let addresses: Vec<SocketAddr> = (0..20).map(public).collect();
    let mut bench = bench_that_knows(FindingConfig::default(), &addresses);
    bench.advance(600_000);
    assert_eq!(bench.dialled, []);
    assert_eq!(bench.kept_book, None);
}

#[test]
fn a_lost_peer_is_replaced_and_a_dead_address_is_not_hammered() {
    let addresses: Vec<SocketAddr> = (0..20).map(public).collect();
    let mut bench = bench_that_knows(standard(), &addresses);
    let peers = answer_all(&mut bench, 10_000);
    let (lost, id) = peers.into_iter().next().expect("peers");
    bench.gone(id);
    answer_all(&mut bench, 10_000);
    assert_eq!(count(&bench, Role::Full) + count(&bench, Role::BlockOnly), 10);
    assert!(!roles(&bench).contains_key(&lost) || bench.node.peers(bench.now).count() == 10);

    let mut alone = bench_that_knows(standard(), &[public(1)]);
    let mut calls = 0;
    for _ in 0..3_600 {
        alone.advance(1_000);
        for called in alone.take_calls() {
            calls += 1;
            alone.node.handle_dial_failed(alone.now, called);
        }
    }
    assert!((3..40).contains(&calls), "{calls} calls in an hour");
}

#[test]
fn a_call_that_the_driver_never_answers_frees_its_slot() {
    let config = FindingConfig { full_peers: 1, block_only_peers: 0, ..standard() };
    let mut bench = bench_that_knows(config, &[public(1), public(2)]);
    bench.advance(1_000);
    assert_eq!(bench.take_calls().len(), 1);
    bench.advance(10_000);
    assert_eq!(bench.take_calls(), [], "one slot, one call");
    bench.advance(10_000);
    assert_eq!(bench.take_calls().len(), 1);
}

#[test]
fn banned_and_discouraged_addresses_are_not_called() {
    let mut bench = bench_that_knows(standard(), &[public(1)]);
    let until = bench.now.saturating_add_millis(3_600_000);
    let target = "11.1.3.4".parse().expect("a target");
    bench.node.ban(bench.now, target, until).expect("new");
    bench.advance(600_000);
    assert_eq!(bench.dialled, []);
    bench.node.unban(target).expect("banned");
    bench.advance(120_000);
    let peer = bench.answer(bench.dialled[0]);
    bench.receive(peer, Message::Version(Box::new(bench.version())));
    assert!(bench.reason(peer).is_some());
    bench.take_calls();
    bench.advance(3_600_000);
    assert_eq!(bench.dialled, [], "it broke the protocol");
}

/// Nothing but blocks, in either direction.
#[test]
fn block_only_peers_neither_send_nor_get_transactions_and_addresses() {
    let config = FindingConfig { full_peers: 0, block_only_peers: 1, ..standard() };
    let mut bench = bench_that_knows(config, &[public(1)]);
    bench.advance(1_000);
    let called = bench.take_calls()[0];
    let peer = bench.connect_at(Direction::Outbound, called);
    let Message::Version(version) = bench.sent_to(peer).remove(0) else { panic!("a Version") };
    assert!(version.services.contains(Services::BLOCKS_ONLY.with(Services::FULL_CHAIN)));
    bench.shake_hands(peer);
    assert!(!bench.sent_to(peer).contains(&Message::GetAddresses));

    let params = testing::params();
    let payment = |coin: usize| Arc::new(testing::pay_on(&params, &testing::allocations(&params)[coin], 1_000));
    bench.node.submit_transaction(bench.now, payment(0)).expect("an honest payment");
    bench.receive(peer, Message::Transaction(payment(1)));
    bench.receive(peer, Message::Inventory(vec![InventoryItem::Transaction(payment(2).wtxid())]));
    let known = bench.node.known_addresses().count();
    let rumour = AddressRecord { last_seen: bench.now.as_seconds(), services: Services::NONE, address: public(9) };
    bench.receive(peer, Message::Addresses(vec![rumour]));
    bench.advance(10_000);
    assert_eq!(bench.node.mempool().len(), 1);
    assert_eq!(bench.node.known_addresses().count(), known);
    let told: Vec<Message> = bench.sent_to(peer);
    assert!(!told.iter().any(|message| matches!(message, Message::Inventory(_) | Message::GetData(_))), "{told:?}");
    let block = bench.mine();
    let told = bench.sent_to(peer);
    assert!(told.contains(&Message::Headers([block.header].into())), "{told:?}");
}

/// The other side of the same thing.
#[test]
fn a_caller_that_wants_blocks_only_gets_no_transactions() {
    let mut bench = Bench::new();
    let id = bench.connect_at(Direction::Inbound, address("8.8.8.8:5000"));
    let services = Services::FULL_CHAIN.with(Services::BLOCKS_ONLY);
    bench.receive(id, Message::Version(Box::new(Version { services, ..bench.version() })));
    bench.receive(id, Message::VersionAck);
    let params = testing::params();
    let payment = Arc::new(testing::pay_on(&params, &testing::allocations(&params)[0], 1_000));
    bench.node.submit_transaction(bench.now, payment).expect("an honest payment");
    bench.receive(id, Message::GetAddresses);
    bench.advance(60_000);
    let told = bench.sent_to(id);
    assert!(!told.iter().any(|message| matches!(message, Message::Inventory(_) | Message::Addresses(_))), "{told:?}");
    let known: Vec<_> = bench.node.known_addresses().collect();
    assert!(known.iter().all(|record| !record.services.contains(Services::BLOCKS_ONLY)), "{known:?}");
}

#[test]
fn feelers_find_out_who_is_there_and_hang_up() {
    let addresses: Vec<SocketAddr> = (0..40).map(public).collect();
    let mut bench = bench_that_knows(FindingConfig { full_peers: 1, block_only_peers: 0, ..standard() }, &addresses);
    answer_all(&mut bench, 1_000);
    assert_eq!(bench.node.address_book().tried(), 1);
    let mut felt = 0;
    for _ in 0..3_600 {
        bench.advance(1_000);
        for called in bench.take_calls() {
            let id = bench.connect_at(Direction::Outbound, called);
            bench.receive(id, Message::Version(Box::new(bench.version())));
            assert_eq!(bench.reason(id), Some(&DisconnectReason::FeelerDone));
            assert!(bench.node.address_book().is_tried(called));
            felt += 1;
        }
    }
    // Thirty in an hour, on average; known addresses run out at forty.
    assert!((15..=39).contains(&felt), "{felt} feelers in an hour");
    let without = EclipseDefences { feelers: false, ..EclipseDefences::ALL };
    let config = FindingConfig { full_peers: 1, block_only_peers: 0, defences: without, ..standard() };
    let mut bench = bench_that_knows(config, &addresses);
    answer_all(&mut bench, 1_000);
    bench.advance(3_600_000);
    assert_eq!(bench.dialled, []);
}

#[test]
fn anchors_are_called_first_after_a_restart() {
    let addresses: Vec<SocketAddr> = (0..100).map(public).collect();
    let mut bench = bench_that_knows(standard(), &addresses);
    answer_all(&mut bench, 10_000);
    let anchors: BTreeSet<SocketAddr> =
        roles(&bench).into_iter().filter(|(_, role)| *role == Role::BlockOnly).map(|(peer, _)| peer).collect();
    assert_eq!(anchors.len(), 2);
    // Not only a clean stop keeps them.
    bench.advance(60_000);
    let kept = bench.kept_book.take().expect("kept within a minute");
    let saved = SavedBook::decode(&kept, bench.genesis().hash()).expect("it reads its own");
    assert!(saved.len() >= 90, "{}", saved.len());

    let restart = |defences| {
        let config = FindingConfig { saved: Some(saved.clone()), defences, ..standard() };
        let mut again = Bench::with(finding(config));
        again.advance(300);
        again.take_calls().into_iter().collect::<BTreeSet<_>>()
    };
    assert_eq!(restart(EclipseDefences::ALL), anchors);
    assert_ne!(restart(EclipseDefences { anchors: false, ..EclipseDefences::ALL }), anchors);
}

#[test]
fn a_stop_keeps_the_book() {
    let addresses: Vec<SocketAddr> = (0..100).map(public).collect();
    let mut bench = bench_that_knows(standard(), &addresses);
    answer_all(&mut bench, 1_000);
    bench.node.flush(bench.now);
    bench.pump();
    let saved = SavedBook::decode(&bench.kept_book.take().expect("kept"), bench.genesis().hash()).expect("whole");
    let again = Bench::with(finding(FindingConfig { saved: Some(saved), ..standard() }));
    let list = |bench: &Bench| bench.node.known_addresses().map(|record| record.address).collect::<Vec<_>>();
    assert_eq!(list(&again), list(&bench));
    assert_eq!(again.node.address_book().tried(), bench.node.address_book().tried());
}

#[test]
fn seeds_are_asked_when_nobody_is_known_and_when_nobody_answers() {
    let seeds = vec!["seed.example.org".to_owned(), "11.7.3.4".to_owned(), "11.8.3.4:77".to_owned()];
    let mut bench = Bench::with(finding(FindingConfig { seeds: seeds.clone(), ..standard() }));
    bench.advance(0);
    assert_eq!(bench.seeds_asked, ["seed.example.org"], "addresses need no looking up");
    let known: Vec<SocketAddr> = bench.node.known_addresses().map(|record| record.address).collect();
    assert_eq!(known, [SocketAddr::from(([11, 7, 3, 4], testing::params().peer_port)), address("11.8.3.4:77")]);
    bench.advance(1_000);
    assert_eq!(bench.take_calls().len(), 2);

    // Nobody answers: asked again, ever less often.
    bench.advance(3 * 3_600_000);
    assert!((5..14).contains(&bench.seeds_asked.len()), "{}", bench.seeds_asked.len());

    // Somebody does: not asked at all.
    let addresses: Vec<SocketAddr> = (0..20).map(public).collect();
    let mut bench = bench_that_knows(FindingConfig { seeds, ..standard() }, &addresses);
    answer_all(&mut bench, 60_000);
    bench.seeds_asked.clear();
    bench.advance(3 * 3_600_000);
    assert!(bench.seeds_asked.is_empty(), "{:?}", bench.seeds_asked);
}

#[test]
fn a_seed_cannot_fill_the_book() {
    let mut bench = Bench::with(finding(standard()));
    let flood: Vec<SocketAddr> =
        (0..60_000_u32).map(|number| SocketAddr::from(((0x0b00_0000 + number * 251).to_be_bytes(), 9_740))).collect();
    bench.node.handle_seed(bench.now, "seed.example.org", &flood);
    assert!(bench.node.known_addresses().count() <= 256);
}

#[test]
fn a_node_of_another_network_is_forgotten() {
    let mut bench = bench_that_knows(standard(), &[public(1)]);
    bench.advance(1_000);
    let id = bench.connect_at(Direction::Outbound, public(1));
    let theirs = tally_primitives::hash::BlockHash::from_bytes([9; 32]);
    bench.receive(id, Message::Version(Box::new(Version { genesis: theirs, ..bench.version() })));
    assert_eq!(bench.node.known_addresses().count(), 0);
}

/// A network with a spacing of ten seconds: its tip is stale after 80.
struct Spaced {
    node: Node,
    store: MemoryStore,
    now: Timestamp,
    next: u64,
    ended: Vec<(PeerId, DisconnectReason)>,
    peers: BTreeMap<PeerId, SocketAddr>,
}

impl Spaced {
    fn new(addresses: &[SocketAddr]) -> Spaced {
        let params = Arc::new(Params { spacing_seconds: 10, ..Params::clone(&testing::params()) });
        let (store, now) = (MemoryStore::new(), testing::now());
        let config = finding(FindingConfig { full_peers: 3, block_only_peers: 0, ..standard() });
        let mut node = Node::new(config, params, Box::new(store.clone()), 3, now).expect("an empty store opens");
        node.handle_seed(now, "seed.example.org", addresses);
        Spaced { node, store, now, next: 0, ended: Vec::new(), peers: BTreeMap::new() }
    }

    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds * 4 {
            self.now = self.now.saturating_add_millis(250);
            self.node.tick(self.now);
            while let Some(output) = self.node.poll_output() {
                self.carry_out(output);
            }
        }
    }

    fn carry_out(&mut self, output: Output) {
        match output {
            Output::Dial { address } => {
                self.next += 1;
                let id = PeerId(self.next);
                self.peers.insert(id, address);
                self.node.handle_peer_connected(self.now, id, address, Direction::Outbound);
            }
            Output::Send { peer, message: Message::Version(version) } => {
                self.node.handle_message(self.now, peer, Message::Version(Box::new(Version { nonce: 5, ..*version })));
                self.node.handle_message(self.now, peer, Message::VersionAck);
            }
            Output::Send { peer, message: Message::Ping { nonce } } => {
                self.node.handle_message(self.now, peer, Message::Pong { nonce });
            }
            Output::Disconnect { peer, reason } => {
                self.peers.remove(&peer);
                self.ended.push((peer, reason));
            }
            Output::Commit(changes) => self.store.apply(*changes).expect("change sets fit"),
            _ => {}
        }
    }

    fn full(&self) -> usize {
        self.node.peers(self.now).filter(|peer| peer.role == Role::Full).count()
    }
}

#[test]
fn a_stale_tip_brings_somebody_new_and_the_least_useful_leaves() {
    let addresses: Vec<SocketAddr> = (0..100).map(public).collect();
    let mut world = Spaced::new(&addresses);
    world.run(70);
    let extra =
        |world: &Spaced| world.ended.iter().filter(|(_, reason)| *reason == DisconnectReason::ExtraPeer).count();
    assert_eq!((world.full(), extra(&world)), (3, 0));
    let before: BTreeSet<SocketAddr> = world.peers.values().copied().collect();
    world.run(30);
    assert_eq!(world.full(), 4, "one more, to look for a better chain");
    world.run(60);
    assert_eq!((world.full(), extra(&world)), (3, 1));
    world.run(600);
    assert!((3..=10).contains(&extra(&world)), "and so on, slowly: {}", extra(&world));
    let after: BTreeSet<SocketAddr> = world.peers.values().copied().collect();
    assert!(before.intersection(&after).count() >= 2, "whoever is new and no better goes again");
}

#[test]
fn an_attempt_to_pose_as_ourselves_ends_no_other_connection() {
    let mut bench = Bench::new();
    let victim = bench.answer(address("8.8.8.8:9740"));
    let Message::Version(ours) = bench.sent_to(victim).remove(0) else { panic!("our Version") };
    let attacker = bench.connect_at(Direction::Inbound, address("9.9.9.9:5000"));
    bench.receive(attacker, Message::Version(Box::new(Version { nonce: ours.nonce, ..bench.version() })));
    assert_eq!(bench.reason(victim), None);
    assert_eq!(bench.reason(attacker), None);
}
