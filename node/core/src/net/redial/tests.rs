use super::{ManualPeerError, Redial};
use crate::net::limits::{DIAL_TIMEOUT_MS, MAX_REDIAL_MS, MIN_REDIAL_MS};
use crate::random::Random;
use std::net::SocketAddr;
use tally_primitives::units::Timestamp;

const START: Timestamp = Timestamp::from_seconds(1_000);

fn address() -> SocketAddr {
    "10.0.0.1:9740".parse().unwrap()
}

/// Lets every call fail at once; returns the pauses between calls.
fn pauses(seed: u64, calls: usize) -> Vec<u64> {
    let (mut redial, mut random) = (Redial::default(), Random::new(seed));
    redial.add(address(), START, false).unwrap();
    let mut now = START;
    let mut pauses = Vec::new();
    for _ in 0..calls {
        assert_eq!(redial.due(now, &mut random), [address()]);
        redial.dial_failed(address(), now, &mut random);
        let next = redial.next_timeout().unwrap();
        assert!(redial.due(Timestamp::from_millis(next.as_millis() - 1), &mut random).is_empty());
        pauses.push(next.millis_since(now));
        now = next;
    }
    pauses
}

#[test]
fn pauses_double_up_to_a_minute_with_jitter_from_the_seed() {
    let seen = pauses(1, 12);
    let mut nominal = MIN_REDIAL_MS;
    for pause in &seen {
        assert!((nominal - nominal / 4..=nominal + nominal / 4).contains(pause), "{pause} for {nominal}");
        nominal = (nominal * 2).min(MAX_REDIAL_MS);
    }
    assert_eq!(nominal, MAX_REDIAL_MS);
    assert_eq!(seen, pauses(1, 12));
    assert_ne!(seen, pauses(2, 12));
}

#[test]
fn a_stable_connection_starts_the_pauses_anew_and_a_short_one_does_not() {
    let (mut redial, mut random) = (Redial::default(), Random::new(1));
    redial.add(address(), START, false).unwrap();
    let mut now = START;
    for lasted in [0, 0, 0, 29_000, 31_000] {
        now = redial.next_timeout().unwrap().max(now);
        assert_eq!(redial.due(now, &mut random), [address()]);
        redial.connected(address(), now);
        redial.shook_hands(address());
        assert_eq!(redial.next_timeout(), None);
        now = now.saturating_add_millis(lasted);
        redial.lost(address(), now, &mut random);
        let pause = redial.next_timeout().unwrap().millis_since(now);
        match lasted {
            31_000 => assert!(pause <= MIN_REDIAL_MS * 5 / 4),
            29_000 => assert!(pause >= MIN_REDIAL_MS * 8 * 3 / 4),
            _ => {}
        }
    }
}

#[test]
fn a_call_that_the_driver_forgets_counts_as_failed() {
    let (mut redial, mut random) = (Redial::default(), Random::new(1));
    redial.add(address(), START, false).unwrap();
    assert_eq!(redial.due(START, &mut random), [address()]);
    let timeout = START.saturating_add_millis(DIAL_TIMEOUT_MS);
    assert_eq!(redial.next_timeout(), Some(timeout));
    assert!(redial.due(timeout, &mut random).is_empty());
    assert!(redial.next_timeout() > Some(timeout));
}

#[test]
fn our_own_address_is_refused_once_we_know_it() {
    let mut redial = Redial::default();
    redial.add(address(), START, false).unwrap();
    let already = ManualPeerError::AlreadyAdded { address: address() };
    assert_eq!(redial.add(address(), START, false), Err(already));
    redial.forget_own(address());
    assert_eq!(redial.iter().count(), 0);
    assert_eq!(redial.add(address(), START, false), Err(ManualPeerError::Own { address: address() }));
}
