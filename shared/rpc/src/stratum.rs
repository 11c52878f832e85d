//! Results about the node's Stratum server.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use tally_primitives::address::Address;

/// `getstratuminfo`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StratumInfo {
    /// Where miners connect.
    pub listen: SocketAddr,
    /// Who is paid for miners that name no address; missing if they are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<Address>,
    /// Miners connected.
    pub connections: u64,
    /// Connections turned away by a limit.
    pub turned_away: u64,
    /// Good shares since the node started.
    pub accepted: u64,
    /// Shares that came too late for their job.
    pub stale: u64,
    /// Shares refused for another reason.
    pub rejected: u64,
    /// Blocks found by miners that the node took.
    pub blocks: u64,
    /// Hashes a second of all miners, estimated from their shares of the last five minutes.
    pub hashespersec: f64,
    /// The miners connected.
    pub workers: Vec<StratumWorker>,
}

/// One miner that is connected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StratumWorker {
    /// The user name; empty until it is authorized.
    pub user: String,
    /// Who is paid; missing until it is authorized.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Where it connects from.
    pub peer: SocketAddr,
    /// Its program, as it calls itself.
    pub agent: String,
    /// The difficulty of its shares; missing until it has work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difficulty: Option<f64>,
    /// Good shares.
    pub accepted: u64,
    /// Shares that came too late for their job.
    pub stale: u64,
    /// Shares refused for another reason.
    pub rejected: u64,
    /// Its blocks that the node took.
    pub blocks: u64,
    /// Hashes a second, estimated from its shares of the last five minutes.
    pub hashespersec: f64,
    /// When it connected, seconds since the Unix epoch.
    pub conntime: u32,
    /// When its last good share came; missing if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lastshare: Option<u32>,
}
