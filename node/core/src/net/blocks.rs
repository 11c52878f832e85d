//! A block arrives from a peer or from the operator, and what follows from a moved tip.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use tally_consensus::error::RuleError;
use tally_consensus::header::check_header_alone;
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::{BlockHash, Txid};
use tally_primitives::units::Timestamp;

use crate::chain::ids::BlockIds;
use crate::chain::store::BlockStatus;
use crate::chain::{Activation, BlockFate, BlockOutcome, ChainError, Position, Rejection, StagedBlock, TipChange};
use crate::event::{Event, RemovalReason};
use crate::mempool::PoolUpdate;
use crate::net::disconnect::Violation;
use crate::net::limits::{
    DOWNLOAD_WINDOW_BLOCKS, MAX_BLOCK_SOURCES, REFUSALS_REMEMBERED, RELAY_FIRST_TRANSACTIONS, VERIFY_AHEAD_INPUTS,
};
use crate::net::peer::PeerId;
use crate::node::Node;

/// Who sent the blocks that are stored and have not been connected: so that the right peer gets the credit for a good one, and answers
/// for a bad one.
#[derive(Debug, Default)]
pub(crate) struct BlockSources {
    by_hash: BTreeMap<BlockHash, Source>,
    order: VecDeque<BlockHash>,
    refusals: BTreeMap<BlockHash, RuleError>,
    refused: VecDeque<BlockHash>,
}

/// Who sent a block.
#[derive(Clone, Copy, Debug)]
struct Source {
    peer: PeerId,
    /// Whether the peer must have validated it before: not if it came in compact form.
    answers_for_it: bool,
}

impl BlockSources {
    fn insert(&mut self, hash: BlockHash, source: Source) {
        if self.by_hash.insert(hash, source).is_none() {
            self.order.push_back(hash);
        }
        if self.order.len() > MAX_BLOCK_SOURCES
            && let Some(oldest) = self.order.pop_front()
        {
            self.by_hash.remove(&oldest);
        }
    }

    fn get(&self, hash: &BlockHash) -> Option<Source> {
        self.by_hash.get(hash).copied()
    }

    /// The peer that sent this block.
    pub fn peer(&self, hash: &BlockHash) -> Option<PeerId> {
        self.get(hash).map(|source| source.peer)
    }

    /// The block is on the active chain: nobody answers for it any more.
    pub fn settled(&mut self, hash: &BlockHash) {
        self.by_hash.remove(hash);
        while self.order.front().is_some_and(|oldest| !self.by_hash.contains_key(oldest)) {
            self.order.pop_front();
        }
    }

    /// Remembers why a block was refused on connecting, for whoever submitted it.
    fn note_refusal(&mut self, hash: BlockHash, error: RuleError) {
        if self.refusals.insert(hash, error).is_none() {
            self.refused.push_back(hash);
        }
        if self.refused.len() > REFUSALS_REMEMBERED
            && let Some(oldest) = self.refused.pop_front()
        {
            self.refusals.remove(&oldest);
        }
    }
}

impl Node {
    pub(crate) fn on_block(&mut self, now: Timestamp, id: PeerId, block: Arc<Block>) {
        let hash = block.hash();
        let header = block.header;
        let requested = self.net.peers.get(&id).is_some_and(|peer| peer.download.expects(&hash))
            || self.net.compact.is_asked(&hash, id);
        let known = self.chain.index().entry(&hash).map(|entry| (entry.status, entry.is_invalid()));
        match known {
            Some((_, true)) => self.block_not_wanted(&hash),
            Some((status, false)) if status >= BlockStatus::Stored => {
                self.note_has_block(id, &hash);
                self.block_arrived(now, id, &hash);
            }
            _ if requested || self.is_worth_having(&header) => {
                let ids = Arc::new(BlockIds::of(&block));
                self.take_block(now, Source { peer: id, answers_for_it: true }, block, ids, hash);
            }
            _ => self.unasked_block(now, id, &header),
        }
        self.schedule_downloads(now);
    }

    /// Takes a block that was put together from its compact form. Its sender may not have validated it, and does not answer for it.
    pub(crate) fn take_reconstructed(
        &mut self,
        now: Timestamp,
        id: PeerId,
        block: Arc<Block>,
        ids: Arc<BlockIds>,
        hash: BlockHash,
    ) {
        self.take_block(now, Source { peer: id, answers_for_it: false }, block, ids, hash);
    }

    /// Stores a block, passes it on, and connects it: at once if that is quick, else with the next tick.
    fn take_block(&mut self, now: Timestamp, source: Source, block: Arc<Block>, ids: Arc<BlockIds>, hash: BlockHash) {
        let old_best = self.chain.best_header_hash();
        let (header, transactions) = (block.header, block.transactions.len());
        let id = source.peer;
        self.net.sources.insert(hash, source);
        let result = self.chain.stage_block(block, ids, now);
        self.emit_header_tip(old_best);
        match result {
            Ok(_) => {
                self.note_has_block(id, &hash);
                self.block_arrived(now, id, &hash);
                self.push_staged(&hash);
                if transactions <= RELAY_FIRST_TRANSACTIONS {
                    self.activate_now(now);
                }
            }
            Err(error) => self.block_refused(now, source, &header, error),
        }
    }

