//! Change sets on their way to the disk. The node goes on as soon as the blocks of one are written to the flat files, which takes less than
//! a millisecond: readers see all of it at once. A thread of its own syncs the files, and brings the index in step, which takes a hundred
//! times as long for a full block. A process that is killed in between loses nothing but time: the blocks are found in the flat files and
//! connected anew. A power cut may take the last blocks, which peers have.
//!
//! The files are synced at once. The index waits a moment ([`DELAY`]): right after a block everybody is busy passing it on and connecting it,
//! and nobody needs the index for that. Whoever does need it ([`Store::settle`], [`StoreWriter::then_stored`]) has it done without delay, and
//! so has a second change set, so that a node that catches up never falls behind.

use std::collections::VecDeque;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tally_node_core::chain::store::{ChangeSet, StoreError};
use tokio::sync::oneshot;

use super::apply::Appended;
use super::{Inner, Store};

/// Change sets that may wait for the index; then the node waits too.
const MAX_WAITING: usize = 4;

/// How long the index waits after the last change set came, if nothing else calls for it.
const DELAY: Duration = Duration::from_millis(250);

/// How much less urgent than the node's own work writing is (as `nice`): a block that is to be passed on goes first.
const NICENESS: i32 = 10;

/// What is left to do for somebody once his changes are safe.
type Answer = Box<dyn FnOnce() + Send>;

/// What waits for the disk, oldest first. Part of the store: readers look here first.
#[derive(Default)]
pub(super) struct Waiting {
    sets: VecDeque<(Arc<ChangeSet>, Arc<Appended>)>,
    /// When the last one came, and how long the index waits from then on.
    came: Option<Instant>,
    delay: Duration,
    /// How many have come, how many of them are synced in the flat files, and how many are in the index.
    handed_over: u64,
    synced: u64,
    stored: u64,
    /// So many are to be in the index without delay.
    wanted: u64,
    /// Whom to answer once so many are synced, or stored.
    when_synced: VecDeque<(u64, Answer)>,
    when_stored: VecDeque<(u64, Answer)>,
    /// No more will come.
    closed: bool,
    failed: bool,
}

impl Waiting {
    /// From the latest to the oldest.
    pub fn latest_first(&self) -> impl Iterator<Item = &Arc<ChangeSet>> {
        self.sets.iter().rev().map(|(changes, _)| changes)
    }

    /// What the thread does next. None: nothing, for so long (if nothing comes).
    fn next_step(&mut self) -> Result<Step, Option<Duration>> {
        if let Some(answer) =
            ready(&mut self.when_synced, self.synced).or_else(|| ready(&mut self.when_stored, self.stored))
        {
            return Ok(Step::Answer(answer));
        }
        if self.synced < self.handed_over {
            return Ok(Step::Sync(self.handed_over));
        }
        let Some((changes, appended)) = self.sets.front() else {
            return if self.closed { Ok(Step::End) } else { Err(None) };
        };
        let rest = self.came.map_or(Duration::ZERO, |came| self.delay.saturating_sub(came.elapsed()));
        let is_wanted = self.closed || self.stored < self.wanted || self.sets.len() > 1;
        if is_wanted || rest.is_zero() {
            Ok(Step::Store(Arc::clone(changes), Arc::clone(appended)))
        } else {
            Err(Some(rest))
        }
    }
}

/// Whom to answer, if all has come that he waits for.
fn ready(answers: &mut VecDeque<(u64, Answer)>, done: u64) -> Option<Answer> {
    let (needed, _) = answers.front()?;
    if *needed > done {
        return None;
    }
    answers.pop_front().map(|(_, answer)| answer)
}

enum Step {
    /// Sync the flat files: then so many change sets are synced.
    Sync(u64),
    Store(Arc<ChangeSet>, Arc<Appended>),
    Answer(Answer),
    End,
}

/// The thread that stores change sets, one after another. Dropping it waits until all are stored.
pub struct StoreWriter {
    store: Store,
    thread: Option<JoinHandle<()>>,
}

