//! The first message on every connection.

use serde::{Deserialize, Serialize};
use tally_primitives::encode;
use tally_primitives::hash::BlockHash;
use tally_primitives::pow::Work;
use tally_primitives::units::{Height, Timestamp};

/// What a node offers to its peers, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Services(u64);

impl Services {
    /// Nothing.
    pub const NONE: Services = Services(0);
    /// The whole chain: every header and every block of it.
    pub const FULL_CHAIN: Services = Services(1);
    /// On this connection the sender wants blocks only: no transactions and no addresses. Says nothing about the node.
    pub const BLOCKS_ONLY: Services = Services(2);

    /// From the bits of the wire; unknown bits are kept.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Services {
        Services(bits)
    }

    /// The bits of the wire.
    #[must_use]
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Services) -> Services {
        Services(self.0 | other.0)
    }

    /// What concerns the node, without what concerns one connection.
    #[must_use]
    pub const fn of_node(self) -> Services {
        Services(self.0 & !Services::BLOCKS_ONLY.0)
    }

    /// Whether everything in `other` is offered.
    #[must_use]
    pub const fn contains(self, other: Services) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Who is speaking: the first message on every connection, in both directions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The version of this protocol that the sender speaks.
    pub protocol: u32,
    /// What the sender offers.
    pub services: Services,
    /// The network: nodes with another genesis have nothing to say to each other.
    pub genesis: BlockHash,
    /// The sender's clock. Believed by nobody; shown, so that people notice a wrong clock.
    pub time: Timestamp,
    /// Random, so that a node recognises a connection to itself.
    pub nonce: u64,
    /// Program and version, for people: printable ASCII, at most
    /// [`MAX_USER_AGENT_BYTES`](crate::limits::MAX_USER_AGENT_BYTES).
    #[serde(with = "encode::text")]
    pub user_agent: String,
    /// The port at which the sender accepts connections; 0 if it does not.
    pub listen_port: u16,
    /// The height of the sender's best valid block.
    pub height: Height,
    /// The work of the sender's best valid chain: a claim, good for choosing whom to ask first.
    pub chain_work: Work,
}

impl Version {
    /// Whether `text` may stand in [`Version::user_agent`]. Control characters may not: the text ends up on terminals.
    #[must_use]
    pub fn is_user_agent(text: &str) -> bool {
        text.len() <= crate::limits::MAX_USER_AGENT_BYTES && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    }
}
