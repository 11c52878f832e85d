use super::{Calibrated, calibrated, choose};
use crate::kernel;

fn of(rates: &[f64]) -> Vec<Calibrated> {
    kernel::all()
        .iter()
        .zip(rates)
        .map(|(kernel, rate)| Calibrated { kernel: *kernel, hashes_per_second: *rate })
        .collect()
}

#[test]
fn the_first_is_chosen_unless_another_is_clearly_faster() {
    let name = |rates: &[f64]| choose(&of(rates)).map(|kernel| kernel.name());
    let names: Vec<_> = kernel::all().iter().map(|kernel| Some(kernel.name())).collect();
    assert_eq!(name(&[1.0, 1.04]), names[0]);
    assert_eq!(name(&[1.0, 1.06]), names[1]);
    assert_eq!(name(&[]), None);
}

#[test]
fn what_is_calibrated_runs_here_and_was_measured() {
    for it in calibrated() {
        assert!(it.kernel.is_available() && it.hashes_per_second > 0.0, "{}", it.kernel.name());
        assert_ne!(it.kernel.name(), kernel::PORTABLE);
    }
}
