//! After a crash: what the flat files hold behind the point that the index knows is taken up, and what is torn is cut
//! off.

use std::collections::BTreeMap;

use tally_node_core::chain::store::{BlockStatus, IndexRecord, StoreError};
use tally_primitives::block::Header;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::Height;

use super::flat::{Found, Kind, ScanReport};
use super::index::{IndexBatch, Table};
use super::open::put_place;
use super::{Inner, Store, records};

/// A coin set of at most so many coins is read through on every start (about 10 ms).
const CHECK_AT_START_COINS: u64 = 20_000;

impl Store {
    /// Takes up what the flat files hold behind the point that the index knows, and cuts off what is torn.
    pub(super) fn recover(&self) -> Result<ScanReport, StoreError> {
        let inner = self.inner.as_ref();
        let mut meta = inner.read_meta().clone();
        for (files, end) in [(&inner.blocks, meta.blocks_end), (&inner.undo, meta.undo_end)] {
            if !files.reaches(end)? {
                return Err(StoreError::Damaged { what: "the block files are shorter than the index says".to_owned() });
            }
        }
        let mut batch = IndexBatch::default();
        let mut adopted = BTreeMap::new();
        let mut report = inner
            .blocks
            .recover(meta.blocks_end, |found: Found| adopt_block(inner, &mut adopted, &mut batch, &found))?;
        let undo = inner.undo.recover(meta.undo_end, |found: Found| {
            put_place(&mut batch, Kind::Undo, &found);
            Ok::<_, StoreError>(())
        })?;
        report.records += undo.records;
        report.damaged_bytes += undo.damaged_bytes;
        report.cut_bytes += undo.cut_bytes;
        meta.blocks_end = inner.blocks.end();
        meta.undo_end = inner.undo.end();
        if !batch.is_empty() || *inner.read_meta() != meta {
            inner.commit(batch, meta.clone())?;
        }
        if meta.stats.count <= CHECK_AT_START_COINS {
            self.check_index()?;
        }
        Ok(report)
    }
}

/// Takes up a block that was appended and not yet in the index: its header, if the parent is known, and its place.
fn adopt_block(
    inner: &Inner,
    adopted: &mut BTreeMap<BlockHash, Height>,
    batch: &mut IndexBatch,
    found: &Found,
) -> Result<(), StoreError> {
    let Some(header) = found.payload.first_chunk().map(Header::from_bytes) else {
        return Ok(());
    };
    let known: Option<IndexRecord> = read_header(inner, &found.hash)?;
    let height = match &known {
        Some(record) => Some(record.height),
        None => match adopted.get(&header.prev_block) {
            Some(parent) => Some(parent.next()),
            None => read_header(inner, &header.prev_block)?.map(|parent| parent.height.next()),
        },
    };
    // A block whose parent is not known was never acknowledged: it comes again from a peer.
    let Some(height) = height else {
        return Ok(());
    };
    adopted.insert(found.hash, height);
    put_place(batch, Kind::Block, found);
    let invalid = known.as_ref().is_some_and(|record| record.invalid);
    if known.is_none_or(|record| record.status < BlockStatus::Stored) {
        let record = IndexRecord { header, height, status: BlockStatus::Stored, invalid };
        let key = found.hash.as_bytes().to_vec();
        batch.put_record(Table::Headers, key, &record);
    }
    Ok(())
}

fn read_header(inner: &Inner, hash: &BlockHash) -> Result<Option<IndexRecord>, StoreError> {
    records::read(inner.index.as_ref(), Table::Headers, hash.as_bytes())
}
