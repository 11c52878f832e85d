//! What the node keeps on disk: flat files that are the truth, and an index derived from them.
//!
//! | file | what |
//! |---|---|
//! | `flat` | append-only files of blocks and undo, framed and checksummed |
//! | `index` | the index behind a small trait: sled, or memory for tests |
//! | `records` | keys, values and checksums of the index's records |
//! | `open` | opening: the lock, and what makes an index be dropped |
//! | `recover` | what a crash left behind |
//! | `apply` | one change set as one durable step |
//! | `writer` | change sets on their way there, visible at once |
//! | `addresses` | rows of the address and transaction index, written with the change set |
//! | `query` | what RPC asks |
//! | `check` | everything read and compared |
//! | `rebuild` | the index made again from the block files |
//!
//! The order of writing is what makes a kill at any moment harmless: blocks and undo are appended and synced first,
//! then the index refers to them in one transaction, which is synced before anything else happens. After a crash the
//! flat files may hold records that the index does not know yet; they are taken up when the store opens.

mod addresses;
mod apply;
pub mod check;
mod error;
pub mod flat;
pub mod index;
pub mod lock;
mod open;
pub mod query;
pub mod rebuild;
pub mod records;
mod recover;
mod writer;

use std::collections::{BTreeSet, VecDeque};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};

use tally_node_core::chain::store::{BlockUndo, ChainStore, ChangeSet, CoinStats, IndexRecord, StoreError};
use tally_primitives::block::Block;
use tally_primitives::encode;
use tally_primitives::hash::BlockHash;
use tally_primitives::transaction::{Coin, OutPoint};

pub use error::OpenError;
use flat::record::MAX_PAYLOAD_SIZE;
use flat::{FlatError, FlatFiles, Kind, Place};
use index::{IndexStore, Table};
use lock::DirectoryLock;
pub use open::{Opened, StoreConfig};
use records::Meta;
pub use writer::StoreWriter;
use writer::Waiting;

/// How many of the blocks stored or read last are kept in memory: those that peers and the chain ask for next.
const RECENT_BLOCKS: usize = 16;

/// A handle to the store; clones share it. Reading goes on while a change set is applied.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    directory: PathBuf,
    index: Box<dyn IndexStore>,
    blocks: FlatFiles,
    undo: FlatFiles,
    /// Write-locked while the index changes, so that a reader of several records sees one state.
    meta: RwLock<Meta>,
    recent: Mutex<VecDeque<(BlockHash, Arc<Block>)>>,
    /// Bodies and undo that were found damaged. They count as not stored, and are appended anew when they come again.
    damaged: Mutex<BTreeSet<(Kind, BlockHash)>>,
    /// Change sets that were handed over and are not in the index yet.
    waiting: Mutex<Waiting>,
    /// Told whenever one comes, or is done with, or is wanted.
    progress: Condvar,
    _lock: Option<DirectoryLock>,
}

impl Store {
    /// The data directory.
    pub fn directory(&self) -> &Path {
        &self.inner.directory
    }

    /// The name of the index's engine.
    pub fn engine(&self) -> &'static str {
        self.inner.index.name()
    }

    /// What the index says of itself.
    pub fn meta(&self) -> Meta {
        self.inner.read_meta().clone()
    }

    /// Bytes of the flat files and of the index on disk, about.
    pub fn bytes_on_disk(&self) -> u64 {
        let files = [&self.inner.blocks, &self.inner.undo];
        let flat: u64 = files.iter().filter_map(|files| files.bytes().ok()).sum();
        flat + directory_bytes(&self.inner.directory.join(open::INDEX_DIRECTORY))
    }

    /// Whether a record of the flat files was found damaged since the store was opened.
    pub fn found_damage(&self) -> bool {
        !self.inner.damaged().is_empty()
    }
}

