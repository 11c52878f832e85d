//! All peers by their numbers, and when something is due at one of them.
//!
//! Whoever changes a peer gets it from here, so it is known whose due time has to be looked at again. A message from one peer then costs no look at
//! all the others.

use tally_primitives::units::Timestamp;

use crate::net::limits::{HANDSHAKE_TIMEOUT_MS, MAX_SEND_QUEUE_BYTES};
use crate::net::peer::{Peer, PeerId};

/// The peers.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    /// In the order of their numbers. There are a hundred or two: a list is smaller than a tree, and as quick.
    list: Vec<Known>,
    /// The earliest of their due times.
    next_due: Option<Timestamp>,
    /// Handed out to be changed since the last [`Peers::settle`].
    touched: Vec<PeerId>,
    /// Those for which too much waited when they were sent something.
    slow: Vec<PeerId>,
}

#[derive(Debug)]
struct Known {
    id: PeerId,
    /// When something is due, as of the last [`Peers::settle`].
    due: Option<Timestamp>,
    /// Boxed: the list moves, and a peer is large.
    peer: Box<Peer>,
}

impl Peers {
    fn place(&self, id: &PeerId) -> Result<usize, usize> {
        self.list.binary_search_by_key(id, |known| known.id)
    }

    /// One of them.
    pub fn get(&self, id: &PeerId) -> Option<&Peer> {
        self.place(id).ok().map(|place| &*self.list[place].peer)
    }

    /// One of them, to be changed.
    pub fn get_mut(&mut self, id: &PeerId) -> Option<&mut Peer> {
        let place = self.place(id).ok()?;
        if self.touched.last() != Some(id) {
            self.touched.push(*id);
        }
        Some(&mut *self.list[place].peer)
    }

    /// One of them, to change what nothing is due by.
    pub fn get_mut_quietly(&mut self, id: &PeerId) -> Option<&mut Peer> {
        let place = self.place(id).ok()?;
        Some(&mut *self.list[place].peer)
    }

    /// A peer is sent so many bytes that count for what waits for it.
    pub fn note_sent(&mut self, id: &PeerId, bytes: usize) {
        let Some(peer) = self.get_mut_quietly(id) else {
            return;
        };
        peer.serve.note_sent(bytes);
        if peer.serve.queued_bytes() > MAX_SEND_QUEUE_BYTES {
            self.slow.push(*id);
        }
    }

    /// Whether there is such a peer.
    pub fn contains_key(&self, id: &PeerId) -> bool {
        self.place(id).is_ok()
    }

    /// All numbers, in order.
    pub fn keys(&self) -> impl Iterator<Item = &PeerId> {
        self.list.iter().map(|known| &known.id)
    }

    /// All of them, in the order of their numbers.
    pub fn values(&self) -> impl Iterator<Item = &Peer> {
        self.list.iter().map(|known| &*known.peer)
    }

    /// Those of `ids` that are there.
    pub fn among<'a>(&'a self, ids: &'a [PeerId]) -> impl Iterator<Item = &'a Peer> {
        ids.iter().filter_map(move |id| self.get(id))
    }

    /// All of them, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.touched.extend(self.list.iter().map(|known| known.id));
        self.list.iter_mut().map(|known| &mut *known.peer)
    }

    /// A new one.
    pub fn insert(&mut self, id: PeerId, peer: Peer) {
        let known = Known { id, due: None, peer: Box::new(peer) };
        match self.place(&id) {
            Ok(place) => self.list[place] = known,
            Err(place) => self.list.insert(place, known),
        }
        self.touched.push(id);
    }

    /// Takes one out.
    pub fn remove(&mut self, id: &PeerId) -> Option<Peer> {
        let place = self.place(id).ok()?;
        let Known { peer, due, .. } = self.list.remove(place);
        if due == self.next_due {
            self.look_at_all();
        }
        Some(*peer)
    }

    /// Looks again at the peers that have been changed.
    pub fn settle(&mut self) {
        let mut was_next = false;
        while let Some(id) = self.touched.pop() {
            let Ok(place) = self.place(&id) else {
                continue;
            };
            let known = &mut self.list[place];
            let due = due(&known.peer);
            if due != known.due {
                was_next |= known.due == self.next_due;
                known.due = due;
                self.next_due = self.next_due.into_iter().chain(due).min();
            }
        }
        if was_next {
            self.look_at_all();
        }
    }

    fn look_at_all(&mut self) {
        self.next_due = self.list.iter().filter_map(|known| known.due).min();
    }

    /// When something is due at some peer, as of the last [`Peers::settle`].
    pub fn next_due(&self) -> Option<Timestamp> {
        self.next_due
    }

    /// The peers at which something is due, as of the last [`Peers::settle`].
    pub fn due_by(&self, now: Timestamp) -> Vec<PeerId> {
        if self.next_due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.list.iter().filter(|known| known.due.is_some_and(|due| due <= now)).map(|known| known.id).collect()
    }

    /// The peers that do not read: those for which too much waited since this was last asked.
    pub fn take_slow(&mut self) -> Vec<PeerId> {
        std::mem::take(&mut self.slow)
    }
}

/// When something is due at a peer.
fn due(peer: &Peer) -> Option<Timestamp> {
    if !peer.is_ready() {
        return Some(peer.connected_at.saturating_add_millis(HANDSHAKE_TIMEOUT_MS));
    }
    let due = [
        Some(peer.ping.due()),
        peer.headers.due(),
        peer.download.due(),
        peer.announcer.due(),
        peer.fee_filter.due(),
        peer.addresses.due(),
    ];
    due.into_iter().flatten().min()
}
