use proptest::prelude::ProptestConfig;
use proptest::{prop_assert, proptest};
use tally_primitives::pow::{CompactTarget, Target};

use super::Difficulty;

fn target(difficulty: f64) -> String {
    Difficulty::new(difficulty).unwrap().target().to_string()
}

#[test]
fn targets_are_exact() {
    let power = |bit: usize| {
        let mut bytes = [0; 32];
        bytes[31 - bit / 8] = 1 << (bit % 8);
        Target::from_be_bytes(bytes).to_string()
    };
    assert_eq!(target(1.0), power(224));
    assert_eq!(target(1024.0), power(214));
    assert_eq!(target(0.5), power(225));
    // floor(2^224 / 3) is 0x55…55 in 223 bits.
    assert_eq!(target(3.0), format!("{}{}", "0".repeat(8), "5".repeat(56)));
    assert_eq!(target(2f64.powi(-31)), power(255));
    assert_eq!(target(2f64.powi(-32)), "f".repeat(64), "2^256 does not fit: every hash is a share");
    assert_eq!(target(1e-300), "f".repeat(64));
    assert_eq!(target(1e300), "0".repeat(64));
}

#[test]
fn only_positive_numbers_are_difficulties() {
    for bad in [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MIN_POSITIVE / 2.0] {
        assert_eq!(Difficulty::new(bad), None, "{bad}");
    }
}

#[test]
fn powers_of_two() {
    assert_eq!(Difficulty::power_of_two(-10).get(), 1.0 / 1024.0);
    for (value, rounded) in [(1.0, 1.0), (1.4, 1.0), (1.5, 2.0), (2.9, 4.0), (0.7, 0.5), (0.71, 1.0)] {
        assert_eq!(Difficulty::new(value).unwrap().rounded().get(), rounded, "{value}");
    }
}

/// As minerd computes it: 64 bits of the target, the rest zero.
fn minerds_target(difficulty: f64) -> Target {
    let (mut difficulty, mut word) = (difficulty, 6);
    while word > 0 && difficulty > 1.0 {
        difficulty /= 4_294_967_296.0;
        word -= 1;
    }
    #[expect(clippy::cast_possible_truncation, reason = "as minerd does")]
    let number = (4_294_901_760.0 / difficulty) as u64;
    let mut bytes = [0; 32];
    let end = 32 - 4 * word;
    bytes[end - 8..end].copy_from_slice(&number.to_be_bytes());
    Target::from_be_bytes(bytes)
}

#[test]
fn the_easiest_bits_of_devnet() {
    let easiest = CompactTarget::from_bits(0x207f_ffff).to_target().unwrap();
    let difficulty = Difficulty::of_target(&easiest);
    assert!((difficulty.get() / 4.656_542_373_906_925e-10 - 1.0).abs() < 1e-10, "{difficulty}");
    assert!(minerds_target(difficulty.get()) >= easiest);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    /// A miner that is given the network's own difficulty leaves out no block, and nothing it sends is refused.
    #[test]
    fn no_block_is_left_out(size in 4u32..=32, mantissa in 0x8000u32..0x80_0000) {
        let bits = CompactTarget::from_bits(size << 24 | mantissa);
        let Ok(block) = bits.to_target() else { return Ok(()); };
        let difficulty = Difficulty::of_target(&block);
        prop_assert!(difficulty.target() >= block);
        let theirs = minerds_target(difficulty.get());
        prop_assert!(theirs >= block && theirs <= difficulty.target(), "{difficulty}: {theirs} for {block}");
    }

    #[test]
    fn targets_are_the_inverse(exponent in -31i32..100, fraction in 1.0f64..2.0) {
        let difficulty = Difficulty::new(fraction * 2f64.powi(exponent)).unwrap();
        let again = Difficulty::of_target(&difficulty.target()).get() / difficulty.get();
        prop_assert!((again - 65_535.0 / 65_536.0).abs() < 1e-9, "{difficulty}: {again}");
    }
}
