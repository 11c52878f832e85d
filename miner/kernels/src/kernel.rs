//! The kernels as a trait, and the list of them.

use crate::prepared::{Hit, Prepared};
use crate::scalar::Scalar;
use crate::sha2_crate::Sha2Crate;
use std::ops::RangeInclusive;

/// A way to try nonces.
pub trait Kernel: Send + Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// What it is, in a line.
    fn description(&self) -> &'static str;

    /// Whether this processor has what it needs. `scan` may only be called then.
    fn is_available(&self) -> bool;

    /// How many versions of a header it would like to try at once: 1 where it gains nothing from more.
    fn versions(&self) -> usize {
        1
    }

    /// Tries all prepared versions with all nonces of the range, and appends to `hits` exactly those whose hash is at most
    /// the target, each once, in an order of its own.
    fn scan(&self, prepared: &Prepared, nonces: RangeInclusive<u32>, hits: &mut Vec<Hit>);
}

/// Every kernel of this build, slowest first; some may not be available on this processor.
#[must_use]
pub fn all() -> &'static [&'static dyn Kernel] {
    &[&Scalar, &Sha2Crate]
}

/// The kernel with this name, available or not.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Kernel> {
    all().iter().copied().find(|kernel| kernel.name() == name)
}

/// The kernel to use on this processor when nobody says otherwise.
///
/// The sha2 crate is the faster one where it has instructions for SHA-256; where it would compute portably too, our own
/// portable kernel saves more.
#[must_use]
pub fn best() -> &'static dyn Kernel {
    if processor_has_sha256() { &Sha2Crate } else { &Scalar }
}

#[cfg(any(target_arch = "x86_64", target_arch = "x86"))]
fn processor_has_sha256() -> bool {
    use std::arch::is_x86_feature_detected as has;
    has!("sha") && has!("sse2") && has!("ssse3") && has!("sse4.1")
}

#[cfg(target_arch = "aarch64")]
fn processor_has_sha256() -> bool {
    std::arch::is_aarch64_feature_detected!("sha2")
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "x86", target_arch = "aarch64")))]
fn processor_has_sha256() -> bool {
    false
}

#[cfg(test)]
mod tests;
