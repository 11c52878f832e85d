//! Connections between hosts: delays, partitions, and packets as messages or as frames in pieces.

use std::collections::{BTreeMap, VecDeque};

use tally_node_core::net::peer::PeerId;
use tally_node_core::random::Random;
use tally_primitives::units::Timestamp;
use tally_wire::{Decoder, FrameError, Message, encode_frame};

/// What travels.
#[derive(Clone, Debug)]
pub enum Packet {
    /// A message as it is: fast.
    Message(Message),
    /// A piece of a frame, so that encoding and decoding are under test too.
    Bytes(Vec<u8>),
    /// The other side has closed the connection.
    Close,
}

/// One end of a connection.
#[derive(Debug)]
pub(crate) struct End {
    pub host: usize,
    pub peer: PeerId,
    /// Whether this end still believes in the connection.
    pub open: bool,
    decoder: Decoder,
    /// When the last packet on the way to this end arrives: none overtakes another.
    last_arrival: Timestamp,
    /// Packets stopped by a partition.
    held: VecDeque<Packet>,
    /// Messages on the way to this end that count for the sender's queue.
    pub bulk_under_way: u32,
}

/// A connection. End 0 has called end 1.
#[derive(Debug)]
pub(crate) struct Connection {
    pub ends: [End; 2],
    pub delay_ms: u64,
}

/// How a partition shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionKind {
    /// Connections break.
    Break,
    /// Packets are stopped, and go on when it heals (if the connection lives on).
    Stall,
}

/// A network in two parts.
#[derive(Clone, Debug)]
pub struct Partition {
    /// Who is in the second part.
    pub second_part: Vec<usize>,
    /// How it shows.
    pub kind: PartitionKind,
}

impl Partition {
    /// Whether it lies between two hosts.
    #[must_use]
    pub fn separates(&self, a: usize, b: usize) -> bool {
        self.second_part.contains(&a) != self.second_part.contains(&b)
    }
}

/// The delays of a network's links, one way, in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Delays {
    by_link: BTreeMap<(usize, usize), u64>,
    default_ms: u64,
}

impl Delays {
    /// The same for all links.
    #[must_use]
    pub fn constant(default_ms: u64) -> Delays {
        Delays { by_link: BTreeMap::new(), default_ms }
    }

    /// A random one for each link.
    pub fn random(links: &[(usize, usize)], low_ms: u64, high_ms: u64, random: &mut Random) -> Delays {
        let by_link = links.iter().map(|(a, b)| ((*a.min(b), *a.max(b)), random.between(low_ms, high_ms))).collect();
        Delays { by_link, default_ms: high_ms }
    }

    /// The delay between two hosts.
    #[must_use]
    pub fn between(&self, a: usize, b: usize) -> u64 {
        self.by_link.get(&(a.min(b), a.max(b))).copied().unwrap_or(self.default_ms)
    }
}

impl End {
    fn new(host: usize, peer: PeerId, magic: u32, now: Timestamp) -> End {
        End {
            host,
            peer,
            open: false,
            decoder: Decoder::new(magic),
            last_arrival: now,
            held: VecDeque::new(),
            bulk_under_way: 0,
        }
    }

    /// When a packet that leaves now arrives here.
    pub fn arrival(&mut self, now: Timestamp, delay_ms: u64) -> Timestamp {
        self.last_arrival = self.last_arrival.max(now.saturating_add_millis(delay_ms));
        self.last_arrival
    }

    pub fn hold(&mut self, packet: Packet) {
        self.held.push_back(packet);
    }

    pub fn release(&mut self) -> VecDeque<Packet> {
        std::mem::take(&mut self.held)
    }

    /// The messages that are complete with these bytes.
    pub fn decode(&mut self, bytes: &[u8]) -> Vec<Result<Message, FrameError>> {
        self.decoder.push(bytes);
        let mut messages = Vec::new();
        loop {
            match self.decoder.next() {
                Ok(Some(message)) => messages.push(Ok(message)),
                Ok(None) => return messages,
                Err(error) => {
                    let fatal = error.is_fatal();
                    messages.push(Err(error));
                    if fatal {
                        return messages;
                    }
                }
            }
        }
    }
}

impl Connection {
    pub fn new(caller: (usize, PeerId), called: (usize, PeerId), delay_ms: u64, magic: u32, now: Timestamp) -> Self {
        let end = |(host, peer)| End::new(host, peer, magic, now);
        Connection { ends: [end(caller), end(called)], delay_ms }
    }
}

/// Cuts a frame into pieces at random places.
pub(crate) fn pieces(magic: u32, message: &Message, random: &mut Random) -> Vec<Packet> {
    let frame = encode_frame(magic, message);
    let mut rest = frame.as_slice();
    let mut pieces = Vec::new();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(1 + random.index(rest.len()));
        pieces.push(Packet::Bytes(piece.to_vec()));
        rest = after;
    }
    pieces
}
