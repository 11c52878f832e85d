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

/// How many of a hundred times hundred nodes call at most 1, 2, 3 … others: Bitcoin's in 2015 (A. Miller and others, "Discovering Bitcoin's Public
/// Topology and Influential Nodes"), as SimBlock has it.
const OUT_DEGREES: [u64; 20] = [
    250, 500, 750, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 8_500, 9_000, 9_500, 9_700, 9_700, 9_800,
    9_900, 9_950, 10_000,
];

/// How many others a node calls, by chance.
pub fn out_degree(random: &mut Random) -> usize {
    let number = random.below(10_000);
    OUT_DEGREES.iter().take_while(|most| **most <= number).count() + 1
}
