//! Measures kernels: each with each number of threads, in short turns, so that whatever else the machine does strikes all
//! of them alike; by the wall and by CPU time, since only the latter is fair on a busy machine.

use crate::error::MinerError;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tally_kernels::{BIP_320_MASK, CoinbaseWork, Engine, EngineConfig, Job, Kernel, Report};

/// Each kernel gets this many turns.
const TURNS: u32 = 10;

/// Not measured: the time in which a thread finds the size of its batches.
const WARM_UP: Duration = Duration::from_millis(50);

/// Not measured: the beginning of each turn, in which the last contender's threads come to rest and ours wake.
const LEAD: Duration = Duration::from_millis(5);

/// The kernel that ratios refer to.
const YARDSTICK: &str = "scalar";

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Numbers of threads.
    pub thread_counts: Vec<usize>,
    /// Bits of the version that may be changed; 0: none.
    pub version_mask: u32,
    /// How long each kernel is measured with each number of threads.
    pub time: Duration,
    /// Whether threads stay on a processor each.
    pub pin: bool,
}

impl Default for Settings {
    /// One thread with all version bits for a second.
    fn default() -> Settings {
        Settings { thread_counts: vec![1], version_mask: BIP_320_MASK, time: Duration::from_secs(1), pin: false }
    }
}

/// What was measured of a kernel with a number of threads.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// The kernel.
    pub kernel: &'static str,
    /// Hashing threads.
    pub threads: usize,
    /// Versions of a header tried together.
    pub versions: usize,
    /// Hashes computed while the time was taken.
    pub hashes: u64,
    /// By the wall.
    pub seconds: f64,
    /// Hashes computed from rest to rest.
    pub cpu_hashes: u64,
    /// CPU time for them, of all threads together; `None` where the system does not tell.
    pub cpu_seconds: Option<f64>,
    /// The fewest cycles for a hash, if that can be said.
    pub cycles_at_least: Option<f64>,
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
        self.cpu_seconds.filter(|seconds| *seconds > 0.0).map(|seconds| self.cpu_hashes as f64 / seconds / 1e6)
    }

    /// Cycles of a processor with this clock (in hertz) for a hash.
    #[must_use]
    pub fn cycles_per_hash(&self, clock: f64) -> Option<f64> {
        self.mhs_per_cpu_second().map(|rate| clock / rate / 1e6)
    }

    /// Which share of what the processor could do at this clock it did.
    #[must_use]
    pub fn share_of_bound(&self, clock: f64) -> Option<f64> {
        self.cycles_at_least.zip(self.cycles_per_hash(clock)).map(|(bound, cycles)| bound / cycles)
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

/// A run: its rows, and the clock while it lasted.
#[derive(Clone, Debug)]
pub struct Run {
    /// A row for each kernel and number of threads.
    pub rows: Vec<Measured>,
    /// Cycles a second.
    pub clock: f64,
}

/// An engine that hashes only in its turn.
struct Contender {
    engine: Engine,
    measured: Measured,
}

impl Contender {
    fn new(kernel: &'static dyn Kernel, threads: usize, settings: &Settings) -> Result<Contender, MinerError> {
        let config = EngineConfig { threads, kernel, pin: settings.pin, ..EngineConfig::default() };
        let (engine, _nobody_finds) = Engine::start(config)?;
        engine.pause();
        let work = CoinbaseWork {
            header: [0x5a; 80],
            version_mask: settings.version_mask,
            // No hash is zero.
            target: [0; 32],
            coinbase_prefix: Vec::new(),
            coinbase_suffix: Vec::new(),
            extra_nonce_size: 8,
            branch: Vec::new(),
        };
        engine.set_job(Some(Job { id: 0, report: Report::Every, work: Arc::new(work) }));
        let versions = together(kernel, settings.version_mask);
        let cycles_at_least = kernel.cycles_at_least(versions);
        let measured = Measured {
            kernel: kernel.name(),
            threads,
            versions,
            hashes: 0,
            seconds: 0.0,
            cpu_hashes: 0,
            cpu_seconds: Some(0.0),
            cycles_at_least,
        };
        Ok(Contender { engine, measured })
    }

    fn take_turn(&mut self, time: Duration) {
        let at_rest = (process_cpu_seconds(), self.engine.hashes());
        self.engine.resume();
        std::thread::sleep(LEAD);
        let before = self.engine.hashes();
        let began = Instant::now();
        std::thread::sleep(time);
        // Hashes are counted by batches of a millisecond: both ends are off by the same half of one, on average.
        self.measured.hashes += self.engine.hashes() - before;
        self.measured.seconds += began.elapsed().as_secs_f64();
        self.engine.pause();
        // The system counts a thread's CPU time exactly when the thread rests. So wait until all do.
        std::thread::sleep(LEAD);
        self.measured.cpu_hashes += self.engine.hashes() - at_rest.1;
        let spent = process_cpu_seconds().zip(at_rest.0).map(|(after, before)| after - before);
        self.measured.cpu_seconds = self.measured.cpu_seconds.zip(spent).map(|(sum, spent)| sum + spent);
    }
}

/// How many versions the engine tries together: as many as the kernel likes and the mask gives, a power of two.
fn together(kernel: &dyn Kernel, version_mask: u32) -> usize {
    let most = 1_usize << version_mask.count_ones().min(16);
    1 << kernel.versions().min(most).max(1).ilog2()
}

/// Measures every kernel with every number of threads.
///
/// # Errors
/// When the system refuses the threads.
pub fn measure(kernels: &[&'static dyn Kernel], settings: &Settings) -> Result<Run, MinerError> {
    let mut contenders = Vec::new();
    for threads in &settings.thread_counts {
        for kernel in kernels {
            let mut contender = Contender::new(*kernel, *threads, settings)?;
            let fresh = contender.measured.clone();
            contender.take_turn(WARM_UP);
            contender.measured = fresh;
            contenders.push(contender);
        }
    }
    let mut clocks = Vec::new();
    for _ in 0..TURNS {
        for contender in &mut contenders {
            clocks.push(clock());
            contender.take_turn(settings.time / TURNS);
        }
    }
    clocks.sort_by(f64::total_cmp);
    let clock = clocks.get(clocks.len() / 2).copied().unwrap_or(f64::NAN);
    Ok(Run { rows: contenders.into_iter().map(|contender| contender.measured).collect(), clock })
}

/// The processor's clock in hertz, from a chain of operations that each need the one before: a rotate and an addition take a
/// cycle each on every processor of today. The best of a few tries, since a thread that loses the processor seems slower.
fn clock() -> f64 {
    const STEPS: u32 = 200_000;
    let seconds = (0..5)
        .map(|_| {
            let began = Instant::now();
            let mut value = black_box(1_u32);
            for _ in 0..STEPS {
                value = value.rotate_left(7).wrapping_add(0x9e37_79b9);
            }
            black_box(value);
            began.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min);
    2.0 * f64::from(STEPS) / seconds
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
