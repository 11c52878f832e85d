//! What RPC asks of the store. Nothing here waits for the driver, only for what it has handed over before; and one answer reflects one
//! state.

use std::ops::ControlFlow;

use tally_node_core::chain::store::{IndexRecord, StoreError};
use tally_primitives::hash::{BlockHash, LockHash, Txid};
use tally_primitives::transaction::{Coin, OutPoint};
use tally_primitives::units::Height;

pub use super::addresses::{fee, sums};
use super::index::Table;
use super::records::{self, HistoryRow, TransactionPlace};
use super::{Inner, Meta, Store};

/// One state of the index: as long as it is held, no change set is applied. To be held briefly.
pub struct View<'a> {
    inner: &'a Inner,
    meta: std::sync::RwLockReadGuard<'a, Meta>,
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The answer would be longer than asked for.
    #[error("more than {max} rows")]
    TooMany {
        /// The limit.
        max: usize,
    },
}

impl Store {
    /// Holds the index still for several questions, once everything is in it that was handed over before.
    pub fn view(&self) -> View<'_> {
        // After a failure the node stops; until then the last state is good enough.
        let _ = self.settle();
        View { inner: &self.inner, meta: self.inner.read_meta() }
    }
}

impl View<'_> {
    /// The block that everything else here belongs to.
    pub fn tip(&self) -> Option<BlockHash> {
        self.meta.tip
    }

    /// The block of the active chain at a height.
    pub fn active(&self, height: Height) -> Result<Option<BlockHash>, StoreError> {
        let key = records::height_key(height);
        records::read(self.inner.index.as_ref(), Table::Active, &key)
    }

    /// A known header.
    pub fn header(&self, hash: &BlockHash) -> Result<Option<IndexRecord>, StoreError> {
        records::read(self.inner.index.as_ref(), Table::Headers, hash.as_bytes())
    }

    /// Where a confirmed transaction stands.
    pub fn transaction(&self, txid: &Txid) -> Result<Option<TransactionPlace>, StoreError> {
        records::read(self.inner.index.as_ref(), Table::Transactions, txid.as_bytes())
    }

    /// The unspent coins of a lock, at most `max`.
    pub fn unspent(&self, lock: &LockHash, max: usize) -> Result<Vec<(OutPoint, Coin)>, QueryError> {
        let mut outpoints = Vec::new();
        let prefix = lock.as_bytes();
        self.inner.for_each(Table::Unspent, prefix, |key, (): ()| {
            let outpoint = key.get(32..).and_then(records::outpoint_of);
            outpoints.push(outpoint.ok_or_else(|| odd_key(Table::Unspent, key))?);
            Ok(go_on(outpoints.len() <= max))
        })?;
        if outpoints.len() > max {
            return Err(QueryError::TooMany { max });
        }
        let mut coins = Vec::with_capacity(outpoints.len());
        for outpoint in outpoints {
            let key = records::outpoint_key(&outpoint);
            let coin: Option<Coin> = records::read(self.inner.index.as_ref(), Table::Coins, &key)?;
            let coin = coin.ok_or_else(|| StoreError::Damaged {
                what: format!("the coin {outpoint} has a row by lock and is not there"),
            })?;
            coins.push((outpoint, coin));
        }
        Ok(coins)
    }

    /// What happened to a lock, oldest first, at most `max` rows.
    pub fn history(&self, lock: &LockHash, max: usize) -> Result<Vec<(TransactionPlace, HistoryRow)>, QueryError> {
        let mut rows = Vec::new();
        let prefix = lock.as_bytes();
        self.inner.for_each(Table::History, prefix, |key, row: HistoryRow| {
            let place = records::history_place(key);
            rows.push((place.ok_or_else(|| odd_key(Table::History, key))?, row));
            Ok(go_on(rows.len() <= max))
        })?;
        if rows.len() > max {
            return Err(QueryError::TooMany { max });
        }
        Ok(rows)
    }
}

fn go_on(more: bool) -> ControlFlow<()> {
    if more { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

fn odd_key(table: Table, key: &[u8]) -> StoreError {
    StoreError::Damaged { what: format!("key {} of the index's table {:?} is none", hex::encode(key), table.name()) }
}
