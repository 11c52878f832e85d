//! A template prepared for miners: what is the same for every connection is computed once.

use tally_primitives::hash::{MerkleRoot, Wtxid};
use tally_primitives::merkle;

use crate::mining::BlockTemplate;
use crate::mining::stratum::difficulty::Difficulty;

/// A template, and the parts of `mining.notify` that follow from it.
#[derive(Debug)]
pub struct Work {
    template: BlockTemplate,
    branch: Vec<MerkleRoot>,
    branch_hex: Vec<String>,
    prev_block_hex: String,
    difficulty: Difficulty,
}

impl Work {
    /// Prepares a template.
    pub fn new(template: BlockTemplate) -> Work {
        let leaves: Vec<Wtxid> = template.transactions.iter().map(|transaction| transaction.wtxid).collect();
        let branch = merkle::coinbase_branch(&leaves);
        Work {
            branch_hex: branch.iter().map(|node| hex::encode(node.as_bytes())).collect(),
            branch,
            prev_block_hex: word_swapped_hex(template.prev_block.as_bytes()),
            difficulty: Difficulty::of_target(&template.target),
            template,
        }
    }

    /// The template.
    pub fn template(&self) -> &BlockTemplate {
        &self.template
    }

    /// The difficulty of a block.
    pub fn difficulty(&self) -> Difficulty {
        self.difficulty
    }

    pub(super) fn branch(&self) -> &[MerkleRoot] {
        &self.branch
    }

    pub(super) fn branch_hex(&self) -> &[String] {
        &self.branch_hex
    }

    pub(super) fn prev_block_hex(&self) -> &str {
        &self.prev_block_hex
    }
}

/// Hex of 32 bytes as eight 4-byte words, each of them reversed: how Stratum writes the parent's hash.
fn word_swapped_hex(bytes: &[u8; 32]) -> String {
    let mut swapped = *bytes;
    swapped.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    hex::encode(swapped)
}
