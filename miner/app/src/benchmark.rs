//! Measures kernels: each with each number of threads, in short turns, so that whatever else the machine does strikes all
//! of them alike; by the wall and by CPU time, since only the latter is fair on a busy machine.

use crate::error::MinerError;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tally_kernels::{CoinbaseWork, Engine, EngineConfig, Job, Kernel, Report};

/// Each kernel gets this many turns.
const TURNS: u32 = 10;

/// Not measured: the time in which a thread finds the size of its batches.
const WARM_UP: Duration = Duration::from_millis(50);

/// Not measured: the beginning of each turn, in which the last contender's threads come to rest and ours wake.
const LEAD: Duration = Duration::from_millis(5);

/// The kernel that ratios refer to.
const YARDSTICK: &str = "scalar";

/// What was measured of a kernel with a number of threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The kernel.
    pub kernel: &'static str,
    /// Hashing threads.
    pub threads: usize,
    /// Hashes computed.
    pub hashes: u64,
    /// By the wall.
    pub seconds: f64,
    /// Of all threads together; `None` where the system does not tell.
    pub cpu_seconds: Option<f64>,
}

impl Measured {
    /// Million hashes a second.
    #[must_use]
    pub fn mhs(&self) -> f64 {
        self.hashes as f64 / self.seconds / 1e6
    }

    /// Million hashes a second and thread, or core if there are fewer cores than threads.
    #[must_use]
    pub fn mhs_per_core(&self) -> f64 {
        self.mhs() / self.threads.min(EngineConfig::default().threads) as f64
    }

    /// Million hashes in a second of one processor.
    #[must_use]
    pub fn mhs_per_cpu_second(&self) -> Option<f64> {
        self.cpu_seconds.filter(|seconds| *seconds > 0.0).map(|seconds| self.hashes as f64 / seconds / 1e6)
    }
}

/// How many times as fast as `scalar` on as many threads in the same run: by CPU time if known, else by the wall.
#[must_use]
pub fn ratio_to_scalar(row: &Measured, all: &[Measured]) -> Option<f64> {
    let scalar = all.iter().find(|other| other.kernel == YARDSTICK && other.threads == row.threads)?;
    match (row.mhs_per_cpu_second(), scalar.mhs_per_cpu_second()) {
        (Some(row), Some(scalar)) => Some(row / scalar),
        _ => Some(row.mhs() / scalar.mhs()),
    }
}

/// An engine that hashes only in its turn.
struct Contender {
    engine: Engine,
    measured: Measured,
}

impl Contender {
    fn new(kernel: &'static dyn Kernel, threads: usize) -> Result<Contender, MinerError> {
        let (engine, _nobody_finds) = Engine::start(EngineConfig { threads, kernel, ..EngineConfig::default() })?;
        engine.pause();
        let work = CoinbaseWork {
            header: [0x5a; 80],
            version_mask: 0,
            // No hash is zero.
            target: [0; 32],
            coinbase_prefix: Vec::new(),
            coinbase_suffix: Vec::new(),
            extra_nonce_size: 8,
            branch: Vec::new(),
        };
        engine.set_job(Some(Job { id: 0, report: Report::Every, work: Arc::new(work) }));
        let measured = Measured { kernel: kernel.name(), threads, hashes: 0, seconds: 0.0, cpu_seconds: Some(0.0) };
        Ok(Contender { engine, measured })
    }

    fn take_turn(&mut self, time: Duration) {
        self.engine.resume();
        std::thread::sleep(LEAD);
        let cpu_before = process_cpu_seconds();
        let before = self.engine.hashes();
        let began = Instant::now();
        std::thread::sleep(time);
        // Hashes are counted by batches of a millisecond: both ends are off by the same half of one, on average.
        self.measured.hashes += self.engine.hashes() - before;
        self.measured.seconds += began.elapsed().as_secs_f64();
        let spent = process_cpu_seconds().zip(cpu_before).map(|(after, before)| after - before);
        self.measured.cpu_seconds = self.measured.cpu_seconds.zip(spent).map(|(sum, spent)| sum + spent);
        self.engine.pause();
    }
}

/// Measures every kernel with every number of threads for so long.
///
/// # Errors
/// When the system refuses the threads.
pub fn measure(
    kernels: &[&'static dyn Kernel],
    thread_counts: &[usize],
    time: Duration,
) -> Result<Vec<Measured>, MinerError> {
    let mut contenders = Vec::new();
    for threads in thread_counts {
        for kernel in kernels {
            let mut contender = Contender::new(*kernel, *threads)?;
            contender.take_turn(WARM_UP);
            contender.measured = Measured { hashes: 0, seconds: 0.0, cpu_seconds: Some(0.0), ..contender.measured };
            contenders.push(contender);
        }
    }
    for _ in 0..TURNS {
        for contender in &mut contenders {
            contender.take_turn(time / TURNS);
        }
    }
    Ok(contenders.into_iter().map(|contender| contender.measured).collect())
}

/// CPU time of this process's living threads, to the nanosecond (Linux; see proc(5), schedstat).
fn process_cpu_seconds() -> Option<f64> {
    let mut nanoseconds = 0_u64;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let statistics = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        nanoseconds += statistics.split(' ').next()?.parse::<u64>().ok()?;
    }
    Some(nanoseconds as f64 / 1e9)
}

#[cfg(test)]
mod tests;
