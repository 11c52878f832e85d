//! Compact blocks from peers (BIP 152): put together from what is at hand, one round of questions for the rest, and the whole block when
//! that comes to nothing.
//!
//! Every peer that sends a compact block has its own reconstruction, so a bad copy spoils no other. A block's first sender is asked at
//! once for what is missing; others stand by, and are asked too when it keeps us waiting. An answer ends a reconstruction, whether it was
//! good or not: a second one finds nothing (CVE-2024-35202). Whatever comes of it, nobody is punished for it: short ids collide, and a
//! pusher has checked no more than the header.

use std::collections::BTreeMap;
use std::sync::Arc;

use tally_consensus::header::check_header_alone;
use tally_primitives::hash::BlockHash;
use tally_primitives::transaction::Transaction;
use tally_primitives::units::Timestamp;
use tally_wire::{CompactBlock, Message};

use crate::chain::store::BlockStatus;
use crate::net::disconnect::Violation;
use crate::net::limits::{
    COMPACT_BLOCKS_REMEMBERED, COMPACT_HEDGE_MS, COMPACT_TIMEOUT_MS, MAX_COMPACT_AHEAD_BLOCKS, MAX_RECONSTRUCTIONS,
    MAX_RECONSTRUCTIONS_PER_BLOCK,
};
use crate::net::peer::PeerId;
use crate::net::recent::Recent;
use crate::net::reconstruct::{Known, Reconstruction};
use crate::node::Node;

/// Blocks on their way to being whole.
#[derive(Debug)]
pub(crate) struct CompactBlocks {
    fetches: BTreeMap<(BlockHash, PeerId), Fetch>,
    /// What was begun with, so that nobody has us begin again and again.
    tried: Recent<(BlockHash, PeerId)>,
    /// Blocks whose compact form did not work out: they are asked for whole.
    whole: Recent<BlockHash>,
}

#[derive(Debug)]
struct Fetch {
    reconstruction: Reconstruction,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Another peer is asked for this block since then.
    StandsBy(Timestamp),
    /// The peer was asked for what is missing.
    Asked(Timestamp),
}

impl Stage {
    fn due(self) -> Timestamp {
        match self {
            Stage::StandsBy(since) => since.saturating_add_millis(COMPACT_HEDGE_MS),
            Stage::Asked(at) => at.saturating_add_millis(COMPACT_TIMEOUT_MS),
        }
    }
}

impl CompactBlocks {
    pub fn new() -> CompactBlocks {
        CompactBlocks {
            fetches: BTreeMap::new(),
            tried: Recent::new(COMPACT_BLOCKS_REMEMBERED),
            whole: Recent::new(COMPACT_BLOCKS_REMEMBERED),
        }
    }

    /// When something is to be done.
    pub fn next_timeout(&self) -> Option<Timestamp> {
        // An emptied map keeps its room: it is not looked into after every message.
        if self.fetches.is_empty() { None } else { self.fetches.values().map(|fetch| fetch.stage.due()).min() }
    }

    /// Whether somebody is asked for the missing transactions of a block, so that nobody needs to be asked for all of them.
    pub fn is_fetching(&self, block: &BlockHash) -> bool {
        self.of_block(block).next().is_some()
    }

    /// Whether this peer was asked for missing transactions of a block.
    pub fn is_asked(&self, block: &BlockHash, peer: PeerId) -> bool {
        self.fetches.get(&(*block, peer)).is_some_and(|fetch| matches!(fetch.stage, Stage::Asked(_)))
    }

    /// Whether a block is to be asked for whole, since its compact form has failed, or this peer's has been there.
    pub fn wants_whole(&self, block: &BlockHash, peer: PeerId) -> bool {
        self.whole.contains(block) || self.tried.contains(&(*block, peer))
    }

    /// The block is there, or not wanted any more.
    pub fn settled(&mut self, block: &BlockHash) {
        let peers: Vec<PeerId> = self.of_block(block).map(|(peer, _)| peer).collect();
        for peer in peers {
            self.fetches.remove(&(*block, peer));
        }
        self.tried.remove_range((*block, PeerId(0))..=(*block, PeerId(u64::MAX)));
    }

