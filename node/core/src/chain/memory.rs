//! A store in memory, for tests and for the simulator.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tally_primitives::block::Block;
use tally_primitives::hash::BlockHash;
use tally_primitives::transaction::{Coin, OutPoint};

use crate::chain::store::{BlockUndo, ChainStore, ChangeSet, CoinStats, IndexRecord, StoreError};

/// A store in memory. Clones are handles to the same data, so what one applies another reads, and a node can be
/// started anew on the data of one that was dropped.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Clone, Default)]
struct Inner {
    blocks: BTreeMap<BlockHash, Arc<Block>>,
    undo: BTreeMap<BlockHash, Arc<BlockUndo>>,
    index: BTreeMap<BlockHash, IndexRecord>,
    coins: BTreeMap<OutPoint, Coin>,
    tip: Option<BlockHash>,
    stats: CoinStats,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy of the data as they are now, which goes its own way: what a disk image is to a disk.
    pub fn snapshot(&self) -> Self {
        Self { inner: Arc::new(Mutex::new(self.lock().clone())) }
    }

    /// Applies a change set, all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when the change set does not fit, which is a bug of the core: it deletes a coin that is
    /// not there, or inserts one that is.
    pub fn apply(&self, changes: ChangeSet) -> Result<(), StoreError> {
        let mut inner = self.lock();
        for (outpoint, change) in &changes.coins {
            // A coin may only be replaced by one that differs: the same transaction at another height.
            if *change == inner.coins.get(outpoint).copied() {
                return Err(StoreError::Damaged { what: format!("a change set does not fit at coin {outpoint}") });
            }
        }
        inner.blocks.extend(changes.blocks);
        inner.undo.extend(changes.undo);
        inner.index.extend(changes.index.into_iter().map(|record| (record.header.hash(), record)));
        for (outpoint, change) in changes.coins {
            match change {
                Some(coin) => inner.coins.insert(outpoint, coin),
                None => inner.coins.remove(&outpoint),
            };
        }
        inner.tip = changes.tip.or(inner.tip);
        inner.stats = changes.stats.unwrap_or(inner.stats);
        Ok(())
    }

    /// Every coin, to compare whole sets.
    pub fn coins(&self) -> BTreeMap<OutPoint, Coin> {
        self.lock().coins.clone()
    }

    /// Forgets a coin, as a damaged disk does.
    pub fn lose_coin(&self, outpoint: &OutPoint) {
        self.lock().coins.remove(outpoint);
    }

    /// Forgets a body, as a damaged disk does.
    pub fn lose_block(&self, hash: &BlockHash) {
        self.lock().blocks.remove(hash);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChainStore for MemoryStore {
    fn index(&self) -> Result<Vec<IndexRecord>, StoreError> {
        Ok(self.lock().index.values().cloned().collect())
    }

    fn tip(&self) -> Result<Option<BlockHash>, StoreError> {
        Ok(self.lock().tip)
    }

    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        Ok(self.lock().coins.get(outpoint).copied())
    }

    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        Ok(self.lock().blocks.get(hash).cloned())
    }

    fn undo(&self, hash: &BlockHash) -> Result<Option<BlockUndo>, StoreError> {
        Ok(self.lock().undo.get(hash).map(|undo| BlockUndo::clone(undo)))
    }

    fn coin_stats(&self) -> Result<CoinStats, StoreError> {
        Ok(self.lock().stats)
    }
}
