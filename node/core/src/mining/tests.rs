use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::{ProptestConfig, any};
use proptest::{prop_assert, prop_assert_eq, proptest};
use tally_primitives::hash::{LockHash, Txid};
use tally_primitives::spending::{SpendingPolicy, Witness};
use tally_primitives::transaction::{CURRENT_VERSION, Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, FeeRate, Height, Timestamp};

use super::select::select;
use crate::mempool::Entry;
use crate::mempool::pool::Pool;

/// Puts an unsigned transaction into a pool, which does not judge. It spends an output of its own of each parent.
fn add(pool: &mut Pool, number: u32, parents: &BTreeSet<Txid>, memo: usize, fee: u64) -> Txid {
    let witness =
        Witness { policy: SpendingPolicy::After(Height::new(0)), signatures: Vec::new(), preimages: Vec::new() };
    let own = Txid::from_bytes([0xee; 32]);
    let spent = parents.iter().chain([&own]).map(|txid| OutPoint { txid: *txid, index: number });
    let inputs = spent.map(|outpoint| Input { outpoint, witness: witness.clone() }).collect();
    let outputs = vec![Output { value: Amount::from_notches(1_000), lock: LockHash::ZERO }];
    let transaction = Arc::new(Transaction { version: CURRENT_VERSION, inputs, outputs, memo: vec![0; memo] });
    let ids = (transaction.txid(), transaction.wtxid());
    let entry = Entry::new(transaction, ids, Amount::from_notches(fee), Timestamp::from_millis(0), Height::new(1));
    pool.insert(entry);
    ids.0
}

/// The same choice in the plainest way: everything is computed anew for each step.
fn plain_selection(pool: &Pool, mut room: usize) -> Vec<Txid> {
    let mut chosen: Vec<Txid> = Vec::new();
    // Given up, with the number of ancestors that were chosen at the time.
    let mut given_up: Vec<(Txid, usize)> = Vec::new();
    loop {
        let package = |entry: &Entry| -> Vec<&Entry> {
            let all = pool.with_ancestors([entry.txid]);
            all.iter().filter(|txid| !chosen.contains(txid)).filter_map(|txid| pool.get(txid)).collect()
        };
        let score = |entry: &Entry| {
            let fee = Amount::checked_sum(package(entry).iter().map(|entry| entry.fee)).unwrap();
            let size = package(entry).iter().map(|entry| entry.size).sum();
            FeeRate::of(fee, size).min(entry.rate())
        };
        let is_open = |entry: &&Entry| {
            let left = package(entry).len();
            !chosen.contains(&entry.txid) && !given_up.contains(&(entry.txid, left))
        };
        let best = pool.entries().filter(is_open).min_by_key(|entry| (std::cmp::Reverse(score(entry)), entry.sequence));
        let Some(best) = best else {
            return chosen;
        };
        let mut package = package(best);
        let size = package.iter().map(|entry| entry.size).sum();
        if let Some(rest) = room.checked_sub(size) {
            room = rest;
            package.sort_by_key(|entry| entry.sequence);
            let package: Vec<Txid> = package.iter().map(|entry| entry.txid).collect();
            chosen.extend(package);
        } else {
            given_up.push((best.txid, package.len()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn selection_is_that_of_the_plain_algorithm(
        plans in proptest::collection::vec((any::<[u8; 2]>(), 0usize..80, 100u64..5_000), 1..24),
        room in 100usize..6_000,
    ) {
        let mut pool = Pool::default();
        let mut txids: Vec<Txid> = Vec::new();
        for (number, (parents, memo, fee)) in (0u32..).zip(plans) {
            // Every other share stands for no parent.
            let picked = parents.iter().filter(|share| **share % 2 == 0 && !txids.is_empty());
            let parents = picked.map(|share| txids[usize::from(*share / 2) % txids.len()]).collect();
            txids.push(add(&mut pool, number, &parents, memo, fee));
        }
        let selected = select(&pool, room);
        prop_assert!(selected.iter().map(|transaction| transaction.size).sum::<usize>() <= room);
        let order: Vec<Txid> = selected.iter().map(|transaction| transaction.txid).collect();
        for (at, txid) in order.iter().enumerate() {
            prop_assert!(pool.get(txid).unwrap().parents.iter().all(|parent| order[..at].contains(parent)));
        }
        prop_assert_eq!(order, plain_selection(&pool, room));
    }
}
