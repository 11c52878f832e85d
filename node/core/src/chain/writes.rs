//! What has happened and is not stored yet: collects bodies, undo data, index records and tip moves into change sets.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use tally_primitives::block::Block;
use tally_primitives::hash::BlockHash;
use tally_primitives::transaction::{Coin, OutPoint};

use crate::chain::index::{BlockIndex, EntryId};
use crate::chain::store::{BlockUndo, ChangeSet, CoinStats};

/// From this many bytes of bodies on, a change set is due even during initial sync.
pub const MAX_BODY_BYTES: usize = 8 << 20;
/// From this many index records on, likewise.
pub const MAX_INDEX_RECORDS: usize = 4_000;
/// Most coin operations of a change set that holds more than one block (STORE.md, rule 1).
pub const MAX_COIN_OPERATIONS: usize = 20_000;

/// The coins of a change set, the tip they belong to and the figures of the whole set.
pub struct SealedCoins {
    /// Insertions and deletions.
    pub coins: BTreeMap<OutPoint, Option<Coin>>,
    /// The tip.
    pub tip: BlockHash,
    /// The figures.
    pub stats: CoinStats,
}

/// Pending writes, and those that have been handed out and may not be in the store yet.
#[derive(Debug, Default)]
pub struct Writes {
    new_bodies: Vec<BlockHash>,
    new_undo: Vec<BlockHash>,
    body_bytes: usize,
    index: BTreeSet<EntryId>,
    disconnected: Vec<BlockHash>,
    connected: Vec<BlockHash>,
    tip_moved: bool,
    /// Bodies and undo data that only we have: pending or in flight.
    bodies: BTreeMap<BlockHash, Arc<Block>>,
    undo: BTreeMap<BlockHash, Arc<BlockUndo>>,
    queue: VecDeque<ChangeSet>,
}

impl Writes {
    /// A new body.
    pub fn add_body(&mut self, hash: BlockHash, block: Arc<Block>) {
        self.body_bytes += block.encoded_size();
        self.new_bodies.push(hash);
        self.bodies.insert(hash, block);
    }

    /// New undo data.
    pub fn add_undo(&mut self, hash: BlockHash, undo: Arc<BlockUndo>) {
        self.new_undo.push(hash);
        self.undo.insert(hash, undo);
    }

    /// A new or changed index entry.
    pub fn touch(&mut self, id: EntryId) {
        self.index.insert(id);
    }

    /// The tip moved up to this block.
    pub fn connected(&mut self, hash: BlockHash) {
        self.tip_moved = true;
        if self.connected.is_empty() && self.disconnected.last() == Some(&hash) {
            self.disconnected.pop();
        } else {
            self.connected.push(hash);
        }
    }

    /// The tip moved down from this block.
    pub fn disconnected(&mut self, hash: BlockHash) {
        self.tip_moved = true;
        if self.connected.last() == Some(&hash) {
            self.connected.pop();
        } else {
            self.disconnected.push(hash);
        }
    }

    /// A body that the store may not have yet.
    pub fn body(&self, hash: &BlockHash) -> Option<Arc<Block>> {
        self.bodies.get(hash).cloned()
    }

    /// Undo data that the store may not have yet.
    pub fn undo(&self, hash: &BlockHash) -> Option<Arc<BlockUndo>> {
        self.undo.get(hash).cloned()
    }

    /// Whether anything is pending that a change set should carry soon: not headers alone.
    pub fn has_news(&self) -> bool {
        self.tip_moved || !self.new_bodies.is_empty()
    }

    /// Whether anything at all is pending.
    pub fn is_empty(&self) -> bool {
        !self.has_news() && self.index.is_empty() && self.new_undo.is_empty()
    }

    /// Whether so much is pending that it must not wait.
    pub fn is_full(&self, coin_operations: usize) -> bool {
        self.body_bytes >= MAX_BODY_BYTES
            || self.index.len() >= MAX_INDEX_RECORDS
            || coin_operations >= MAX_COIN_OPERATIONS
    }

    /// Whether the coin set's tip has moved since the last change set.
    pub fn tip_moved(&self) -> bool {
        self.tip_moved
    }

    /// Makes a change set of everything pending. `coins` is given exactly when the tip has moved.
    pub fn seal(&mut self, index: &BlockIndex, coins: Option<SealedCoins>) {
        let bodies = &self.bodies;
        let undo = &self.undo;
        let mut changes = ChangeSet {
            blocks: drain(&mut self.new_bodies, |hash| bodies.get(hash).cloned()),
            undo: drain(&mut self.new_undo, |hash| undo.get(hash).cloned()),
            index: std::mem::take(&mut self.index).into_iter().map(|id| index.get(id).to_record()).collect(),
            disconnected: std::mem::take(&mut self.disconnected),
            connected: std::mem::take(&mut self.connected),
            ..ChangeSet::default()
        };
        if let Some(SealedCoins { coins, tip, stats }) = coins {
            changes.coins = coins;
            changes.tip = Some(tip);
            changes.stats = Some(stats);
        }
        self.tip_moved = false;
        self.body_bytes = 0;
        self.queue.push_back(changes);
    }

    /// The oldest change set that has not been taken.
    pub fn take(&mut self) -> Option<ChangeSet> {
        let oldest = self.queue.pop_front();
        if self.queue.is_empty() {
            // An emptied queue keeps its room.
            self.queue = VecDeque::new();
        }
        oldest
    }

    /// Whether all change sets have been taken.
    pub fn all_taken(&self) -> bool {
        self.queue.is_empty()
    }

    /// Notes that the store has all that was taken, which must be all that was sealed.
    pub fn applied(&mut self) {
        if self.new_bodies.is_empty() {
            self.bodies.clear();
        } else {
            let pending: BTreeSet<_> = self.new_bodies.iter().collect();
            self.bodies.retain(|hash, _| pending.contains(hash));
        }
        if self.new_undo.is_empty() {
            self.undo.clear();
        } else {
            let pending: BTreeSet<_> = self.new_undo.iter().collect();
            self.undo.retain(|hash, _| pending.contains(hash));
        }
    }
}

fn drain<T>(hashes: &mut Vec<BlockHash>, find: impl Fn(&BlockHash) -> Option<T>) -> Vec<(BlockHash, T)> {
    std::mem::take(hashes).into_iter().filter_map(|hash| find(&hash).map(|found| (hash, found))).collect()
}
