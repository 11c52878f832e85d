//! Compact targets against Bitcoin's published values, and work.

use proptest::prelude::{any, proptest};
use tally_primitives::hash::BlockHash;
use tally_primitives::pow::{CompactTarget, CompactTargetError, CompactTargetParseError, Target, Work};

fn target(bits: u32) -> Result<Target, CompactTargetError> {
    CompactTarget::from_bits(bits).to_target()
}

/// The target with this number, written with as many hexadecimal digits as it needs.
fn number(digits: &str) -> Target {
    let mut bytes = [0; 32];
    hex::decode_to_slice(format!("{digits:0>64}"), &mut bytes).expect("at most 64 digits");
    Target::from_be_bytes(bytes)
}

/// The values of Bitcoin Core's test `bignum_SetCompact` that are canonical.
#[test]
fn bitcoins_canonical_values_are_read_and_written() {
    let zeros = "0".repeat(58);
    let cases: [(u32, String); 11] = [
        (0x0112_0000, "12".to_owned()),
        (0x0200_8000, "80".to_owned()),
        (0x0212_3400, "1234".to_owned()),
        (0x0312_3456, "123456".to_owned()),
        (0x0412_3456, "12345600".to_owned()),
        (0x0500_9234, "92340000".to_owned()),
        (0x2012_3456, format!("123456{zeros}")),
        // The genesis block's, the one of the Bitcoin wiki, block 125552's, and our own limits.
        (0x1d00_ffff, format!("ffff{}", "0".repeat(52))),
        (0x1b04_04cb, format!("404cb{}", "0".repeat(48))),
        (0x1a44_b9f2, format!("44b9f2{}", "0".repeat(46))),
        (0x207f_ffff, format!("7fffff{zeros}")),
    ];
    for (bits, digits) in cases {
        assert_eq!(target(bits), Ok(number(&digits)), "{bits:#010x}");
        assert_eq!(number(&digits).to_compact(), CompactTarget::from_bits(bits), "{bits:#010x}");
    }
}

/// The values of the same test that Bitcoin reads as zero, as negative, as too large, or writes differently.
#[test]
fn bitcoins_other_values_are_refused_with_the_reason() {
    let zero = [0, 0x0012_3456, 0x0100_3456, 0x0200_0056, 0x0300_0000, 0x0400_0000, 0x0380_0000, 0x0480_0000];
    for bits in zero {
        assert_eq!(target(bits), Err(CompactTargetError::Zero { bits }), "{bits:#010x}");
    }
    for bits in [0x01fe_dcba, 0x0492_3456, 0x0492_3400] {
        assert_eq!(target(bits), Err(CompactTargetError::Negative { bits }), "{bits:#010x}");
    }
    // Bitcoin reads these as zero; the sign is refused before the shift here. Neither accepts them.
    for bits in [0x0092_3456, 0x0180_3456, 0x0280_0056] {
        assert!(target(bits).is_err(), "{bits:#010x}");
    }
    for bits in [0xff12_3456, 0x2112_3456, 0x2201_0000, 0x2300_0001] {
        assert_eq!(target(bits), Err(CompactTargetError::Overflow { bits }), "{bits:#010x}");
    }
    for (bits, canonical) in [(0x0112_3456, 0x0112_0000), (0x0212_3456, 0x0212_3400), (0x1d00_00ff, 0x1c00_ff00)] {
        let canonical_error = CompactTargetError::NotCanonical { bits, canonical };
        assert_eq!(target(bits), Err(canonical_error), "{bits:#010x}");
    }
}

#[test]
fn compact_targets_are_read_as_they_are_shown() {
    for bits in [0, 1, 0x1d00_ffff, u32::MAX] {
        let compact = CompactTarget::from_bits(bits);
        assert_eq!(compact.to_string().parse(), Ok(compact));
        assert_eq!(format!("{bits:08X}").parse(), Ok(compact));
    }
    assert_eq!(CompactTarget::from_bits(0x1d00_ffff).to_string(), "0x1d00ffff");
    for text in ["", "0x", "1d00fff", "0x1d00ffff0", "0X1d00ffff", "0x0x1d00ffff", "486604799", "-1d00fff", "1d00ffzz"]
    {
        let expected = CompactTargetParseError { text: text.to_owned() };
        assert_eq!(text.parse::<CompactTarget>(), Err(expected), "'{text}'");
    }
}

#[test]
fn the_largest_compact_target_fits() {
    let largest = number(&format!("ffff{}", "0".repeat(60)));
    assert_eq!(target(0x2100_ffff), Ok(largest));
    assert_eq!(Target::MAX.to_compact(), CompactTarget::from_bits(0x2100_ffff));
    assert_eq!(number("1").to_compact(), CompactTarget::from_bits(0x0101_0000));
}

