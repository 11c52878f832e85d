//! Sending blocks to those who have their transactions: pushed at once to who asked for that, and the missing ones on request.

use std::sync::Arc;

use tally_primitives::block::Block;
use tally_primitives::hash::BlockHash;
use tally_wire::{CompactBlock, InventoryItem, Message};

use crate::chain::index::EntryId;
use crate::net::address_book::secret::Purpose;
use crate::net::limits::{MAX_COMPACT_DEPTH, MAX_TRANSACTIONS_DEPTH};
use crate::net::peer::PeerId;
use crate::node::Node;

/// The compact form that was made last: several peers get the same.
#[derive(Debug, Default)]
pub(crate) struct MadeCompact(Option<(BlockHash, Arc<CompactBlock>)>);

impl Node {
    /// Pushes a block that was checked as far as that is possible without its coins to those who want that and have its parent.
    /// Only on top of the tip: below it lies nothing that we have not validated ourselves.
    pub(crate) fn push_staged(&mut self, hash: &BlockHash) {
        let index = self.chain.index();
        let Some(id) = index.find(hash) else {
            return;
        };
        let Some(parent) = index.parent(id).filter(|parent| index.get(*parent).hash == self.chain.tip().hash) else {
            return;
        };
        if self.chain.is_syncing() || index.get(id).is_invalid() {
            return;
        }
        let takers: Vec<PeerId> = self
            .net
            .ready_peers()
            .filter(|peer| peer.compact.wants_push && !self.has_block(peer, id) && self.has_block(peer, parent))
            .map(|peer| peer.id)
            .collect();
        for peer in takers {
            self.push_to(peer, id);
        }
    }

    /// Sends a block in compact form to a peer; false if its body cannot be read.
    pub(crate) fn push_to(&mut self, peer: PeerId, id: EntryId) -> bool {
        let hash = self.chain.index().get(id).hash;
        let Some(compact) = self.compact_form(&hash) else {
            return false;
        };
        if let Some(peer) = self.net.peers.get_mut_quietly(&peer) {
            peer.headers.told = Some(id);
        }
        self.send(peer, Message::CompactBlock(compact));
        true
    }

    /// A block in compact form. What our own mempool lacks is likely to be news to others too.
    pub(crate) fn compact_form(&mut self, hash: &BlockHash) -> Option<Arc<CompactBlock>> {
        if let Some((made, compact)) = &self.net.made_compact.0
            && made == hash
        {
            return Some(compact.clone());
        }
        let block = self.body(hash)?;
        let ids = self.chain.block_ids(hash, &block);
        // Were it predictable, somebody could prepare transactions whose short ids are equal.
        let nonce = self.net.secret.hash(Purpose::ShortIds, &[hash.as_bytes()]);
        // Once it is connected, the mempool does not know any more what it lacked.
        let is_connected = self.chain.is_active(hash);
        let mempool = &self.mempool;
        let is_news =
            |place: usize| !is_connected && ids.wtxids.get(place).is_some_and(|wtxid| !mempool.contains_wtxid(wtxid));
        let compact = Arc::new(CompactBlock::new(&block, &ids.wtxids, nonce, is_news));
        self.net.made_compact = MadeCompact(Some((*hash, compact.clone())));
        Some(compact)
    }

    /// A block that is not known to be bad.
    pub(crate) fn body(&mut self, hash: &BlockHash) -> Option<Arc<Block>> {
        self.chain.index().entry(hash).filter(|entry| !entry.is_invalid())?;
        match self.chain.block(hash) {
            Ok(block) => block,
            Err(error) => {
                self.halt(&error);
                None
            }
        }
    }

    /// The answer to a request for a compact block: whole if it lies so deep that nobody's mempool has its transactions.
    pub(crate) fn compact_or_whole(&mut self, hash: &BlockHash) -> Option<Message> {
        if self.is_deeper_than(MAX_COMPACT_DEPTH, hash) {
            return self.body(hash).map(Message::Block);
        }
        self.compact_form(hash).map(Message::CompactBlock)
    }

    /// The answer to a request for some of a block's transactions; `None` if there is no such block, an error if there
    /// is no such place. Whole if it lies so deep that no honest peer puts it together.
    pub(crate) fn block_transactions(
        &mut self,
        hash: &BlockHash,
        indexes: &[u16],
    ) -> Result<Option<Message>, PlaceBeyond> {
        let Some(block) = self.body(hash) else {
            return Ok(None);
        };
        let count = block.transactions.len();
        if let Some(index) = indexes.iter().copied().find(|index| usize::from(*index) >= count) {
            return Err(PlaceBeyond { index, count });
        }
        if self.is_deeper_than(MAX_TRANSACTIONS_DEPTH, hash) {
            return Ok(Some(Message::Block(block)));
        }
        let chosen = indexes.iter().filter_map(|index| block.transactions.get(usize::from(*index)));
        let transactions = chosen.cloned().map(Arc::new).collect();
        Ok(Some(Message::BlockTransactions { block: *hash, transactions }))
    }

    fn is_deeper_than(&self, depth: u32, hash: &BlockHash) -> bool {
        let tip = self.chain.tip().height.get();
        self.chain.height_of(hash).is_some_and(|height| height.get().saturating_add(depth) < tip)
    }

    /// How to ask for a block: in compact form if it is new, so that its transactions are likely to be at hand.
    pub(crate) fn block_request(&self, peer: PeerId, id: EntryId) -> InventoryItem {
        let entry = self.chain.index().get(id);
        let is_next = entry.header.prev_block == self.chain.tip().hash;
        let is_willing = self.net.peers.get(&peer).is_some_and(|peer| peer.compact.supported);
        if is_next && is_willing && !self.chain.is_syncing() && !self.net.compact.wants_whole(&entry.hash, peer) {
            InventoryItem::CompactBlock(entry.hash)
        } else {
            InventoryItem::Block(entry.hash)
        }
    }
}

/// A place that a block does not have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlaceBeyond {
    pub index: u16,
    pub count: usize,
}
