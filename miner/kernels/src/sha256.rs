//! SHA-256 (FIPS 180-4): its constants, the portable compression function, and sha256d.
//!
//! The kernels build on this; what they find is confirmed with the sha2 crate, which shares no line with it.

/// The initial state.
pub const INITIAL: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// The round constants.
#[rustfmt::skip]
pub const K: [u32; 64] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
];

/// Σ0 of the standard: what a round mixes of `a`.
#[inline(always)]
#[must_use]
pub const fn big_sigma_0(x: u32) -> u32 {
    x.rotate_right(2) ^ x.rotate_right(13) ^ x.rotate_right(22)
}

/// Σ1: what a round mixes of `e`.
#[inline(always)]
#[must_use]
pub const fn big_sigma_1(x: u32) -> u32 {
    x.rotate_right(6) ^ x.rotate_right(11) ^ x.rotate_right(25)
}

/// σ0: what the schedule takes of the word 15 back.
#[inline(always)]
#[must_use]
pub const fn small_sigma_0(x: u32) -> u32 {
    x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3)
}

/// σ1: what the schedule takes of the word 2 back.
#[inline(always)]
#[must_use]
pub const fn small_sigma_1(x: u32) -> u32 {
    x.rotate_right(17) ^ x.rotate_right(19) ^ (x >> 10)
}

/// Ch: `e` chooses between `f` and `g`. One operation fewer than the standard's form.
#[inline(always)]
#[must_use]
pub const fn choose(e: u32, f: u32, g: u32) -> u32 {
    g ^ (e & (f ^ g))
}

/// Maj: the majority of three, with two operands in common from round to round.
#[inline(always)]
#[must_use]
pub const fn majority(a: u32, b: u32, c: u32) -> u32 {
    (a & b) | (c & (a | b))
}

/// One round on the state (a to h), with the schedule word and the round constant already added.
#[inline(always)]
pub fn round(state: &mut [u32; 8], word_and_constant: u32) {
    let [a, b, c, d, e, f, g, h] = *state;
    let first = h.wrapping_add(big_sigma_1(e)).wrapping_add(choose(e, f, g)).wrapping_add(word_and_constant);
    let second = big_sigma_0(a).wrapping_add(majority(a, b, c));
    *state = [first.wrapping_add(second), a, b, c, d.wrapping_add(first), e, f, g];
}

/// The compression function, straight from the standard; for what is computed once a header.
pub fn compress(state: &mut [u32; 8], words: &[u32; 16]) {
    let mut schedule = *words;
    let mut working = *state;
    for (index, constant) in K.iter().enumerate() {
        let slot = index % 16;
        if index >= 16 {
            schedule[slot] = schedule[slot]
                .wrapping_add(small_sigma_0(schedule[(slot + 1) % 16]))
                .wrapping_add(schedule[(slot + 9) % 16])
                .wrapping_add(small_sigma_1(schedule[(slot + 14) % 16]));
        }
        round(&mut working, schedule[slot].wrapping_add(*constant));
    }
    for (word, mixed) in state.iter_mut().zip(working) {
        *word = word.wrapping_add(mixed);
    }
}

/// The sixteen big-endian words of a 64-byte block.
#[must_use]
pub fn words(block: &[u8; 64]) -> [u32; 16] {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.as_chunks::<4>().0) {
        *word = u32::from_be_bytes(*bytes);
    }
    words
}

/// The state as the 32 bytes of a digest.
#[must_use]
pub fn digest(state: &[u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    bytes
}

/// The second hash of sha256d over a first digest given as words.
#[must_use]
pub fn hash_digest(first: &[u32; 8]) -> [u32; 8] {
    let mut block = [0; 16];
    block[..8].copy_from_slice(first);
    block[8] = 0x8000_0000;
    block[15] = 256;
    let mut state = INITIAL;
    compress(&mut state, &block);
    state
}

/// sha256(sha256(bytes)), by the sha2 crate: for Merkle branches, and to confirm what a kernel found.
#[must_use]
pub fn sha256d(bytes: &[u8]) -> [u8; 32] {
    use sha2::{Digest, Sha256};
    Sha256::digest(Sha256::digest(bytes)).into()
}

/// Whether a hash (as it comes out, so least significant byte first) is at most a target (most significant byte first).
#[must_use]
pub fn meets(hash: &[u8; 32], target: &[u8; 32]) -> bool {
    hash.iter().rev().le(target.iter())
}

#[cfg(test)]
mod tests;
