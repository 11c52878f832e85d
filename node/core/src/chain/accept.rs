//! A header or a block arrives.

use std::sync::Arc;

use tally_consensus::block::check_block_with;
use tally_consensus::error::RuleError;
use tally_consensus::header::{HeaderContext, ParentInfo, check_header, check_header_alone};
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::BlockHash;
use tally_primitives::units::Timestamp;

use crate::chain::ids::BlockIds;
use crate::chain::index::EntryId;
use crate::chain::outcome::{Activation, BlockFate, BlockOutcome, HeaderOutcome, StagedBlock};
use crate::chain::store::BlockStatus;
use crate::chain::{Chain, ChainError};

impl Chain {
    /// Takes a header into the index, if it obeys HDR-01 to HDR-07. Headers that do not leave no trace.
    ///
    /// # Errors
    /// The rule it breaks, an unknown parent, or that it is known to be invalid.
    pub fn accept_header(&mut self, header: &Header, now: Timestamp) -> Result<HeaderOutcome, ChainError> {
        let known = self.index.find_without_hashing(header);
        let hash = known.map_or_else(|| header.hash(), |id| self.index.get(id).hash);
        let (id, is_new) = match known.or_else(|| self.index.find(&hash)) {
            Some(id) if self.index.get(id).is_invalid() => return Err(ChainError::KnownInvalid { hash }),
            Some(id) => (id, false),
            None => (self.insert_header(header, hash, now)?, true),
        };
        let height = self.index.get(id).height;
        Ok(HeaderOutcome { hash, height, is_new, is_best: self.index.best_header() == id })
    }

    fn insert_header(&mut self, header: &Header, hash: BlockHash, now: Timestamp) -> Result<EntryId, ChainError> {
        let broken = |error| ChainError::Rule { hash, error };
        let unknown_parent = ChainError::UnknownParent { hash, parent: header.prev_block };
        let Some(parent) = self.index.find(&header.prev_block) else {
            // Without a parent there is no context, but whoever sends a header must have worked for it all the same.
            return Err(check_header_alone(header, &self.limit).map_err(broken).err().unwrap_or(unknown_parent));
        };
        let context = HeaderContext {
            parent: Some(ParentInfo { hash: header.prev_block, invalid: self.index.get(parent).is_invalid() }),
            median_time_past: self.index.median_time_past(parent),
            expected_bits: self.index.next_bits(&self.params, parent),
            now,
            limit: self.limit,
        };
        check_header(header, &context).map_err(broken)?;
        let id = self.index.insert_hashed(*header, hash).ok_or(unknown_parent)?;
        self.writes.touch(id);
        Ok(id)
    }

    /// Takes a block: checks it, stores it, and moves to the best chain. Bodies may come in any order once their
    /// headers are known; they are connected when the gap closes.
    ///
    /// A body that does not belong to its header (BLK-02, BLK-03) is refused and says nothing about the block of that
    /// hash. Any other broken rule marks the hash invalid.
    ///
    /// # Errors
    /// The rule that the block breaks by itself, an unknown parent, or that it is known to be invalid. A rule broken on
    /// connecting is no error here but in [`BlockOutcome::verdict`], since the tip may have moved.
    pub fn accept_block(&mut self, block: Arc<Block>, now: Timestamp) -> Result<BlockOutcome, ChainError> {
        let ids = Arc::new(BlockIds::of(&block));
        let staged = self.stage_block(block, ids, now)?;
        let activation = if staged.is_new { self.activate()? } else { Activation::default() };
        Ok(self.outcome_of(staged, activation))
    }

    /// The first half of [`Chain::accept_block`]: checks and stores a block, and leaves the tip where it is. Then
    /// [`Chain::activate`] is due if [`Chain::activation_pending`].
    ///
    /// `ids` must be those of the block's transactions.
    ///
    /// # Errors
    /// As [`Chain::accept_block`].
    pub fn stage_block(
        &mut self,
        block: Arc<Block>,
        ids: Arc<BlockIds>,
        now: Timestamp,
    ) -> Result<StagedBlock, ChainError> {
        let HeaderOutcome { hash, height, .. } = self.accept_header(&block.header, now)?;
        let id = self.index.find(&hash).ok_or(ChainError::UnknownBlock { hash })?;
        if self.index.get(id).status >= BlockStatus::Stored {
            return Ok(StagedBlock { hash, height, is_new: false });
        }
        if let Err(error) = check_block_with(&block, &ids.wtxids, height) {
            self.condemn_body(id, &block, &error);
            return Err(ChainError::Rule { hash, error });
        }
        self.ids.insert(hash, ids);
        self.store_body(id, block);
        Ok(StagedBlock { hash, height, is_new: true })
    }

    /// What became of a staged block by this activation.
    pub fn outcome_of(&self, staged: StagedBlock, activation: Activation) -> BlockOutcome {
        let StagedBlock { hash, height, is_new } = staged;
        let fate = match self.index.entry(&hash) {
            _ if !is_new => BlockFate::Duplicate,
            Some(entry) if entry.is_invalid() => BlockFate::Rejected,
            _ if self.is_active(&hash) => BlockFate::Connected,
            _ => BlockFate::Stored,
        };
        BlockOutcome { hash, height, fate, changes: activation.changes, rejected: activation.rejected }
    }

    /// Marks a hash invalid, unless the verdict is about another body or about now.
    fn condemn_body(&mut self, id: EntryId, block: &Block, error: &RuleError) {
        // check_block_with looks at BLK-02 and BLK-03 first; a hash is condemned for ever, so better be sure.
        let (root, mutated) = tally_primitives::merkle::root_and_mutation(&block.wtxids());
        let is_its_body = root == block.header.merkle_root && !mutated;
        if is_its_body && error.is_permanent() {
            self.mark_invalid(id);
        }
    }

    fn store_body(&mut self, id: EntryId, block: Arc<Block>) {
        self.writes.add_body(self.index.get(id).hash, block);
        self.writes.touch(id);
        let sequence = &mut self.sequence;
        let linked = self.index.set_stored(id, || {
            *sequence += 1;
            *sequence
        });
        for id in linked {
            self.add_candidate(id);
        }
    }

    /// Marks a block and its descendants invalid; none of them is on the active chain.
    pub(crate) fn mark_invalid(&mut self, id: EntryId) {
        self.index.set_invalid(id);
        self.writes.touch(id);
        self.rebuild_candidates();
    }
}
