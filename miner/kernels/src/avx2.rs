//! The `avx2` kernel: eight nonces in each vector. A rotate takes three instructions here.

use crate::kernel::Kernel;
use crate::prepared::{Hit, Prepared};
use std::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_add_epi64, _mm256_and_si256, _mm256_castsi256_ps, _mm256_cmpeq_epi32,
    _mm256_movemask_ps, _mm256_set_epi32, _mm256_set_epi64x, _mm256_set1_epi32, _mm256_set1_epi64x,
    _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_slli_epi32, _mm256_srli_epi32, _mm256_xor_si256,
};
use std::ops::RangeInclusive;

/// The kernel `avx2`.
pub struct Avx2;

impl Kernel for Avx2 {
    fn name(&self) -> &'static str {
        "avx2"
    }

    fn description(&self) -> &'static str {
        "eight lanes, versions sharing a schedule"
    }

    fn is_available(&self) -> bool {
        is_x86_feature_detected!("avx2")
    }

    fn versions(&self) -> usize {
        16
    }

    fn scan(&self, prepared: &Prepared, nonces: RangeInclusive<u32>, hits: &mut Vec<Hit>) {
        assert!(self.is_available(), "this processor lacks the instructions of the kernel avx2");
        // SAFETY: the processor has every feature that `scan` is compiled for; that was just asked.
        unsafe { scan(prepared, nonces, hits) }
    }
}

type Word = __m256i;
const LANES: usize = 8;
/// The sixteen registers hold one hash.
const STREAMS: usize = 1;

#[inline]
#[target_feature(enable = "avx2")]
#[expect(clippy::cast_possible_wrap, reason = "the same 32 bits")]
fn splat(number: u32) -> Word {
    _mm256_set1_epi32(number as i32)
}

#[inline]
#[target_feature(enable = "avx2")]
fn add(a: Word, b: Word) -> Word {
    _mm256_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor(a: Word, b: Word) -> Word {
    _mm256_xor_si256(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
fn choose(e: Word, f: Word, g: Word) -> Word {
    xor(g, _mm256_and_si256(e, xor(f, g)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn majority(_a: Word, b: Word, _c: Word, ab: Word, bc: Word) -> Word {
    xor(b, _mm256_and_si256(ab, bc))
}

#[inline]
#[target_feature(enable = "avx2")]
fn rotated<const RIGHT: i32, const LEFT: i32>(x: Word) -> Word {
    const { assert!(RIGHT + LEFT == 32) };
    xor(_mm256_srli_epi32::<RIGHT>(x), _mm256_slli_epi32::<LEFT>(x))
}

#[inline]
#[target_feature(enable = "avx2")]
fn big_sigma_0(x: Word) -> Word {
    xor(xor(rotated::<2, 30>(x), rotated::<13, 19>(x)), rotated::<22, 10>(x))
}

#[inline]
#[target_feature(enable = "avx2")]
fn big_sigma_1(x: Word) -> Word {
    xor(xor(rotated::<6, 26>(x), rotated::<11, 21>(x)), rotated::<25, 7>(x))
}

#[inline]
#[target_feature(enable = "avx2")]
fn small_sigma_0(x: Word) -> Word {
    xor(xor(rotated::<7, 25>(x), rotated::<18, 14>(x)), _mm256_srli_epi32::<3>(x))
}

#[inline]
#[target_feature(enable = "avx2")]
fn small_sigma_1(x: Word) -> Word {
    xor(xor(rotated::<17, 15>(x), rotated::<19, 13>(x)), _mm256_srli_epi32::<10>(x))
}

#[inline]
#[target_feature(enable = "avx2")]
fn nonces_from(first: u32) -> Word {
    let lanes = _mm256_set_epi32(7, 6, 5, 4, 3, 2, 1, 0);
    // A nonce stands in the header with its least significant byte first, a word of SHA-256 with its most significant.
    let reversal = _mm256_set1_epi64x(0x0405_0607_0001_0203);
    let reversal = _mm256_add_epi64(reversal, _mm256_set_epi64x(0x0808_0808_0808_0808, 0, 0x0808_0808_0808_0808, 0));
    _mm256_shuffle_epi8(add(splat(first), lanes), reversal)
}

#[inline]
#[target_feature(enable = "avx2")]
fn lanes_without(bits: u32, words: Word) -> u32 {
    let zero = _mm256_cmpeq_epi32(_mm256_and_si256(words, splat(bits)), _mm256_setzero_si256());
    _mm256_movemask_ps(_mm256_castsi256_ps(zero)).cast_unsigned()
}

double_hash!(#[target_feature(enable = "avx2")]);
scan!(#[target_feature(enable = "avx2")]);
