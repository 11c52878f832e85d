//! The kernels as a trait, and the list of them.

use crate::calibration;
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

    /// The fewest cycles of a processor in which it could do a hash with so many versions together, by counting its operations;
    /// `None` where processors differ too much in what they do in a cycle to say.
    fn cycles_at_least(&self, _versions: usize) -> Option<f64> {
        None
    }

    /// Tries all prepared versions with all nonces of the range, and appends to `hits` exactly those whose hash is at most
    /// the target, each once, in an order of its own.
    fn scan(&self, prepared: &Prepared, nonces: RangeInclusive<u32>, hits: &mut Vec<Hit>);
}

/// The name of the kernel that runs everywhere.
pub const PORTABLE: &str = "scalar";

/// Every kernel of this build, those last that should be fastest; some may not be available on this processor.
#[must_use]
pub fn all() -> &'static [&'static dyn Kernel] {
    &[
        &Scalar,
        &Sha2Crate,
        #[cfg(target_arch = "aarch64")]
        &crate::aarch64::Aarch64,
        #[cfg(target_arch = "x86_64")]
        &crate::avx2::Avx2,
        #[cfg(target_arch = "x86_64")]
        &crate::sha_ni::ShaNi,
        #[cfg(target_arch = "x86_64")]
        &crate::avx512::Avx512,
    ]
}

/// The kernel with this name, available or not.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static dyn Kernel> {
    all().iter().copied().find(|kernel| kernel.name() == name)
}

/// The kernel to use on this processor when nobody says otherwise: the fastest of those that run here, as
/// [measured](crate::calibration) at the first call, which takes a few milliseconds.
#[must_use]
pub fn best() -> &'static dyn Kernel {
    calibration::choose(calibration::calibrated()).unwrap_or(&Scalar)
}

#[cfg(test)]
mod tests;
