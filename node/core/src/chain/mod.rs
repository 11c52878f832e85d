//! The chain: headers and blocks in, the active chain and its coins out.
//!
//! The chain with the most work wins; of equals, the first seen stays. Nothing is written here: [`Chain::take_changes`]
//! hands out what is to be stored, and everything handed out stays visible until [`Chain::changes_applied`].
//!
//! | file | what |
//! |---|---|
//! | `accept` | a header or a block arrives |
//! | `activate` | moving to the best chain, block by block; reorganisations |
//! | `connect` | one block joins or leaves the coin set |
//! | `invalidate` | blocks condemned and pardoned by hand |
//! | `open` | starting on a store, empty or not |
//! | `propose` | whether a block would do, before it is worked for |
//! | `query` | questions about blocks and branches |
//! | `ahead` | the next block's coins and witnesses, looked at a few at a time |
//! | [`coins`], [`index`], [`ids`] | the coins cache, the header tree, ids of transactions hashed once |
//! | `verified`, `writes` | verified witnesses, pending writes |
//! | [`store`], [`memory`] | the store's trait and change sets; a store in memory |
//! | [`error`], [`outcome`] | refusals and results |

mod accept;
mod activate;
mod ahead;
pub mod coins;
mod connect;
pub mod error;
pub mod ids;
pub mod index;
mod invalidate;
pub mod memory;
mod open;
pub mod outcome;
mod propose;
mod query;
pub mod store;
mod verified;
mod writes;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tally_consensus::error::RuleError;
use tally_consensus::inputs::{InputContext, check_witnesses};
use tally_primitives::block::Block;
use tally_primitives::hash::{BlockHash, Wtxid};
use tally_primitives::params::Params;
use tally_primitives::pow::{CompactTarget, Target};
use tally_primitives::transaction::{Coin, OutPoint, Transaction};
use tally_primitives::units::Height;

pub use crate::chain::error::ChainError;
pub use crate::chain::outcome::{
    Activation, BlockFate, BlockOutcome, ChainTip, ChainTipStatus, HeaderOutcome, Position, Rejection, StagedBlock,
    Tip, TipChange,
};

use crate::chain::activate::Candidate;
use crate::chain::ahead::Ahead;
use crate::chain::coins::CoinsCache;
use crate::chain::ids::{BlockIds, RecentIds};
use crate::chain::index::{BlockIndex, EntryId};
use crate::chain::store::{BlockUndo, ChainStore, ChangeSet, CoinStats};
use crate::chain::verified::VerifiedCache;
use crate::chain::writes::{SealedCoins, Writes};

/// A node more blocks than this behind its best header is in initial sync: its change sets are batched.
pub const SYNC_GAP_BLOCKS: u32 = 24;

/// The chain state of a node.
pub struct Chain {
    params: Arc<Params>,
    limit: Target,
    genesis: BlockHash,
    store: Box<dyn ChainStore>,
    index: BlockIndex,
    /// The active chain by height, genesis first.
    active: Vec<EntryId>,
    /// The last of them; asked for with every message.
    tip: Tip,
    /// Blocks that might become the tip; pruned lazily.
    candidates: BTreeSet<Candidate>,
    coins: CoinsCache,
    /// Figures of the coin set as of the last change set.
    sealed_stats: CoinStats,
    writes: Writes,
    /// Counts blocks as they become possible tips: of equals, the first seen stays.
    sequence: u64,
    /// Behind a lock, since the mempool verifies with the chain shared.
    verified: Mutex<VerifiedCache>,
    ids: RecentIds,
    ahead: Option<Ahead>,
}

impl Chain {
    /// The network.
    pub fn params(&self) -> &Arc<Params> {
        &self.params
    }

    /// The hash of the network's first block.
    pub fn genesis_hash(&self) -> BlockHash {
        self.genesis
    }

    /// The block that the coin set belongs to.
    pub fn tip(&self) -> Tip {
        self.tip
    }

    /// The valid header with the most work; its chain's bodies may be missing.
    pub fn best_header(&self) -> Tip {
        self.tip_of(self.index.best_header())
    }

    /// The hash of [`Chain::best_header`].
    pub fn best_header_hash(&self) -> BlockHash {
        self.index.get(self.index.best_header()).hash
    }

    /// Every known header.
    pub fn index(&self) -> &BlockIndex {
        &self.index
    }

    /// Whether the tip is far behind the best header, so that change sets are batched.
    pub fn is_syncing(&self) -> bool {
        let best = self.index.get(self.index.best_header()).height;
        best.get().saturating_sub(self.tip_height().get()) > SYNC_GAP_BLOCKS
    }

    /// The bits that a block on top of the tip must carry.
    pub fn next_bits(&self) -> CompactTarget {
        self.index.next_bits(&self.params, self.tip_id())
    }

