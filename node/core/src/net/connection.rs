//! Connections come and go, and each message goes to the concern that it is about.

use std::net::SocketAddr;

use tally_primitives::hash::BlockHash;
use tally_primitives::units::{Height, Timestamp};
use tally_wire::{FrameError, InventoryItem, Message, Services};

use crate::event::Event;
use crate::net::announce::Announcer;
use crate::net::disconnect::{DisconnectReason, Violation};
use crate::net::download::PeerDownload;
use crate::net::fee_filter::PeerFeeFilter;
use crate::net::gossip::PeerAddresses;
use crate::net::headers::PeerHeaders;
use crate::net::high_bandwidth::PeerCompact;
use crate::net::limits::MAX_UNKNOWN_FRAMES_PER_MINUTE;
use crate::net::peer::{Direction, Handshake, Peer, PeerId, PeerInfo, Role};
use crate::net::ping::PeerPing;
use crate::net::serve::ServeQueue;
use crate::node::{Node, Output};

const MINUTE_MS: u64 = 60_000;

impl Node {
    /// A connection is there: one that we asked for with [`Output::Dial`] (outbound, to the same address), or one that somebody else
    /// opened. `id` is new.
    pub fn handle_peer_connected(&mut self, now: Timestamp, id: PeerId, address: SocketAddr, direction: Direction) {
        self.begin(now);
        let role = self.role_of(address, direction);
        if direction == Direction::Outbound && self.outbound_to(address).is_some() {
            self.output(Output::Disconnect { peer: id, reason: DisconnectReason::AlreadyConnected });
            return self.finish(now);
        }
        let our_nonce = self.secret_nonce(id, now);
        let peer = Peer {
            id,
            address,
            direction,
            role,
            connected_at: now,
            last_message_at: now,
            handshake: Handshake::AwaitsVersion,
            our_nonce,
            told_tip: BlockHash::ZERO,
            version: None,
            ping: PeerPing::new(now),
            headers: PeerHeaders::default(),
            download: PeerDownload::default(),
            announcer: Announcer::new(),
            serve: ServeQueue::default(),
            compact: PeerCompact::default(),
            fee_filter: PeerFeeFilter::default(),
            addresses: PeerAddresses::new(now),
            last_block_at: None,
            last_transaction_at: None,
            unknown_frames: (0, now),
        };
        // A banned address must not drive anybody out.
        let refusal = self.refusal(now, &peer).or_else(|| self.admit(now, &peer).err());
        self.net.peers.insert(id, peer);
        if direction == Direction::Outbound {
            self.net.redial.connected(address, now);
        }
        if let Some(reason) = refusal {
            self.disconnect(now, id, reason);
        } else if direction == Direction::Outbound {
            self.send_version(now, id);
        }
        self.finish(now);
    }

    /// What a connection is for.
    fn role_of(&mut self, address: SocketAddr, direction: Direction) -> Role {
        if direction == Direction::Inbound {
            return Role::Inbound;
        }
        let called_for = self.net.outbound.answered(address);
        if self.net.redial.contains(address) { Role::Manual } else { called_for.unwrap_or(Role::Manual) }
    }

    /// Why a peer is not wanted, if it is not. Whom the operator asked for is welcome unless the operator banned it too.
    pub(crate) fn refusal(&self, now: Timestamp, peer: &Peer) -> Option<DisconnectReason> {
        let (ip, port) = peer.identity();
        let manual = peer.role == Role::Manual && self.net.redial.contains(peer.address);
        self.net.bans.refusal(now, ip, port).filter(|reason| !(manual && *reason == DisconnectReason::Discouraged))
    }

    /// A message came from a peer.
    pub fn handle_message(&mut self, now: Timestamp, id: PeerId, message: Message) {
        if let Message::Headers(headers) = &message
            && self.is_old_news(now, id, headers)
        {
            return;
        }
        self.begin(now);
        if let Some(peer) = self.net.peers.get_mut_quietly(&id) {
            peer.last_message_at = now;
            let early = !peer.is_ready() && !matches!(message, Message::Version(_) | Message::VersionAck);
            if early {
                self.punish(now, id, Violation::HandshakeOrder { kind: message.kind() });
            } else if let Some(message) = self.wanted(id, message) {
                self.take_message(now, id, message);
            }
        }
        self.finish(now);
    }

