//! Is the peer there, and how far away is it?

use tally_primitives::units::Timestamp;
use tally_wire::Message;

use crate::net::address_book::secret::Purpose;
use crate::net::disconnect::DisconnectReason;
use crate::net::limits::{PING_INTERVAL_MS, PONG_TIMEOUT_MS};
use crate::net::peer::PeerId;
use crate::node::Node;

/// Pings of one peer.
#[derive(Debug)]
pub(crate) struct PeerPing {
    /// The ping that waits for its pong, and since when.
    waiting: Option<(u64, Timestamp)>,
    next_at: Timestamp,
    last_millis: Option<u64>,
    min_millis: Option<u64>,
}

impl PeerPing {
    /// The first ping goes out as soon as the handshake is done.
    pub fn new(now: Timestamp) -> PeerPing {
        PeerPing { waiting: None, next_at: now, last_millis: None, min_millis: None }
    }

    pub fn last_millis(&self) -> Option<u64> {
        self.last_millis
    }

    pub fn min_millis(&self) -> Option<u64> {
        self.min_millis
    }

    pub fn wait_millis(&self, now: Timestamp) -> Option<u64> {
        self.waiting.map(|(_, since)| now.millis_since(since))
    }

    /// When something is to be done.
    pub fn due(&self) -> Timestamp {
        match self.waiting {
            Some((_, since)) => since.saturating_add_millis(PONG_TIMEOUT_MS),
            None => self.next_at,
        }
    }

    fn start(&mut self, nonce: u64, now: Timestamp) {
        self.waiting = Some((nonce, now));
        self.next_at = now.saturating_add_millis(PING_INTERVAL_MS);
    }

    /// Another nonce than the one we wait for proves nothing, so it is ignored.
    fn pong(&mut self, nonce: u64, now: Timestamp) {
        if let Some((expected, since)) = self.waiting
            && expected == nonce
        {
            let millis = now.millis_since(since);
            self.waiting = None;
            self.last_millis = Some(millis);
            self.min_millis = Some(self.min_millis.map_or(millis, |min| min.min(millis)));
        }
    }
}

impl Node {
    pub(crate) fn on_ping(&mut self, peer: PeerId, nonce: u64) {
        self.send(peer, Message::Pong { nonce });
    }

    pub(crate) fn on_pong(&mut self, now: Timestamp, peer: PeerId, nonce: u64) {
        if let Some(peer) = self.net.peers.get_mut(&peer) {
            peer.ping.pong(nonce, now);
        }
    }

    /// A number that only its receiver can know: it tells nothing about others.
    pub(crate) fn secret_nonce(&self, id: PeerId, now: Timestamp) -> u64 {
        self.net.secret.hash(Purpose::Nonce, &[&id.0.to_le_bytes(), &now.as_millis().to_le_bytes()])
    }

    pub(crate) fn tick_pings(&mut self, now: Timestamp) {
        let due: Vec<(PeerId, bool)> = self
            .net
            .ready_peers()
            .filter(|peer| peer.ping.due() <= now)
            .map(|peer| (peer.id, peer.ping.waiting.is_some()))
            .collect();
        for (id, timed_out) in due {
            if timed_out {
                self.disconnect(now, id, DisconnectReason::PingTimeout { millis: PONG_TIMEOUT_MS });
                continue;
            }
            let nonce = self.secret_nonce(id, now);
            if let Some(peer) = self.net.peers.get_mut(&id) {
                peer.ping.start(nonce, now);
            }
            self.send(id, Message::Ping { nonce });
        }
    }
}
