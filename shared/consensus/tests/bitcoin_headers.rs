//! Real headers: Bitcoin's first 1,008, and two later ones. A Tallystick header is the same 80 bytes.

use tally_consensus::header::{
    MEDIAN_TIME_SPAN, check_bits, check_expected_bits, check_time_after_median, check_version, check_work,
    median_time_past,
};
use tally_consensus::{RuleError, RuleId};
use tally_primitives::block::Header;
use tally_primitives::pow::{CompactTarget, Target, Work};

const FIRST_1008: &[u8] = include_bytes!("vectors/mainnet-headers-first-1008.bin");

fn headers() -> Vec<Header> {
    let (headers, rest) = FIRST_1008.as_chunks::<{ Header::SIZE }>();
    assert!(rest.is_empty());
    headers.iter().map(Header::from_bytes).collect()
}

/// The easiest target of Bitcoin.
fn limit() -> Target {
    CompactTarget::from_bits(0x1d00_ffff).to_target().expect("Bitcoin's limit is a target")
}

fn later(prev: &str, merkle: &str, time: u32, bits: u32, nonce: u32) -> Header {
    Header {
        version: 1,
        prev_block: prev.parse().expect("a hash"),
        merkle_root: merkle.parse().expect("a hash"),
        time,
        bits: CompactTarget::from_bits(bits),
        nonce,
    }
}

#[test]
fn the_first_1008_are_linked_and_meet_their_targets() {
    let headers = headers();
    assert_eq!(headers.len(), 1008);
    assert_eq!(headers[0].hash().to_string(), "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f");
    assert_eq!(headers[1].hash().to_string(), "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048");
    for (height, header) in headers.iter().enumerate() {
        assert_eq!(check_bits(header, &limit()), Ok(()), "block {height}");
        assert_eq!(check_work(header, &limit()), Ok(()), "block {height}");
        assert_eq!(check_expected_bits(header, CompactTarget::from_bits(0x1d00_ffff)), Ok(()));
    }
    for pair in headers.windows(2) {
        assert_eq!(pair[1].prev_block, pair[0].hash());
    }
}

#[test]
fn their_times_are_after_the_median_of_the_eleven_before() {
    let headers = headers();
    let times: Vec<_> = headers.iter().map(|header| header.time).collect();
    for height in 1..headers.len() {
        let median = median_time_past(&times[height.saturating_sub(MEDIAN_TIME_SPAN)..height]);
        assert_eq!(check_time_after_median(&headers[height], median), Ok(()), "block {height}");
        let too_old = Header { time: median, ..headers[height] };
        assert_eq!(
            check_time_after_median(&too_old, median),
            Err(RuleError::TimeTooOld { time: median, median_time_past: median })
        );
    }
}

#[test]
fn their_work_adds_up() {
    let work: Work =
        headers().iter().filter_map(|header| header.bits.to_target().ok()).map(|target| target.work()).sum();
    // Each counts 2^256 / (0xffff × 2^208 + 1) = 0x100010001 hashes.
    let mut expected = [0; 32];
    expected[24..].copy_from_slice(&(1008 * 0x1_0001_0001u64).to_be_bytes());
    assert_eq!(work, Work::from_be_bytes(expected));
}

#[test]
fn changing_any_byte_of_a_real_header_loses_its_work() {
    let genesis = headers()[0].to_bytes();
    for at in 0..Header::SIZE {
        let mut bytes = genesis;
        bytes[at] ^= 1;
        let verdict =
            check_work(&Header::from_bytes(&bytes), &limit()).expect_err("one hash in four billion would pass");
        let expected = if (72..76).contains(&at) { None } else { Some(RuleId::Hdr01) };
        assert!(expected.is_none_or(|rule| verdict.rule_id() == rule), "byte {at}: {verdict}");
    }
}

#[test]
fn later_headers_meet_harder_targets() {
    let block_100000 = later(
        "000000000002d01c1fccc21636b607dfd930d31d01c3a62104612a1719011250",
        "f3e94742aca4b5ef85488dc37c06c3282295ffec960994b2c0d5ac2a25a95766",
        1_293_623_863,
        0x1b04_864c,
        274_148_111,
    );
    let block_125552 = later(
        "00000000000008a3a41b85b8b29ad444def299fee21793cd8b9e567eab02cd81",
        "2b12fcf1b09288fcaff797d71e950e71ae42b91e8bdb2304758dfcffc2b620e3",
        1_305_998_791,
        0x1a44_b9f2,
        2_504_433_986,
    );
    let hashes = [
        "000000000003ba27aa200b1cecaad478d2b00432346c3f1f3986da1afd33e506",
        "00000000000000001e8d6829a8a21adc5d38d0a473b144b6765798e61f98bd1d",
    ];
    for (header, hash) in [block_100000, block_125552].iter().zip(hashes) {
        assert_eq!(header.hash().to_string(), hash);
        assert_eq!(check_work(header, &limit()), Ok(()));
        assert_eq!(Header::from_bytes(&header.to_bytes()), *header);
        // Tallystick asks for the version bits of BIP 9, which came later.
        assert_eq!(check_version(header), Err(RuleError::BadVersion { version: 1 }));
    }
}
