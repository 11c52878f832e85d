//! The book by itself: who gets a place, who loses it, what survives a restart.

use std::net::SocketAddr;

use tally_primitives::hash::BlockHash;
use tally_primitives::units::Timestamp;
use tally_wire::{AddressRecord, Services};

use super::entry::Entry;
use super::group::{AddressGroups, Group, Scope, is_dialable, scope};
use super::saved::{SavedBook, SavedError};
use super::secret::Secret;
use super::{AddressBook, Source};
use crate::net::finding::EclipseDefences;
use crate::random::Random;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
const GENESIS: BlockHash = BlockHash::from_bytes([7; 32]);

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn record(address: SocketAddr, last_seen: u32) -> AddressRecord {
    AddressRecord { last_seen, services: Services::FULL_CHAIN, address }
}

fn fresh(address: SocketAddr) -> AddressRecord {
    record(address, NOW.as_seconds())
}

fn told_by(teller: &str) -> Source {
    let teller = address(teller);
    Source { group: AddressGroups::Public.group(teller), scope: scope(teller.ip()), penalty: 0 }
}

fn book(defences: EclipseDefences) -> AddressBook {
    AddressBook::new(Secret::from_seed(1), 1, AddressGroups::Public, defences)
}

/// A public address; different numbers give different ones, spread over many groups.
fn public(number: u32) -> SocketAddr {
    let [a, b, c, d] = number.wrapping_mul(0x9e37_79b1).to_be_bytes();
    SocketAddr::from(([1 + a % 9, b, c, d], 9_740))
}

fn later(seconds: u32) -> Timestamp {
    NOW.saturating_add_millis(u64::from(seconds) * 1_000)
}

#[test]
fn groups_are_networks_and_local_addresses_stand_alone() {
    let group = |text: &str| AddressGroups::Public.group(address(text));
    assert_eq!(group("8.8.1.1:1"), group("8.8.200.7:2"));
    assert_ne!(group("8.8.1.1:1"), group("8.9.1.1:1"));
    assert_eq!(group("[2001:db8:1::1]:1"), group("[2001:db8:ffff::2]:9"));
    assert_ne!(group("[2001:db8::1]:1"), group("[2001:db9::1]:1"));
    assert_eq!(group("[::ffff:8.8.3.3]:1"), Group::V4([8, 8]), "mapped");
    assert_eq!(group("[2002:808:303::1]:1"), Group::V4([8, 8]), "6to4");
    assert_eq!(group("[64:ff9b::8.8.3.3]:1"), Group::V4([8, 8]), "NAT64");
    for pair in [("127.0.0.1:1", "127.0.0.1:2"), ("10.0.0.1:1", "10.0.0.2:1"), ("[fd00::1]:1", "[fd00::2]:1")] {
        assert_ne!(group(pair.0), group(pair.1), "{pair:?}");
        let all = |text: &str| AddressGroups::All.group(address(text));
        assert_eq!(all(pair.0), all(pair.1), "{pair:?}");
    }
    assert_ne!(AddressGroups::None.group(address("8.8.1.1:1")), AddressGroups::None.group(address("8.8.1.2:1")));
}

#[test]
fn scopes_and_nonsense() {
    for (text, expected) in [
        ("127.3.2.1", Scope::Loopback),
        ("::1", Scope::Loopback),
        ("192.168.3.1", Scope::Private),
        ("172.16.0.1", Scope::Private),
        ("169.254.1.1", Scope::Private),
        ("100.64.0.1", Scope::Private),
        ("fd12::1", Scope::Private),
        ("::ffff:10.0.0.1", Scope::Private),
        ("100.128.0.1", Scope::Public),
        ("172.32.0.1", Scope::Public),
        ("2001:db8::1", Scope::Public),
    ] {
        assert_eq!(scope(text.parse().unwrap()), expected, "{text}");
    }
    let nonsense = [
        "8.0.0.1:0",
        "0.0.0.0:1",
        "0.1.2.3:1",
        "224.0.0.1:1",
        "255.255.255.255:1",
        "[ff02::1]:1",
        "[fe80::1]:1",
        "[::]:1",
    ];
    for text in nonsense {
        assert!(!is_dialable(address(text)), "{text}");
        assert!(!book(EclipseDefences::ALL).heard(fresh(address(text)), told_by("127.0.0.1:1"), NOW), "{text}");
    }
}

