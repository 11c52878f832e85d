//! Every kernel against the plainest implementation there is: hash all 80 bytes with sha2, compare all 32 bytes.

use proptest::prelude::{any, proptest};
use proptest::test_runner::Config;
use std::ops::RangeInclusive;
use tally_kernels::sha256::{meets, sha256d};
use tally_kernels::{Kernel, Prepared, kernel};

fn kernels() -> impl Iterator<Item = &'static dyn Kernel> {
    kernel::all().iter().copied().filter(|kernel| kernel.is_available())
}

fn hash_with(header: &[u8; 80], nonce: u32) -> [u8; 32] {
    let mut header = *header;
    header[76..].copy_from_slice(&nonce.to_le_bytes());
    sha256d(&header)
}

fn naive(header: &[u8; 80], target: &[u8; 32], nonces: RangeInclusive<u32>) -> Vec<u32> {
    nonces.filter(|nonce| meets(&hash_with(header, *nonce), target)).collect()
}

fn scan(kernel: &dyn Kernel, header: &[u8; 80], target: &[u8; 32], nonces: RangeInclusive<u32>) -> Vec<u32> {
    let mut hits = Vec::new();
    kernel.scan(&Prepared::new(header, target), nonces, &mut hits);
    hits
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
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]

    /// A range of any length and place, so that a hit stands at every position of a kernel's lanes.
    #[test]
    fn no_kernel_misses_or_invents_a_hit(
        front in any::<[u8; 32]>(), middle in any::<[u8; 32]>(), back in any::<[u8; 16]>(),
        top in 1_u8.., start in any::<u32>(), length in 1_u32..1500,
    ) {
        let header = header_of(front, middle, back);
        let mut target = [0xff; 32];
        target[0] = top / 2;
        let nonces = start..=start.saturating_add(length - 1);
        let expected = naive(&header, &target, nonces.clone());
        for kernel in kernels() {
            assert_eq!(scan(kernel, &header, &target, nonces.clone()), expected, "{}", kernel.name());
        }
    }

    /// The whole target is compared, not only its top word.
    #[test]
    fn a_target_is_met_by_an_equal_hash_and_by_no_greater(
        front in any::<[u8; 32]>(), middle in any::<[u8; 32]>(), back in any::<[u8; 16]>(), nonce in any::<u32>(),
    ) {
        let header = header_of(front, middle, back);
        let (exact, harder) = targets_around(hash_with(&header, nonce));
        for kernel in kernels() {
            assert_eq!(scan(kernel, &header, &exact, nonce..=nonce), [nonce], "{}", kernel.name());
            assert_eq!(scan(kernel, &header, &harder, nonce..=nonce), [0; 0], "{}", kernel.name());
        }
    }
}

#[test]
fn both_ends_of_the_nonces_are_tried() {
    let header = header_of([3; 32], [5; 32], [7; 16]);
    for length in 1..=40 {
        for nonces in [0..=length - 1, u32::MAX - (length - 1)..=u32::MAX] {
            let everything: Vec<u32> = nonces.clone().collect();
            for kernel in kernels() {
                assert_eq!(scan(kernel, &header, &[0xff; 32], nonces.clone()), everything, "{}", kernel.name());
                assert_eq!(scan(kernel, &header, &[0; 32], nonces.clone()), [0; 0], "{}", kernel.name());
            }
        }
    }
}

#[test]
fn a_hit_at_every_position_of_a_range_is_found_alone() {
    let header = header_of([11; 32], [13; 32], [17; 16]);
    for position in 0..80 {
        let nonce = 0x1000_0000 + position;
        let (exact, _) = targets_around(hash_with(&header, nonce));
        let expected = naive(&header, &exact, 0x1000_0000..=0x1000_0000 + 79);
        assert!(expected.contains(&nonce));
        for kernel in kernels() {
            let hits = scan(kernel, &header, &exact, 0x1000_0000..=0x1000_0000 + 79);
            assert_eq!(hits, expected, "{} at position {position}", kernel.name());
        }
    }
}

#[test]
fn hits_are_appended() {
    let mut hits = vec![99];
    for kernel in kernels() {
        kernel.scan(&Prepared::new(&[0; 80], &[0xff; 32]), 5..=6, &mut hits);
    }
    assert_eq!(hits.len(), 1 + 2 * kernels().count());
    assert_eq!(hits[0], 99);
}
