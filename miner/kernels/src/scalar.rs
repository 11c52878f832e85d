//! The `scalar` kernel: portable, on any processor.

use crate::candidates;
use crate::kernel::Kernel;
use crate::prepared::{Hit, Prepared};
use crate::sha256::{self, INITIAL, K, big_sigma_0, big_sigma_1, choose, small_sigma_0, small_sigma_1};
use crate::start::{DIGEST_BITS, FixedWords, HEADER_BITS, ONE_BIT, Start};
use std::ops::RangeInclusive;

/// The kernel `scalar`.
pub struct Scalar;

impl Kernel for Scalar {
    fn name(&self) -> &'static str {
        "scalar"
    }

    fn description(&self) -> &'static str {
        "portable: one nonce at a time"
    }

    fn is_available(&self) -> bool {
        true
    }

    fn versions(&self) -> usize {
        8
    }

    fn scan(&self, prepared: &Prepared, nonces: RangeInclusive<u32>, hits: &mut Vec<Hit>) {
        scan(prepared, nonces, hits);
    }
}

type Word = u32;
const LANES: usize = 1;
const STREAMS: usize = 1;

#[inline(always)]
fn splat(number: u32) -> Word {
    number
}

#[inline(always)]
fn add(a: Word, b: Word) -> Word {
    a.wrapping_add(b)
}

#[inline(always)]
fn xor(a: Word, b: Word) -> Word {
    a ^ b
}

/// Where `a` and `b` differ, `c` decides, that is, whichever of them `b` differs not from.
#[inline(always)]
fn majority(_a: Word, b: Word, _c: Word, ab: Word, bc: Word) -> Word {
    b ^ (ab & bc)
}

#[inline(always)]
fn nonces_from(first: u32) -> Word {
    first.swap_bytes()
}

#[inline(always)]
fn lanes_without(bits: u32, word: Word) -> u32 {
    u32::from(word & bits == 0)
}

double_hash!();
scan!();

#[cfg(test)]
mod tests;
