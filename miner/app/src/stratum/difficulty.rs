//! A pool's difficulty, and the target it stands for.
//!
//! Difficulty 1 is the target 0xffff · 2^208 (Bitcoin's easiest): 2^32 hashes on average and a little more. A server sends any
//! number, also a fraction. As a float it is an exact fraction of integers, so the division is done in integers: rounding in
//! floats would lose shares at the edge, or hand in such as the server refuses.

use serde_json::Number;

/// How hard a share is: `mantissa` · 2^`exponent`, positive and finite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difficulty {
    mantissa: u64,
    exponent: i32,
}

/// The bits of the target of difficulty 1: its highest 16 (`0xffff`) are followed by so many zeros.
const ZEROS: i32 = 208;

/// Limbs of the dividend, least significant first: at most 16 + 319 bits.
const LIMBS: usize = 6;

impl Difficulty {
    /// What counts until the server says otherwise.
    pub const ONE: Difficulty = Difficulty { mantissa: 1, exponent: 0 };

    /// The difficulty a server has sent; `None` when it is no positive number.
    #[must_use]
    pub fn from_number(number: &Number) -> Option<Difficulty> {
        match number.as_u64() {
            Some(whole) => (whole > 0).then_some(Difficulty { mantissa: whole, exponent: 0 }),
            None => Difficulty::from_f64(number.as_f64()?),
        }
    }

    /// Exactly this float; `None` when it is not positive and finite.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Difficulty> {
        if !(value.is_finite() && value > 0.0) {
            return None;
        }
        // IEEE 754: 52 bits of fraction, 11 of exponent; exponent 0 means that there is no hidden one.
        let bits = value.to_bits();
        let fraction = bits & ((1 << 52) - 1);
        let exponent = i32::try_from(bits >> 52).unwrap_or_default();
        Some(match exponent {
            0 => Difficulty { mantissa: fraction, exponent: -1074 },
            _ => Difficulty { mantissa: fraction | 1 << 52, exponent: exponent - 1075 },
        })
    }

    /// The nearest float.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        // Two steps, since 2^exponent alone may be too small for a float where the product is not.
        let half = self.exponent / 2;
        self.mantissa as f64 * 2.0_f64.powi(half) * 2.0_f64.powi(self.exponent - half)
    }

    /// The largest hash that is a share, most significant byte first: 0xffff · 2^208 / difficulty, rounded down; at most
    /// 2^256 - 1.
    #[must_use]
    pub fn target(self) -> [u8; 32] {
        let shift = ZEROS - self.exponent;
        let Ok(shift) = u32::try_from(shift) else {
            // Too hard for any hash but zero, unless a few bits of 0xffff are left over.
            let rest = 0xffff_u64.checked_shr(shift.unsigned_abs()).unwrap_or(0) / self.mantissa;
            return bytes(&[rest, 0, 0, 0]);
        };
        // The mantissa is below 2^64: from here on the quotient does not fit.
        if shift >= 320 {
            return [0xff; 32];
        }
        let mut limbs = [0_u64; LIMBS];
        let shifted = 0xffff_u128 << (shift % 64);
        let first = (shift / 64) as usize;
        limbs[first] = low(shifted);
        if let Some(next) = limbs.get_mut(first + 1) {
            *next = low(shifted >> 64);
        }
        divide(&mut limbs, self.mantissa);
        match limbs {
            [a, b, c, d, 0, 0] => bytes(&[a, b, c, d]),
            _ => [0xff; 32],
        }
    }
}

/// Long division in base 2^64, in place; the rest is dropped.
fn divide(limbs: &mut [u64; LIMBS], divisor: u64) {
    let divisor = u128::from(divisor.max(1));
    let mut rest = 0;
    for limb in limbs.iter_mut().rev() {
        let part = rest << 64 | u128::from(*limb);
        // The rest was smaller than the divisor, so the digit fits.
        *limb = low(part / divisor);
        rest = part % divisor;
    }
}

fn low(value: u128) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "the low half is what is wanted")]
    let low = value as u64;
    low
}

fn bytes(limbs: &[u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, limb) in bytes.chunks_exact_mut(8).zip(limbs.iter().rev()) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests;
