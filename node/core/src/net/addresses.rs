//! Where other nodes listen: a bounded book, filled by peers at a bounded rate.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use tally_primitives::units::Timestamp;
use tally_wire::limits::MAX_ADDRESSES;
use tally_wire::{AddressRecord, Message, Services};

use crate::net::limits::{
    ADDRESS_BUCKET, ADDRESS_DOUBTFUL_SECONDS, ADDRESS_HORIZON_SECONDS, ADDRESS_REFILL_MS, MAX_ADDRESS_BOOK,
};
use crate::net::peer::PeerId;
use crate::node::Node;
use crate::random::Random;

/// How far ahead of our clock a rumour's time may be, in seconds.
const CLOCK_TOLERANCE_SECONDS: u32 = 600;

/// Known listen addresses.
#[derive(Debug, Default)]
pub struct AddressBook {
    records: BTreeMap<SocketAddr, AddressRecord>,
}

impl AddressBook {
    /// A node was there just now.
    pub(crate) fn saw(&mut self, address: SocketAddr, services: Services, now: Timestamp, random: &mut Random) {
        self.insert(AddressRecord { last_seen: now.as_seconds(), services, address }, random);
    }

    /// A peer says that a node is there.
    pub(crate) fn heard(&mut self, mut record: AddressRecord, now: Timestamp, random: &mut Random) {
        if !is_dialable(record.address) {
            return;
        }
        let now = now.as_seconds();
        if record.last_seen > now.saturating_add(CLOCK_TOLERANCE_SECONDS) {
            record.last_seen = now.saturating_sub(ADDRESS_DOUBTFUL_SECONDS);
        }
        if now.saturating_sub(record.last_seen) <= ADDRESS_HORIZON_SECONDS {
            self.insert(record, random);
        }
    }

    fn insert(&mut self, record: AddressRecord, random: &mut Random) {
        if let Some(known) = self.records.get_mut(&record.address) {
            known.last_seen = known.last_seen.max(record.last_seen);
            known.services = record.services;
            return;
        }
        if self.records.len() >= MAX_ADDRESS_BOOK {
            // A random one goes, so that nobody can push out a chosen one.
            let position = random.index(self.records.len());
            if let Some(victim) = self.records.keys().nth(position).copied() {
                self.records.remove(&victim);
            }
        }
        self.records.insert(record.address, record);
    }

    /// Every record, by address.
    pub fn iter(&self) -> impl Iterator<Item = &AddressRecord> {
        self.records.values()
    }

    /// Up to `max` records worth passing on, chosen at random.
    pub(crate) fn sample(&self, max: usize, now: Timestamp, random: &mut Random) -> Vec<AddressRecord> {
        let now = now.as_seconds();
        let fresh = |record: &&AddressRecord| now.saturating_sub(record.last_seen) <= ADDRESS_HORIZON_SECONDS;
        let mut records: Vec<AddressRecord> = self.records.values().filter(fresh).copied().collect();
        let count = max.min(records.len());
        for place in 0..count {
            let other = place + random.index(records.len() - place);
            records.swap(place, other);
        }
        records.truncate(count);
        records
    }
}

/// Whether a node can be called there at all.
fn is_dialable(address: SocketAddr) -> bool {
    let multicast_or_broadcast = match address.ip() {
        IpAddr::V4(ip) => ip.is_multicast() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_multicast(),
    };
    address.port() != 0 && !address.ip().is_unspecified() && !multicast_or_broadcast
}

/// How many address records we still take from one peer, and whether it has had ours.
#[derive(Debug)]
pub(crate) struct AddressBucket {
    tokens: u64,
    filled_at: Timestamp,
    answered: bool,
}

impl AddressBucket {
    /// For a connection made now: one record is welcome without being asked for.
    pub fn new(now: Timestamp) -> AddressBucket {
        AddressBucket { tokens: 1, filled_at: now, answered: false }
    }

    /// We asked: a full answer is welcome.
    pub fn asked(&mut self, now: Timestamp) {
        self.tokens = ADDRESS_BUCKET;
        self.filled_at = now;
    }

    /// How many of `offered` records to take.
    fn take(&mut self, offered: usize, now: Timestamp) -> usize {
        let earned = now.millis_since(self.filled_at) / ADDRESS_REFILL_MS;
        self.tokens = self.tokens.saturating_add(earned).min(ADDRESS_BUCKET);
        self.filled_at = self.filled_at.saturating_add_millis(earned.saturating_mul(ADDRESS_REFILL_MS));
        let taken = self.tokens.min(offered as u64);
        self.tokens -= taken;
        usize::try_from(taken).unwrap_or(offered)
    }
}

impl Node {
    /// Answered once a connection: asking again and again would map the network.
    pub(crate) fn on_get_addresses(&mut self, now: Timestamp, id: PeerId) {
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        if std::mem::replace(&mut peer.addresses.answered, true) {
            return;
        }
        let records = self.net.book.sample(MAX_ADDRESSES, now, &mut self.net.random);
        self.send(id, Message::Addresses(records));
    }

    pub(crate) fn on_addresses(&mut self, now: Timestamp, id: PeerId, records: Vec<AddressRecord>) {
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        let taken = peer.addresses.take(records.len(), now);
        for record in records.into_iter().take(taken) {
            self.net.book.heard(record, now, &mut self.net.random);
        }
    }
}

#[cfg(test)]
mod tests;
