//! Not announcing what the other would refuse: each side says what its mempool asks for at least.
//!
//! The number is rounded, since the exact one would tell apart a node's connections under different addresses, and it is said seldom: at
//! the start, then every ten minutes or so if it has changed, sooner if it has changed much.

use tally_primitives::units::{FeeRate, Timestamp};
use tally_wire::Message;

use crate::net::limits::{FEE_FILTER_HURRY_MS, FEE_FILTER_MEAN_MS};
use crate::net::peer::PeerId;
use crate::node::Node;

/// Significant bits of a rate that is told: steps of 13 to 25 percent.
const SIGNIFICANT_BITS: u32 = 3;

/// What was said about fees on one connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PeerFeeFilter {
    /// What the peer asks for at least.
    pub theirs: FeeRate,
    /// What we said last.
    told: FeeRate,
    next_at: Option<Timestamp>,
}

impl PeerFeeFilter {
    /// When something is to be done.
    pub fn due(&self) -> Option<Timestamp> {
        self.next_at
    }
}

/// A rate as it is told: rounded down, so that nothing is kept from us that we would take.
fn rounded(rate: FeeRate) -> FeeRate {
    let exact = rate.to_notches_per_kilobyte();
    let drop = (u64::BITS - exact.leading_zeros()).saturating_sub(SIGNIFICANT_BITS);
    FeeRate::from_notches_per_kilobyte(exact >> drop << drop)
}

/// Whether a change is worth telling. Lower is told at once it is lower, higher only by a quarter: a rate that wavers around a step is
/// not told over and over.
fn is_worth_telling(told: FeeRate, now: FeeRate) -> bool {
    let told_exact = told.to_notches_per_kilobyte();
    now < told || rounded(now).to_notches_per_kilobyte() >= told_exact.saturating_add(told_exact / 4).max(1)
}

/// Whether it has changed so much that it is told soon: by a third down or up.
fn is_urgent(told: FeeRate, now: FeeRate) -> bool {
    let (told, now) = (u128::from(told.to_notches_per_kilobyte()), u128::from(now.to_notches_per_kilobyte()));
    now * 4 < told * 3 || now * 3 > told * 4
}

impl Node {
    pub(crate) fn on_fee_filter(&mut self, id: PeerId, rate: FeeRate) {
        if let Some(peer) = self.net.peers.get_mut(&id) {
            peer.fee_filter.theirs = rate;
        }
    }

    /// Says what our mempool asks for, if it is not what was said last, and plans the next time: none while the minimum cannot move.
    pub(crate) fn tell_fee_filter(&mut self, now: Timestamp, id: PeerId) {
        let rate = self.mempool.min_fee_rate(now);
        let moves = self.mempool.floor_moves();
        let pause = moves.then(|| self.net.random.exponential(FEE_FILTER_MEAN_MS).max(1_000));
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        let filter = &mut peer.fee_filter;
        filter.next_at = pause.map(|pause| now.saturating_add_millis(pause));
        if is_worth_telling(filter.told, rate) {
            filter.told = rounded(rate);
            let rate = filter.told;
            self.send(id, Message::FeeFilter { rate });
        }
    }

    pub(crate) fn tick_fee_filters(&mut self, now: Timestamp, due: &[PeerId]) {
        let is_due = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        let peers = self.net.peers.among(due).filter(|peer| peer.is_ready() && is_due(peer.fee_filter.next_at));
        let due: Vec<PeerId> = peers.map(|peer| peer.id).collect();
        for id in due {
            self.tell_fee_filter(now, id);
        }
    }

    /// Brings forward what has become urgent, and plans what was not planned. Called now and then: the minimum moves slowly.
    pub(crate) fn hurry_fee_filters(&mut self, now: Timestamp) {
        if !self.mempool.floor_moves() {
            return;
        }
        let rate = self.mempool.min_fee_rate(now);
        let soon = now.saturating_add_millis(FEE_FILTER_HURRY_MS);
        let net = &mut self.net;
        for peer in net.peers.values_mut().filter(|peer| peer.is_ready()) {
            let filter = &mut peer.fee_filter;
            if is_urgent(filter.told, rate) && filter.next_at.is_none_or(|at| at > soon) {
                let pause = net.random.below(FEE_FILTER_HURRY_MS);
                filter.next_at = Some(now.saturating_add_millis(pause));
            } else if filter.next_at.is_none() {
                let pause = net.random.exponential(FEE_FILTER_MEAN_MS).max(1_000);
                filter.next_at = Some(now.saturating_add_millis(pause));
            }
        }
    }
}

#[cfg(test)]
mod tests;
