//! Proof of work: targets, their compact form, and the work that a target stands for.

use core::fmt;
use core::iter::Sum;
use core::ops::{Add, AddAssign, Sub};
use core::str::FromStr;

use primitive_types::U256;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::hash::{BlockHash, HashParseError};

/// Why compact bits are not a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompactTargetError {
    /// The sign bit is set.
    #[error("compact target {bits:#010x} is negative")]
    Negative {
        /// The bits.
        bits: u32,
    },
    /// The target is zero: no hash could meet it.
    #[error("compact target {bits:#010x} is zero")]
    Zero {
        /// The bits.
        bits: u32,
    },
    /// The target has more than 256 bits.
    #[error("compact target {bits:#010x} does not fit into 256 bits")]
    Overflow {
        /// The bits.
        bits: u32,
    },
    /// The same target has another encoding that must be used.
    #[error("compact target {bits:#010x} is not canonical: it must be written as {canonical:#010x}")]
    NotCanonical {
        /// The bits.
        bits: u32,
        /// The one encoding of the same target.
        canonical: u32,
    },
}

/// A target in the four bytes of a header: a base-256 floating-point number, one byte of exponent and three of mantissa.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CompactTarget(u32);

const SIGN_BIT: u32 = 0x0080_0000;
const MANTISSA: u32 = 0x007f_ffff;

impl CompactTarget {
    /// The compact target with these bits; whether they stand for a target, [`CompactTarget::to_target`] says.
    pub const fn from_bits(bits: u32) -> CompactTarget {
        CompactTarget(bits)
    }

    /// The bits.
    pub const fn to_bits(self) -> u32 {
        self.0
    }

    /// The target that the bits stand for.
    ///
    /// # Errors
    /// Bits that are negative, zero, larger than 256 bits, or not the canonical encoding.
    pub fn to_target(self) -> Result<Target, CompactTargetError> {
        let bits = self.0;
        let size = bits >> 24;
        let mantissa = bits & MANTISSA;
        if mantissa != 0 && bits & SIGN_BIT != 0 {
            return Err(CompactTargetError::Negative { bits });
        }
        let mantissa_bytes = (32 - mantissa.leading_zeros()).div_ceil(8);
        if mantissa != 0 && size > 3 && size - 3 + mantissa_bytes > 32 {
            return Err(CompactTargetError::Overflow { bits });
        }
        let value = if size <= 3 {
            U256::from(mantissa >> (8 * (3 - size)))
        } else {
            U256::from(mantissa) << (8 * (size as usize - 3))
        };
        if value.is_zero() {
            return Err(CompactTargetError::Zero { bits });
        }
        let canonical = Target(value).to_compact().0;
        if canonical != bits {
            return Err(CompactTargetError::NotCanonical { bits, canonical });
        }
        Ok(Target(value))
    }
}

/// Why a text is not a compact target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a compact target: 0x and eight hexadecimal digits are needed, as in 0x1d00ffff")]
pub struct CompactTargetParseError {
    /// What was given.
    pub text: String,
}

impl FromStr for CompactTarget {
    type Err = CompactTargetParseError;

    /// Reads the bits, with or without `0x`; whether they stand for a target, [`CompactTarget::to_target`] says.
    fn from_str(text: &str) -> Result<CompactTarget, CompactTargetParseError> {
        let mut bytes = [0; 4];
        hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut bytes)
            .map_err(|_| CompactTargetParseError { text: text.to_owned() })?;
        Ok(CompactTarget(u32::from_be_bytes(bytes)))
    }
}

impl fmt::Display for CompactTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}

/// A target: a block's hash, read as a number, must be at most this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target(U256);

impl Target {
    /// The easiest target of all: every hash meets it.
    pub const MAX: Target = Target(U256::MAX);

    /// The target with these big-endian bytes.
    pub fn from_be_bytes(bytes: [u8; 32]) -> Target {
        Target(U256::from_big_endian(&bytes))
    }

    /// The target as big-endian bytes.
    pub fn to_be_bytes(self) -> [u8; 32] {
        self.0.to_big_endian()
    }

