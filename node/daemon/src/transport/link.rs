//! The edge between the node and whatever carries its messages: a narrow one, so that something else than TCP can take its place.
//!
//! Sending, closing and measuring go through [`Link`]; what is received comes as [`PeerEvent`](super::PeerEvent)s to the driver's inbox, with the link of each new connection in
//! the first of them.

use std::sync::OnceLock;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tally_wire::Message;

use super::identity::NodeId;

/// What a message may overtake. Within one priority, order is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Small, and waited for: handshakes, pings, headers, requests, new blocks in compact form.
    Now,
    /// Large, or not urgent: blocks and transactions that were asked for, inventories, addresses.
    Bulk,
}

impl Priority {
    /// That of a message.
    #[must_use]
    pub const fn of(message: &Message) -> Self {
        match message {
            Message::Block(_)
            | Message::Transaction(_)
            | Message::Inventory(_)
            | Message::Addresses(_)
            | Message::NotFound(_) => Self::Bulk,
            _ => Self::Now,
        }
    }
}

/// What waits to be sent to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backlog {
    /// Bytes of messages.
    pub bytes: usize,
    /// How long the peer has read nothing of it, in milliseconds.
    pub stalled_millis: u64,
}

/// Why a message cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The peer reads too slowly.
    #[error("the peer does not read: {bytes} bytes wait for it")]
    QueueFull {
        /// How many bytes wait.
        bytes: usize,
    },
    /// The connection has ended.
    #[error("the connection has ended")]
    Closed,
}

/// What is known of a connection besides its messages.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Bytes received, as they came over the line.
    pub received: AtomicU64,
    /// Bytes sent.
    pub sent: AtomicU64,
    /// When something was last received, seconds since the Unix epoch.
    pub last_received: AtomicU64,
    /// When something was last sent.
    pub last_sent: AtomicU64,
    /// Who the peer is, once it has proved it; never, without encryption.
    pub identity: OnceLock<NodeId>,
    /// A first measure of the distance.
    pub round_trip: OnceLock<Duration>,
}

/// A connection, as the driver has it. Dropping it closes the connection, after what was sent has left.
pub trait Link: Send {
    /// Queues a message.
    ///
    /// # Errors
    /// If the peer reads too slowly or is gone; the caller then drops the link.
    fn send(&self, message: Message, priority: Priority) -> Result<(), SendError>;

    /// What waits to be sent. To be asked after each [`PeerEvent::Drained`](super::PeerEvent::Drained).
    fn backlog(&self) -> Backlog;

    /// The round trip that was measured when the connection was made.
    fn round_trip(&self) -> Option<Duration> {
        self.traffic().round_trip.get().copied()
    }

    /// Bytes, times and identity.
    fn traffic(&self) -> &Traffic;

    /// Ends the connection: what was sent before still leaves, if the peer reads it soon. `reason` is for the transport's own protocol, if that
    /// has a place for it; TCP has none.
    fn close(self: Box<Self>, reason: &str);
}
