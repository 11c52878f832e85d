//! Connections between hosts, and what travels on them: messages as they are, or frames in pieces.

use std::collections::VecDeque;

use tally_node_core::net::peer::PeerId;
use tally_node_core::random::Random;
use tally_wire::{Decoder, FrameError, Message, encode_frame};

use crate::clock::VirtualTime;

/// Bytes that a sender's node is not told of until so many have been read: telling of each message by itself would double the work.
const REPORT_BYTES: usize = 100_000;

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
    /// Whether this end still believes in the connection.
    pub open: bool,
    /// When the last packet on the way to this end arrives: none overtakes another.
    last_arrival: VirtualTime,
    /// Messages on the way to this end that count for the sender's queue.
    under_way: u32,
    /// Bytes of them that have arrived since the sender was last told.
    read_bytes: usize,
    /// Seldom needed: pieces of a frame, packets stopped by a partition.
    aside: Option<Box<Aside>>,
}

#[derive(Debug)]
struct Aside {
    decoder: Decoder,
    held: VecDeque<Packet>,
}

/// A connection. End 0 has called end 1.
#[derive(Debug)]
pub(crate) struct Connection {
    pub ends: [End; 2],
    pub one_way_micros: u64,
}

/// What a node calls one end of a connection.
pub(crate) fn peer_id(connection: u32, end: usize) -> PeerId {
    PeerId(2 * u64::from(connection) + end as u64)
}

/// Which end of which connection a node means.
pub(crate) fn connection_of(peer: PeerId) -> Option<(u32, usize)> {
    Some((u32::try_from(peer.0 / 2).ok()?, usize::from(peer.0 % 2 == 1)))
}

impl End {
    fn new(host: usize, now: VirtualTime) -> End {
        End { host, open: false, last_arrival: now, under_way: 0, read_bytes: 0, aside: None }
    }

    /// When a packet arrives here that by itself would at `at`.
    pub fn in_order(&mut self, at: VirtualTime) -> VirtualTime {
        self.last_arrival = self.last_arrival.max(at);
        self.last_arrival
    }

    pub fn hold(&mut self, packet: Packet, magic: u32) {
        self.aside(magic).held.push_back(packet);
    }

    pub fn release(&mut self) -> VecDeque<Packet> {
        self.aside.as_mut().map(|aside| std::mem::take(&mut aside.held)).unwrap_or_default()
    }

    /// A message that the sender's node counts is on its way here.
    pub fn note_sent(&mut self) {
        self.under_way += 1;
    }

    /// It has come. True when the sender should be told that it has all been read.
    pub fn note_read(&mut self, bytes: usize) -> bool {
        self.under_way = self.under_way.saturating_sub(1);
        self.read_bytes += bytes;
        let tell = self.under_way == 0 && self.read_bytes >= REPORT_BYTES;
        if tell {
            self.read_bytes = 0;
        }
        tell
    }

    /// The messages that are complete with these bytes.
    pub fn decode(&mut self, bytes: &[u8], magic: u32) -> Vec<Result<Message, FrameError>> {
        let decoder = &mut self.aside(magic).decoder;
        decoder.push(bytes);
        let mut messages = Vec::new();
        loop {
            match decoder.next() {
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

    fn aside(&mut self, magic: u32) -> &mut Aside {
        self.aside.get_or_insert_with(|| Box::new(Aside { decoder: Decoder::new(magic), held: VecDeque::new() }))
    }
}

impl Connection {
    pub fn new(caller: usize, called: usize, one_way_micros: u64, now: VirtualTime) -> Self {
        Connection { ends: [End::new(caller, now), End::new(called, now)], one_way_micros }
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
