use super::{Luck, Temperature, chance, temperature};
use std::time::Duration;

#[test]
fn the_chance_of_a_hash_is_the_share_of_the_targets_it_meets() {
    let mut target = [0xff; 32];
    assert!((chance(&target) - 1.0).abs() < 1e-12);
    target[0] = 0x7f;
    assert!((chance(&target) - 0.5).abs() < 1e-12);
    // Bitcoin's difficulty 1: 2^32 hashes and a little more.
    let mut target = [0; 32];
    (target[4], target[5]) = (0xff, 0xff);
    assert!((1.0 / chance(&target) / 2.0_f64.powi(32) - 65536.0 / 65535.0).abs() < 1e-9);
    assert!((chance(&[0; 32]) * 2.0_f64.powi(256) - 1.0).abs() < 1e-12);
}

#[test]
fn hashes_count_against_the_target_of_their_time() {
    let (mut half, mut all) = ([0xff; 32], [0xff; 32]);
    (half[0], all[0]) = (0x7f, 0xff);
    let mut luck = Luck::default();
    luck.set_target(&half, 0);
    luck.set_target(&all, 100);
    assert!((luck.expected(150) - 100.0).abs() < 1e-9);
    assert!((luck.expected(150) - 100.0).abs() < 1e-9, "nothing is counted twice");
}

#[test]
fn asked_only_once_the_rate_is_that_since_the_start() {
    assert_eq!(Luck::default().rate(3000, Duration::from_secs(6)), 500.0);
}

#[test]
fn the_rate_is_that_of_the_last_ten_seconds() {
    let mut luck = Luck::default();
    assert_eq!(luck.rate(0, Duration::ZERO), 0.0);
    for second in 1..=20 {
        assert!((luck.rate(second * 1000, Duration::from_secs(second)) - 1000.0).abs() < 1e-9, "second {second}");
    }
    // The miner stops hashing: after ten more seconds nothing of the old rate is left.
    let rates: Vec<f64> = (21..=31).map(|second| luck.rate(20_000, Duration::from_secs(second))).collect();
    assert!(rates.windows(2).all(|pair| pair[1] < pair[0] || pair[1] == 0.0), "{rates:?}");
    assert_eq!(rates.last(), Some(&0.0));
}

#[test]
fn the_temperature_is_in_standard_deviations() {
    let of = |found| temperature(found, 100.0);
    let expected = [
        (80, Temperature::Cold),
        (81, Temperature::Cool),
        (90, Temperature::Cool),
        (91, Temperature::Mild),
        (109, Temperature::Mild),
        (110, Temperature::Warm),
        (119, Temperature::Warm),
        (120, Temperature::Hot),
    ];
    for (found, temperature) in expected {
        assert_eq!(of(found), Some(temperature), "{found} of 100");
    }
    assert_eq!(temperature(9, 4.9), None, "too early");
    assert_eq!(temperature(0, 5.0).map(|it| it.to_string()).as_deref(), Some("cold"));
}
