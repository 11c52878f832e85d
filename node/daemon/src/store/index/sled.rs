//! sled 0.34.7 as the engine, by the rules that its measured faults ask for:
//! - one multi-tree transaction a batch, never `apply_batch` (which takes gigabytes of memory);
//! - no background flusher: `flush()` after each batch, and then an fsync of the file `db`, which sled itself forgets
//!   (without it a power cut lost every acknowledged batch); the directory and its parent are synced at creation;
//! - values up to 4 KB, since larger ones go to blob files that are never synced;
//! - a half-made `snap.*.generating` is removed before opening;
//! - opening waits for a database that was closed a moment ago: sled's own threads let go of it a little later than its last handle;
//! - every call runs under `catch_unwind`: one flipped bit can make sled panic, and that is damage found, not the end.

use std::any::Any;
use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sled::Transactional;
use sled::transaction::{ConflictableTransactionError, TransactionError, TransactionalTree};

use super::{IndexBatch, IndexError, IndexStore, Table, Visitor};
use crate::store::flat::sync_directory;

/// The longest value that sled keeps in its log, where fsync reaches it, in bytes.
pub const MAX_VALUE_SIZE: usize = 4096;

/// How long opening waits for sled's own threads to let go, and how often it looks. Other processes are kept out by the lock on the data
/// directory.
const LET_GO: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// The engine.
pub struct SledIndex {
    /// `None` only while it is dropped.
    database: Option<sled::Db>,
    trees: Vec<sled::Tree>,
    directory: PathBuf,
    log: File,
}

impl SledIndex {
    /// Opens the index in `directory`, or makes an empty one; `cache_bytes` is sled's page cache.
    pub fn open(directory: &Path, cache_bytes: u64) -> Result<Self, IndexError> {
        remove_half_made_snapshots(directory).map_err(|source| io_error("cleaning", directory, source))?;
        let (database, trees) = guarded(|| {
            let database = open_database(directory, cache_bytes)?;
            let trees =
                Table::ALL.iter().map(|table| database.open_tree(table.name())).collect::<Result<Vec<_>, _>>()?;
            database.flush()?;
            Ok((database, trees))
        })?;
        let path = directory.join("db");
        let log = File::open(&path).map_err(|source| io_error("opening", &path, source))?;
        let parent = directory.parent().unwrap_or(directory);
        log.sync_all()
            .and_then(|()| sync_directory(directory))
            .and_then(|()| sync_directory(parent))
            .map_err(|source| io_error("syncing", directory, source))?;
        Ok(Self { database: Some(database), trees, directory: directory.to_owned(), log })
    }

    fn tree(&self, table: Table) -> &sled::Tree {
        &self.trees[table as usize]
    }
}

fn open_database(directory: &Path, cache_bytes: u64) -> Result<sled::Db, sled::Error> {
    let config = sled::Config::new().path(directory).cache_capacity(cache_bytes).flush_every_ms(None);
    let began = Instant::now();
    loop {
        match config.open() {
            Err(error) if is_held(&error) && began.elapsed() < LET_GO => std::thread::sleep(LOOK_AGAIN),
            result => return result,
        }
    }
}

/// Whether somebody else has the database open. sled says so in words only.
fn is_held(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

impl IndexStore for SledIndex {
    fn commit(&self, batch: &IndexBatch) -> Result<(), IndexError> {
        for operation in &batch.operations {
            let size = operation.value.as_ref().map_or(0, Vec::len);
            if size > MAX_VALUE_SIZE {
                return Err(IndexError::ValueTooLong { table: operation.table, size, max: MAX_VALUE_SIZE });
            }
        }
        guarded(|| {
            self.trees.as_slice().transaction(|trees: &Vec<TransactionalTree>| apply(trees, batch)).map_err(
                |error| match error {
                    TransactionError::Storage(error) => error,
                    TransactionError::Abort(never) => match never {},
                },
            )?;
            self.tree(Table::Meta).flush()?;
            Ok(())
        })?;
        self.log.sync_data().map_err(|source| io_error("syncing", &self.directory, source))
    }

    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError> {
        guarded(|| {
            let value = self.tree(table).get(key)?;
            Ok(value.map(|value| value.to_vec()))
        })
    }

    fn iter(&self, table: Table, prefix: &[u8], visit: Visitor<'_>) -> Result<(), IndexError> {
        guarded(|| {
            for entry in self.tree(table).scan_prefix(prefix) {
                let (key, value) = entry?;
                if let ControlFlow::Break(()) = visit(&key, &value) {
                    break;
                }
            }
            Ok(())
        })
    }

    fn verify(&self) -> Result<(), IndexError> {
        guarded(|| {
            // sled's own check formats the whole tree as text; reading every page finds the same damage.
            for tree in &self.trees {
                for entry in tree.iter() {
                    entry?;
                }
            }
            Ok(())
        })
    }

    fn name(&self) -> &'static str {
        "sled"
    }
}

impl Drop for SledIndex {
    fn drop(&mut self) {
        let database = self.database.take();
        let trees = std::mem::take(&mut self.trees);
        // sled writes a last time while it is dropped, and may panic there as anywhere else.
        let outcome = guarded(move || {
            drop(trees);
            drop(database);
            Ok(())
        });
        if let Err(error) = outcome {
            tracing::warn!(%error, "closing the index");
        }
    }
}

fn apply(
    trees: &[TransactionalTree],
    batch: &IndexBatch,
) -> Result<(), ConflictableTransactionError<std::convert::Infallible>> {
    for operation in &batch.operations {
        let tree = &trees[operation.table as usize];
        match &operation.value {
            Some(value) => tree.insert(operation.key.as_slice(), value.as_slice())?,
            None => tree.remove(operation.key.as_slice())?,
        };
    }
    Ok(())
}

/// Runs a call into sled; its panics come out as errors.
fn guarded<T>(call: impl FnOnce() -> Result<T, sled::Error>) -> Result<T, IndexError> {
    // What the closure touches is either dropped or not used again: after a panic the index is thrown away.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(IndexError::Engine { reason: error.to_string() }),
        Err(panic) => Err(IndexError::Panicked { reason: panic_text(panic.as_ref()) }),
    }
}

/// What a panic said.
pub fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text =
        panic.downcast_ref::<&str>().map(|text| (*text).to_owned()).or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}

fn remove_half_made_snapshots(directory: &Path) -> io::Result<()> {
    if !directory.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn io_error(action: &'static str, path: &Path, source: io::Error) -> IndexError {
    IndexError::Io { action, path: path.to_owned(), source }
}
