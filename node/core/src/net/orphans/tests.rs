use super::OrphanPool;
use crate::net::limits::{MAX_ORPHAN_BYTES_PER_PEER, MAX_ORPHANS_PER_PEER, ORPHAN_EXPIRY_MS};
use crate::net::peer::PeerId;
use std::sync::Arc;
use tally_primitives::hash::{LockHash, Txid, Wtxid, sha256};
use tally_primitives::spending::{SpendingPolicy, Witness};
use tally_primitives::transaction::{Input, OutPoint, Transaction};
use tally_primitives::units::Timestamp;

const NOW: Timestamp = Timestamp::from_seconds(1_000);
const A: PeerId = PeerId(1);
const B: PeerId = PeerId(2);

/// A transaction that spends output `index` of the parent numbered `parent`.
fn orphan(parent: u32, index: u32, memo_bytes: usize) -> (Wtxid, Arc<Transaction>) {
    let policy = SpendingPolicy::Opaque(LockHash::ZERO);
    let witness = Witness { policy, signatures: Vec::new(), preimages: Vec::new() };
    let outpoint = OutPoint { txid: parent_id(parent), index };
    let inputs = vec![Input { outpoint, witness }];
    let transaction = Transaction { version: 1, inputs, outputs: Vec::new(), memo: vec![0; memo_bytes] };
    (transaction.wtxid(), Arc::new(transaction))
}

fn parent_id(parent: u32) -> Txid {
    Txid::from_bytes(sha256(&parent.to_le_bytes()))
}

fn assert_empty(pool: &OrphanPool) {
    assert!(pool.orphans.is_empty() && pool.by_parent.is_empty() && pool.by_outpoint.is_empty());
    assert!(pool.by_peer.is_empty() && pool.expiries.is_empty());
}

#[test]
fn a_flood_pushes_out_only_the_flooder_s_own() {
    let mut pool = OrphanPool::default();
    let (honest, transaction) = orphan(1, 0, 0);
    pool.insert(NOW, A, honest, transaction.clone());
    let (shared, shared_transaction) = orphan(2, 0, 0);
    pool.insert(NOW, A, shared, shared_transaction.clone());
    pool.insert(NOW, B, shared, shared_transaction);
    for index in 0..1_000 {
        let (wtxid, transaction) = orphan(3, index, 0);
        pool.insert(NOW, B, wtxid, transaction);
    }
    assert_eq!(pool.len(), MAX_ORPHANS_PER_PEER + 2);
    assert!(pool.contains(&honest) && pool.contains(&shared));
    pool.peer_gone(B);
    assert_eq!(pool.len(), 2);
    pool.peer_gone(A);
    assert_empty(&pool);
}

#[test]
fn bytes_are_bounded_too() {
    let mut pool = OrphanPool::default();
    for index in 0..20 {
        let (wtxid, transaction) = orphan(1, index, 60_000);
        pool.insert(NOW, A, wtxid, transaction);
    }
    assert_eq!(pool.len(), 4);
    let (wtxid, transaction) = orphan(1, 99, MAX_ORPHAN_BYTES_PER_PEER);
    pool.insert(NOW, A, wtxid, transaction);
    assert!(!pool.contains(&wtxid));
    assert_eq!(pool.len(), 4, "what is too large for any account costs the others nothing");
}

/// What many small inputs take in memory is what counts.
#[test]
fn inputs_cost_more_than_their_bytes() {
    let mut pool = OrphanPool::default();
    let (_, one) = orphan(1, 0, 0);
    let many = |first: u32| {
        let mut transaction = Transaction::clone(&one);
        transaction.inputs = (first..first + 400).flat_map(|index| orphan(1, index, 0).1.inputs.clone()).collect();
        (transaction.wtxid(), Arc::new(transaction))
    };
    for number in 0..50 {
        let (wtxid, transaction) = many(number * 400);
        pool.insert(NOW, A, wtxid, transaction);
    }
    assert_eq!(pool.len(), 1, "{}", pool.len());
    pool.peer_gone(A);
    assert_empty(&pool);
}

#[test]
fn what_can_never_be_valid_does_not_wait() {
    let mut pool = OrphanPool::default();
    let (_, good) = orphan(1, 0, 0);
    let mut bad = Transaction::clone(&good);
    bad.inputs[0].witness.policy = SpendingPolicy::Threshold { required: 0, of: vec![SpendingPolicy::Older(1); 17] };
    pool.insert(NOW, A, bad.wtxid(), Arc::new(bad));
    assert_empty(&pool);
}

#[test]
fn children_are_found_by_parent_and_by_coin_and_time_ends_the_wait() {
    let mut pool = OrphanPool::default();
    let (first, one) = orphan(1, 0, 0);
    let (second, two) = orphan(1, 1, 0);
    pool.insert(NOW, A, first, one.clone());
    pool.insert(NOW, A, second, two);
    let mut children = pool.children(&parent_id(1));
    children.sort();
    let mut both = [first, second];
    both.sort();
    assert_eq!(children, both);
    assert_eq!(pool.children(&parent_id(2)), []);
    assert_eq!(pool.spenders(&OutPoint { txid: parent_id(1), index: 1 }), [second]);
    assert_eq!(pool.take(&first), Some((one, vec![A])));
    pool.expire(NOW.saturating_add_millis(ORPHAN_EXPIRY_MS - 1));
    assert_eq!(pool.len(), 1);
    pool.expire(NOW.saturating_add_millis(ORPHAN_EXPIRY_MS));
    assert_empty(&pool);
}
