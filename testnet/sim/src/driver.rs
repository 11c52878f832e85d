//! Carrying out what a node wants done: the part of the simulator that corresponds to the daemon.

use tally_node_core::event::Event as NodeEvent;
use tally_node_core::net::peer::PeerId;
use tally_node_core::node::Output;
use tally_primitives::encode;
use tally_wire::Message;

use crate::checkers;
use crate::host::Attachment;
use crate::network::{Packet, pieces};
use crate::world::{Event, World};

impl World {
    /// Carries out a node's outputs, in order, and schedules its next tick.
    pub(crate) fn pump(&mut self, host: usize) {
        while let Some(output) = self.hosts[host].node.as_mut().and_then(|node| node.poll_output()) {
            self.carry_out(host, output);
            if let Some(left) = &mut self.hosts[host].outputs_to_live {
                *left -= 1;
                if *left == 0 {
                    self.kill(host);
                }
            }
        }
        checkers::check_host(self, host);
        let machine = &mut self.hosts[host];
        if let Some(due) = machine.node.as_ref().and_then(|node| node.next_timeout()) {
            let due = due.max(self.now);
            if machine.tick_at.is_none_or(|scheduled| scheduled > due || scheduled < self.now) {
                machine.tick_at = Some(due);
                self.queue.push(due, Event::Tick { host });
            }
        }
    }

    fn carry_out(&mut self, host: usize, output: Output) {
        match output {
            Output::Send { peer, message } => self.send(host, peer, &message),
            Output::Dial { address } => self.dial(host, address),
            Output::Disconnect { peer, reason } => {
                self.log.note(self.now, host, "disconnect", reason.to_string().as_bytes());
                self.log.trace(self.now, host, || format!("disconnects {peer}: {reason}"));
                checkers::check_disconnect(self, host, &reason);
                self.close(host, peer);
            }
            Output::Commit(changes) => {
                if let Err(error) = self.hosts[host].store.apply(changes) {
                    self.violations.push(format!("host {host}: {error}"));
                }
            }
            // Hosts know whom to call from their configuration.
            Output::ResolveSeeds { .. } | Output::KeepAddresses { .. } => {}
            Output::Emit(event) => {
                self.log.note(self.now, host, "event", &encode_event(&event));
                self.log.trace(self.now, host, || format!("{event:?}"));
            }
            Output::Halt { reason } => self.violations.push(format!("host {host} halts: {reason}")),
        }
    }

    fn send(&mut self, host: usize, peer: PeerId, message: &Message) {
        let Some(Attachment { connection: number, end }) = self.hosts[host].peers.get(&peer).copied() else {
            return;
        };
        let packets = if self.framed {
            pieces(self.params.magic, message, &mut self.random)
        } else {
            vec![Packet::Message(message.clone())]
        };
        self.log.trace(self.now, host, || format!("sends {} to {peer}", message.kind()));
        if let Some(connection) = self.connections.get_mut(&number)
            && is_bulk(message)
        {
            connection.ends[1 - end].bulk_under_way += 1;
        }
        for packet in packets {
            self.put_on_line(number, 1 - end, packet);
        }
    }

    fn put_on_line(&mut self, number: u64, to: usize, packet: Packet) {
        if let Some(connection) = self.connections.get_mut(&number) {
            let at = connection.ends[to].arrival(self.now, connection.delay_ms);
            self.queue.push(at, Event::Arrive { connection: number, end: to, packet });
        }
    }

