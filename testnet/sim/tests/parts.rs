//! The parts of a world by themselves.

use std::collections::BTreeSet;

use tally_node_core::random::Random;
use tally_primitives::units::Timestamp;
use tally_sim::log::EventLog;
use tally_sim::network::Partition;
use tally_sim::network::{Delays, PartitionKind};
use tally_sim::queue::EventQueue;
use tally_sim::topology::Topology;

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
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
        let mut log = EventLog::new(at(0), traced);
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
fn delays_and_partitions_are_the_same_in_both_directions() {
    let delays = Delays::random(&[(3, 1)], 5, 50, &mut Random::new(9));
    assert_eq!(delays.between(1, 3), delays.between(3, 1));
    assert!((5..=50).contains(&delays.between(1, 3)));
    let partition = Partition { second_part: vec![1], kind: PartitionKind::Break };
    assert!(partition.separates(0, 1) && partition.separates(1, 2) && !partition.separates(0, 2));
}
