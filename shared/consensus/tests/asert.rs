//! The difficulty rule against the published vectors of aserti3-2d, and against vectors for our own limits and
//! half-lives.

use tally_consensus::difficulty::{asert, next_bits};
use tally_primitives::params::Params;
use tally_primitives::pow::CompactTarget;
use tally_primitives::units::Height;

/// A vector file: the anchor, the schedule, and a list of (height, time, expected bits).
struct Vectors {
    anchor_height: u64,
    anchor_parent_time: i64,
    anchor_bits: CompactTarget,
    spacing: u32,
    half_life: u32,
    limit: CompactTarget,
    rows: Vec<(u64, i64, CompactTarget)>,
}

fn bits(text: &str) -> CompactTarget {
    let digits = text.trim().trim_start_matches("0x");
    CompactTarget::from_bits(u32::from_str_radix(digits, 16).expect("bits are hexadecimal"))
}

fn parse(text: &str) -> Vectors {
    let fact = |name: &str| {
        let lines = text.lines().filter_map(|line| line.strip_prefix("##")?.split_once(':'));
        lines.clone().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
    };
    let number = |name: &str| fact(name).map(|value| value.parse::<u64>().expect("a fact is a number"));
    let rows = text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()).map(|line| {
        let columns: Vec<_> = line.split_whitespace().collect();
        (columns[1].parse().expect("a height"), columns[2].parse().expect("a time"), bits(columns[3]))
    });
    let seconds = |value: u64| u32::try_from(value).expect("spacing and half-life are short");
    Vectors {
        anchor_height: number("anchor height").expect("every file has an anchor"),
        anchor_parent_time: number("anchor ancestor time").and_then(|time| i64::try_from(time).ok()).expect("a time"),
        anchor_bits: bits(&fact("anchor nBits").expect("every file has an anchor")),
        // Where a file does not say, it is a published one: Bitcoin Cash's schedule.
        spacing: seconds(number("spacing").unwrap_or(600)),
        half_life: seconds(number("half-life").unwrap_or(172_800)),
        limit: fact("limit nBits").map_or(CompactTarget::from_bits(0x1d00_ffff), |value| bits(&value)),
        rows: rows.collect(),
    }
}

fn reproduce(name: &str, text: &str, expected_rows: usize) {
    let vectors = parse(text);
    let target = |bits: CompactTarget| bits.to_target().expect("anchors and limits are targets");
    assert_eq!(vectors.rows.len(), expected_rows, "{name}");
    for (height, time, expected) in vectors.rows {
        let computed = asert(
            target(vectors.anchor_bits),
            vectors.spacing,
            vectors.half_life,
            time - vectors.anchor_parent_time,
            i64::try_from(height - vectors.anchor_height).expect("differences are small"),
            target(vectors.limit),
        );
        assert_eq!(computed, expected, "{name}: height {height}, time {time}");
    }
}

#[test]
fn the_published_vectors_are_reproduced() {
    reproduce("run01", include_str!("vectors/asert/run01"), 10);
    reproduce("run02", include_str!("vectors/asert/run02"), 10);
    reproduce("run05", include_str!("vectors/asert/run05"), 225);
    reproduce("run09", include_str!("vectors/asert/run09"), 10);
    reproduce("run10", include_str!("vectors/asert/run10"), 10);
}

#[test]
fn the_vectors_for_our_networks_are_reproduced() {
    reproduce("mainnet, limit", include_str!("vectors/asert/tallystick-mainnet-limit"), 200);
    reproduce("mainnet, hard", include_str!("vectors/asert/tallystick-mainnet-hard"), 200);
    reproduce("testnet, limit", include_str!("vectors/asert/tallystick-testnet-limit"), 200);
    reproduce("testnet, hard", include_str!("vectors/asert/tallystick-testnet-hard"), 200);
    reproduce("easiest, limit", include_str!("vectors/asert/tallystick-easiest-limit"), 200);
    reproduce("easiest, hard", include_str!("vectors/asert/tallystick-easiest-hard"), 200);
}

