//! Whether a witness satisfies its policy: one walk, depth first.

use super::{SpendingPolicy, Witness};
use crate::hash::SigHash;
use crate::keys::Signature;
use crate::spending::Preimage;
use crate::units::Height;

/// What a policy may ask about besides the witness.
#[derive(Clone, Copy, Debug)]
pub struct SpendContext<'a> {
    /// The height of the block that spends the coin.
    pub height: Height,
    /// The height of the block that made the coin.
    pub coin_height: Height,
    /// The message that signatures sign.
    pub sighash: &'a SigHash,
}

/// Why a witness does not satisfy its policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpendError {
    /// The policy asks for more signatures than there are.
    #[error("signature {index} is missing")]
    MissingSignature {
        /// Its position, from 0.
        index: usize,
    },
    /// A signature is not the key's over this transaction.
    #[error("signature {index} is wrong")]
    WrongSignature {
        /// Its position, from 0.
        index: usize,
    },
    /// The policy asks for more preimages than there are.
    #[error("preimage {index} is missing")]
    MissingPreimage {
        /// Its position, from 0.
        index: usize,
    },
    /// A preimage's SHA-256 is not the one asked for.
    #[error("preimage {index} is wrong")]
    WrongPreimage {
        /// Its position, from 0.
        index: usize,
    },
    /// An absolute time lock still holds.
    #[error("locked until height {until}, spent at {height}")]
    TooEarly {
        /// The first height allowed.
        until: Height,
        /// The height of the spending block.
        height: Height,
    },
    /// A relative time lock still holds.
    #[error("the coin of height {coin_height} is locked for {blocks} blocks, spent at {height}")]
    TooYoung {
        /// Blocks needed.
        blocks: u32,
        /// The height of the coin's block.
        coin_height: Height,
        /// The height of the spending block.
        height: Height,
    },
    /// A threshold reveals more or fewer branches than it requires.
    #[error("a threshold that requires {required} reveals {revealed} branches")]
    WrongNumberOfBranches {
        /// Branches required.
        required: u8,
        /// Branches that are not opaque.
        revealed: usize,
    },
    /// A hidden branch was to be satisfied.
    #[error("a hidden branch cannot be satisfied")]
    Opaque,
    /// Signatures or preimages that the policy did not ask for (rule IN-07).
    #[error("{signatures} signatures and {preimages} preimages are left over")]
    LeftOver {
        /// Signatures not used.
        signatures: usize,
        /// Preimages not used.
        preimages: usize,
    },
}

/// The walk's state: what of the witness has not been used yet.
struct Walk<'a> {
    context: &'a SpendContext<'a>,
    signatures: &'a [Signature],
    preimages: &'a [Preimage],
    signatures_used: usize,
    preimages_used: usize,
}

impl Witness {
    /// Whether the policy is satisfied (rule IN-06) and nothing is left over (rule IN-07). The caller has checked the
    /// policy's hash (IN-04) and limits (IN-05).
    ///
    /// # Errors
    /// The first condition that does not hold.
    pub fn evaluate(&self, context: &SpendContext<'_>) -> Result<(), SpendError> {
        let mut walk = Walk {
            context,
            signatures: &self.signatures,
            preimages: &self.preimages,
            signatures_used: 0,
            preimages_used: 0,
        };
        walk.satisfy(&self.policy)?;
        let signatures = self.signatures.len() - walk.signatures_used;
        let preimages = self.preimages.len() - walk.preimages_used;
        if signatures + preimages > 0 {
            return Err(SpendError::LeftOver { signatures, preimages });
        }
        Ok(())
    }
}

impl Walk<'_> {
    fn satisfy(&mut self, policy: &SpendingPolicy) -> Result<(), SpendError> {
        let height = self.context.height;
        match policy {
            SpendingPolicy::Key(key) => {
                let index = self.signatures_used;
                let signature = self.signatures.get(index).ok_or(SpendError::MissingSignature { index })?;
                self.signatures_used += 1;
                if !key.verify(self.context.sighash, signature) {
                    return Err(SpendError::WrongSignature { index });
                }
            }
            SpendingPolicy::Preimage(digest) => {
                let index = self.preimages_used;
                let preimage = self.preimages.get(index).ok_or(SpendError::MissingPreimage { index })?;
                self.preimages_used += 1;
                if preimage.hash() != *digest {
                    return Err(SpendError::WrongPreimage { index });
                }
            }
            SpendingPolicy::After(until) => {
                if height < *until {
                    return Err(SpendError::TooEarly { until: *until, height });
                }
            }
            SpendingPolicy::Older(blocks) => {
                let coin_height = self.context.coin_height;
                // In u64, so that a coin's height plus a huge number of blocks does not wrap around.
                if u64::from(height.get()) < u64::from(coin_height.get()) + u64::from(*blocks) {
                    return Err(SpendError::TooYoung { blocks: *blocks, coin_height, height });
                }
            }
            SpendingPolicy::Threshold { required, of } => {
                let is_revealed = |child: &&SpendingPolicy| !matches!(child, SpendingPolicy::Opaque(_));
                let revealed = of.iter().filter(is_revealed).count();
                if revealed != usize::from(*required) {
                    return Err(SpendError::WrongNumberOfBranches { required: *required, revealed });
                }
                for child in of.iter().filter(is_revealed) {
                    self.satisfy(child)?;
                }
            }
            SpendingPolicy::Opaque(_) => return Err(SpendError::Opaque),
        }
        Ok(())
    }
}
