//! JSON-RPC over HTTP and WebSocket, on one port.
//!
//! | file | what |
//! |---|---|
//! | `server` | the listener, limits on connections |
//! | `http` | one POST: who asks, how much, which answer |
//! | `websocket` | requests and subscriptions over one connection |
//! | `guard` | cookie or password; Host and Origin |
//! | `dispatch` | from a method's name to its function |
//! | `answer` | errors of the node as answers |
//! | [`chain`], [`coins`], [`mempool`], [`network`], [`mining`], [`raw`], [`address`], [`control`] | the methods by area |
//! | [`template`], [`submit`] | work for miners, and what they found |

mod address;
mod answer;
mod chain;
mod coins;
mod control;
mod dispatch;
mod guard;
mod http;
mod mempool;
mod mining;
mod network;
mod raw;
mod server;
mod submit;
mod template;
mod websocket;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tally_primitives::params::Params;
use tokio::sync::watch;

pub use guard::Guard;
pub(crate) use network::clock_warning;
pub use network::{BANS_FILE, read_bans};
pub use server::serve;
pub use template::Coinbases;

use crate::driver::NodeHandle;
use crate::mine::MinerStatus;
use crate::store::Store;
use crate::stratum::Stratum;
use crate::transport::{NodeId, Transport};

/// Bytes of one request, at most: a batch of some twenty of the largest transactions, or a block.
pub const MAX_BODY_BYTES: usize = 8 << 20;

/// Requests in one batch, at most.
pub const MAX_BATCH: usize = 1000;

/// What methods need.
pub struct Context {
    /// The node.
    pub node: NodeHandle,
    /// What is on disk, for reading.
    pub store: Store,
    /// What carries the node's messages.
    pub transport: Transport,
    /// The node's identity.
    pub id: NodeId,
    /// The network.
    pub params: Arc<Params>,
    /// Where peers connect.
    pub listen: SocketAddr,
    /// Program and version as peers see it.
    pub user_agent: String,
    /// Where bans are kept.
    pub bans_file: PathBuf,
    /// When the node started.
    pub started: Instant,
    /// The node's own miner, if it has one.
    pub miner: Option<Arc<MinerStatus>>,
    /// The Stratum server, if there is one.
    pub stratum: Option<Arc<Stratum>>,
    /// Coinbases for miners that make none.
    pub coinbases: Coinbases,
    /// Becomes true when the node is to stop.
    pub stop: watch::Sender<bool>,
}

impl Context {
    /// Waits until the node is to stop.
    pub async fn stopping(&self) {
        let mut stop = self.stop.subscribe();
        // An error means that the sender is gone, and so is the node.
        let _ = stop.wait_for(|stop| *stop).await;
    }
}
