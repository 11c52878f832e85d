//! Opening a data directory: the lock, what a crash left behind, and whether the index can be trusted.
//!
//! The index is dropped and made again from the flat files whenever it is missing, unreadable, of another version,
//! unfinished, ahead of the files, or marked as damaged by the process that met the damage.

use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, RwLock};

use tally_node_core::chain::store::{CoinStats, StoreError};
use tally_primitives::hash::BlockHash;

use super::flat::{FILE_SIZE_LIMIT, FlatError, FlatFiles, Found, Kind, Position, ScanReport};
use super::index::memory::MemoryIndex;
use super::index::sled::SledIndex;
use super::index::{IndexBatch, IndexStore, Table};
use super::lock::DirectoryLock;
use super::records::{self, INDEX_VERSION, META_KEY, Meta};
use super::{Inner, OpenError, Store};

/// The index's directory in the data directory.
pub(super) const INDEX_DIRECTORY: &str = "index";
/// The flat files' directory in the data directory.
const BLOCKS_DIRECTORY: &str = "blocks";
/// Names the chain that the directory was made for.
const GENESIS_FILE: &str = "genesis";
/// Holds the reason for which the next start makes the index again.
const REBUILD_FILE: &str = "rebuild-index";
/// How many writes go into one transaction while the block files are read through.
const SCAN_BATCH: usize = 10_000;

/// What a store is opened with.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The data directory; made if it does not exist.
    pub directory: PathBuf,
    /// The network's genesis block.
    pub genesis: BlockHash,
    /// The engine's page cache, in bytes.
    pub cache_bytes: u64,
    /// A flat file is closed at this size, in bytes.
    pub file_limit: u64,
}

impl StoreConfig {
    /// The usual sizes.
    pub fn new(directory: impl Into<PathBuf>, genesis: BlockHash) -> Self {
        Self { directory: directory.into(), genesis, cache_bytes: 16 * 1024 * 1024, file_limit: FILE_SIZE_LIMIT }
    }
}

/// An open store, and what opening it found.
pub struct Opened {
    /// The store.
    pub store: Store,
    /// Why the index is empty and has to be made from the block files ([`super::rebuild`]) before the store is used.
    pub rebuild: Option<String>,
    /// Records and bytes of the block files that the last process had not finished with.
    pub recovered: ScanReport,
}

