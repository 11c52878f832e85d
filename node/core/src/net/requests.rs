//! Which announced transactions to ask whom for: the first announcer first, another one when it does not deliver.

use std::collections::{BTreeMap, BTreeSet};

use tally_primitives::units::Timestamp;
use tally_wire::InventoryItem;

use crate::net::limits::{
    MAX_ANNOUNCED_TRANSACTIONS, MAX_TRANSACTIONS_IN_FLIGHT, MAX_WANTED_TRANSACTIONS, TRANSACTION_TIMEOUT_MS,
};
use crate::net::peer::PeerId;

/// Transactions that peers have announced and we do not have.
#[derive(Debug, Default)]
pub(crate) struct TransactionRequests {
    wanted: BTreeMap<InventoryItem, Wanted>,
    peers: BTreeMap<PeerId, PeerRequests>,
    deadlines: BTreeSet<(Timestamp, InventoryItem)>,
    /// Counts announcements, so that they are served in the order in which they came.
    sequence: u64,
}

#[derive(Debug, Default)]
struct Wanted {
    /// Who has announced it and has not been asked, by the announcement's number.
    announcers: BTreeMap<u64, PeerId>,
    asked: Option<(PeerId, Timestamp)>,
}

#[derive(Debug, Default)]
struct PeerRequests {
    /// What it has announced and was not asked for, by the announcement's number.
    announced: BTreeMap<u64, InventoryItem>,
    in_flight: BTreeSet<InventoryItem>,
}

/// What to ask whom for.
pub(crate) type Asks = Vec<(PeerId, InventoryItem)>;

impl TransactionRequests {
    /// A peer says that it has `item`. Returns what to ask now.
    pub fn announced(&mut self, now: Timestamp, peer: PeerId, item: InventoryItem) -> Asks {
        let is_crowded = self.wanted.len() >= MAX_WANTED_TRANSACTIONS;
        // When there is little room, everybody has some, and nobody takes that of others.
        let most = if is_crowded { MAX_TRANSACTIONS_IN_FLIGHT } else { MAX_ANNOUNCED_TRANSACTIONS };
        let requests = self.peers.entry(peer).or_default();
        let wanted = self.wanted.entry(item).or_default();
        let known = requests.in_flight.contains(&item) || wanted.announcers.values().any(|id| *id == peer);
        if known || requests.announced.len() >= most {
            self.drop_if_idle(item);
            return Vec::new();
        }
        self.sequence += 1;
        requests.announced.insert(self.sequence, item);
        wanted.announcers.insert(self.sequence, peer);
        self.ask(now, item).into_iter().collect()
    }

    /// The transaction came (from whomever) or is not wanted any more. Returns what to ask now that a slot is free.
    pub fn settled(&mut self, now: Timestamp, item: InventoryItem) -> Asks {
        let Some(wanted) = self.wanted.remove(&item) else {
            return Vec::new();
        };
        for (sequence, peer) in &wanted.announcers {
            if let Some(requests) = self.peers.get_mut(peer) {
                requests.announced.remove(sequence);
            }
        }
        let Some((peer, deadline)) = wanted.asked else {
            return Vec::new();
        };
        self.deadlines.remove(&(deadline, item));
        if let Some(requests) = self.peers.get_mut(&peer) {
            requests.in_flight.remove(&item);
        }
        self.use_free_slots(now, peer)
    }

    /// A peer does not have what it was asked for: another announcer is asked.
    pub fn not_found(&mut self, now: Timestamp, peer: PeerId, item: InventoryItem) -> Asks {
        let asked = self.wanted.get(&item).and_then(|wanted| wanted.asked);
        if asked.is_none_or(|(asked, _)| asked != peer) {
            return Vec::new();
        }
        self.release(item);
        let mut asks: Asks = self.ask(now, item).into_iter().collect();
        self.drop_if_idle(item);
        asks.extend(self.use_free_slots(now, peer));
        asks
    }

