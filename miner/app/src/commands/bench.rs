//! `miner bench`.

use super::print;
use crate::benchmark::{self, Measured};
use crate::cli::BenchArgs;
use crate::error::MinerError;
use serde_json::json;
use std::fmt::Write;
use tally_kernels::{EngineConfig, Kernel, kernel};

pub(super) fn bench(args: &BenchArgs) -> Result<(), MinerError> {
    let kernels = kernels(args)?;
    let measured = benchmark::measure(&kernels, &thread_counts(args), args.seconds)?;
    print(&if args.json { json_lines(&measured) } else { table(&measured) })
}

fn kernels(args: &BenchArgs) -> Result<Vec<&'static dyn Kernel>, MinerError> {
    if args.kernel.is_empty() {
        return Ok(kernel::all().iter().copied().filter(|kernel| kernel.is_available()).collect());
    }
    let mut kernels: Vec<&'static dyn Kernel> = Vec::new();
    for choice in &args.kernel {
        let kernel = choice.0;
        if !kernel.is_available() {
            return Err(MinerError::KernelUnavailable { kernel: kernel.name() });
        }
        if kernels.iter().all(|other| other.name() != kernel.name()) {
            kernels.push(kernel);
        }
    }
    Ok(kernels)
}

fn thread_counts(args: &BenchArgs) -> Vec<usize> {
    let mut counts: Vec<usize> = args.threads.iter().map(|threads| usize::from(*threads)).collect();
    if counts.is_empty() {
        counts = vec![1, EngineConfig::default().threads];
    }
    counts.sort_unstable();
    counts.dedup();
    counts
}

fn json_lines(measured: &[Measured]) -> String {
    let mut text = String::new();
    for row in measured {
        let object = json!({
            "kernel": row.kernel, "threads": row.threads, "hashes": row.hashes, "seconds": row.seconds, "mhs": row.mhs(),
            "mhs_per_core": row.mhs_per_core(), "cpu_seconds": row.cpu_seconds,
            "mhs_per_cpu_second": row.mhs_per_cpu_second(), "ratio_to_scalar": benchmark::ratio_to_scalar(row, measured),
        });
        text.push_str(&object.to_string());
        text.push('\n');
    }
    text
}

fn table(measured: &[Measured]) -> String {
    let mut text = format!(
        "{:<8} {:>7} {:>14} {:>8} {:>9} {:>10} {:>14} {:>10}\n",
        "kernel", "threads", "hashes", "seconds", "MH/s", "MH/s/core", "MH/CPU-second", "× scalar"
    );
    for row in measured {
        let or_dash = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.3}"));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<8} {:>7} {:>14} {:>8.2} {:>9.3} {:>10.3} {:>14} {:>10}",
            row.kernel,
            row.threads,
            row.hashes,
            row.seconds,
            row.mhs(),
            row.mhs_per_core(),
            or_dash(row.mhs_per_cpu_second()),
            or_dash(benchmark::ratio_to_scalar(row, measured)),
        );
    }
    text
}