impl Store {
    /// Opens a data directory.
    ///
    /// # Errors
    /// If it is in use, belongs to another chain, or cannot be read or written. Damage is no error: see
    /// [`Opened::rebuild`].
    pub fn open(config: &StoreConfig) -> Result<Opened, OpenError> {
        let lock = prepare(config)?;
        let marked = read_if_there(&config.directory.join(REBUILD_FILE))?;
        if let Some(reason) = marked {
            return Self::start_over(config, lock, reason.trim().to_owned());
        }
        let path = config.directory.join(INDEX_DIRECTORY);
        let fresh = !path.exists();
        let outcome = SledIndex::open(&path, config.cache_bytes).map_err(StoreError::from);
        let judged = outcome.and_then(|index| judge(config, &index).map(|meta| (index, meta)));
        let (index, meta) = match judged {
            Ok((index, Judged::Good(meta))) => (index, meta),
            Ok((index, Judged::Empty)) if !has_blocks(config)? => (index, new_meta(config, false)),
            Ok((index, Judged::Empty)) => {
                drop(index);
                let reason = if fresh { "it is missing" } else { "it is empty" };
                return Self::start_over(config, lock, reason.to_owned());
            }
            Ok((index, Judged::Bad(reason))) => {
                drop(index);
                return Self::start_over(config, lock, reason);
            }
            Err(error) => return Self::start_over(config, lock, error.to_string()),
        };
        let store = Self::assemble(config, Box::new(index), Some(lock), meta);
        match store.recover() {
            Ok(recovered) => Ok(Opened { store, rebuild: None, recovered }),
            Err(StoreError::Damaged { what }) => {
                let inner = std::sync::Arc::into_inner(store.inner);
                let lock = inner.and_then(|inner| inner._lock);
                let lock = match lock {
                    Some(lock) => lock,
                    None => DirectoryLock::take(&config.directory)?,
                };
                Self::start_over(config, lock, what)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Looks whether [`Store::open`] would drop the index, and cuts off at most what a crash left torn; gives the
    /// reason.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn inspect(config: &StoreConfig) -> Result<Option<String>, OpenError> {
        let lock = prepare(config)?;
        if let Some(reason) = read_if_there(&config.directory.join(REBUILD_FILE))? {
            return Ok(Some(reason.trim().to_owned()));
        }
        let path = config.directory.join(INDEX_DIRECTORY);
        if !path.exists() {
            return Ok(has_blocks(config)?.then(|| "the index is missing".to_owned()));
        }
        let judged = SledIndex::open(&path, config.cache_bytes)
            .map_err(StoreError::from)
            .and_then(|index| judge(config, &index).map(|judged| (index, judged)));
        match judged {
            Ok((index, Judged::Good(meta))) => {
                match Self::assemble(config, Box::new(index), Some(lock), meta).recover() {
                    Err(StoreError::Damaged { what }) => Ok(Some(what)),
                    outcome => Ok(outcome.map(|_| None)?),
                }
            }
            Ok((_, Judged::Empty)) => Ok(has_blocks(config)?.then(|| "the index is empty".to_owned())),
            Ok((_, Judged::Bad(reason))) => Ok(Some(reason)),
            Err(error) => Ok(Some(error.to_string())),
        }
    }

    /// Opens a data directory with an empty index, to be made again from the block files.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_for_reindex(config: &StoreConfig) -> Result<Opened, OpenError> {
        let lock = prepare(config)?;
        Self::start_over(config, lock, "asked for".to_owned())
    }

    /// A store whose index is in memory and whose flat files are in `config.directory`, for tests.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with_memory_index(config: &StoreConfig) -> Result<Self, OpenError> {
        let lock = prepare(config)?;
        let meta = new_meta(config, false);
        let index = Box::new(MemoryIndex::default());
        Ok(Self::assemble(config, index, Some(lock), meta))
    }

    /// Remembers that the index is damaged: the next start makes it again.
    ///
    /// # Errors
    /// If the mark cannot be written.
    pub fn mark_damaged(&self, reason: &str) -> std::io::Result<()> {
        std::fs::write(self.inner.directory.join(REBUILD_FILE), reason)
    }

    fn assemble(config: &StoreConfig, index: Box<dyn IndexStore>, lock: Option<DirectoryLock>, meta: Meta) -> Self {
        let blocks = config.directory.join(BLOCKS_DIRECTORY);
        let limit = config.file_limit;
        Self {
            inner: std::sync::Arc::new(Inner {
                directory: config.directory.clone(),
                index,
                blocks: FlatFiles::open(&blocks, Kind::Block, meta.blocks_end, limit),
                undo: FlatFiles::open(&blocks, Kind::Undo, meta.undo_end, limit),
                meta: RwLock::new(meta),
                recent: Mutex::new(VecDeque::new()),
                damaged: Mutex::new(BTreeSet::new()),
                waiting: Mutex::default(),
                progress: Condvar::new(),
                _lock: lock,
            }),
        }
    }

    /// Drops the index and begins a new one that knows where every good block is, and nothing else.
    fn start_over(config: &StoreConfig, lock: DirectoryLock, reason: String) -> Result<Opened, OpenError> {
        let path = config.directory.join(INDEX_DIRECTORY);
        if path.exists() {
            std::fs::remove_dir_all(&path).map_err(|source| OpenError::Io {
                action: "remove",
                path: path.clone(),
                source,
            })?;
        }
        let index = SledIndex::open(&path, config.cache_bytes)?;
        let meta = new_meta(config, true);
        let store = Self::assemble(config, Box::new(index), Some(lock), meta.clone());
        let inner = store.inner.as_ref();
        inner.commit(IndexBatch::default(), meta)?;
        // Undo is made again while the blocks are connected.
        inner.undo.delete_all()?;
        let mut batch = IndexBatch::default();
        let recovered = inner.blocks.recover(Position::default(), |found: Found| {
            put_place(&mut batch, Kind::Block, &found);
            if batch.len() >= SCAN_BATCH {
                inner.commit(std::mem::take(&mut batch), inner.meta_now())?;
            }
            Ok::<_, OpenError>(())
        })?;
        inner.commit(batch, inner.meta_now())?;
        remove_if_there(&config.directory.join(REBUILD_FILE))?;
        Ok(Opened { store, rebuild: Some(reason), recovered })
    }
}