#[test]
fn times_are_not_believed() {
    let mut book = book(EclipseDefences::ALL);
    let source = told_by("9.9.1.1:1");
    assert!(!book.heard(record(public(1), 5), source, NOW), "older than a month");
    assert!(book.heard(record(public(2), u32::MAX), source, NOW));
    let doubtful = book.iter().next().unwrap();
    assert_eq!(doubtful.last_seen, NOW.as_seconds() - 5 * 24 * 60 * 60, "a time of the future");
    assert!(!book.heard(fresh(public(2)), source, NOW), "no news");
    assert_eq!(book.iter().next().unwrap().last_seen, NOW.as_seconds(), "but its time is");
}

#[test]
fn nobody_tells_of_addresses_that_mean_something_else_to_them() {
    let mut book = book(EclipseDefences::ALL);
    let cases = [
        ("9.9.1.1:1", "10.0.0.1:1", false),
        ("9.9.1.1:1", "127.0.0.1:1", false),
        ("9.9.1.1:1", "8.8.1.1:1", true),
        ("10.0.0.9:1", "127.0.0.1:2", false),
        ("10.0.0.9:1", "10.0.0.2:1", true),
        ("127.0.0.1:1", "127.0.0.1:3", true),
    ];
    for (teller, told, expected) in cases {
        assert_eq!(book.heard(fresh(address(told)), told_by(teller), NOW), expected, "{teller} of {told}");
    }
    let mut told = |to| book.sample(100, to, NOW).len();
    assert_eq!((told(Scope::Loopback), told(Scope::Private), told(Scope::Public)), (3, 2, 1));
}

/// The measure of Heilman 2015: what one source can take of the table, with buckets and without.
#[test]
fn one_source_reaches_a_small_part_of_the_rumours() {
    for (defences, at_most, at_least) in [
        (EclipseDefences::ALL, 64 * 64, 3_500),
        (EclipseDefences { buckets: false, ..EclipseDefences::ALL }, 65_536, 10_000),
    ] {
        let mut book = book(defences);
        for number in 0..20_000 {
            book.heard(fresh(public(number)), told_by("9.9.1.1:1"), NOW);
        }
        assert!((at_least..=at_most).contains(&book.len()), "{} addresses with {defences:?}", book.len());
    }
}

#[test]
fn one_network_reaches_a_small_part_of_the_tried() {
    let in_one_network = |number: u32| {
        let [.., high, low] = number.to_be_bytes();
        SocketAddr::from(([9, 9, high, low], 9_740))
    };
    for (buckets, at_most, at_least) in [(true, 8 * 64, 400), (false, 16_384, 1_500)] {
        let mut book = book(EclipseDefences { buckets, test_before_evict: false, ..EclipseDefences::ALL });
        for number in 0..2_000 {
            book.good(in_one_network(number), Services::FULL_CHAIN, NOW);
        }
        assert!((at_least..=at_most).contains(&book.tried()), "{} with buckets: {buckets}", book.tried());
    }
}

/// Two addresses that want the same tried place.
fn rivals(book: &AddressBook) -> (SocketAddr, SocketAddr) {
    let mut by_place = std::collections::BTreeMap::new();
    for number in 0.. {
        let candidate = public(number);
        if let Some(first) = by_place.insert(book.tried_place(candidate), candidate) {
            return (first, candidate);
        }
    }
    unreachable!()
}

