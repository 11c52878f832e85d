//! What is to be hashed: a job, and the work behind it.

use crate::sha256::sha256d;
use std::fmt;
use std::sync::Arc;

/// The bits of a version that BIP 320 gives to miners: 13 to 28.
pub const BIP_320_MASK: u32 = 0x1fff_e000;

/// A source of headers that all pay for the same thing: one header for each extra nonce.
pub trait Work: Send + Sync {
    /// The header for this extra nonce; its nonce field (the last four bytes) is ignored. `None` when there are no more
    /// extra nonces: the threads then rest until the next job. Extra nonces are asked for in order from 0, by any thread,
    /// and perhaps more than once.
    fn header(&self, extra_nonce: u64) -> Option<[u8; 80]>;

    /// The largest hash that counts, most significant byte first.
    fn target(&self) -> [u8; 32];

    /// The bits of the header's version that may be changed while searching (BIP 320); 0: none. The version that was found
    /// stands in the result's header.
    fn version_mask(&self) -> u32 {
        0
    }
}

/// How many results a job is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// The first result ends the job; the threads rest until the next one (a block: what follows builds on it).
    First,
    /// Every result is reported (shares for a pool).
    Every,
}

/// Work with a number, as given to the engine.
#[derive(Clone)]
pub struct Job {
    /// Chosen by the caller, comes back in [`Found::job_id`](crate::Found::job_id).
    pub id: u64,
    /// Whether the job ends with its first result.
    pub report: Report,
    /// The headers and the target.
    pub work: Arc<dyn Work>,
}

impl fmt::Debug for Job {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Job").field("id", &self.id).field("report", &self.report).finish_non_exhaustive()
    }
}

/// The usual work: the extra nonce stands in the coinbase, from which a Merkle branch leads to the header's root.
///
/// The coinbase's leaf is sha256d(`prefix` ‖ extra nonce ‖ `suffix`), and the root is sha256d(root ‖ sibling) along the
/// branch, since the coinbase is always the leftmost leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoinbaseWork {
    /// The header; the Merkle root (bytes 36 to 67) and the nonce (76 to 79) are filled in.
    pub header: [u8; 80],
    /// The bits of the header's version (bytes 0 to 3) that may be changed, see [`Work::version_mask`].
    pub version_mask: u32,
    /// The largest hash that counts, most significant byte first.
    pub target: [u8; 32],
    /// The coinbase's bytes before the extra nonce.
    pub coinbase_prefix: Vec<u8>,
    /// The coinbase's bytes after the extra nonce.
    pub coinbase_suffix: Vec<u8>,
    /// Bytes of the extra nonce in the coinbase, 1 to 8; written least significant byte first.
    pub extra_nonce_size: usize,
    /// The siblings from the coinbase's leaf up to the root.
    pub branch: Vec<[u8; 32]>,
}

impl CoinbaseWork {
    /// The coinbase's bytes with this extra nonce; `None` when it does not fit its field.
    #[must_use]
    pub fn coinbase(&self, extra_nonce: u64) -> Option<Vec<u8>> {
        let bytes = extra_nonce.to_le_bytes();
        let (written, rest) = bytes.split_at_checked(self.extra_nonce_size)?;
        if rest.iter().any(|byte| *byte != 0) {
            return None;
        }
        Some([self.coinbase_prefix.as_slice(), written, &self.coinbase_suffix].concat())
    }
}

impl Work for CoinbaseWork {
    fn header(&self, extra_nonce: u64) -> Option<[u8; 80]> {
        let leaf = sha256d(&self.coinbase(extra_nonce)?);
        let root = self.branch.iter().fold(leaf, |node, sibling| sha256d(&[node, *sibling].concat()));
        let mut header = self.header;
        header[36..68].copy_from_slice(&root);
        Some(header)
    }

    fn target(&self) -> [u8; 32] {
        self.target
    }

    fn version_mask(&self) -> u32 {
        self.version_mask
    }
}

#[cfg(test)]
mod tests;
