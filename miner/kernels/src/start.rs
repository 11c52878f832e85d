//! What the compression of a header's second block needs and no nonce changes, computed once a header.

use crate::prepared::Prepared;
use crate::sha256::{K, round, small_sigma_0, small_sigma_1};

/// The first padding word: a one bit after the header's last byte, or the digest's.
pub(crate) const ONE_BIT: u32 = 0x8000_0000;
/// The header's length in bits.
pub(crate) const HEADER_BITS: u32 = 640;
/// The digest's length in bits.
pub(crate) const DIGEST_BITS: u32 = 256;

/// The parts of the message schedule that no nonce changes. All versions of a header have them in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FixedWords {
    /// Schedule word 16.
    pub(crate) word_16: u32,
    /// Schedule word 17.
    pub(crate) word_17: u32,
    /// Word 18 without σ0(nonce).
    pub(crate) word_18: u32,
    /// Word 19 without the nonce.
    pub(crate) word_19: u32,
}

impl FixedWords {
    pub(crate) fn new(prepared: &Prepared) -> FixedWords {
        let [word_0, word_1, word_2] = prepared.tail;
        let word_16 = small_sigma_0(word_1).wrapping_add(word_0);
        let word_17 = small_sigma_1(HEADER_BITS).wrapping_add(small_sigma_0(word_2)).wrapping_add(word_1);
        FixedWords {
            word_16,
            word_17,
            word_18: small_sigma_1(word_16).wrapping_add(word_2),
            word_19: small_sigma_1(word_17).wrapping_add(small_sigma_0(ONE_BIT)),
        }
    }
}

/// Where a version's compression begins: after round 3, which does nothing but add the nonce to two of the eight words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    /// What is added to the digest in the end.
    pub(crate) midstate: [u32; 8],
    /// The state after round 3, but `a` and `e` are still without the nonce.
    pub(crate) state: [u32; 8],
    /// `h` with the schedule word and the constant of rounds 4, 5 and 6: no nonce has reached it yet.
    pub(crate) sums: [u32; 3],
}

impl Start {
    pub(crate) fn new(prepared: &Prepared, midstate: &[u32; 8]) -> Start {
        let mut state = *midstate;
        for (word, constant) in prepared.tail.iter().chain(&[0]).zip(K) {
            round(&mut state, word.wrapping_add(constant));
        }
        let [.., f, g, h] = state;
        let sums = [h.wrapping_add(K[4]).wrapping_add(ONE_BIT), g.wrapping_add(K[5]), f.wrapping_add(K[6])];
        Start { midstate: *midstate, state, sums }
    }

    /// One for each version.
    pub(crate) fn all(prepared: &Prepared) -> Vec<Start> {
        prepared.midstates().iter().map(|midstate| Start::new(prepared, midstate)).collect()
    }
}
