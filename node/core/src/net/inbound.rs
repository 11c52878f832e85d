//! Whom to let in when many knock: limits by group and by rate, and who has to leave when all slots are taken.
//!
//! A newcomer takes the place of somebody who is of less use than others, so that an attacker cannot keep honest newcomers out by taking every slot. Who
//! stays cannot be bought cheaply: some stay for groups that only we rank, some for short round trips, some for news
//! that they brought, and half of the rest for having been here longest (as in Bitcoin Core).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv6Addr};

use tally_primitives::units::Timestamp;

use crate::net::address_book::group::Group;
use crate::net::address_book::secret::{Purpose, address_bytes};
use crate::net::disconnect::DisconnectReason;
use crate::net::limits::{
    CALL_REFILL_MS, CALLS_AT_ONCE, MAX_CALLERS, PROTECTED_BY_BLOCK, PROTECTED_BY_GROUP, PROTECTED_BY_PING,
    PROTECTED_BY_TRANSACTION,
};
use crate::net::peer::{Direction, Peer, PeerId, Role};
use crate::node::Node;

/// How often addresses have opened connections.
#[derive(Debug, Default)]
pub(crate) struct Callers {
    by_address: BTreeMap<IpAddr, Caller>,
}

#[derive(Debug)]
struct Caller {
    tokens: u64,
    filled_at: Timestamp,
}

impl Callers {
    /// Whether a call of this address is one too many.
    fn is_too_often(&mut self, ip: IpAddr, now: Timestamp) -> bool {
        let ip = machine(ip);
        if self.by_address.len() >= MAX_CALLERS && !self.by_address.contains_key(&ip) {
            self.make_room(now);
        }
        let caller = self.by_address.entry(ip).or_insert(Caller { tokens: CALLS_AT_ONCE, filled_at: now });
        caller.refill(now);
        let too_often = caller.tokens == 0;
        caller.tokens = caller.tokens.saturating_sub(1);
        too_often
    }

    /// Whoever has called least lately is forgotten.
    fn make_room(&mut self, now: Timestamp) {
        for caller in self.by_address.values_mut() {
            caller.refill(now);
        }
        self.by_address.retain(|_, caller| caller.tokens < CALLS_AT_ONCE);
        let calmest = self.by_address.iter().max_by_key(|(_, caller)| caller.tokens).map(|(ip, _)| *ip);
        if self.by_address.len() >= MAX_CALLERS
            && let Some(ip) = calmest
        {
            self.by_address.remove(&ip);
        }
    }
}

impl Caller {
    fn refill(&mut self, now: Timestamp) {
        let earned = now.millis_since(self.filled_at) / CALL_REFILL_MS;
        self.tokens = self.tokens.saturating_add(earned).min(CALLS_AT_ONCE);
        self.filled_at = self.filled_at.saturating_add_millis(earned.saturating_mul(CALL_REFILL_MS));
    }
}

/// One machine has one IPv4 address, and any address of an IPv6 /64.
fn machine(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        ip => ip,
    }
}

/// What counts when somebody has to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub id: PeerId,
    pub group: Group,
    /// A number that only we can compute from the group.
    pub group_rank: u64,
    pub min_ping: Option<u64>,
    pub last_transaction_at: Option<Timestamp>,
    pub last_block_at: Option<Timestamp>,
    pub connected_at: Timestamp,
}

/// Who has to leave; nobody, if all are protected.
pub(crate) fn whom_to_evict(mut candidates: Vec<Candidate>) -> Option<PeerId> {
    protect(&mut candidates, PROTECTED_BY_GROUP, |peer| peer.group_rank);
    protect(&mut candidates, PROTECTED_BY_PING, |peer| peer.min_ping.unwrap_or(u64::MAX));
    protect(&mut candidates, PROTECTED_BY_TRANSACTION, |peer| Reverse(peer.last_transaction_at));
    protect(&mut candidates, PROTECTED_BY_BLOCK, |peer| Reverse(peer.last_block_at));
    let half = candidates.len() / 2;
    protect(&mut candidates, half, |peer| peer.connected_at);
    let mut groups: BTreeMap<Group, Vec<&Candidate>> = BTreeMap::new();
    for candidate in &candidates {
        groups.entry(candidate.group).or_default().push(candidate);
    }
    // The group with the most peers, of equals the one with the youngest, loses its youngest.
    let youngest = |peers: &[&Candidate]| peers.iter().map(|peer| (peer.connected_at, peer.id)).max();
    let largest = groups.into_values().max_by_key(|peers| (peers.len(), youngest(peers)))?;
    youngest(&largest).map(|(_, id)| id)
}

