//! `miner bench`.

use super::print;
use crate::benchmark::{self, Run, Settings};
use crate::cli::BenchArgs;
use crate::error::MinerError;
use serde_json::json;
use std::fmt::Write;
use tally_kernels::{BIP_320_MASK, EngineConfig, Kernel, kernel};

pub(super) fn bench(args: &BenchArgs) -> Result<(), MinerError> {
    let kernels = kernels(args)?;
    let settings = Settings {
        thread_counts: thread_counts(args),
        version_mask: args.versions.unwrap_or(BIP_320_MASK),
        time: args.seconds,
        pin: args.pin,
    };
    let run = benchmark::measure(&kernels, &settings)?;
    print(&if args.json { json_lines(&run) } else { table(&run) })
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

fn json_lines(run: &Run) -> String {
    let mut text = String::new();
    for row in &run.rows {
        let object = json!({
            "kernel": row.kernel, "threads": row.threads, "versions": row.versions, "hashes": row.hashes,
            "seconds": row.seconds, "mhs": row.mhs(), "mhs_per_core": row.mhs_per_core(),
            "cpu_seconds": row.cpu_seconds, "mhs_per_cpu_second": row.mhs_per_cpu_second(),
            "ratio_to_scalar": benchmark::ratio_to_scalar(row, &run.rows), "clock_ghz": run.clock / 1e9,
            "cycles_per_hash": row.cycles_per_hash(run.clock), "share_of_bound": row.share_of_bound(run.clock),
        });
        text.push_str(&object.to_string());
        text.push('\n');
    }
    text
}

fn table(run: &Run) -> String {
    let mut text = format!(
        "{:<8} {:>7} {:>8} {:>12} {:>7} {:>9} {:>9} {:>13} {:>8} {:>11} {:>8}\n",
        "kernel",
        "threads",
        "versions",
        "hashes",
        "seconds",
        "MH/s",
        "MH/s/core",
        "MH/CPU-second",
        "× scalar",
        "cycles/hash",
        "of bound"
    );
    for row in &run.rows {
        let or_dash = |value: Option<f64>, digits: usize| {
            value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
        };
        let share =
            row.share_of_bound(run.clock).map_or_else(|| "-".to_owned(), |share| format!("{:.0} %", 100.0 * share));
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{:<8} {:>7} {:>8} {:>12} {:>7.2} {:>9.3} {:>9.3} {:>13} {:>8} {:>11} {:>8}",
            row.kernel,
            row.threads,
            row.versions,
            row.hashes,
            row.seconds,
            row.mhs(),
            row.mhs_per_core(),
            or_dash(row.mhs_per_cpu_second(), 3),
            or_dash(benchmark::ratio_to_scalar(row, &run.rows), 3),
            or_dash(row.cycles_per_hash(run.clock), 1),
            share,
        );
    }
    let _ = writeln!(text, "clock {:.2} GHz, by a chain of dependent operations", run.clock / 1e9);
    text
}
