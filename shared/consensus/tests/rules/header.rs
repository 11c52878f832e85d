//! HDR-01 to HDR-07.

use tally_consensus::error::{BitsFault, ParentFault};
use tally_consensus::header::{
    ParentInfo, check_bits, check_expected_bits, check_header, check_header_alone, check_parent,
    check_time_after_median, check_time_not_ahead, check_version, check_work, median_time_past,
};
use tally_consensus::{RuleError, RuleId};
use tally_primitives::block::Header;
use tally_primitives::hash::BlockHash;
use tally_primitives::pow::{CompactTarget, CompactTargetError, Target};
use tally_primitives::units::Timestamp;

use crate::support::{PARENT, TIME, context, header, params, rule, unmined};

fn with_bits(bits: u32) -> Header {
    Header { bits: CompactTarget::from_bits(bits), ..unmined() }
}

#[test]
fn a_header_that_breaks_no_rule_is_accepted() {
    assert_eq!(check_header(&header(), &context()), Ok(()));
    assert_eq!(check_header_alone(&header(), &context().limit), Ok(()));
}

#[test]
fn hdr_01_refuses_a_hash_above_the_target() {
    let mut lazy = unmined();
    while params().target_limit().is_met_by(&lazy.hash()) {
        lazy.nonce += 1;
    }
    let expected = RuleError::HashAboveTarget { hash: lazy.hash(), target: params().target_limit() };
    assert_eq!(check_work(&lazy, &params().target_limit()), Err(expected.clone()));
    assert_eq!(check_header(&lazy, &context()), Err(expected));
}

#[test]
fn hdr_01_accepts_a_hash_that_meets_the_target() {
    assert_eq!(check_work(&header(), &params().target_limit()), Ok(()));
}

#[test]
fn hdr_01_accepts_a_hash_equal_to_the_target() {
    // No header with a chosen hash can be made, but the comparison can be seen at the boundary.
    let target = CompactTarget::from_bits(0x0300_ffff).to_target().unwrap();
    let hash_of = |number: u32| {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        BlockHash::from_bytes(bytes)
    };
    assert!(target.is_met_by(&hash_of(0xffff)));
    assert!(!target.is_met_by(&hash_of(0x1_0000)));
}

#[test]
fn hdr_02_refuses_bits_that_no_block_may_carry() {
    let limit = params().target_limit();
    let no_target = |source| BitsFault::NoTarget { source };
    let cases = [
        ("negative", 0x1e80_ffff, no_target(CompactTargetError::Negative { bits: 0x1e80_ffff })),
        ("zero mantissa", 0x1e00_0000, no_target(CompactTargetError::Zero { bits: 0x1e00_0000 })),
        ("all zero", 0, no_target(CompactTargetError::Zero { bits: 0 })),
        ("mantissa shifted away", 0x0100_ffff, no_target(CompactTargetError::Zero { bits: 0x0100_ffff })),
        ("more than 256 bits", 0x2301_0000, no_target(CompactTargetError::Overflow { bits: 0x2301_0000 })),
        (
            "not canonical",
            0x1f00_00ff,
            no_target(CompactTargetError::NotCanonical { bits: 0x1f00_00ff, canonical: 0x1e00_ff00 }),
        ),
        ("one above the limit", 0x2100_8000, BitsFault::TooEasy { limit: params().limit }),
    ];
    for (name, bits, fault) in cases {
        let expected = RuleError::UnacceptableBits { bits: CompactTarget::from_bits(bits), fault };
        assert_eq!(check_bits(&with_bits(bits), &limit), Err(expected.clone()), "{name}");
        assert_eq!(check_header_alone(&with_bits(bits), &limit), Err(expected), "{name}");
    }
}

#[test]
fn hdr_02_accepts_the_limit_and_everything_harder() {
    for bits in [0x207f_ffff, 0x207f_fffe, 0x1e00_ffff, 0x1d00_ffff, 0x1b04_04cb, 0x0101_0000] {
        assert_eq!(check_bits(&with_bits(bits), &params().target_limit()), Ok(()), "{bits:#x}");
    }
    assert_eq!(check_bits(&with_bits(0x2100_ffff), &Target::MAX), Ok(()));
}

#[test]
fn hdr_03_refuses_bits_other_than_the_rule_asks_for() {
    for expected in [0x207f_fffe, 0x1d00_ffff] {
        let expected = CompactTarget::from_bits(expected);
        let verdict = check_expected_bits(&header(), expected);
        assert_eq!(verdict, Err(RuleError::WrongBits { bits: params().limit, expected }));
        let mut context = context();
        context.expected_bits = expected;
        assert_eq!(rule(check_header(&header(), &context)), Some(RuleId::Hdr03));
    }
}

