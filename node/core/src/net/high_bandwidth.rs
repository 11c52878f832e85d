//! Which peers push blocks to us: the three that were first with new ones.
//!
//! A pushed block comes unasked and costs some kilobytes; from three peers it comes early enough, from all of them it would come a hundred
//! times. Who was first lately is likely to be first again. One of the three is a peer that we have called, as long as there is one: an
//! attacker can open many connections to us, and not choose whom we call.

use std::collections::VecDeque;

use tally_wire::Message;

use crate::net::limits::MAX_HIGH_BANDWIDTH_PEERS;
use crate::net::peer::{Direction, PeerId};
use crate::node::Node;

/// What was said about compact blocks on one connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PeerCompact {
    /// The peer takes part: it has sent `SendCompact`.
    pub supported: bool,
    /// The peer wants new blocks pushed.
    pub wants_push: bool,
}

/// The peers that push blocks to us, the one that was first longest ago in front.
#[derive(Debug, Default)]
pub(crate) struct HighBandwidth {
    chosen: VecDeque<PeerId>,
}

impl HighBandwidth {
    /// Whether this peer was asked to push.
    pub fn is_chosen(&self, peer: PeerId) -> bool {
        self.chosen.contains(&peer)
    }

    /// A peer is gone.
    pub fn peer_gone(&mut self, peer: PeerId) {
        self.chosen.retain(|chosen| *chosen != peer);
    }
}

impl Node {
    pub(crate) fn on_send_compact(&mut self, id: PeerId, high_bandwidth: bool) {
        if let Some(peer) = self.net.peers.get_mut(&id) {
            peer.compact = PeerCompact { supported: true, wants_push: high_bandwidth };
        }
    }

    /// A peer was first with a block that has become the tip: from now on it shall push, and the one that was first longest ago need not.
    pub(crate) fn note_first_deliverer(&mut self, id: PeerId) {
        let is_willing = self.net.peers.get(&id).is_some_and(|peer| peer.is_ready() && peer.compact.supported);
        if self.chain.is_syncing() || !is_willing {
            return;
        }
        let chosen = &mut self.net.high_bandwidth.chosen;
        let before = chosen.len();
        chosen.retain(|peer| *peer != id);
        let is_new = chosen.len() == before;
        chosen.push_back(id);
        if is_new {
            self.send(id, Message::SendCompact { high_bandwidth: true });
        }
        if self.net.high_bandwidth.chosen.len() > MAX_HIGH_BANDWIDTH_PEERS
            && let Some(dropped) = self.one_too_many()
        {
            self.net.high_bandwidth.peer_gone(dropped);
            self.send(dropped, Message::SendCompact { high_bandwidth: false });
        }
    }

    /// The one in front, unless it is the only one that we have called: then the next.
    fn one_too_many(&self) -> Option<PeerId> {
        let chosen = &self.net.high_bandwidth.chosen;
        let is_outbound =
            |id: &&PeerId| self.net.peers.get(id).is_some_and(|peer| peer.direction == Direction::Outbound);
        let front = chosen.front()?;
        let keeps_the_only_one = is_outbound(&front) && chosen.iter().filter(is_outbound).count() == 1;
        chosen.get(usize::from(keeps_the_only_one)).copied()
    }
}
