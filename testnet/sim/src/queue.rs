//! What is to happen, by time and then by the order in which it was scheduled.
//!
//! A radix queue (Ahuja and others 1990) with digits of six bits: an event lies on the level of the highest digit in which its time differs
//! from that of the last event taken, in the slot of that digit. When the lowest level is empty, the first slot above is spread over the
//! levels below. Nothing is compared, no event moves more often than there are digits between now and then (three for a tenth of a
//! second), and since every slot is filled in order of scheduling and emptied in the same order, equal times need no counter.

use std::collections::VecDeque;

use crate::clock::VirtualTime;

const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
/// Enough digits for 64 bits.
const LEVELS: usize = 11;
/// An emptied slot keeps room for this many events; more is given back, or every slot would stay as large as the worst burst.
const KEPT_CAPACITY: usize = 256;

type Slot<E> = VecDeque<(VirtualTime, E)>;

/// A queue of events.
#[derive(Debug)]
pub struct EventQueue<E> {
    slots: Vec<Slot<E>>,
    /// Which slots of a level hold something, a bit each.
    occupied: [u64; LEVELS],
    /// No event that is still here is earlier.
    last: VirtualTime,
    len: usize,
}

impl<E> Default for EventQueue<E> {
    fn default() -> Self {
        let slots = (0..LEVELS * SLOTS).map(|_| VecDeque::new()).collect();
        EventQueue { slots, occupied: [0; LEVELS], last: VirtualTime::ZERO, len: 0 }
    }
}

impl<E> EventQueue<E> {
    /// Schedules an event. One in the past happens next.
    pub fn push(&mut self, at: VirtualTime, event: E) {
        self.len += 1;
        self.place(at.max(self.last), event);
    }

    /// The next event, if it happens no later than `end`.
    pub fn pop_until(&mut self, end: VirtualTime) -> Option<(VirtualTime, E)> {
        loop {
            let level = self.occupied.iter().position(|slots| *slots != 0)?;
            let slot = self.occupied[level].trailing_zeros();
            let from = self.start_of(level, slot);
            if from > end {
                return None;
            }
            self.last = from;
            if level == 0 {
                return self.take(slot as usize);
            }
            self.spread(level, slot as usize);
        }
    }

    /// How many events wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none does.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn place(&mut self, at: VirtualTime, event: E) {
        let difference = at.as_micros() ^ self.last.as_micros();
        let level = (63 - (difference | 1).leading_zeros()) / DIGIT_BITS;
        let digit = (at.as_micros() >> (level * DIGIT_BITS)) % SLOTS as u64;
        #[expect(clippy::cast_possible_truncation, reason = "both are below 64")]
        let (level, digit) = (level as usize, digit as usize);
        self.occupied[level] |= 1 << digit;
        self.slots[level * SLOTS + digit].push_back((at, event));
    }

    /// The earliest time that a slot stands for.
    fn start_of(&self, level: usize, slot: u32) -> VirtualTime {
        #[expect(clippy::cast_possible_truncation, reason = "a level is below 64")]
        let shift = level as u32 * DIGIT_BITS;
        let above = self.last.as_micros().checked_shr(shift + DIGIT_BITS).unwrap_or(0);
        let above = above.checked_shl(shift + DIGIT_BITS).unwrap_or(0);
        VirtualTime::from_micros(above | (u64::from(slot) << shift))
    }

    fn take(&mut self, slot: usize) -> Option<(VirtualTime, E)> {
        let next = self.slots[slot].pop_front()?;
        self.len -= 1;
        if self.slots[slot].is_empty() {
            self.occupied[0] &= !(1 << slot);
        }
        Some(next)
    }

    fn spread(&mut self, level: usize, slot: usize) {
        self.occupied[level] &= !(1 << slot);
        let place = level * SLOTS + slot;
        let mut events = std::mem::take(&mut self.slots[place]);
        for (at, event) in events.drain(..) {
            self.place(at, event);
        }
        if events.capacity() <= KEPT_CAPACITY {
            self.slots[place] = events;
        }
    }
}