    /// Over a connection for blocks only nothing else is taken.
    fn wanted(&self, id: PeerId, message: Message) -> Option<Message> {
        let relays = || self.net.peers.get(&id).is_none_or(Peer::relays);
        match message {
            Message::Transaction(_) if !relays() => None,
            Message::Inventory(mut items) if !relays() => {
                items.retain(|item| matches!(item, InventoryItem::Block(_)));
                Some(Message::Inventory(items))
            }
            message => Some(message),
        }
    }

    /// Acts on a message, and notes whether it brought a transaction that was news.
    fn take_message(&mut self, now: Timestamp, id: PeerId, message: Message) {
        if !matches!(message, Message::Transaction(_)) {
            return self.dispatch(now, id, message);
        }
        let before = (self.mempool.len(), self.mempool.total_fees());
        self.dispatch(now, id, message);
        if before != (self.mempool.len(), self.mempool.total_fees())
            && let Some(peer) = self.net.peers.get_mut(&id)
        {
            peer.last_transaction_at = Some(now);
        }
    }

    fn dispatch(&mut self, now: Timestamp, id: PeerId, message: Message) {
        match message {
            Message::Version(version) => self.on_version(now, id, *version),
            Message::VersionAck => self.on_version_ack(now, id),
            Message::Ping { nonce } => self.on_ping(id, nonce),
            Message::Pong { nonce } => self.on_pong(now, id, nonce),
            Message::GetAddresses => self.on_get_addresses(now, id),
            Message::Addresses(records) => self.on_addresses(now, id, records),
            Message::GetHeaders { locator, stop } => self.on_get_headers(id, &locator, &stop),
            Message::Headers(headers) => self.on_headers(now, id, &headers),
            Message::Inventory(items) => self.on_inventory(now, id, &items),
            Message::GetData(items) => match self.upload_refusal(now, id, &items) {
                Some(reason) => self.disconnect(now, id, reason),
                None => self.on_get_data(now, id, items),
            },
            Message::NotFound(items) => self.on_not_found(now, id, &items),
            Message::Block(block) => self.on_block(now, id, block),
            Message::Transaction(transaction) => self.on_transaction(now, id, transaction),
            Message::SendCompact { high_bandwidth } => self.on_send_compact(id, high_bandwidth),
            Message::CompactBlock(compact) => self.on_compact_block(now, id, &compact),
            // Of a block that lies deep all of it is sent.
            Message::GetBlockTransactions { block, indexes } => {
                match self.upload_refusal(now, id, &[InventoryItem::Block(block)]) {
                    Some(reason) => self.disconnect(now, id, reason),
                    None => self.on_get_block_transactions(now, id, block, indexes),
                }
            }
            Message::BlockTransactions { block, transactions } => {
                self.on_block_transactions(now, id, block, transactions);
            }
            Message::FeeFilter { rate } => self.on_fee_filter(id, rate),
        }
    }

    /// The bytes of a peer are no message. Unknown kinds are skipped, within a rate; after anything else the stream is lost.
    pub fn handle_bad_frame(&mut self, now: Timestamp, id: PeerId, error: FrameError) {
        self.begin(now);
        if let Some(peer) = self.net.peers.get_mut(&id) {
            if error.is_violation() {
                self.punish(now, id, Violation::Frame { error });
            } else if error.is_fatal() {
                // Another network, perhaps: our own Version tells the caller which one this is.
                if peer.direction == Direction::Inbound && peer.handshake == Handshake::AwaitsVersion {
                    self.send_version(now, id);
                }
                self.disconnect(now, id, DisconnectReason::BadFrame { error });
            } else {
                self.count_unknown_frame(now, id);
            }
        }
        self.finish(now);
    }

    fn count_unknown_frame(&mut self, now: Timestamp, id: PeerId) {
        let Some(peer) = self.net.peers.get_mut(&id) else {
            return;
        };
        peer.last_message_at = now;
        let (count, since) = peer.unknown_frames;
        peer.unknown_frames =
            if now.millis_since(since) >= MINUTE_MS { (1, now) } else { (count.saturating_add(1), since) };
        if peer.unknown_frames.0 > MAX_UNKNOWN_FRAMES_PER_MINUTE {
            self.punish(now, id, Violation::UnknownFlood { max: MAX_UNKNOWN_FRAMES_PER_MINUTE });
        }
    }