    /// The target of this number.
    pub const fn from_u256(value: U256) -> Target {
        Target(value)
    }

    /// The target as a number.
    pub const fn to_u256(self) -> U256 {
        self.0
    }

    /// Whether `hash`, read as a little-endian number, is at most the target.
    pub fn is_met_by(&self, hash: &BlockHash) -> bool {
        U256::from_little_endian(hash.as_bytes()) <= self.0
    }

    /// The compact form, rounded down to three bytes of mantissa as Bitcoin does.
    pub fn to_compact(self) -> CompactTarget {
        let mut size = self.0.bits().div_ceil(8);
        let mut mantissa =
            if size <= 3 { self.0.low_u32() << (8 * (3 - size)) } else { (self.0 >> (8 * (size - 3))).low_u32() };
        // The top bit of the mantissa is a sign: a number that needs it moves one byte down.
        if mantissa & SIGN_BIT != 0 {
            mantissa >>= 8;
            size += 1;
        }
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        CompactTarget(mantissa | size << 24)
    }

    /// The expected number of hashes until one meets the target: 2^256 / (target + 1), rounded down.
    pub fn work(&self) -> Work {
        match self.0.checked_add(U256::one()) {
            // 2^256 does not fit into 256 bits, but 2^256 / (t + 1) = (2^256 - t - 1) / (t + 1) + 1.
            // Saturates for a target of zero, which no compact form stands for.
            Some(divisor) => Work((!self.0 / divisor).saturating_add(U256::one())),
            None => Work(U256::one()),
        }
    }

    /// How many times harder this target is than `easiest`, for people.
    pub fn difficulty(&self, easiest: &Target) -> f64 {
        to_f64(easiest.0) / to_f64(self.0)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_be_bytes()))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({self})")
    }
}

/// An expected number of hashes. Chains are compared by the sum of their blocks' work.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work(U256);

impl Work {
    /// No work.
    pub const ZERO: Work = Work(U256::zero());

    /// The work with these big-endian bytes.
    pub fn from_be_bytes(bytes: [u8; 32]) -> Work {
        Work(U256::from_big_endian(&bytes))
    }

    /// The work as big-endian bytes.
    pub fn to_be_bytes(self) -> [u8; 32] {
        self.0.to_big_endian()
    }

    /// The work as a floating-point number, for people.
    pub fn to_f64(self) -> f64 {
        to_f64(self.0)
    }
}

/// The nearest floating-point number, good to 53 bits.
fn to_f64(value: U256) -> f64 {
    value.0.iter().rev().fold(0.0, |sum, word| sum * 2f64.powi(64) + *word as f64)
}

impl Add for Work {
    type Output = Work;

    /// The sum (saturating: 2^256 hashes are out of reach).
    fn add(self, other: Work) -> Work {
        Work(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Work) {
        *self = *self + other;
    }
}

impl Sub for Work {
    type Output = Work;

    /// The difference, at least zero.
    fn sub(self, other: Work) -> Work {
        Work(self.0.saturating_sub(other.0))
    }
}

impl Sum for Work {
    fn sum<I: Iterator<Item = Work>>(works: I) -> Work {
        works.fold(Work::ZERO, Add::add)
    }
}

impl fmt::Display for Work {
    /// 64 hexadecimal digits, as Bitcoin Core shows chain work.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.to_be_bytes()))
    }
}

impl fmt::Debug for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Work({:#x})", self.0)
    }
}

impl FromStr for Work {
    type Err = HashParseError;

    fn from_str(text: &str) -> Result<Work, HashParseError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| HashParseError { text: text.to_owned() })?;
        Ok(Work::from_be_bytes(bytes))
    }
}

impl Serialize for Work {
    /// Hex for people; 32 little-endian bytes in the binary encoding.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.to_little_endian().serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Work {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Work, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
        } else {
            <[u8; 32]>::deserialize(deserializer).map(|bytes| Work(U256::from_little_endian(&bytes)))
        }
    }
}
