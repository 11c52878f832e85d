//! Who calls whom.

use std::collections::BTreeSet;

use tally_node_core::random::Random;

/// The shape of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topology {
    /// Each calls the next.
    Line,
    /// A line whose ends are joined.
    Ring,
    /// All call the first.
    Star,
    /// A random tree, and as many more random links.
    Random {
        /// Links beyond those of the tree.
        extra_links: usize,
    },
}

/// A link between two hosts; the first calls the second.
pub type Link = (usize, usize);

impl Topology {
    /// The links between `hosts` hosts. The network is connected, whatever the shape.
    pub fn links(self, hosts: usize, random: &mut Random) -> Vec<Link> {
        let mut links: BTreeSet<Link> = BTreeSet::new();
        for host in 1..hosts {
            let other = match self {
                Topology::Line | Topology::Ring => host - 1,
                Topology::Star => 0,
                Topology::Random { .. } => random.index(host),
            };
            links.insert((host, other));
        }
        match self {
            Topology::Ring if hosts > 2 => {
                links.insert((0, hosts - 1));
            }
            Topology::Random { extra_links } => {
                for _ in 0..extra_links {
                    let (a, b) = (random.index(hosts), random.index(hosts));
                    if a != b && !links.contains(&(b, a)) {
                        links.insert((a, b));
                    }
                }
            }
            _ => {}
        }
        links.into_iter().collect()
    }
}
