//! The stores of all hosts. Each host sees its own, and only what its node has committed; but what is equal on several is there once.
//!
//! Bodies, headers and undo data are kept by hash for the whole world, and a host notes which of them it has. A coin set is a map that never
//! changes: a change set makes a new one, and a host that makes the same change to the same set gets the same one. So thousands of
//! hosts in step need little more memory than one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tally_node_core::chain::store::{
    BlockStatus, BlockUndo, ChainStore, ChangeSet, CoinStats, IndexRecord, StoreError,
};
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::BlockHash;
use tally_primitives::transaction::{Coin, OutPoint};
use tally_primitives::units::Height;

/// The coin operations of a change set.
type CoinChanges = BTreeMap<OutPoint, Option<Coin>>;

/// Everything that any host of a world has stored. Clones are handles to the same data.
#[derive(Clone, Debug, Default)]
pub struct Archive {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    places: BTreeMap<BlockHash, usize>,
    blocks: Vec<Archived>,
    /// The coin sets that are in use, by tip.
    coins: BTreeMap<BlockHash, Vec<Weak<CoinSet>>>,
}

/// A block, as far as any host has it.
#[derive(Debug, Default)]
struct Archived {
    header: Option<(Header, Height)>,
    body: Option<Arc<Block>>,
    undo: Option<Arc<BlockUndo>>,
}

/// Unspent coins, and the sets that followed on them.
#[derive(Debug, Default)]
struct CoinSet {
    coins: BTreeMap<OutPoint, Coin>,
    next: Mutex<Vec<(CoinChanges, Weak<CoinSet>)>>,
}

/// What a host has of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Has {
    record: Option<(BlockStatus, bool)>,
    body: bool,
    undo: bool,
}

/// The store of one host. Clones are handles to the same data, so a node can be started anew on what an earlier one committed.
#[derive(Clone, Debug)]
pub struct Disk {
    archive: Archive,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    has: Vec<Has>,
    tip: Option<BlockHash>,
    stats: CoinStats,
    coins: Arc<CoinSet>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Archive {
    /// A new store in this world, empty.
    #[must_use]
    pub fn disk(&self) -> Disk {
        Disk { archive: self.clone(), state: Arc::default() }
    }
}

impl Inner {
    fn place(&mut self, hash: BlockHash) -> usize {
        let next = self.blocks.len();
        let place = *self.places.entry(hash).or_insert(next);
        if place == next {
            self.blocks.push(Archived::default());
        }
        place
    }

    /// Two hosts that store different bodies under one hash would be a hole in BLK-02 or BLK-03.
    fn keep_body(&mut self, hash: BlockHash, block: Arc<Block>) -> Result<usize, StoreError> {
        let place = self.place(hash);
        let body = self.blocks[place].body.get_or_insert_with(|| block.clone());
        if !Arc::ptr_eq(body, &block) && *body != block {
            return Err(StoreError::Damaged { what: format!("two bodies of block {hash} were stored") });
        }
        Ok(place)
    }

    fn keep_undo(&mut self, hash: BlockHash, undo: Arc<BlockUndo>) -> Result<usize, StoreError> {
        let place = self.place(hash);
        let kept = self.blocks[place].undo.get_or_insert_with(|| undo.clone());
        if *kept != undo {
            return Err(StoreError::Damaged { what: format!("block {hash} spent different coins on different hosts") });
        }
        Ok(place)
    }

