//! A table of buckets with 64 places each, of which only the occupied ones cost memory.

use std::net::SocketAddr;

use crate::random::Random;

/// Places in a bucket.
pub(crate) const BUCKET_PLACES: u64 = 64;

/// A place in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub bucket: u16,
    pub slot: u8,
}

/// Addresses by bucket and place.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The buckets that hold something, by number.
    buckets: Vec<Bucket>,
    occupied: usize,
}

#[derive(Debug)]
struct Bucket {
    number: u16,
    /// By place.
    slots: Vec<(u8, SocketAddr)>,
}

impl Table {
    /// Occupied places.
    pub fn len(&self) -> usize {
        self.occupied
    }

    /// Who is at a place.
    pub fn get(&self, place: Place) -> Option<SocketAddr> {
        let bucket = &self.buckets[self.position(place.bucket).ok()?];
        let slot = bucket.slots.binary_search_by_key(&place.slot, |(slot, _)| *slot).ok()?;
        Some(bucket.slots[slot].1)
    }

    /// Puts an address there, in the place of whoever was.
    pub fn set(&mut self, place: Place, address: SocketAddr) {
        let position = self.position(place.bucket).unwrap_or_else(|position| {
            self.buckets.insert(position, Bucket { number: place.bucket, slots: Vec::new() });
            position
        });
        let slots = &mut self.buckets[position].slots;
        match slots.binary_search_by_key(&place.slot, |(slot, _)| *slot) {
            Ok(slot) => slots[slot].1 = address,
            Err(slot) => {
                slots.insert(slot, (place.slot, address));
                self.occupied += 1;
            }
        }
    }

    /// Empties a place.
    pub fn clear(&mut self, place: Place) {
        let Ok(position) = self.position(place.bucket) else {
            return;
        };
        let slots = &mut self.buckets[position].slots;
        if let Ok(slot) = slots.binary_search_by_key(&place.slot, |(slot, _)| *slot) {
            slots.remove(slot);
            self.occupied -= 1;
        }
        if slots.is_empty() {
            self.buckets.remove(position);
        }
    }

    /// Somebody: each bucket that is not empty is as likely as any other, and so is each in it. So a full bucket weighs no more than one with
    /// a single address.
    pub fn random(&self, random: &mut Random) -> Option<SocketAddr> {
        let bucket = self.buckets.get(random.index(self.buckets.len()))?;
        bucket.slots.get(random.index(bucket.slots.len())).map(|(_, address)| *address)
    }

    fn position(&self, number: u16) -> Result<usize, usize> {
        self.buckets.binary_search_by_key(&number, |bucket| bucket.number)
    }
}
