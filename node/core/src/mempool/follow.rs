//! The mempool follows the chain: what is confirmed leaves, what a reorganisation freed returns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tally_primitives::block::Block;
use tally_primitives::hash::Txid;
use tally_primitives::transaction::{OutPoint, Transaction};
use tally_primitives::units::{Height, Timestamp};

use crate::chain::{Chain, ChainError, Position, TipChange};
use crate::event::RemovalReason;
use crate::mempool::accept::{Origin, ids_of};
use crate::mempool::pool::Entry;
use crate::mempool::{Mempool, PoolUpdate};

/// Most encoded bytes of disconnected transactions that return; those of the highest blocks are forgotten first.
const MAX_RETURNED_BYTES: usize = 20_000_000;

/// What a change of the tip has shaken out of the pool.
#[derive(Default)]
struct Shaken {
    /// Transactions of disconnected blocks, in block order.
    freed: Vec<Arc<Transaction>>,
    /// Entries to be judged anew, by their sequence, so parents first.
    displaced: BTreeMap<u64, Entry>,
    /// What the new blocks confirm, as far as anything has to be judged anew.
    confirmed: BTreeSet<Txid>,
    removed: Vec<(Txid, RemovalReason)>,
}

impl Shaken {
    /// Whether nothing has to be judged anew.
    fn is_empty(&self) -> bool {
        self.freed.is_empty() && self.displaced.is_empty()
    }
}

impl Mempool {
    /// Brings the pool in step with the chain after its tip moved.
    ///
    /// # Errors
    /// When the chain cannot read its own blocks or coins.
    pub fn apply_tip_change(
        &mut self,
        changes: &TipChange,
        chain: &Chain,
        now: Timestamp,
    ) -> Result<PoolUpdate, ChainError> {
        let mut shaken = Shaken::default();
        if !changes.disconnected.is_empty() {
            self.shake_out(&changes.disconnected, chain, &mut shaken)?;
        }
        for position in &changes.connected {
            if self.pool.is_empty() && shaken.is_empty() {
                // Initial sync above all: nobody waits, so nobody needs to know what the block holds.
                self.estimator.block(position.height, &[]);
            } else if let Some(block) = chain.block(&position.hash)? {
                let ids = chain.block_ids(&position.hash, &block);
                self.connect(&block, &ids.txids, position.height, &mut shaken);
            }
        }
        let returned = self.put_back(&mut shaken, chain, now)?;
        let evicted = ids_of(&self.trim(now));
        self.estimator.left(&evicted);
        shaken.removed.extend(evicted.iter().map(|txid| (*txid, RemovalReason::Evicted)));
        let returned = returned.into_iter().filter(|txid| self.contains(txid)).collect();
        Ok(PoolUpdate { removed: shaken.removed, returned })
    }

    /// Gathers the transactions of disconnected blocks, and takes out every entry whose coins may have changed: those
    /// built on a disconnected transaction, and those judged at a height that the chain has not reached now.
    fn shake_out(&mut self, disconnected: &[Position], chain: &Chain, shaken: &mut Shaken) -> Result<(), ChainError> {
        let next_height = chain.tip().height.next();
        let too_high = self.pool.entries().filter(|entry| entry.judged_at > next_height).map(|entry| entry.txid);
        let mut doubtful: BTreeSet<Txid> = too_high.collect();
        let mut freed_bytes = 0;
        for position in disconnected.iter().rev() {
            let Some(block) = chain.block(&position.hash)? else {
                continue;
            };
            for transaction in &block.transactions {
                let txid = transaction.txid();
                let outpoints = (0u32..).zip(&transaction.outputs).map(|(index, _)| OutPoint { txid, index });
                doubtful.extend(outpoints.filter_map(|outpoint| self.pool.spender(&outpoint)));
                freed_bytes += transaction.encoded_size();
                if !transaction.is_coinbase() && freed_bytes <= MAX_RETURNED_BYTES {
                    shaken.freed.push(Arc::new(transaction.clone()));
                }
            }
        }
        let displaced = self.pool.remove_with_descendants(doubtful);
        shaken.displaced.extend(displaced.into_iter().map(|entry| (entry.sequence, entry)));
        Ok(())
    }

    fn connect(&mut self, block: &Block, txids: &[Txid], height: Height, shaken: &mut Shaken) {
        let mut confirmed = Vec::new();
        let spending = block.transactions.iter().zip(txids).filter(|(transaction, _)| !transaction.is_coinbase());
        for (transaction, &txid) in spending {
            if !shaken.is_empty() {
                shaken.confirmed.insert(txid);
            }
            confirmed.push(txid);
            if self.pool.remove(&txid).is_some() {
                shaken.removed.push((txid, RemovalReason::Confirmed));
            }
            let rivals: Vec<Txid> =
                transaction.inputs.iter().filter_map(|input| self.pool.spender(&input.outpoint)).collect();
            let losers = ids_of(&self.pool.remove_with_descendants(rivals));
            self.estimator.left(&losers);
            shaken.removed.extend(losers.into_iter().map(|txid| (txid, RemovalReason::Conflict)));
        }
        self.estimator.block(height, &confirmed);
    }

    /// Judges anew what was shaken out, disconnected transactions first; returns which of those are back.
    fn put_back(&mut self, shaken: &mut Shaken, chain: &Chain, now: Timestamp) -> Result<Vec<Txid>, ChainError> {
        let mut returned = Vec::new();
        for transaction in std::mem::take(&mut shaken.freed) {
            // Confirmed again on the new branch: it is not even a candidate.
            if shaken.confirmed.contains(&transaction.txid()) {
                continue;
            }
            returned.extend(self.judge_anew(transaction, now, chain)?);
        }
        for (_, entry) in std::mem::take(&mut shaken.displaced) {
            let txid = entry.txid;
            if shaken.confirmed.contains(&txid) {
                shaken.removed.push((txid, RemovalReason::Confirmed));
            } else if self.judge_anew(entry.transaction, entry.time, chain)?.is_none() {
                self.estimator.left(&[txid]);
                shaken.removed.push((txid, RemovalReason::Reorg));
            }
        }
        Ok(returned)
    }

    /// Puts a transaction back if it is still valid.
    fn judge_anew(
        &mut self,
        transaction: Arc<Transaction>,
        time: Timestamp,
        chain: &Chain,
    ) -> Result<Option<Txid>, ChainError> {
        match self.examine(transaction, chain, time, Origin::Returned) {
            Ok(admission) if admission.replaces.is_empty() => {
                let txid = admission.entry.txid;
                self.pool.insert(admission.entry);
                Ok(Some(txid))
            }
            Err(super::MempoolError::Chain(error)) if error.is_fatal() => Err(error),
            _ => Ok(None),
        }
    }
}