#[test]
fn nobody_loses_a_tried_place_before_it_has_failed_to_answer() {
    let mut book = book(EclipseDefences::ALL);
    let (holder, challenger) = rivals(&book);
    book.good(holder, Services::FULL_CHAIN, NOW);
    book.good(challenger, Services::FULL_CHAIN, later(60));
    assert!(book.is_tried(holder) && !book.is_tried(challenger));
    book.decide_contests(later(61));
    assert_eq!(book.contested(later(70)), None, "the holder answered not long ago: it stays");

    let day = 24 * 60 * 60;
    book.good(challenger, Services::FULL_CHAIN, later(day));
    book.decide_contests(later(day));
    assert_eq!(book.contested(later(day)), Some(holder), "it has to be tested");
    // It is called, and answers.
    book.attempt(holder, later(day), true);
    book.good(holder, Services::FULL_CHAIN, later(day + 1));
    book.decide_contests(later(day + 100));
    assert!(book.is_tried(holder) && !book.is_tried(challenger));

    book.good(challenger, Services::FULL_CHAIN, later(2 * day));
    // It is called, and does not.
    book.attempt(holder, later(2 * day), true);
    book.decide_contests(later(2 * day + 30));
    assert!(book.is_tried(holder), "the call may still go through");
    book.decide_contests(later(2 * day + 61));
    assert!(!book.is_tried(holder) && book.is_tried(challenger));
    assert_eq!(book.len(), 2, "the loser is a rumour again");
}

#[test]
fn without_the_test_the_last_one_takes_the_place() {
    let mut book = book(EclipseDefences { test_before_evict: false, ..EclipseDefences::ALL });
    let (holder, challenger) = rivals(&book);
    book.good(holder, Services::FULL_CHAIN, NOW);
    book.good(challenger, Services::FULL_CHAIN, later(1));
    assert!(!book.is_tried(holder) && book.is_tried(challenger));
}

#[test]
fn a_contest_that_nobody_decides_goes_to_the_newcomer() {
    let mut book = book(EclipseDefences::ALL);
    let (holder, challenger) = rivals(&book);
    book.good(holder, Services::FULL_CHAIN, NOW);
    let day = 24 * 60 * 60;
    book.good(challenger, Services::FULL_CHAIN, later(day));
    book.decide_contests(later(day + 40 * 60));
    assert!(book.is_tried(holder));
    book.decide_contests(later(day + 40 * 60 + 1));
    assert!(book.is_tried(challenger));
}

#[test]
fn the_book_is_bounded() {
    let mut book = book(EclipseDefences::ALL);
    let mut random = Random::new(3);
    for number in 0..40_000 {
        let teller = public(1_000_000 + u32::try_from(random.below(5_000)).unwrap());
        book.heard(fresh(public(number)), told_by(&teller.to_string()), NOW);
    }
    let places: usize = book.entries.values().map(|entry| entry.places.len()).sum();
    assert_eq!(places, book.new.len());
    assert!(book.len() > 25_000 && book.new.len() <= 65_536, "{} addresses at {places} places", book.len());
}

#[test]
fn an_address_told_from_many_sides_has_few_places_and_leaves_them_all() {
    let mut book = book(EclipseDefences::ALL);
    for teller in 0..2_000 {
        book.heard(fresh(public(1)), told_by(&public(5_000 + teller).to_string()), NOW);
    }
    assert!((2..=8).contains(&book.new.len()), "{}", book.new.len());
    book.forget(public(1));
    assert_eq!((book.len(), book.new.len()), (0, 0));
    book.good(public(2), Services::FULL_CHAIN, NOW);
    book.forget_own(public(2));
    assert_eq!((book.len(), book.tried(), book.new.len()), (0, 0, 0));
    assert!(!book.heard(fresh(public(2)), told_by("9.9.1.1:1"), NOW), "our own");
}

#[test]
fn whoever_does_not_answer_is_called_less_and_then_not_kept() {
    let mut book = book(EclipseDefences::ALL);
    book.heard(fresh(public(1)), told_by("9.9.1.1:1"), NOW);
    let anybody = |_: SocketAddr, _: &Entry| true;
    assert_eq!(book.choose(NOW, false, anybody), Some(public(1)));
    let mut now = NOW;
    for failure in 1..=3 {
        book.attempt(public(1), now, true);
        // Failures count once between two successes.
        book.attempt(public(1), now, true);
        assert_eq!(book.entries[&public(1)].failures, failure);
        assert_eq!(book.choose(now, false, anybody), None, "not at once again");
        now = now.saturating_add_millis(1_000_000);
        book.good(public(9), Services::FULL_CHAIN, now);
    }
    assert!(book.entries[&public(1)].is_terrible(now.as_seconds()));
    assert!(book.sample(10, Scope::Public, now).iter().all(|told| told.address != public(1)), "not passed on");
}