#[test]
fn hdr_03_accepts_what_the_rule_asks_for() {
    assert_eq!(check_expected_bits(&header(), params().limit), Ok(()));
}

#[test]
fn hdr_04_refuses_an_unknown_parent() {
    let other = ParentInfo { hash: BlockHash::from_bytes([0xcc; 32]), invalid: false };
    for parent in [None, Some(other)] {
        let error = check_parent(&header(), parent.as_ref()).unwrap_err();
        assert_eq!(error, RuleError::BadParent { parent: PARENT, fault: ParentFault::Unknown });
        assert!(!error.is_permanent(), "the parent may still come");
    }
}

#[test]
fn hdr_04_refuses_an_invalid_parent() {
    let mut context = context();
    context.parent = Some(ParentInfo { hash: PARENT, invalid: true });
    let error = check_header(&header(), &context).unwrap_err();
    assert_eq!(error, RuleError::BadParent { parent: PARENT, fault: ParentFault::Invalid });
    assert!(error.is_permanent());
}

#[test]
fn hdr_04_accepts_a_valid_parent() {
    assert_eq!(check_parent(&header(), context().parent.as_ref()), Ok(()));
}

#[test]
fn hdr_05_refuses_a_time_at_or_before_the_median() {
    for median_time_past in [TIME, TIME + 1, u32::MAX] {
        let expected = RuleError::TimeTooOld { time: TIME, median_time_past };
        assert_eq!(check_time_after_median(&header(), median_time_past), Err(expected));
    }
    let mut context = context();
    context.median_time_past = TIME;
    assert_eq!(rule(check_header(&header(), &context)), Some(RuleId::Hdr05));
}

#[test]
fn hdr_05_accepts_a_time_one_second_after_the_median() {
    assert_eq!(check_time_after_median(&header(), TIME - 1), Ok(()));
}

#[test]
fn hdr_06_refuses_a_time_too_far_ahead_for_now() {
    let now = Timestamp::from_millis(u64::from(TIME - 7_200) * 1_000 - 1);
    let error = check_time_not_ahead(&header(), now).unwrap_err();
    assert_eq!(error, RuleError::TimeTooFarAhead { time: TIME, now: TIME - 7_201 });
    assert!(!error.is_permanent(), "the same header is acceptable a millisecond later");
    let mut context = context();
    context.now = now;
    assert_eq!(check_header(&header(), &context), Err(error));
}

#[test]
fn hdr_06_accepts_a_time_two_hours_ahead() {
    assert_eq!(check_time_not_ahead(&header(), Timestamp::from_seconds(TIME - 7_200)), Ok(()));
    assert_eq!(check_time_not_ahead(&header(), Timestamp::from_millis(u64::MAX)), Ok(()));
    let last = Header { time: u32::MAX, ..unmined() };
    assert_eq!(check_time_not_ahead(&last, Timestamp::from_seconds(u32::MAX)), Ok(()));
}

#[test]
fn hdr_07_refuses_other_top_bits() {
    for version in [0, 1, 2, 4, 0x1fff_ffff, 0x4000_0000, 0x6000_0000, 0xa000_0000, u32::MAX] {
        let header = Header { version, ..unmined() };
        assert_eq!(check_version(&header), Err(RuleError::BadVersion { version }), "{version:#x}");
    }
    let error = check_header_alone(&crate::support::mined(Header { version: 1, ..unmined() }), &context().limit);
    assert_eq!(rule(error), Some(RuleId::Hdr07));
}

#[test]
fn hdr_07_accepts_every_rolled_version() {
    for version in [0x2000_0000, 0x3fff_ffff, 0x2000_2000, 0x3fff_e000, 0x2000_0001] {
        assert_eq!(check_version(&Header { version, ..unmined() }), Ok(()), "{version:#x}");
    }
}

#[test]
fn the_median_is_the_middle_one_however_the_times_are_ordered() {
    assert_eq!(median_time_past(&[]), 0);
    assert_eq!(median_time_past(&[5]), 5);
    assert_eq!(median_time_past(&[5, 9]), 9);
    assert_eq!(median_time_past(&[9, 5, 7]), 7);
    assert_eq!(median_time_past(&[11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6]), 6);
    assert_eq!(median_time_past(&[u32::MAX; 11]), u32::MAX);
}

#[test]
fn the_cheap_rules_come_before_those_that_need_a_context() {
    let mut context = context();
    context.parent = None;
    context.median_time_past = u32::MAX;
    let worthless = Header { bits: CompactTarget::from_bits(0x1d00_ffff), ..unmined() };
    assert_eq!(rule(check_header(&worthless, &context)), Some(RuleId::Hdr01), "no work, no further questions");
    assert_eq!(rule(check_header(&header(), &context)), Some(RuleId::Hdr04));
}
