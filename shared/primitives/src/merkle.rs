//! Merkle trees as Bitcoin builds them: SHA-256d of pairs, the last of an odd row paired with itself.

use serde::{Deserialize, Serialize};

use crate::encode;
use crate::hash::{MerkleRoot, Wtxid, sha256d};

/// A node of the tree.
type Node = [u8; 32];

/// The root over `leaves`; zero when there are none.
pub fn root(leaves: &[Wtxid]) -> MerkleRoot {
    root_and_mutation(leaves).0
}

/// The root, and whether two equal nodes stand side by side in some row. Then leaves may have been repeated without
/// changing the root (CVE-2012-2459), and the list must be refused without condemning the root.
pub fn root_and_mutation(leaves: &[Wtxid]) -> (MerkleRoot, bool) {
    let mut row: Vec<Node> = leaves.iter().map(|leaf| leaf.to_bytes()).collect();
    let mut mutated = false;
    while row.len() > 1 {
        mutated |= row.chunks_exact(2).any(|pair| pair[0] == pair[1]);
        row = next_row(&row);
    }
    (MerkleRoot::from_bytes(row.first().copied().unwrap_or_default()), mutated)
}

fn next_row(row: &[Node]) -> Vec<Node> {
    row.chunks(2).map(|pair| parent(&pair[0], pair.last().unwrap_or(&pair[0]))).collect()
}

fn parent(left: &Node, right: &Node) -> Node {
    let mut pair = [0; 64];
    pair[..32].copy_from_slice(left);
    pair[32..].copy_from_slice(right);
    sha256d(&pair)
}

/// A proof that a leaf stands at a position of a tree: the siblings on the way to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerkleProof {
    /// The leaf's position, from 0.
    pub index: u32,
    /// The number of leaves of the tree.
    pub leaves: u32,
    /// The sibling in each row, from the leaves up.
    #[serde(with = "encode::list")]
    pub siblings: Vec<MerkleRoot>,
}

impl MerkleProof {
    /// The proof for the leaf at `index`; `None` when there is no such leaf.
    pub fn new(leaves: &[Wtxid], index: usize) -> Option<MerkleProof> {
        if index >= leaves.len() {
            return None;
        }
        let count = u32::try_from(leaves.len()).ok()?;
        let mut row: Vec<Node> = leaves.iter().map(|leaf| leaf.to_bytes()).collect();
        let mut siblings = Vec::new();
        let mut position = index;
        while row.len() > 1 {
            let sibling = row.get(position ^ 1).unwrap_or(&row[position]);
            siblings.push(MerkleRoot::from_bytes(*sibling));
            row = next_row(&row);
            position /= 2;
        }
        Some(MerkleProof { index: u32::try_from(index).ok()?, leaves: count, siblings })
    }

    /// Whether the proof shows that `leaf` stands in the tree with this `root`.
    pub fn verify(&self, leaf: &Wtxid, root: &MerkleRoot) -> bool {
        if self.index >= self.leaves {
            return false;
        }
        let mut node = leaf.to_bytes();
        let (mut position, mut width) = (self.index, self.leaves);
        for sibling in &self.siblings {
            if width <= 1 {
                return false;
            }
            let is_last_of_odd_row = position == width - 1 && width % 2 == 1;
            if is_last_of_odd_row && *sibling.as_bytes() != node {
                return false;
            }
            node =
                if position % 2 == 0 { parent(&node, sibling.as_bytes()) } else { parent(sibling.as_bytes(), &node) };
            position /= 2;
            width = width.div_ceil(2);
        }
        width == 1 && MerkleRoot::from_bytes(node) == *root
    }
}

/// The siblings of the first leaf (the coinbase) from the leaves up: what a miner needs to compute the root after it
/// has changed the coinbase. `rest` are the other leaves.
pub fn coinbase_branch(rest: &[Wtxid]) -> Vec<MerkleRoot> {
    let mut leaves = vec![Wtxid::ZERO];
    leaves.extend_from_slice(rest);
    // The siblings of the first leaf never depend on the first leaf, unless it is alone in its row (then there are none).
    MerkleProof::new(&leaves, 0).map(|proof| proof.siblings).unwrap_or_default()
}

/// The root of a tree whose first leaf is `coinbase` and whose [`coinbase_branch`] is `branch`.
pub fn root_from_branch(coinbase: &Wtxid, branch: &[MerkleRoot]) -> MerkleRoot {
    let node = branch.iter().fold(coinbase.to_bytes(), |node, sibling| parent(&node, sibling.as_bytes()));
    MerkleRoot::from_bytes(node)
}
