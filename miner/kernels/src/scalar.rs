//! The `scalar` kernel: portable, on any processor.
//!
//! What it saves against three plain compressions a nonce (the header's two blocks, then the digest's):
//! - the midstate: the first 64 bytes are compressed once a header;
//! - the second block's first three rounds and all that the nonce does not touch in the fourth, once a header;
//! - its schedule words that do not depend on the nonce (16 and 17), and the constant parts of the others (18 to 31):
//!   ten of its sixteen words are padding;
//! - the padding of the digest's block likewise;
//! - the last three rounds of the second hash, and half of the four before: the hash's top word is final after round 60.

use crate::kernel::Kernel;
use crate::prepared::{Hit, Prepared};
use crate::sha256::{INITIAL, K, big_sigma_0, big_sigma_1, choose, majority, round, small_sigma_0, small_sigma_1};
use std::ops::RangeInclusive;

/// The kernel `scalar`.
pub struct Scalar;

impl Kernel for Scalar {
    fn name(&self) -> &'static str {
        "scalar"
    }

    fn description(&self) -> &'static str {
        "portable, with midstate, precomputed rounds and early rejection"
    }

    fn is_available(&self) -> bool {
        true
    }

    fn scan(&self, prepared: &Prepared, nonces: RangeInclusive<u32>, hits: &mut Vec<Hit>) {
        for (version, midstate) in prepared.midstates().iter().enumerate() {
            let fixed = Fixed::new(prepared, midstate);
            for nonce in nonces.clone() {
                let first = fixed.first_digest(nonce.swap_bytes());
                let hit = Hit { nonce, version };
                if top_word(&first) <= prepared.target_top && prepared.is_hit(hit) {
                    hits.push(hit);
                }
            }
        }
    }
}

/// What the second block's compression needs and no nonce changes.
struct Fixed {
    midstate: [u32; 8],
    /// The state after three rounds.
    third: [u32; 8],
    /// Schedule words 16 and 17.
    word_16: u32,
    word_17: u32,
    /// Word 18 without σ0(nonce), word 19 without the nonce.
    word_18: u32,
    word_19: u32,
}

/// The first padding word: a one bit after the header's last byte, or the digest's.
const ONE_BIT: u32 = 0x8000_0000;
/// The header's length in bits.
const HEADER_BITS: u32 = 640;
/// The digest's length in bits.
const DIGEST_BITS: u32 = 256;

macro_rules! sum {
    ($first:expr $(, $more:expr)+ $(,)?) => { $first $(.wrapping_add($more))+ };
}

/// One round with the names moved instead of the values; `$word` with the constant already added.
macro_rules! turn {
    ($a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident, $word:expr) => {
        $h = sum!($h, big_sigma_1($e), choose($e, $f, $g), $word);
        $d = $d.wrapping_add($h);
        $h = sum!($h, big_sigma_0($a), majority($a, $b, $c));
    };
}

/// The half of a round that makes the new `e` (in the place of `d`).
macro_rules! half_turn {
    ($e:ident $f:ident $g:ident $d:ident $h:ident, $word:expr) => {
        $d = sum!($d, $h, big_sigma_1($e), choose($e, $f, $g), $word);
    };
}

/// Eight rounds from `$from` on over a ring of sixteen schedule words.
macro_rules! eight {
    ($s:ident, $w:ident, $from:expr) => {{
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = $s;
        turn!(a b c d e f g h, K[$from].wrapping_add($w[$from % 16]));
        turn!(h a b c d e f g, K[$from + 1].wrapping_add($w[($from + 1) % 16]));
        turn!(g h a b c d e f, K[$from + 2].wrapping_add($w[($from + 2) % 16]));
        turn!(f g h a b c d e, K[$from + 3].wrapping_add($w[($from + 3) % 16]));
        turn!(e f g h a b c d, K[$from + 4].wrapping_add($w[($from + 4) % 16]));
        turn!(d e f g h a b c, K[$from + 5].wrapping_add($w[($from + 5) % 16]));
        turn!(c d e f g h a b, K[$from + 6].wrapping_add($w[($from + 6) % 16]));
        turn!(b c d e f g h a, K[$from + 7].wrapping_add($w[($from + 7) % 16]));
        $s = [a, b, c, d, e, f, g, h];
    }};
}

/// Replaces the schedule words of the ring from `$from` up to but not including `$to` by those sixteen further on.
macro_rules! extend {
    ($w:ident, $from:expr, $to:expr) => {
        for index in $from..$to {
            $w[index] = sum!(
                $w[index],
                small_sigma_0($w[(index + 1) % 16]),
                $w[(index + 9) % 16],
                small_sigma_1($w[(index + 14) % 16]),
            );
        }
    };
}

