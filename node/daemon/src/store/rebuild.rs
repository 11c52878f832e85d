//! The index made again from the block files: every block is checked and connected anew, as if it came from a peer.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use tally_node_core::chain::Chain;
use tally_node_core::chain::error::ChainError;
use tally_node_core::chain::store::StoreError;
use tally_primitives::block::Header;
use tally_primitives::hash::BlockHash;
use tally_primitives::params::Params;
use tally_primitives::units::{Height, Timestamp};

use super::Store;
use super::flat::Place;
use super::index::{IndexBatch, Table};

/// What a rebuild did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RebuildReport {
    /// Blocks found in the files.
    pub blocks: u64,
    /// Blocks that could not be used: damaged ones, those that break a rule, and those above them.
    pub unusable: u64,
    /// Height of the tip afterwards.
    pub height: Height,
    /// The tip afterwards.
    pub tip: BlockHash,
}

/// Why a rebuild stopped.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The chain cannot be opened or go on.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The caller asked to stop; the next start begins again.
    #[error("stopped before the index was complete")]
    Stopped,
}

/// What a rebuild tells while it runs; breaking off stops it.
pub type Progress<'a> = &'a mut dyn FnMut(RebuildProgress) -> ControlFlow<()>;

/// How far a rebuild is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RebuildProgress {
    /// Blocks done.
    pub done: u64,
    /// Blocks in the files.
    pub total: u64,
}

/// Connects every block of the block files of a store that [`Store::open`] gave with a reason to rebuild.
///
/// # Errors
/// If the store fails, or `progress` breaks off.
pub fn rebuild(
    store: &Store,
    params: &Arc<Params>,
    now: Timestamp,
    progress: Progress<'_>,
) -> Result<RebuildReport, RebuildError> {
    let mut chain = Chain::open(Arc::clone(params), Box::new(store.clone()))?;
    apply_changes(store, &mut chain)?;
    let order = in_order(store, &chain.genesis_hash())?;
    let total = order.blocks;
    let mut headers = 0u64;
    for (header, _) in &order.linked {
        // A header that breaks a rule leaves no trace, and neither does what builds on it.
        match chain.accept_header(header, now) {
            Ok(_) => headers += 1,
            Err(error) if error.is_fatal() => return Err(error.into()),
            Err(error) => tracing::warn!(%error, "skipping a header of the block files"),
        }
    }
    tracing::debug!(headers, blocks = total, "the block files' headers are linked");
    let mut used = 0u64;
    for (done, (_, hash)) in (0u64..).zip(&order.linked) {
        if let ControlFlow::Break(()) = progress(RebuildProgress { done, total }) {
            return Err(RebuildError::Stopped);
        }
        used += u64::from(connect(store, &mut chain, hash, now)?);
        apply_changes(store, &mut chain)?;
    }
    chain.flush();
    apply_changes(store, &mut chain)?;
    store.finish_rebuild()?;
    let _ = progress(RebuildProgress { done: total, total });
    let tip = chain.tip();
    Ok(RebuildReport {
        blocks: total,
        // Genesis stands in the files too, and needs no connecting.
        unusable: total.saturating_sub(used + 1),
        height: tip.height,
        tip: tip.hash,
    })
}

/// Gives one block to the chain; tells whether it could be used.
fn connect(store: &Store, chain: &mut Chain, hash: &BlockHash, now: Timestamp) -> Result<bool, RebuildError> {
    let block = match store.inner.block(hash) {
        Ok(Some(block)) => block,
        Ok(None) => return Ok(false),
        Err(StoreError::Damaged { what }) => {
            tracing::warn!(%what, "skipping a block, to be fetched again");
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    match chain.accept_block(block, now) {
        Ok(outcome) => Ok(outcome.verdict().is_ok()),
        Err(error) if error.is_fatal() => Err(error.into()),
        Err(error) => {
            tracing::warn!(%error, "skipping a block of the block files");
            Ok(false)
        }
    }
}

fn apply_changes(store: &Store, chain: &mut Chain) -> Result<(), StoreError> {
    let mut applied = false;
    while let Some(changes) = chain.take_changes() {
        store.apply(&changes)?;
        applied = true;
    }
    // It walks through the cache: not for every block of a batch.
    if applied {
        chain.changes_applied();
    }
    Ok(())
}

/// The blocks of the files, parents first.
struct Order {
    /// All blocks in the files.
    blocks: u64,
    /// Those that are linked to genesis, without it.
    linked: Vec<(Header, BlockHash)>,
}

/// Links the headers of all blocks in the files to genesis.
fn in_order(store: &Store, genesis: &BlockHash) -> Result<Order, StoreError> {
    let inner = store.inner.as_ref();
    let mut children: BTreeMap<BlockHash, Vec<(Place, Header, BlockHash)>> = BTreeMap::new();
    let mut blocks = 0;
    let mut places = Vec::new();
    inner.for_each(Table::Places, b"b", |key, place: Place| {
        let hash: Option<[u8; 32]> = key.get(1..).and_then(|hash| hash.try_into().ok());
        if let Some(hash) = hash {
            places.push((place, BlockHash::from_bytes(hash)));
        }
        Ok(ControlFlow::Continue(()))
    })?;
    places.sort_unstable();
    for (place, hash) in places {
        blocks += 1;
        let payload = inner.blocks.read(&place, &hash)?;
        let Some(header) = payload.first_chunk().map(Header::from_bytes) else {
            continue;
        };
        let siblings = children.entry(header.prev_block).or_default();
        siblings.push((place, header, hash));
    }
    let mut linked = Vec::new();
    let mut level = vec![*genesis];
    while !level.is_empty() {
        let mut found: Vec<_> = level.iter().filter_map(|parent| children.remove(parent)).flatten().collect();
        // As the blocks came: of equals, the first seen stays.
        found.sort_unstable_by_key(|(place, _, _)| *place);
        level = found.iter().map(|(_, _, hash)| *hash).collect();
        linked.extend(found.into_iter().map(|(_, header, hash)| (header, hash)));
    }
    Ok(Order { blocks, linked })
}

impl Store {
    fn finish_rebuild(&self) -> Result<(), StoreError> {
        let mut meta = self.inner.meta_now();
        meta.rebuilding = false;
        self.inner.commit(IndexBatch::default(), meta)
    }
}
