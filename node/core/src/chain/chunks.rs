//! A list in pieces that never move. One piece that is doubled when it is full needs three times the room while it moves, and leaves up to
//! half of it empty; with a million headers that would be hundreds of megabytes.

use std::ops::{Index, IndexMut};

/// Things in a piece.
const PIECE: usize = 32;

/// A list that only grows.
#[derive(Debug, Clone)]
pub(super) struct Chunks<T> {
    /// All but the last are full.
    pieces: Vec<Vec<T>>,
}

impl<T> Chunks<T> {
    /// A list of one.
    pub fn of(first: T) -> Chunks<T> {
        let mut chunks = Chunks { pieces: Vec::new() };
        chunks.push(first);
        chunks
    }

    pub fn len(&self) -> usize {
        self.pieces.last().map_or(0, |last| (self.pieces.len() - 1) * PIECE + last.len())
    }

    pub fn push(&mut self, thing: T) {
        match self.pieces.last_mut().filter(|last| last.len() < PIECE) {
            Some(last) => last.push(thing),
            None => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(thing);
                self.pieces.push(piece);
            }
        }
    }
}

impl<T> Index<usize> for Chunks<T> {
    type Output = T;

    fn index(&self, place: usize) -> &T {
        &self.pieces[place / PIECE][place % PIECE]
    }
}

impl<T> IndexMut<usize> for Chunks<T> {
    fn index_mut(&mut self, place: usize) -> &mut T {
        &mut self.pieces[place / PIECE][place % PIECE]
    }
}

#[cfg(test)]
mod tests;
