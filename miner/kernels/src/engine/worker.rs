//! What one thread does.

use super::Found;
use super::batch::BatchSize;
use super::shared::{Shared, Task};
use super::space::Piece;
use crate::prepared::Prepared;
use crate::sha256::{meets, sha256d};
use std::sync::Arc;
use std::time::Instant;

/// A header, in the versions of a group, that a thread is at work on.
struct Current {
    task: Arc<Task>,
    /// Extra nonce and group.
    place: (u64, u64),
    prepared: Prepared,
}

/// Hashes until the engine stops.
pub(super) fn run(shared: &Shared) {
    let mut size = BatchSize::new();
    let mut current: Option<Current> = None;
    while let Some((task, slot)) = shared.next_batch(size) {
        let began = Instant::now();
        // The slot may have been reserved for another task, before this one came.
        let hashed = hash_batch(shared, &task, slot.hashes.min(task.batch_max), &mut current);
        shared.give_back(&slot, slot.hashes - hashed);
        size.learn(hashed, began.elapsed());
        if task.has_ended() {
            current = None;
        }
    }
}

/// Hashes the task's next hashes, which may lie under more than one extra nonce; returns how many there were.
fn hash_batch(shared: &Shared, task: &Arc<Task>, hashes: u32, current: &mut Option<Current>) -> u32 {
    let hashes = task.space.round_down(hashes);
    let mut position = task.claim(hashes);
    let mut left = hashes;
    while left > 0 && !task.is_done() {
        let piece = task.space.piece(position, left);
        let Some(prepared) = prepare(task, &piece, current) else {
            task.set_exhausted();
            break;
        };
        match piece.only {
            None => scan(shared, task, &piece, prepared),
            Some(version) => scan(shared, task, &piece, &prepared.single(version)),
        }
        position += u64::from(piece.hashes);
        left -= piece.hashes;
    }
    hashes - left
}

/// The headers of a group of versions: those at hand, if they are the same.
fn prepare<'a>(task: &Arc<Task>, piece: &Piece, current: &'a mut Option<Current>) -> Option<&'a Prepared> {
    let place = (piece.extra_nonce, piece.group);
    let at_hand = current.as_ref().is_some_and(|it| it.place == place && Arc::ptr_eq(&it.task, task));
    if !at_hand {
        let header = task.job.work.header(piece.extra_nonce)?;
        let [a, b, c, d, ..] = header;
        let versions = task.space.versions(u32::from_le_bytes([a, b, c, d]), piece.group);
        let prepared = Prepared::with_versions(&header, &task.target, &versions);
        *current = Some(Current { task: Arc::clone(task), place, prepared });
    }
    current.as_ref().map(|it| &it.prepared)
}

/// Tries a piece and reports what is confirmed.
fn scan(shared: &Shared, task: &Arc<Task>, piece: &Piece, prepared: &Prepared) {
    let mut hits = Vec::new();
    shared.kernel().scan(prepared, piece.nonces.0..=piece.nonces.1, &mut hits);
    shared.count_hashes(u64::from(piece.hashes));
    for hit in hits {
        let header_bytes = prepared.header_of(hit);
        let hash = sha256d(&header_bytes);
        if !meets(&hash, &task.target) {
            shared.count_fault();
        } else if task.admits_result() {
            shared.report(task, Found { job_id: task.job.id, extra_nonce: piece.extra_nonce, header_bytes, hash });
        } else {
            return;
        }
    }
}
