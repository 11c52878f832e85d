use super::{Piece, Space};
use crate::BIP_320_MASK;
use std::collections::BTreeSet;

/// Every (extra nonce, group, version of the group, nonce) of a piece.
fn covered(space: &Space, piece: &Piece) -> Vec<(u64, u64, u64, u32)> {
    let versions = match piece.only {
        Some(version) => version as u64..version as u64 + 1,
        None => 0..space.together,
    };
    versions
        .flat_map(|version| {
            (piece.nonces.0..=piece.nonces.1).map(move |nonce| (piece.extra_nonce, piece.group, version, nonce))
        })
        .collect()
}

/// Walks over two extra nonces in batches of these sizes (again and again), and asserts that nothing is left out.
fn assert_exhaustive(space: &Space, sizes: &[u32]) {
    let total = 2 * space.groups * space.together * space.nonce_count;
    let mut seen = BTreeSet::new();
    let mut position = 0;
    for size in sizes.iter().cycle() {
        let mut left = u32::try_from(u64::from(*size).min(total - position)).unwrap();
        while left > 0 {
            let piece = space.piece(position, left);
            let places = covered(space, &piece);
            assert_eq!(places.len(), piece.hashes as usize, "{space:?} {piece:?}");
            assert!(piece.hashes <= left && piece.hashes > 0);
            for place in places {
                assert!(seen.insert(place), "{place:?} twice, {space:?} {piece:?}");
            }
            position += u64::from(piece.hashes);
            left -= piece.hashes;
        }
        if position == total {
            break;
        }
    }
    assert!(seen.iter().all(|place| place.0 < 2 && place.1 < space.groups && place.2 < space.together));
    assert!(seen.iter().all(|place| u64::from(place.3 - space.first_nonce) < space.nonce_count));
    assert_eq!(seen.len() as u64, total);
}

#[test]
#[cfg_attr(miri, ignore = "hours under Miri, and without unsafe code")]
fn every_hash_is_covered_once_whatever_the_batches_are() {
    for nonces in [(0, 0), (0, 36), (1000, 1127), (u32::MAX - 200, u32::MAX)] {
        for (mask, versions) in [(0, 1), (0, 16), (0x2000, 4), (0x1_e000, 1), (0x1_e000, 4), (0x1_e000, 16)] {
            let space = Space::new(nonces, mask, versions);
            for sizes in [&[1_u32][..], &[7], &[64], &[255, 256, 257, 1], &[1000, 3], &[100_000]] {
                assert_exhaustive(&space, sizes);
            }
        }
    }
}

#[test]
fn whole_tiles_are_hashed_in_all_versions_together() {
    let space = Space::new((0, u32::MAX), BIP_320_MASK, 16);
    let batch = space.round_down(45_000);
    assert_eq!(batch, 43 * 1024);
    let piece = space.piece(5 * 1024, batch);
    assert_eq!((piece.only, piece.nonces, piece.hashes), (None, (5 * 64, 48 * 64 - 1), batch));
    assert_eq!((space.together, space.groups), (16, 4096));
}

#[test]
fn a_small_batch_is_what_it_says() {
    let space = Space::new((0, u32::MAX), BIP_320_MASK, 8);
    assert_eq!(space.round_down(1), 1);
    let piece = space.piece(65, 1);
    assert_eq!((piece.only, piece.nonces, piece.hashes), (Some(1), (1, 1), 1));
}

#[test]
fn versions_differ_in_the_mask_only_and_begin_with_the_headers_own() {
    let own = 0x2abc_d123;
    let space = Space::new((0, u32::MAX), BIP_320_MASK, 16);
    let all: Vec<u32> = (0..space.groups).flat_map(|group| space.versions(own, group)).collect();
    assert_eq!(all[0], own);
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 1 << 16);
    assert!(all.iter().all(|version| version & !BIP_320_MASK == own & !BIP_320_MASK));
}

#[test]
fn a_mask_with_few_bits_limits_how_many_go_together() {
    let space = Space::new((0, 99), 0x8000_0001, 16);
    assert_eq!((space.together, space.groups), (4, 1));
    assert_eq!(space.versions(0, 0), [0, 1, 0x8000_0000, 0x8000_0001]);
    let none = Space::new((0, 99), 0, 16);
    assert_eq!((none.together, none.groups, none.versions(7, 0)), (1, 1, vec![7]));
    let everything = Space::new((0, u32::MAX), u32::MAX, 12);
    assert_eq!((everything.together, everything.groups), (8, 1 << 13));
}
