//! Peers' clocks. Ours decides; if those of the peers that we chose agree on something else, people are told and nothing more: a node that set its clock by its
//! peers could be moved by them.

use std::collections::VecDeque;

use crate::net::limits::{MAX_CLOCK_OFFSET_MS, MAX_CLOCK_SAMPLES, MIN_CLOCK_SAMPLES};
use crate::node::Node;

/// The last outbound peers' clocks less ours, in milliseconds.
#[derive(Debug, Default)]
pub(crate) struct ClockSkew {
    samples: VecDeque<i64>,
}

impl ClockSkew {
    pub fn add(&mut self, offset_millis: i64) {
        if self.samples.len() >= MAX_CLOCK_SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back(offset_millis);
    }

    fn median(&self) -> Option<i64> {
        if self.samples.len() < MIN_CLOCK_SAMPLES {
            return None;
        }
        let mut sorted: Vec<i64> = self.samples.iter().copied().collect();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

impl Node {
    /// How far ahead of ours the clocks of the peers that we called are, in milliseconds, if that is so far that somebody should look at this machine's
    /// clock.
    pub fn clock_warning(&self) -> Option<i64> {
        self.net.clock_skew.median().filter(|median| median.saturating_abs() > MAX_CLOCK_OFFSET_MS)
    }
}

#[cfg(test)]
mod tests;
