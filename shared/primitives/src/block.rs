//! Blocks: an 80-byte header, byte for byte Bitcoin's, and the transactions it commits to.

use serde::{Deserialize, Serialize};

use crate::encode::{self, encode};
use crate::hash::{BlockHash, MerkleRoot, Wtxid, sha256d};
use crate::merkle;
use crate::pow::CompactTarget;
use crate::transaction::Transaction;

/// The largest encoded block in bytes (rule BLK-04).
pub const MAX_BLOCK_SIZE: usize = 1_000_000;

/// What a block's proof of work is made of, and what chains the blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The top three bits are 001; bits 13 to 28 are the miner's to roll (BIP 320).
    pub version: u32,
    /// The parent's hash; zero in the genesis block.
    pub prev_block: BlockHash,
    /// The Merkle root over the transactions' wtxids.
    pub merkle_root: MerkleRoot,
    /// When the block was made, by its miner's clock: seconds since the Unix epoch.
    pub time: u32,
    /// The target in compact form.
    pub bits: CompactTarget,
    /// What miners count up.
    pub nonce: u32,
}

impl Header {
    /// The encoded size in bytes.
    pub const SIZE: usize = 80;

    /// The encoding: the same 80 bytes as Bitcoin's.
    pub fn to_bytes(&self) -> [u8; Header::SIZE] {
        let mut bytes = [0; Header::SIZE];
        bytes[0..4].copy_from_slice(&self.version.to_le_bytes());
        bytes[4..36].copy_from_slice(self.prev_block.as_bytes());
        bytes[36..68].copy_from_slice(self.merkle_root.as_bytes());
        bytes[68..72].copy_from_slice(&self.time.to_le_bytes());
        bytes[72..76].copy_from_slice(&self.bits.to_bits().to_le_bytes());
        bytes[76..80].copy_from_slice(&self.nonce.to_le_bytes());
        bytes
    }

    /// The header in these bytes: any 80 bytes are one.
    pub fn from_bytes(bytes: &[u8; Header::SIZE]) -> Header {
        let word = |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
        let hash = |at: usize| {
            let mut hash = [0; 32];
            hash.copy_from_slice(&bytes[at..at + 32]);
            hash
        };
        Header {
            version: word(0),
            prev_block: BlockHash::from_bytes(hash(4)),
            merkle_root: MerkleRoot::from_bytes(hash(36)),
            time: word(68),
            bits: CompactTarget::from_bits(word(72)),
            nonce: word(76),
        }
    }

    /// The block's identifier, and the number that proof of work compares with the target.
    pub fn hash(&self) -> BlockHash {
        BlockHash::from_bytes(sha256d(&self.to_bytes()))
    }
}

/// A header with its transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The header.
    pub header: Header,
    /// The transactions; the first is the coinbase.
    #[serde(with = "encode::list")]
    pub transactions: Vec<Transaction>,
}

impl Block {
    /// The header's hash.
    pub fn hash(&self) -> BlockHash {
        self.header.hash()
    }

    /// The transactions' wtxids: the leaves of the Merkle tree.
    pub fn wtxids(&self) -> Vec<Wtxid> {
        self.transactions.iter().map(Transaction::wtxid).collect()
    }

    /// The Merkle root of the transactions that are there (the header's may differ: rule BLK-02).
    pub fn merkle_root(&self) -> MerkleRoot {
        merkle::root(&self.wtxids())
    }

    /// The size of the encoding in bytes.
    pub fn encoded_size(&self) -> usize {
        encode::encoded_size(self)
    }

    /// The encoding.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(self)
    }
}
