//! The wallet's nodes: asked in order until one answers, and only believed if they are on the wallet's network.

use tally_primitives::hash::BlockHash;
use tally_primitives::params::Params;
use tally_primitives::units::Height;
use tally_rpc::client::{Auth, Client, ClientError};
use tally_rpc::error::{IN_WARMUP, RpcError};

/// Why no node gave a result.
#[derive(Debug, thiserror::Error)]
pub enum NodesError {
    /// None could be asked.
    #[error("no node can be reached: {}", reasons.join("; "))]
    Unreachable {
        /// One line for each node.
        reasons: Vec<String>,
    },
    /// Nodes are there, but none lets us in.
    #[error("{}", reasons.join("; "))]
    Unauthorized {
        /// One line for each node.
        reasons: Vec<String>,
    },
    /// A node answered that it does not want to.
    #[error("the node at {url} refused: {source}")]
    Refused {
        /// Which node.
        url: String,
        /// Its answer.
        source: RpcError,
    },
    /// A node of another network.
    #[error("the node at {url} is on another network: its genesis is {found}, that of {network} is {expected}")]
    WrongNetwork {
        /// Which node.
        url: String,
        /// The wallet's network.
        network: String,
        /// Its genesis.
        expected: BlockHash,
        /// The node's.
        found: BlockHash,
    },
}

/// A node's place, and how to be let in.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `http://host:port`.
    pub url: String,
    /// The cookie, or a user.
    pub auth: Auth,
}

/// The nodes of one network.
#[derive(Debug)]
pub struct Nodes {
    nodes: Vec<Node>,
    /// The one that answered last is asked first.
    current: usize,
    network: String,
    genesis: BlockHash,
}

#[derive(Debug)]
struct Node {
    client: Client,
    is_checked: bool,
}

impl Nodes {
    /// The nodes at `endpoints`, which must be on the network `params`. Nothing is asked yet.
    pub fn new(endpoints: Vec<Endpoint>, params: &Params) -> Nodes {
        let node = |endpoint: Endpoint| Node { client: Client::new(endpoint.url, endpoint.auth), is_checked: false };
        Nodes {
            nodes: endpoints.into_iter().map(node).collect(),
            current: 0,
            network: params.name.clone(),
            genesis: params.genesis_hash(),
        }
    }

    /// Asks the node that answered last; if it cannot be reached (or starts just now), the next.
    ///
    /// # Errors
    /// See [`NodesError`]. What a node answers is final, even if it is an error: others are not asked for a second
    /// opinion.
    pub fn ask<T>(&mut self, call: impl Fn(&Client) -> Result<T, ClientError>) -> Result<T, NodesError> {
        let mut reasons = Vec::new();
        let mut is_any_unreachable = self.nodes.is_empty();
        for turn in 0..self.nodes.len() {
            let index = (self.current + turn) % self.nodes.len();
            self.current = index;
            match self.check(index)?.and_then(|()| call(&self.nodes[index].client)) {
                Ok(answer) => return Ok(answer),
                Err(ClientError::Rpc(source)) if source.code != IN_WARMUP => {
                    return Err(NodesError::Refused { url: self.nodes[index].client.url().to_owned(), source });
                }
                Err(error) => {
                    is_any_unreachable |= !matches!(error, ClientError::Unauthorized { .. });
                    reasons.push(error.to_string());
                }
            }
        }
        self.current = 0;
        Err(match is_any_unreachable {
            true => NodesError::Unreachable { reasons },
            false => NodesError::Unauthorized { reasons },
        })
    }

    /// Whether the node is on our network; the inner error is one that another node may not have.
    fn check(&mut self, index: usize) -> Result<Result<(), ClientError>, NodesError> {
        let node = &mut self.nodes[index];
        if node.is_checked {
            return Ok(Ok(()));
        }
        match node.client.block_hash(Height::GENESIS) {
            Ok(found) if found == self.genesis => {
                node.is_checked = true;
                Ok(Ok(()))
            }
            Ok(found) => Err(NodesError::WrongNetwork {
                url: node.client.url().to_owned(),
                network: self.network.clone(),
                expected: self.genesis,
                found,
            }),
            Err(error) => Ok(Err(error)),
        }
    }
}
