//! Blocks condemned and pardoned by hand (`invalidateblock`, `reconsiderblock`).

use tally_primitives::hash::BlockHash;

use crate::chain::outcome::Activation;
use crate::chain::{Chain, ChainError};

impl Chain {
    /// Treats a block as invalid, and leaves it if it is on the active chain.
    ///
    /// # Errors
    /// An unknown block, genesis, or a failing store.
    pub fn invalidate_block(&mut self, hash: &BlockHash) -> Result<Activation, ChainError> {
        let id = self.index.find(hash).ok_or(ChainError::UnknownBlock { hash: *hash })?;
        if id == self.index.genesis() {
            return Err(ChainError::GenesisIsValid);
        }
        let old_tip = self.tip_id();
        while self.is_active(hash) {
            self.disconnect_tip()?;
        }
        self.mark_invalid(id);
        self.activate_from(old_tip)
    }

    /// Takes back what marked a block, its ancestors or its descendants invalid, and judges them anew.
    ///
    /// # Errors
    /// An unknown block, or a failing store.
    pub fn reconsider_block(&mut self, hash: &BlockHash) -> Result<Activation, ChainError> {
        let id = self.index.find(hash).ok_or(ChainError::UnknownBlock { hash: *hash })?;
        for changed in self.index.clear_invalid(id) {
            self.writes.touch(changed);
        }
        self.rebuild_candidates();
        self.activate()
    }
}
