//! Who has to leave, and who calls too often.

use std::net::IpAddr;

use tally_primitives::units::Timestamp;

use super::{Callers, Candidate, whom_to_evict};
use crate::net::address_book::group::Group;
use crate::net::limits::{CALLS_AT_ONCE, MAX_CALLERS};
use crate::net::peer::PeerId;

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn at(seconds: u64) -> Timestamp {
    NOW.saturating_add_millis(seconds * 1_000)
}

/// An attacker's peer: young, far away, of a network with many, and it has brought nothing.
fn attacker(id: u64) -> Candidate {
    Candidate {
        id: PeerId(id),
        group: Group::V4([66, 6]),
        group_rank: u64::MAX,
        min_ping: Some(300 + id),
        last_transaction_at: None,
        last_block_at: None,
        connected_at: at(10_000 + id),
    }
}

#[test]
fn with_few_peers_all_are_protected() {
    assert_eq!(whom_to_evict(Vec::new()), None);
    // Four by group, eight by ping, four by transactions, four by blocks.
    assert_eq!(whom_to_evict((0..20).map(attacker).collect()), None);
    assert!(whom_to_evict((0..22).map(attacker).collect()).is_some());
}

#[test]
fn every_kind_of_merit_protects_against_a_crowd() {
    let merits: [fn(&mut Candidate); 5] = [
        |peer| peer.group_rank = 0,
        |peer| peer.min_ping = Some(1),
        |peer| peer.last_transaction_at = Some(NOW),
        |peer| peer.last_block_at = Some(NOW),
        |peer| peer.connected_at = NOW,
    ];
    for merit in merits {
        let mut honest = Candidate { group: Group::V4([66, 6]), min_ping: None, ..attacker(1_000) };
        merit(&mut honest);
        let mut peers: Vec<Candidate> = (0..100).map(attacker).collect();
        peers.push(honest.clone());
        // The crowd is driven out one by one, and the honest peer stays.
        while peers.len() > 25 {
            let evicted = whom_to_evict(peers.clone()).unwrap();
            assert_ne!(evicted, honest.id);
            peers.retain(|peer| peer.id != evicted);
        }
    }
}

#[test]
fn the_largest_group_loses_its_youngest() {
    let mut peers: Vec<Candidate> = (0..100).map(attacker).collect();
    for (number, id) in (200..230_u64).enumerate() {
        let number = u8::try_from(number).unwrap();
        // Younger than all attackers, each of a network of its own.
        peers.push(Candidate { group: Group::V4([8, number]), connected_at: at(50_000 + id), ..attacker(id) });
    }
    assert_eq!(whom_to_evict(peers), Some(PeerId(99)));
}

#[test]
fn a_storm_is_slowed_down_and_others_are_not() {
    let mut callers = Callers::default();
    let storm: IpAddr = "2001:db8::1".parse().unwrap();
    let mut taken = 0;
    for second in 0..100 {
        for _ in 0..50 {
            taken += u64::from(!callers.is_too_often(storm, at(second)));
        }
    }
    assert!(taken <= CALLS_AT_ONCE + 100, "{taken}");
    let neighbour: IpAddr = "2001:db8::2".parse().unwrap();
    assert!(callers.is_too_often(neighbour, at(99)), "the same /64 is the same machine");
    let other: IpAddr = "2001:db8:0:1::1".parse().unwrap();
    assert!(!callers.is_too_often(other, at(99)));
    for number in 0..10_000_u32 {
        callers.is_too_often(IpAddr::from(number.to_be_bytes()), at(99));
        assert!(callers.by_address.len() <= MAX_CALLERS);
    }
    assert!(callers.is_too_often(storm, at(99)), "others that call once do not make it forgotten");
}