    /// A connection ended from the other side, or broke. Unknown to the node (for it ended it itself): nothing happens.
    pub fn handle_peer_gone(&mut self, now: Timestamp, id: PeerId, why: &str) {
        self.begin(now);
        self.forget_peer(now, id, &DisconnectReason::Closed { why: why.to_owned() });
        self.finish(now);
    }

    /// An [`Output::Dial`] came to nothing.
    pub fn handle_dial_failed(&mut self, now: Timestamp, address: SocketAddr) {
        self.begin(now);
        self.net.redial.dial_failed(address, now, &mut self.net.random);
        if self.net.outbound.answered(address).is_some() {
            self.net.outbound.wake(now);
        }
        self.finish(now);
    }

    /// Ends a connection.
    pub(crate) fn disconnect(&mut self, now: Timestamp, id: PeerId, reason: DisconnectReason) {
        if self.forget_peer(now, id, &reason) {
            self.output(Output::Disconnect { peer: id, reason });
        }
    }

    /// Ends a connection to a peer that broke a rule, and avoids its address.
    pub(crate) fn punish(&mut self, now: Timestamp, id: PeerId, violation: Violation) {
        let Some(peer) = self.net.peers.get(&id) else {
            return;
        };
        let (ip, port) = peer.identity();
        self.net.bans.discourage(now, ip, port);
        self.disconnect(now, id, violation.into());
    }

    /// Forgets a peer; what it was asked for is asked elsewhere. False if it was unknown.
    fn forget_peer(&mut self, now: Timestamp, id: PeerId, reason: &DisconnectReason) -> bool {
        let Some(peer) = self.net.peers.remove(&id) else {
            return false;
        };
        if peer.direction == Direction::Outbound {
            self.net.redial.lost(peer.address, now, &mut self.net.random);
            self.outbound_gone(now, &peer);
        }
        if peer.is_ready() {
            self.emit(Event::PeerDisconnected { peer: id.0, reason: reason.to_string() });
        }
        self.downloads_of_gone_peer(&peer);
        self.compact_peer_gone(now, id);
        self.net.high_bandwidth.peer_gone(id);
        self.net.relay.orphans.peer_gone(id);
        let asks = self.net.relay.requests.peer_gone(now, id);
        self.ask_for(asks);
        self.net.peer_left = true;
        true
    }

    /// Whether the handshake with a peer is done.
    pub fn is_ready(&self, id: PeerId) -> bool {
        self.net.peers.get(&id).is_some_and(Peer::is_ready)
    }

    /// What people are told about every peer.
    pub fn peers(&self, now: Timestamp) -> impl Iterator<Item = PeerInfo> {
        self.net.peers.values().map(move |peer| self.peer_info(now, peer))
    }

    fn peer_info(&self, now: Timestamp, peer: &Peer) -> PeerInfo {
        let index = self.chain.index();
        let version = peer.version.as_ref();
        PeerInfo {
            id: peer.id,
            address: peer.address,
            listen_address: peer.listen_address(),
            direction: peer.direction,
            role: peer.role,
            relays: peer.relays(),
            ready: peer.is_ready(),
            protocol: version.map_or(0, |version| version.protocol),
            services: version.map_or(Services::NONE, |version| version.services),
            user_agent: version.map_or_else(String::new, |version| version.user_agent.clone()),
            start_height: version.map_or(Height::GENESIS, |version| version.height),
            best_known: peer.headers.best.map(|best| (index.get(best).hash, index.get(best).height)),
            time_offset_millis: peer.clock_offset(),
            connected_at: peer.connected_at,
            last_message_at: peer.last_message_at,
            last_block_at: peer.last_block_at,
            last_transaction_at: peer.last_transaction_at,
            ping_millis: peer.ping.last_millis(),
            min_ping_millis: peer.ping.min_millis(),
            ping_wait_millis: peer.ping.wait_millis(now),
            blocks_in_flight: peer
                .download
                .in_flight()
                .filter_map(|hash| index.entry(hash).map(|entry| entry.height))
                .collect(),
            transactions_in_flight: self.net.relay.requests.in_flight(peer.id),
            send_queue_bytes: peer.serve.queued_bytes(),
            pushes_to_us: self.net.high_bandwidth.is_chosen(peer.id),
            we_push: peer.compact.wants_push,
            fee_filter: peer.fee_filter.theirs,
        }
    }
}