    /// Asks elsewhere for what has not come in time.
    pub fn expire(&mut self, now: Timestamp) -> Asks {
        let mut asks = Vec::new();
        while let Some((deadline, item)) = self.deadlines.first().copied()
            && deadline <= now
        {
            match self.wanted.get(&item).and_then(|wanted| wanted.asked) {
                Some((peer, _)) => asks.extend(self.not_found(now, peer, item)),
                None => {
                    self.deadlines.remove(&(deadline, item));
                }
            }
        }
        asks
    }

    /// A peer is gone. What it was asked for is asked elsewhere.
    pub fn peer_gone(&mut self, now: Timestamp, peer: PeerId) -> Asks {
        let Some(requests) = self.peers.remove(&peer) else {
            return Vec::new();
        };
        for (sequence, item) in requests.announced {
            if let Some(wanted) = self.wanted.get_mut(&item) {
                wanted.announcers.remove(&sequence);
            }
            self.drop_if_idle(item);
        }
        let mut asks = Vec::new();
        for item in requests.in_flight {
            self.release(item);
            asks.extend(self.ask(now, item));
            self.drop_if_idle(item);
        }
        asks
    }

    /// When [`TransactionRequests::expire`] has something to do.
    pub fn next_timeout(&self) -> Option<Timestamp> {
        if self.deadlines.is_empty() { None } else { self.deadlines.first().map(|(deadline, _)| *deadline) }
    }

    /// How many requests a peer has not answered.
    pub fn in_flight(&self, peer: PeerId) -> usize {
        self.peers.get(&peer).map_or(0, |requests| requests.in_flight.len())
    }

    /// Asks the first announcer that has a free slot, unless somebody is asked already.
    fn ask(&mut self, now: Timestamp, item: InventoryItem) -> Option<(PeerId, InventoryItem)> {
        let wanted = self.wanted.get_mut(&item)?;
        if wanted.asked.is_some() {
            return None;
        }
        let has_slot = |peer: &PeerId| {
            self.peers.get(peer).is_some_and(|requests| requests.in_flight.len() < MAX_TRANSACTIONS_IN_FLIGHT)
        };
        let (sequence, peer) = wanted.announcers.iter().find(|(_, peer)| has_slot(peer)).map(|(s, p)| (*s, *p))?;
        let deadline = now.saturating_add_millis(TRANSACTION_TIMEOUT_MS);
        wanted.announcers.remove(&sequence);
        wanted.asked = Some((peer, deadline));
        let requests = self.peers.get_mut(&peer)?;
        requests.announced.remove(&sequence);
        requests.in_flight.insert(item);
        self.deadlines.insert((deadline, item));
        Some((peer, item))
    }

    /// Whoever was asked for `item` is not any more.
    fn release(&mut self, item: InventoryItem) {
        let Some((peer, deadline)) = self.wanted.get_mut(&item).and_then(|wanted| wanted.asked.take()) else {
            return;
        };
        self.deadlines.remove(&(deadline, item));
        if let Some(requests) = self.peers.get_mut(&peer) {
            requests.in_flight.remove(&item);
        }
    }

    /// Asks a peer for the oldest of its announcements that nobody else is asked for, while it has free slots.
    fn use_free_slots(&mut self, now: Timestamp, peer: PeerId) -> Asks {
        let Some(requests) = self.peers.get(&peer) else {
            return Vec::new();
        };
        let free = MAX_TRANSACTIONS_IN_FLIGHT.saturating_sub(requests.in_flight.len());
        let unasked = |item: &&InventoryItem| self.wanted.get(item).is_some_and(|wanted| wanted.asked.is_none());
        let next: Vec<InventoryItem> = requests.announced.values().filter(unasked).take(free).copied().collect();
        next.into_iter().filter_map(|item| self.ask(now, item)).collect()
    }

    fn drop_if_idle(&mut self, item: InventoryItem) {
        let idle = |wanted: &Wanted| wanted.asked.is_none() && wanted.announcers.is_empty();
        if self.wanted.get(&item).is_some_and(idle) {
            self.wanted.remove(&item);
        }
    }
}

#[cfg(test)]
mod tests;
