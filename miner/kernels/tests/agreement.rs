//! Every kernel against the plainest implementation there is: hash all 80 bytes with sha2, compare all 32 bytes.

use proptest::prelude::{any, proptest};
use proptest::test_runner::Config;
use std::ops::RangeInclusive;
use tally_kernels::sha256::{meets, sha256d};
use tally_kernels::{Hit, Kernel, Prepared, kernel};

/// Miri runs a thousand times as slow, and only what needs no special instruction.
const CASES: u32 = if cfg!(miri) { 1 } else { 48 };
const LENGTH_MAX: u32 = if cfg!(miri) { 12 } else { 1200 };

fn kernels() -> impl Iterator<Item = &'static dyn Kernel> {
    kernel::all().iter().copied().filter(|kernel| kernel.is_available())
}

fn hash_with(header: &[u8; 80], version: u32, nonce: u32) -> [u8; 32] {
    let mut header = *header;
    header[..4].copy_from_slice(&version.to_le_bytes());
    header[76..].copy_from_slice(&nonce.to_le_bytes());
    sha256d(&header)
}

fn naive(header: &[u8; 80], target: &[u8; 32], versions: &[u32], nonces: RangeInclusive<u32>) -> Vec<Hit> {
    nonces
        .flat_map(|nonce| (0..versions.len()).map(move |version| Hit { nonce, version }))
        .filter(|hit| meets(&hash_with(header, versions[hit.version], hit.nonce), target))
        .collect()
}

/// In rising order.
fn scan(
    kernel: &dyn Kernel,
    header: &[u8; 80],
    target: &[u8; 32],
    versions: &[u32],
    nonces: RangeInclusive<u32>,
) -> Vec<Hit> {
    let mut hits = Vec::new();
    kernel.scan(&Prepared::with_versions(header, target, versions), nonces, &mut hits);
    hits.sort_unstable();
    hits
}

/// As many versions as any kernel wants, and more; each differs in the bits of BIP 320.
fn versions(count: u32) -> Vec<u32> {
    (0..count).map(|index| 0x2000_0000 ^ index.wrapping_mul(0x0246_e000) & tally_kernels::BIP_320_MASK).collect()
}

fn header_of(front: [u8; 32], middle: [u8; 32], back: [u8; 16]) -> [u8; 80] {
    let mut header = [0; 80];
    header[..32].copy_from_slice(&front);
    header[32..64].copy_from_slice(&middle);
    header[64..].copy_from_slice(&back);
    header
}

/// The target that this hash just meets, and the next harder one.
fn targets_around(hash: [u8; 32]) -> ([u8; 32], [u8; 32]) {
    let mut exact = hash;
    exact.reverse();
    let mut harder = exact;
    for byte in harder.iter_mut().rev() {
        let (less, borrowed) = byte.overflowing_sub(1);
        *byte = less;
        if !borrowed {
            break;
        }
    }
    (exact, harder)
}

proptest! {
    #![proptest_config(Config { cases: CASES, failure_persistence: None, ..Config::default() })]

    /// A range of any length and place with any number of versions, so that a hit stands at every position of a kernel's
    /// lanes.
    #[test]
    fn no_kernel_misses_or_invents_a_hit(
        front in any::<[u8; 32]>(), middle in any::<[u8; 32]>(), back in any::<[u8; 16]>(),
        top in 1_u8.., start in any::<u32>(), length in 1..LENGTH_MAX, count in 1_u32..=17,
    ) {
        let header = header_of(front, middle, back);
        let mut target = [0xff; 32];
        target[0] = top / 2;
        // As much work whatever the number of versions is.
        let nonces = start..=start.saturating_add(length / count);
        let versions = versions(count);
        let expected = naive(&header, &target, &versions, nonces.clone());
        for kernel in kernels() {
            assert_eq!(scan(kernel, &header, &target, &versions, nonces.clone()), expected, "{}", kernel.name());
        }
    }

    /// The whole target is compared, not only its top word.
    #[test]
    fn a_target_is_met_by_an_equal_hash_and_by_no_greater(
        front in any::<[u8; 32]>(), middle in any::<[u8; 32]>(), back in any::<[u8; 16]>(),
        version in any::<u32>(), nonce in any::<u32>(),
    ) {
        let header = header_of(front, middle, back);
        let (exact, harder) = targets_around(hash_with(&header, version, nonce));
        for kernel in kernels() {
            let found = scan(kernel, &header, &exact, &[version], nonce..=nonce);
            assert_eq!(found, [Hit { nonce, version: 0 }], "{}", kernel.name());
            assert_eq!(scan(kernel, &header, &harder, &[version], nonce..=nonce), [], "{}", kernel.name());
        }
    }
}