impl Fixed {
    fn new(prepared: &Prepared, midstate: &[u32; 8]) -> Fixed {
        let [word_0, word_1, word_2] = prepared.tail;
        let mut third = *midstate;
        for (word, constant) in prepared.tail.iter().zip(K) {
            round(&mut third, word.wrapping_add(constant));
        }
        let word_16 = small_sigma_0(word_1).wrapping_add(word_0);
        let word_17 = sum!(small_sigma_1(HEADER_BITS), small_sigma_0(word_2), word_1);
        Fixed {
            midstate: *midstate,
            third,
            word_16,
            word_17,
            word_18: small_sigma_1(word_16).wrapping_add(word_2),
            word_19: small_sigma_1(word_17).wrapping_add(small_sigma_0(ONE_BIT)),
        }
    }

    /// The schedule words 16 to 31 of the second block: the padding's zeros are left out of the sums.
    #[inline(always)]
    fn extended(&self, nonce: u32) -> [u32; 16] {
        const PADDING: u32 = small_sigma_0(HEADER_BITS);
        let mut w = [0; 16];
        w[0] = self.word_16;
        w[1] = self.word_17;
        w[2] = small_sigma_0(nonce).wrapping_add(self.word_18);
        w[3] = nonce.wrapping_add(self.word_19);
        w[4] = small_sigma_1(w[2]).wrapping_add(ONE_BIT);
        w[5] = small_sigma_1(w[3]);
        w[6] = small_sigma_1(w[4]).wrapping_add(HEADER_BITS);
        w[7] = small_sigma_1(w[5]).wrapping_add(w[0]);
        w[8] = small_sigma_1(w[6]).wrapping_add(w[1]);
        w[9] = small_sigma_1(w[7]).wrapping_add(w[2]);
        w[10] = small_sigma_1(w[8]).wrapping_add(w[3]);
        w[11] = small_sigma_1(w[9]).wrapping_add(w[4]);
        w[12] = small_sigma_1(w[10]).wrapping_add(w[5]);
        w[13] = small_sigma_1(w[11]).wrapping_add(w[6]);
        w[14] = sum!(small_sigma_1(w[12]), w[7], PADDING);
        w[15] = sum!(small_sigma_1(w[13]), w[8], small_sigma_0(w[0]), HEADER_BITS);
        w
    }

    /// The header's first digest; `nonce` as a word of the block.
    #[inline(always)]
    fn first_digest(&self, nonce: u32) -> [u32; 8] {
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = self.third;
        // Rounds 3 to 15: the nonce, the one bit, ten zeros, the length. The names have moved by three.
        turn!(a b c d e f g h, K[3].wrapping_add(nonce));
        turn!(h a b c d e f g, K[4].wrapping_add(ONE_BIT));
        turn!(g h a b c d e f, K[5]);
        turn!(f g h a b c d e, K[6]);
        turn!(e f g h a b c d, K[7]);
        turn!(d e f g h a b c, K[8]);
        turn!(c d e f g h a b, K[9]);
        turn!(b c d e f g h a, K[10]);
        turn!(a b c d e f g h, K[11]);
        turn!(h a b c d e f g, K[12]);
        turn!(g h a b c d e f, K[13]);
        turn!(f g h a b c d e, K[14]);
        turn!(e f g h a b c d, K[15].wrapping_add(HEADER_BITS));
        let mut s = [d, e, f, g, h, a, b, c];
        let mut w = self.extended(nonce);
        eight!(s, w, 16);
        eight!(s, w, 24);
        extend!(w, 0, 16);
        eight!(s, w, 32);
        eight!(s, w, 40);
        extend!(w, 0, 16);
        eight!(s, w, 48);
        eight!(s, w, 56);
        let mut digest = self.midstate;
        for (word, mixed) in digest.iter_mut().zip(s) {
            *word = word.wrapping_add(mixed);
        }
        digest
    }
}

/// The most significant word of the hash of a digest, as a number to compare with a target's.
#[inline(always)]
fn top_word(digest: &[u32; 8]) -> u32 {
    let mut w = [0; 16];
    w[..8].copy_from_slice(digest);
    w[8] = ONE_BIT;
    w[15] = DIGEST_BITS;
    let mut s = INITIAL;
    eight!(s, w, 0);
    eight!(s, w, 8);
    extend!(w, 0, 16);
    eight!(s, w, 16);
    eight!(s, w, 24);
    extend!(w, 0, 16);
    eight!(s, w, 32);
    eight!(s, w, 40);
    extend!(w, 0, 13);
    eight!(s, w, 48);
    // The hash's last word is what `e` is after round 60, since rounds 61 to 63 only hand it on. That `e` needs the `a` of
    // round 56 and of those after it only `e`.
    let [mut a, mut b, mut c, mut d, e, f, g, mut h] = s;
    turn!(a b c d e f g h, K[56].wrapping_add(w[8]));
    half_turn!(d e f c g, K[57].wrapping_add(w[9]));
    half_turn!(c d e b f, K[58].wrapping_add(w[10]));
    half_turn!(b c d a e, K[59].wrapping_add(w[11]));
    half_turn!(a b c h d, K[60].wrapping_add(w[12]));
    h.wrapping_add(INITIAL[7]).swap_bytes()
}

#[cfg(test)]
mod tests;
