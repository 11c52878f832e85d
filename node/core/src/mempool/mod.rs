//! The mempool: transactions that are valid in the next block and wait for one.
//!
//! | file | what |
//! |---|---|
//! | `accept` | a transaction arrives: validity, relay policy, replacement by fee, eviction, expiry |
//! | `removed` | what left or was refused lately, for compact blocks |
//! | `follow` | the tip moved: confirmed and conflicting ones leave, disconnected ones return |
//! | [`pool`] | the graph, with the orders for mining, eviction and expiry |
//! | [`policy`] | relay policy: this node's own limits |
//! | `floor` | the minimum fee rate that rises when the pool overflows |
//! | [`estimate`] | fee estimation |
//! | [`error`] | refusals |

mod accept;
pub mod error;
pub mod estimate;
mod floor;
mod follow;
pub mod policy;
pub mod pool;
mod removed;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tally_primitives::hash::{Txid, Wtxid};
use tally_primitives::transaction::{OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, FeeRate, Timestamp};

pub use crate::mempool::error::MempoolError;
pub use crate::mempool::policy::RelayPolicy;
pub use crate::mempool::pool::Entry;

use crate::event::RemovalReason;
use crate::mempool::estimate::Estimator;
use crate::mempool::floor::FeeFloor;
use crate::mempool::pool::Pool;
use crate::mempool::removed::RemovedTransactions;

/// A transaction that was taken in, and what had to leave for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// Its id.
    pub txid: Txid,
    /// Its id with witnesses.
    pub wtxid: Wtxid,
    /// What it pays.
    pub fee: Amount,
    /// Its encoded size in bytes.
    pub size: usize,
    /// Transactions it took the place of, their descendants included.
    pub replaced: Vec<Txid>,
    /// Transactions given up for want of space.
    pub evicted: Vec<Txid>,
}

/// What a change of the tip did to the mempool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PoolUpdate {
    /// Transactions that left, and why.
    pub removed: Vec<(Txid, RemovalReason)>,
    /// Transactions of disconnected blocks that are here again.
    pub returned: Vec<Txid>,
}

/// The transactions that wait for a block.
#[derive(Debug)]
pub struct Mempool {
    policy: RelayPolicy,
    pool: Pool,
    floor: FeeFloor,
    estimator: Estimator,
    removed: RemovedTransactions,
}

impl Mempool {
    /// An empty mempool.
    pub fn new(policy: RelayPolicy) -> Self {
        Self {
            policy,
            pool: Pool::default(),
            floor: FeeFloor::default(),
            estimator: Estimator::default(),
            removed: RemovedTransactions::default(),
        }
    }

    /// The node's limits.
    pub fn policy(&self) -> &RelayPolicy {
        &self.policy
    }

    /// An entry by its id.
    pub fn get(&self, txid: &Txid) -> Option<&Entry> {
        self.pool.get(txid)
    }

    /// An entry by its id with witnesses.
    pub fn get_by_wtxid(&self, wtxid: &Wtxid) -> Option<&Entry> {
        self.pool.get_by_wtxid(wtxid)
    }

    /// Whether a transaction is here.
    pub fn contains(&self, txid: &Txid) -> bool {
        self.pool.get(txid).is_some()
    }

    /// Whether a transaction with just these witnesses is here.
    pub fn contains_wtxid(&self, wtxid: &Wtxid) -> bool {
        self.pool.contains_wtxid(wtxid)
    }

    /// All entries, in the order of their ids.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.pool.entries()
    }

    /// Both ids of all entries, in the order of those with witnesses.
    pub fn ids(&self) -> impl Iterator<Item = (&Wtxid, &Txid)> {
        self.pool.ids()
    }

    /// Transactions that were replaced, evicted or refused lately, and may stand in somebody else's block all the same.
    pub fn removed(&self) -> impl Iterator<Item = (&Wtxid, &Arc<Transaction>)> {
        self.removed.iter()
    }

    /// The graph, for the template.
    pub(crate) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Everything here that a transaction builds on, in the order of ids.
    pub fn ancestors(&self, txid: &Txid) -> Vec<Txid> {
        self.pool.with_ancestors([*txid]).into_iter().filter(|other| other != txid).collect()
    }

    /// Everything here that is built on a transaction, in the order of ids.
    pub fn descendants(&self, txid: &Txid) -> Vec<Txid> {
        self.pool.with_descendants([*txid]).into_iter().filter(|other| other != txid).collect()
    }

    /// Which transaction here spends a coin.
    pub fn spender(&self, outpoint: &OutPoint) -> Option<Txid> {
        self.pool.spender(outpoint)
    }

    /// An output of a transaction here, spent or not.
    pub fn output(&self, outpoint: &OutPoint) -> Option<Output> {
        self.pool.output(outpoint)
    }

    /// Number of transactions.
    pub fn len(&self) -> usize {
        self.pool.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pool.is_empty()
    }

    /// Encoded bytes of all transactions.
    pub fn bytes(&self) -> usize {
        self.pool.size()
    }

    /// Bytes of memory that the bound of the relay policy counts.
    pub fn memory_usage(&self) -> usize {
        self.pool.memory()
    }

    /// All fees together.
    pub fn total_fees(&self) -> Amount {
        self.pool.fees()
    }

    /// The least fee rate accepted now: relay policy's, or more when the pool has overflowed lately.
    pub fn min_fee_rate(&self, now: Timestamp) -> FeeRate {
        self.floor.rate(now, self.pool.memory(), self.policy.max_bytes).max(self.policy.min_fee_rate)
    }

    /// Whether [`Mempool::min_fee_rate`] may change by itself.
    pub(crate) fn floor_moves(&self) -> bool {
        self.floor.moves()
    }

    /// Whether time changes nothing here: no transaction grows old, and no minimum sinks.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.pool.is_empty() && !self.floor_moves()
    }

    /// The lowest fee rate that has been enough lately to be confirmed within `blocks` blocks; `None` if too little
    /// has been seen to tell.
    pub fn estimate(&self, blocks: u32) -> Option<FeeRate> {
        self.estimator.estimate(blocks).map(|rate| rate.max(self.policy.min_fee_rate))
    }
}
