//! Block bodies from several peers at once.
//!
//! Each peer is asked for blocks of its own best chain, if that has at least our tip's work: so nobody who holds back the bodies of one
//! chain can hide another. A window moves with the first missing block. A peer that delivers nothing in time keeps its requests, but
//! others that have them are asked too; then the time that it is allowed doubles, and shrinks again with every block that it delivers. (Its
//! own time, so that nobody can buy time for others by being late.) A staller is dropped only when others have delivered in its place.

use std::collections::{BTreeMap, BTreeSet};

use tally_primitives::hash::BlockHash;
use tally_primitives::units::{Height, Timestamp};
use tally_wire::{InventoryItem, Message};

use crate::chain::index::EntryId;
use crate::chain::store::BlockStatus;
use crate::net::disconnect::DisconnectReason;
use crate::net::limits::{
    DOWNLOAD_WINDOW_BLOCKS, MAX_BLOCKS_IN_FLIGHT, MAX_STALL_TIMEOUT_MS, MAX_STALLS, MIN_STALL_TIMEOUT_MS,
};
use crate::net::peer::{Peer, PeerId};
use crate::node::Node;

/// Who is responsible for which block.
#[derive(Debug, Default)]
pub(crate) struct BlockDownload {
    in_flight: BTreeMap<BlockHash, PeerId>,
    /// Some peer may be late with something.
    somebody_late: bool,
}

impl BlockDownload {
    /// Whether somebody is asked for this block.
    pub fn is_in_flight(&self, hash: &BlockHash) -> bool {
        self.in_flight.contains_key(hash)
    }

    /// How many blocks have been asked for and have not come.
    pub fn len(&self) -> usize {
        self.in_flight.len()
    }
}

/// What one peer was asked for.
#[derive(Debug)]
pub(crate) struct PeerDownload {
    in_flight: BTreeSet<BlockHash>,
    /// Asked of it, not delivered in time, now asked of others too.
    late: BTreeSet<BlockHash>,
    deadline: Option<Timestamp>,
    /// How long it may deliver nothing.
    timeout_ms: u64,
    /// Blocks in a row that others delivered in its place.
    stalls: u32,
}

impl Default for PeerDownload {
    fn default() -> PeerDownload {
        PeerDownload {
            in_flight: BTreeSet::new(),
            late: BTreeSet::new(),
            deadline: None,
            timeout_ms: MIN_STALL_TIMEOUT_MS,
            stalls: 0,
        }
    }
}

impl PeerDownload {
    /// When something is to be done.
    pub fn due(&self) -> Option<Timestamp> {
        self.deadline
    }

    /// Whether the peer was asked for this block.
    pub fn expects(&self, hash: &BlockHash) -> bool {
        self.in_flight.contains(hash) || self.late.contains(hash)
    }

    /// The blocks that it was asked for and still may deliver.
    pub fn in_flight(&self) -> impl Iterator<Item = &BlockHash> {
        self.in_flight.iter()
    }

    fn has_slot(&self) -> bool {
        self.in_flight.len() < MAX_BLOCKS_IN_FLIGHT
    }

    fn next_deadline(&self, now: Timestamp) -> Timestamp {
        now.saturating_add_millis(self.timeout_ms)
    }

    /// A block is not awaited any more.
    fn settle(&mut self, hash: &BlockHash) {
        self.in_flight.remove(hash);
        if self.in_flight.is_empty() {
            // An emptied set keeps its room, with every peer that was ever asked for a block.
            self.in_flight = BTreeSet::new();
            self.deadline = None;
        }
    }

    /// It has delivered a block: it may take a little less time for the next.
    fn delivered(&mut self, now: Timestamp) {
        self.stalls = 0;
        self.timeout_ms = (self.timeout_ms - self.timeout_ms / 8).max(MIN_STALL_TIMEOUT_MS);
        self.deadline = self.deadline.map(|_| self.next_deadline(now));
    }

    /// Its time is over. These blocks others have too, and are asked for them; for the rest we go on waiting.
    fn is_late_with(&mut self, movable: Vec<BlockHash>, now: Timestamp) {
        if !movable.is_empty() {
            self.timeout_ms = (self.timeout_ms * 2).min(MAX_STALL_TIMEOUT_MS);
        }
        for hash in movable {
            self.in_flight.remove(&hash);
            self.late.insert(hash);
        }
        self.deadline = (!self.in_flight.is_empty()).then(|| self.next_deadline(now));
    }
}

/// Where to get a block.
enum Source {
    /// Ask this peer.
    Ask(PeerId),
    /// Only this late one has it: go on waiting for it.
    KeepWaiting(PeerId),
}

