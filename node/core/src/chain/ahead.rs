//! The coins and witnesses of a block that waits to be connected, looked at a few at a time: a node that does it all in
//! one go is deaf for a tenth of a second, in which its peers wait for the transactions of that very block.
//!
//! Nothing is refused here. When all of a block is good, connecting it on the same tip takes what was gathered here, for
//! the coins are the same; at anything odd this file gives up, and connecting finds out what it is.

use crate::chain::Chain;
use crate::chain::connect::{ConnectError, Walk};
use crate::chain::index::EntryId;
use crate::chain::store::BlockStatus;

/// How far one block has been looked at.
#[derive(Debug)]
pub struct Ahead {
    block: EntryId,
    /// The block that it stands on: the coins are those of this tip.
    tip: EntryId,
    walk: Walk,
    /// Whether all of it is good.
    done: bool,
}

impl Chain {
    /// Looks at coins and witnesses of the block that is to be connected next, until up to `inputs` witnesses are verified (or those of one
    /// transaction, if it has more). True while there is more to do; then call it again before [`Chain::activate`], which would do all the
    /// rest at once.
    pub fn verify_ahead(&mut self, inputs: usize) -> bool {
        let Some(id) = self.next_to_connect() else {
            self.ahead = None;
            return false;
        };
        let tip = self.tip_id();
        let known = self.ahead.take().filter(|ahead| ahead.block == id && ahead.tip == tip);
        let mut ahead = known.unwrap_or_else(|| Ahead { block: id, tip, walk: Walk::default(), done: false });
        let more = self.verify_some(&mut ahead, inputs);
        ahead.done = matches!(more, Ok(false));
        // What is odd is not kept.
        self.ahead = more.is_ok().then_some(ahead);
        more.unwrap_or(false)
    }

    /// What was gathered of a block, all of which is good on the tip as it is.
    pub(super) fn take_ahead(&mut self, id: EntryId) -> Option<Walk> {
        let tip = self.tip_id();
        let ahead = self.ahead.take().filter(|ahead| ahead.done && ahead.block == id && ahead.tip == tip)?;
        Some(ahead.walk)
    }

    /// The child of the tip on the way to the best candidate, if it has never been connected.
    fn next_to_connect(&self) -> Option<EntryId> {
        let target = self.best_candidate()?;
        let tip = self.tip_id();
        let next = self.index.ancestor(target, self.index.get(tip).height.next())?;
        let is_next = self.index.parent(next) == Some(tip) && self.index.get(next).status < BlockStatus::Connected;
        is_next.then_some(next)
    }

    /// True when there is more to do.
    fn verify_some(&self, ahead: &mut Ahead, inputs: usize) -> Result<bool, ConnectError> {
        let (hash, height) = (self.index.get(ahead.block).hash, self.index.get(ahead.block).height);
        let block = self.stored_body(ahead.block)?;
        let ids = self.block_ids(&hash, &block);
        let mut verified = 0;
        while verified < inputs {
            let Some((place, spent)) = self.walk_one(&block, &ids, height, &mut ahead.walk)? else {
                return Ok(false);
            };
            let (Some(transaction), Some(wtxid)) = (block.transactions.get(place), ids.wtxids.get(place)) else {
                return Ok(false);
            };
            if !transaction.is_coinbase() && !self.is_verified(wtxid, spent, height) {
                self.verify_witnesses(transaction, wtxid, spent, height)?;
                verified += spent.len();
            }
        }
        Ok(true)
    }
}