#[test]
fn offline_failures_count_against_nobody() {
    let mut book = book(EclipseDefences::ALL);
    book.heard(fresh(public(1)), told_by("9.9.1.1:1"), NOW);
    for hour in 0..20 {
        book.attempt(public(1), later(hour * 3_600), false);
    }
    assert_eq!(book.entries[&public(1)].failures, 0);
}

#[test]
fn choices_come_from_both_tables_and_respect_the_condition() {
    let mut book = book(EclipseDefences::ALL);
    for number in 0..200 {
        book.heard(fresh(public(number)), told_by("9.9.1.1:1"), NOW);
    }
    for number in 1_000..1_020 {
        book.good(public(number), Services::FULL_CHAIN, NOW);
    }
    let now = later(3_600);
    let mut tried = 0;
    for _ in 0..400 {
        let chosen = book.choose(now, false, |_, _| true).unwrap();
        tried += u32::from(book.is_tried(chosen));
        let rumour = book.choose(now, true, |_, _| true).unwrap();
        assert!(!book.is_tried(rumour));
    }
    assert!((120..280).contains(&tried), "{tried} of 400 are tried ones");
    let only = book.choose(now, false, |address, _| address == public(1_007));
    assert_eq!(only, Some(public(1_007)));
    assert_eq!(book.choose(now, false, |_, _| false), None);
}

#[test]
fn secrets_decide_the_places() {
    let place = |seed| {
        let book = AddressBook::new(Secret::from_seed(seed), 1, AddressGroups::Public, EclipseDefences::ALL);
        (book.new_place(public(1), Group::V4([9, 9])), book.tried_place(public(1)))
    };
    assert_eq!(place(1), place(1));
    assert_ne!(place(1), place(2));
    assert!(!format!("{:?}", Secret::from_seed(1)).contains(char::is_numeric), "it is not shown");
}

#[test]
fn a_book_survives_a_restart_and_damage_is_noticed() {
    let mut book = book(EclipseDefences::ALL);
    for number in 0..300 {
        book.heard(fresh(public(number)), told_by("9.9.1.1:1"), NOW);
    }
    for number in 1_000..1_050 {
        book.good(public(number), Services::FULL_CHAIN, NOW);
    }
    let saved = book.save(GENESIS, vec![public(1_001), address("0.0.0.0:0")]);
    let bytes = saved.encode();
    let read = SavedBook::decode(&bytes, GENESIS).unwrap();
    assert_eq!(read.len(), saved.len());
    assert_eq!(read.anchors(), [public(1_001)]);
    let restored = AddressBook::restore(&read, 2, AddressGroups::Public, EclipseDefences::ALL);
    let list = |book: &AddressBook| book.iter().map(|record| record.address).collect::<Vec<_>>();
    assert_eq!(list(&restored), list(&book));
    assert_eq!(restored.tried(), book.tried());
    assert!(restored.is_tried(public(1_003)));

    let elsewhere = BlockHash::from_bytes([8; 32]);
    assert_eq!(SavedBook::decode(&bytes, elsewhere), Err(SavedError::WrongNetwork { found: GENESIS }));
    for at in (0..bytes.len()).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        assert_eq!(SavedBook::decode(&damaged, GENESIS), Err(SavedError::WrongChecksum), "byte {at}");
        assert!(SavedBook::decode(&bytes[..at], GENESIS).is_err(), "cut at {at}");
    }
}

/// Whoever writes the file can write anything: it is bounded, and what makes no sense is left out.
#[test]
fn a_kept_book_that_lies_does_no_harm() {
    let mut book = book(EclipseDefences::ALL);
    book.good(public(1), Services::FULL_CHAIN, NOW);
    let entry = book.entries[&public(1)].clone();
    book.entries.insert(address("0.0.0.0:1"), entry.clone());
    let (holder, challenger) = rivals(&book);
    book.entries.insert(holder, entry.clone());
    book.entries.insert(challenger, entry);
    let bytes = book.save(GENESIS, Vec::new()).encode();
    let read = SavedBook::decode(&bytes, GENESIS).unwrap();
    let restored = AddressBook::restore(&read, 2, AddressGroups::Public, EclipseDefences::ALL);
    assert_eq!((restored.len(), restored.tried()), (3, 2), "one of the rivals is a rumour, the nonsense is gone");
}
