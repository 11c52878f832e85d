//! Carrying out what a node wants done: the part of the simulator that corresponds to the daemon.

use tally_node_core::event::Event as NodeEvent;
use tally_node_core::net::peer::{Direction, PeerId};
use tally_node_core::node::{Node, Output};
use tally_primitives::encode;
use tally_primitives::units::Timestamp;
use tally_wire::Message;

use crate::checkers;
use crate::host::{address_of, host_at};
use crate::network::Journey;
use crate::network::connection::{Connection, Packet, connection_of, peer_id, pieces};
use crate::world::{Event, Next, World};

/// What frames add to a message: magic, length, checksum.
const FRAME_BYTES: usize = 12;

/// Ports of callers: above those that anybody listens at.
const FIRST_CALLER_PORT: u16 = 20_000;
const CALLER_PORTS: u32 = 40_000;

impl World {
    /// Lets a host's node do something, and carries out what it then wants done.
    pub(crate) fn with_node<R>(&mut self, host: usize, action: impl FnOnce(&mut Node, Timestamp) -> R) -> Option<R> {
        let now = self.host_time(host);
        let result = self.hosts.get_mut(host)?.node.as_mut().map(|node| action(node, now))?;
        self.pump(host);
        Some(result)
    }

    /// Carries out a node's outputs, in order, and schedules its next tick.
    pub(crate) fn pump(&mut self, host: usize) {
        while let Some(output) = self.hosts[host].node.as_mut().and_then(Node::poll_output) {
            self.carry_out(host, output);
            self.age(host);
        }
        checkers::check_host(self, host);
        let machine = &mut self.hosts[host];
        if let Some(due) = machine.node.as_ref().and_then(Node::next_timeout) {
            let due = machine.clock.when(due).max(self.now);
            if machine.tick_at.is_none_or(|scheduled| scheduled > due || scheduled < self.now) {
                machine.tick_at = Some(due);
                self.queue.push(due, Next::Tick { host: short(host) });
            }
        }
    }

    fn carry_out(&mut self, host: usize, output: Output) {
        match output {
            Output::Send { peer, message } => self.send(host, peer, message),
            Output::Dial { address } => self.dial(host, address),
            Output::Disconnect { peer, reason } => {
                self.log.note(self.now, host, "disconnect", reason.to_string().as_bytes());
                self.log.trace(self.now, host, || format!("disconnects {peer}: {reason}"));
                checkers::check_disconnect(self, host, peer, &reason);
                self.close(host, peer);
            }
            Output::Commit(changes) => self.commit(host, *changes),
            // Hosts know whom to call from their configuration.
            Output::ResolveSeeds { .. } | Output::KeepAddresses { .. } => {}
            Output::Emit(event) => {
                self.log.note(self.now, host, "event", &encode_event(&event));
                self.log.trace(self.now, host, || format!("{event:?}"));
                if let Some(observations) = &mut self.observations {
                    observations.note(self.now, host, &event);
                }
            }
            Output::Halt { reason } => self.violations.push(format!("host {host} halts: {reason}")),
        }
    }

    /// What a node sends, as far as its owner lets it.
    fn send(&mut self, host: usize, peer: PeerId, message: Message) {
        let copies = self.hosts[host].malice.as_mut().map_or(1, |malice| malice.copies(&message));
        for _ in 1..copies {
            self.send_now(host, peer, message.clone());
        }
        if copies > 0 {
            self.send_now(host, peer, message);
        }
    }

