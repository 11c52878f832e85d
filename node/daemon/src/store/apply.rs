//! One change set as one durable step: flat files first, then the index in one transaction.
//!
//! Once its blocks are written to the flat files, nothing of a change set is lost when the process is killed, and once they are synced, by a
//! power cut: whoever opens the store then finds them there, and the chain connects them anew.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

use tally_node_core::chain::store::{BlockUndo, ChangeSet, StoreError};
use tally_primitives::block::Block;
use tally_primitives::encode;
use tally_primitives::hash::{BlockHash, LockHash};
use tally_primitives::transaction::{Coin, OutPoint};

use super::flat::{Kind, Place, Position};
use super::index::{IndexBatch, Table};
use super::records::{self, META_KEY, Meta};
use super::{Inner, Store, addresses};

/// Where the blocks of a change set were appended.
pub(super) struct Appended {
    places: Vec<(BlockHash, Place)>,
    /// The end of the block files behind them. Later change sets may have appended more by the time this one is in the index.
    end: Position,
}

/// A change set while it is turned into a batch.
pub(super) struct Pending<'a> {
    pub(super) store: &'a Inner,
    pub(super) changes: &'a ChangeSet,
    pub(super) batch: IndexBatch,
    /// Locks of coins that the change set deletes, as far as its blocks tell.
    pub(super) locks: BTreeMap<OutPoint, LockHash>,
}

impl Store {
    /// Stores a change set: all of it or nothing, and durable on return.
    ///
    /// One caller at a time: the driver.
    ///
    /// # Errors
    /// If the disk refuses or the index is damaged. The store must then be opened anew.
    pub fn apply(&self, changes: &ChangeSet) -> Result<(), StoreError> {
        let inner = self.inner.as_ref();
        let mut lacking = Vec::new();
        for (hash, block) in &changes.blocks {
            if inner.lacks(Kind::Block, hash)? {
                lacking.push((*hash, Arc::clone(block)));
            }
        }
        let appended = self.append_blocks(&lacking)?;
        self.apply_to_index(changes, &appended)
    }

    /// The first part of [`Store::apply`], after which the blocks survive this process. The index is not asked whether they are there
    /// already, for it may be busy: one that is there twice does no harm.
    pub(super) fn append_blocks(&self, blocks: &[(BlockHash, Arc<Block>)]) -> Result<Appended, StoreError> {
        let inner = self.inner.as_ref();
        let mut places = Vec::new();
        for (hash, block) in blocks {
            places.push((*hash, inner.blocks.append(hash, &encode::encode(block.as_ref()))?));
            inner.remember(*hash, Arc::clone(block));
        }
        Ok(Appended { places, end: inner.blocks.end() })
    }

    /// The rest of [`Store::apply`]. Change sets come in the order in which their blocks were appended.
    pub(super) fn apply_to_index(&self, changes: &ChangeSet, appended: &Appended) -> Result<(), StoreError> {
        let inner = self.inner.as_ref();
        // Before the index refers to them.
        inner.blocks.sync()?;
        let mut pending = Pending { store: inner, changes, batch: IndexBatch::default(), locks: BTreeMap::new() };
        for (hash, place) in &appended.places {
            pending.put_place(Kind::Block, hash, place);
        }
        pending.append_undo()?;
        for record in &changes.index {
            let key = record.header.hash().as_bytes().to_vec();
            pending.batch.put_record(Table::Headers, key, record);
        }
        addresses::write(&mut pending)?;
        pending.write_coins()?;
        let mut meta = inner.read_meta().clone();
        meta.blocks_end = appended.end;
        meta.undo_end = inner.undo.end();
        if let Some(tip) = changes.tip {
            meta.tip = Some(tip);
            meta.stats = changes.stats.unwrap_or(meta.stats);
        }
        let batch = pending.batch;
        inner.commit(batch, meta)?;
        let again = changes.blocks.iter().map(|(hash, _)| (Kind::Block, *hash));
        let again = again.chain(changes.undo.iter().map(|(hash, _)| (Kind::Undo, *hash)));
        let mut damaged = inner.damaged();
        again.for_each(|record| {
            damaged.remove(&record);
        });
        Ok(())
    }
}

impl Inner {
    /// Commits a batch together with the record that describes the whole.
    pub(super) fn commit(&self, mut batch: IndexBatch, meta: Meta) -> Result<(), StoreError> {
        batch.put_record(Table::Meta, META_KEY.to_vec(), &meta);
        let mut current = self.meta.write().unwrap_or_else(PoisonError::into_inner);
        self.index.commit(&batch)?;
        *current = meta;
        Ok(())
    }
}

impl Pending<'_> {
    /// Appends undo that is not in the flat files yet, and syncs it.
    fn append_undo(&mut self) -> Result<(), StoreError> {
        let changes = self.changes;
        for (hash, undo) in &changes.undo {
            if self.store.lacks(Kind::Undo, hash)? {
                let payload = encode::encode(undo.as_ref());
                let place = self.store.undo.append(hash, &payload)?;
                self.put_place(Kind::Undo, hash, &place);
            }
        }
        self.store.undo.sync()?;
        Ok(())
    }

    fn put_place(&mut self, kind: Kind, hash: &BlockHash, place: &Place) {
        let key = records::place_key(kind, hash);
        self.batch.put_record(Table::Places, key, place);
    }

    fn write_coins(&mut self) -> Result<(), StoreError> {
        let changes = self.changes;
        for (outpoint, coin) in &changes.coins {
            let key = records::outpoint_key(outpoint);
            if let Some(coin) = coin {
                let row = records::unspent_key(&coin.output.lock, outpoint);
                self.batch.put_record(Table::Coins, key, coin);
                self.batch.put_record(Table::Unspent, row, &());
            } else {
                let lock = self.lock_of(outpoint, &key)?;
                let row = records::unspent_key(&lock, outpoint);
                self.batch.remove(Table::Coins, key);
                self.batch.remove(Table::Unspent, row);
            }
        }
        Ok(())
    }

    /// The lock of a coin that is about to be deleted.
    fn lock_of(&self, outpoint: &OutPoint, key: &[u8]) -> Result<LockHash, StoreError> {
        if let Some(lock) = self.locks.get(outpoint) {
            return Ok(*lock);
        }
        let coin: Option<Coin> = records::read(self.store.index.as_ref(), Table::Coins, key)?;
        coin.map(|coin| coin.output.lock).ok_or_else(|| StoreError::Damaged {
            what: format!("the coin {outpoint} is not in the index, and a block spends it"),
        })
    }

    /// A block's body, out of the change set or out of the files.
    pub(super) fn block(&self, hash: &BlockHash) -> Result<Arc<Block>, StoreError> {
        let given = self.changes.blocks.iter().find(|(known, _)| known == hash);
        if let Some((_, block)) = given {
            return Ok(Arc::clone(block));
        }
        self.store.block(hash)?.ok_or_else(|| missing("body", hash))
    }

    /// A block's undo, out of the change set or out of the files.
    pub(super) fn undo(&self, hash: &BlockHash) -> Result<Arc<BlockUndo>, StoreError> {
        let given = self.changes.undo.iter().find(|(known, _)| known == hash);
        if let Some((_, undo)) = given {
            return Ok(Arc::clone(undo));
        }
        let undo = self.store.undo(hash)?;
        undo.map(Arc::new).ok_or_else(|| missing("undo", hash))
    }
}

fn missing(what: &str, hash: &BlockHash) -> StoreError {
    StoreError::Damaged { what: format!("the {what} of block {hash} is not in the store") }
}
