//! Scenarios, tables and properties of the mempool and of block templates.

#![expect(clippy::unwrap_used, reason = "helpers of tests stop the test, as the tests themselves do")]

mod conflicts;
mod limits;
mod properties;
mod reorg;
mod template;

use std::collections::BTreeSet;
use std::sync::Arc;

use tally_node_core::chain::ChainError;
use tally_node_core::mempool::pool::Totals;
use tally_node_core::mempool::{Accepted, Mempool, MempoolError, PoolUpdate, RelayPolicy};
use tally_node_core::mining::BlockTemplate;
use tally_node_core::testing::{TestChain, now};
use tally_primitives::block::{Block, MAX_BLOCK_SIZE};
use tally_primitives::hash::Txid;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::{Amount, Timestamp};

/// A chain with its mempool, kept in step as a node does.
struct Bench {
    chain: TestChain,
    pool: Mempool,
    now: Timestamp,
}

impl Bench {
    fn new(policy: RelayPolicy) -> Self {
        Self { chain: TestChain::new(), pool: Mempool::new(policy), now: now() }
    }

    fn send(&mut self, transaction: &Transaction) -> Result<Accepted, MempoolError> {
        self.pool.accept(Arc::new(transaction.clone()), &self.chain.chain, self.now)
    }

    fn block(&mut self, block: &Block) -> Result<PoolUpdate, ChainError> {
        let outcome = self.chain.offer(block)?;
        self.pool.apply_tip_change(&outcome.changes, &self.chain.chain, self.now)
    }

    fn template(&self) -> BlockTemplate {
        BlockTemplate::build(&self.chain.chain, &self.pool, self.now)
    }

    fn txids(&self) -> BTreeSet<Txid> {
        self.pool.entries().map(|entry| entry.txid).collect()
    }

    /// Recomputes everything the pool keeps in step, and mines what it would mine, on a copy of the chain.
    fn audit(&self) {
        let pool = &self.pool;
        let sum = |txids: &BTreeSet<Txid>| {
            let entries = txids.iter().map(|txid| pool.get(txid).expect("relatives are in the pool"));
            entries.fold(Totals { count: 0, size: 0, fee: Amount::ZERO }, |totals, entry| Totals {
                count: totals.count + 1,
                size: totals.size + entry.size,
                fee: totals.fee.checked_add(entry.fee).unwrap(),
            })
        };
        let with = |relatives: Vec<Txid>, own: Txid| -> BTreeSet<Txid> { relatives.into_iter().chain([own]).collect() };
        let mut spent = BTreeSet::new();
        for entry in pool.entries() {
            assert_eq!(entry.ancestors, sum(&with(pool.ancestors(&entry.txid), entry.txid)), "{}", entry.txid);
            assert_eq!(entry.descendants, sum(&with(pool.descendants(&entry.txid), entry.txid)), "{}", entry.txid);
            assert!(entry.parents.iter().all(|parent| pool.get(parent).unwrap().sequence < entry.sequence));
            assert_eq!(pool.get_by_wtxid(&entry.wtxid).map(|found| found.txid), Some(entry.txid));
            for input in &entry.transaction.inputs {
                assert!(spent.insert(input.outpoint), "{} is spent twice", input.outpoint);
                assert_eq!(pool.spender(&input.outpoint), Some(entry.txid));
            }
        }
        assert_eq!(pool.bytes(), pool.entries().map(|entry| entry.size).sum::<usize>());
        assert_eq!(pool.memory_usage(), pool.entries().map(tally_node_core::mempool::Entry::memory).sum::<usize>());
        let fees = Amount::checked_sum(pool.entries().map(|entry| entry.fee)).unwrap();
        assert_eq!(pool.total_fees(), fees);
        assert!(pool.memory_usage() <= pool.policy().max_bytes);
        self.audit_template();
    }

    fn audit_template(&self) {
        let template = self.template();
        let block =
            tally_node_core::testing::mine_template(&template, tally_primitives::hash::LockHash::ZERO, b"audit");
        assert!(block.encoded_size() <= MAX_BLOCK_SIZE);
        let mut copy = TestChain::open(self.chain.store.snapshot()).expect("a copy of the store opens");
        assert_eq!(copy.chain.tip(), self.chain.chain.tip());
        let outcome = copy.chain.accept_block(Arc::new(block), self.now).expect("a template is a valid block");
        outcome.verdict().expect("a template is a valid block");
        if self.pool.bytes() < MAX_BLOCK_SIZE / 2 {
            assert_eq!(template.transactions.len(), self.pool.len(), "everything fits");
        }
    }
}
