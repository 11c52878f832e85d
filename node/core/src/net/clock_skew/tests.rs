//! The middle of what peers say.

use super::ClockSkew;

#[test]
fn the_median_of_enough_peers_counts() {
    let mut skew = ClockSkew::default();
    for offset in [1_000, 900_000, -5_000, 1_200_000] {
        skew.add(offset);
        assert_eq!(skew.median(), None);
    }
    skew.add(i64::MIN);
    assert_eq!(skew.median(), Some(1_000));
    for _ in 0..1_000 {
        skew.add(700_000);
    }
    assert_eq!((skew.samples.len(), skew.median()), (50, Some(700_000)));
}