impl Node {
    /// Asks for missing blocks wherever there is a free slot.
    pub(crate) fn schedule_downloads(&mut self, now: Timestamp) {
        // Each block that is asked for is one that is not linked.
        if self.chain.index().unlinked() <= self.net.download.len() {
            return;
        }
        let mut asks: BTreeMap<PeerId, Vec<InventoryItem>> = BTreeMap::new();
        for target in self.download_targets() {
            for (id, hash) in self.missing_toward(target) {
                if !self.net.ready_peers().any(|peer| peer.download.has_slot()) {
                    break;
                }
                if self.net.download.in_flight.contains_key(&hash) || self.net.compact.is_fetching(&hash) {
                    continue;
                }
                match self.source_of(id, &hash) {
                    Some(Source::Ask(peer)) => {
                        self.assign(now, peer, hash);
                        asks.entry(peer).or_default().push(self.block_request(peer, id));
                    }
                    Some(Source::KeepWaiting(peer)) => self.assign(now, peer, hash),
                    None => {}
                }
            }
        }
        for (peer, items) in asks {
            self.send(peer, Message::GetData(items));
        }
    }

    /// The ends of the chains that peers have and that are worth having, best first.
    fn download_targets(&self) -> Vec<EntryId> {
        let index = self.chain.index();
        let tip_work = self.chain.tip().work;
        let mut targets: Vec<EntryId> = self.net.ready_peers().filter_map(|peer| peer.headers.best).collect();
        targets.retain(|id| {
            let entry = index.get(*id);
            !entry.linked && !entry.is_invalid() && entry.work >= tip_work
        });
        targets.sort_by_key(|id| (std::cmp::Reverse(index.get(*id).work), *id));
        targets.dedup();
        targets
    }

    /// The blocks of the window on the way to `target` whose bodies are missing, lowest first.
    fn missing_toward(&self, target: EntryId) -> Vec<(EntryId, BlockHash)> {
        let index = self.chain.index();
        let top = index.get(target).height.get();
        let Some(first) = self.first_unlinked(target) else {
            return Vec::new();
        };
        let last = top.min(first.saturating_add(DOWNLOAD_WINDOW_BLOCKS - 1));
        let Some(end) = index.ancestor(target, Height::new(last)) else {
            return Vec::new();
        };
        let window = index.ancestry(end).take_while(|id| index.get(*id).height.get() >= first);
        let missing = window.filter(|id| index.get(*id).status < BlockStatus::Stored);
        let mut blocks: Vec<(EntryId, BlockHash)> = missing.map(|id| (id, index.get(id).hash)).collect();
        blocks.reverse();
        blocks
    }

    /// The lowest height on the way to `target` at which the chain is not complete. Below it everything is, so halving finds it.
    fn first_unlinked(&self, target: EntryId) -> Option<u32> {
        let index = self.chain.index();
        let (mut linked, mut unlinked) = (0, index.get(target).height.get());
        while unlinked - linked > 1 {
            let middle = linked + (unlinked - linked) / 2;
            let id = index.ancestor(target, Height::new(middle))?;
            if index.get(id).linked {
                linked = middle;
            } else {
                unlinked = middle;
            }
        }
        (!index.get(target).linked).then_some(unlinked)
    }

    /// Whether a peer has said that it has a block.
    fn has_shown(&self, peer: &Peer, id: EntryId) -> bool {
        let index = self.chain.index();
        let height = index.get(id).height;
        peer.headers.best.is_some_and(|best| index.ancestor(best, height) == Some(id))
    }

    /// Whom to ask for a block: of those that have it, first those that are not late with anything, then the least busy one.
    fn source_of(&self, id: EntryId, hash: &BlockHash) -> Option<Source> {
        let owners: Vec<&Peer> = self.net.ready_peers().filter(|peer| self.has_shown(peer, id)).collect();
        let prompt: Vec<&Peer> = owners.iter().copied().filter(|peer| peer.download.late.is_empty()).collect();
        let choice = if prompt.is_empty() { owners } else { prompt };
        let least_busy = |peers: &mut dyn Iterator<Item = &Peer>| {
            peers.min_by_key(|peer| (peer.download.in_flight.len(), peer.id)).map(|peer| peer.id)
        };
        let is_asked = |peer: &&Peer| peer.download.late.contains(hash);
        let mut unasked = choice.iter().copied().filter(|peer| !is_asked(peer)).peekable();
        if unasked.peek().is_some() {
            return least_busy(&mut unasked.filter(|peer| peer.download.has_slot())).map(Source::Ask);
        }
        least_busy(&mut choice.iter().copied()).map(Source::KeepWaiting)
    }

    fn assign(&mut self, now: Timestamp, id: PeerId, hash: BlockHash) {
        if let Some(peer) = self.net.peers.get_mut(&id) {
            let deadline = peer.download.next_deadline(now);
            peer.download.late.remove(&hash);
            peer.download.in_flight.insert(hash);
            peer.download.deadline.get_or_insert(deadline);
            self.net.download.in_flight.insert(hash, id);
        }
    }

