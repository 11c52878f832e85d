//! Decoding never allocates more than the input's own length justifies. A binary of its own, with one test, because it
//! counts what the whole process allocates.

use std::alloc::System;

use serde::de::DeserializeOwned;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tally_primitives::block::{Block, Header};
use tally_primitives::encode::{decode, encode};
use tally_primitives::hash::{LockHash, MerkleRoot, Txid};
use tally_primitives::keys::Signature;
use tally_primitives::merkle::MerkleProof;
use tally_primitives::spending::{Preimage, SpendingPolicy, Witness};
use tally_primitives::transaction::{Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes that decoding may allocate for each byte of input. A list grows by doubling, and its items are larger in
/// memory than encoded: at worst a threshold's first child, which takes room for four policies of 40 bytes and may be
/// encoded in 8.
const FACTOR: usize = 16;

/// Bytes for the message of an error, whatever the input.
const MESSAGE: usize = 512;

/// Decodes as `T`; returns what that allocated.
fn allocated<T: DeserializeOwned>(bytes: &[u8]) -> usize {
    let region = Region::new(ALLOCATOR);
    let value = decode::<T>(bytes, bytes.len());
    let used = region.change().bytes_allocated;
    drop(value);
    used
}

fn is_bounded(name: &str, bytes: &[u8]) {
    let most = [
        allocated::<Header>(bytes),
        allocated::<Block>(bytes),
        allocated::<Transaction>(bytes),
        allocated::<Witness>(bytes),
        allocated::<SpendingPolicy>(bytes),
        allocated::<MerkleProof>(bytes),
    ];
    let allowed = FACTOR * bytes.len() + MESSAGE;
    assert!(most.iter().all(|used| *used <= allowed), "{name}: {} bytes made it allocate {most:?}", bytes.len());
}

/// A policy of each kind, nested as deep as the rules allow.
fn policy() -> SpendingPolicy {
    let leaves =
        vec![SpendingPolicy::Older(1), SpendingPolicy::Opaque(LockHash::ZERO), SpendingPolicy::After(Height::new(1))];
    (0..3).fold(SpendingPolicy::Threshold { required: 1, of: leaves }, |child, _| SpendingPolicy::Threshold {
        required: 1,
        of: vec![child],
    })
}

fn witness() -> Witness {
    Witness {
        policy: policy(),
        signatures: vec![Signature::from_bytes([1; 64]); 2],
        preimages: vec![Preimage::from_bytes([2; 32]); 2],
    }
}

fn transaction() -> Transaction {
    let input = Input { outpoint: OutPoint { txid: Txid::ZERO, index: 0 }, witness: witness() };
    let output = Output { value: Amount::ONE_TALLY, lock: LockHash::ZERO };
    Transaction { version: 1, inputs: vec![input; 2], outputs: vec![output; 2], memo: b"memo".to_vec() }
}

/// One encoding of each type that has a length inside.
fn encodings() -> [(&'static str, Vec<u8>); 5] {
    let header = Header::from_bytes(&[0; 80]);
    [
        ("block", encode(&Block { header, transactions: vec![transaction(); 2] })),
        ("transaction", encode(&transaction())),
        ("witness", encode(&witness())),
        ("policy", encode(&policy())),
        ("proof", encode(&MerkleProof { index: 0, leaves: 4, siblings: vec![MerkleRoot::ZERO; 2] })),
    ]
}

/// Every eight bytes of an encoding in turn replaced by a length beyond measure: one of them is each real length
/// prefix.
fn hostile_lengths() {
    for (name, bytes) in encodings() {
        for at in 0..bytes.len() - 7 {
            for length in [1 << 16, 1 << 20, 1 << 24, 1 << 32, 1 << 62, u64::MAX] {
                let mut hostile = bytes.clone();
                hostile[at..at + 8].copy_from_slice(&u64::to_le_bytes(length));
                is_bounded(name, &hostile);
            }
        }
    }
}

/// Bytes without an end that promise more than they hold: a huge list of the smallest items.
fn dense_lists() {
    let count = 50_000u64;
    let list = |head: &[u8], item: &[u8]| {
        [head, &u64::MAX.to_le_bytes(), &item.repeat(usize::try_from(count).expect("a small number"))].concat()
    };
    let smallest_policy = [4, 0, 0, 0, 0, 0, 0, 0];
    let threshold = [1, 0, 0, 0, 1];
    is_bounded("children", &list(&threshold, &smallest_policy));
    is_bounded("thresholds of nothing", &list(&threshold, &[&threshold[..], &[0; 8]].concat()));
    let only_child = [&threshold[..], &1u64.to_le_bytes(), &smallest_policy].concat();
    is_bounded("thresholds of one", &list(&threshold, &only_child));
    let only_child_of_only_child = [&threshold[..], &1u64.to_le_bytes(), &only_child].concat();
    is_bounded("thresholds of thresholds of one", &list(&threshold, &only_child_of_only_child));
    is_bounded("inputs", &list(&[1, 0, 0, 0], &[&[0; 36][..], &smallest_policy, &[0; 16]].concat()));
    is_bounded("outputs", &list(&[[1, 0, 0, 0, 0, 0, 0, 0], [0; 8]].concat()[..12], &[0; 40]));
    is_bounded("memo", &list(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[7]));
    is_bounded("transactions", &list(&[0; 80], &[0; 28]));
    is_bounded("signatures", &list(&smallest_policy, &[0; 64]));
    is_bounded("siblings", &list(&[0; 8], &[0; 32]));
    is_bounded("nesting", &[&threshold[..], &1u64.to_le_bytes()].concat().repeat(100_000));
}

/// Noise, of all byte values and of small ones only (xorshift: the same in every run).
fn noise() {
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    for round in 0..20_000usize {
        let limit = if round % 2 == 0 { 255 } else { 5 };
        let bytes: Vec<u8> = (0..round % 300).map(|_| next() % limit).collect();
        is_bounded("noise", &bytes);
    }
}

#[test]
fn decoding_allocates_in_proportion_to_its_input() {
    // The measure itself: an honest list of 32,000 bytes takes at least that, and a refused one is seen too.
    let honest = encode(&MerkleProof { index: 0, leaves: 4, siblings: vec![MerkleRoot::ZERO; 1_000] });
    assert!(allocated::<MerkleProof>(&honest) >= 32_000, "the allocator counts");
    hostile_lengths();
    dense_lists();
    noise();
}
