//! From a range of nonces to blocks of lanes, and from a kernel's candidates to hits.

use crate::prepared::{Hit, Prepared};
use std::ops::RangeInclusive;

/// The bits that are zero in the last word of every hash that meets a target with these most significant 32 bits. The word is
/// as it comes out of the compression, so its bytes are reversed. A word without these bits is a candidate: at least every
/// second one is a hit, and none that is a hit lacks this.
pub(crate) fn zero_bits(target_top: u32) -> u32 {
    let zeros = target_top.leading_zeros();
    u32::MAX.checked_shl(32 - zeros).unwrap_or(0).swap_bytes()
}

/// Some nonces in a row: as many as a kernel hashes at once, or what is left of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    first: u32,
    count: u32,
}

/// The blocks of a range, each of this size but the last.
pub(crate) fn blocks(nonces: RangeInclusive<u32>, size: usize) -> impl Iterator<Item = Block> {
    let (first, last) = (u64::from(*nonces.start()), u64::from(*nonces.end()));
    (first..=last).step_by(size).map(move |start| {
        let left = last - start + 1;
        // Both fit: a nonce, and at most a block's size.
        let count = u32::try_from(left.min(size as u64)).unwrap_or(u32::MAX);
        Block { first: u32::try_from(start).unwrap_or(u32::MAX), count }
    })
}

impl Block {
    /// The nonce at this offset. Those beyond the block's end are hashed for nothing, and may be any.
    #[inline(always)]
    pub(crate) fn nonce(&self, offset: usize) -> u32 {
        self.first.wrapping_add(u32::try_from(offset).unwrap_or(0))
    }

    /// Appends those candidates that are hits. The bits of `lanes` are the candidates, from the nonce at `offset` on.
    #[cold]
    pub(crate) fn confirm(&self, prepared: &Prepared, version: usize, offset: usize, lanes: u32, hits: &mut Vec<Hit>) {
        for lane in (0..32).filter(|lane| lanes >> lane & 1 == 1) {
            let place = offset + lane;
            let hit = Hit { nonce: self.nonce(place), version };
            if place < self.count as usize && prepared.is_hit(hit) {
                hits.push(hit);
            }
        }
    }
}

#[cfg(test)]
mod tests;
