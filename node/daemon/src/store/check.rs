//! Everything read and compared: every record of the index, its figures, and (on request) every block and undo record.

use std::ops::ControlFlow;

use tally_node_core::chain::store::{BlockStatus, CoinStats, IndexRecord, StoreError};
use tally_primitives::hash::BlockHash;
use tally_primitives::transaction::Coin;
use tally_primitives::units::Height;

use super::Store;
use super::flat::{Kind, Place};
use super::index::Table;
use super::records::{self, HistoryRow, TransactionPlace};

/// What a check read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Coins.
    pub coins: u64,
    /// Headers.
    pub headers: u64,
    /// Records of the flat files.
    pub bodies: u64,
}

/// How often the progress is told, in records.
const PROGRESS_STEP: u64 = 1000;

impl Store {
    /// Reads every record of the index, and compares the coin set with its count, sum and hash.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first thing found.
    pub fn check_index(&self) -> Result<CheckReport, StoreError> {
        let inner = self.inner.as_ref();
        inner.index.verify()?;
        let mut report = CheckReport::default();
        let mut stats = CoinStats::default();
        inner.for_each(Table::Coins, &[], |key, coin: Coin| {
            let outpoint = records::outpoint_of(key).ok_or_else(|| damaged("a coin's key is none"))?;
            stats = stats.with(&outpoint, &coin);
            Ok(ControlFlow::Continue(()))
        })?;
        let expected = inner.read_meta().stats;
        if stats != expected {
            return Err(damaged(&format!(
                "the index holds {} coins of {} with hash {}, and should hold {} of {} with hash {}",
                stats.count, stats.total, stats.hash, expected.count, expected.total, expected.hash
            )));
        }
        report.coins = stats.count;
        inner.for_each(Table::Headers, &[], |key, record: IndexRecord| {
            if record.header.hash().as_bytes() != key {
                return Err(damaged("a header stands under another block's hash"));
            }
            report.headers += 1;
            Ok(ControlFlow::Continue(()))
        })?;
        self.check_rows(stats.count)?;
        self.check_active_chain()?;
        Ok(report)
    }

    /// Every row of the smaller tables opens, and each coin has its row by lock.
    fn check_rows(&self, coins: u64) -> Result<(), StoreError> {
        let inner = self.inner.as_ref();
        let on = || Ok(ControlFlow::Continue(()));
        let mut rows = 0;
        inner.for_each(Table::Unspent, &[], |_, (): ()| {
            rows += 1;
            on()
        })?;
        if rows != coins {
            return Err(damaged(&format!("{coins} coins have {rows} rows by lock")));
        }
        inner.for_each(Table::History, &[], |_, _: HistoryRow| on())?;
        inner.for_each(Table::Transactions, &[], |_, _: TransactionPlace| on())?;
        inner.for_each(Table::Places, &[], |_, _: Place| on())
    }

    /// The active chain is linked from the tip's height down to genesis.
    fn check_active_chain(&self) -> Result<(), StoreError> {
        let view = self.view();
        let mut below: Option<BlockHash> = None;
        let mut height = Height::GENESIS;
        while let Some(hash) = view.active(height)? {
            let record =
                view.header(&hash)?.ok_or_else(|| damaged(&format!("no header for the active block {hash}")))?;
            let linked = below.is_none_or(|below| record.header.prev_block == below);
            if record.height != height || !linked || record.status != BlockStatus::Connected {
                return Err(damaged(&format!("the active block {hash} is not linked")));
            }
            below = Some(hash);
            height = height.next();
        }
        if below == view.tip() { Ok(()) } else { Err(damaged("the active chain does not end at the tip")) }
    }

    /// Reads every block and undo record that the index refers to; `progress` hears of the number read and of all.
    ///
    /// # Errors
    /// The first record that cannot be read or is damaged.
    pub fn check_bodies(&self, mut progress: impl FnMut(u64, u64)) -> Result<u64, StoreError> {
        let inner = self.inner.as_ref();
        let mut places = Vec::new();
        inner.for_each(Table::Places, &[], |key, place: Place| {
            let (kind, hash) = key.split_first().ok_or_else(|| damaged("an empty key of a place"))?;
            let hash: [u8; 32] = hash.try_into().map_err(|_| damaged("an odd key of a place"))?;
            let kind = if *kind == b'b' { Kind::Block } else { Kind::Undo };
            places.push((kind, place, BlockHash::from_bytes(hash)));
            Ok(ControlFlow::Continue(()))
        })?;
        // In the files' order, so that the disk is read straight through.
        places.sort_unstable();
        let total = places.len() as u64;
        for (done, (kind, place, hash)) in (1u64..).zip(&places) {
            inner.files(*kind).read(place, hash)?;
            if done % PROGRESS_STEP == 0 || done == total {
                progress(done, total);
            }
        }
        Ok(total)
    }
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { what: what.to_owned() }
}