    fn of_block(&self, block: &BlockHash) -> impl Iterator<Item = (PeerId, &Fetch)> {
        let block = *block;
        let from = (block, PeerId(0));
        self.fetches
            .range(from..)
            .take_while(move |((hash, _), _)| *hash == block)
            .map(|((_, peer), fetch)| (*peer, fetch))
    }

    fn anybody_asked(&self, block: &BlockHash) -> bool {
        self.of_block(block).any(|(_, fetch)| matches!(fetch.stage, Stage::Asked(_)))
    }
}

impl Node {
    pub(crate) fn on_compact_block(&mut self, now: Timestamp, id: PeerId, compact: &CompactBlock) {
        let known = self.chain.index().find_without_hashing(&compact.header);
        let hash = known.map_or_else(|| compact.hash(), |known| self.chain.index().get(known).hash);
        if self.take_compact_header(now, id, compact, &hash, known.is_some()) {
            // If it was asked for, it has come, and what follows is on our own account.
            self.block_not_delivered(id, &hash);
            self.begin_reconstruction(now, id, hash, compact);
        }
        if self.net.peers.contains_key(&id) {
            self.schedule_downloads(now);
        }
    }

    /// Judges the header as one that comes alone. True when the block is news near the tip, and worth putting together.
    fn take_compact_header(
        &mut self,
        now: Timestamp,
        id: PeerId,
        compact: &CompactBlock,
        hash: &BlockHash,
        is_known: bool,
    ) -> bool {
        let header = &compact.header;
        let limit = self.chain.params().target_limit();
        // What is known has passed this.
        if !is_known && let Err(error) = check_header_alone(header, &limit) {
            self.punish(now, id, Violation::Header { hash: *hash, error });
            return false;
        }
        if !is_known && self.chain.index().find(&header.prev_block).is_none() {
            self.request_headers(now, id);
            return false;
        }
        let requested = self.net.peers.get(&id).is_some_and(|peer| peer.download.expects(hash));
        if !requested && !self.is_worth_having(header) {
            return false;
        }
        let old_best = self.chain.best_header_hash();
        let accepted = self.chain.accept_header(header, now);
        self.emit_header_tip(old_best);
        let height = match accepted {
            Ok(outcome) => outcome.height,
            Err(error) => {
                self.header_refused(now, id, header, error);
                return false;
            }
        };
        self.note_has_block(id, hash);
        if self.chain.index().entry(hash).is_some_and(|entry| entry.status >= BlockStatus::Stored) {
            self.block_arrived(now, id, hash);
            return false;
        }
        let highest = self.chain.tip().height.get().saturating_add(MAX_COMPACT_AHEAD_BLOCKS);
        height.get() <= highest && !self.chain.is_syncing()
    }

    fn begin_reconstruction(&mut self, now: Timestamp, id: PeerId, hash: BlockHash, compact: &CompactBlock) {
        if !self.net.compact.tried.insert((hash, id)) {
            // One reconstruction a block and peer: what it says the second time changes nothing.
            return;
        }
        let Some(mut reconstruction) = Reconstruction::begin(compact) else {
            self.net.compact.whole.insert(hash);
            return;
        };
        self.offer_all_at_hand(&mut reconstruction);
        if reconstruction.missing().is_empty() {
            return self.finish_reconstruction(now, id, hash, reconstruction);
        }
        let compact = &mut self.net.compact;
        let others = compact.of_block(&hash).count();
        if others >= MAX_RECONSTRUCTIONS_PER_BLOCK || compact.fetches.len() >= MAX_RECONSTRUCTIONS {
            return;
        }
        let somebody_asked = self.net.download.is_in_flight(&hash) || compact.anybody_asked(&hash);
        compact.fetches.insert((hash, id), Fetch { reconstruction, stage: Stage::StandsBy(now) });
        if !somebody_asked {
            self.ask_for_missing(now, id, hash);
        }
    }

