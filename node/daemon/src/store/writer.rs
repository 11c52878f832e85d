//! Change sets on their way to the disk. The node goes on as soon as the blocks of one are written to the flat files, which takes less than
//! a millisecond: readers see all of it at once, and a thread of its own syncs the files and brings the index in step, which takes a hundred
//! times as long for a full block. A process that is killed in between loses nothing but time: the blocks are found in the flat files and
//! connected anew. A power cut may take the last blocks, which peers have.
//!
//! What must not be told before it is on the disk (a block that a miner submitted, one condemned by hand) goes through
//! [`StoreWriter::then`].

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tally_node_core::chain::store::{ChangeSet, StoreError};
use tokio::sync::oneshot;

use super::apply::Appended;
use super::{Inner, Store};

/// Change sets that may wait for the index; then the node waits too.
const MAX_WAITING: usize = 4;

/// How much less urgent than the node's own work writing is (as `nice`): a block that is to be passed on goes first.
const NICENESS: i32 = 10;

/// What waits for the disk, oldest first. Part of the store: readers look here first.
#[derive(Default)]
pub(super) struct Waiting {
    sets: VecDeque<Arc<ChangeSet>>,
    handed_over: u64,
    stored: u64,
    failed: bool,
}

impl Waiting {
    /// From the latest to the oldest.
    pub fn latest_first(&self) -> impl Iterator<Item = &Arc<ChangeSet>> {
        self.sets.iter().rev()
    }
}

enum Job {
    Store(Arc<ChangeSet>, Appended),
    Then(Box<dyn FnOnce() + Send>),
}

/// The thread that stores change sets, one after another. Dropping it waits until all are stored.
pub struct StoreWriter {
    store: Store,
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl StoreWriter {
    /// Starts the thread. If the store fails, the reason comes out of the receiver, and nothing is stored any more.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(store: Store) -> std::io::Result<(Self, oneshot::Receiver<StoreError>)> {
        let (jobs, waiting) = channel();
        let (failed, failure) = oneshot::channel();
        let inner = Arc::clone(&store.inner);
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || {
            // A system that refuses stores at the usual pace.
            let _ = rustix::process::setpriority_process(None, NICENESS);
            if let Err(error) = store_all(&Store { inner }, &waiting) {
                // Nobody listens once the driver has ended.
                let _ = failed.send(error);
            }
        })?;
        Ok((Self { store, jobs: Some(jobs), thread: Some(thread) }, failure))
    }

    /// Hands a change set over. On return it is visible, and its blocks survive this process; the rest follows.
    ///
    /// # Errors
    /// If the disk refuses or the index is damaged.
    pub fn put(&self, changes: ChangeSet) -> Result<(), StoreError> {
        let appended = self.store.append_blocks(&changes.blocks)?;
        let changes = Arc::new(changes);
        let inner = &self.store.inner;
        let waiting = inner.waiting();
        let is_full = |waiting: &mut Waiting| waiting.sets.len() >= MAX_WAITING && !waiting.failed;
        let mut waiting = inner.stored.wait_while(waiting, is_full).unwrap_or_else(PoisonError::into_inner);
        waiting.handed_over += 1;
        waiting.sets.push_back(Arc::clone(&changes));
        drop(waiting);
        self.send(Job::Store(changes, appended));
        Ok(())
    }

    /// Calls this once everything handed over so far is stored; never if that fails.
    pub fn then(&self, call: Box<dyn FnOnce() + Send>) {
        self.send(Job::Then(call));
    }

    fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // After a failure nobody takes it, and the driver has been told.
            let _ = jobs.send(job);
        }
    }

    /// Waits until everything is stored; false if the store has failed.
    pub fn finish(&self) -> bool {
        self.store.settle()
    }
}

impl Drop for StoreWriter {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // Its panic has been reported.
            let _ = thread.join();
        }
    }
}

/// Marks the store as failed unless told otherwise: also after a panic nobody must wait for ever.
struct FailUnlessDone<'a> {
    inner: &'a Inner,
    done: bool,
}

impl Drop for FailUnlessDone<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.inner.waiting().failed = true;
            self.inner.stored.notify_all();
        }
    }
}

fn store_all(store: &Store, jobs: &Receiver<Job>) -> Result<(), StoreError> {
    let inner = store.inner.as_ref();
    let mut guard = FailUnlessDone { inner, done: false };
    while let Ok(job) = jobs.recv() {
        match job {
            Job::Store(changes, appended) => {
                store.apply_to_index(&changes, &appended)?;
                let mut waiting = inner.waiting();
                waiting.sets.pop_front();
                waiting.stored += 1;
                drop(waiting);
                inner.stored.notify_all();
            }
            Job::Then(call) => call(),
        }
    }
    guard.done = true;
    Ok(())
}

impl Store {
    /// Waits until everything that was handed over before is stored; false if the store has failed.
    pub fn settle(&self) -> bool {
        let waiting = self.inner.waiting();
        let target = waiting.handed_over;
        let is_behind = |waiting: &mut Waiting| waiting.stored < target && !waiting.failed;
        let waiting = self.inner.stored.wait_while(waiting, is_behind).unwrap_or_else(PoisonError::into_inner);
        waiting.stored >= target
    }
}

impl Inner {
    pub(super) fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first answer that a waiting change set has, the latest asked first.
    pub(super) fn in_waiting<T>(&self, answer: impl Fn(&ChangeSet) -> Option<T>) -> Option<T> {
        self.waiting().latest_first().find_map(|changes| answer(changes))
    }
}
