use super::TransactionRequests;
use crate::net::limits::{
    MAX_ANNOUNCED_TRANSACTIONS, MAX_TRANSACTIONS_IN_FLIGHT, MAX_WANTED_TRANSACTIONS, TRANSACTION_TIMEOUT_MS,
};
use crate::net::peer::PeerId;
use tally_primitives::hash::{Wtxid, sha256};
use tally_primitives::units::Timestamp;
use tally_wire::InventoryItem;

const NOW: Timestamp = Timestamp::from_seconds(1_000);
const A: PeerId = PeerId(1);
const B: PeerId = PeerId(2);
const C: PeerId = PeerId(3);

fn item(number: usize) -> InventoryItem {
    InventoryItem::Transaction(Wtxid::from_bytes(sha256(&number.to_le_bytes())))
}

fn is_empty(requests: &TransactionRequests) -> bool {
    let peers_idle = requests.peers.values().all(|peer| peer.announced.is_empty() && peer.in_flight.is_empty());
    requests.wanted.is_empty() && requests.deadlines.is_empty() && peers_idle
}

#[test]
fn the_first_announcer_is_asked_and_the_others_in_turn() {
    let mut requests = TransactionRequests::default();
    assert_eq!(requests.announced(NOW, A, item(1)), [(A, item(1))]);
    assert_eq!(requests.announced(NOW, A, item(1)), []);
    assert_eq!(requests.announced(NOW, C, item(1)), []);
    assert_eq!(requests.announced(NOW, B, item(1)), []);
    assert_eq!(requests.not_found(NOW, B, item(1)), [], "B was not asked");
    assert_eq!(requests.not_found(NOW, A, item(1)), [(C, item(1))]);
    let timeout = NOW.saturating_add_millis(TRANSACTION_TIMEOUT_MS);
    assert_eq!(requests.next_timeout(), Some(timeout));
    assert_eq!(requests.expire(timeout), [(B, item(1))]);
    assert_eq!(requests.peer_gone(timeout, B), []);
    assert!(is_empty(&requests));
}

#[test]
fn what_came_is_not_asked_again() {
    let mut requests = TransactionRequests::default();
    requests.announced(NOW, A, item(1));
    requests.announced(NOW, B, item(1));
    assert_eq!(requests.settled(NOW, item(1)), []);
    assert_eq!(requests.expire(NOW.saturating_add_millis(TRANSACTION_TIMEOUT_MS)), []);
    assert!(is_empty(&requests));
}

#[test]
fn slots_and_announcements_are_bounded_and_freed_slots_are_used() {
    let mut requests = TransactionRequests::default();
    let asked: usize = (0..10_000).map(|number| requests.announced(NOW, A, item(number)).len()).sum();
    assert_eq!(asked, MAX_TRANSACTIONS_IN_FLIGHT);
    assert_eq!(requests.wanted.len(), MAX_TRANSACTIONS_IN_FLIGHT + MAX_ANNOUNCED_TRANSACTIONS);
    assert_eq!(requests.settled(NOW, item(0)), [(A, item(MAX_TRANSACTIONS_IN_FLIGHT))]);
    assert_eq!(requests.announced(NOW, B, item(9_000)), [(B, item(9_000))], "B's slots are its own");
    requests.peer_gone(NOW, A);
    requests.peer_gone(NOW, B);
    assert!(is_empty(&requests));
}

#[test]
fn an_announcement_that_waits_for_a_slot_survives_the_failure_of_another_announcer() {
    let mut requests = TransactionRequests::default();
    for number in 0..MAX_TRANSACTIONS_IN_FLIGHT {
        requests.announced(NOW, B, item(number));
    }
    requests.announced(NOW, A, item(500));
    assert_eq!(requests.announced(NOW, B, item(500)), []);
    assert_eq!(requests.not_found(NOW, A, item(500)), [], "B has no slot free");
    assert_eq!(requests.settled(NOW, item(0)), [(B, item(500))]);
}

/// A hundred who announce without end fill what there is for all, and leave everybody a share.
#[test]
fn together_they_are_bounded_and_everybody_has_a_share() {
    let mut requests = TransactionRequests::default();
    let honest = PeerId(1_000);
    requests.announced(NOW, honest, item(usize::MAX));
    for flooder in 0..100 {
        for number in 0..1_000 {
            requests.announced(NOW, PeerId(flooder), item(usize::try_from(flooder).unwrap() * 1_000 + number));
        }
    }
    // Of each, as many as are in flight, and as many waiting.
    let share = 2 * MAX_TRANSACTIONS_IN_FLIGHT;
    assert!(requests.wanted.len() <= MAX_WANTED_TRANSACTIONS + 101 * share, "{}", requests.wanted.len());
    for number in 0..1_000 {
        requests.announced(NOW, honest, item(usize::MAX - 1 - number));
    }
    assert_eq!(requests.peers[&honest].announced.len() + requests.in_flight(honest), share);
}