impl Inner {
    /// The description as of the flat files' ends.
    pub(super) fn meta_now(&self) -> Meta {
        let mut meta = self.read_meta().clone();
        meta.blocks_end = self.blocks.end();
        meta.undo_end = self.undo.end();
        meta
    }
}

/// What an index looks like before the flat files are looked at.
enum Judged {
    /// It may be used.
    Good(Meta),
    /// It holds nothing.
    Empty,
    /// It has to be made again.
    Bad(String),
}

fn judge(config: &StoreConfig, index: &dyn IndexStore) -> Result<Judged, StoreError> {
    let Some(meta) = records::read::<Meta>(index, Table::Meta, META_KEY)? else {
        return Ok(Judged::Empty);
    };
    let bad = |reason: &str| Ok(Judged::Bad(reason.to_owned()));
    if meta.version != INDEX_VERSION {
        return bad("it was written by another version of the program");
    }
    if meta.genesis != config.genesis {
        return bad("it belongs to another chain than the block files");
    }
    if meta.rebuilding {
        return bad("making it again was interrupted");
    }
    Ok(Judged::Good(meta))
}

fn new_meta(config: &StoreConfig, rebuilding: bool) -> Meta {
    Meta {
        version: INDEX_VERSION,
        genesis: config.genesis,
        tip: None,
        stats: CoinStats::default(),
        blocks_end: Position::default(),
        undo_end: Position::default(),
        rebuilding,
    }
}

/// Makes the directories, takes the lock, and compares the genesis block.
fn prepare(config: &StoreConfig) -> Result<DirectoryLock, OpenError> {
    let blocks = config.directory.join(BLOCKS_DIRECTORY);
    std::fs::create_dir_all(&blocks).map_err(|source| OpenError::Io {
        action: "make the directory",
        path: blocks,
        source,
    })?;
    let lock = DirectoryLock::take(&config.directory)?;
    let path = config.directory.join(GENESIS_FILE);
    let known = read_if_there(&path)?.and_then(|text| text.trim().parse::<BlockHash>().ok());
    if known == Some(config.genesis) {
        return Ok(lock);
    }
    // The block files decide, whose first block is genesis: the small file may have been damaged or deleted.
    if let Some(found) = block_files(config).first()?.or(known)
        && found != config.genesis
    {
        return Err(OpenError::OtherChain { directory: config.directory.clone(), found, expected: config.genesis });
    }
    let text = format!("{}\n", config.genesis);
    std::fs::write(&path, text).map_err(|source| OpenError::Io { action: "write", path, source })?;
    Ok(lock)
}

fn block_files(config: &StoreConfig) -> FlatFiles {
    let directory = config.directory.join(BLOCKS_DIRECTORY);
    FlatFiles::open(&directory, Kind::Block, Position::default(), config.file_limit)
}

fn has_blocks(config: &StoreConfig) -> Result<bool, FlatError> {
    Ok(block_files(config).bytes()? > 0)
}

pub(super) fn put_place(batch: &mut IndexBatch, kind: Kind, found: &Found) {
    batch.put_record(Table::Places, records::place_key(kind, &found.hash), &found.place);
}

fn read_if_there(path: &Path) -> Result<Option<String>, OpenError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        // Not text: the file is damaged, and is written again.
        Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Ok(None),
        Err(source) => Err(OpenError::Io { action: "read", path: path.to_owned(), source }),
    }
}

fn remove_if_there(path: &Path) -> Result<(), OpenError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(OpenError::Io { action: "remove", path: path.to_owned(), source })
        }
        _ => Ok(()),
    }
}