    /// Moves to the best chain, as far as that goes in one go; the rest follows with ticks.
    fn activate_now(&mut self, now: Timestamp) {
        match self.chain.activate() {
            Ok(activation) => self.follow_chain(now, &activation.changes, &activation.rejected),
            Err(error) => self.halt(&error),
        }
    }

    /// A block that we did not ask for is taken if its chain is at least as good as ours and not far ahead: then it is news.
    pub(crate) fn is_worth_having(&self, header: &Header) -> bool {
        let index = self.chain.index();
        let (Some(parent), Ok(target)) = (index.entry(&header.prev_block), header.bits.to_target()) else {
            return false;
        };
        let tip = self.chain.tip();
        let height = parent.height.get().saturating_add(1);
        parent.work + target.work() >= tip.work && height <= tip.height.get().saturating_add(DOWNLOAD_WINDOW_BLOCKS)
    }

    /// Too little work, or no known parent: not kept, and no offence. In the latter case we lack headers.
    fn unasked_block(&mut self, now: Timestamp, id: PeerId, header: &Header) {
        if self.chain.index().find(&header.prev_block).is_some() {
            return;
        }
        match check_header_alone(header, &self.chain.params().target_limit()) {
            Ok(()) => self.request_headers(now, id),
            Err(error) => self.punish(now, id, Violation::Header { hash: header.hash(), error }),
        }
    }

    fn block_refused(&mut self, now: Timestamp, source: Source, header: &Header, error: ChainError) {
        let id = source.peer;
        match error {
            ChainError::Rule { error: RuleError::TimeTooFarAhead { .. }, hash } => {
                self.block_not_delivered(id, &hash);
                self.retry_later(id, header.time);
            }
            ChainError::Rule { error: RuleError::BadParent { .. }, hash } => self.block_not_delivered(id, &hash),
            ChainError::Rule {
                hash,
                error: RuleError::MerkleRootMismatch { .. } | RuleError::MutatedMerkleTree { .. },
            } if !source.answers_for_it => {
                // Short ids collide, and a pusher may have sent wrong ones: no verdict on the block, nor on anybody.
                self.reconstruction_failed(now, &hash);
            }
            ChainError::Rule { hash, error } => {
                if error.is_permanent() {
                    self.emit(Event::BlockRejected { hash, reason: error.to_string() });
                    self.block_not_wanted(&hash);
                }
                // A body that is not the one the header commits to leaves other peers' requests alone (CVE-2024-52921).
                self.block_not_delivered(id, &hash);
                if source.answers_for_it {
                    self.punish(now, id, Violation::Block { hash, error });
                }
            }
            ChainError::UnknownParent { .. } => self.request_headers(now, id),
            error if error.is_fatal() => self.halt(&error),
            _ => {}
        }
    }

