//! The `scalar` kernel: portable, on any processor.

use crate::kernel::Kernel;
use crate::prepared::{Hit, Prepared};
use crate::sha256::{big_sigma_0, big_sigma_1, choose, small_sigma_0, small_sigma_1};
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
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        if is_x86_feature_detected!("bmi1") && is_x86_feature_detected!("bmi2") {
            // SAFETY: the processor has both features that this `scan` is compiled for; that was just asked.
            return unsafe { with_bmi::scan(prepared, nonces, hits) };
        }
        plain::scan(prepared, nonces, hits);
    }
}

type Word = u32;
const LANES: usize = 1;
const STREAMS: usize = 1;

#[inline(always)]
fn splat(number: u32) -> Word {
    number
}

/// A sum, hidden from the optimiser. Left to itself it takes the sums of many rounds apart and puts them together anew, with
/// multiplications, for want of registers to keep them in: three times as slow.
#[inline(always)]
fn add(a: Word, b: Word) -> Word {
    #[cfg_attr(miri, expect(unused_mut, reason = "Miri knows no assembly"))]
    let mut sum = a.wrapping_add(b);
    #[cfg(all(
        not(miri),
        any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64", target_arch = "riscv64")
    ))]
    #[allow(asm_sub_register, reason = "no instruction will see the register")]
    // SAFETY: no instruction at all (a comment); it only makes the compiler believe that the register may have changed.
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) sum, options(pure, nomem, nostack, preserves_flags));
    }
    sum
}

#[inline(always)]
fn xor(a: Word, b: Word) -> Word {
    a ^ b
}

/// `b`, unless it differs from both others.
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

/// For any processor.
mod plain {
    use super::{
        LANES, STREAMS, Word, add, big_sigma_0, big_sigma_1, choose, lanes_without, majority, nonces_from,
        small_sigma_0, small_sigma_1, splat, xor,
    };
    use crate::prepared::{Hit, Prepared};
    use std::ops::RangeInclusive;

    double_hash!();
    scan!();

    #[cfg(test)]
    mod tests;
}

/// The same, compiled for rotates that leave their operand as it was (BMI2) and "and not" (BMI1): a tenth faster.
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod with_bmi {
    use super::{
        LANES, STREAMS, Word, add, big_sigma_0, big_sigma_1, choose, lanes_without, majority, nonces_from,
        small_sigma_0, small_sigma_1, splat, xor,
    };
    use crate::prepared::{Hit, Prepared};
    use std::ops::RangeInclusive;

    double_hash!(#[target_feature(enable = "bmi1,bmi2")]);
    scan!(#[target_feature(enable = "bmi1,bmi2")]);
}
