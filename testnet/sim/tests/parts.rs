//! The parts of a world by themselves.

use std::collections::BTreeSet;

use tally_node_core::random::Random;
use tally_primitives::units::Timestamp;
use tally_sim::clock::{HostClock, VirtualTime};
use tally_sim::host::{address_of, host_at};
use tally_sim::log::EventLog;
use tally_sim::network::Latency;
use tally_sim::network::partition::{Partition, PartitionKind};
use tally_sim::queue::EventQueue;
use tally_sim::topology::Topology;

fn at(millis: u64) -> VirtualTime {
    VirtualTime::from_millis(millis)
}

#[test]
fn events_come_by_time_and_then_in_the_order_of_scheduling() {
    let mut queue = EventQueue::default();
    for (millis, name) in [(5, "d"), (1, "a"), (3, "b"), (3, "c"), (9, "e")] {
        queue.push(at(millis), name);
    }
    let early: Vec<&str> = std::iter::from_fn(|| queue.pop_until(at(5))).map(|(_, name)| name).collect();
    assert_eq!(early, ["a", "b", "c", "d"]);
    assert_eq!(queue.pop_until(at(100)), Some((at(9), "e")));
    assert_eq!(queue.pop_until(at(100)), None);
}

#[test]
fn the_queue_agrees_with_a_sorted_list() {
    // Times from microseconds to days apart, pushed while others are taken, as in a world.
    for seed in 0..50 {
        let mut random = Random::new(seed);
        let mut queue = EventQueue::default();
        let mut expected: Vec<(u64, u64)> = Vec::new();
        let (mut now, mut next) = (0, 0);
        for _ in 0..200 {
            for _ in 0..random.below(20) {
                let digits = random.below(40);
                let delay = random.below(1 << digits);
                queue.push(VirtualTime::from_micros(now + delay), next);
                expected.push((now + delay, next));
                next += 1;
            }
            let digits = random.below(36);
            now += random.below(1 << digits);
            // By time, and in the order of scheduling, which is that of the numbers.
            expected.sort_unstable();
            let due = expected.iter().take_while(|(at, _)| *at <= now).count();
            let end = VirtualTime::from_micros(now);
            let taken: Vec<(u64, u64)> =
                std::iter::from_fn(|| queue.pop_until(end)).map(|(at, number)| (at.as_micros(), number)).collect();
            assert_eq!(taken, expected.drain(..due).collect::<Vec<_>>(), "seed {seed}");
            assert_eq!(queue.len(), expected.len());
        }
    }
}

#[test]
fn a_wrong_clock_shows_other_times_at_the_same_moments() {
    let start = Timestamp::from_seconds(1_000_000);
    for skew_ms in [0, 5_000, -5_000] {
        let clock = HostClock::new(start, skew_ms);
        for millis in [0, 1, 7_000] {
            let shown = clock.read(at(millis));
            let expected = 1_000_000_000 + i64::try_from(millis).expect("small") + skew_ms;
            assert_eq!(i64::try_from(shown.as_millis()), Ok(expected));
            assert_eq!(clock.when(shown), at(millis));
        }
    }
    assert_eq!(HostClock::new(start, 5_000).when(start), at(0), "it showed that before the world began");
}

#[test]
fn every_host_has_an_address_and_a_network_of_its_own() {
    const HOSTS: usize = 40_000;
    let networks: BTreeSet<String> = (0..HOSTS)
        .map(|host| {
            let address = address_of(host);
            assert_eq!(host_at(address, HOSTS), Some(host), "{address}");
            assert!(!address.ip().is_loopback(), "host {host} at {address}");
            address.ip().to_string().split('.').take(2).collect::<Vec<_>>().join(".")
        })
        .collect();
    assert_eq!(networks.len(), HOSTS);
    assert_eq!(host_at(address_of(7), 7), None);
    assert_eq!(host_at("[::1]:9740".parse().expect("an address"), 7), None);
}

#[test]
fn every_topology_is_connected_and_calls_each_pair_once() {
    let shapes = [Topology::Line, Topology::Ring, Topology::Star, Topology::Random { extra_links: 5 }];
    for (shape, hosts) in shapes.into_iter().flat_map(|shape| (1..9).map(move |hosts| (shape, hosts))) {
        for seed in 0..20 {
            let links = shape.links(hosts, &mut Random::new(seed));
            let pairs: BTreeSet<(usize, usize)> = links.iter().map(|(a, b)| (*a.min(b), *a.max(b))).collect();
            assert_eq!(pairs.len(), links.len(), "{shape:?} of {hosts}, seed {seed}: {links:?}");
            let mut reached = BTreeSet::from([0]);
            for _ in 0..hosts {
                let next = links.iter().filter(|(a, b)| reached.contains(a) || reached.contains(b));
                let next: Vec<usize> = next.flat_map(|(a, b)| [*a, *b]).collect();
                reached.extend(next);
            }
            assert_eq!(reached.len(), hosts, "{shape:?} of {hosts}, seed {seed}: {links:?}");
        }
    }
}

type Note = (u64, usize, &'static str, &'static [u8]);

#[test]
fn the_hash_tells_any_difference_and_the_trace_changes_nothing() {
    let hash = |notes: &[Note], traced: bool| {
        let mut log = EventLog::new(traced);
        for (millis, host, what, detail) in notes {
            log.note(at(*millis), *host, what, detail);
            log.trace(at(*millis), *host, || (*what).to_owned());
        }
        (log.hash(), log.lines().len())
    };
    let story: [Note; 2] = [(1, 0, "mine", b"x"), (2, 1, "tick", b"")];
    let (first, lines) = hash(&story, false);
    assert_eq!(lines, 0);
    assert_eq!(hash(&story, true), (first, 2));
    let others: [[Note; 2]; 5] = [
        [(1, 0, "mine", b"y"), (2, 1, "tick", b"")],
        [(1, 0, "mine", b"x"), (3, 1, "tick", b"")],
        [(1, 0, "mine", b"x"), (2, 2, "tick", b"")],
        [(1, 0, "min", b"ex"), (2, 1, "tick", b"")],
        [(2, 1, "tick", b""), (1, 0, "mine", b"x")],
    ];
    for other in others {
        assert_ne!(hash(&other, false).0, first, "{other:?}");
    }
}

#[test]
fn latencies_and_partitions_are_the_same_in_both_directions() {
    let latency = Latency::random(&[(3, 1)], 5, 50, &mut Random::new(9));
    assert_eq!(latency.between(1, 3), latency.between(3, 1));
    assert!((5..=50).contains(&latency.between(1, 3)));
    let partition = Partition { second_part: vec![1], kind: PartitionKind::Break };
    assert!(partition.separates(0, 1) && partition.separates(1, 2) && !partition.separates(0, 2));
}
