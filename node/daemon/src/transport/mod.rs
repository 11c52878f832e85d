//! TCP for the node, encrypted: a listener, dialers, and two tasks a connection that turn bytes into messages and back.
//!
//! | file | what |
//! |---|---|
//! | [`link`] | the edge to the node: what another transport would have to offer |
//! | `connection` | one TCP connection from its handshake to its end |
//! | `reader`, `writer` | its two halves |
//! | `unfinished` | long messages that have begun to come, of all connections |
//! | [`noise`] | encryption |
//! | [`identity`] | the node's key, and who peers are |
//! | [`peer_address`] | `id@host:port` |
//! | `listener` | taking and making connections, looking up names |
//!
//! Nothing here decides anything: every connection, message and failure goes to the driver's inbox in the order in which
//! it happened. Memory is bounded, for each peer and for all: what peers send waits for room in the inbox
//! ([`INBOX_BYTES_PER_PEER`], [`TOTAL_INBOX_BYTES`]), long messages that never end are given up ([`TOTAL_UNFINISHED_BYTES`]), what a peer does
//! not read is kept up to [`QUEUE_BYTES`] and [`TOTAL_QUEUE_BYTES`], after which it is cut off.

mod connection;
pub mod identity;
pub mod link;
mod listener;
pub mod noise;
pub mod peer_address;
mod reader;
mod unfinished;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tally_node_core::net::peer::{Direction, PeerId};
use tally_wire::{FrameError, Message};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use unfinished::Unfinished;

pub use identity::{NodeId, NodeKey};
pub use link::{Backlog, Link, Priority, SendError, Traffic};
pub use listener::{bind, dial, listen, resolve_seeds};

/// Bytes of messages from one peer that may wait for the driver; then its connection is not read for a while.
pub const INBOX_BYTES_PER_PEER: usize = 4 << 20;

/// Bytes of messages to one peer that may wait for it to read; then it is cut off. A peer that asks for 16 blocks of the
/// largest size and reads them slowly stays below.
pub const QUEUE_BYTES: usize = 24 << 20;

/// Large or late messages to one peer that may wait for it to read: so many small payments are two megabytes.
pub const QUEUE_MESSAGES: usize = 20_000;

/// Urgent ones: answers to pings mostly, for a peer that does not read them.
pub const URGENT_MESSAGES: usize = 2_000;

/// Bytes of messages to all peers that may wait; then whoever has read nothing for the longest time is cut off.
pub const TOTAL_QUEUE_BYTES: usize = 40 << 20;

/// Bytes of messages from all peers that may wait for the driver; then nothing more is read for a while.
pub const TOTAL_INBOX_BYTES: usize = 16 << 20;

/// Bytes of unfinished long messages from all peers; then whoever began one first is cut off.
pub const TOTAL_UNFINISHED_BYTES: usize = 24 << 20;

/// Events that may wait for the driver. Few, since whoever waits to put one in waits in a fair queue, one event a connection: so a
/// peer that floods delays others by its share and no more.
pub const INBOX_EVENTS: usize = 32;

/// Connections that peers have opened beyond those that the node keeps: they wait until it has chosen.
pub const SPARE_INBOUND: usize = 128;

/// The inbox's room is counted in pieces of so many bytes.
const ROOM_UNIT: usize = 1024;

/// How long making a connection may take.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the encryption handshake may take.
pub const NOISE_TIMEOUT: Duration = Duration::from_secs(5);

/// Warnings that anybody can cause by connecting are told no more often than this, in seconds.
const WARNING_PAUSE_SECONDS: u64 = 10;

/// How long a peer may take to read one message.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(120);

/// How long the last messages may take when a connection is closed.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What happened on the network.
pub enum PeerEvent {
    /// A connection is there.
    Connected {
        /// Its number.
        peer: PeerId,
        /// The other end.
        address: SocketAddr,
        /// Who opened it.
        direction: Direction,
        /// How to send to it.
        link: Box<dyn Link>,
    },
    /// A message has come.
    Message {
        /// From whom.
        peer: PeerId,
        /// The message.
        message: Message,
        /// Its share of the room in the inbox, the peer's and that of all, given back when it is dropped.
        room: [OwnedSemaphorePermit; 2],
    },
    /// Bytes have come that are no message.
    BadFrame {
        /// From whom.
        peer: PeerId,
        /// What is wrong with them.
        error: FrameError,
    },
    /// Some of what was queued for a peer has left.
    Drained {
        /// Whose queue.
        peer: PeerId,
    },
    /// A connection has ended.
    Gone {
        /// Its number.
        peer: PeerId,
        /// Why.
        reason: String,
    },
    /// A connection could not be made.
    DialFailed {
        /// To where.
        address: SocketAddr,
    },
    /// The name of a seed was looked up.
    Seed {
        /// The name.
        name: String,
        /// What it stands for; nothing if the look-up failed.
        addresses: Vec<SocketAddr>,
    },
    /// A node of this network was met on the LAN.
    Neighbour {
        /// Where it listens.
        address: SocketAddr,
    },
}