proptest! {
    #[test]
    fn whatever_stands_for_a_target_is_its_one_compact_form(bits in any::<u32>(), size in 1u32..0x23, mantissa in 0u32..0x0100_0000) {
        for bits in [bits, size << 24 | mantissa] {
            if let Ok(target) = target(bits) {
                assert_eq!(target.to_compact().to_bits(), bits);
                assert!(target > number("0"));
            }
        }
    }

    #[test]
    fn the_compact_form_rounds_down_by_less_than_a_part_in_32768(bytes in any::<[u8; 32]>(), zeros in 0usize..32) {
        let mut bytes = bytes;
        bytes[..zeros].fill(0);
        let exact = Target::from_be_bytes(bytes);
        if exact == number("0") {
            return Ok(());
        }
        let rounded = exact.to_compact().to_target().expect("the compact form of a target is one");
        assert!(rounded <= exact);
        let (lost, share) = (exact.to_u256() - rounded.to_u256(), exact.to_u256() >> 15);
        assert!(lost <= share, "{exact} became {rounded}");
    }

    #[test]
    fn work_is_the_number_of_hashes_divided_by_those_that_meet_the_target(bytes in any::<[u8; 32]>(), zeros in 0usize..32) {
        let mut bytes = bytes;
        bytes[..zeros].fill(0);
        let target = Target::from_be_bytes(bytes);
        // work × (target + 1) ≤ 2^256 < (work + 1) × (target + 1), in 512 bits.
        let wide = |bytes: [u8; 32]| primitive_types::U512::from_big_endian(&bytes);
        let (work, meeting) = (wide(target.work().to_be_bytes()), wide(bytes) + 1);
        let hashes = primitive_types::U512::one() << 256;
        // Only the work of a target of zero does not fit, by one.
        assert!(target == number("0") || (work * meeting <= hashes && hashes < (work + 1) * meeting));
    }

    #[test]
    fn work_adds_and_orders_as_numbers_do(a in any::<u64>(), b in any::<u64>()) {
        let work = |number: u128| {
            let mut bytes = [0; 32];
            bytes[16..].copy_from_slice(&number.to_be_bytes());
            Work::from_be_bytes(bytes)
        };
        let (wide_a, wide_b) = (u128::from(a), u128::from(b));
        assert_eq!(work(wide_a) + work(wide_b), work(wide_a + wide_b));
        assert_eq!(work(wide_a) - work(wide_b), work(wide_a.saturating_sub(wide_b)));
        assert_eq!(work(wide_a) < work(wide_b), a < b);
        assert_eq!([a, b].map(|number| work(number.into())).into_iter().sum::<Work>(), work(wide_a + wide_b));
    }
}

#[test]
fn work_of_known_targets() {
    let work = |bits| target(bits).expect("a target").work().to_string();
    assert_eq!(work(0x1d00_ffff), format!("{:0>64}", "100010001"));
    assert_eq!(work(0x207f_ffff), format!("{:0>64}", "2"));
    assert_eq!(Target::MAX.work().to_string(), format!("{:0>64}", "1"));
    let most = Work::from_be_bytes([0xff; 32]);
    assert_eq!(number("0").work(), most, "saturates");
    assert_eq!(most + most, most, "saturates");
}

#[test]
fn a_hash_meets_a_target_up_to_equality_and_is_read_little_endian() {
    let limit = number("ffff");
    let hash = |first_bytes: &[u8]| {
        let mut bytes = [0; 32];
        bytes[..first_bytes.len()].copy_from_slice(first_bytes);
        BlockHash::from_bytes(bytes)
    };
    assert!(limit.is_met_by(&hash(&[0xff, 0xff])));
    assert!(!limit.is_met_by(&hash(&[0, 0, 1])));
    assert!(!limit.is_met_by(&BlockHash::from_bytes([0xff; 32])));
    assert!(Target::MAX.is_met_by(&BlockHash::from_bytes([0xff; 32])));
}

#[test]
fn difficulty_is_relative_to_the_easiest_target() {
    let easiest = target(0x1d00_ffff).unwrap();
    assert!((easiest.difficulty(&easiest) - 1.0).abs() < f64::EPSILON);
    // The Bitcoin wiki's example.
    let difficulty = target(0x1b04_04cb).unwrap().difficulty(&easiest);
    assert!((difficulty - 16_307.420_938_523_983).abs() < 1e-9, "{difficulty}");
}