    pub(crate) fn arrive(&mut self, number: u64, end: usize, packet: Packet) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        let (here, there) = (connection.ends[end].host, connection.ends[1 - end].host);
        if self.partition.as_ref().is_some_and(|partition| partition.separates(here, there)) {
            return connection.ends[end].hold(packet);
        }
        let messages = match packet {
            Packet::Message(message) => vec![Ok(message)],
            Packet::Bytes(bytes) => connection.ends[end].decode(&bytes),
            Packet::Close => return self.closed_by_other(number, end),
        };
        let (peer, open) = (connection.ends[end].peer, connection.ends[end].open);
        if !open {
            return;
        }
        for message in messages {
            match message {
                Ok(message) => self.deliver(number, end, peer, message),
                Err(error) => {
                    self.with_node(here, |node, now| node.handle_bad_frame(now, peer, error));
                }
            }
        }
    }

    fn deliver(&mut self, number: u64, end: usize, peer: PeerId, message: Message) {
        let Some(connection) = self.connections.get_mut(&number) else {
            return;
        };
        let here = connection.ends[end].host;
        let (sender, sender_peer) = (connection.ends[1 - end].host, connection.ends[1 - end].peer);
        let mut read_all = false;
        if is_bulk(&message) {
            let under_way = &mut connection.ends[end].bulk_under_way;
            *under_way = under_way.saturating_sub(1);
            read_all = *under_way == 0;
        }
        self.log.note(self.now, here, message.kind().name(), &number.to_le_bytes());
        self.with_node(here, |node, now| node.handle_message(now, peer, message));
        if read_all {
            self.with_node(sender, |node, now| node.handle_send_queue(now, sender_peer, 0));
        }
    }

    /// A node ends a connection: what it sent before still arrives, then the other side learns of it.
    fn close(&mut self, host: usize, peer: PeerId) {
        let Some(Attachment { connection: number, end }) = self.hosts[host].peers.remove(&peer) else {
            return;
        };
        if let Some(connection) = self.connections.get_mut(&number) {
            connection.ends[end].open = false;
        }
        self.put_on_line(number, 1 - end, Packet::Close);
    }

    fn closed_by_other(&mut self, number: u64, end: usize) {
        let Some(connection) = self.connections.remove(&number) else {
            return;
        };
        let (host, peer) = (connection.ends[end].host, connection.ends[end].peer);
        if self.hosts[host].peers.remove(&peer).is_some() {
            self.with_node(host, |node, now| node.handle_peer_gone(now, peer, "closed by the other side"));
        }
    }

    /// The line breaks: both sides notice, and what was under way is lost.
    pub(crate) fn break_connection(&mut self, number: u64) {
        let Some(connection) = self.connections.remove(&number) else {
            return;
        };
        for end in connection.ends {
            if self.hosts[end.host].peers.remove(&end.peer).is_some() {
                self.with_node(end.host, |node, now| node.handle_peer_gone(now, end.peer, "the line broke"));
            }
        }
    }

    /// A node dies, with everything that it has not committed. Its peers notice when the news has travelled.
    pub(crate) fn kill(&mut self, host: usize) {
        if self.hosts[host].node.is_none() {
            return;
        }
        self.log.note(self.now, host, "crash", &[]);
        self.log.trace(self.now, host, || "crashes".to_owned());
        for Attachment { connection: number, end } in self.hosts[host].crash() {
            if let Some(connection) = self.connections.get_mut(&number) {
                connection.ends[end].open = false;
            }
            self.put_on_line(number, 1 - end, Packet::Close);
        }
    }
}

/// Whether the node counts this message in the peer's send queue.
fn is_bulk(message: &Message) -> bool {
    message.is_bulk()
}

fn encode_event(event: &NodeEvent) -> Vec<u8> {
    match event {
        // What tells chain and mempool events apart; peers are in the log as connections.
        NodeEvent::BlockConnected { hash, .. } | NodeEvent::BlockDisconnected { hash, .. } => encode::encode(hash),
        NodeEvent::TipChanged { new, reorg_depth, .. } => encode::encode(&(new, reorg_depth)),
        NodeEvent::HeaderTip { hash, .. } | NodeEvent::BlockRejected { hash, .. } => encode::encode(hash),
        NodeEvent::TransactionAccepted { txid, .. } | NodeEvent::TransactionRemoved { txid, .. } => {
            encode::encode(txid)
        }
        NodeEvent::PeerConnected { peer, .. } | NodeEvent::PeerDisconnected { peer, .. } => encode::encode(peer),
    }
}
