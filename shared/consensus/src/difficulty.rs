//! The difficulty rule: ASERT (aserti3-2d), the target of the next block from the time and the height since an anchor.
//!
//! Source: the Bitcoin Cash specification `2020-11-15-asert`. Every step is in integers, so all machines agree to the
//! last bit.

use primitive_types::{U256, U512};
use tally_primitives::params::Params;
use tally_primitives::pow::{CompactTarget, Target};
use tally_primitives::units::Height;

/// The height of the anchor block: a network's schedule starts with its first block, however old its genesis is.
pub const ANCHOR_HEIGHT: Height = Height::new(1);

/// The exponent has 16 bits behind the point.
const RADIX_BITS: u32 = 16;

/// The bits that a block must carry (HDR-03).
///
/// - `height`: the new block's own height
/// - `parent_time`: the time of its parent, seconds since the Unix epoch
/// - `anchor_time`: the time of block 1 on this branch; `None` when there is none yet (the new block is block 1 itself,
///   or genesis)
///
/// Block 1 is mined at the network's limit, and so is every block of a network without a half-life. From block 2 on it
/// is [`asert`] with block 1 as the anchor, and block 1's time less one spacing as its parent's time.
pub fn next_bits(params: &Params, height: Height, parent_time: u32, anchor_time: Option<u32>) -> CompactTarget {
    let (Some(half_life), Some(anchor_time)) = (params.half_life_seconds, anchor_time) else {
        return params.limit;
    };
    let Some(blocks_after_anchor) = height.get().checked_sub(ANCHOR_HEIGHT.get() + 1) else {
        return params.limit;
    };
    let anchor_parent_time = i64::from(anchor_time) - i64::from(params.spacing_seconds);
    asert(
        params.target_limit(),
        params.spacing_seconds,
        half_life,
        i64::from(parent_time) - anchor_parent_time,
        i64::from(blocks_after_anchor),
        params.target_limit(),
    )
}

/// aserti3-2d: `anchor_target × 2^((time_difference − spacing × (height_difference + 1)) / half_life)`, as the target
/// of the block after the one the differences are taken to, in compact form.
///
/// - `spacing`, `half_life`: seconds. A half-life of 0 has no meaning; the limit is returned.
/// - `time_difference`: seconds from the anchor's *parent* to the last block
/// - `height_difference`: blocks from the anchor to the last block
/// - `limit`: the easiest target allowed; the result is at most this, and at least 1
pub fn asert(
    anchor_target: Target,
    spacing: u32,
    half_life: u32,
    time_difference: i64,
    height_difference: i64,
    limit: Target,
) -> CompactTarget {
    if half_life == 0 {
        return limit.to_compact();
    }
    let exponent = exponent(spacing, half_life, time_difference, height_difference);
    // The whole part (rounded down) shifts, the fraction (always positive) multiplies by 2^fraction, 1 ≤ factor < 2.
    let shift = exponent.div_euclid(1 << RADIX_BITS);
    let fraction = exponent.rem_euclid(1 << RADIX_BITS).unsigned_abs();
    let factor = factor(fraction);
    // Up to 273 bits (our limits reach 2^255), so the product needs more than a U256. The factor carries RADIX_BITS of
    // its own.
    let product = U512::from(anchor_target.to_u256()) * U512::from(factor);
    let shift = shift - i128::from(RADIX_BITS);
    clamp(shifted(product, shift), &limit).to_compact()
}

/// The exponent in units of 2^-16. The division rounds toward zero, as the reference implementation's does.
fn exponent(spacing: u32, half_life: u32, time_difference: i64, height_difference: i64) -> i128 {
    // Any i64 and u32 fit: 63 + 33 + 16 bits.
    let ideal = i128::from(spacing) * (i128::from(height_difference) + 1);
    (i128::from(time_difference) - ideal) * (1 << RADIX_BITS) / i128::from(half_life)
}

/// 65,536 × 2^(fraction / 65,536), by the specification's cubic approximation (error below 0.013 %).
fn factor(fraction: u128) -> u128 {
    let square = fraction * fraction;
    let cube = square * fraction;
    (1 << RADIX_BITS) + ((195_766_423_245_049 * fraction + 971_821_376 * square + 5_127 * cube + (1 << 47)) >> 48)
}

/// `value × 2^shift`; `None` when it does not fit.
fn shifted(value: U512, shift: i128) -> Option<U512> {
    let distance = usize::try_from(shift.unsigned_abs()).unwrap_or(usize::MAX);
    if shift <= 0 {
        return Some(if distance >= 512 { U512::zero() } else { value >> distance });
    }
    (value.bits().saturating_add(distance) <= 512).then(|| value << distance)
}

/// Between 1 and the limit.
fn clamp(value: Option<U512>, limit: &Target) -> Target {
    let in_range = value.and_then(|value| U256::try_from(value).ok()).filter(|value| *value < limit.to_u256());
    in_range.map_or(*limit, |value| Target::from_u256(value.max(U256::one())))
}