    /// A block came from `id` and is what it should be: everybody's requests for it are settled.
    pub(crate) fn block_arrived(&mut self, now: Timestamp, id: PeerId, hash: &BlockHash) {
        self.net.compact.settled(hash);
        if let Some(responsible) = self.net.download.in_flight.remove(hash)
            && let Some(peer) = self.net.peers.get_mut(&responsible)
        {
            peer.download.settle(hash);
        }
        if let Some(peer) = self.net.peers.get_mut(&id) {
            peer.download.late.remove(hash);
            peer.download.delivered(now);
        }
        if self.net.download.somebody_late {
            self.others_were_late(now, id, hash);
        }
    }

    /// Whoever else was asked for a block that now has come from `id` has stalled once more.
    fn others_were_late(&mut self, now: Timestamp, id: PeerId, hash: &BlockHash) {
        let mut dropped = Vec::new();
        let mut somebody_late = false;
        for peer in self.net.peers.values_mut() {
            let was_late = peer.download.late.remove(hash);
            somebody_late |= !peer.download.late.is_empty();
            if peer.id != id && was_late {
                peer.download.stalls += 1;
                if peer.download.stalls >= MAX_STALLS {
                    dropped.push((peer.id, peer.download.stalls));
                }
            }
        }
        self.net.download.somebody_late = somebody_late;
        for (id, blocks) in dropped {
            self.disconnect(now, id, DisconnectReason::BlockStall { blocks });
        }
    }

    /// A peer sent a body that was not the block: what it was asked for is asked elsewhere, and nobody else's request is touched.
    pub(crate) fn block_not_delivered(&mut self, id: PeerId, hash: &BlockHash) {
        if self.net.download.in_flight.get(hash) == Some(&id) {
            self.net.download.in_flight.remove(hash);
        }
        if let Some(peer) = self.net.peers.get_mut(&id) {
            peer.download.in_flight.remove(hash);
            peer.download.late.remove(hash);
            if peer.download.in_flight.is_empty() {
                peer.download.deadline = None;
            }
        }
    }

    /// A block that nobody needs any more (it is invalid, say): all requests for it are forgotten, without blame.
    pub(crate) fn block_not_wanted(&mut self, hash: &BlockHash) {
        self.net.compact.settled(hash);
        let ids: Vec<PeerId> = self.net.peers.keys().copied().collect();
        for id in ids {
            self.block_not_delivered(id, hash);
        }
    }

    /// A peer did not complete a block: it is asked for it again only if nobody else has it.
    pub(crate) fn prefer_others_than(&mut self, id: PeerId, hash: &BlockHash) {
        let Some(entry) = self.chain.index().find(hash) else {
            return;
        };
        let elsewhere = self.net.ready_peers().any(|peer| peer.id != id && self.has_shown(peer, entry));
        if let Some(peer) = self.net.peers.get_mut(&id)
            && elsewhere
        {
            peer.download.late.insert(*hash);
            self.net.download.somebody_late = true;
        }
    }

    /// A peer is gone: what it was asked for is nobody's now.
    pub(crate) fn downloads_of_gone_peer(&mut self, peer: &Peer) {
        for hash in &peer.download.in_flight {
            self.net.download.in_flight.remove(hash);
        }
    }

    /// Asks elsewhere for what has not come in time, where somebody else has it.
    pub(crate) fn tick_downloads(&mut self, now: Timestamp, due: &[PeerId]) {
        let late: Vec<PeerId> = self
            .net
            .peers
            .among(due)
            .filter(|peer| peer.is_ready() && peer.download.deadline.is_some_and(|deadline| deadline <= now))
            .map(|peer| peer.id)
            .collect();
        if late.is_empty() {
            return;
        }
        for id in late {
            let movable = self.available_elsewhere(id);
            for hash in &movable {
                self.net.download.in_flight.remove(hash);
            }
            if let Some(peer) = self.net.peers.get_mut(&id) {
                self.net.download.somebody_late |= !movable.is_empty();
                peer.download.is_late_with(movable, now);
            }
        }
        self.schedule_downloads(now);
    }

    /// The blocks in flight from a peer that another peer has and is not itself late with.
    fn available_elsewhere(&self, id: PeerId) -> Vec<BlockHash> {
        let index = self.chain.index();
        let Some(peer) = self.net.peers.get(&id) else {
            return Vec::new();
        };
        let has = |other: &Peer, hash: &BlockHash| {
            let entry = index.find(hash);
            other.id != id
                && !other.download.late.contains(hash)
                && entry.is_some_and(|entry| self.has_shown(other, entry))
        };
        let elsewhere = |hash: &&BlockHash| self.net.ready_peers().any(|other| has(other, hash));
        peer.download.in_flight.iter().filter(elsewhere).copied().collect()
    }
}
