use super::search;

#[test]
fn finds_the_exact_match_and_prefers_it_to_a_near_one() {
    assert_eq!(search(&[10, 7, 5, 3, 1], 8, 5), Some(vec![1, 4]));
    assert_eq!(search(&[10, 7, 5, 3, 1], 26, 0), Some(vec![0, 1, 2, 3, 4]));
}

#[test]
fn gives_up_where_nothing_fits() {
    assert_eq!(search(&[10, 10, 10], 5, 4), None);
    assert_eq!(search(&[10, 10, 10], 31, 100), None);
    assert_eq!(search(&[], 1, 1), None);
}

#[test]
fn many_equal_coins_do_not_explode() {
    // 60 equal coins have 2^60 subsets; without the rule for twins no visit limit would reach the answer.
    let worths = [100_u128; 60];
    assert_eq!(search(&worths, 2_950, 60).map(|chosen| chosen.len()), Some(30));
    assert_eq!(search(&worths, 2_950, 40), None);
}

/// The closest sum by trying every subset.
fn best(worths: &[u128], wanted: u128, tolerance: u128) -> Option<Vec<usize>> {
    let subsets = (0..1_u32 << worths.len())
        .map(|bits| -> Vec<usize> { (0..worths.len()).filter(|place| bits >> place & 1 == 1).collect() });
    let sum = |chosen: &[usize]| chosen.iter().map(|place| worths[*place]).sum::<u128>();
    subsets.filter(|chosen| (wanted..=wanted + tolerance).contains(&sum(chosen))).min_by_key(|chosen| sum(chosen))
}

#[test]
fn agrees_with_trying_everything() {
    // A fixed linear congruential generator: the same cases each time.
    let mut seed = 7_u64;
    let mut next = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u128::from((seed >> 33) % below)
    };
    for _ in 0..300 {
        let count = next(11) as usize;
        let mut worths: Vec<u128> = (0..count).map(|_| 1 + next(50)).collect();
        worths.sort_unstable_by(|a, b| b.cmp(a));
        let (wanted, tolerance) = (1 + next(150), next(6));
        let sum = |chosen: Vec<usize>| chosen.iter().map(|place| worths[*place]).sum::<u128>();
        let found = search(&worths, wanted, tolerance).map(sum);
        assert_eq!(found, best(&worths, wanted, tolerance).map(sum), "{worths:?} {wanted} {tolerance}");
    }
}