#[test]
fn both_ends_of_the_nonces_are_tried() {
    let header = header_of([3; 32], [5; 32], [7; 16]);
    for length in if cfg!(miri) { 1..=3 } else { 1..=40 } {
        for nonces in [0..=length - 1, u32::MAX - (length - 1)..=u32::MAX] {
            for versions in [versions(1), versions(2)] {
                let everything = naive(&header, &[0xff; 32], &versions, nonces.clone());
                assert_eq!(everything.len(), length as usize * versions.len());
                for kernel in kernels() {
                    let found = |target| scan(kernel, &header, &target, &versions, nonces.clone());
                    assert_eq!(found([0xff; 32]), everything, "{}", kernel.name());
                    assert_eq!(found([0; 32]), [], "{}", kernel.name());
                }
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "hours under Miri")]
fn a_hit_at_every_position_of_a_range_and_in_every_version_is_found_alone() {
    const NONCES: RangeInclusive<u32> = 0x1000_0000..=0x1000_0000 + 69;
    let header = header_of([11; 32], [13; 32], [17; 16]);
    for count in [1, 5] {
        let versions = versions(count);
        let all: Vec<(Hit, [u8; 32])> = naive(&header, &[0xff; 32], &versions, NONCES)
            .into_iter()
            .map(|hit| (hit, hash_with(&header, versions[hit.version], hit.nonce)))
            .collect();
        for (hit, hash) in &all {
            let (exact, _) = targets_around(*hash);
            let expected: Vec<Hit> = all.iter().filter(|it| meets(&it.1, &exact)).map(|it| it.0).collect();
            assert!(expected.contains(hit));
            for kernel in kernels() {
                let hits = scan(kernel, &header, &exact, &versions, NONCES);
                assert_eq!(hits, expected, "{} at {hit:?}", kernel.name());
            }
        }
    }
}

#[test]
fn a_single_version_is_one_of_them() {
    let header = header_of([2; 32], [4; 32], [6; 16]);
    let versions = versions(3);
    let prepared = Prepared::with_versions(&header, &[0xff; 32], &versions);
    for (index, version) in versions.iter().enumerate() {
        let single = prepared.single(index);
        let hit = Hit { nonce: 9, version: 0 };
        assert_eq!(sha256d(&single.header_of(hit)), hash_with(&header, *version, 9));
        assert_eq!(single.header_of(hit), prepared.header_of(Hit { nonce: 9, version: index }));
        assert!(single.is_hit(hit) && !single.is_hit(Hit { nonce: 9, version: 1 }));
    }
    assert_eq!(prepared.single(3).midstates(), [[0; 8]; 0]);
}

#[test]
fn hits_are_appended() {
    let first = Hit { nonce: 99, version: 5 };
    let mut hits = vec![first];
    for kernel in kernels() {
        kernel.scan(&Prepared::new(&[0; 80], &[0xff; 32]), 5..=6, &mut hits);
    }
    assert_eq!(hits.len(), 1 + 2 * kernels().count());
    assert_eq!(hits[0], first);
}

#[test]
fn without_a_version_nothing_is_found() {
    for kernel in kernels() {
        assert_eq!(scan(kernel, &[0; 80], &[0xff; 32], &[], 0..=100), [], "{}", kernel.name());
    }
}
