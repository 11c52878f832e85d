use super::{GOOD_SERVICE, PAUSE_FIRST, PAUSE_MAX, Rotation};
use std::time::Duration;

#[test]
fn the_next_server_comes_at_once_and_a_pause_after_the_last() {
    let mut rotation = Rotation::new(3, 7);
    assert_eq!(rotation.current(), 0);
    assert_eq!((rotation.failed(Duration::ZERO), rotation.current()), (Duration::ZERO, 1));
    assert_eq!((rotation.failed(Duration::ZERO), rotation.current()), (Duration::ZERO, 2));
    assert!(rotation.failed(Duration::ZERO) >= PAUSE_FIRST / 2);
    assert_eq!(rotation.current(), 0);
}

#[test]
fn pauses_double_within_bounds() {
    for seed in 0..100 {
        let mut rotation = Rotation::new(1, seed);
        let mut longest = PAUSE_FIRST;
        for _ in 0..20 {
            let pause = rotation.failed(Duration::ZERO);
            assert!(longest / 2 <= pause && pause <= longest, "seed {seed}: {pause:?} of {longest:?}");
            longest = (longest * 2).min(PAUSE_MAX);
        }
    }
}

#[test]
fn good_service_starts_the_pauses_anew() {
    let mut rotation = Rotation::new(1, 7);
    for _ in 0..10 {
        rotation.failed(GOOD_SERVICE - Duration::from_millis(1));
    }
    assert!(rotation.failed(Duration::ZERO) >= PAUSE_MAX / 2);
    assert!(rotation.failed(GOOD_SERVICE) <= PAUSE_FIRST);
}

#[test]
fn the_seed_decides() {
    let pauses = |seed| {
        let mut rotation = Rotation::new(1, seed);
        (0..5).map(|_| rotation.failed(Duration::ZERO)).collect::<Vec<_>>()
    };
    assert_eq!(pauses(1), pauses(1));
    assert_ne!(pauses(1), pauses(2));
}
