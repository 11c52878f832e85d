//! What the threads and the engine's owner share: what to do now, and the counters.

use super::batch::{self, BatchSize};
use super::limiter::{Limiter, Slot};
use super::space::Space;
use super::{EngineConfig, Found};
use crate::kernel::Kernel;
use crate::work::{Job, Report};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A job while it is hashed.
pub(super) struct Task {
    pub(super) job: Job,
    pub(super) target: [u8; 32],
    /// No batch should be larger than this.
    pub(super) batch_max: u32,
    pub(super) space: Space,
    /// Hashes handed out so far: a place in the space.
    position: AtomicU64,
    /// One result was enough and is there: what is under way is worthless.
    done: AtomicBool,
    /// There are no more extra nonces: nothing new begins, but what is under way counts.
    exhausted: AtomicBool,
}

impl Task {
    fn new(job: Job, nonces: (u32, u32), kernel: &dyn Kernel) -> Task {
        let target = job.work.target();
        let batch_max = match job.report {
            Report::First => batch::hashes_until_hit(&target, 8),
            Report::Every => u32::MAX,
        };
        let space = Space::new(nonces, job.work.version_mask(), kernel.versions());
        let (done, exhausted) = (AtomicBool::new(false), AtomicBool::new(false));
        Task { job, target, batch_max, space, position: AtomicU64::new(0), done, exhausted }
    }

    /// Takes the next hashes for the calling thread and returns their position.
    pub(super) fn claim(&self, hashes: u32) -> u64 {
        self.position.fetch_add(u64::from(hashes), Ordering::Relaxed)
    }

    /// Whether what is under way need not be finished.
    pub(super) fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Whether nothing new may begin.
    pub(super) fn has_ended(&self) -> bool {
        self.is_done() || self.exhausted.load(Ordering::Acquire)
    }

    /// There are no more extra nonces.
    pub(super) fn set_exhausted(&self) {
        self.exhausted.store(true, Ordering::Release);
    }

    /// Whether a result of this task may be reported by the caller. If one is enough, only the first caller may.
    pub(super) fn admits_result(&self) -> bool {
        match self.job.report {
            Report::Every => true,
            Report::First => !self.done.swap(true, Ordering::AcqRel),
        }
    }
}

/// What the threads should do.
struct Orders {
    task: Option<Arc<Task>>,
    paused: bool,
    stopped: bool,
    limiter: Limiter,
}

impl Orders {
    /// What is to be hashed now.
    fn current(&self) -> Option<&Arc<Task>> {
        self.task.as_ref().filter(|task| !self.paused && !task.has_ended())
    }
}

/// The orders with their bell, the counters, and where results go.
pub(super) struct Shared {
    kernel: &'static dyn Kernel,
    nonces: (u32, u32),
    orders: Mutex<Orders>,
    changed: Condvar,
    started: Instant,
    hashes: AtomicU64,
    faults: AtomicU64,
    results: SyncSender<Found>,
}

impl Shared {
    pub(super) fn new(config: &EngineConfig, results: SyncSender<Found>) -> Shared {
        let limiter = Limiter::new(config.limit_hashes_per_second, Duration::ZERO);
        Shared {
            kernel: config.kernel,
            nonces: (*config.nonces.start(), *config.nonces.end()),
            orders: Mutex::new(Orders { task: None, paused: false, stopped: false, limiter }),
            changed: Condvar::new(),
            started: Instant::now(),
            hashes: AtomicU64::new(0),
            faults: AtomicU64::new(0),
            results,
        }
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        // Nothing is left half done under this lock, so a panic elsewhere does not make its content wrong.
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    /// Changes the orders and wakes every thread. If hashing begins with it, the schedule begins anew.
    fn order(&self, change: impl FnOnce(&mut Orders)) {
        let now = self.now();
        let mut orders = self.orders();
        let was_idle = orders.current().is_none();
        change(&mut orders);
        if was_idle && orders.current().is_some() {
            orders.limiter.begin(now);
        }
        drop(orders);
        self.changed.notify_all();
    }

    pub(super) fn set_job(&self, job: Option<Job>) {
        let task = job.map(|job| Arc::new(Task::new(job, self.nonces, self.kernel)));
        self.order(|orders| orders.task = task);
    }

    pub(super) fn set_paused(&self, paused: bool) {
        self.order(|orders| orders.paused = paused);
    }

    pub(super) fn set_limit(&self, rate: Option<f64>) {
        let now = self.now();
        self.order(|orders| orders.limiter.set_rate(rate, now));
    }

    pub(super) fn stop(&self) {
        self.order(|orders| orders.stopped = true);
    }

    pub(super) fn is_paused(&self) -> bool {
        self.orders().paused
    }

    pub(super) fn is_idle(&self) -> bool {
        self.orders().task.as_ref().is_none_or(|task| task.has_ended())
    }

    pub(super) fn kernel(&self) -> &'static dyn Kernel {
        self.kernel
    }

    pub(super) fn hashes(&self) -> u64 {
        self.hashes.load(Ordering::Relaxed)
    }

    pub(super) fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    pub(super) fn count_hashes(&self, hashes: u64) {
        self.hashes.fetch_add(hashes, Ordering::Relaxed);
    }

    pub(super) fn count_fault(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
    }

    /// Sleeps until there is something to hash and the limit allows it: the task, and how much of it. `None`: stop.
    pub(super) fn next_batch(&self, size: BatchSize) -> Option<(Arc<Task>, Slot)> {
        let mut orders = self.orders();
        let mut reserved: Option<Slot> = None;
        loop {
            if orders.stopped {
                return None;
            }
            let Some(task) = orders.current().cloned() else {
                if let Some(slot) = reserved.take() {
                    orders.limiter.give_back(&slot, slot.hashes);
                }
                orders = self.changed.wait(orders).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let now = self.now();
            let hashes_max = size.hashes().min(task.batch_max);
            let slot = *reserved.get_or_insert_with(|| orders.limiter.reserve(hashes_max, now));
            match orders.limiter.wait(&slot, now) {
                None => reserved = None,
                Some(Duration::ZERO) => return Some((task, slot)),
                Some(rest) => {
                    let (guard, _) = self.changed.wait_timeout(orders, rest).unwrap_or_else(PoisonError::into_inner);
                    orders = guard;
                }
            }
        }
    }

    /// Returns the part of a batch that was not hashed.
    pub(super) fn give_back(&self, slot: &Slot, unused: u32) {
        if unused > 0 {
            self.orders().limiter.give_back(slot, unused);
        }
    }

    /// Hands a result over. While the receiver is behind, waits for it, unless the task is no longer wanted.
    pub(super) fn report(&self, task: &Arc<Task>, found: Found) {
        let mut found = found;
        while let Err(TrySendError::Full(back)) = self.results.try_send(found) {
            found = back;
            let orders = self.orders();
            let wanted = orders.task.as_ref().is_some_and(|current| Arc::ptr_eq(current, task));
            if orders.stopped || !wanted {
                return;
            }
            // The receiver rings no bell, so look again soon.
            let _ = self.changed.wait_timeout(orders, Duration::from_millis(1));
        }
    }
}
