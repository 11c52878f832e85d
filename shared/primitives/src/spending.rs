//! Spending policies: who may spend a coin, and when. An output carries a policy's hash; the input that spends it
//! reveals the policy and satisfies it.

mod codec;
mod evaluate;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use crate::encode;
use crate::hash::{HashTag, LockHash, PreimageHash, sha256};
use crate::keys::{KeyError, PublicKey, Signature, hex_bytes};
use crate::units::Height;

pub use evaluate::{SpendContext, SpendError};

static POLICY_TAG: HashTag = HashTag::new("tallystick/policy");

/// Levels of nesting allowed; a policy that is a single condition has one.
pub const MAX_DEPTH: usize = 4;
/// Nodes allowed in the whole tree.
pub const MAX_NODES: usize = 32;
/// Children allowed under one threshold.
pub const MAX_CHILDREN: usize = 16;
/// Levels that decode at all. More than [`MAX_DEPTH`], so that a policy slightly too deep is refused by its rule
/// (IN-05), and few enough that hostile bytes cannot exhaust the stack.
pub const MAX_DECODED_DEPTH: usize = 16;

/// The condition under which a coin may be spent: a tree of thresholds whose leaves are keys, secrets and times.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpendingPolicy {
    /// A signature of this key.
    Key(PublicKey),
    /// `required` of the children. Exactly so many are revealed; the others are [`SpendingPolicy::Opaque`].
    Threshold {
        /// How many children must be satisfied.
        required: u8,
        /// The children.
        of: Vec<SpendingPolicy>,
    },
    /// The 32 bytes whose SHA-256 is this.
    Preimage(PreimageHash),
    /// A block at this height or above.
    After(Height),
    /// At least this many blocks after the coin's.
    Older(u32),
    /// A branch that stays hidden behind its hash and is never satisfied.
    Opaque(LockHash),
}

impl SpendingPolicy {
    /// The hash that an output is locked to. Each child counts by its hash, so that a hidden branch and the branch
    /// itself give the same hash: a Merkle tree of conditions.
    pub fn hash(&self) -> LockHash {
        let hash = |index: u32, fields: &[u8]| LockHash::from_bytes(POLICY_TAG.hash(&[&index.to_le_bytes(), fields]));
        match self {
            SpendingPolicy::Key(key) => hash(0, key.as_bytes()),
            SpendingPolicy::Threshold { required, of } => {
                let mut fields = vec![*required];
                fields.extend_from_slice(&(of.len() as u64).to_le_bytes());
                for child in of {
                    fields.extend_from_slice(child.hash().as_bytes());
                }
                hash(1, &fields)
            }
            SpendingPolicy::Preimage(digest) => hash(2, digest.as_bytes()),
            SpendingPolicy::After(height) => hash(3, &height.get().to_le_bytes()),
            SpendingPolicy::Older(blocks) => hash(4, &blocks.to_le_bytes()),
            SpendingPolicy::Opaque(hidden) => *hidden,
        }
    }

    /// Whether the tree is within the limits that every node enforces (rule IN-05).
    ///
    /// # Errors
    /// The first limit that is exceeded.
    pub fn check_limits(&self) -> Result<(), PolicyLimitError> {
        let mut nodes = 0;
        self.check_limits_at(1, &mut nodes)
    }

    fn check_limits_at(&self, depth: usize, nodes: &mut usize) -> Result<(), PolicyLimitError> {
        *nodes += 1;
        if depth > MAX_DEPTH {
            return Err(PolicyLimitError::TooDeep { max: MAX_DEPTH });
        }
        if *nodes > MAX_NODES {
            return Err(PolicyLimitError::TooManyNodes { max: MAX_NODES });
        }
        let SpendingPolicy::Threshold { required, of } = self else {
            return Ok(());
        };
        if of.len() > MAX_CHILDREN {
            return Err(PolicyLimitError::TooManyChildren { children: of.len(), max: MAX_CHILDREN });
        }
        if *required == 0 || usize::from(*required) > of.len() {
            return Err(PolicyLimitError::RequiredOutOfRange { required: *required, children: of.len() });
        }
        of.iter().try_for_each(|child| child.check_limits_at(depth + 1, nodes))
    }
}

/// Which limit a spending policy exceeds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyLimitError {
    /// Nested too deeply.
    #[error("the policy is nested deeper than {max} levels")]
    TooDeep {
        /// Levels allowed.
        max: usize,
    },
    /// Too large a tree.
    #[error("the policy has more than {max} nodes")]
    TooManyNodes {
        /// Nodes allowed.
        max: usize,
    },
    /// Too wide a threshold.
    #[error("a threshold has {children} children, more than {max}")]
    TooManyChildren {
        /// Children found.
        children: usize,
        /// Children allowed.
        max: usize,
    },
    /// A threshold of none, or of more than there are.
    #[error("a threshold requires {required} of {children} children")]
    RequiredOutOfRange {
        /// Children required.
        required: u8,
        /// Children there.
        children: usize,
    },
}

/// A secret that a [`SpendingPolicy::Preimage`] asks for: 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Preimage([u8; 32]);

impl Preimage {
    /// The preimage with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Preimage {
        Preimage(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its SHA-256.
    pub fn hash(&self) -> PreimageHash {
        PreimageHash::from_bytes(sha256(&self.0))
    }
}

mod preimage_text {
    use core::fmt;
    use core::str::FromStr;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{KeyError, Preimage, hex_bytes};
    use crate::encode::words;

    hex_bytes!(Preimage, "a preimage", 32);
}

/// What an input shows to be allowed to spend its coin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// The policy whose hash is the coin's lock. Branches that are not used may be hidden.
    pub policy: SpendingPolicy,
    /// The signatures, in the order in which the walk through the policy asks for them.
    #[serde(with = "encode::list")]
    pub signatures: Vec<Signature>,
    /// The preimages, likewise.
    #[serde(with = "encode::list")]
    pub preimages: Vec<Preimage>,
}
