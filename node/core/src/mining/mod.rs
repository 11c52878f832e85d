//! The block to mine next: what a miner needs to know, and the choice of transactions.
//!
//! | file | what |
//! |---|---|
//! | here | [`BlockTemplate`] |
//! | `select` | the choice by ancestor fee rate |
//! | [`stratum`] | Stratum v1: miners that connect to the node |

mod select;
pub mod stratum;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tally_consensus::header::VERSION_TOP_BITS;
use tally_consensus::subsidy::subsidy;
use tally_primitives::block::{Block, Header, MAX_BLOCK_SIZE};
use tally_primitives::hash::{BlockHash, LockHash, MerkleRoot, Txid, Wtxid};
use tally_primitives::pow::{CompactTarget, Target};
use tally_primitives::transaction::{Output, Transaction};
use tally_primitives::units::{Amount, Height, Timestamp};

use crate::chain::Chain;
use crate::mempool::Mempool;

/// Bytes of a block that are kept for the header, the number of transactions, and the coinbase, which the miner makes:
/// 88 and room for a coinbase with some twenty outputs.
pub const RESERVED_SIZE: usize = 1_088;

/// A transaction of a template.
#[derive(Debug, Clone)]
pub struct TemplateTransaction {
    /// The transaction.
    pub transaction: Arc<Transaction>,
    /// Its id.
    pub txid: Txid,
    /// Its id with witnesses.
    pub wtxid: Wtxid,
    /// What it pays.
    pub fee: Amount,
    /// Its encoded size in bytes.
    pub size: usize,
}

/// A block without its coinbase and its proof of work.
#[derive(Debug, Clone)]
pub struct BlockTemplate {
    /// The version, with the miner's bits zero.
    pub version: u32,
    /// The parent.
    pub prev_block: BlockHash,
    /// The block's height.
    pub height: Height,
    /// The target in compact form.
    pub bits: CompactTarget,
    /// The target.
    pub target: Target,
    /// The least time allowed, in seconds since the Unix epoch.
    pub min_time: u32,
    /// The time when the template was made, but not less than `min_time`.
    pub current_time: u32,
    /// What the coinbase may claim: subsidy and fees.
    pub coinbase_value: Amount,
    /// The transactions after the coinbase, in order.
    pub transactions: Vec<TemplateTransaction>,
}

impl BlockTemplate {
    /// The block on top of the chain's tip that pays most, as far as choosing by ancestor fee rate finds it.
    ///
    /// The mempool must be in step with the chain.
    pub fn build(chain: &Chain, mempool: &Mempool, now: Timestamp) -> Self {
        let tip = chain.tip();
        let height = tip.height.next();
        let bits = chain.next_bits();
        let transactions = select::select(mempool.pool(), MAX_BLOCK_SIZE - RESERVED_SIZE);
        let fees = transactions.iter().map(|transaction| transaction.fee);
        let subsidy = subsidy(chain.params(), height);
        let min_time = tip.median_time_past.saturating_add(1);
        Self {
            version: VERSION_TOP_BITS,
            prev_block: tip.hash,
            height,
            bits,
            target: bits.to_target().unwrap_or_else(|_| chain.params().target_limit()),
            min_time,
            current_time: now.as_seconds().max(min_time),
            // Fees are parts of coins that exist, so the sum stays far from overflowing.
            coinbase_value: Amount::checked_sum(fees.chain([subsidy])).unwrap_or(subsidy),
            transactions,
        }
    }

    /// All fees together.
    pub fn fees(&self) -> Amount {
        let fees = self.transactions.iter().map(|transaction| transaction.fee);
        Amount::checked_sum(fees).unwrap_or_default()
    }

    /// The coinbase that pays everything to one lock; `extra` follows the height in its memo.
    pub fn coinbase(&self, payout: LockHash, extra: &[u8]) -> Transaction {
        Transaction::coinbase(self.height, extra, vec![Output { value: self.coinbase_value, lock: payout }])
    }

    /// The block to search a nonce for, with its nonce 0 and the template's own time.
    pub fn block(&self, payout: LockHash, extra: &[u8]) -> Block {
        self.block_with(self.coinbase(payout, extra))
    }

    /// As [`BlockTemplate::block`], with a coinbase of the miner's own.
    pub fn block_with(&self, coinbase: Transaction) -> Block {
        let rest = self.transactions.iter().map(|transaction| Transaction::clone(&transaction.transaction));
        let transactions = std::iter::once(coinbase).chain(rest).collect();
        let header = Header {
            version: self.version,
            prev_block: self.prev_block,
            merkle_root: MerkleRoot::ZERO,
            time: self.current_time,
            bits: self.bits,
            nonce: 0,
        };
        let mut block = Block { header, transactions };
        block.header.merkle_root = block.merkle_root();
        block
    }
}
