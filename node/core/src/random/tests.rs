use super::{Random, natural_log};

#[test]
fn the_published_numbers_of_splitmix64() {
    let mut random = Random::new(1_234_567);
    let numbers: Vec<u64> = (0..5).map(|_| random.next_u64()).collect();
    let published = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ];
    assert_eq!(numbers, published);
}

#[test]
fn bounds_hold_and_both_ends_occur() {
    let mut random = Random::new(1);
    let drawn: Vec<u64> = (0..1_000).map(|_| random.between(3, 7)).collect();
    assert!(drawn.iter().all(|n| (3..=7).contains(n)));
    assert!(drawn.contains(&3) && drawn.contains(&7));
    assert_eq!(random.below(0), 0);
    assert_eq!(random.index(0), 0);
}

#[test]
fn exponential_delays_have_their_mean() {
    let mut random = Random::new(2);
    let sum: u64 = (0..20_000).map(|_| random.exponential(1_000)).sum();
    let mean = sum / 20_000;
    assert!((970..1_030).contains(&mean), "{mean}");
}

#[test]
fn the_logarithm_is_one() {
    for x in [1e-16, 1e-9, 0.1, 0.5, 0.74, 0.76, 1.0, 1.6, 3.0, 1e9] {
        assert!((natural_log(x) - x.ln()).abs() < 1e-12 * x.ln().abs().max(1.0), "{x}");
    }
}
