//! Which kernel is fastest here: asked of the processor, by letting each hash for a moment.
//!
//! Which instructions a processor has does not tell how fast they are. (On one with slow SHA instructions eight lanes of plain
//! ones may be faster; sixteen lanes may cost clock speed.) So they are measured, once a process, in a few milliseconds.

use crate::kernel::{self, Kernel};
use crate::prepared::Prepared;
use std::sync::OnceLock;
use std::time::Instant;

/// Hashes of a measurement: a fraction of a millisecond.
const HASHES: u32 = 8192;

/// Each kernel has so many turns, and its best one counts: a processor can lose time to others, but never gain any.
const TURNS: usize = 3;

/// A kernel must be so much faster than one that stands before it in the order of preference to be taken: what is about as
/// fast shall not change from run to run.
const CLEARLY_FASTER: f64 = 1.05;

/// What was measured of a kernel.
#[derive(Clone, Copy)]
pub struct Calibrated {
    /// The kernel.
    pub kernel: &'static dyn Kernel,
    /// Hashes a second of one thread, for a moment.
    pub hashes_per_second: f64,
}

/// All kernels that were worth measuring here, in order of preference; the first call takes a few milliseconds. Empty where
/// there is no choice: only the portable kernel runs here.
#[must_use]
pub fn calibrated() -> &'static [Calibrated] {
    static CALIBRATED: OnceLock<Vec<Calibrated>> = OnceLock::new();
    CALIBRATED.get_or_init(|| measure(&contenders()))
}

/// The kernel to take: the first in the order of preference, unless another is clearly faster.
pub(crate) fn choose(calibrated: &[Calibrated]) -> Option<&'static dyn Kernel> {
    let faster = |best: Calibrated, other: Calibrated| {
        if other.hashes_per_second > best.hashes_per_second * CLEARLY_FASTER { other } else { best }
    };
    calibrated.iter().copied().reduce(faster).map(|chosen| chosen.kernel)
}

/// What runs here, best first as far as one can tell without measuring; without the portable kernel, which is never best, and
/// takes long to measure.
fn contenders() -> Vec<&'static dyn Kernel> {
    // Miri has no special instructions, and no sense of speed.
    if cfg!(miri) {
        return Vec::new();
    }
    let special = kernel::all().iter().rev().copied().filter(|kernel| kernel.name() != kernel::PORTABLE);
    special.filter(|kernel| kernel.is_available()).collect()
}

fn measure(kernels: &[&'static dyn Kernel]) -> Vec<Calibrated> {
    let mut all: Vec<Calibrated> =
        kernels.iter().map(|kernel| Calibrated { kernel: *kernel, hashes_per_second: 0.0 }).collect();
    for _ in 0..TURNS {
        for it in &mut all {
            it.hashes_per_second = it.hashes_per_second.max(rate(it.kernel));
        }
    }
    all
}

fn rate(kernel: &dyn Kernel) -> f64 {
    let versions: Vec<u32> = (0..).take(kernel.versions()).collect();
    // No hash is zero.
    let prepared = Prepared::with_versions(&[0x5a; 80], &[0; 32], &versions);
    let nonces = HASHES / u32::try_from(versions.len()).unwrap_or(HASHES).max(1);
    let began = Instant::now();
    kernel.scan(&prepared, 0..=nonces - 1, &mut Vec::new());
    f64::from(nonces) * versions.len() as f64 / began.elapsed().as_secs_f64().max(1e-9)
}

#[cfg(test)]
mod tests;
