//! Difficulty as Stratum counts it: a share of difficulty 1 takes 2^32 hashes. It is a floating-point number on the wire, and
//! often a fraction, since processors are slow.

use core::fmt;

use tally_primitives::pow::Target;

/// 2^32: hashes that a share of difficulty 1 takes on average.
const HASHES: f64 = 4_294_967_296.0;

/// Bits of a floating-point number's fraction, and its exponent's bias together with them (IEEE 754).
const FRACTION_BITS: u32 = 52;
const EXPONENT_OFFSET: i32 = 1023 + 52;

/// A positive, finite difficulty.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Difficulty(f64);

impl Difficulty {
    /// The difficulty of this number; `None` unless it is positive and finite.
    pub fn new(value: f64) -> Option<Difficulty> {
        (value.is_normal() && value > 0.0).then_some(Difficulty(value))
    }

    /// 2^`exponent`, for exponents from -1,022 to 1,023.
    pub const fn power_of_two(exponent: i32) -> Difficulty {
        let biased = 1023 + exponent;
        assert!(biased > 0 && biased < 2047);
        Difficulty(f64::from_bits((biased as u64) << FRACTION_BITS))
    }

    /// The number.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// The power of two that is nearest, by ratio.
    pub fn rounded(self) -> Difficulty {
        let exponent = i32::try_from(self.0.to_bits() >> FRACTION_BITS).unwrap_or(1023) - 1023;
        let down = Difficulty::power_of_two(exponent.clamp(-1022, 1022));
        if self.0 / down.0 > core::f64::consts::SQRT_2 { Difficulty(down.0 * 2.0) } else { down }
    }

    /// This, but within the bounds.
    pub fn clamped(self, least: Difficulty, most: Difficulty) -> Difficulty {
        Difficulty(self.0.max(least.0).min(most.0))
    }

    /// The lesser one.
    pub fn min(self, other: Difficulty) -> Difficulty {
        Difficulty(self.0.min(other.0))
    }

    /// The greater one.
    pub fn max(self, other: Difficulty) -> Difficulty {
        Difficulty(self.0.max(other.0))
    }

    /// This times a positive number.
    pub fn scaled(self, factor: f64) -> Difficulty {
        Difficulty::new(self.0 * factor).unwrap_or(self)
    }

    /// Hashes that a share takes on average.
    pub fn hashes(self) -> f64 {
        self.0 * HASHES
    }

    /// What a share's hash must not exceed: 2^224 / difficulty, exactly, rounded down; the easiest target if that is more than
    /// 256 bits. Some miners compute with 65,535 / 65,536 of that, which is a little harder.
    pub fn target(self) -> Target {
        let bits = self.0.to_bits();
        let mantissa = (bits & ((1 << FRACTION_BITS) - 1)) | 1 << FRACTION_BITS;
        let exponent = i32::try_from(bits >> FRACTION_BITS).unwrap_or(0) - EXPONENT_OFFSET;
        // The difficulty is mantissa * 2^exponent, so the target is 2^(224 - exponent) / mantissa.
        match u32::try_from(224 - exponent) {
            Ok(power) => quotient(power, mantissa).map_or(Target::MAX, Target::from_be_bytes),
            Err(_) => Target::from_be_bytes([0; 32]),
        }
    }

    /// The greatest difficulty, to 12 digits, at which no miner leaves out a hash that meets `target`.
    pub fn of_target(target: &Target) -> Difficulty {
        let value = target.to_be_bytes().iter().fold(0.0, |sum, byte| sum * 256.0 + f64::from(*byte));
        // 0xffff * 2^208: difficulty 1 as the more cautious miners have it.
        let one = 65_535.0 * Difficulty::power_of_two(208).0;
        // What rounding may have added is taken back.
        Difficulty::new(one / value * (1.0 - 1e-12)).unwrap_or(Difficulty(f64::MAX))
    }
}

impl fmt::Display for Difficulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// 2^`power` / `divisor` in 256 bits, rounded down; `None` if it needs more. The divisor has at most 53 bits.
fn quotient(power: u32, divisor: u64) -> Option<[u8; 32]> {
    let mut result = [0u8; 32];
    let mut remainder: u64 = 0;
    // Long division, a bit at a time: only the topmost bit of the dividend is set.
    for bit in (0..=power).rev() {
        remainder = remainder << 1 | u64::from(bit == power);
        if remainder >= divisor {
            remainder -= divisor;
            let byte = 31usize.checked_sub(usize::try_from(bit / 8).ok()?)?;
            result[byte] |= 1 << (bit % 8);
        }
    }
    Some(result)
}

#[cfg(test)]
mod tests;
