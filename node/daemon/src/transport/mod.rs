//! TCP for the node: a listener, dialers, and two tasks a connection that turn bytes into messages and back.
//!
//! | file | what |
//! |---|---|
//! | `connection` | the tasks of one connection, and the handle by which the driver sends |
//! | `listener` | taking and making connections |
//!
//! Nothing here decides anything: every connection, message and failure goes to the driver's inbox in the order in which
//! it happened. Memory is bounded: what a peer sends waits for room in the inbox ([`INBOX_BYTES_PER_PEER`]), what it does
//! not read is kept up to [`QUEUE_BYTES`], after which it is cut off.

mod connection;
mod listener;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tally_node_core::net::peer::{Direction, PeerId};
use tally_wire::{FrameError, Message};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

pub use connection::{PeerHandle, SendError, Traffic};
pub use listener::{bind, dial, listen};

/// Bytes of messages from one peer that may wait for the driver; then its connection is not read for a while.
pub const INBOX_BYTES_PER_PEER: usize = 4 << 20;

/// Bytes of messages to one peer that may wait for it to read; then it is cut off. A peer that asks for 16 blocks of the
/// largest size and reads them slowly stays below.
pub const QUEUE_BYTES: usize = 24 << 20;

/// Messages to one peer that may wait for it to read.
pub const QUEUE_MESSAGES: usize = 20_000;

/// Events that may wait for the driver.
pub const INBOX_EVENTS: usize = 1024;

/// Connections that peers have opened, at most: far more than the node keeps, so that it can choose.
pub const MAX_INBOUND: usize = 256;

/// How long making a connection may take.
pub const DIAL_TIMEOUT: Duration = Duration::from_secs(5);

/// How long a peer may take to read one message.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(120);

/// How long the last messages may take when a connection is closed.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// What happened on the network.
#[derive(Debug)]
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
        handle: PeerHandle,
    },
    /// A message has come.
    Message {
        /// From whom.
        peer: PeerId,
        /// The message.
        message: Message,
        /// Its share of the peer's room in the inbox, given back when it is dropped.
        room: OwnedSemaphorePermit,
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
}

/// What every task of the transport needs.
#[derive(Clone)]
pub struct Transport {
    magic: u32,
    inbox: mpsc::Sender<PeerEvent>,
    next_peer: Arc<AtomicU64>,
    inbound: Arc<Semaphore>,
}

impl Transport {
    /// A transport of the network with this magic, that reports to `inbox`.
    pub fn new(magic: u32, inbox: mpsc::Sender<PeerEvent>) -> Self {
        Self { magic, inbox, next_peer: Arc::new(AtomicU64::new(1)), inbound: Arc::new(Semaphore::new(MAX_INBOUND)) }
    }

    fn new_peer(&self) -> PeerId {
        PeerId(self.next_peer.fetch_add(1, Ordering::Relaxed))
    }
}
