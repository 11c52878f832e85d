//! Answering `GetData`, no faster than the peer reads.

use std::collections::VecDeque;

use tally_primitives::hash::BlockHash;
use tally_primitives::units::Timestamp;
use tally_wire::{InventoryItem, Message};

use crate::net::disconnect::{DisconnectReason, Violation};
use crate::net::limits::{MAX_SEND_QUEUE_BYTES, MAX_SERVE_QUEUE, MAX_TRANSACTIONS_REQUESTS, SERVE_QUEUE_BYTES};
use crate::net::peer::PeerId;
use crate::net::push::PlaceBeyond;
use crate::node::Node;

/// What a peer has asked for and has not been sent.
#[derive(Debug, Default)]
pub(crate) struct ServeQueue {
    items: VecDeque<Request>,
    /// How many of them ask for transactions of blocks.
    transactions_requests: usize,
    /// Bytes that wait to be sent: what the driver last told, and what we sent since.
    queued_bytes: usize,
}

/// One thing that a peer has asked for.
#[derive(Debug)]
enum Request {
    Item(InventoryItem),
    BlockTransactions { block: BlockHash, indexes: Vec<u16> },
}

impl ServeQueue {
    pub fn queued_bytes(&self) -> usize {
        self.queued_bytes
    }

    pub fn note_sent(&mut self, bytes: usize) {
        self.queued_bytes = self.queued_bytes.saturating_add(bytes);
    }

    /// What is to be answered next.
    fn next(&mut self) -> Option<Request> {
        let next = self.items.pop_front();
        if self.items.is_empty() {
            // An emptied queue keeps its room, with every peer that ever asked for something.
            self.items = VecDeque::new();
        }
        next
    }
}

impl Node {
    /// The driver tells how many bytes wait to be sent to a peer. It does so whenever it has written some: until then the node
    /// assumes that everything it sent still waits, and pauses at its limit.
    pub fn handle_send_queue(&mut self, now: Timestamp, peer: PeerId, bytes: usize) {
        self.begin(now);
        if let Some(known) = self.net.peers.get_mut(&peer) {
            known.serve.queued_bytes = bytes;
            // The driver may know of more than we sent.
            self.net.peers.note_sent(&peer, 0);
            self.serve(now, peer);
        }
        self.finish(now);
    }

    pub(crate) fn on_get_data(&mut self, now: Timestamp, id: PeerId, items: Vec<InventoryItem>) {
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        let requests = peer.serve.items.len() + items.len();
        if requests > MAX_SERVE_QUEUE {
            return self.punish(now, id, Violation::RequestFlood { requests, max: MAX_SERVE_QUEUE });
        }
        peer.serve.items.extend(items.into_iter().map(Request::Item));
        self.serve(now, id);
    }

    pub(crate) fn on_get_block_transactions(
        &mut self,
        now: Timestamp,
        id: PeerId,
        block: BlockHash,
        indexes: Vec<u16>,
    ) {
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        peer.serve.transactions_requests += 1;
        let requests = peer.serve.transactions_requests;
        if requests > MAX_TRANSACTIONS_REQUESTS {
            return self.punish(now, id, Violation::RequestFlood { requests, max: MAX_TRANSACTIONS_REQUESTS });
        }
        // A peer that waits for these waits for nothing else as much.
        peer.serve.items.push_front(Request::BlockTransactions { block, indexes });
        self.serve(now, id);
    }

    fn serve(&mut self, now: Timestamp, id: PeerId) {
        let mut not_found = Vec::new();
        while let Some(peer) = self.net.peers.get_mut(&id)
            && peer.serve.queued_bytes < SERVE_QUEUE_BYTES
            && let Some(request) = peer.serve.next()
        {
            match request {
                Request::Item(item) => match self.look_up(&item) {
                    Some(message) => self.send(id, message),
                    None => {
                        self.note_not_served(id, &item);
                        not_found.push(item);
                    }
                },
                Request::BlockTransactions { block, indexes } => {
                    peer.serve.transactions_requests -= 1;
                    match self.block_transactions(&block, &indexes) {
                        Ok(Some(message)) => self.send(id, message),
                        Ok(None) => not_found.push(InventoryItem::CompactBlock(block)),
                        Err(PlaceBeyond { index, count }) => {
                            return self.punish(now, id, Violation::PlaceBeyondBlock { hash: block, index, count });
                        }
                    }
                }
            }
        }
        if !not_found.is_empty() {
            not_found.truncate(tally_wire::limits::MAX_GET_DATA_ITEMS);
            self.send(id, Message::NotFound(not_found));
        }
    }

    /// A payment may be confirmed here before a peer asks for it, and a reorganisation may free it again: then the peer must hear of it
    /// once more. (The simulator found it forgotten.)
    fn note_not_served(&mut self, id: PeerId, item: &InventoryItem) {
        if let (InventoryItem::Transaction(wtxid), Some(peer)) = (item, self.net.peers.get_mut(&id)) {
            peer.announcer.note_lacking(wtxid);
        }
    }

    fn look_up(&mut self, item: &InventoryItem) -> Option<Message> {
        match item {
            InventoryItem::Block(hash) => self.body(hash).map(Message::Block),
            InventoryItem::CompactBlock(hash) => self.compact_or_whole(hash),
            InventoryItem::Transaction(wtxid) => {
                self.mempool.get_by_wtxid(wtxid).map(|entry| Message::Transaction(entry.transaction.clone()))
            }
            InventoryItem::Parent(txid) => {
                self.mempool.get(txid).map(|entry| Message::Transaction(entry.transaction.clone()))
            }
        }
    }

    /// Ends connections to those who do not read.
    pub(crate) fn drop_slow_readers(&mut self, now: Timestamp) {
        for id in self.net.peers.take_slow() {
            let bytes = self.net.peers.get(&id).map_or(0, |peer| peer.serve.queued_bytes());
            if bytes > MAX_SEND_QUEUE_BYTES {
                self.disconnect(now, id, DisconnectReason::SlowReader { bytes });
            }
        }
    }
}
