//! Addresses on their way: asked for, told, passed on.
//!
//! Only who called us is answered, once, with a sample that stays the same for a day: so nobody learns by asking what has just changed in the book, and whom
//! we call cannot be driven by what it asks. What is news and recent goes on to two peers, always the same for an address on a day, so that
//! repeating it makes it spread no further.

use std::net::SocketAddr;

use tally_primitives::units::Timestamp;
use tally_wire::limits::MAX_ADDRESSES;
use tally_wire::{AddressRecord, Message, Services};

use crate::net::address_book::Source;
use crate::net::address_book::group::{Scope, canonical, scope};
use crate::net::address_book::secret::{Purpose, address_bytes};
use crate::net::limits::{
    ADDRESS_ANSWER_MS, ADDRESS_ANSWER_PERCENT, ADDRESS_BUCKET, ADDRESS_PENALTY_SECONDS, ADDRESS_REFILL_MS,
    ADDRESS_RELAY_PEERS, ADDRESS_RELAY_SECONDS, ADDRESS_TRICKLE_MS, KNOWN_ADDRESSES, MAX_RELAYED_ADDRESSES,
    MIN_ADDRESS_ANSWER, OWN_ADDRESS_MS,
};
use crate::net::peer::{Direction, Peer, PeerId};
use crate::net::recent::Recent;
use crate::node::Node;

const DAY_SECONDS: u32 = 24 * 60 * 60;

/// What one peer may still tell us, and what it is to be told.
#[derive(Debug)]
pub(crate) struct PeerAddresses {
    tokens: u64,
    filled_at: Timestamp,
    answered: bool,
    queue: Vec<AddressRecord>,
    flush_at: Option<Timestamp>,
    /// Addresses that it told us or we told it, by a hash.
    known: Recent<u64>,
    own_told_at: Option<Timestamp>,
}

impl PeerAddresses {
    /// For a connection made now: one record is welcome without being asked for.
    pub fn new(now: Timestamp) -> PeerAddresses {
        PeerAddresses {
            tokens: 1,
            filled_at: now,
            answered: false,
            queue: Vec::new(),
            flush_at: None,
            known: Recent::new(KNOWN_ADDRESSES),
            own_told_at: None,
        }
    }

    /// We asked: a full answer is welcome.
    pub fn asked(&mut self, now: Timestamp) {
        self.tokens = ADDRESS_BUCKET;
        self.filled_at = now;
    }

    /// When the queue is to be sent.
    pub fn due(&self) -> Option<Timestamp> {
        self.flush_at
    }

    /// How many of `offered` records to take.
    pub fn take(&mut self, offered: usize, now: Timestamp) -> usize {
        let earned = now.millis_since(self.filled_at) / ADDRESS_REFILL_MS;
        self.tokens = self.tokens.saturating_add(earned).min(ADDRESS_BUCKET);
        self.filled_at = self.filled_at.saturating_add_millis(earned.saturating_mul(ADDRESS_REFILL_MS));
        let taken = self.tokens.min(offered as u64);
        self.tokens -= taken;
        usize::try_from(taken).unwrap_or(offered)
    }
}

/// Answers to `GetAddresses`, by how far away the asker is.
#[derive(Debug, Default)]
pub(crate) struct AddressAnswers {
    by_scope: Vec<Answer>,
}

#[derive(Debug)]
struct Answer {
    scope: Scope,
    records: Vec<AddressRecord>,
    /// Addresses that were known when it was made.
    known: usize,
    made_at: Timestamp,
}

impl Node {
    /// Answered once a connection, and only to who called us.
    pub(crate) fn on_get_addresses(&mut self, now: Timestamp, id: PeerId) {
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        let answered = std::mem::replace(&mut peer.addresses.answered, true);
        if answered || peer.direction == Direction::Outbound || !peer.relays() {
            return;
        }
        let to = scope(peer.address.ip());
        let records = self.address_answer(now, to);
        self.send(id, Message::Addresses(records));
    }

    /// The answer of the day. A book that has doubled since is worth a new one: it was hardly begun.
    fn address_answer(&mut self, now: Timestamp, to: Scope) -> Vec<AddressRecord> {
        let known = self.net.book.len();
        let still_good = |answer: &&Answer| {
            answer.scope == to && now.millis_since(answer.made_at) < ADDRESS_ANSWER_MS && known <= 2 * answer.known
        };
        if let Some(answer) = self.net.answers.by_scope.iter().find(still_good) {
            return answer.records.clone();
        }
        let count = (known * ADDRESS_ANSWER_PERCENT / 100).clamp(MIN_ADDRESS_ANSWER, MAX_ADDRESSES);
        let records = self.net.book.sample(count, to, now);
        self.net.answers.by_scope.retain(|answer| answer.scope != to);
        self.net.answers.by_scope.push(Answer { scope: to, records: records.clone(), known, made_at: now });
        records
    }

