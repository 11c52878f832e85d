//! Threads that stay on a processor each.
//!
//! A thread that the system moves loses its caches, and two that share a processor for a while leave another one idle. Where a
//! machine does nothing but mine, pinning keeps them apart.

use super::EngineError;

/// The processors that this process may use, in order.
///
/// # Errors
/// [`EngineError::Pin`] where the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn processors() -> Result<Vec<usize>, EngineError> {
    use rustix::thread::{CpuSet, sched_getaffinity};
    let allowed = sched_getaffinity(None).map_err(|error| EngineError::Pin { reason: error.to_string() })?;
    Ok((0..CpuSet::MAX_CPU).filter(|processor| allowed.is_set(*processor)).collect())
}

#[cfg(not(target_os = "linux"))]
pub(super) fn processors() -> Result<Vec<usize>, EngineError> {
    Err(EngineError::Pin { reason: "pinning is known for Linux only".to_owned() })
}

/// Keeps the calling thread on this processor. If the system takes that processor away meanwhile, the thread stays free.
#[cfg(target_os = "linux")]
pub(super) fn pin_to(processor: usize) {
    use rustix::thread::{CpuSet, sched_setaffinity};
    let mut only = CpuSet::new();
    only.set(processor);
    // An error means that the processor has just gone; a free thread hashes as well.
    let _ = sched_setaffinity(None, &only);
}

#[cfg(not(target_os = "linux"))]
pub(super) fn pin_to(_processor: usize) {}
