//! Virtual time, and what the clocks of hosts make of it.

use tally_primitives::units::Timestamp;

/// Microseconds since the beginning of a world. Finer than a node's clock, so that a message's time on a fast line counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct VirtualTime(u64);

impl VirtualTime {
    /// The beginning.
    pub const ZERO: VirtualTime = VirtualTime(0);

    /// So many microseconds after the beginning.
    #[must_use]
    pub const fn from_micros(micros: u64) -> VirtualTime {
        VirtualTime(micros)
    }

    /// So many milliseconds after the beginning.
    #[must_use]
    pub const fn from_millis(millis: u64) -> VirtualTime {
        VirtualTime(millis.saturating_mul(1_000))
    }

    /// Microseconds since the beginning.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Whole milliseconds since the beginning.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// So many microseconds later.
    #[must_use]
    pub const fn plus_micros(self, micros: u64) -> VirtualTime {
        VirtualTime(self.0.saturating_add(micros))
    }

    /// So many milliseconds later.
    #[must_use]
    pub const fn plus_millis(self, millis: u64) -> VirtualTime {
        self.plus_micros(millis.saturating_mul(1_000))
    }

    /// Microseconds from `earlier` to here; 0 if that is later.
    #[must_use]
    pub const fn micros_since(self, earlier: VirtualTime) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A host's clock: it runs as fast as time, and shows something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostClock {
    start: Timestamp,
    skew_ms: i64,
}

impl HostClock {
    /// A clock that shows `start` at the world's beginning, and is `skew_ms` ahead of that (behind it, if negative).
    #[must_use]
    pub const fn new(start: Timestamp, skew_ms: i64) -> HostClock {
        HostClock { start, skew_ms }
    }

    /// What it shows.
    #[must_use]
    pub fn read(self, now: VirtualTime) -> Timestamp {
        let shown = self.start.as_millis().saturating_add(now.as_millis());
        Timestamp::from_millis(shown.saturating_add_signed(self.skew_ms))
    }

    /// When it will show this time; the beginning for what it has never shown.
    #[must_use]
    pub fn when(self, shown: Timestamp) -> VirtualTime {
        let millis = shown.as_millis().saturating_add_signed(-self.skew_ms);
        VirtualTime::from_millis(millis.saturating_sub(self.start.as_millis()))
    }
}