    pub(crate) fn on_addresses(&mut self, now: Timestamp, id: PeerId, mut records: Vec<AddressRecord>) {
        let Some(peer) = self.net.peers.get_mut(&id).filter(|peer| peer.relays()) else {
            return;
        };
        let is_news = records.len() <= MAX_RELAYED_ADDRESSES;
        let taken = peer.addresses.take(records.len(), now);
        records.truncate(taken);
        for record in records {
            self.hear_address(now, id, record, ADDRESS_PENALTY_SECONDS, is_news);
        }
    }

    /// A peer called us and says where it listens, which is as good as telling its address.
    pub(crate) fn hear_listen_address(&mut self, now: Timestamp, id: PeerId) {
        let Some(peer) = self.net.peers.get(&id).filter(|peer| peer.direction == Direction::Inbound) else {
            return;
        };
        let services = peer.version.as_ref().map_or(Services::NONE, |version| version.services.of_node());
        if let Some(address) = peer.listen_address() {
            let record = AddressRecord { last_seen: now.as_seconds(), services, address };
            self.hear_address(now, id, record, 0, true);
        }
    }

    fn hear_address(&mut self, now: Timestamp, id: PeerId, record: AddressRecord, penalty: u32, is_news: bool) {
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        let record = AddressRecord { address: canonical(record.address), ..record };
        peer.addresses.known.insert(short(record.address));
        let teller = peer.listen_address().unwrap_or(SocketAddr::new(peer.address.ip(), 0));
        let source = Source { group: self.net.book.group(teller), scope: scope(peer.address.ip()), penalty };
        if self.net.book.heard(record, source, now) {
            self.net.outbound.wake(now);
        }
        let age = now.as_seconds().saturating_sub(record.last_seen);
        let from_the_future = record.last_seen > now.as_seconds().saturating_add(ADDRESS_RELAY_SECONDS);
        if is_news && age <= ADDRESS_RELAY_SECONDS && !from_the_future && !self.net.book.is_own(record.address) {
            self.pass_on(now, id, record);
        }
    }

    /// Passes an address on to two peers, chosen by address and day.
    fn pass_on(&mut self, now: Timestamp, from: PeerId, record: AddressRecord) {
        if !crate::net::address_book::group::is_dialable(record.address) {
            return;
        }
        let address = address_bytes(record.address);
        let day = (now.as_seconds() / DAY_SECONDS).to_le_bytes();
        let secret = self.net.secret;
        let means_something =
            |peer: &&Peer| peer.id != from && peer.relays() && scope(peer.address.ip()) <= scope(record.address.ip());
        let rank = |peer: &Peer| (secret.hash(Purpose::Relay, &[&address, &day, &peer.id.0.to_le_bytes()]), peer.id);
        let mut peers: Vec<(u64, PeerId)> = self.net.ready_peers().filter(means_something).map(rank).collect();
        peers.sort_unstable();
        for (_, id) in peers.into_iter().take(ADDRESS_RELAY_PEERS) {
            self.queue_address(now, id, record);
        }
    }

    fn queue_address(&mut self, now: Timestamp, id: PeerId, record: AddressRecord) {
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        let addresses = &mut peer.addresses;
        if addresses.queue.len() >= MAX_ADDRESSES || !addresses.known.insert(short(record.address)) {
            return;
        }
        addresses.queue.push(record);
        if addresses.flush_at.is_none() {
            let delay = self.net.random.exponential(ADDRESS_TRICKLE_MS);
            addresses.flush_at = Some(now.saturating_add_millis(delay));
        }
    }

    /// Tells a peer that we called where we listen, if we know.
    pub(crate) fn tell_own_address(&mut self, now: Timestamp, id: PeerId) {
        let Some(address) = self.config.finding.own_address else {
            return;
        };
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        let means_something = scope(peer.address.ip()) <= scope(address.ip());
        if means_something && peer.direction == Direction::Outbound && peer.relays() {
            peer.addresses.own_told_at = Some(now);
            let record = AddressRecord { last_seen: now.as_seconds(), services: Services::FULL_CHAIN, address };
            self.send(id, Message::Addresses(vec![record]));
        }
    }

    /// Sends the queues whose delay is over, and our own address once a day.
    pub(crate) fn tick_gossip(&mut self, now: Timestamp) {
        let is_due = |peer: &&mut Peer| peer.addresses.flush_at.is_some_and(|at| at <= now);
        let mut sends = Vec::new();
        for peer in self.net.peers.values_mut().filter(is_due) {
            peer.addresses.flush_at = None;
            sends.push((peer.id, std::mem::take(&mut peer.addresses.queue)));
        }
        for (id, records) in sends {
            self.send(id, Message::Addresses(records));
        }
        let told_long_ago =
            |peer: &&Peer| peer.addresses.own_told_at.is_some_and(|at| now.millis_since(at) >= OWN_ADDRESS_MS);
        let again: Vec<PeerId> = self.net.ready_peers().filter(told_long_ago).map(|peer| peer.id).collect();
        for id in again {
            self.tell_own_address(now, id);
        }
    }
}

/// An address by a few of its bytes: a collision only keeps a rumour from one peer.
fn short(address: SocketAddr) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = tally_primitives::hash::sha256(&address_bytes(address));
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests;
