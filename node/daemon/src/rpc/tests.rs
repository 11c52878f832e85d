//! What can be said without a running node; the rest is in the crate's `tests/`.

use std::net::SocketAddr;

use tally_node_core::event::{Event, RemovalReason};
use tally_primitives::hash::{BlockHash, Txid, Wtxid};
use tally_primitives::units::{Amount, Height};

use super::websocket::{convert, topic_of};

/// Every event of the core has its counterpart in the interface, field by field.
#[test]
fn all_events_are_told() {
    let hash = BlockHash::from_bytes([1; 32]);
    let txid = Txid::from_bytes([2; 32]);
    let height = Height::new(3);
    let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
    let reasons = [
        RemovalReason::Confirmed,
        RemovalReason::Conflict,
        RemovalReason::Replaced,
        RemovalReason::Evicted,
        RemovalReason::Expired,
        RemovalReason::Reorg,
    ];
    let mut events = vec![
        Event::HeaderTip { hash, height },
        Event::BlockConnected { hash, height, time: 4, transactions: 5 },
        Event::BlockDisconnected { hash, height },
        Event::TipChanged { old: hash, new: hash, height, reorg_depth: 0 },
        Event::BlockRejected { hash, reason: "BLK-02".to_owned() },
        Event::TransactionAccepted { txid, wtxid: Wtxid::from_bytes([6; 32]), fee: Amount::from_notches(7), size: 8 },
        Event::PeerConnected { peer: 9, address, inbound: true },
        Event::PeerDisconnected { peer: 9, reason: "gone".to_owned() },
    ];
    events.extend(reasons.map(|reason| Event::TransactionRemoved { txid, reason }));
    for event in events {
        let told = convert(&event).unwrap_or_else(|| panic!("{event:?} has no counterpart"));
        let (ours, theirs) = (serde_json::to_value(&event).unwrap(), serde_json::to_value(&told).unwrap());
        assert_eq!(ours, theirs);
        assert_eq!(told.topic(), Some(topic_of(&event)));
    }
}
