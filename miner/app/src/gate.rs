//! A gate in front of a queue: lets in so many of one kind, so that they never fill the queue that others need too.
//!
//! A queue of bounded length alone is not enough. Whoever gives up when it is full tries again at once and takes every place
//! that becomes free; whoever waits for a place would wait forever.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A gate; clones are the same gate.
#[derive(Clone, Debug)]
pub struct Gate {
    inside: Arc<AtomicUsize>,
    places: usize,
}

impl Gate {
    /// A gate for so many at once.
    #[must_use]
    pub fn new(places: usize) -> Gate {
        Gate { inside: Arc::default(), places }
    }

    /// Takes a place; false when there is none.
    #[must_use]
    pub fn enter(&self) -> bool {
        let one_more = |inside| (inside < self.places).then_some(inside + 1);
        self.inside.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more).is_ok()
    }

    /// Gives the place back.
    pub fn leave(&self) {
        let one_less = |inside: usize| inside.checked_sub(1);
        // Leaving without having entered changes nothing.
        let _ = self.inside.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less);
    }
}

#[cfg(test)]
mod tests;
