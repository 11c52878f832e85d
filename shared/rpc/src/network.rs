//! Results about peers.

use serde::{Deserialize, Serialize};
use tally_primitives::units::FeeRate;

/// One entry of `getpeerinfo`. Times are seconds since the Unix epoch, 0 for never; `pingtime` is in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeerInfo {
    /// The node's own number for it.
    pub id: u64,
    /// `ip:port` of the connection.
    pub addr: String,
    /// The port on which the peer says it listens, 0 if it does not (not in Core).
    pub listen_port: u16,
    /// When something was last sent to it.
    pub lastsend: u32,
    /// When something last came from it.
    pub lastrecv: u32,
    /// Bytes sent to it.
    pub bytessent: u64,
    /// Bytes received from it.
    pub bytesrecv: u64,
    /// When the connection was made.
    pub conntime: u32,
    /// Its clock less ours, in seconds.
    pub timeoffset: i64,
    /// The last ping's round trip; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pingtime: Option<f64>,
    /// The fastest ping's round trip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minping: Option<f64>,
    /// The protocol's version.
    pub version: u32,
    /// Name and version of its program.
    pub subver: String,
    /// Whether the peer connected to us.
    pub inbound: bool,
    /// Its height when it connected.
    pub startingheight: u32,
    /// The best header that it and we have in common, -1 for none.
    pub synced_headers: i64,
    /// The best block that it and we have in common, -1 for none.
    pub synced_blocks: i64,
    /// Heights of the blocks asked of it.
    pub inflight: Vec<u32>,
    /// How the connection came about.
    pub connection_type: ConnectionType,
    /// Whether transactions pass over it.
    #[serde(default)]
    pub relaytxes: bool,
    /// When it last brought a transaction that was news.
    #[serde(default)]
    pub last_transaction: u32,
    /// When it last brought the block that became the tip.
    #[serde(default)]
    pub last_block: u32,
    /// Whether we have asked the peer to push new blocks in compact form (BIP 152's high bandwidth).
    #[serde(default)]
    pub bip152_hb_to: bool,
    /// Whether the peer has asked us to.
    #[serde(default)]
    pub bip152_hb_from: bool,
    /// The least fee rate of transactions that the peer wants announced.
    #[serde(default)]
    pub minfeefilter: FeeRate,
    /// `v1` for plain frames, `v2` for encrypted ones.
    pub transport_protocol_type: String,
    /// Its identity, if the connection is encrypted (not in Core).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_id: Option<String>,
}

/// How a connection came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConnectionType {
    /// The peer connected to us.
    Inbound,
    /// Asked for by `--connect` or `addnode`.
    Manual,
    /// Chosen by the node.
    OutboundFullRelay,
    /// Chosen by the node, for blocks only.
    BlockRelayOnly,
    /// Opened for a moment, to learn whether the address works.
    Feeler,
}

/// One entry of `listbanned`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BannedPeer {
    /// `ip` or `ip:port`.
    pub address: String,
    /// When it was banned, seconds since the Unix epoch.
    pub ban_created: u32,
    /// Until when.
    pub banned_until: u32,
    /// For how many seconds.
    pub ban_duration: u32,
    /// For how many more.
    pub time_remaining: u32,
}

/// `getnetworkinfo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NetworkInfo {
    /// The program's version as a number: major × 10,000 + minor × 100 + patch.
    pub version: u32,
    /// Name and version as peers see it.
    pub subversion: String,
    /// The protocol's version.
    pub protocolversion: u32,
    /// Whether the node asks peers for transactions.
    pub localrelay: bool,
    /// Median of the peers' clock offsets, in seconds.
    pub timeoffset: i64,
    /// Whether connections are allowed.
    pub networkactive: bool,
    /// Peers.
    pub connections: u32,
    /// Those that connected to us.
    pub connections_in: u32,
    /// Those that we connected to.
    pub connections_out: u32,
    /// The least fee rate that is relayed.
    pub relayfee: FeeRate,
    /// What a replacement must pay more.
    pub incrementalfee: FeeRate,
    /// Where the node listens.
    pub localaddresses: Vec<LocalAddress>,
    /// The node's identity, if it encrypts connections: what others put before the `@` of its address (not in Core).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_id: Option<String>,
    /// What the owner should know.
    pub warnings: Vec<String>,
}

/// Where the node listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalAddress {
    /// The IP address.
    pub address: String,
    /// The port.
    pub port: u16,
}
