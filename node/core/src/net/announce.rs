//! Telling peers what is new: a block at once, transactions after a short random delay.

use std::collections::VecDeque;

use tally_primitives::block::Header;
use tally_primitives::hash::Wtxid;
use tally_primitives::units::Timestamp;
use tally_wire::{InventoryItem, Message};

use crate::net::limits::{
    KNOWN_TRANSACTIONS, MAX_ANNOUNCED_HEADERS, MAX_ANNOUNCEMENT_QUEUE, MAX_INVENTORY_SENT, MAX_TRICKLE_MEANS,
};
use crate::net::peer::{Direction, PeerId};
use crate::net::recent::Recent;
use crate::node::Node;
use crate::random::Random;

/// What one peer is to be told, and what it knows.
#[derive(Debug)]
pub(crate) struct Announcer {
    queue: VecDeque<Wtxid>,
    flush_at: Option<Timestamp>,
    /// Transactions that the peer told us or we told it, by the first eight bytes of their wtxid: a collision only delays a payment.
    known: Recent<u64>,
}

impl Announcer {
    pub fn new() -> Announcer {
        Announcer { queue: VecDeque::new(), flush_at: None, known: Recent::new(KNOWN_TRANSACTIONS) }
    }

    /// When the queue is to be sent.
    pub fn due(&self) -> Option<Timestamp> {
        self.flush_at
    }

    /// The peer has this transaction. True when that is news.
    pub fn note_known(&mut self, wtxid: &Wtxid) -> bool {
        self.known.insert(short(wtxid))
    }

    /// The peer has asked for this transaction in vain: should it come back, the peer is to be told.
    pub fn note_lacking(&mut self, wtxid: &Wtxid) {
        self.known.remove(&short(wtxid));
    }
}

/// The delay before a queue is sent.
fn trickle(mean_ms: u64, random: &mut Random) -> u64 {
    random.exponential(mean_ms).min(mean_ms.saturating_mul(MAX_TRICKLE_MEANS))
}

fn short(wtxid: &Wtxid) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = wtxid.to_bytes();
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

impl Node {
    /// Tells all peers of the new tip. In initial sync nobody needs to hear of it.
    pub(crate) fn announce_tip(&mut self) {
        if self.chain.is_syncing() {
            return;
        }
        let ids: Vec<PeerId> = self.net.ready_peers().map(|peer| peer.id).collect();
        for id in ids {
            self.announce_tip_to(id);
        }
    }

    /// Tells one peer of the tip, unless it knows: by headers if they link to what it has, else by hash.
    pub(crate) fn announce_tip_to(&mut self, id: PeerId) {
        let index = self.chain.index();
        let tip = self.chain.tip();
        let (Some(peer), Some(tip_id)) = (self.net.peers.get(&id), index.find(&tip.hash)) else {
            return;
        };
        if self.has_block(peer, tip_id) {
            return;
        }
        let mut headers: Vec<Header> = Vec::new();
        let mut linked = false;
        for entry in index.ancestry(tip_id).take(MAX_ANNOUNCED_HEADERS) {
            headers.push(index.get(entry).header);
            linked = index.parent(entry).is_some_and(|parent| self.has_block(peer, parent));
            if linked {
                break;
            }
        }
        let is_wanted = linked && headers.len() == 1 && peer.compact.wants_push;
        if is_wanted && self.push_to(id, tip_id) {
            return;
        }
        headers.reverse();
        let message =
            if linked { Message::Headers(headers) } else { Message::Inventory(vec![InventoryItem::Block(tip.hash)]) };
        if let Some(peer) = self.net.peers.get_mut(&id)
            && linked
        {
            peer.headers.told = Some(tip_id);
        }
        self.send(id, message);
    }

    /// Queues a transaction for all peers that may not have it.
    pub(crate) fn announce_transaction(&mut self, now: Timestamp, wtxid: Wtxid) {
        let ids: Vec<PeerId> = self.net.ready_peers().map(|peer| peer.id).collect();
        for id in ids {
            self.queue_announcement(now, id, wtxid);
        }
    }

    /// When what is queued now is sent. All peers that have called us are told at the same time: who calls a hundred times hears of a
    /// payment no earlier than who calls once.
    fn flush_time(&mut self, now: Timestamp, direction: Direction) -> Timestamp {
        let outbound_mean = self.config.trickle_mean_ms;
        let net = &mut self.net;
        match direction {
            Direction::Outbound => now.saturating_add_millis(trickle(outbound_mean, &mut net.random)),
            Direction::Inbound => {
                if net.inbound_flush_at <= now {
                    let mean = self.config.trickle_inbound_mean_ms.unwrap_or(outbound_mean);
                    net.inbound_flush_at = now.saturating_add_millis(trickle(mean, &mut net.random));
                }
                net.inbound_flush_at
            }
        }
    }

    /// Queues a transaction for one peer.
    pub(crate) fn queue_announcement(&mut self, now: Timestamp, id: PeerId, wtxid: Wtxid) {
        let Some(peer) = self.net.peers.get_mut(&id).filter(|peer| peer.relays()) else {
            return;
        };
        let announcer = &mut peer.announcer;
        if announcer.known.contains(&short(&wtxid)) || announcer.queue.len() >= MAX_ANNOUNCEMENT_QUEUE {
            return;
        }
        announcer.queue.push_back(wtxid);
        if announcer.flush_at.is_none() {
            let direction = peer.direction;
            let at = self.flush_time(now, direction);
            if let Some(peer) = self.net.peers.get_mut(&id) {
                peer.announcer.flush_at = Some(at);
            }
        }
    }

    /// Sends the queues whose delay is over, parents before children.
    pub(crate) fn tick_announcements(&mut self, now: Timestamp) {
        let due: Vec<PeerId> = self
            .net
            .ready_peers()
            .filter(|peer| peer.announcer.flush_at.is_some_and(|at| at <= now))
            .map(|peer| peer.id)
            .collect();
        for id in due {
            self.flush_announcements(now, id);
        }
    }

    fn flush_announcements(&mut self, now: Timestamp, id: PeerId) {
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        let min_rate = peer.fee_filter.theirs;
        let announcer = &mut peer.announcer;
        let mut items = Vec::new();
        while items.len() < MAX_INVENTORY_SENT
            && let Some(wtxid) = announcer.queue.pop_front()
        {
            let is_wanted = self.mempool.get_by_wtxid(&wtxid).is_some_and(|entry| entry.rate() >= min_rate);
            if is_wanted && announcer.note_known(&wtxid) {
                items.push(InventoryItem::Transaction(wtxid));
            }
        }
        announcer.flush_at = None;
        if !announcer.queue.is_empty() {
            let direction = peer.direction;
            let next = self.flush_time(now, direction).max(now.saturating_add_millis(1));
            if let Some(peer) = self.net.peers.get_mut(&id) {
                peer.announcer.flush_at = Some(next);
            }
        }
        if !items.is_empty() {
            self.send(id, Message::Inventory(items));
        }
    }
}
