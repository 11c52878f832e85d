//! A network that falls apart.

/// How a partition shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionKind {
    /// Connections break.
    Break,
    /// Packets are stopped, and go on when it heals (if the connection lives on).
    Stall,
}

/// A network in two parts.
#[derive(Clone, Debug)]
pub struct Partition {
    /// Who is in the second part.
    pub second_part: Vec<usize>,
    /// How it shows.
    pub kind: PartitionKind,
}

impl Partition {
    /// Whether it lies between two hosts.
    #[must_use]
    pub fn separates(&self, a: usize, b: usize) -> bool {
        self.second_part.contains(&a) != self.second_part.contains(&b)
    }
}
