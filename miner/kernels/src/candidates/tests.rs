use super::{Block, blocks, zero_bits};

#[test]
fn no_hit_lacks_the_zero_bits() {
    for top in [0, 1, 2, 3, 0xff, 0x1234, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        // The hardest of all to keep: the target itself, and a hash just below it.
        for word in [top, top.saturating_sub(1), top / 2] {
            assert_eq!(word.swap_bytes() & zero_bits(top), 0, "{word:#x} is at most {top:#x}");
        }
    }
    assert_eq!(zero_bits(0), u32::MAX);
    assert_eq!(zero_bits(u32::MAX), 0);
    assert_eq!(zero_bits(0x0001_0000), 0x0000_feff_u32);
}

#[test]
fn blocks_cover_a_range_and_end_with_it() {
    let places = |range, size| -> Vec<(u32, u32)> { blocks(range, size).map(|it| (it.first, it.count)).collect() };
    assert_eq!(places(5..=5, 16), [(5, 1)]);
    assert_eq!(places(0..=32, 16), [(0, 16), (16, 16), (32, 1)]);
    assert_eq!(places(u32::MAX - 9..=u32::MAX, 8), [(u32::MAX - 9, 8), (u32::MAX - 1, 2)]);
    assert_eq!(blocks(0..=u32::MAX, 1 << 24).map(|block| u64::from(block.count)).sum::<u64>(), 1 << 32);
    assert_eq!(Block { first: u32::MAX, count: 1 }.nonce(3), 2, "beyond the end any nonce will do");
}