impl StoreWriter {
    /// Starts the thread. If the store fails, the reason comes out of the receiver, and nothing is stored any more.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(store: Store) -> std::io::Result<(Self, oneshot::Receiver<StoreError>)> {
        Self::start_with(store, DELAY)
    }

    /// The same with another delay of the index.
    fn start_with(store: Store, delay: Duration) -> std::io::Result<(Self, oneshot::Receiver<StoreError>)> {
        let (failed, failure) = oneshot::channel();
        let inner = Arc::clone(&store.inner);
        *inner.waiting() = Waiting { delay, ..Waiting::default() };
        let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || {
            // A system that refuses stores at the usual pace.
            let _ = rustix::process::setpriority_process(None, NICENESS);
            if let Err(error) = store_all(&Store { inner }) {
                // Nobody listens once the driver has ended.
                let _ = failed.send(error);
            }
        })?;
        Ok((Self { store, thread: Some(thread) }, failure))
    }

    /// Hands a change set over. On return it is visible, and its blocks survive this process; the rest follows.
    ///
    /// # Errors
    /// If the disk refuses or the index is damaged.
    pub fn put(&self, changes: ChangeSet) -> Result<(), StoreError> {
        let appended = self.store.append_blocks(&changes.blocks)?;
        let inner = &self.store.inner;
        let is_full = |waiting: &mut Waiting| waiting.sets.len() >= MAX_WAITING && !waiting.failed;
        let waiting = inner.progress.wait_while(inner.waiting(), is_full);
        let mut waiting = waiting.unwrap_or_else(PoisonError::into_inner);
        waiting.handed_over += 1;
        waiting.came = Some(Instant::now());
        waiting.sets.push_back((Arc::new(changes), Arc::new(appended)));
        inner.progress.notify_all();
        Ok(())
    }

    /// Calls this once everything handed over so far is stored, which is done without delay; never if that fails.
    pub fn then_stored(&self, answer: Answer) {
        let mut waiting = self.store.inner.waiting();
        if !waiting.failed {
            let needed = waiting.handed_over;
            waiting.wanted = needed;
            waiting.when_stored.push_back((needed, answer));
        }
        self.store.inner.progress.notify_all();
    }

    /// Calls this once the blocks of everything handed over so far survive a power cut; never if that fails.
    pub fn then_synced(&self, answer: Answer) {
        let mut waiting = self.store.inner.waiting();
        if !waiting.failed {
            let needed = waiting.handed_over;
            waiting.when_synced.push_back((needed, answer));
        }
        self.store.inner.progress.notify_all();
    }

    /// Waits until everything is stored; false if the store has failed.
    pub fn finish(&self) -> bool {
        self.store.settle()
    }
}

impl Drop for StoreWriter {
    fn drop(&mut self) {
        self.store.inner.waiting().closed = true;
        self.store.inner.progress.notify_all();
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
            let mut waiting = self.inner.waiting();
            waiting.failed = true;
            // Whoever waits for an answer sees that none will come.
            waiting.when_synced.clear();
            waiting.when_stored.clear();
            self.inner.progress.notify_all();
        }
    }
}

fn store_all(store: &Store) -> Result<(), StoreError> {
    let inner = store.inner.as_ref();
    let mut guard = FailUnlessDone { inner, done: false };
    loop {
        match wait_for_step(inner) {
            Step::Sync(upto) => {
                inner.blocks.sync()?;
                inner.waiting().synced = upto;
            }
            Step::Store(changes, appended) => {
                store.apply_to_index(&changes, &appended)?;
                let mut waiting = inner.waiting();
                waiting.sets.pop_front();
                waiting.stored += 1;
                inner.progress.notify_all();
            }
            Step::Answer(answer) => answer(),
            Step::End => break,
        }
    }
    guard.done = true;
    Ok(())
}

fn wait_for_step(inner: &Inner) -> Step {
    let mut waiting = inner.waiting();
    loop {
        waiting = match waiting.next_step() {
            Ok(step) => return step,
            Err(None) => inner.progress.wait(waiting).unwrap_or_else(PoisonError::into_inner),
            Err(Some(rest)) => inner.progress.wait_timeout(waiting, rest).unwrap_or_else(PoisonError::into_inner).0,
        };
    }
}

impl Store {
    /// Waits until everything that was handed over before is stored, which is done without delay; false if the store has failed.
    pub fn settle(&self) -> bool {
        let inner = &self.inner;
        let mut waiting = inner.waiting();
        let target = waiting.handed_over;
        if waiting.stored >= target {
            return true;
        }
        waiting.wanted = target;
        inner.progress.notify_all();
        let is_behind = |waiting: &mut Waiting| waiting.stored < target && !waiting.failed;
        let waiting = inner.progress.wait_while(waiting, is_behind).unwrap_or_else(PoisonError::into_inner);
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

#[cfg(test)]
mod tests;
