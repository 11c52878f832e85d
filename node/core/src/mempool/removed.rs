//! Transactions that are not in the pool and may well stand in a block: replaced, evicted, or refused by relay policy. A miner with other
//! neighbours or other limits may have taken them, and then a compact block is put together without asking for them.

use std::collections::VecDeque;
use std::sync::Arc;

use tally_primitives::hash::Wtxid;
use tally_primitives::transaction::Transaction;

/// Most transactions remembered: each costs a short id's hash with every compact block.
const MAX_TRANSACTIONS: usize = 500;
/// Most encoded bytes remembered.
const MAX_BYTES: usize = 2_000_000;

/// The latest transactions that left or were refused.
#[derive(Debug, Default)]
pub struct RemovedTransactions {
    transactions: VecDeque<(Wtxid, Arc<Transaction>, usize)>,
    bytes: usize,
}

impl RemovedTransactions {
    /// Remembers a transaction; the oldest make room.
    pub fn insert(&mut self, wtxid: Wtxid, transaction: Arc<Transaction>) {
        let size = transaction.encoded_size();
        if size > MAX_BYTES || self.transactions.iter().any(|(known, _, _)| *known == wtxid) {
            return;
        }
        self.bytes += size;
        self.transactions.push_back((wtxid, transaction, size));
        while self.transactions.len() > MAX_TRANSACTIONS || self.bytes > MAX_BYTES {
            let Some((_, _, size)) = self.transactions.pop_front() else {
                return;
            };
            self.bytes -= size;
        }
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (&Wtxid, &Arc<Transaction>)> {
        self.transactions.iter().map(|(wtxid, transaction, _)| (wtxid, transaction))
    }
}

#[cfg(test)]
mod tests;
