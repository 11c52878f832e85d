//! Sealed numbers with a unit: amounts, heights, fee rates, points in time.

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// Decimals of a TALLY: 1 TALLY = 10^8 notches.
const DECIMALS: usize = 8;

/// An amount of money in notches, the smallest unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(u64);

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);
    /// One TALLY: 100,000,000 notches.
    pub const ONE_TALLY: Amount = Amount(100_000_000);
    /// The maximum supply, 21,000,000 TALLY (a network's allocations excepted).
    pub const MAX_SUPPLY: Amount = Amount(21_000_000 * 100_000_000);

    /// An amount of `notches`.
    pub const fn from_notches(notches: u64) -> Amount {
        Amount(notches)
    }

    /// The amount in notches.
    pub const fn to_notches(self) -> u64 {
        self.0
    }

    /// An amount of whole `tally`; `None` when it overflows.
    pub fn from_tally(tally: u64) -> Option<Amount> {
        Amount::ONE_TALLY.checked_mul(tally)
    }

    /// The sum, or `None` when it overflows.
    pub fn checked_add(self, other: Amount) -> Option<Amount> {
        self.0.checked_add(other.0).map(Amount)
    }

    /// The difference, or `None` when `other` is larger.
    pub fn checked_sub(self, other: Amount) -> Option<Amount> {
        self.0.checked_sub(other.0).map(Amount)
    }

    /// The multiple, or `None` when it overflows.
    pub fn checked_mul(self, factor: u64) -> Option<Amount> {
        self.0.checked_mul(factor).map(Amount)
    }

    /// The sum of all `amounts`, or `None` when it overflows.
    pub fn checked_sum(amounts: impl IntoIterator<Item = Amount>) -> Option<Amount> {
        amounts.into_iter().try_fold(Amount::ZERO, Amount::checked_add)
    }
}

impl fmt::Display for Amount {
    /// TALLY with eight decimals, without a unit: `12.50000000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one = Amount::ONE_TALLY.0;
        f.pad(&format!("{}.{:08}", self.0 / one, self.0 % one))
    }
}

/// Why a text is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountParseError {
    /// Something other than digits and one point.
    #[error("'{text}' is not an amount: write TALLY as 12.5, or notches as 1250000000notch")]
    NotANumber {
        /// What was given.
        text: String,
    },
    /// More than eight decimals.
    #[error("'{text}' has more than {DECIMALS} decimals: a notch is the smallest unit")]
    TooPrecise {
        /// What was given.
        text: String,
    },
    /// More notches than 64 bits hold.
    #[error("'{text}' is too large an amount")]
    TooLarge {
        /// What was given.
        text: String,
    },
}

impl FromStr for Amount {
    type Err = AmountParseError;

    /// Reads TALLY (`12.5`) or, with the suffix `notch`, notches (`1250000000notch`). The decimal separator is
    /// always a point, whatever the locale.
    fn from_str(text: &str) -> Result<Amount, AmountParseError> {
        let not_a_number = || AmountParseError::NotANumber { text: text.to_owned() };
        let too_large = || AmountParseError::TooLarge { text: text.to_owned() };
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(notches) = text.strip_suffix("notch") {
            if notches.is_empty() || !digits(notches) {
                return Err(not_a_number());
            }
            return notches.parse().map(Amount).map_err(|_| too_large());
        }
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let has_dangling_point = text.ends_with('.');
        if whole.is_empty() || has_dangling_point || !digits(whole) || !digits(decimals) {
            return Err(not_a_number());
        }
        if decimals.len() > DECIMALS {
            return Err(AmountParseError::TooPrecise { text: text.to_owned() });
        }
        let whole: u64 = whole.parse().map_err(|_| too_large())?;
        let fraction: u64 = format!("{decimals:0<DECIMALS$}").parse().map_err(|_| not_a_number())?;
        Amount::from_tally(whole).and_then(|whole| whole.checked_add(Amount(fraction))).ok_or_else(too_large)
    }
}

/// The number of blocks between a block and the genesis block, which has height 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Height(u32);

impl Height {
    /// The genesis block's height.
    pub const GENESIS: Height = Height(0);

    /// The height `height`.
    pub const fn new(height: u32) -> Height {
        Height(height)
    }

    /// The height as a number.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The height of a child. Saturates: no chain gets there.
    pub const fn next(self) -> Height {
        Height(self.0.saturating_add(1))
    }

    /// The height `blocks` below, or `None` below the genesis block.
    pub fn checked_sub_blocks(self, blocks: u32) -> Option<Height> {
        self.0.checked_sub(blocks).map(Height)
    }

    /// The height `blocks` above, at most the largest number.
    pub const fn saturating_add(self, blocks: u32) -> Height {
        Height(self.0.saturating_add(blocks))
    }
}

impl fmt::Display for Height {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A fee rate in notches per 1,000 bytes of encoded transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeeRate(u64);

impl FeeRate {
    /// Free of charge.
    pub const ZERO: FeeRate = FeeRate(0);

    /// A rate of `notches` per 1,000 bytes.
    pub const fn from_notches_per_kilobyte(notches: u64) -> FeeRate {
        FeeRate(notches)
    }

    /// A rate of `notches` per byte (saturating).
    pub const fn from_notches_per_byte(notches: u64) -> FeeRate {
        FeeRate(notches.saturating_mul(1000))
    }

    /// The rate in notches per 1,000 bytes.
    pub const fn to_notches_per_kilobyte(self) -> u64 {
        self.0
    }

    /// The rate that `fee` pays for `size` bytes, rounded down; the largest rate for no bytes.
    pub fn of(fee: Amount, size: usize) -> FeeRate {
        let rate = (u128::from(fee.to_notches()) * 1000).checked_div(size as u128);
        FeeRate(rate.and_then(|rate| u64::try_from(rate).ok()).unwrap_or(u64::MAX))
    }

    /// The fee that `size` bytes pay at this rate, rounded up (saturating).
    pub fn fee_for(self, size: usize) -> Amount {
        let fee = (u128::from(self.0) * size as u128).div_ceil(1000);
        Amount(u64::try_from(fee).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for FeeRate {
    /// Notches per byte with three decimals: `1.250 notch/byte`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03} notch/byte", self.0 / 1000, self.0 % 1000)
    }
}

/// A point in time: milliseconds since the Unix epoch. Never read from a clock here, always an argument.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The point `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: u64) -> Timestamp {
        Timestamp(millis)
    }

    /// The point `seconds` seconds after the epoch.
    pub const fn from_seconds(seconds: u32) -> Timestamp {
        Timestamp(seconds as u64 * 1000)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch, as headers count them (saturating).
    pub fn as_seconds(self) -> u32 {
        u32::try_from(self.0 / 1000).unwrap_or(u32::MAX)
    }

    /// The point `millis` milliseconds later (saturating).
    pub const fn saturating_add_millis(self, millis: u64) -> Timestamp {
        Timestamp(self.0.saturating_add(millis))
    }

    /// Milliseconds since `earlier`; 0 when that is later.
    pub const fn millis_since(self, earlier: Timestamp) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