impl Inner {
    fn read_meta(&self) -> std::sync::RwLockReadGuard<'_, Meta> {
        self.meta.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent(&self) -> MutexGuard<'_, VecDeque<(BlockHash, Arc<Block>)>> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, hash: BlockHash, block: Arc<Block>) {
        let mut recent = self.recent();
        if recent.iter().any(|(known, _)| *known == hash) {
            return;
        }
        if recent.len() == RECENT_BLOCKS {
            recent.pop_front();
        }
        recent.push_back((hash, block));
    }

    fn files(&self, kind: Kind) -> &FlatFiles {
        match kind {
            Kind::Block => &self.blocks,
            Kind::Undo => &self.undo,
        }
    }

    fn place(&self, kind: Kind, hash: &BlockHash) -> Result<Option<Place>, StoreError> {
        let key = records::place_key(kind, hash);
        records::read(self.index.as_ref(), Table::Places, &key)
    }

    /// A record's payload. One that is damaged counts as missing: a block is fetched again by its hash.
    fn payload(&self, kind: Kind, hash: &BlockHash) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(place) = self.place(kind, hash)? else {
            return Ok(None);
        };
        match self.files(kind).read(&place, hash) {
            Ok(payload) => Ok(Some(payload)),
            Err(error @ FlatError::Damaged { .. }) => {
                tracing::warn!(%error, %hash, "a damaged record counts as missing");
                self.damaged().insert((kind, *hash));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn damaged(&self) -> MutexGuard<'_, BTreeSet<(Kind, BlockHash)>> {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a record has to be appended: it is not stored, or damaged.
    fn lacks(&self, kind: Kind, hash: &BlockHash) -> Result<bool, StoreError> {
        Ok(self.damaged().contains(&(kind, *hash)) || self.place(kind, hash)?.is_none())
    }

    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        let of =
            |changes: &ChangeSet| changes.blocks.iter().find(|(known, _)| known == hash).map(|(_, b)| Arc::clone(b));
        if let Some(block) = self.in_waiting(of) {
            return Ok(Some(block));
        }
        let known = self.recent().iter().find(|(known, _)| known == hash).map(|(_, block)| Arc::clone(block));
        if known.is_some() {
            return Ok(known);
        }
        let Some(payload) = self.payload(Kind::Block, hash)? else {
            return Ok(None);
        };
        let block: Block =
            encode::decode(&payload, MAX_PAYLOAD_SIZE).map_err(|error| damaged_body("block", hash, &error))?;
        let block = Arc::new(block);
        self.remember(*hash, Arc::clone(&block));
        Ok(Some(block))
    }

    fn undo(&self, hash: &BlockHash) -> Result<Option<BlockUndo>, StoreError> {
        let of = |changes: &ChangeSet| changes.undo.iter().find(|(known, _)| known == hash).map(|(_, u)| Arc::clone(u));
        if let Some(undo) = self.in_waiting(of) {
            return Ok(Some(BlockUndo::clone(&undo)));
        }
        let Some(payload) = self.payload(Kind::Undo, hash)? else {
            return Ok(None);
        };
        encode::decode(&payload, MAX_PAYLOAD_SIZE).map(Some).map_err(|error| damaged_body("undo", hash, &error))
    }

    /// Visits every record of a table, opened.
    fn for_each<T: serde::de::DeserializeOwned>(
        &self,
        table: Table,
        prefix: &[u8],
        mut visit: impl FnMut(&[u8], T) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        self.index.iter(table, prefix, &mut |key, value| match records::open(table, key, value)
            .and_then(|content| visit(key, content))
        {
            Ok(flow) => flow,
            Err(error) => {
                outcome = Err(error);
                ControlFlow::Break(())
            }
        })?;
        outcome
    }
}

fn damaged_body(what: &str, hash: &BlockHash, error: &encode::DecodeError) -> StoreError {
    StoreError::Damaged { what: format!("the {what} of {hash} does not decode: {error}") }
}

/// Bytes of the files directly in a directory; 0 if it cannot be read.
fn directory_bytes(directory: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return 0;
    };
    entries
        .filter_map(|entry| entry.ok()?.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|metadata| metadata.len())
        .sum()
}

impl ChainStore for Store {
    fn index(&self) -> Result<Vec<IndexRecord>, StoreError> {
        let mut records = Vec::new();
        self.inner.for_each(Table::Headers, &[], |_, record| {
            records.push(record);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(records)
    }

    fn tip(&self) -> Result<Option<BlockHash>, StoreError> {
        let waiting = self.inner.in_waiting(|changes| changes.tip);
        Ok(waiting.or_else(|| self.inner.read_meta().tip))
    }

    fn coin(&self, outpoint: &OutPoint) -> Result<Option<Coin>, StoreError> {
        if let Some(change) = self.inner.in_waiting(|changes| changes.coins.get(outpoint).copied()) {
            return Ok(change);
        }
        let key = records::outpoint_key(outpoint);
        records::read(self.inner.index.as_ref(), Table::Coins, &key)
    }

    fn block(&self, hash: &BlockHash) -> Result<Option<Arc<Block>>, StoreError> {
        self.inner.block(hash)
    }

    fn undo(&self, hash: &BlockHash) -> Result<Option<BlockUndo>, StoreError> {
        self.inner.undo(hash)
    }

    fn coin_stats(&self) -> Result<CoinStats, StoreError> {
        let waiting = self.inner.in_waiting(|changes| changes.stats);
        Ok(waiting.unwrap_or_else(|| self.inner.read_meta().stats))
    }
}

#[cfg(test)]
mod tests;
