use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use tally_primitives::units::Timestamp;

use super::{Gate, TurnedAway};
use crate::mining::stratum::error::DisconnectReason;
use crate::mining::stratum::limits::{MAX_CONNECTIONS, MAX_CONNECTIONS_PER_ADDRESS, MAX_REFUSED_ADDRESSES, REFUSAL_MS};

const NOW: Timestamp = Timestamp::from_seconds(1_000);

fn host(number: usize) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + u32::try_from(number).unwrap()))
}

#[test]
fn so_many_in_all_and_each_with_an_extranonce_of_its_own() {
    let mut gate = Gate::new(1);
    let seats: Vec<_> = (0..MAX_CONNECTIONS).map(|number| gate.admit(NOW, host(number)).unwrap()).collect();
    let distinct: BTreeSet<_> = seats.iter().map(|seat| seat.extranonce1).collect();
    assert_eq!(distinct.len(), MAX_CONNECTIONS);
    assert_eq!(gate.admit(NOW, host(9_999)), Err(TurnedAway::Full));
    gate.leave(NOW, host(3), &seats[3], DisconnectReason::Gone);
    assert!(gate.admit(NOW, host(9_999)).is_ok());
    assert_ne!(Gate::new(2).admit(NOW, host(0)).unwrap().tag, seats[0].tag);
}

#[test]
fn so_many_from_one_place() {
    let addresses: [&dyn Fn(usize) -> IpAddr; 3] =
        [&|_| host(7), &|number| format!("2001:db8:0:1:{number:x}::1").parse().unwrap(), &|number| {
            if number % 2 == 0 { host(7) } else { "::ffff:10.0.0.7".parse().unwrap() }
        }];
    for address in addresses {
        let mut gate = Gate::new(1);
        let seats: Vec<_> =
            (0..MAX_CONNECTIONS_PER_ADDRESS).map(|number| gate.admit(NOW, address(number)).unwrap()).collect();
        assert_eq!(gate.admit(NOW, address(1_000)), Err(TurnedAway::FullForAddress));
        assert!(gate.admit(NOW, "2001:db8:0:2::1".parse().unwrap()).is_ok(), "others are let in");
        gate.leave(NOW, address(0), &seats[0], DisconnectReason::Idle);
        assert!(gate.admit(NOW, address(1_000)).is_ok());
    }
}

#[test]
fn a_nuisance_is_refused_for_a_while() {
    let mut gate = Gate::new(1);
    let seat = gate.admit(NOW, host(1)).unwrap();
    gate.leave(NOW, host(1), &seat, DisconnectReason::TooManyBad);
    let later = |millis| NOW.saturating_add_millis(millis);
    assert_eq!(gate.admit(NOW, host(1)), Err(TurnedAway::Refused));
    assert_eq!(gate.admit(later(REFUSAL_MS - 1), host(1)), Err(TurnedAway::Refused));
    assert!(gate.admit(later(1), host(2)).is_ok());
    assert!(gate.admit(later(REFUSAL_MS), host(1)).is_ok());
}

#[test]
fn memory_is_bounded() {
    let mut gate = Gate::new(1);
    for number in 0..3 * MAX_REFUSED_ADDRESSES {
        let now = NOW.saturating_add_millis(number as u64);
        let seat = gate.admit(now, host(number)).unwrap();
        gate.leave(now, host(number), &seat, DisconnectReason::LineTooLong);
    }
    assert_eq!(gate.refused.len(), MAX_REFUSED_ADDRESSES);
    assert!(gate.by_address.is_empty() && gate.taken.is_empty());
    // The latest is refused, the first forgiven.
    assert!(gate.admit(NOW, host(3 * MAX_REFUSED_ADDRESSES - 1)).is_err());
    assert!(gate.admit(NOW, host(0)).is_ok());
}
