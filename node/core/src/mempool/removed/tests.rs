use super::{MAX_BYTES, MAX_TRANSACTIONS, RemovedTransactions};
use crate::testing;
use std::sync::Arc;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::Height;

fn transaction(number: u32, outputs: usize) -> Arc<Transaction> {
    let output = testing::allocations(&testing::params())[0].1;
    Arc::new(Transaction::coinbase(Height::new(number), &[], vec![output; outputs]))
}

#[test]
fn the_oldest_make_room_by_number_and_by_bytes() {
    let mut removed = RemovedTransactions::default();
    for number in 0..600 {
        let transaction = transaction(number, 1);
        removed.insert(transaction.wtxid(), transaction.clone());
        removed.insert(transaction.wtxid(), transaction);
    }
    assert_eq!(removed.iter().count(), MAX_TRANSACTIONS);
    assert_eq!(removed.iter().next().unwrap().0, &transaction(100, 1).wtxid());
    for number in 0..100 {
        let large = transaction(number, 1_000);
        removed.insert(large.wtxid(), large);
    }
    let bytes: usize = removed.iter().map(|(_, transaction)| transaction.encoded_size()).sum();
    assert!(bytes <= MAX_BYTES && removed.iter().count() < 60, "{bytes} bytes");
    let huge = transaction(7, 60_000);
    removed.insert(huge.wtxid(), huge);
    assert!(removed.iter().count() > 40, "one that is too large pushes nobody out");
}
