//! What can go wrong, in one line each, and the exit codes.

use tally_kernels::EngineError;
use tally_primitives::address::AddressError;
use tally_rpc::client::ClientError;

/// Why the miner gives up.
#[derive(Debug, thiserror::Error)]
pub enum MinerError {
    /// The payout address is none.
    #[error(transparent)]
    BadAddress(#[from] AddressError),
    /// The payout address is of another network than the node's.
    #[error("the node at {url} does not take {address} as an address: {reason}")]
    AddressRefused {
        /// The node.
        url: String,
        /// What was given.
        address: String,
        /// What the node said.
        reason: String,
    },
    /// The URL of a node cannot be used.
    #[error("{url:?} is not the URL of a node: {reason}")]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The address of a Stratum server cannot be used.
    #[error("{server:?} is not the address of a Stratum server: {reason}")]
    BadServer {
        /// What was given.
        server: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// No Stratum server can be reached.
    #[error("cannot reach {server}: {reason}")]
    ServerUnreachable {
        /// Which.
        server: String,
        /// What the system said.
        reason: String,
    },
    /// No Stratum server lets us in.
    #[error("{server}: {reason}")]
    LoginRefused {
        /// Which was the last.
        server: String,
        /// What it said.
        reason: String,
    },
    /// Nodes and cookies cannot be paired.
    #[error("{cookies} cookies for {nodes} nodes: give one for all, or one for each in the same order")]
    CookieCount {
        /// How many `--cookie`.
        cookies: usize,
        /// How many `--rpc`.
        nodes: usize,
    },
    /// The processor lacks what the kernel needs.
    #[error("the kernel {kernel} does not run on this processor")]
    KernelUnavailable {
        /// Its name.
        kernel: &'static str,
    },
    /// The engine does not start.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// No node can be used.
    #[error(transparent)]
    Node(#[from] ClientError),
    /// The operating system refused something.
    #[error("cannot {action}: {reason}")]
    System {
        /// What was to be done.
        action: &'static str,
        /// What it said.
        reason: String,
    },
}

impl MinerError {
    /// The exit code: 2 wrong usage, 4 refused by the node, 5 node unreachable, 1 anything else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            MinerError::BadAddress(_)
            | MinerError::AddressRefused { .. }
            | MinerError::BadUrl { .. }
            | MinerError::BadServer { .. }
            | MinerError::CookieCount { .. }
            | MinerError::KernelUnavailable { .. }
            | MinerError::Engine(EngineError::NoThreads | EngineError::BadLimit { .. }) => 2,
            MinerError::Node(ClientError::Unauthorized { .. } | ClientError::Rpc(_))
            | MinerError::LoginRefused { .. } => 4,
            MinerError::Node(ClientError::Unreachable { .. }) | MinerError::ServerUnreachable { .. } => 5,
            MinerError::Engine(_) | MinerError::Node(ClientError::BadAnswer { .. }) | MinerError::System { .. } => 1,
        }
    }

    /// What to do about it, if that can be said in a line.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            MinerError::BadAddress(_) => Some("`wallet address` prints one"),
            MinerError::AddressRefused { .. } => Some("take the address from a wallet on the same network as the node"),
            MinerError::BadUrl { .. } => Some("write it as http://127.0.0.1:9741"),
            MinerError::BadServer { .. } => Some("write it as stratum+tcp://pool.example:3333"),
            MinerError::ServerUnreachable { .. } => {
                Some("start the server, or check --stratum; with --wait the miner waits for it")
            }
            MinerError::LoginRefused { .. } => {
                Some("check --user and --password; for a Tallystick node, the user is an address of its network")
            }
            MinerError::KernelUnavailable { .. } => Some("`miner kernels` lists those that do"),
            MinerError::Node(ClientError::Unreachable { .. }) => {
                Some("start the node, or check --rpc and --cookie; with --wait the miner waits for it")
            }
            MinerError::Node(ClientError::Unauthorized { .. }) => {
                Some("--cookie is the file .cookie in the node's data directory")
            }
            _ => None,
        }
    }
}