impl std::fmt::Debug for PeerEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Connected { peer, address, .. } => write!(f, "Connected({peer}, {address})"),
            Self::Message { peer, message, .. } => write!(f, "Message({peer}, {})", message.kind()),
            Self::BadFrame { peer, error } => write!(f, "BadFrame({peer}, {error})"),
            Self::Drained { peer } => write!(f, "Drained({peer})"),
            Self::Gone { peer, reason } => write!(f, "Gone({peer}, {reason})"),
            Self::DialFailed { address } => write!(f, "DialFailed({address})"),
            Self::Seed { name, addresses } => write!(f, "Seed({name}, {addresses:?})"),
            Self::Neighbour { address } => write!(f, "Neighbour({address})"),
        }
    }
}

/// What a transport has to know.
#[derive(Clone, Debug)]
pub struct TransportConfig {
    /// What the network's frames start with.
    pub magic: u32,
    /// The port of seeds that name none.
    pub default_port: u16,
    /// Connections that others may open to the node. A few more are taken in, so that it can choose.
    pub max_inbound: usize,
    /// The node's key; without it, connections are not encrypted.
    pub key: Option<NodeKey>,
}

/// What every task of the transport needs.
#[derive(Clone)]
pub struct Transport {
    config: Arc<TransportConfig>,
    inbox: mpsc::Sender<PeerEvent>,
    next_peer: Arc<AtomicU64>,
    inbound: Arc<Semaphore>,
    /// Who has to answer at an address.
    pins: Arc<Mutex<BTreeMap<SocketAddr, NodeId>>>,
    warned_at: Arc<AtomicU64>,
    /// Bytes that wait to be sent, of all connections.
    waiting: Arc<AtomicUsize>,
    /// Room for messages of all connections that wait for the driver.
    room: Arc<Semaphore>,
    unfinished: Arc<Unfinished>,
}

impl Transport {
    /// A transport that reports to `inbox`.
    pub fn new(config: TransportConfig, inbox: mpsc::Sender<PeerEvent>) -> Self {
        Self {
            inbox,
            next_peer: Arc::new(AtomicU64::new(1)),
            inbound: Arc::new(Semaphore::new(config.max_inbound + SPARE_INBOUND)),
            config: Arc::new(config),
            pins: Arc::default(),
            warned_at: Arc::default(),
            waiting: Arc::default(),
            room: Arc::new(Semaphore::new(TOTAL_INBOX_BYTES / ROOM_UNIT)),
            unfinished: Arc::new(Unfinished::new(TOTAL_UNFINISHED_BYTES)),
        }
    }

    /// Whether connections are encrypted.
    pub fn is_encrypted(&self) -> bool {
        self.config.key.is_some()
    }

    /// From now on only this node is talked to at this address; `None`: whoever answers.
    pub fn set_pin(&self, address: SocketAddr, id: Option<NodeId>) {
        let mut pins = self.pins.lock().unwrap_or_else(PoisonError::into_inner);
        match id {
            Some(id) => pins.insert(address, id),
            None => pins.remove(&address),
        };
    }

    fn pin(&self, address: SocketAddr) -> Option<NodeId> {
        self.pins.lock().unwrap_or_else(PoisonError::into_inner).get(&address).copied()
    }

    /// Bytes that wait to be sent to all peers.
    pub fn waiting_bytes(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Tells the node that one of its network was met on the LAN.
    pub async fn met_neighbour(&self, address: SocketAddr) {
        let _ = self.inbox.send(PeerEvent::Neighbour { address }).await;
    }

    fn new_peer(&self) -> PeerId {
        PeerId(self.next_peer.fetch_add(1, Ordering::Relaxed))
    }

    /// Whether it is time for another warning.
    fn may_warn(&self) -> bool {
        let (now, last) = (seconds(), self.warned_at.load(Ordering::Relaxed));
        now.saturating_sub(last) >= WARNING_PAUSE_SECONDS
            && self.warned_at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

/// Now, in seconds since the Unix epoch.
fn seconds() -> u64 {
    millis() / 1000
}

/// Now, in milliseconds since the Unix epoch.
fn millis() -> u64 {
    crate::clock::now().as_millis()
}
