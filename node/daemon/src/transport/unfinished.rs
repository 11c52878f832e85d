//! Long messages that have begun to come and have not ended. Each connection may have one, so a hundred peers that begin a block and never end it would cost two
//! hundred megabytes. All together they get less; when that is spent, whoever began first is cut off, since an honest peer would have ended by then.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tally_node_core::net::peer::PeerId;
use tokio::sync::Notify;

/// What is shorter than this is not worth counting.
const SHORT_BYTES: usize = 64 * 1024;

/// The long unfinished messages of all connections.
#[derive(Debug)]
pub(super) struct Unfinished {
    max_bytes: usize,
    messages: Mutex<Messages>,
}

#[derive(Debug, Default)]
struct Messages {
    by_peer: BTreeMap<PeerId, Message>,
    bytes: usize,
    begun: u64,
}

#[derive(Debug)]
struct Message {
    bytes: usize,
    /// Counts beginnings.
    begun: u64,
    cut_off: Arc<Notify>,
}

impl Unfinished {
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, messages: Mutex::default() }
    }

    /// A connection holds so many bytes of its unfinished message now. `cut_off` is how it is told to end.
    pub fn note(&self, peer: PeerId, bytes: usize, cut_off: &Arc<Notify>) {
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        if bytes <= SHORT_BYTES {
            return messages.remove(peer);
        }
        messages.set(peer, bytes, cut_off);
        while messages.bytes > self.max_bytes
            && let Some(first) = messages.first()
        {
            messages.cut_off(first);
        }
    }

    /// A connection has ended.
    pub fn gone(&self, peer: PeerId) {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).remove(peer);
    }
}

impl Messages {
    fn set(&mut self, peer: PeerId, bytes: usize, cut_off: &Arc<Notify>) {
        self.begun += 1;
        let begun = self.begun;
        let message =
            self.by_peer.entry(peer).or_insert_with(|| Message { bytes: 0, begun, cut_off: Arc::clone(cut_off) });
        self.bytes = self.bytes - message.bytes + bytes;
        message.bytes = bytes;
    }

    fn remove(&mut self, peer: PeerId) {
        if let Some(message) = self.by_peer.remove(&peer) {
            self.bytes -= message.bytes;
        }
    }

    fn first(&self) -> Option<PeerId> {
        self.by_peer.iter().min_by_key(|(_, message)| message.begun).map(|(peer, _)| *peer)
    }

    fn cut_off(&mut self, peer: PeerId) {
        if let Some(message) = self.by_peer.get(&peer) {
            message.cut_off.notify_one();
        }
        self.remove(peer);
    }
}

#[cfg(test)]
mod tests;
