//! Where other nodes listen: what is known of addresses, and whom to call.
//!
//! Two tables, as Bitcoin Core has them since Heilman, Kendler, Zohar and Goldberg ("Eclipse attacks on Bitcoin's peer-to-peer network",
//! 2015). *New* addresses are rumours: the bucket depends on the group of the address and the group of who told, so that one liar, however
//! many addresses it invents, fills a small part of the table. *Tried* addresses have shaken hands with us: the bucket depends on the address and its group, so that
//! one network, however many machines it has, fills a small part too. Which bucket it is depends on a secret, so that nobody can work out whose place an address takes.
//! And nobody is driven out of a tried place before a call has shown that it does not answer.
//!
//! | file | what |
//! |---|---|
//! | [`group`] | which addresses count as one |
//! | [`secret`] | hashes that nobody else can compute |
//! | `table` | buckets and places |
//! | `entry` | what is known of one address |
//! | `choose` | whom to call, and who has to leave a tried place |
//! | [`saved`] | the book over a restart |

mod choose;
mod entry;
pub mod group;
pub mod saved;
pub mod secret;
mod table;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tally_primitives::units::Timestamp;
use tally_wire::{AddressRecord, Services};

use crate::net::address_book::choose::Contest;
use crate::net::address_book::entry::{CLOCK_TOLERANCE_SECONDS, Entry};
use crate::net::address_book::group::{AddressGroups, Group, Scope, canonical, is_dialable, scope};
use crate::net::address_book::secret::{Purpose, Secret, address_bytes};
use crate::net::address_book::table::{BUCKET_PLACES, Place, Table};
use crate::net::finding::EclipseDefences;
use crate::net::limits::{
    ADDRESS_DOUBTFUL_SECONDS, ADDRESS_HORIZON_SECONDS, MAX_NEW_PLACES, MAX_OWN_ADDRESSES, NEW_BUCKETS,
    NEW_BUCKETS_PER_SOURCE, TRIED_BUCKETS, TRIED_BUCKETS_PER_GROUP,
};
use crate::random::Random;

/// What is known of other nodes' addresses.
#[derive(Debug)]
pub struct AddressBook {
    secret: Secret,
    groups: AddressGroups,
    defences: EclipseDefences,
    /// Its numbers never leave the node, so nobody can tell whom it will choose.
    random: Random,
    entries: BTreeMap<SocketAddr, Entry>,
    new: Table,
    tried: Table,
    contests: Vec<Contest>,
    /// Addresses at which we met ourselves.
    own: Vec<SocketAddr>,
    /// When a call last went well: failures count only once between two successes, so that a day offline costs nobody.
    last_good: u32,
    changed: bool,
}

/// How an address came to be known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source {
    /// The group of who told.
    pub group: Group,
    /// How far away who told is: nobody can tell us about addresses that mean something else to them.
    pub scope: Scope,
    /// Seconds by which the rumour is taken to be older than it says.
    pub penalty: u32,
}

impl AddressBook {
    /// An empty book.
    pub(crate) fn new(secret: Secret, seed: u64, groups: AddressGroups, defences: EclipseDefences) -> AddressBook {
        AddressBook {
            secret,
            groups,
            defences,
            random: Random::new(secret.hash(Purpose::Choices, &[&seed.to_le_bytes()])),
            entries: BTreeMap::new(),
            new: Table::default(),
            tried: Table::default(),
            contests: Vec::new(),
            own: Vec::new(),
            last_good: 1,
            changed: false,
        }
    }

    /// Every address, in order.
    pub fn iter(&self) -> impl Iterator<Item = AddressRecord> {
        self.entries.iter().map(|(address, entry)| record(*address, entry))
    }

    /// How many addresses are known.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Addresses that have shaken hands with us.
    pub fn tried(&self) -> usize {
        self.tried.len()
    }

    /// Whether an address has shaken hands with us, and is kept for it.
    pub fn is_tried(&self, address: SocketAddr) -> bool {
        self.entries.get(&canonical(address)).is_some_and(|entry| entry.tried)
    }

    /// Whether the address is known to be our own.
    pub(crate) fn is_own(&self, address: SocketAddr) -> bool {
        self.own.contains(&canonical(address))
    }

    /// The secret.
    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    /// The group of an address.
    pub(crate) fn group(&self, address: SocketAddr) -> Group {
        self.groups.group(address)
    }

