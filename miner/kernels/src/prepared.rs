//! What all nonces of a header share.

use crate::sha256;

/// A header in one or several versions, and a target, with everything computed that does not depend on the nonce.
///
/// The version field stands in the header's first 64 bytes, so headers that differ only there differ for a kernel only in
/// their midstates: the second block, and with it the whole message schedule of its compression, is the same.
#[derive(Clone, Debug)]
pub struct Prepared {
    header: [u8; 80],
    target: [u8; 32],
    versions: Vec<u32>,
    midstates: Vec<[u32; 8]>,
    /// The second block's first words: the last four bytes of the Merkle root, the time, the bits.
    pub tail: [u32; 3],
    /// The target's most significant 32 bits: what a kernel compares first, and nearly always last.
    pub target_top: u32,
}

/// What a kernel found: a version (its place in [`Prepared::midstates`]) and a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hit {
    /// The nonce, as a number.
    pub nonce: u32,
    /// Which of the prepared versions, from 0.
    pub version: usize,
}

impl Prepared {
    /// Prepares a header (its nonce is ignored) in its own version only, and a target (most significant byte first).
    #[must_use]
    pub fn new(header: &[u8; 80], target: &[u8; 32]) -> Prepared {
        let [a, b, c, d, ..] = *header;
        Prepared::with_versions(header, target, &[u32::from_le_bytes([a, b, c, d])])
    }

    /// Prepares a header (its version and nonce are ignored) in these versions.
    #[must_use]
    pub fn with_versions(header: &[u8; 80], target: &[u8; 32], versions: &[u32]) -> Prepared {
        let big_endian = |bytes: &[u8]| bytes.iter().fold(0, |word: u32, byte| word << 8 | u32::from(*byte));
        Prepared {
            header: *header,
            target: *target,
            versions: versions.to_vec(),
            midstates: versions.iter().map(|version| midstate(header, *version)).collect(),
            tail: [big_endian(&header[64..68]), big_endian(&header[68..72]), big_endian(&header[72..76])],
            target_top: big_endian(&target[..4]),
        }
    }

    /// The same in one of its versions only; in none, if there is no such version.
    #[must_use]
    pub fn single(&self, version: usize) -> Prepared {
        let (versions, midstates) = (self.versions.get(version), self.midstates.get(version));
        Prepared {
            versions: versions.into_iter().copied().collect(),
            midstates: midstates.into_iter().copied().collect(),
            ..*self
        }
    }

    /// The state after the header's first 64 bytes, for each version.
    #[must_use]
    pub fn midstates(&self) -> &[[u32; 8]] {
        &self.midstates
    }

    /// The header of a hit of this work.
    #[must_use]
    pub fn header_of(&self, hit: Hit) -> [u8; 80] {
        let mut header = self.header;
        if let Some(version) = self.versions.get(hit.version) {
            header[..4].copy_from_slice(&version.to_le_bytes());
        }
        header[76..].copy_from_slice(&hit.nonce.to_le_bytes());
        header
    }

    /// The target, most significant byte first.
    #[must_use]
    pub fn target(&self) -> &[u8; 32] {
        &self.target
    }

    /// The second block's sixteen words for this nonce: tail, nonce, padding, and the length of 640 bits.
    #[must_use]
    pub fn second_block(&self, nonce: u32) -> [u32; 16] {
        let mut block = [0; 16];
        block[..3].copy_from_slice(&self.tail);
        block[3] = nonce.swap_bytes();
        block[4] = 0x8000_0000;
        block[15] = 640;
        block
    }

    /// Whether this hash meets the whole target, by the portable compression function. For the few candidates that pass a
    /// kernel's comparison of the top word.
    #[must_use]
    pub fn is_hit(&self, hit: Hit) -> bool {
        let Some(midstate) = self.midstates.get(hit.version) else { return false };
        let mut state = *midstate;
        sha256::compress(&mut state, &self.second_block(hit.nonce));
        sha256::meets(&sha256::digest(&sha256::hash_digest(&state)), &self.target)
    }
}

fn midstate(header: &[u8; 80], version: u32) -> [u32; 8] {
    let mut first = [0; 64];
    first.copy_from_slice(&header[..64]);
    first[..4].copy_from_slice(&version.to_le_bytes());
    let mut state = sha256::INITIAL;
    sha256::compress(&mut state, &sha256::words(&first));
    state
}
