//! The derived index behind a small trait, so that the engine can be replaced: tables of bytes to bytes, one atomic
//! and durable commit, reads, walks, and a check of everything.
//!
//! An engine knows nothing of coins or blocks: what the records mean, and the checksum that each carries, is the
//! business of `super::records`. What an engine must promise, and what the tests hold it to:
//! - [`IndexStore::commit`] is atomic, and durable when it returns;
//! - nothing in it panics: an error, or a panic of the library below, comes out as [`IndexError`].

pub mod memory;
pub mod sled;

use std::ops::ControlFlow;
use std::path::PathBuf;

/// The tables of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Table {
    /// One record: what the index as a whole says of itself.
    Meta,
    /// OutPoint → Coin.
    Coins,
    /// Block hash → header, height, status.
    Headers,
    /// Kind and block hash → place in the flat files.
    Places,
    /// Height → block hash, of the chain that the coin set belongs to.
    Active,
    /// Txid → height and position, of the same chain.
    Transactions,
    /// Lock and OutPoint → nothing: which coins are whose.
    Unspent,
    /// Lock, height and position → what a transaction did to the lock.
    History,
}

impl Table {
    /// Every table, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Meta,
        Self::Coins,
        Self::Headers,
        Self::Places,
        Self::Active,
        Self::Transactions,
        Self::Unspent,
        Self::History,
    ];

    /// The table's name on disk.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Coins => "coins",
            Self::Headers => "headers",
            Self::Places => "places",
            Self::Active => "active",
            Self::Transactions => "transactions",
            Self::Unspent => "unspent",
            Self::History => "history",
        }
    }
}

/// One write: a value to put, or `None` to remove the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The table.
    pub table: Table,
    /// The key.
    pub key: Vec<u8>,
    /// The value; `None` removes.
    pub value: Option<Vec<u8>>,
}

/// Writes that happen together or not at all, in order.
#[derive(Clone, Debug, Default)]
pub struct IndexBatch {
    /// The writes.
    pub operations: Vec<Operation>,
}

/// Why the index failed. Whatever the reason, the cure is the same: it is dropped and made again from the flat files.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The engine reported an error.
    #[error("the index engine failed: {reason}")]
    Engine {
        /// What it said.
        reason: String,
    },
    /// The engine panicked, which counts as damage found.
    #[error("the index engine panicked: {reason}")]
    Panicked {
        /// What it said.
        reason: String,
    },
    /// The file system refused.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A value is longer than the engine keeps safe.
    #[error("a value of {size} bytes in table {table:?}; at most {max} are kept")]
    ValueTooLong {
        /// The table.
        table: Table,
        /// Its length, in bytes.
        size: usize,
        /// The limit, in bytes.
        max: usize,
    },
}

/// What a walk calls for each key and value.
pub type Visitor<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// An engine.
pub trait IndexStore: Send + Sync {
    /// Applies a batch: all of it or nothing, and durable on return.
    fn commit(&self, batch: &IndexBatch) -> Result<(), IndexError>;

    /// The value of a key.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, IndexError>;

    /// Walks the keys that start with `prefix`, in order, until `visit` breaks off.
    fn iter(&self, table: Table, prefix: &[u8], visit: Visitor<'_>) -> Result<(), IndexError>;

    /// Looks for damage with whatever means the engine has of its own.
    fn verify(&self) -> Result<(), IndexError>;

    /// The engine's name, for logs.
    fn name(&self) -> &'static str;
}

impl IndexBatch {
    /// Adds a put.
    pub fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.operations.push(Operation { table, key, value: Some(value) });
    }

    /// Adds a removal.
    pub fn remove(&mut self, table: Table, key: Vec<u8>) {
        self.operations.push(Operation { table, key, value: None });
    }

    /// How many writes it holds.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }
}

#[cfg(test)]
mod tests;
