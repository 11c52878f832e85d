//! Whom to call: peers for everything, peers for blocks only, feelers, and somebody extra when the tip is stale.
//!
//! Peers are chosen from the address book, each from another group than the ones we have, so that whoever wants to be all of our peers needs
//! addresses in many networks. Peers that the operator asked for ([`redial`](crate::net::redial)) come on top.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use tally_primitives::hash::BlockHash;
use tally_primitives::units::Timestamp;
use tally_wire::Services;

use crate::net::address_book::group::{Group, canonical};
use crate::net::disconnect::DisconnectReason;
use crate::net::limits::{
    CALL_PACE_MS, DIAL_TIMEOUT_MS, EXTRA_PEER_TRIAL_MS, FEELER_MEAN_MS, MAX_ANCHORS, MAX_SEARCH_PAUSE_MS,
    MIN_SEARCH_PAUSE_MS, MIN_STALE_TIP_MS, SAVE_ANCHORS_MS, SAVE_BOOK_MS, STALE_TIP_SPACINGS,
};
use crate::net::peer::{Peer, PeerId, Role};
use crate::node::{Node, Output};

/// What is going on about outbound peers.
#[derive(Debug)]
pub(crate) struct Outbound {
    /// Calls that the driver has not answered.
    calls: BTreeMap<SocketAddr, Call>,
    /// The last run's block-only peers that have not been called yet.
    anchors: Vec<SocketAddr>,
    next_call_at: Timestamp,
    search_pause_ms: u64,
    feeler_at: Timestamp,
    tip: Tip,
    save_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    role: Role,
    since: Timestamp,
}

/// When the tip last moved, and whether somebody is being looked for who has a better one.
#[derive(Clone, Copy, Debug)]
struct Tip {
    hash: BlockHash,
    since: Timestamp,
    /// When the last extra peer was called for.
    extra_at: Option<Timestamp>,
    wants_extra: bool,
}

impl Outbound {
    pub fn new(anchors: Vec<SocketAddr>, now: Timestamp) -> Outbound {
        Outbound {
            calls: BTreeMap::new(),
            anchors,
            next_call_at: now,
            search_pause_ms: MIN_SEARCH_PAUSE_MS,
            feeler_at: now.saturating_add_millis(FEELER_MEAN_MS),
            tip: Tip { hash: BlockHash::ZERO, since: now, extra_at: None, wants_extra: false },
            save_at: None,
        }
    }

    /// Something has changed: whoever could not be found may be there now.
    pub fn wake(&mut self, now: Timestamp) {
        self.search_pause_ms = MIN_SEARCH_PAUSE_MS;
        self.next_call_at = self.next_call_at.min(now.saturating_add_millis(CALL_PACE_MS));
    }

    /// The driver has answered a call; gives what it was for.
    pub fn answered(&mut self, address: SocketAddr) -> Option<Role> {
        self.calls.remove(&canonical(address)).map(|call| call.role)
    }

    /// When something is to be done.
    pub fn next_timeout(&self) -> Option<Timestamp> {
        let calls = self.calls.values().map(|call| call.since.saturating_add_millis(DIAL_TIMEOUT_MS));
        calls.chain([self.next_call_at]).chain(self.save_at).min()
    }

    fn calling(&self, role: Role) -> usize {
        self.calls.values().filter(|call| call.role == role).count()
    }

    fn save_by(&mut self, at: Timestamp) {
        self.save_at = Some(self.save_at.map_or(at, |earlier| earlier.min(at)));
    }
}

impl Node {
    pub(crate) fn tick_outbound(&mut self, now: Timestamp) {
        if !self.config.finding.is_on() {
            return;
        }
        self.forget_silent_calls(now);
        self.look_at_tip_age(now);
        self.drop_extra_peer(now);
        self.tick_seeds(now);
        if self.net.outbound.next_call_at <= now {
            self.net.book.decide_contests(now);
            self.call_somebody(now);
        }
        self.save_book_if_due(now);
    }

    fn forget_silent_calls(&mut self, now: Timestamp) {
        let is_silent = |call: &Call| now.millis_since(call.since) >= DIAL_TIMEOUT_MS;
        let before = self.net.outbound.calls.len();
        self.net.outbound.calls.retain(|_, call| !is_silent(call));
        if self.net.outbound.calls.len() < before {
            self.net.outbound.wake(now);
        }
    }

