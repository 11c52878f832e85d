//! Rules about a header, with what the chain knows about its parent (HDR-01 to HDR-07).

use tally_primitives::block::Header;
use tally_primitives::hash::BlockHash;
use tally_primitives::pow::{CompactTarget, Target};
use tally_primitives::units::Timestamp;

use crate::error::{BitsFault, ParentFault, RuleError};

/// How many headers the median time is taken over (HDR-05).
pub const MEDIAN_TIME_SPAN: usize = 11;

/// How far a header's time may be ahead of our own clock, in seconds (HDR-06).
pub const MAX_SECONDS_AHEAD: u32 = 2 * 60 * 60;

/// The top three bits of every version (HDR-07); the others are the miner's to roll, as BIP 320.
pub const VERSION_TOP_BITS: u32 = 0b001 << 29;

const VERSION_TOP_MASK: u32 = 0b111 << 29;

/// What the chain knows about the block that a header names as its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParentInfo {
    /// The parent's hash.
    pub hash: BlockHash,
    /// Whether it, or a block below it, broke a rule.
    pub invalid: bool,
}

/// The facts a header is judged by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderContext {
    /// The parent, if it is known.
    pub parent: Option<ParentInfo>,
    /// [`median_time_past`] of the parent and the headers below it.
    pub median_time_past: u32,
    /// What [`next_bits`](crate::difficulty::next_bits) asks for at this height, on this branch.
    pub expected_bits: CompactTarget,
    /// Our own clock.
    pub now: Timestamp,
    /// The easiest target of the network.
    pub limit: Target,
}

/// All rules about a header: first the cheap ones that need nothing else, then those in its context.
///
/// # Errors
/// The first rule that is broken.
pub fn check_header(header: &Header, context: &HeaderContext) -> Result<(), RuleError> {
    check_header_alone(header, &context.limit)?;
    check_parent(header, context.parent.as_ref())?;
    check_expected_bits(header, context.expected_bits)?;
    check_time_after_median(header, context.median_time_past)?;
    check_time_not_ahead(header, context.now)
}

/// The rules that need nothing but the header and the network's limit: HDR-02, HDR-01, HDR-07. They cost one hash, and
/// whoever sends headers must have worked to pass them.
///
/// # Errors
/// The first rule that is broken.
pub fn check_header_alone(header: &Header, limit: &Target) -> Result<(), RuleError> {
    check_bits(header, limit)?;
    check_work(header, limit)?;
    check_version(header)
}

/// HDR-01: the header's hash, read as a number, is at most the target its bits stand for.
///
/// # Errors
/// [`RuleError::HashAboveTarget`]; [`RuleError::UnacceptableBits`] when the bits stand for no target at all.
pub fn check_work(header: &Header, limit: &Target) -> Result<(), RuleError> {
    let target = acceptable_target(header.bits, limit)?;
    let hash = header.hash();
    if target.is_met_by(&hash) { Ok(()) } else { Err(RuleError::HashAboveTarget { hash, target }) }
}

/// HDR-02: bits is the canonical form of a positive target that is no easier than the network's limit.
///
/// # Errors
/// [`RuleError::UnacceptableBits`].
pub fn check_bits(header: &Header, limit: &Target) -> Result<(), RuleError> {
    acceptable_target(header.bits, limit).map(|_| ())
}

/// HDR-03: bits is what the difficulty rule asks for at this height.
///
/// # Errors
/// [`RuleError::WrongBits`].
pub fn check_expected_bits(header: &Header, expected: CompactTarget) -> Result<(), RuleError> {
    if header.bits == expected { Ok(()) } else { Err(RuleError::WrongBits { bits: header.bits, expected }) }
}

/// HDR-04: the parent is known and not invalid.
///
/// # Errors
/// [`RuleError::BadParent`].
pub fn check_parent(header: &Header, parent: Option<&ParentInfo>) -> Result<(), RuleError> {
    let fault = match parent {
        Some(info) if info.hash != header.prev_block => ParentFault::Unknown,
        None => ParentFault::Unknown,
        Some(info) if info.invalid => ParentFault::Invalid,
        Some(_) => return Ok(()),
    };
    Err(RuleError::BadParent { parent: header.prev_block, fault })
}

/// HDR-05: time is greater than the median of the last 11 headers'.
///
/// # Errors
/// [`RuleError::TimeTooOld`].
pub fn check_time_after_median(header: &Header, median_time_past: u32) -> Result<(), RuleError> {
    if header.time > median_time_past {
        Ok(())
    } else {
        Err(RuleError::TimeTooOld { time: header.time, median_time_past })
    }
}

/// HDR-06: time is at most 2 hours ahead of now. Refused for now only: such a header may be accepted later.
///
/// # Errors
/// [`RuleError::TimeTooFarAhead`].
pub fn check_time_not_ahead(header: &Header, now: Timestamp) -> Result<(), RuleError> {
    let latest = now.saturating_add_millis(u64::from(MAX_SECONDS_AHEAD) * 1_000);
    if Timestamp::from_seconds(header.time) <= latest {
        Ok(())
    } else {
        Err(RuleError::TimeTooFarAhead { time: header.time, now: now.as_seconds() })
    }
}

/// HDR-07: version's top three bits are 001.
///
/// # Errors
/// [`RuleError::BadVersion`].
pub fn check_version(header: &Header) -> Result<(), RuleError> {
    if header.version & VERSION_TOP_MASK == VERSION_TOP_BITS {
        Ok(())
    } else {
        Err(RuleError::BadVersion { version: header.version })
    }
}

/// The median of the times of the last [`MEDIAN_TIME_SPAN`] headers, in any order. Near genesis there are fewer; of an
/// even number the later middle one counts, as in Bitcoin. Without any header it is 0. More than eleven times are a
/// mistake of the caller, and only the first eleven count.
pub fn median_time_past(times: &[u32]) -> u32 {
    let count = times.len().min(MEDIAN_TIME_SPAN);
    let mut sorted = [0u32; MEDIAN_TIME_SPAN];
    let recent = &mut sorted[..count];
    recent.copy_from_slice(&times[..count]);
    recent.sort_unstable();
    recent.get(count / 2).copied().unwrap_or(0)
}

/// The target of bits that a block of this network may carry.
fn acceptable_target(bits: CompactTarget, limit: &Target) -> Result<Target, RuleError> {
    let fault = match bits.to_target() {
        Ok(target) if target <= *limit => return Ok(target),
        Ok(_) => BitsFault::TooEasy { limit: limit.to_compact() },
        Err(source) => BitsFault::NoTarget { source },
    };
    Err(RuleError::UnacceptableBits { bits, fault })
}