    /// Whether something has changed since the last call of this.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Somebody says that a node is there. True if that was news and there was room.
    pub(crate) fn heard(&mut self, told: AddressRecord, source: Source, now: Timestamp) -> bool {
        let address = canonical(told.address);
        if !is_dialable(address) || self.own.contains(&address) || scope(address.ip()) < source.scope {
            return false;
        }
        let now = now.as_seconds();
        let last_seen = if told.last_seen > now.saturating_add(CLOCK_TOLERANCE_SECONDS) {
            now.saturating_sub(ADDRESS_DOUBTFUL_SECONDS)
        } else {
            told.last_seen.min(now).saturating_sub(source.penalty)
        };
        if now.saturating_sub(last_seen) > ADDRESS_HORIZON_SECONDS {
            return false;
        }
        if let Some(entry) = self.entries.get_mut(&address) {
            entry.last_seen = entry.last_seen.max(last_seen);
            // The more often it is told of, the less likely another place: nobody gets far by repeating.
            let settled = entry.tried || entry.places.len() >= MAX_NEW_PLACES;
            if settled || !self.random.chance(1, 1 << entry.places.len()) {
                return false;
            }
        }
        let place = self.new_place(address, source.group);
        let known = self.entries.contains_key(&address);
        if self.new.get(place).is_some_and(|other| other == address || !self.gives_way(other, known, now)) {
            return false;
        }
        self.vacate_new(place);
        self.new.set(place, address);
        let entry = self.entries.entry(address).or_insert_with(|| Entry::new(told.services, last_seen, source.group));
        entry.places.push(place);
        self.changed = true;
        !known
    }

    /// Whether the one at a new place gives it up: to anybody if it is worthless, to a newcomer if it has other places.
    fn gives_way(&self, other: SocketAddr, known: bool, now: u32) -> bool {
        self.entries.get(&other).is_none_or(|entry| entry.is_terrible(now) || (entry.places.len() > 1 && !known))
    }

    fn vacate_new(&mut self, place: Place) {
        let Some(address) = self.new.get(place) else {
            return;
        };
        self.new.clear(place);
        if let Some(entry) = self.entries.get_mut(&address) {
            entry.places.retain(|other| *other != place);
            if entry.places.is_empty() && !entry.tried {
                self.entries.remove(&address);
            }
        }
    }

    /// We call an address. Whether a failure counts against it is for the caller to know: offline, everybody fails.
    pub(crate) fn attempt(&mut self, address: SocketAddr, now: Timestamp, counts: bool) {
        let (now, last_good) = (now.as_seconds(), self.last_good);
        if let Some(entry) = self.entries.get_mut(&canonical(address)) {
            entry.last_try = now;
            entry.tries = entry.tries.saturating_add(1);
            if counts && entry.last_counted < last_good {
                entry.last_counted = now;
                entry.failures = entry.failures.saturating_add(1);
            }
        }
    }

    /// A node that we called has shaken hands: it gets a tried place, unless another has it and answers still.
    pub(crate) fn good(&mut self, address: SocketAddr, services: Services, now: Timestamp) {
        let address = canonical(address);
        let source = Source { group: self.groups.group(address), scope: Scope::Loopback, penalty: 0 };
        let told = AddressRecord { last_seen: now.as_seconds(), services, address };
        self.heard(told, source, now);
        let now = now.as_seconds();
        self.last_good = now;
        let place = self.tried_place(address);
        let taken = self.tried.get(place).is_some();
        let contested = taken && self.defences.test_before_evict;
        if !contested && is_dialable(address) && !self.own.contains(&address) {
            // There may have been no room for it among the rumours.
            self.entries.entry(address).or_insert_with(|| Entry::new(services, now, source.group));
        }
        let Some(entry) = self.entries.get_mut(&address) else {
            return;
        };
        entry.services = services;
        entry.last_seen = entry.last_seen.max(now);
        entry.last_try = now;
        entry.last_success = now;
        entry.tries = 0;
        entry.failures = 0;
        self.changed = true;
        if entry.tried {
            return;
        }
        if contested {
            self.contest(address, now);
        } else {
            self.promote(address);
        }
    }

    /// Gives an address its tried place; who was there becomes a rumour again.
    fn promote(&mut self, address: SocketAddr) {
        let place = self.tried_place(address);
        if let Some(loser) = self.tried.get(place) {
            self.tried.clear(place);
            self.demote(loser);
        }
        self.tried.set(place, address);
        let Some(entry) = self.entries.get_mut(&address) else {
            return;
        };
        entry.tried = true;
        for place in std::mem::take(&mut entry.places) {
            self.new.clear(place);
        }
        self.changed = true;
    }

