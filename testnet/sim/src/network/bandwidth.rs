//! How fast a host's line is, and what waits in front of it.
//!
//! Each host has one line up and one down. Long messages queue for them, one after the other, in the order in which they are sent. A message
//! that fits into a packet slips in between (lines interleave packets of different connections), so it takes only its own time.
//! Up and down overlap: the receiver's line is busy while the sender's still is.

use crate::clock::VirtualTime;

/// Bytes of a message that fit into one packet: Ethernet's 1,500 less the headers of IP and TCP with time stamps.
pub const SEGMENT_BYTES: usize = 1_448;

const MICROS_PER_SECOND: u64 = 1_000_000;

/// A host's line, in bits a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bandwidth {
    /// What it can send.
    pub up_bits: u64,
    /// What it can receive.
    pub down_bits: u64,
}

/// A line, and until when it is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    bandwidth: Bandwidth,
    up_free: VirtualTime,
    down_free: VirtualTime,
}

impl Line {
    pub fn new(bandwidth: Bandwidth) -> Line {
        Line { bandwidth, up_free: VirtualTime::ZERO, down_free: VirtualTime::ZERO }
    }

    /// When the last bit of a message has left, if it is sent now.
    pub fn send(&mut self, now: VirtualTime, bytes: usize) -> VirtualTime {
        let takes = micros(bytes, self.bandwidth.up_bits);
        occupy(&mut self.up_free, now, takes, bytes)
    }

    /// When the last bit of a message is in, if the first comes at `first` and the last not before `last`.
    pub fn receive(&mut self, first: VirtualTime, last: VirtualTime, bytes: usize) -> VirtualTime {
        let takes = micros(bytes, self.bandwidth.down_bits);
        occupy(&mut self.down_free, first, takes, bytes).max(last)
    }
}

/// Takes a line from `from` on, behind what waits; short messages do not wait and keep nobody waiting.
fn occupy(free: &mut VirtualTime, from: VirtualTime, takes: u64, bytes: usize) -> VirtualTime {
    if bytes <= SEGMENT_BYTES {
        return from.plus_micros(takes);
    }
    *free = from.max(*free).plus_micros(takes);
    *free
}

fn micros(bytes: usize, bits_per_second: u64) -> u64 {
    (bytes as u64).saturating_mul(8 * MICROS_PER_SECOND) / bits_per_second.max(1)
}