/// aserti3-2d with an anchor and limit at our easiest target, one half-life a minute and blocks each second.
fn easiest(time_difference: i64, height_difference: i64) -> CompactTarget {
    let limit = CompactTarget::from_bits(0x207f_ffff);
    let target = limit.to_target().expect("a target");
    asert(target, 1, 60, time_difference, height_difference, target)
}

#[test]
fn extremes_clamp_instead_of_overflowing() {
    let limit = CompactTarget::from_bits(0x207f_ffff);
    let one = CompactTarget::from_bits(0x0101_0000);
    assert_eq!(easiest(1, 0), limit, "on schedule");
    for half_lives in 1..1_000 {
        assert_eq!(easiest(1 + 60 * half_lives, 0), limit, "{half_lives} half-lives late");
    }
    assert_eq!(easiest(i64::MAX, 0), limit);
    assert_eq!(easiest(i64::MAX, i64::MIN), limit);
    assert_eq!(easiest(1 - 60, 0), CompactTarget::from_bits(0x203f_ffff), "one half-life early");
    assert_eq!(easiest(1 - 60 * 254, 0), one);
    assert_eq!(easiest(1 - 60 * 300, 0), one);
    assert_eq!(easiest(i64::MIN, 0), one);
    assert_eq!(easiest(i64::MIN, i64::MAX), one);
    assert_eq!(easiest(0, i64::MAX), one);
}

#[test]
fn a_half_life_of_zero_gives_the_limit() {
    let target = CompactTarget::from_bits(0x1d00_ffff).to_target().expect("a target");
    assert_eq!(asert(target, 600, 0, 5, 5, target), target.to_compact());
}

#[test]
fn a_target_falls_by_half_with_every_half_life_of_lead() {
    let anchor = CompactTarget::from_bits(0x1d00_ffff).to_target().expect("a target");
    for halvings in 0..100u32 {
        let lead = i64::from(halvings) * 172_800;
        let expected = tally_primitives::pow::Target::from_u256(anchor.to_u256() >> halvings).to_compact();
        assert_eq!(asert(anchor, 600, 172_800, 600 - lead, 0, anchor), expected, "{halvings} half-lives");
    }
}

const START: u32 = 1_800_000_000;

#[test]
fn the_first_block_has_the_networks_limit_however_old_its_genesis_is() {
    for params in [Params::mainnet(), Params::testnet()] {
        assert_eq!(next_bits(&params, Height::GENESIS, 0, None), params.limit);
        assert_eq!(next_bits(&params, Height::new(1), params.genesis_time, None), params.limit);
        // Its own time is the anchor's; it has no influence on its own target.
        assert_eq!(next_bits(&params, Height::new(1), params.genesis_time, Some(START)), params.limit);
    }
}

#[test]
fn blocks_on_schedule_keep_the_limit_and_early_ones_make_it_harder() {
    let params = Params::mainnet();
    for blocks in [0, 1, 2, 10, 1_000, 1_000_000] {
        let height = Height::new(2 + blocks);
        assert_eq!(next_bits(&params, height, START + 60 * blocks, Some(START)), params.limit, "block {height}");
    }
    // 120 blocks are one half-life of two hours: without any time passing, the target is half the limit.
    let halved = next_bits(&params, Height::new(2 + 120), START, Some(START));
    assert_eq!(halved, CompactTarget::from_bits(0x1d7f_ff80));
    // Catching up with the schedule brings it back.
    assert_eq!(next_bits(&params, Height::new(2 + 240), START + 240 * 60, Some(START)), params.limit);
}

#[test]
fn a_parent_before_the_anchor_is_no_obstacle() {
    // The median rule lets a block be older than block 1.
    let params = Params::mainnet();
    let bits = next_bits(&params, Height::new(3), START - 3_600, Some(START));
    assert!(bits.to_target().expect("a target") < params.target_limit());
    assert_eq!(next_bits(&params, Height::new(3), 0, Some(u32::MAX)), CompactTarget::from_bits(0x0101_0000));
    assert_eq!(next_bits(&params, Height::new(3), u32::MAX, Some(0)), params.limit);
}

#[test]
fn a_network_without_a_half_life_always_has_its_limit() {
    let params = Params::devnet();
    for height in [0, 1, 2, 1_000_000] {
        assert_eq!(next_bits(&params, Height::new(height), START, Some(START)), params.limit);
    }
}