    fn demote(&mut self, address: SocketAddr) {
        let Some(source) = self.entries.get(&address).map(|entry| entry.source) else {
            return;
        };
        let place = self.new_place(address, source);
        self.vacate_new(place);
        self.new.set(place, address);
        if let Some(entry) = self.entries.get_mut(&address) {
            entry.tried = false;
            entry.places.push(place);
        }
    }

    /// A connection to it was of use until now.
    pub(crate) fn was_there(&mut self, address: SocketAddr, now: Timestamp) {
        if let Some(entry) = self.entries.get_mut(&canonical(address)) {
            entry.last_seen = entry.last_seen.max(now.as_seconds());
        }
    }

    /// The address is no node of this network.
    pub(crate) fn forget(&mut self, address: SocketAddr) {
        let address = canonical(address);
        let Some(entry) = self.entries.remove(&address) else {
            return;
        };
        for place in entry.places {
            self.new.clear(place);
        }
        if entry.tried {
            let place = self.tried_place(address);
            self.tried.clear(place);
        }
        self.changed = true;
    }

    /// The address is our own.
    pub(crate) fn forget_own(&mut self, address: SocketAddr) {
        self.forget(address);
        let address = canonical(address);
        if !self.own.contains(&address) && self.own.len() < MAX_OWN_ADDRESSES {
            self.own.push(address);
        }
    }

    /// Up to `max` records worth passing on to somebody at this distance, chosen at random.
    pub(crate) fn sample(&mut self, max: usize, to: Scope, now: Timestamp) -> Vec<AddressRecord> {
        let now = now.as_seconds();
        let worth = |(address, entry): &(&SocketAddr, &Entry)| scope(address.ip()) >= to && !entry.is_terrible(now);
        let mut records: Vec<AddressRecord> =
            self.entries.iter().filter(worth).map(|(address, entry)| record(*address, entry)).collect();
        let count = max.min(records.len());
        for place in 0..count {
            let other = place + self.random.index(records.len() - place);
            records.swap(place, other);
        }
        records.truncate(count);
        records
    }

    fn new_place(&self, address: SocketAddr, source: Group) -> Place {
        let bytes = address_bytes(address);
        let bucket = if self.defences.buckets {
            let (group, source) = (group_bytes(self.groups.group(address)), group_bytes(source));
            let one_of = self.secret.hash(Purpose::SourceBucket, &[&group, &source]) % NEW_BUCKETS_PER_SOURCE;
            self.secret.hash(Purpose::NewBucket, &[&source, &one_of.to_le_bytes()]) % NEW_BUCKETS
        } else {
            self.secret.hash(Purpose::NewBucket, &[&bytes]) % NEW_BUCKETS
        };
        self.place(Purpose::NewPlace, bucket, &bytes)
    }

    fn tried_place(&self, address: SocketAddr) -> Place {
        let bytes = address_bytes(address);
        let bucket = if self.defences.buckets {
            let group = group_bytes(self.groups.group(address));
            let one_of = self.secret.hash(Purpose::GroupBucket, &[&bytes]) % TRIED_BUCKETS_PER_GROUP;
            self.secret.hash(Purpose::TriedBucket, &[&group, &one_of.to_le_bytes()]) % TRIED_BUCKETS
        } else {
            self.secret.hash(Purpose::TriedBucket, &[&bytes]) % TRIED_BUCKETS
        };
        self.place(Purpose::TriedPlace, bucket, &bytes)
    }

    fn place(&self, purpose: Purpose, bucket: u64, address: &[u8]) -> Place {
        let slot = self.secret.hash(purpose, &[&bucket.to_le_bytes(), address]) % BUCKET_PLACES;
        // Both are below their bounds, which fit.
        Place { bucket: u16::try_from(bucket).unwrap_or(0), slot: u8::try_from(slot).unwrap_or(0) }
    }
}

fn record(address: SocketAddr, entry: &Entry) -> AddressRecord {
    AddressRecord { last_seen: entry.last_seen, services: entry.services, address }
}

/// A group as bytes, different for different groups.
fn group_bytes(group: Group) -> Vec<u8> {
    let (kind, rest): (u8, Vec<u8>) = match group {
        Group::V4(bytes) => (0, bytes.to_vec()),
        Group::V6(bytes) => (1, bytes.to_vec()),
        Group::Single(address) => (2, address_bytes(address).to_vec()),
        Group::Seed(hash) => (3, hash.to_le_bytes().to_vec()),
    };
    [vec![kind], rest].concat()
}

#[cfg(test)]
mod tests;
