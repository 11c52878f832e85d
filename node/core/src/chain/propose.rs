//! Whether a block would do, before anybody works for it (BIP 23's proposals).

use tally_consensus::block::check_block;
use tally_consensus::header::{
    check_bits, check_expected_bits, check_time_after_median, check_time_not_ahead, check_version,
};
use tally_primitives::block::Block;
use tally_primitives::units::Timestamp;

use crate::chain::connect::ConnectError;
use crate::chain::ids::BlockIds;
use crate::chain::{Chain, ChainError};

impl Chain {
    /// Checks a block on top of the tip against every rule but HDR-01, the work. Nothing changes.
    ///
    /// # Errors
    /// The rule that it breaks; [`ChainError::UnknownParent`] if it does not build on the tip; those of the store.
    pub fn check_proposal(&self, block: &Block, now: Timestamp) -> Result<(), ChainError> {
        let (hash, header, tip) = (block.hash(), &block.header, self.tip());
        if header.prev_block != tip.hash {
            return Err(ChainError::UnknownParent { hash, parent: header.prev_block });
        }
        let height = tip.height.next();
        let alone = || {
            check_bits(header, &self.limit)?;
            check_version(header)?;
            check_expected_bits(header, self.next_bits())?;
            check_time_after_median(header, tip.median_time_past)?;
            check_time_not_ahead(header, now)?;
            check_block(block, height)
        };
        alone().map_err(|error| ChainError::Rule { hash, error })?;
        let ids = BlockIds::of(block);
        let connects = || Ok(self.check_walked(block, &ids, &self.walk_coins(block, &ids, height)?, height)?);
        connects().map_err(|error| match error {
            ConnectError::Rule(error) => ChainError::Rule { hash, error },
            ConnectError::Chain(error) => error,
            // Only a body that is read from the store can be lost, and this one is in hand.
            ConnectError::BodyLost => ChainError::UnknownBlock { hash },
        })
    }
}
