//! What one thread does.

use super::Found;
use super::batch::BatchSize;
use super::shared::{Shared, Task};
use crate::prepared::Prepared;
use crate::sha256::{meets, sha256d};
use std::sync::Arc;
use std::time::Instant;

/// A header that a thread is at work on.
struct Current {
    task: Arc<Task>,
    extra_nonce: u64,
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

/// Hashes the task's next nonces, which may lie under more than one extra nonce; returns how many there were.
fn hash_batch(shared: &Shared, task: &Arc<Task>, hashes: u32, current: &mut Option<Current>) -> u32 {
    let mut position = task.claim(hashes);
    let mut left = hashes;
    while left > 0 && !task.is_done() {
        let extra_nonce = position / shared.nonce_count;
        let offset = position % shared.nonce_count;
        let Some(prepared) = prepare(task, extra_nonce, current) else {
            task.set_exhausted();
            break;
        };
        let count = u64::from(left).min(shared.nonce_count - offset);
        scan(shared, task, extra_nonce, prepared, offset, count);
        position += count;
        // `count` is at most `left`.
        left -= u32::try_from(count).unwrap_or(left);
    }
    hashes - left
}

/// The header for an extra nonce: the one at hand, if it is the same.
fn prepare<'a>(task: &Arc<Task>, extra_nonce: u64, current: &'a mut Option<Current>) -> Option<&'a Prepared> {
    let at_hand = current.as_ref().is_some_and(|it| it.extra_nonce == extra_nonce && Arc::ptr_eq(&it.task, task));
    if !at_hand {
        let header = task.job.work.header(extra_nonce)?;
        let prepared = Prepared::new(&header, &task.target);
        *current = Some(Current { task: Arc::clone(task), extra_nonce, prepared });
    }
    current.as_ref().map(|it| &it.prepared)
}

/// Tries `count` nonces from `offset` on and reports what is confirmed.
fn scan(shared: &Shared, task: &Arc<Task>, extra_nonce: u64, prepared: &Prepared, offset: u64, count: u64) {
    let nonce_at = |offset: u64| u32::try_from(u64::from(shared.first_nonce) + offset).unwrap_or(u32::MAX);
    let mut hits = Vec::new();
    shared.kernel().scan(prepared, nonce_at(offset)..=nonce_at(offset + count - 1), &mut hits);
    shared.count_hashes(count);
    for nonce in hits {
        let header_bytes = prepared.header_with(nonce);
        let hash = sha256d(&header_bytes);
        if !meets(&hash, &task.target) {
            shared.count_fault();
        } else if task.admits_result() {
            shared.report(task, Found { job_id: task.job.id, extra_nonce, header_bytes, hash });
        } else {
            return;
        }
    }
}