    /// What the inputs of a transaction are judged by in a block at `height`.
    pub fn input_context(&self, height: Height) -> InputContext {
        InputContext { height, coinbase_maturity: self.params.coinbase_maturity, genesis: self.genesis }
    }

    /// An unspent coin of the active chain.
    ///
    /// # Errors
    /// Those of the store.
    pub fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, ChainError> {
        Ok(self.coins.get(&*self.store, outpoint)?)
    }

    /// A block's body, on whichever branch.
    ///
    /// # Errors
    /// Those of the store.
    pub fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, ChainError> {
        match self.writes.body(hash) {
            Some(block) => Ok(Some(block)),
            None => Ok(self.store.block(hash)?),
        }
    }

    /// The coins that a block spent, if it was ever connected.
    ///
    /// # Errors
    /// Those of the store.
    pub fn undo(&self, hash: &BlockHash) -> Result<Option<Arc<BlockUndo>>, ChainError> {
        match self.writes.undo(hash) {
            Some(undo) => Ok(Some(undo)),
            None => Ok(self.store.undo(hash)?.map(Arc::new)),
        }
    }

    /// Figures of the coin set at the tip.
    pub fn coin_stats(&self) -> CoinStats {
        self.coins.stats(self.sealed_stats)
    }

    /// IN-04 to IN-07 of a transaction, unless they are known to hold: the verdict is remembered, so that a block need
    /// not repeat what the mempool has checked.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn verify_witnesses(
        &self,
        transaction: &Transaction,
        wtxid: &Wtxid,
        spent: &[Coin],
        height: Height,
    ) -> Result<(), RuleError> {
        if self.is_verified(wtxid, spent, height) {
            return Ok(());
        }
        check_witnesses(transaction, spent, &self.input_context(height))?;
        self.verified().insert(*wtxid, spent, height);
        Ok(())
    }

    /// Whether [`Chain::verify_witnesses`] has been through this transaction.
    fn is_verified(&self, wtxid: &Wtxid, spent: &[Coin], height: Height) -> bool {
        self.verified().is_good(wtxid, spent, height)
    }

    /// The ids of a block's transactions; those of the latest blocks are not hashed again.
    pub fn block_ids(&self, hash: &BlockHash, block: &Block) -> Arc<BlockIds> {
        self.ids.of(hash, block)
    }

    fn verified(&self) -> MutexGuard<'_, VerifiedCache> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be stored next; call it until there is nothing more. Outside initial sync everything new leaves at
    /// once; during it, change sets are batched up to a bound. Lone headers wait for company, and a body that is about to be connected waits
    /// for that.
    pub fn take_changes(&mut self) -> Option<ChangeSet> {
        let is_about_to_move = self.activation_pending() && !self.writes.tip_moved();
        let due = self.writes.has_news() && !self.is_syncing() && !is_about_to_move;
        if self.writes.all_taken() && (due || self.writes.is_full(self.coins.dirty_len())) {
            self.seal();
        }
        self.writes.take()
    }

    /// Makes everything that waits leave with the next [`Chain::take_changes`]: before a stop, or when a batch has
    /// waited long enough.
    pub fn flush(&mut self) {
        if !self.writes.is_empty() {
            self.seal();
        }
    }

    /// Whether anything waits for a batch to fill: then a [`Chain::flush`] after a while keeps little to redo.
    pub fn has_unflushed(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Tells that the store has every change set that was taken. Until then they stay in memory and visible, so this
    /// should be called whenever the driver has applied what it was given.
    pub fn changes_applied(&mut self) {
        if self.writes.all_taken() {
            self.coins.applied();
            self.writes.applied();
        }
    }

    fn seal(&mut self) {
        let coins = self.writes.tip_moved().then(|| {
            self.sealed_stats = self.coins.stats(self.sealed_stats);
            SealedCoins { tip: self.tip_hash(), stats: self.sealed_stats, coins: self.coins.seal() }
        });
        self.writes.seal(&self.index, coins);
    }

    fn tip_id(&self) -> EntryId {
        self.active.last().copied().unwrap_or(self.index.genesis())
    }

    /// To be called whenever the active chain has changed.
    fn note_tip(&mut self) {
        self.tip = self.tip_of(self.tip_id());
    }

    fn tip_hash(&self) -> BlockHash {
        self.index.get(self.tip_id()).hash
    }

    fn tip_height(&self) -> Height {
        self.index.get(self.tip_id()).height
    }

    fn tip_of(&self, id: EntryId) -> Tip {
        tip_at(&self.index, id)
    }
}

fn tip_at(index: &BlockIndex, id: EntryId) -> Tip {
    let entry = index.get(id);
    Tip {
        hash: entry.hash,
        height: entry.height,
        work: entry.work,
        time: entry.header.time,
        median_time_past: index.median_time_past(id),
        bits: entry.header.bits,
    }
}