    /// Puts a message on the line to a peer, if the connection is still there.
    pub(crate) fn send_now(&mut self, host: usize, peer: PeerId, message: Message) {
        let Some((number, end)) = connection_of(peer) else {
            return;
        };
        let bulk = message.is_bulk();
        let Some(connection) = self.connection_mut(number).filter(|connection| connection.ends[end].open) else {
            return;
        };
        if bulk {
            connection.ends[1 - end].note_sent();
        }
        let receiver = connection.ends[1 - end].host;
        let to_honest = !self.corrupted || self.hosts[receiver].is_honest();
        self.log.trace(self.now, host, || format!("sends {} to {peer}", message.kind()));
        self.messages.note(&message);
        let bytes = if bulk || self.counts_bytes { self.size_on_line(&message) } else { 0 };
        let traffic = &mut self.hosts[host].traffic;
        traffic.sent += 1;
        traffic.sent_bytes += bytes as u64;
        traffic.honest_bytes += if to_honest { bytes as u64 } else { 0 };
        if self.framed {
            let pieces = pieces(self.params.magic, &message, &mut self.random);
            // The whole message takes its time on the line; its pieces arrive together.
            for (position, piece) in pieces.into_iter().enumerate() {
                self.put_on_line(number, 1 - end, piece, if position == 0 { bytes } else { 0 });
            }
        } else {
            self.put_on_line(number, 1 - end, Packet::Message(message, bytes), bytes);
        }
    }

    /// A message's length on a line, frame included.
    fn size_on_line(&self, message: &Message) -> usize {
        self.transit.bytes_of(message, FRAME_BYTES + message.payload_size())
    }

    pub(crate) fn put_on_line(&mut self, number: u32, to: usize, packet: Packet, bytes: usize) {
        let Some(connection) = self.connections.get_mut(number as usize).and_then(Option::as_mut) else {
            return;
        };
        let (from, receiver) = (connection.ends[1 - to].host, connection.ends[to].host);
        let journey = Journey { from, to: receiver, one_way_micros: connection.one_way_micros, bytes };
        let at = self.transit.arrival(self.now, journey, &mut self.random);
        let at = connection.ends[to].in_order(at);
        let packet = self.packets.insert(packet);
        self.queue.push(at, Next::Arrive { connection: number, end: to == 1, packet });
    }

    pub(crate) fn arrive(&mut self, number: u32, end: usize, packet: Packet) {
        let magic = self.params.magic;
        let Some(connection) = self.connections.get_mut(number as usize).and_then(Option::as_mut) else {
            return;
        };
        let (here, there) = (connection.ends[end].host, connection.ends[1 - end].host);
        if self.partition.as_ref().is_some_and(|partition| partition.separates(here, there)) {
            return connection.ends[end].hold(packet, magic);
        }
        let open = connection.ends[end].open;
        match packet {
            Packet::Close => self.closed_by_other(number, end),
            Packet::Message(message, bytes) if open => self.deliver(number, end, message, bytes),
            Packet::Bytes(bytes) if open => {
                for message in connection.ends[end].decode(&bytes, magic) {
                    match message {
                        Ok(message) => {
                            let counts = self.counts_bytes || message.is_bulk();
                            let bytes = if counts { self.size_on_line(&message) } else { 0 };
                            self.deliver(number, end, message, bytes);
                        }
                        Err(error) => {
                            let peer = peer_id(number, end);
                            self.with_node(here, |node, now| node.handle_bad_frame(now, peer, error));
                        }
                    }
                }
            }
            Packet::Message(..) | Packet::Bytes(_) => {}
        }
    }

    fn deliver(&mut self, number: u32, end: usize, message: Message, bytes: usize) {
        let bulk = message.is_bulk();
        let Some(connection) = self.connection_mut(number) else {
            return;
        };
        let (here, sender) = (connection.ends[end].host, connection.ends[1 - end].host);
        let all_read = bulk && connection.ends[end].note_read(bytes);
        self.hosts[here].traffic.received_bytes += bytes as u64;
        self.log.note(self.now, here, message.kind().name(), &number.to_le_bytes());
        let (peer, sender_peer) = (peer_id(number, end), peer_id(number, 1 - end));
        self.with_node(here, |node, now| node.handle_message(now, peer, message));
        if all_read {
            self.with_node(sender, |node, now| node.handle_send_queue(now, sender_peer, 0));
        }
    }