/// Takes the `count` first by `key` out of danger.
fn protect<K: Ord>(candidates: &mut Vec<Candidate>, count: usize, key: impl Fn(&Candidate) -> K) {
    candidates.sort_by_key(|candidate| (key(candidate), candidate.id));
    candidates.drain(..count.min(candidates.len()));
}

impl Node {
    /// Makes room for an inbound connection that is about to be taken in.
    ///
    /// # Errors
    /// Why it is turned away.
    pub(crate) fn admit(&mut self, now: Timestamp, peer: &Peer) -> Result<(), DisconnectReason> {
        if peer.direction == Direction::Outbound {
            return Ok(());
        }
        let groups = self.config.finding.groups;
        if groups.limits(peer.address.ip()) {
            if self.net.callers.is_too_often(peer.address.ip(), now) {
                return Err(DisconnectReason::TooOften);
            }
            let (group, max) = (groups.group(peer.address), self.config.finding.max_inbound_per_group);
            let inbound = self.net.peers.values().filter(|other| other.role == Role::Inbound);
            if inbound.filter(|other| groups.group(other.address) == group).count() >= max {
                return Err(DisconnectReason::GroupFull { max });
            }
        }
        if self.net.inbound() < self.config.max_inbound {
            return Ok(());
        }
        let inbound = self.net.peers.values().filter(|other| other.direction == Direction::Inbound);
        let candidates = inbound.map(|other| self.eviction_candidate(other)).collect();
        match whom_to_evict(candidates) {
            Some(id) => {
                self.disconnect(now, id, DisconnectReason::Evicted);
                Ok(())
            }
            None => Err(DisconnectReason::Full { max: self.config.max_inbound }),
        }
    }

    fn eviction_candidate(&self, peer: &Peer) -> Candidate {
        let group = self.config.finding.groups.group(peer.address);
        // Peers of one machine have one rank, whatever their ports.
        let rank = match group {
            Group::V4(bytes) => self.net.secret.hash(Purpose::Protection, &[&bytes]),
            Group::V6(bytes) => self.net.secret.hash(Purpose::Protection, &[&bytes]),
            Group::Single(_) | Group::Seed(_) => {
                self.net.secret.hash(Purpose::Protection, &[&address_bytes(peer.address)[..16]])
            }
        };
        Candidate {
            id: peer.id,
            group,
            group_rank: rank,
            min_ping: peer.ping.min_millis(),
            last_transaction_at: peer.last_transaction_at,
            last_block_at: peer.last_block_at,
            connected_at: peer.connected_at,
        }
    }

    /// The block that is the tip now was brought by somebody: that is what makes a peer worth keeping.
    pub(crate) fn note_who_brought_the_tip(&mut self, now: Timestamp) {
        let tip = self.chain.tip().hash;
        if tip == self.net.tip_noted {
            return;
        }
        self.net.tip_noted = tip;
        if let Some(peer) = self.net.sources.peer(&tip).and_then(|id| self.net.peers.get_mut(&id)) {
            peer.last_block_at = Some(now);
        }
    }

    /// Inbound groups that have a peer, for tests and for people.
    pub fn inbound_groups(&self) -> usize {
        let inbound = self.net.peers.values().filter(|peer| peer.direction == Direction::Inbound);
        inbound.map(|peer| self.config.finding.groups.group(peer.address)).collect::<BTreeSet<Group>>().len()
    }
}

#[cfg(test)]
mod tests;
