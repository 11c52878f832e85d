//! The ids of a block's transactions, hashed once: checking, connecting and following a block all need them, and hashing is most of what
//! a block costs whose signatures are known to be good.

use std::collections::VecDeque;
use std::sync::Arc;

use tally_primitives::block::Block;
use tally_primitives::hash::{BlockHash, Txid, Wtxid};
use tally_primitives::transaction::Transaction;

/// Blocks whose ids are remembered: those at the tip, of which several places ask.
const REMEMBERED_BLOCKS: usize = 4;

/// The ids of a block's transactions, in the order of the block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockIds {
    /// Without witnesses.
    pub txids: Vec<Txid>,
    /// With witnesses: the leaves of the Merkle tree.
    pub wtxids: Vec<Wtxid>,
}

impl BlockIds {
    /// Hashes every transaction twice.
    pub fn of(block: &Block) -> Self {
        Self { txids: block.transactions.iter().map(Transaction::txid).collect(), wtxids: block.wtxids() }
    }
}

/// The ids of the last blocks that arrived.
#[derive(Debug, Default)]
pub struct RecentIds {
    blocks: VecDeque<(BlockHash, Arc<BlockIds>)>,
}

impl RecentIds {
    /// Remembers the ids of a block, which must be those of the body that is stored under this hash.
    pub fn insert(&mut self, hash: BlockHash, ids: Arc<BlockIds>) {
        if self.blocks.len() == REMEMBERED_BLOCKS {
            self.blocks.pop_front();
        }
        self.blocks.push_back((hash, ids));
    }

    /// The ids of a block's transactions: remembered, or hashed now.
    pub fn of(&self, hash: &BlockHash, block: &Block) -> Arc<BlockIds> {
        let known = self.blocks.iter().rev().find(|(known, _)| known == hash);
        known.map_or_else(|| Arc::new(BlockIds::of(block)), |(_, ids)| Arc::clone(ids))
    }
}
