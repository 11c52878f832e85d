//! Verifying the witnesses of a block that waits to be connected, a few at a time: a node that does it all in one go
//! is deaf for a tenth of a second, in which its peers wait for the transactions of that very block.
//!
//! Nothing is refused here. Good verdicts go to the cache of verified witnesses, and when all of a block are good,
//! connecting it on the same tip need not look at them again, for the coins are the same; at anything odd this file
//! gives up, and connecting finds out what it is.

use std::collections::BTreeMap;

use tally_primitives::hash::Txid;
use tally_primitives::transaction::{Coin, OutPoint, Transaction};
use tally_primitives::units::Height;

use crate::chain::Chain;
use crate::chain::index::EntryId;
use crate::chain::store::BlockStatus;

/// How far the witnesses of one block have been verified.
#[derive(Debug)]
pub struct Ahead {
    block: EntryId,
    /// The place of the transaction that is next.
    next: usize,
    /// Coins made by the transactions before it.
    made: BTreeMap<OutPoint, Coin>,
    /// The block that it stands on: the coins are those of this tip.
    tip: EntryId,
    all_good: bool,
}

impl Chain {
    /// Verifies witnesses of the block that is to be connected next, up to `inputs` of them (or one transaction, if
    /// it has more). True while there is more to do; then call it again before [`Chain::activate`], which would do all the rest at once.
    pub fn verify_ahead(&mut self, inputs: usize) -> bool {
        let Some(id) = self.next_to_connect() else {
            self.ahead = None;
            return false;
        };
        let tip = self.tip_id();
        let is_same = |ahead: &Ahead| ahead.block == id && ahead.tip == tip;
        let mut ahead = self.ahead.take().filter(is_same).unwrap_or_else(|| Ahead {
            block: id,
            next: 0,
            made: BTreeMap::new(),
            tip,
            all_good: false,
        });
        let more = self.verify_some(&mut ahead, inputs);
        ahead.all_good = more == Some(false);
        self.ahead = Some(ahead);
        more.unwrap_or(false)
    }

    /// Whether all witnesses of a block are known to be good on the tip as it is.
    pub(super) fn is_verified_ahead(&self, id: EntryId) -> bool {
        self.ahead.as_ref().is_some_and(|ahead| ahead.all_good && ahead.block == id && ahead.tip == self.tip_id())
    }

    /// The child of the tip on the way to the best candidate, if it has never been connected.
    fn next_to_connect(&self) -> Option<EntryId> {
        let target = self.best_candidate()?;
        let tip = self.tip_id();
        let next = self.index.ancestor(target, self.index.get(tip).height.next())?;
        let is_next = self.index.parent(next) == Some(tip) && self.index.get(next).status < BlockStatus::Connected;
        is_next.then_some(next)
    }

    /// True when there is more to do; `None` when something is odd.
    fn verify_some(&self, ahead: &mut Ahead, inputs: usize) -> Option<bool> {
        let entry = self.index.get(ahead.block);
        let block = self.block(&entry.hash).ok()??;
        let ids = self.block_ids(&entry.hash, &block);
        let mut verified = 0;
        while let Some(transaction) = block.transactions.get(ahead.next) {
            if verified >= inputs {
                return Some(true);
            }
            let mut spent = Vec::with_capacity(transaction.inputs.len());
            for input in &transaction.inputs {
                let coin = match ahead.made.get(&input.outpoint) {
                    Some(coin) => *coin,
                    None => self.coin(&input.outpoint).ok()??,
                };
                spent.push(coin);
            }
            let (txid, wtxid) = (*ids.txids.get(ahead.next)?, ids.wtxids.get(ahead.next)?);
            if !transaction.is_coinbase() && !self.is_verified(wtxid, &spent, entry.height) {
                self.verify_witnesses(transaction, wtxid, &spent, entry.height).ok()?;
                verified += transaction.inputs.len();
            }
            ahead.made.extend(made_by(transaction, txid, entry.height));
            ahead.next += 1;
        }
        Some(false)
    }
}

/// The coins that a transaction makes at `height`.
pub(super) fn made_by(transaction: &Transaction, txid: Txid, height: Height) -> impl Iterator<Item = (OutPoint, Coin)> {
    let coinbase = transaction.is_coinbase();
    (0u32..)
        .zip(&transaction.outputs)
        .map(move |(index, output)| (OutPoint { txid, index }, Coin { output: *output, height, coinbase }))
}