    /// Takes a block from the operator or from a miner.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn submit_block(&mut self, now: Timestamp, block: Arc<Block>) -> Result<BlockOutcome, ChainError> {
        let staged = self.stage_block(now, block)?;
        self.begin(now);
        let verdict = match self.chain.activate() {
            Ok(activation) => {
                self.follow_chain(now, &activation.changes, &activation.rejected);
                self.schedule_downloads(now);
                let outcome = self.chain.outcome_of(staged, activation);
                outcome.verdict().map(|()| outcome)
            }
            Err(error) => {
                self.halt(&error);
                Err(error)
            }
        };
        self.finish(now);
        verdict
    }

    /// The first half of [`Node::submit_block`], for a driver that passes blocks on before they are connected: checks and stores the block
    /// and sends it to those who want it at once. What becomes of it is told by [`Node::fate_of`] as soon as ticks have connected it.
    ///
    /// # Errors
    /// The rule that it breaks by itself.
    pub fn stage_block(&mut self, now: Timestamp, block: Arc<Block>) -> Result<StagedBlock, ChainError> {
        self.begin(now);
        let old_best = self.chain.best_header_hash();
        let ids = Arc::new(BlockIds::of(&block));
        let result = self.chain.stage_block(block, ids, now);
        self.emit_header_tip(old_best);
        match &result {
            Ok(staged) => {
                self.block_not_wanted(&staged.hash);
                self.push_staged(&staged.hash);
            }
            Err(error) if error.is_fatal() => self.halt(error),
            Err(_) => {}
        }
        self.finish(now);
        result
    }

    /// What became of a block that was staged; `None` while it may still become the tip.
    ///
    /// # Errors
    /// The rule that it broke on connecting, or that it is unknown.
    pub fn fate_of(&self, hash: &BlockHash) -> Result<Option<BlockFate>, ChainError> {
        let Some(entry) = self.chain.index().entry(hash) else {
            return Err(ChainError::UnknownBlock { hash: *hash });
        };
        if entry.is_invalid() {
            return Err(match self.net.sources.refusals.get(hash) {
                Some(error) => ChainError::Rule { hash: *hash, error: error.clone() },
                None => ChainError::KnownInvalid { hash: *hash },
            });
        }
        if self.chain.is_active(hash) {
            return Ok(Some(BlockFate::Connected));
        }
        Ok((!self.chain.activation_pending()).then_some(BlockFate::Stored))
    }

    /// Treats a block as invalid, whatever the rules say.
    ///
    /// # Errors
    /// An unknown block, or genesis.
    pub fn invalidate_block(&mut self, now: Timestamp, hash: &BlockHash) -> Result<Activation, ChainError> {
        self.begin(now);
        let result = self.chain.invalidate_block(hash);
        self.after_activation(now, result)
    }

    /// Takes back what marked a block, its ancestors or its descendants invalid.
    ///
    /// # Errors
    /// An unknown block.
    pub fn reconsider_block(&mut self, now: Timestamp, hash: &BlockHash) -> Result<Activation, ChainError> {
        self.begin(now);
        let result = self.chain.reconsider_block(hash);
        self.after_activation(now, result)
    }

    fn after_activation(
        &mut self,
        now: Timestamp,
        result: Result<Activation, ChainError>,
    ) -> Result<Activation, ChainError> {
        match &result {
            Ok(activation) => self.follow_chain(now, &activation.changes, &activation.rejected),
            Err(error) if error.is_fatal() => self.halt(error),
            Err(_) => {}
        }
        self.schedule_downloads(now);
        self.finish(now);
        result
    }

    /// Goes on moving to the best chain, where that was interrupted for being long.
    pub(crate) fn continue_activation(&mut self, now: Timestamp) {
        if !self.chain.activation_pending() || self.chain.verify_ahead(VERIFY_AHEAD_INPUTS) {
            return;
        }
        self.activate_now(now);
        self.schedule_downloads(now);
    }

    /// Everything that follows from what the chain did: peers are told first, then the mempool, then the surroundings.
    fn follow_chain(&mut self, now: Timestamp, changes: &TipChange, rejected: &[Rejection]) {
        for Rejection { hash, error } in rejected {
            self.emit(Event::BlockRejected { hash: *hash, reason: error.to_string() });
            self.net.sources.note_refusal(*hash, error.clone());
            if let Some(Source { peer, answers_for_it: true }) = self.net.sources.get(hash) {
                self.punish(now, peer, Violation::Block { hash: *hash, error: error.clone() });
            }
        }
        if changes.is_empty() {
            return;
        }
        self.announce_tip();
        let latest = changes.connected.last().and_then(|position| self.net.sources.get(&position.hash));
        if let Some(source) = latest {
            self.note_first_deliverer(source.peer);
        }
        match self.mempool.apply_tip_change(changes, &self.chain, now) {
            Ok(update) => {
                self.emit_tip_change(changes);
                self.emit_pool_update(&update);
                self.follow_transactions(now, changes, &update.returned);
            }
            Err(error) => self.halt(&error),
        }
    }

    fn emit_tip_change(&mut self, changes: &TipChange) {
        for Position { hash, height } in &changes.disconnected {
            self.emit(Event::BlockDisconnected { hash: *hash, height: *height });
        }
        for Position { hash, height } in &changes.connected {
            let Ok(Some(block)) = self.chain.block(hash) else {
                continue;
            };
            let transactions = u32::try_from(block.transactions.len()).unwrap_or(u32::MAX);
            let time = block.header.time;
            self.emit(Event::BlockConnected { hash: *hash, height: *height, time, transactions });
        }
        let tip = self.chain.tip();
        let old = match (changes.disconnected.first(), changes.connected.first()) {
            (Some(old), _) => old.hash,
            (None, Some(first)) => self.chain.header(&first.hash).map_or(tip.hash, |header| header.prev_block),
            (None, None) => tip.hash,
        };
        let reorg_depth = changes.reorg_depth();
        self.emit(Event::TipChanged { old, new: tip.hash, height: tip.height, reorg_depth });
    }

    fn emit_pool_update(&mut self, update: &PoolUpdate) {
        for (txid, reason) in &update.removed {
            self.emit(Event::TransactionRemoved { txid: *txid, reason: *reason });
        }
        for txid in &update.returned {
            self.emit_accepted(txid);
        }
    }

    pub(crate) fn emit_accepted(&mut self, txid: &Txid) {
        if let Some(entry) = self.mempool.get(txid) {
            let size = u32::try_from(entry.size).unwrap_or(u32::MAX);
            let event = Event::TransactionAccepted { txid: *txid, wtxid: entry.wtxid, fee: entry.fee, size };
            self.emit(event);
        }
    }

    pub(crate) fn emit_removed(&mut self, txids: &[Txid], reason: RemovalReason) {
        for txid in txids {
            self.emit(Event::TransactionRemoved { txid: *txid, reason });
        }
    }
}
