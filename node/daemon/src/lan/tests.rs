//! Who is a neighbour, and who is not.

use std::collections::HashSet;
use std::net::SocketAddr;

use mdns_sd::{ResolvedService, ServiceInfo};
use tally_primitives::hash::BlockHash;

use super::{announcement, name_of, neighbours};
use crate::transport::NodeId;

const GENESIS: BlockHash = BlockHash::from_bytes([7; 32]);

fn announced(id: u8, genesis: BlockHash) -> (NodeId, ServiceInfo) {
    let id = NodeId::from_bytes([id; 32]);
    (id, announcement(id, genesis, "192.168.1.7:9740".parse().unwrap()).unwrap())
}

fn seen(info: &ServiceInfo) -> ResolvedService {
    info.clone().as_resolved_service()
}

#[test]
fn nodes_of_the_same_network_meet_and_nobody_meets_itself() {
    let (own, ours) = announced(1, GENESIS);
    let (_, other) = announced(2, GENESIS);
    let (_, elsewhere) = announced(3, BlockHash::from_bytes([8; 32]));
    let own_name = name_of(own);
    let expected: SocketAddr = "192.168.1.7:9740".parse().unwrap();
    assert_eq!(neighbours(&seen(&other), &own_name, GENESIS), [expected]);
    assert_eq!(neighbours(&seen(&ours), &own_name, GENESIS), []);
    assert_eq!(neighbours(&seen(&elsewhere), &own_name, GENESIS), []);
    let mut silent = seen(&other);
    silent.addresses = HashSet::new();
    assert_eq!(neighbours(&silent, &own_name, GENESIS), []);
}
