use super::{Link, degrees, links};

/// Steps from a node to the farthest one; `None` if one cannot be reached.
fn eccentricity(count: usize, start: usize, links: &[Link]) -> Option<usize> {
    let mut distance = vec![None; count];
    distance[start] = Some(0);
    for step in 0..count {
        for link in links {
            for (a, b) in [(link.from, link.to), (link.to, link.from)] {
                if distance[a] == Some(step) && distance[b].is_none() {
                    distance[b] = Some(step + 1);
                }
            }
        }
    }
    distance.into_iter().collect::<Option<Vec<_>>>()?.into_iter().max()
}

#[test]
fn connected_at_every_size() {
    for count in 1..=30 {
        let links = links(count);
        for start in 0..count {
            let farthest = eccentricity(count, start, &links).expect("connected");
            assert!(farthest <= 8, "{count} nodes: {farthest} steps from {start}");
        }
    }
}

#[test]
fn one_broken_link_splits_nothing() {
    for count in 3..=30 {
        let all = links(count);
        for broken in &all {
            let left: Vec<Link> = all.iter().copied().filter(|link| link != broken).collect();
            assert!(eccentricity(count, 0, &left).is_some(), "{count} nodes without {broken:?}");
        }
    }
}

#[test]
fn not_complete_and_each_link_once() {
    for count in 4..=30 {
        let links = links(count);
        assert!(links.len() < count * (count - 1) / 2, "{count} nodes");
        assert!(links.iter().all(|link| link.from > link.to && link.from < count));
        assert!(links.windows(2).all(|pair| pair[0] < pair[1]));
    }
}

#[test]
fn the_usual_four() {
    let pairs: Vec<_> = links(4).into_iter().map(|link| (link.from, link.to)).collect();
    assert_eq!(pairs, [(1, 0), (2, 0), (2, 1), (3, 0), (3, 2)]);
    assert_eq!(degrees(4), [3, 2, 3, 2]);
    assert_eq!(degrees(1), [0]);
    assert_eq!(degrees(2), [1, 1]);
    assert_eq!(degrees(3), [2, 2, 2]);
}
