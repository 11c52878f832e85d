//! The `avx512` kernel: sixteen nonces in each vector, with rotates and any function of three words as one instruction.

use crate::kernel::Kernel;
use crate::prepared::{Hit, Prepared};
use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_ror_epi32, _mm512_set_epi32, _mm512_set1_epi32, _mm512_set4_epi32,
    _mm512_shuffle_epi8, _mm512_srli_epi32, _mm512_ternarylogic_epi32, _mm512_testn_epi32_mask, _mm512_xor_si512,
};
use std::ops::RangeInclusive;

/// The kernel `avx512`.
pub struct Avx512;

impl Kernel for Avx512 {
    fn name(&self) -> &'static str {
        "avx512"
    }

    fn description(&self) -> &'static str {
        "sixteen lanes, versions sharing a schedule"
    }

    fn is_available(&self) -> bool {
        is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512bw")
    }

    fn versions(&self) -> usize {
        16
    }

    /// Every processor with 512-bit vectors up to Intel's Sapphire Rapids and AMD's Zen 4 does two operations on them a cycle,
    /// and one rotate or shift; of all operations fewer than half are.
    fn cycles_at_least(&self, versions: usize) -> Option<f64> {
        let shared = f64::from(SCHEDULE_OPERATIONS) / versions.max(1) as f64;
        Some((f64::from(HASH_OPERATIONS) + shared) / (2.0 * LANES as f64))
    }

    fn scan(&self, prepared: &Prepared, nonces: RangeInclusive<u32>, hits: &mut Vec<Hit>) {
        assert!(self.is_available(), "this processor lacks the instructions of the kernel avx512");
        // SAFETY: the processor has every feature that `scan` is compiled for; that was just asked.
        unsafe { scan(prepared, nonces, hits) }
    }
}

/// Operations on vectors of the second block's schedule, as counted by a test.
pub(crate) const SCHEDULE_OPERATIONS: u32 = 461;

/// Operations on vectors of the rest of a double hash, the comparison with the target included.
pub(crate) const HASH_OPERATIONS: u32 = 2387;

type Word = __m512i;
const LANES: usize = 16;
/// Two hashes under way fill the processor better than one: a round waits for the one before it. The 32 registers hold both
/// states, and part of the second hash's schedules.
const STREAMS: usize = 2;

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
#[expect(clippy::cast_possible_wrap, reason = "the same 32 bits")]
fn splat(number: u32) -> Word {
    _mm512_set1_epi32(number as i32)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn add(a: Word, b: Word) -> Word {
    _mm512_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn xor(a: Word, b: Word) -> Word {
    _mm512_xor_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn xor_of_three(a: Word, b: Word, c: Word) -> Word {
    _mm512_ternarylogic_epi32::<0x96>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn choose(e: Word, f: Word, g: Word) -> Word {
    _mm512_ternarylogic_epi32::<0xca>(e, f, g)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn majority(a: Word, b: Word, c: Word, _ab: Word, _bc: Word) -> Word {
    _mm512_ternarylogic_epi32::<0xe8>(a, b, c)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn big_sigma_0(x: Word) -> Word {
    xor_of_three(_mm512_ror_epi32::<2>(x), _mm512_ror_epi32::<13>(x), _mm512_ror_epi32::<22>(x))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn big_sigma_1(x: Word) -> Word {
    xor_of_three(_mm512_ror_epi32::<6>(x), _mm512_ror_epi32::<11>(x), _mm512_ror_epi32::<25>(x))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn small_sigma_0(x: Word) -> Word {
    xor_of_three(_mm512_ror_epi32::<7>(x), _mm512_ror_epi32::<18>(x), _mm512_srli_epi32::<3>(x))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn small_sigma_1(x: Word) -> Word {
    xor_of_three(_mm512_ror_epi32::<17>(x), _mm512_ror_epi32::<19>(x), _mm512_srli_epi32::<10>(x))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn nonces_from(first: u32) -> Word {
    let lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    // A nonce stands in the header with its least significant byte first, a word of SHA-256 with its most significant.
    let reversal = _mm512_set4_epi32(0x0c0d_0e0f, 0x0809_0a0b, 0x0405_0607, 0x0001_0203);
    _mm512_shuffle_epi8(add(splat(first), lanes), reversal)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn lanes_without(bits: u32, words: Word) -> u32 {
    u32::from(_mm512_testn_epi32_mask(words, splat(bits)))
}

double_hash!(#[target_feature(enable = "avx512f,avx512bw")]);
scan!(#[target_feature(enable = "avx512f,avx512bw")]);
