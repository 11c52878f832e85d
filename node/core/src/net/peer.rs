//! A connection and what we know about who is at its other end.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use tally_primitives::hash::BlockHash;
use tally_primitives::units::{FeeRate, Height, Timestamp};
use tally_wire::{Services, Version};

use crate::net::announce::Announcer;
use crate::net::download::PeerDownload;
use crate::net::fee_filter::PeerFeeFilter;
use crate::net::gossip::PeerAddresses;
use crate::net::headers::PeerHeaders;
use crate::net::high_bandwidth::PeerCompact;
use crate::net::ping::PeerPing;
use crate::net::serve::ServeQueue;

/// A connection's number on this node, given by the driver; never used again for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PeerId(pub u64);

impl core::fmt::Display for PeerId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// Who opened the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The peer.
    Inbound,
    /// We.
    Outbound,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The peer called us.
    Inbound,
    /// The operator asked for it.
    Manual,
    /// We chose it, for blocks, transactions and addresses.
    Full,
    /// We chose it, for blocks only.
    BlockOnly,
    /// Only to find out whether somebody answers.
    Feeler,
}

impl Role {
    /// Whether we called.
    #[must_use]
    pub const fn is_outbound(self) -> bool {
        !matches!(self, Role::Inbound)
    }

    /// Whether we chose the peer ourselves.
    #[must_use]
    pub const fn is_automatic(self) -> bool {
        matches!(self, Role::Full | Role::BlockOnly | Role::Feeler)
    }
}

/// How far the handshake has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Handshake {
    /// The peer's `Version` has not come.
    AwaitsVersion,
    /// It has, and we acknowledged it; the peer has not acknowledged ours.
    AwaitsAck,
    /// Both sides have said who they are.
    Done,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Peer {
    pub id: PeerId,
    pub address: SocketAddr,
    pub direction: Direction,
    pub role: Role,
    pub connected_at: Timestamp,
    pub last_message_at: Timestamp,
    pub handshake: Handshake,
    /// In the `Version` that we send, so that we recognise ourselves.
    pub our_nonce: u64,
    /// The tip that our `Version` told of.
    pub told_tip: BlockHash,
    pub version: Option<Version>,
    pub ping: PeerPing,
    pub headers: PeerHeaders,
    pub download: PeerDownload,
    pub announcer: Announcer,
    pub serve: ServeQueue,
    pub compact: PeerCompact,
    pub fee_filter: PeerFeeFilter,
    pub addresses: PeerAddresses,
    /// When it last brought the block that became the tip.
    pub last_block_at: Option<Timestamp>,
    /// When it last brought a transaction that was news.
    pub last_transaction_at: Option<Timestamp>,
    /// Frames of unknown kinds since the minute that began at the time.
    pub unknown_frames: (u32, Timestamp),
}

impl Peer {
    pub fn is_ready(&self) -> bool {
        self.handshake == Handshake::Done
    }

    /// Whether transactions and addresses pass over this connection.
    pub fn relays(&self) -> bool {
        let wants_blocks_only =
            self.version.as_ref().is_some_and(|version| version.services.contains(Services::BLOCKS_ONLY));
        !wants_blocks_only && !matches!(self.role, Role::BlockOnly | Role::Feeler)
    }

    /// The port at which the peer says it accepts connections.
    pub fn listen_port(&self) -> Option<u16> {
        self.version.as_ref().map(|version| version.listen_port).filter(|port| *port != 0)
    }

    /// Its clock less ours at the handshake, in milliseconds.
    pub fn clock_offset(&self) -> i64 {
        let millis = |time: Timestamp| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let offset = |version: &Version| millis(version.time).saturating_sub(millis(self.connected_at));
        self.version.as_ref().map_or(0, offset)
    }

    /// Where others can call the peer, as far as we know.
    pub fn listen_address(&self) -> Option<SocketAddr> {
        match self.direction {
            Direction::Outbound => Some(self.address),
            Direction::Inbound => self.listen_port().map(|port| SocketAddr::new(self.address.ip(), port)),
        }
    }

    /// What bans and discouragement go by: address, and port if it is known.
    pub fn identity(&self) -> (IpAddr, Option<u16>) {
        let port = match self.direction {
            Direction::Outbound => Some(self.address.port()),
            Direction::Inbound => self.listen_port(),
        };
        (self.address.ip(), port)
    }
}

/// What people are told about a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Its number.
    pub id: PeerId,
    /// The other end of the connection.
    pub address: SocketAddr,
    /// Where it accepts connections, as far as we know.
    pub listen_address: Option<SocketAddr>,
    /// Who called whom.
    pub direction: Direction,
    /// What the connection is for.
    pub role: Role,
    /// Whether transactions and addresses pass over it.
    pub relays: bool,
    /// Whether the handshake is done; before that, what the peer said of itself is unknown or zero.
    pub ready: bool,
    /// The protocol it speaks.
    pub protocol: u32,
    /// What it offers.
    pub services: Services,
    /// Program and version, in its own words.
    pub user_agent: String,
    /// The height of its tip when it connected, in its own words.
    pub start_height: Height,
    /// The highest header of its chain that it has shown to us.
    pub best_known: Option<(BlockHash, Height)>,
    /// Its clock minus ours at the handshake, in milliseconds.
    pub time_offset_millis: i64,
    /// When it connected.
    pub connected_at: Timestamp,
    /// When its last message came.
    pub last_message_at: Timestamp,
    /// When it last brought the block that became the tip.
    pub last_block_at: Option<Timestamp>,
    /// When it last brought a transaction that was news.
    pub last_transaction_at: Option<Timestamp>,
    /// The last round trip in milliseconds.
    pub ping_millis: Option<u64>,
    /// The shortest round trip in milliseconds.
    pub min_ping_millis: Option<u64>,
    /// How long a ping has been waiting for its pong, in milliseconds.
    pub ping_wait_millis: Option<u64>,
    /// Blocks that we asked it for and that have not come.
    pub blocks_in_flight: Vec<Height>,
    /// Transactions likewise.
    pub transactions_in_flight: usize,
    /// Bytes that wait to be sent, as the driver last told.
    pub send_queue_bytes: usize,
    /// Whether we have asked it to push new blocks in compact form.
    pub pushes_to_us: bool,
    /// Whether it has asked us to.
    pub we_push: bool,
    /// The least fee rate of transactions that it wants announced.
    pub fee_filter: FeeRate,
}