    /// Opens a connection that a node asked for, if somebody is there to take it.
    fn dial(&mut self, host: usize, address: std::net::SocketAddr) {
        let called = host_at(address, self.hosts.len()).filter(|called| *called != host);
        let one_way_micros = called.map_or(0, |called| self.transit.latency_micros(host, called));
        let reachable = called.filter(|called| {
            let apart = self.partition.as_ref().is_some_and(|partition| partition.separates(host, *called));
            !apart && self.hosts[*called].node.is_some()
        });
        let there = self.now.plus_micros(one_way_micros);
        let back = there.plus_micros(one_way_micros);
        let Some(called) = reachable else {
            let failed = Box::new(Event::CallFailed { host, address });
            return self.queue.push(back, Next::Rare(failed));
        };
        let number = short(self.connections.len());
        self.connections.push(Some(Box::new(Connection::new(host, called, one_way_micros, self.now))));
        self.queue.push(there, Next::Open { connection: number, end: true });
        self.queue.push(back, Next::Open { connection: number, end: false });
    }

    pub(crate) fn call_failed(&mut self, host: usize, address: std::net::SocketAddr) {
        self.log.note(self.now, host, "call failed", &address.port().to_le_bytes());
        self.with_node(host, |node, now| node.handle_dial_failed(now, address));
    }

    /// A call reaches the called (end 1), or the news that it was taken reaches the caller (end 0).
    pub(crate) fn open(&mut self, number: u32, end: usize) {
        let Some(connection) = self.connections.get_mut(number as usize).and_then(Option::as_mut) else {
            return;
        };
        let (host, other) = (connection.ends[end].host, connection.ends[1 - end].host);
        let apart = self.partition.as_ref().is_some_and(|partition| partition.separates(host, other));
        // The called must be up; the caller only learns of a connection that the called has taken.
        let taken = end == 1 || connection.ends[1].open;
        if self.hosts[host].node.is_none() || apart || !taken {
            self.connections[number as usize] = None;
            if end == 0 {
                return self.call_failed(host, address_of(other));
            }
            return;
        }
        connection.ends[end].open = true;
        self.hosts[host].connections.push(number);
        self.hosts[host].traffic.connections += 1;
        self.log.note(self.now, host, "open", &number.to_le_bytes());
        let mut address = address_of(other);
        let direction = if end == 0 { Direction::Outbound } else { Direction::Inbound };
        if direction == Direction::Inbound {
            address.set_port(FIRST_CALLER_PORT + u16::try_from(number % CALLER_PORTS).unwrap_or(0));
        }
        let peer = peer_id(number, end);
        self.with_node(host, |node, now| node.handle_peer_connected(now, peer, address, direction));
    }

    /// A node ends a connection: what it sent before still arrives, then the other side learns of it.
    fn close(&mut self, host: usize, peer: PeerId) {
        let Some((number, end)) = connection_of(peer) else {
            return;
        };
        if self.let_go(host, number) {
            if let Some(connection) = self.connection_mut(number) {
                connection.ends[end].open = false;
            }
            self.put_on_line(number, 1 - end, Packet::Close, 0);
        }
    }

    fn closed_by_other(&mut self, number: u32, end: usize) {
        let Some(connection) = self.connections.get_mut(number as usize).and_then(Option::take) else {
            return;
        };
        self.gone(connection.ends[end].host, number, end, "closed by the other side");
    }

    /// The line breaks: both sides notice, and what was under way is lost.
    pub(crate) fn break_connection(&mut self, number: u32) {
        let Some(connection) = self.connections.get_mut(number as usize).and_then(Option::take) else {
            return;
        };
        for end in 0..2 {
            self.gone(connection.ends[end].host, number, end, "the line broke");
        }
    }

    fn gone(&mut self, host: usize, number: u32, end: usize, why: &str) {
        if self.let_go(host, number) {
            let peer = peer_id(number, end);
            self.with_node(host, |node, now| node.handle_peer_gone(now, peer, why));
        }
    }

    /// Takes a connection off a host's list; false if it was not on it.
    fn let_go(&mut self, host: usize, number: u32) -> bool {
        let connections = &mut self.hosts[host].connections;
        let place = connections.iter().position(|other| *other == number);
        if let Some(place) = place {
            connections.swap_remove(place);
        }
        place.is_some()
    }
}

/// Numbers of hosts and connections fit into 32 bits: memory ends long before.
pub(crate) fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
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
