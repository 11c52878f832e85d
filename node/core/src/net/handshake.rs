//! Both sides say who they are before anything else is said.
//!
//! The caller sends `Version` at once; the called one answers with its own, even to a stranger, so that the stranger learns which
//! network this is. Each acknowledges the other's with `VersionAck`.

use tally_primitives::units::Timestamp;
use tally_wire::{Message, MessageKind, Services, Version};

use crate::event::Event;
use crate::net::disconnect::{DisconnectReason, Violation};
use crate::net::limits::{
    HANDSHAKE_TIMEOUT_MS, MAX_ANNOUNCEMENT_QUEUE, MAX_USER_AGENT_KEPT, MIN_PROTOCOL_VERSION, PROTOCOL_VERSION,
};
use crate::net::peer::{Direction, Handshake, Peer, PeerId, Role};
use crate::node::Node;

impl Node {
    /// Says who we are.
    pub(crate) fn send_version(&mut self, now: Timestamp, id: PeerId) {
        let tip = self.chain.tip();
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        peer.told_tip = tip.hash;
        let blocks_only = matches!(peer.role, Role::BlockOnly | Role::Feeler);
        let services =
            if blocks_only { Services::FULL_CHAIN.with(Services::BLOCKS_ONLY) } else { Services::FULL_CHAIN };
        let version = Version {
            protocol: PROTOCOL_VERSION,
            services,
            genesis: self.chain.genesis_hash(),
            time: now,
            nonce: peer.our_nonce,
            user_agent: self.config.user_agent.clone(),
            listen_port: self.config.listen_port,
            height: tip.height,
            chain_work: tip.work,
        };
        self.send(id, Message::Version(Box::new(version)));
    }

    pub(crate) fn on_version(&mut self, now: Timestamp, id: PeerId, mut version: Version) {
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        if peer.handshake != Handshake::AwaitsVersion {
            let violation = Violation::HandshakeOrder { kind: MessageKind::Version };
            return self.punish(now, id, violation);
        }
        // Printable ASCII: every character is a byte.
        version.user_agent.truncate(MAX_USER_AGENT_KEPT);
        peer.version = Some(version.clone());
        let (address, direction, role) = (peer.address, peer.direction, peer.role);
        if self.is_self_connection(now, id, version.nonce) {
            return;
        }
        if direction == Direction::Inbound {
            self.send_version(now, id);
        }
        if let Some(reason) = self.unsuitable(now, id, &version) {
            if matches!(reason, DisconnectReason::WrongGenesis { .. }) && direction == Direction::Outbound {
                self.net.book.forget(address);
            }
            return self.disconnect(now, id, reason);
        }
        if role == Role::Feeler {
            self.outbound_ready(now, id);
            return self.disconnect(now, id, DisconnectReason::FeelerDone);
        }
        if let Some(peer) = self.net.peers.get_mut(&id) {
            peer.handshake = Handshake::AwaitsAck;
            peer.headers.claimed_work = version.chain_work;
            self.net.highest_claim = self.net.highest_claim.max(version.chain_work);
        }
        self.send(id, Message::VersionAck);
    }

    /// Why we want nothing to do with a peer that says this of itself.
    fn unsuitable(&self, now: Timestamp, id: PeerId, version: &Version) -> Option<DisconnectReason> {
        let ours = self.chain.genesis_hash();
        if version.genesis != ours {
            return Some(DisconnectReason::WrongGenesis { ours, theirs: version.genesis });
        }
        if version.protocol < MIN_PROTOCOL_VERSION {
            return Some(DisconnectReason::OldProtocol { theirs: version.protocol, min: MIN_PROTOCOL_VERSION });
        }
        self.net.peers.get(&id).and_then(|peer| self.refusal(now, peer))
    }

    /// A `Version` with a nonce of our own comes from ourselves: both ends are closed, and the address is not called again.
    fn is_self_connection(&mut self, now: Timestamp, id: PeerId, nonce: u64) -> bool {
        let Some(direction) = self.net.peers.get(&id).map(|peer| peer.direction) else {
            return false;
        };
        // The other end of the same connection has not shaken hands either, and sees it from the other side.
        let is_other_end = |peer: &&Peer| peer.our_nonce == nonce && peer.direction != direction && !peer.is_ready();
        let Some(other) = self.net.peers.values().find(is_other_end) else {
            return false;
        };
        let other = (other.id, other.address, other.direction);
        let this = self.net.peers.get(&id).map(|peer| (peer.id, peer.address, peer.direction));
        for (id, address, direction) in this.into_iter().chain([other]) {
            if direction == Direction::Outbound {
                self.net.redial.forget_own(address);
                self.net.book.forget_own(address);
            }
            self.disconnect(now, id, DisconnectReason::SelfConnection);
        }
        true
    }

    pub(crate) fn on_version_ack(&mut self, now: Timestamp, id: PeerId) {
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        match peer.handshake {
            Handshake::AwaitsVersion => {
                self.punish(now, id, Violation::HandshakeOrder { kind: MessageKind::VersionAck });
            }
            Handshake::AwaitsAck => {
                peer.handshake = Handshake::Done;
                self.welcome(now, id);
            }
            // Said twice: harmless.
            Handshake::Done => {}
        }
    }

    /// The handshake is done: tell the peer what it may have missed, and see whether it has more than we.
    fn welcome(&mut self, now: Timestamp, id: PeerId) {
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        let (address, direction, told_tip) = (peer.address, peer.direction, peer.told_tip);
        let (role, offset) = (peer.role, peer.clock_offset());
        self.emit(Event::PeerConnected { peer: id.0, address, inbound: direction == Direction::Inbound });
        if direction == Direction::Outbound {
            self.net.redial.shook_hands(address);
            self.net.clock_skew.add(offset);
            self.outbound_ready(now, id);
        }
        if self.config.finding.gossip && direction == Direction::Outbound && role != Role::BlockOnly {
            if let Some(peer) = self.net.peers.get_mut(&id) {
                peer.addresses.asked(now);
            }
            self.send(id, Message::GetAddresses);
            self.tell_own_address(now, id);
        }
        self.send(id, Message::SendCompact { high_bandwidth: false });
        self.tell_fee_filter(now, id);
        self.hear_listen_address(now, id);
        if self.chain.tip().hash != told_tip {
            self.announce_tip_to(id);
        }
        let wtxids = self.mempool_wtxids(MAX_ANNOUNCEMENT_QUEUE);
        for wtxid in wtxids {
            self.queue_announcement(now, id, wtxid);
        }
        self.sync_headers(now);
    }

    pub(crate) fn tick_handshakes(&mut self, now: Timestamp, due: &[PeerId]) {
        let late: Vec<PeerId> = self
            .net
            .peers
            .among(due)
            .filter(|peer| !peer.is_ready() && now.millis_since(peer.connected_at) >= HANDSHAKE_TIMEOUT_MS)
            .map(|peer| peer.id)
            .collect();
        for id in late {
            self.disconnect(now, id, DisconnectReason::HandshakeTimeout { millis: HANDSHAKE_TIMEOUT_MS });
        }
    }
}
