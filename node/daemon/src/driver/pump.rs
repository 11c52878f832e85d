//! Carrying out what the node wants: sent, handed over to the store, dialled, told.

use tally_node_core::event::{Event, RemovalReason};
use tally_node_core::net::peer::PeerId;
use tally_node_core::node::Output;
use tally_wire::Message;

use super::{DriverError, Loop};
use crate::transport::{Backlog, PeerEvent, Priority, TOTAL_QUEUE_BYTES, dial, resolve_seeds};
use crate::{addresses, clock};

impl Loop {
    /// Does everything that the node wants done, in order.
    ///
    /// Returns whether anything was handed over to the store.
    pub(super) fn pump(&mut self) -> Result<bool, DriverError> {
        let mut has_stored = false;
        let mut cut_off = Vec::new();
        loop {
            while let Some(output) = self.core.node.poll_output() {
                match output {
                    Output::Commit(changes) => {
                        self.writer.put(*changes).map_err(|error| self.halted(error.to_string()))?;
                        has_stored = true;
                    }
                    Output::Send { peer, message } => cut_off.extend(self.send(peer, message)),
                    Output::Dial { address } => {
                        tokio::spawn(dial(self.transport.clone(), address));
                    }
                    Output::ResolveSeeds { names } => {
                        tokio::spawn(resolve_seeds(self.transport.clone(), names));
                    }
                    Output::KeepAddresses { book } => addresses::keep(&self.data_dir, &book),
                    Output::Disconnect { peer, reason } => {
                        tracing::debug!(peer = peer.0, %reason, "disconnecting");
                        if let Some(link) = self.core.peers.remove(&peer) {
                            link.close(&reason.to_string());
                        }
                    }
                    Output::Emit(event) => self.tell(event),
                    Output::Halt { reason } => return Err(self.halted(reason)),
                }
            }
            let Some((peer, reason)) = cut_off.pop() else {
                return Ok(has_stored);
            };
            if let Some(link) = self.core.peers.remove(&peer) {
                link.close(&reason);
            }
            self.core.node.handle_peer_gone(clock::now(), peer, &reason);
        }
    }

    /// Queues a message; gives who has to be cut off, and why.
    fn send(&self, peer: PeerId, message: Message) -> Option<(PeerId, String)> {
        let link = self.core.peers.get(&peer)?;
        let priority = Priority::of(&message);
        if let Err(error) = link.send(message, priority) {
            return Some((peer, error.to_string()));
        }
        if self.transport.waiting_bytes() > TOTAL_QUEUE_BYTES { self.slowest_reader() } else { None }
    }

    /// Who has read nothing for the longest time, although something waits.
    fn slowest_reader(&self) -> Option<(PeerId, String)> {
        let backlogs = self.core.peers.iter().map(|(peer, link)| (*peer, link.backlog()));
        let waiting = backlogs.filter(|(_, backlog)| backlog.bytes > 0);
        let (peer, backlog) = waiting.max_by_key(|(_, backlog)| (backlog.stalled_millis, backlog.bytes))?;
        let Backlog { bytes, stalled_millis } = backlog;
        let reason = format!("it has read none of {bytes} bytes for {stalled_millis} ms, and others need the memory");
        Some((peer, reason))
    }

    pub(super) fn handle_peer_event(&mut self, event: PeerEvent) {
        let now = clock::now();
        let core = &mut self.core;
        match event {
            PeerEvent::Connected { peer, address, direction, link } => {
                core.peers.insert(peer, link);
                core.node.handle_peer_connected(now, peer, address, direction);
            }
            PeerEvent::Message { peer, message, room } => {
                // What still came from a peer that was disconnected does not count.
                if core.peers.contains_key(&peer) {
                    core.node.handle_message(now, peer, message);
                }
                drop(room);
            }
            PeerEvent::BadFrame { peer, error } => {
                tracing::debug!(peer = peer.0, %error, "bad frame");
                core.node.handle_bad_frame(now, peer, error);
            }
            PeerEvent::Drained { peer } => {
                if let Some(link) = core.peers.get(&peer) {
                    let bytes = link.backlog().bytes;
                    core.node.handle_send_queue(now, peer, bytes);
                }
            }
            PeerEvent::Gone { peer, reason } => {
                if core.peers.remove(&peer).is_some() {
                    core.node.handle_peer_gone(now, peer, &reason);
                }
            }
            PeerEvent::DialFailed { address } => core.node.handle_dial_failed(now, address),
            PeerEvent::Seed { name, addresses } => core.node.handle_seed(now, &name, &addresses),
            PeerEvent::Neighbour { address } => core.node.handle_neighbour(now, address),
        }
    }

    /// A peer more has told its time: says once that this machine's clock is wrong, if it is.
    fn compare_clocks(&mut self) {
        let offset = self.core.node.clock_warning();
        if let Some(offset) = offset.filter(|_| !self.clock_warned) {
            tracing::warn!("{}", crate::rpc::clock_warning(offset));
        }
        self.clock_warned = offset.is_some();
    }

    fn tell(&mut self, event: Event) {
        log(&event, self.core.node.chain().is_syncing());
        match &event {
            Event::PeerConnected { .. } => self.compare_clocks(),
            Event::TipChanged { new, .. } => {
                let tip = *new;
                self.work.send_modify(|work| {
                    work.tip = tip;
                    work.sequence += 1;
                });
            }
            // What a block confirms or contradicts leaves with the tip's change.
            Event::TransactionRemoved { reason: RemovalReason::Confirmed | RemovalReason::Conflict, .. } => {}
            Event::TransactionAccepted { .. } | Event::TransactionRemoved { .. } => {
                self.work.send_modify(|work| work.sequence += 1);
            }
            _ => {}
        }
        // Nobody listening is no failure.
        let _ = self.events.send(event);
    }
}

/// One line a tip, unless so many pass by that a progress bar tells more.
fn log(event: &Event, syncing: bool) {
    match event {
        Event::TipChanged { new, height, reorg_depth, .. } => match (reorg_depth, syncing) {
            (0, true) => tracing::debug!(height = height.get(), hash = %new, "new tip"),
            (0, false) => tracing::info!(height = height.get(), hash = %new, "new tip"),
            (depth, _) => tracing::info!(height = height.get(), hash = %new, depth, "reorganisation"),
        },
        Event::BlockRejected { hash, reason } => tracing::warn!(%hash, reason, "block refused"),
        Event::PeerConnected { peer, address, inbound } => {
            tracing::info!(peer, %address, inbound, "peer connected");
        }
        Event::PeerDisconnected { peer, reason } => tracing::info!(peer, reason, "peer gone"),
        Event::TransactionAccepted { txid, fee, size, .. } => {
            tracing::debug!(%txid, fee = fee.to_notches(), size, "transaction accepted");
        }
        Event::TransactionRemoved { txid, reason } => tracing::debug!(%txid, ?reason, "transaction left the mempool"),
        _ => {}
    }
}
