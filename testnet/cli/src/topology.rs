//! Who is linked to whom: a ring with chords. Connected, so that everything reaches everybody; not complete, so that it
//! has to be passed on; and one link may break without splitting the network.

/// A link: `from` dials `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// Who dials.
    pub from: usize,
    /// Who is dialled.
    pub to: usize,
}

/// Links of a network with `count` nodes.
pub fn links(count: usize) -> Vec<Link> {
    let mut links = Vec::new();
    // Who comes later dials who came before, so that nobody dials a node that is not started yet.
    let mut join = |a: usize, b: usize| {
        let link = Link { from: a.max(b), to: a.min(b) };
        if a != b && !links.contains(&link) {
            links.push(link);
        }
    };
    for node in 0..count {
        join(node, (node + 1) % count);
    }
    // A chord from every third node to the one opposite: with 30 nodes nothing takes more than 8 steps.
    if count >= 4 {
        for node in (0..count / 2).step_by(3) {
            join(node, node + count / 2);
        }
    }
    links.sort_unstable();
    links
}

/// How many links each node has.
pub fn degrees(count: usize) -> Vec<usize> {
    let mut degrees = vec![0; count];
    for link in links(count) {
        degrees[link.from] += 1;
        degrees[link.to] += 1;
    }
    degrees
}

#[cfg(test)]
mod tests;