    fn change_coins(&mut self, tip: BlockHash, from: &CoinSet, changes: CoinChanges) -> Arc<CoinSet> {
        let mut next = lock(&from.next);
        let known = next.iter().find(|(known, _)| *known == changes).and_then(|(_, set)| set.upgrade());
        if let Some(set) = known {
            return set;
        }
        let mut coins = from.coins.clone();
        for (outpoint, change) in &changes {
            match change {
                Some(coin) => coins.insert(*outpoint, *coin),
                None => coins.remove(outpoint),
            };
        }
        let sets = self.coins.entry(tip).or_default();
        sets.retain(|set| set.strong_count() > 0);
        let equal = sets.iter().filter_map(Weak::upgrade).find(|set| set.coins == coins);
        let set = equal.unwrap_or_else(|| {
            let set = Arc::new(CoinSet { coins, next: Mutex::default() });
            sets.push(Arc::downgrade(&set));
            set
        });
        next.retain(|(_, set)| set.strong_count() > 0);
        next.push((changes, Arc::downgrade(&set)));
        set
    }
}

impl State {
    fn has_mut(&mut self, place: usize) -> &mut Has {
        if self.has.len() <= place {
            self.has.resize(place + 1, Has::default());
        }
        &mut self.has[place]
    }
}

impl Disk {
    /// Applies a change set, all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] when it does not fit, which is a bug of the core: it deletes a coin that is not there, or inserts one that
    /// is, or differs from what other hosts stored under the same hash.
    pub fn apply(&self, changes: ChangeSet) -> Result<(), StoreError> {
        let mut state = lock(&self.state);
        for (outpoint, change) in &changes.coins {
            // A coin may only be replaced by one that differs: the same transaction at another height.
            if *change == state.coins.coins.get(outpoint).copied() {
                return Err(StoreError::Damaged { what: format!("a change set does not fit at coin {outpoint}") });
            }
        }
        self.write_bodies(&mut state, changes.blocks, changes.undo)?;
        let mut archive = lock(&self.archive.inner);
        for record in changes.index {
            let place = archive.place(record.header.hash());
            archive.blocks[place].header = Some((record.header, record.height));
            state.has_mut(place).record = Some((record.status, record.invalid));
        }
        if let Some(tip) = changes.tip {
            state.tip = Some(tip);
            let coins = archive.change_coins(tip, &state.coins, changes.coins);
            state.coins = coins;
        }
        state.stats = changes.stats.unwrap_or(state.stats);
        Ok(())
    }

    /// What a crash in the middle of [`Disk::apply`] leaves: bodies and undo data are written first, and nothing refers to them yet.
    ///
    /// # Errors
    /// As [`Disk::apply`].
    pub fn apply_torn(&self, changes: ChangeSet) -> Result<(), StoreError> {
        self.write_bodies(&mut lock(&self.state), changes.blocks, changes.undo)
    }

    fn write_bodies(
        &self,
        state: &mut State,
        blocks: Vec<(BlockHash, Arc<Block>)>,
        undo: Vec<(BlockHash, Arc<BlockUndo>)>,
    ) -> Result<(), StoreError> {
        let mut archive = lock(&self.archive.inner);
        for (hash, block) in blocks {
            let place = archive.keep_body(hash, block)?;
            state.has_mut(place).body = true;
        }
        for (hash, undo) in undo {
            let place = archive.keep_undo(hash, undo)?;
            state.has_mut(place).undo = true;
        }
        Ok(())
    }

    /// The figures of its coins, counted anew coin by coin.
    #[must_use]
    pub fn count_coins(&self) -> CoinStats {
        let coins = lock(&self.state).coins.clone();
        coins.coins.iter().fold(CoinStats::default(), |stats, (outpoint, coin)| stats.with(outpoint, coin))
    }

    /// Something of a block, if this host has it.
    fn find<T>(&self, hash: &BlockHash, has: impl Fn(Has) -> bool, get: impl Fn(&Archived) -> Option<T>) -> Option<T> {
        let state = lock(&self.state);
        let archive = lock(&self.archive.inner);
        let place = *archive.places.get(hash)?;
        let here = *state.has.get(place)?;
        if has(here) { get(archive.blocks.get(place)?) } else { None }
    }
}

impl ChainStore for Disk {
    fn index(&self) -> Result<Vec<IndexRecord>, StoreError> {
        let state = lock(&self.state);
        let archive = lock(&self.archive.inner);
        let record = |(has, archived): (&Has, &Archived)| {
            let (status, invalid) = has.record?;
            let (header, height) = archived.header?;
            Some(IndexRecord { header, height, status, invalid })
        };
        Ok(state.has.iter().zip(&archive.blocks).filter_map(record).collect())
    }

    fn tip(&self) -> Result<Option<BlockHash>, StoreError> {
        Ok(lock(&self.state).tip)
    }

    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        Ok(lock(&self.state).coins.coins.get(outpoint).copied())
    }

    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        Ok(self.find(hash, |has| has.body, |archived| archived.body.clone()))
    }

    fn undo(&self, hash: &BlockHash) -> Result<Option<BlockUndo>, StoreError> {
        Ok(self.find(hash, |has| has.undo, |archived| archived.undo.as_deref().cloned()))
    }

    fn coin_stats(&self) -> Result<CoinStats, StoreError> {
        Ok(lock(&self.state).stats)
    }
}
