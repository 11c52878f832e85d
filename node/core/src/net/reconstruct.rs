//! From a compact block and the transactions at hand to the block. Nothing here talks to a peer.

use std::sync::Arc;

use tally_primitives::block::{Block, Header};
use tally_primitives::hash::{Txid, Wtxid};
use tally_primitives::transaction::Transaction;
use tally_wire::{CompactBlock, ShortIdKey};

use crate::chain::ids::BlockIds;

/// A transaction with its ids, which nobody needs to hash again.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub txid: Txid,
    pub wtxid: Wtxid,
    pub transaction: Arc<Transaction>,
}

impl Known {
    pub fn new(transaction: Arc<Transaction>) -> Known {
        Known { txid: transaction.txid(), wtxid: transaction.wtxid(), transaction }
    }
}

/// What is known of one place of the block.
#[derive(Clone, Debug)]
enum Place {
    Missing,
    Found(Known),
    /// Two transactions at hand have this short id: only the sender knows which one it is.
    Ambiguous,
}

/// A block on its way to being whole.
#[derive(Debug)]
pub(crate) struct Reconstruction {
    header: Header,
    key: ShortIdKey,
    places: Vec<Place>,
    /// Short ids with their places, by short id.
    wanted: Vec<(u64, u16)>,
    found: usize,
}

impl Reconstruction {
    /// Begins with what the compact block carries. `None` when two of its own short ids are equal: then it says nothing about where they
    /// belong.
    pub fn begin(compact: &CompactBlock) -> Option<Reconstruction> {
        let mut places = vec![Place::Missing; compact.transaction_count()];
        for prefilled in &compact.prefilled {
            *places.get_mut(usize::from(prefilled.index))? = Place::Found(Known::new(prefilled.transaction.clone()));
        }
        let empty = (0u16..).zip(&places).filter(|(_, place)| matches!(place, Place::Missing)).map(|(index, _)| index);
        let mut wanted: Vec<(u64, u16)> = compact.short_ids.iter().map(|id| id.to_u64()).zip(empty).collect();
        wanted.sort_unstable();
        if wanted.windows(2).any(|pair| pair[0].0 == pair[1].0) {
            return None;
        }
        let key = ShortIdKey::new(&compact.header, compact.nonce);
        Some(Reconstruction { header: compact.header, key, places, wanted, found: 0 })
    }

    /// Looks whether a transaction at hand belongs to the block; false when nothing is missing any more, so that the rest need not be
    /// looked at.
    pub fn offer(&mut self, wtxid: &Wtxid, known: impl FnOnce() -> Option<Known>) -> bool {
        let id = self.key.short_id(wtxid).to_u64();
        if let Ok(at) = self.wanted.binary_search_by_key(&id, |(id, _)| *id) {
            let place = &mut self.places[usize::from(self.wanted[at].1)];
            match place {
                Place::Missing => {
                    if let Some(known) = known() {
                        *place = Place::Found(known);
                        self.found += 1;
                    }
                }
                Place::Found(found) if found.wtxid != *wtxid => *place = Place::Ambiguous,
                Place::Found(_) | Place::Ambiguous => {}
            }
        }
        self.found < self.wanted.len()
    }

    /// The places of the transactions that have to be asked for, ascending.
    pub fn missing(&self) -> Vec<u16> {
        let places = (0u16..).zip(&self.places);
        places.filter(|(_, place)| !matches!(place, Place::Found(_))).map(|(index, _)| index).collect()
    }

    /// Fills the missing places, in order; false when these are not as many.
    pub fn fill(&mut self, transactions: Vec<Arc<Transaction>>) -> bool {
        let missing = self.missing();
        if missing.len() != transactions.len() {
            return false;
        }
        for (index, transaction) in missing.into_iter().zip(transactions) {
            self.places[usize::from(index)] = Place::Found(Known::new(transaction));
        }
        true
    }

    /// The block; `None` while something is missing. Whether it is the one that the header commits to is for BLK-02 and BLK-03 to say.
    pub fn into_block(self) -> Option<(Block, BlockIds)> {
        let mut ids = BlockIds::default();
        let mut transactions = Vec::with_capacity(self.places.len());
        for place in self.places {
            let Place::Found(Known { txid, wtxid, transaction }) = place else {
                return None;
            };
            ids.txids.push(txid);
            ids.wtxids.push(wtxid);
            transactions.push(Arc::unwrap_or_clone(transaction));
        }
        Some((Block { header: self.header, transactions }, ids))
    }
}

#[cfg(test)]
mod tests;
