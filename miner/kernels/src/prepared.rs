//! What all nonces of a header share.

use crate::sha256;

/// A header and its target, with everything computed that does not depend on the nonce.
#[derive(Clone, Debug)]
pub struct Prepared {
    header: [u8; 80],
    target: [u8; 32],
    /// The state after the header's first 64 bytes.
    pub midstate: [u32; 8],
    /// The second block's first words: the last four bytes of the Merkle root, the time, the bits.
    pub tail: [u32; 3],
    /// The target's most significant 32 bits: what a kernel compares first, and nearly always last.
    pub target_top: u32,
}

impl Prepared {
    /// Prepares a header (its nonce is ignored) and a target (most significant byte first).
    #[must_use]
    pub fn new(header: &[u8; 80], target: &[u8; 32]) -> Prepared {
        let mut first = [0; 64];
        first.copy_from_slice(&header[..64]);
        let mut midstate = sha256::INITIAL;
        sha256::compress(&mut midstate, &sha256::words(&first));
        let big_endian = |bytes: &[u8]| bytes.iter().fold(0, |word: u32, byte| word << 8 | u32::from(*byte));
        Prepared {
            header: *header,
            target: *target,
            midstate,
            tail: [big_endian(&header[64..68]), big_endian(&header[68..72]), big_endian(&header[72..76])],
            target_top: big_endian(&target[..4]),
        }
    }

    /// The header with this nonce.
    #[must_use]
    pub fn header_with(&self, nonce: u32) -> [u8; 80] {
        let mut header = self.header;
        header[76..].copy_from_slice(&nonce.to_le_bytes());
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

    /// Whether this nonce's hash meets the whole target, by the portable compression function. For the few candidates
    /// that pass a kernel's comparison of the top word.
    #[must_use]
    pub fn is_hit(&self, nonce: u32) -> bool {
        let mut state = self.midstate;
        sha256::compress(&mut state, &self.second_block(nonce));
        sha256::meets(&sha256::digest(&sha256::hash_digest(&state)), &self.target)
    }
}