    /// Fills one slot, or sends a feeler, or finds that there is nobody to call.
    fn call_somebody(&mut self, now: Timestamp) {
        let Some(role) = self.vacancy(now) else {
            let outbound = &mut self.net.outbound;
            let look_again = now.saturating_add_millis(MAX_SEARCH_PAUSE_MS);
            let feelers = self.config.finding.defences.feelers;
            let soonest = now.saturating_add_millis(CALL_PACE_MS);
            outbound.next_call_at = if feelers { outbound.feeler_at.clamp(soonest, look_again) } else { look_again };
            return;
        };
        let found = self.candidate(now, role);
        let outbound = &mut self.net.outbound;
        if role == Role::Feeler {
            outbound.feeler_at =
                now.saturating_add_millis(self.net.random.exponential(FEELER_MEAN_MS).max(CALL_PACE_MS));
        }
        let Some(address) = found else {
            outbound.next_call_at = now.saturating_add_millis(outbound.search_pause_ms);
            outbound.search_pause_ms = outbound.search_pause_ms.saturating_mul(2).min(MAX_SEARCH_PAUSE_MS);
            return;
        };
        outbound.search_pause_ms = MIN_SEARCH_PAUSE_MS;
        outbound.next_call_at = now.saturating_add_millis(CALL_PACE_MS);
        outbound.calls.insert(address, Call { role, since: now });
        // Offline every call fails, which says nothing about those who were called.
        let online = self.net.ready_peers().any(|peer| peer.role.is_outbound());
        self.net.book.attempt(address, now, online);
        self.output(Output::Dial { address });
    }

    /// What kind of peer is missing.
    fn vacancy(&self, now: Timestamp) -> Option<Role> {
        let (finding, outbound) = (&self.config.finding, &self.net.outbound);
        let count = |role| self.net.with_role(role) + outbound.calling(role);
        let block_only_free = count(Role::BlockOnly) < finding.block_only_peers;
        let wanted = finding.full_peers + usize::from(outbound.tip.wants_extra);
        if block_only_free && !outbound.anchors.is_empty() {
            return Some(Role::BlockOnly);
        }
        if count(Role::Full) < wanted {
            return Some(Role::Full);
        }
        if block_only_free {
            return Some(Role::BlockOnly);
        }
        let feeler = finding.defences.feelers && outbound.feeler_at <= now && count(Role::Feeler) == 0;
        feeler.then_some(Role::Feeler)
    }

    /// Somebody for the slot.
    fn candidate(&mut self, now: Timestamp, role: Role) -> Option<SocketAddr> {
        let taken = self.taken_addresses();
        if role == Role::BlockOnly {
            while let Some(anchor) = self.net.outbound.anchors.pop() {
                if !taken.contains(&anchor) && self.net.bans.refusal(now, anchor.ip(), Some(anchor.port())).is_none() {
                    return Some(anchor);
                }
            }
        }
        if role == Role::Feeler
            && let Some(contested) = self.net.book.contested(now).filter(|address| !taken.contains(address))
        {
            return Some(contested);
        }
        let distinct = self.config.finding.defences.distinct_groups && role != Role::Feeler;
        let groups = if distinct { self.taken_groups() } else { BTreeSet::new() };
        let (bans, all) = (&self.net.bans, self.config.finding.groups);
        let suits = |address: SocketAddr, services: Services| {
            services.contains(Services::FULL_CHAIN)
                && !taken.contains(&address)
                && !groups.contains(&all.group(address))
                && bans.refusal(now, address.ip(), Some(address.port())).is_none()
        };
        self.net.book.choose(now, role == Role::Feeler, |address, entry| suits(address, entry.services))
    }

    /// Addresses that are connected or being called, or that the operator takes care of.
    fn taken_addresses(&self) -> BTreeSet<SocketAddr> {
        let peers = self.net.peers.values().filter_map(Peer::listen_address);
        let calls = self.net.outbound.calls.keys().copied();
        let manual = self.net.redial.iter().map(|(address, _)| address);
        peers.chain(calls).chain(manual).map(canonical).collect()
    }

    /// Groups of the peers that we called or are calling.
    fn taken_groups(&self) -> BTreeSet<Group> {
        let counts = |role: Role| role.is_outbound() && role != Role::Feeler;
        let peers = self.net.peers.values().filter(|peer| counts(peer.role)).map(|peer| peer.address);
        let calls = self.net.outbound.calls.iter().filter(|(_, call)| counts(call.role)).map(|(address, _)| *address);
        peers.chain(calls).map(|address| self.net.book.group(address)).collect()
    }

