use super::{AddressBook, AddressBucket};
use crate::net::limits::MAX_ADDRESS_BOOK;
use crate::random::Random;
use std::net::SocketAddr;
use tally_primitives::units::Timestamp;
use tally_wire::{AddressRecord, Services};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn record(address: &str, last_seen: u32) -> AddressRecord {
    AddressRecord { last_seen, services: Services::NONE, address: address.parse().unwrap() }
}

#[test]
fn lies_are_not_written_down() {
    let (mut book, mut random) = (AddressBook::default(), Random::new(1));
    for address in ["10.0.0.1:0", "0.0.0.0:9740", "224.0.0.1:9740", "255.255.255.255:9740", "[ff02::1]:9740"] {
        book.heard(record(address, NOW.as_seconds()), NOW, &mut random);
    }
    book.heard(record("10.0.0.2:9740", 5), NOW, &mut random);
    assert_eq!(book.iter().count(), 0);
    book.heard(record("10.0.0.3:9740", u32::MAX), NOW, &mut random);
    let doubtful = book.iter().next().unwrap();
    assert_eq!(doubtful.last_seen, NOW.as_seconds() - 5 * 24 * 60 * 60, "a time of the future is not believed");
}

#[test]
fn the_book_is_bounded_and_samples_are_distinct() {
    let (mut book, mut random) = (AddressBook::default(), Random::new(1));
    for port in 1..=5_000_u16 {
        book.saw(SocketAddr::from(([10, 0, 0, 1], port)), Services::FULL_CHAIN, NOW, &mut random);
    }
    assert_eq!(book.iter().count(), MAX_ADDRESS_BOOK);
    let mut sample: Vec<SocketAddr> =
        book.sample(1_000, NOW, &mut random).iter().map(|record| record.address).collect();
    sample.sort();
    sample.dedup();
    assert_eq!(sample.len(), 1_000);
}

#[test]
fn a_peer_fills_the_book_at_a_bounded_rate() {
    let mut bucket = AddressBucket::new(NOW);
    assert_eq!(bucket.take(800, NOW), 1);
    bucket.asked(NOW);
    assert_eq!(bucket.take(800, NOW), 800);
    assert_eq!(bucket.take(800, NOW), 200);
    assert_eq!(bucket.take(800, NOW), 0);
    assert_eq!(bucket.take(800, NOW.saturating_add_millis(30_000)), 3);
}
