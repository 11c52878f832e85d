//! The engine: threads that hash whatever job they were last given.
//!
//! ```
//! use std::sync::Arc;
//! use tally_kernels::{CoinbaseWork, Engine, EngineConfig, Job, Report};
//!
//! let (engine, found) = Engine::start(EngineConfig { threads: 1, ..EngineConfig::default() })?;
//! let work = CoinbaseWork {
//!     header: [0; 80],
//!     version_mask: 0,
//!     target: [0x7f; 32],
//!     coinbase_prefix: b"anything".to_vec(),
//!     coinbase_suffix: Vec::new(),
//!     extra_nonce_size: 8,
//!     branch: Vec::new(),
//! };
//! engine.set_job(Some(Job { id: 7, report: Report::First, work: Arc::new(work) }));
//! assert_eq!(found.recv()?.job_id, 7);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Each thread takes a batch of about one millisecond, hashes it, reports, and looks again at what it should do; so a new
//! job, a pause or a stop reaches every thread within that time. A thread without work, or ahead of the rate limit, sleeps.

mod batch;
pub mod limiter;
mod pin;
mod shared;
mod space;
mod worker;

use crate::kernel::{self, Kernel};
use crate::work::Job;
use shared::Shared;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread::JoinHandle;

/// Results that may wait for the receiver before the threads wait for it too.
const RESULTS_WAITING_MAX: usize = 1024;

/// How an engine is to run.
#[derive(Clone)]
pub struct EngineConfig {
    /// Hashing threads, at least 1.
    pub threads: usize,
    /// Hashes a second of all threads together, exact over seconds; `None`: as many as the machine gives.
    pub limit_hashes_per_second: Option<f64>,
    /// The kernel, see [`kernel::best`] and [`kernel::by_name`].
    pub kernel: &'static dyn Kernel,
    /// Whether each thread stays on a processor of its own (Linux).
    pub pin: bool,
    /// The nonces tried for each extra nonce and version. All of them, except in tests.
    pub nonces: RangeInclusive<u32>,
}

impl Default for EngineConfig {
    /// As many threads as the machine has for us, the best kernel, no limit.
    fn default() -> EngineConfig {
        EngineConfig {
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            limit_hashes_per_second: None,
            kernel: kernel::best(),
            pin: false,
            nonces: 0..=u32::MAX,
        }
    }
}

/// A header that meets its job's target, checked again with the sha2 crate before it is reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The job's number. A result may arrive shortly after its job was replaced.
    pub job_id: u64,
    /// The extra nonce with which [`Work::header`](crate::Work::header) made this header.
    pub extra_nonce: u64,
    /// The header with its nonce, and its version as it was changed within [`Work::version_mask`](crate::Work::version_mask).
    pub header_bytes: [u8; 80],
    /// sha256d of the header, as it comes out (not reversed).
    pub hash: [u8; 32],
}

/// Why an engine cannot start or take a setting.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No threads were asked for.
    #[error("an engine needs at least one thread")]
    NoThreads,
    /// The limit is not a positive number.
    #[error("the hash rate limit must be a positive number of hashes a second, not {limit}")]
    BadLimit {
        /// What was given.
        limit: f64,
    },
    /// The threads cannot be pinned.
    #[error("cannot pin threads to processors: {reason}")]
    Pin {
        /// What the system said.
        reason: String,
    },
    /// The range of nonces is empty.
    #[error("an engine needs at least one nonce to try")]
    NoNonces,
    /// The system did not give us the threads.
    #[error("the system refused {threads} threads: {reason}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// What it said.
        reason: String,
    },
}

/// Running threads. Dropping it stops them and waits for them (a few milliseconds).
pub struct Engine {
    shared: Arc<Shared>,
    threads: usize,
    runner: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts the threads, without a job. Results arrive at the receiver, which disconnects when the engine has stopped.
    /// When more than a thousand results wait there, the threads wait too; dropping the receiver is allowed.
    ///
    /// # Errors
    /// When a setting makes no sense, or the system refuses the threads.
    pub fn start(config: EngineConfig) -> Result<(Engine, Receiver<Found>), EngineError> {
        if config.threads == 0 {
            return Err(EngineError::NoThreads);
        }
        if config.nonces.is_empty() {
            return Err(EngineError::NoNonces);
        }
        check_limit(config.limit_hashes_per_second)?;
        let threads = config.threads;
        let processors = if config.pin { pin::processors()? } else { Vec::new() };
        let refused = |reason: String| EngineError::Threads { threads, reason };
        let (sender, receiver) = mpsc::sync_channel(RESULTS_WAITING_MAX);
        let shared = Arc::new(Shared::new(&config, sender));
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|index| format!("hash-{index}"))
            .build()
            .map_err(|error| refused(error.to_string()))?;
        let for_threads = Arc::clone(&shared);
        // A pool does not wait for its threads when it is dropped, but `broadcast` returns only when all have ended:
        // so one more thread sits in it, and joining that thread is joining all.
        let runner = std::thread::Builder::new()
            .name("hash-engine".to_owned())
            .spawn(move || {
                pool.broadcast(|thread| {
                    if let Some(processor) = processors.get(thread.index() % processors.len().max(1)) {
                        pin::pin_to(*processor);
                    }
                    worker::run(&for_threads);
                });
            })
            .map_err(|error| refused(error.to_string()))?;
        Ok((Engine { shared, threads, runner: Some(runner) }, receiver))
    }

    /// Replaces the job; every thread hashes the new one within 5 ms. `None`: the threads rest.
    pub fn set_job(&self, job: Option<Job>) {
        self.shared.set_job(job);
    }

    /// Rests until [`resume`](Engine::resume); the job stays, and may be replaced meanwhile.
    pub fn pause(&self) {
        self.shared.set_paused(true);
    }

    /// Goes on after [`pause`](Engine::pause).
    pub fn resume(&self) {
        self.shared.set_paused(false);
    }

    /// Whether the engine is paused.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.shared.is_paused()
    }

    /// Changes the limit at once.
    ///
    /// # Errors
    /// [`EngineError::BadLimit`] when it is not a positive number; the old limit then stays.
    pub fn set_limit(&self, hashes_per_second: Option<f64>) -> Result<(), EngineError> {
        check_limit(hashes_per_second)?;
        self.shared.set_limit(hashes_per_second);
        Ok(())
    }

    /// Hashes computed since the start.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        self.shared.hashes()
    }

    /// Nonces that the kernel reported and sha2 did not confirm. Anything but 0 is a broken kernel or a broken processor.
    #[must_use]
    pub fn faults(&self) -> u64 {
        self.shared.faults()
    }

    /// Whether there is nothing to hash: no job, or the job has ended (found, or out of extra nonces).
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.shared.is_idle()
    }

    /// The number of hashing threads.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The kernel that hashes.
    #[must_use]
    pub fn kernel(&self) -> &'static dyn Kernel {
        self.shared.kernel()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(runner) = self.runner.take() {
            // An error here is a panic of a thread (of the caller's `Work`), which the panic hook has already reported.
            let _ = runner.join();
        }
    }
}

fn check_limit(limit: Option<f64>) -> Result<(), EngineError> {
    match limit {
        Some(limit) if !(limit.is_finite() && limit > 0.0) => Err(EngineError::BadLimit { limit }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