    /// The tip has not moved for long: everybody we know may be withholding the chain, so somebody else is asked.
    fn look_at_tip_age(&mut self, now: Timestamp) {
        let hash = self.chain.tip().hash;
        let spacing_ms = u64::from(self.chain.params().spacing_seconds) * 1_000;
        let tip = &mut self.net.outbound.tip;
        if hash != tip.hash {
            *tip = Tip { hash, since: now, extra_at: None, wants_extra: false };
            return;
        }
        // Blocks on demand: no tip is ever stale.
        if spacing_ms == 0 {
            return;
        }
        let patience = (spacing_ms * STALE_TIP_SPACINGS).max(MIN_STALE_TIP_MS);
        let since = tip.extra_at.unwrap_or(tip.since);
        if now.millis_since(since) >= patience {
            tip.extra_at = Some(now);
            tip.wants_extra = true;
            self.net.outbound.wake(now);
        }
    }

    /// One peer more than there are slots: after a while the one that was least useful goes, whoever that is.
    fn drop_extra_peer(&mut self, now: Timestamp) {
        if self.net.with_role(Role::Full) <= self.config.finding.full_peers {
            return;
        }
        let full = || self.net.ready_peers().filter(|peer| peer.role == Role::Full);
        let settled = |peer: &&Peer| {
            now.millis_since(peer.connected_at) >= EXTRA_PEER_TRIAL_MS && peer.download.in_flight().next().is_none()
        };
        let newest = full().map(|peer| peer.connected_at).max();
        if newest.is_none_or(|newest| now.millis_since(newest) < EXTRA_PEER_TRIAL_MS) {
            return;
        }
        let least_useful = full()
            .filter(settled)
            .min_by_key(|peer| (peer.last_block_at, std::cmp::Reverse(peer.connected_at)))
            .map(|peer| peer.id);
        if let Some(id) = least_useful {
            self.net.outbound.tip.wants_extra = false;
            self.disconnect(now, id, DisconnectReason::ExtraPeer);
        }
    }

    /// An automatic peer is there and has shaken hands.
    pub(crate) fn outbound_ready(&mut self, now: Timestamp, id: PeerId) {
        let Some(peer) = self.net.peers.get(&id).filter(|peer| peer.role.is_outbound()) else {
            return;
        };
        let services = peer.version.as_ref().map_or(Services::NONE, |version| version.services.of_node());
        let (address, role) = (peer.address, peer.role);
        self.net.book.good(address, services, now);
        if role == Role::BlockOnly {
            self.net.outbound.save_by(now.saturating_add_millis(SAVE_ANCHORS_MS));
        }
    }

    /// A connection that we opened has ended.
    pub(crate) fn outbound_gone(&mut self, now: Timestamp, peer: &Peer) {
        if peer.is_ready() && now.millis_since(peer.connected_at) >= SAVE_BOOK_MS {
            self.net.book.was_there(peer.address, now);
        }
        if peer.role.is_automatic() {
            self.net.outbound.wake(now);
        }
    }

    fn save_book_if_due(&mut self, now: Timestamp) {
        if self.net.book.take_changed() {
            self.net.outbound.save_by(now.saturating_add_millis(SAVE_BOOK_MS));
        }
        if self.net.outbound.save_at.is_some_and(|at| at <= now) {
            self.save_book();
        }
    }

    /// Hands the address book out to be kept.
    pub(crate) fn save_book(&mut self) {
        if !self.config.finding.is_on() {
            return;
        }
        self.net.outbound.save_at = None;
        let anchors = self.config.finding.defences.anchors;
        let anchors = self.net.ready_peers().filter(|peer| anchors && peer.role == Role::BlockOnly);
        let mut anchors: Vec<SocketAddr> = anchors.map(|peer| peer.address).take(MAX_ANCHORS).collect();
        // Those of the last run that have not had their turn are still the best we know.
        anchors.extend(self.net.outbound.anchors.iter().copied());
        anchors.truncate(MAX_ANCHORS);
        let saved = self.net.book.save(self.chain.genesis_hash(), anchors);
        self.output(Output::KeepAddresses { book: saved.encode() });
    }
}
