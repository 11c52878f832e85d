use super::{Measured, Settings, clock, measure, ratio_to_scalar, together};
use std::time::Duration;
use tally_kernels::{BIP_320_MASK, kernel};

fn row(kernel: &'static str, threads: usize, hashes: u64, seconds: f64, cpu_seconds: Option<f64>) -> Measured {
    let (versions, cpu_hashes, cycles_at_least) = (1, hashes, None);
    Measured { kernel, threads, versions, hashes, seconds, cpu_hashes, cpu_seconds, cycles_at_least }
}

#[test]
fn ratios_are_by_cpu_time_and_with_as_many_threads() {
    let rows = [
        row("scalar", 1, 1_000_000, 1.0, Some(0.5)),
        row("scalar", 2, 3_000_000, 1.0, Some(2.0)),
        row("fast", 1, 4_000_000, 2.0, Some(1.0)),
    ];
    assert_eq!(ratio_to_scalar(&rows[2], &rows), Some(2.0));
    assert_eq!(ratio_to_scalar(&rows[1], &rows), Some(1.0));
    assert_eq!(ratio_to_scalar(&row("fast", 3, 1, 1.0, None), &rows), None);
}

#[test]
fn without_cpu_time_ratios_are_by_the_wall() {
    let rows = [row("scalar", 1, 1_000_000, 1.0, None), row("fast", 1, 6_000_000, 2.0, None)];
    assert_eq!(ratio_to_scalar(&rows[1], &rows), Some(3.0));
    assert_eq!((rows[1].mhs(), rows[1].mhs_per_cpu_second()), (3.0, None));
}

#[test]
fn cycles_are_of_cpu_time_and_the_share_is_of_the_fewest() {
    let fast = Measured { cycles_at_least: Some(75.0), ..row("fast", 2, 1, 1.0, Some(2.0)) };
    let fast = Measured { cpu_hashes: 60_000_000, ..fast };
    assert_eq!((fast.cycles_per_hash(3e9), fast.share_of_bound(3e9)), (Some(100.0), Some(0.75)));
    assert_eq!(row("fast", 1, 1, 1.0, None).cycles_per_hash(3e9), None);
    assert_eq!(row("slow", 1, 1, 1.0, Some(1.0)).share_of_bound(3e9), None);
}

#[test]
fn the_mask_limits_how_many_versions_go_together() {
    for kernel in kernel::all() {
        assert_eq!(together(*kernel, 0), 1);
        assert!(together(*kernel, 0x2000) <= 2);
        assert_eq!(together(*kernel, BIP_320_MASK), kernel.versions());
    }
}

#[test]
fn a_clock_runs() {
    assert!((1e7..1e11).contains(&clock()), "{} Hz", clock());
}

#[test]
fn the_kernels_are_measured_in_one_run() {
    let kernels: Vec<_> = kernel::all().iter().copied().filter(|kernel| kernel.is_available()).collect();
    let settings = Settings { thread_counts: vec![1, 2], time: Duration::from_millis(50), ..Settings::default() };
    let rows = measure(&kernels, &settings).unwrap().rows;
    let names: Vec<(&str, usize)> = rows.iter().map(|row| (row.kernel, row.threads)).collect();
    let expected: Vec<(&str, usize)> =
        [1, 2].into_iter().flat_map(|threads| kernels.iter().map(move |kernel| (kernel.name(), threads))).collect();
    assert_eq!(names, expected);
    assert!(rows.iter().all(|row| row.hashes > 0 && row.cpu_hashes >= row.hashes && row.seconds >= 0.05));
}
