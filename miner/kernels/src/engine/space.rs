//! In which order a job's hashes are tried: positions on one line, from 0, that threads take pieces of.
//!
//! An extra nonce has many *groups* of versions, a group has all nonces. A kernel that shares work between versions
//! (see [`Kernel::versions`](crate::Kernel::versions)) wants all versions of a group with the same nonces; but a piece may be
//! as small as one hash, and what is counted must be what is hashed. So the nonces of a group are cut into *tiles*: a piece
//! of whole tiles is hashed with all versions together, and what is left over at its ends one version at a time.

/// Nonces of a tile; a multiple of every kernel's lanes.
const TILE: u64 = 64;

/// More version bits than BIP 320 has are not used: 2^16 versions with 2^32 nonces are enough for any job's life.
const VERSION_BITS_MAX: u32 = 16;

/// The space of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Space {
    first_nonce: u32,
    nonce_count: u64,
    version_mask: u32,
    /// Versions tried together, a power of two.
    together: u64,
    /// Groups of an extra nonce.
    groups: u64,
}

/// A part of the space that one scan covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) extra_nonce: u64,
    pub(super) group: u64,
    /// The only version of the group to be tried; `None`: all of them.
    pub(super) only: Option<usize>,
    pub(super) nonces: (u32, u32),
    pub(super) hashes: u32,
}

impl Space {
    /// `versions` is how many the kernel would like together.
    pub(super) fn new(nonces: (u32, u32), version_mask: u32, versions: usize) -> Space {
        let versions_in_all = 1_u64 << version_mask.count_ones().min(VERSION_BITS_MAX);
        let wanted = u64::try_from(versions.max(1)).unwrap_or(versions_in_all).min(versions_in_all);
        let together = 1 << wanted.ilog2();
        let nonce_count = u64::from(nonces.1 - nonces.0) + 1;
        Space { first_nonce: nonces.0, nonce_count, version_mask, together, groups: versions_in_all / together }
    }

    /// A batch of about so many hashes that wastes nothing at its ends; never more.
    pub(super) fn round_down(&self, hashes: u32) -> u32 {
        let tile = u32::try_from(TILE * self.together).unwrap_or(u32::MAX);
        if hashes < tile { hashes } else { hashes - hashes % tile }
    }

    /// The largest piece from this position on that one scan can cover, of at most so many hashes (and at least 1).
    pub(super) fn piece(&self, position: u64, hashes: u32) -> Piece {
        let hashes = u64::from(hashes.max(1));
        let of_group = self.nonce_count * self.together;
        let (group_in_all, offset) = (position / of_group, position % of_group);
        let (only, first, count) = self.run(offset, hashes);
        // Offsets of nonces are below 2^32, and a piece holds no more hashes than were asked for, a u32.
        let nonce = |offset: u64| u32::try_from(u64::from(self.first_nonce) + offset).unwrap_or(u32::MAX);
        let versions = if only.is_some() { 1 } else { self.together };
        Piece {
            extra_nonce: group_in_all / self.groups,
            group: group_in_all % self.groups,
            only,
            nonces: (nonce(first), nonce(first + count - 1)),
            hashes: u32::try_from(count * versions).unwrap_or(u32::MAX),
        }
    }

    /// Which version (`None`: all), the first nonce's offset, and how many nonces.
    fn run(&self, offset: u64, hashes: u64) -> (Option<usize>, u64, u64) {
        if self.together == 1 {
            return (None, offset, hashes.min(self.nonce_count - offset));
        }
        let start = offset / (TILE * self.together) * TILE;
        let within = offset % (TILE * self.together);
        let tile = TILE.min(self.nonce_count - start);
        if within == 0 && hashes >= tile * self.together {
            let whole = hashes / (TILE * self.together) * TILE;
            return (None, start, whole.max(tile).min(self.nonce_count - start));
        }
        let (version, nonce) = (within / tile, within % tile);
        (usize::try_from(version).ok(), start + nonce, hashes.min(tile - nonce))
    }

    /// The versions of a group, made from a header's own: its bits of the mask are changed in every way; the first group's
    /// first version is the header's own.
    pub(super) fn versions(&self, own: u32, group: u64) -> Vec<u32> {
        (group * self.together..(group + 1) * self.together)
            .map(|index| own ^ spread(index, self.version_mask))
            .collect()
    }
}

/// The low bits of `index`, put where the mask has its bits.
fn spread(index: u64, mask: u32) -> u32 {
    let (mut rest, mut mask, mut bits) = (index, mask, 0);
    while rest != 0 && mask != 0 {
        if rest & 1 == 1 {
            bits |= mask & mask.wrapping_neg();
        }
        mask &= mask - 1;
        rest >>= 1;
    }
    bits
}

#[cfg(test)]
mod tests;
