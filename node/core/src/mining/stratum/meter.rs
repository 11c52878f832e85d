//! A miner's hash rate, estimated from the shares it sends: each stands for as many hashes as it takes on average.

use std::collections::VecDeque;

use tally_primitives::units::Timestamp;

use crate::mining::stratum::difficulty::Difficulty;

/// Hashes are summed up in pieces of so long.
const PIECE_MS: u64 = 15_000;

/// So many pieces count: five minutes, in which a miner on target sends a hundred shares (an error of 10 %).
const PIECES: u64 = 20;

/// Work of the last minutes.
#[derive(Clone, Debug)]
pub struct Meter {
    started: Timestamp,
    /// Numbers of pieces and hashes in them, oldest first.
    pieces: VecDeque<(u64, f64)>,
}

impl Meter {
    /// A meter that starts now.
    pub fn new(now: Timestamp) -> Meter {
        Meter { started: now, pieces: VecDeque::new() }
    }

    /// A share has come.
    pub fn add(&mut self, now: Timestamp, difficulty: Difficulty) {
        let piece = self.piece(now);
        match self.pieces.back_mut() {
            // A clock that was set back adds to the last piece.
            Some((last, hashes)) if *last >= piece => *hashes += difficulty.hashes(),
            _ => self.pieces.push_back((piece, difficulty.hashes())),
        }
        while self.pieces.len() as u64 > PIECES {
            self.pieces.pop_front();
        }
    }

    /// Hashes a second over the last five minutes, or since the start.
    pub fn rate(&self, now: Timestamp) -> f64 {
        let piece = self.piece(now);
        let counts = |number: &u64| number.saturating_add(PIECES) > piece;
        let hashes = self.pieces.iter().filter(|(number, _)| counts(number)).fold(0.0, |sum, (_, hashes)| sum + hashes);
        let elapsed_ms = now.millis_since(self.started);
        let into_piece_ms = elapsed_ms % PIECE_MS;
        let span_ms = elapsed_ms.min((PIECES - 1) * PIECE_MS + into_piece_ms).max(1_000);
        hashes * 1_000.0 / span_ms as f64
    }

    fn piece(&self, now: Timestamp) -> u64 {
        now.millis_since(self.started) / PIECE_MS
    }
}

#[cfg(test)]
mod tests;
