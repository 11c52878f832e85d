use super::{Measured, ratio_to_scalar};

fn row(kernel: &'static str, threads: usize, hashes: u64, seconds: f64, cpu_seconds: Option<f64>) -> Measured {
    Measured { kernel, threads, hashes, seconds, cpu_seconds }
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
fn the_kernels_are_measured_in_one_run() {
    let kernels = tally_kernels::kernel::all();
    let measured = super::measure(kernels, &[1, 2], std::time::Duration::from_millis(50)).unwrap();
    let names: Vec<(&str, usize)> = measured.iter().map(|row| (row.kernel, row.threads)).collect();
    let expected: Vec<(&str, usize)> =
        [1, 2].into_iter().flat_map(|threads| kernels.iter().map(move |kernel| (kernel.name(), threads))).collect();
    assert_eq!(names, expected);
    assert!(measured.iter().all(|row| row.hashes > 0 && row.seconds >= 0.05));
}
