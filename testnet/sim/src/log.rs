//! The hash over everything that happened, and a trace for people.

use std::fmt;

use tally_primitives::hash::sha256;

use crate::clock::VirtualTime;

/// Bytes gathered before they are hashed: hashing each event by itself would cost more than the event.
const CHUNK_BYTES: usize = 1 << 16;
const STATE_BYTES: usize = 32;

/// A hash over all events so far. Two runs with the same hash did the same.
#[derive(Debug)]
pub struct EventLog {
    state: [u8; 32],
    pending: Vec<u8>,
    events: u64,
    trace: Option<Vec<String>>,
}

/// The hash of an [`EventLog`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogHash([u8; 32]);

impl LogHash {
    /// From bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> LogHash {
        LogHash(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for LogHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl EventLog {
    /// An empty log; with a trace if people want to read it.
    #[must_use]
    pub fn new(traced: bool) -> EventLog {
        let pending = Vec::with_capacity(CHUNK_BYTES + STATE_BYTES);
        EventLog { state: [0; STATE_BYTES], pending, events: 0, trace: traced.then(Vec::new) }
    }

    /// Notes what happened: where, what kind, and what tells it from others of its kind (at most 255 bytes of each count).
    pub fn note(&mut self, now: VirtualTime, host: usize, what: &str, detail: &[u8]) {
        self.events += 1;
        self.pending.extend_from_slice(&now.as_micros().to_le_bytes());
        self.pending.extend_from_slice(&(host as u64).to_le_bytes());
        self.push_short(what.as_bytes());
        self.push_short(detail);
        if self.pending.len() >= CHUNK_BYTES {
            self.fold();
        }
    }

    fn push_short(&mut self, bytes: &[u8]) {
        let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
        self.pending.push(length);
        self.pending.extend_from_slice(&bytes[..length.into()]);
    }

    /// Writes a line for people, if there is a trace.
    pub fn trace(&mut self, now: VirtualTime, host: usize, line: impl FnOnce() -> String) {
        let millis = now.as_millis();
        if let Some(trace) = &mut self.trace {
            trace.push(format!("{:>5}.{:03} host {host}: {}", millis / 1000, millis % 1000, line()));
        }
    }

    /// How many events have been noted.
    #[must_use]
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The hash so far.
    pub fn hash(&mut self) -> LogHash {
        self.fold();
        LogHash(self.state)
    }

    /// The trace so far; empty if there is none.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        self.trace.as_deref().unwrap_or_default()
    }

    fn fold(&mut self) {
        self.pending.extend_from_slice(&self.state);
        self.state = sha256(&self.pending);
        self.pending.clear();
    }
}