    /// Everything that might belong to a block: the mempool, what left it lately, and what waits for its parents.
    fn offer_all_at_hand(&self, reconstruction: &mut Reconstruction) {
        for (wtxid, txid) in self.mempool.ids() {
            let known = || {
                let entry = self.mempool.get(txid)?;
                Some(Known { txid: entry.txid, wtxid: entry.wtxid, transaction: entry.transaction.clone() })
            };
            if !reconstruction.offer(wtxid, known) {
                return;
            }
        }
        for (wtxid, transaction) in self.mempool.removed().chain(self.net.relay.orphans.iter()) {
            if !reconstruction.offer(wtxid, || Some(Known::new(transaction.clone()))) {
                return;
            }
        }
    }

    fn ask_for_missing(&mut self, now: Timestamp, id: PeerId, block: BlockHash) {
        let Some(fetch) = self.net.compact.fetches.get_mut(&(block, id)) else {
            return;
        };
        fetch.stage = Stage::Asked(now);
        let indexes = fetch.reconstruction.missing();
        self.send(id, Message::GetBlockTransactions { block, indexes });
    }

    /// Nothing is missing: the block is taken as any other, but its sender does not answer for it.
    fn finish_reconstruction(&mut self, now: Timestamp, id: PeerId, hash: BlockHash, reconstruction: Reconstruction) {
        match reconstruction.into_block() {
            Some((block, ids)) => self.take_reconstructed(now, id, Arc::new(block), Arc::new(ids), hash),
            None => self.reconstruction_failed(now, &hash),
        }
    }

    /// What was put together is not what the header commits to.
    pub(crate) fn reconstruction_failed(&mut self, now: Timestamp, hash: &BlockHash) {
        self.net.compact.whole.insert(*hash);
        self.ask_next(now, hash);
    }

    pub(crate) fn on_block_transactions(
        &mut self,
        now: Timestamp,
        id: PeerId,
        block: BlockHash,
        transactions: Vec<Arc<Transaction>>,
    ) {
        if !self.net.compact.is_asked(&block, id) {
            return;
        }
        if let Some(mut fetch) = self.net.compact.fetches.remove(&(block, id)) {
            if fetch.reconstruction.fill(transactions) {
                self.finish_reconstruction(now, id, block, fetch.reconstruction);
            } else {
                self.reconstruction_failed(now, &block);
            }
        }
        self.schedule_downloads(now);
    }

    /// A peer does not have the block whose transactions it was asked for.
    pub(crate) fn block_transactions_not_found(&mut self, now: Timestamp, id: PeerId, block: &BlockHash) {
        if self.net.compact.is_asked(block, id) {
            self.net.compact.fetches.remove(&(*block, id));
            self.ask_next(now, block);
        }
    }

    /// The one that was asked has failed: the next one who stands by is asked. Without any, the block is asked for whole.
    fn ask_next(&mut self, now: Timestamp, block: &BlockHash) {
        if self.net.compact.anybody_asked(block) || self.net.download.is_in_flight(block) {
            return;
        }
        let next = self.net.compact.of_block(block).map(|(peer, _)| peer).next();
        if let Some(peer) = next {
            self.ask_for_missing(now, peer, *block);
        }
    }

    /// A peer is gone, and with it what it was asked for.
    pub(crate) fn compact_peer_gone(&mut self, now: Timestamp, id: PeerId) {
        let blocks: Vec<BlockHash> =
            self.net.compact.fetches.keys().filter(|(_, peer)| *peer == id).map(|(block, _)| *block).collect();
        for block in blocks {
            self.net.compact.fetches.remove(&(block, id));
            self.ask_next(now, &block);
        }
    }

    /// Those who stood by long enough are asked too; those who did not answer are not waited for any more.
    pub(crate) fn tick_compact(&mut self, now: Timestamp) {
        let fetches = &self.net.compact.fetches;
        let due: Vec<(BlockHash, PeerId, Stage)> = fetches
            .iter()
            .filter(|(_, fetch)| fetch.stage.due() <= now)
            .map(|((block, peer), fetch)| (*block, *peer, fetch.stage))
            .collect();
        if due.is_empty() {
            return;
        }
        for (block, peer, stage) in due {
            match stage {
                Stage::StandsBy(_) => self.ask_for_missing(now, peer, block),
                Stage::Asked(_) => {
                    self.net.compact.fetches.remove(&(block, peer));
                    self.prefer_others_than(peer, &block);
                    self.ask_next(now, &block);
                }
            }
        }
        self.schedule_downloads(now);
    }
}
