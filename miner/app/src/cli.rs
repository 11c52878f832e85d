//! The command line.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::time::Duration;
use tally_kernels::{BIP_320_MASK, Kernel, kernel};

const EXAMPLES: &str = "\
Examples:
  miner run --rpc http://127.0.0.1:29741 --cookie ~/.tallystick/devnet/.cookie --address dtally1…
  miner run --rpc 127.0.0.1:19741 --cookie node-0/.cookie --address ttally1… --threads 1 --limit 25k
  miner bench --kernel sha2 --threads 1 --seconds 5 --json
  miner kernels

Exit codes: 2 wrong usage, 4 refused by the node, 5 node unreachable, 1 anything else";

/// A miner for Tallystick: takes work from a node and hashes it on all cores.
#[derive(Debug, Parser)]
#[command(name = "miner", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Mine until stopped (Ctrl-C)
    #[command(after_help = RUN_EXAMPLES)]
    Run(Box<RunArgs>),
    /// Measure the kernels
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(BenchArgs),
    /// Say what this processor offers, and what would be chosen
    #[command(after_help = "Example:\n  miner kernels --json")]
    Kernels(KernelsArgs),
    /// Print completions for a shell
    #[command(after_help = "Example:\n  miner completions bash > ~/.local/share/bash-completion/completions/miner")]
    Completions(CompletionsArgs),
}

const RUN_EXAMPLES: &str = "\
Examples:
  miner run --rpc http://127.0.0.1:29741 --cookie ~/.tallystick/devnet/.cookie --address dtally1…
  miner run --rpc 10.0.0.1:9741 --rpc 10.0.0.2:9741 --rpc-user me --address tally1…
  miner run --stratum 127.0.0.1:9743 --user tally1…
  MINER_STRATUM_PASSWORD=secret miner run --stratum stratum+tcp://pool.example:3333 --user me.desk --threads 2

With several --rpc or --stratum the first that answers is used, and the next when it fails.
With --json each line is an object with an `event`: started, connected, work, block, share, no_work, lost, notice, fault,
status, stopping, ended.";

/// `miner run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// A node's RPC; may be given several times
    #[arg(
        long,
        required_unless_present = "stratum",
        conflicts_with = "stratum",
        requires = "address",
        value_name = "URL"
    )]
    pub rpc: Vec<String>,
    /// A pool's (or a node's) Stratum server, instead of --rpc; may be given several times
    #[arg(long, requires = "user", conflicts_with_all = ["address", "cookie", "rpc_user"], value_name = "HOST:PORT")]
    pub stratum: Vec<String>,
    /// With --stratum: who the pool credits; for a Tallystick node, the address that blocks pay
    #[arg(long, requires = "stratum", value_name = "NAME")]
    pub user: Option<String>,
    /// With --stratum: that user's password; better given by the environment, where other users cannot read it
    #[arg(long, value_name = "PASSWORD", default_value = "x", env = "MINER_STRATUM_PASSWORD", hide_env_values = true)]
    pub password: String,
    /// The node's cookie file (.cookie in its data directory); one for all nodes, or one for each
    #[arg(long, value_name = "PATH", conflicts_with = "rpc_user")]
    pub cookie: Vec<PathBuf>,
    /// A user that the node was configured with, instead of a cookie
    #[arg(long, value_name = "NAME", requires = "rpc_password")]
    pub rpc_user: Option<String>,
    /// That user's password; better given by the environment, where other users cannot read it
    #[arg(long, value_name = "PASSWORD", env = "MINER_RPC_PASSWORD", hide_env_values = true)]
    pub rpc_password: Option<String>,
    /// With --rpc: whom the blocks pay
    #[arg(long, value_name = "ADDRESS")]
    pub address: Option<String>,
    /// Hashing threads [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Hashes a second at most, of all threads together; k, M and G may follow
    #[arg(long, value_name = "H/s", value_parser = parse_rate)]
    pub limit: Option<f64>,
    /// Keep each thread on a processor of its own (Linux)
    #[arg(long)]
    pub pin: bool,
    /// The kernel; auto takes the fastest
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = kernel_parser())]
    pub kernel: KernelChoice,
    /// Stop after so many blocks were accepted
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub blocks: Option<u64>,
    /// With --stratum: stop after so many shares were accepted
    #[arg(long, requires = "stratum", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub shares: Option<u64>,
    /// With --rpc: ask for new work at least every so many seconds, so that the blocks' time moves
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u64).range(1..=600))]
    pub refresh: u64,
    /// Wait for the node or pool if it does not answer at the start
    #[arg(long)]
    pub wait: bool,
    /// A JSON object a line instead of text
    #[arg(long)]
    pub json: bool,
}

const BENCH_EXAMPLES: &str = "\
Examples:
  miner bench
  miner bench --kernel scalar --kernel sha2 --threads 1 --seconds 5
  miner bench --kernel avx512 --threads 1 --seconds 5 --json
  miner bench --versions off

Absolute rates swing with whatever else the machine does; the kernels are measured in turns, so compare the ratios.
The clock is measured in the same run by a chain of dependent operations, and cycles per hash follow from it and from CPU time;
the share of the bound says how near a kernel comes to what the processor could do (where that can be said).
With --json each line is an object: kernel, threads, versions, hashes, seconds, mhs, mhs_per_core, cpu_seconds,
mhs_per_cpu_second, ratio_to_scalar (to scalar on as many threads in this run, by CPU time; null without it), clock_ghz,
cycles_per_hash, share_of_bound.";

/// `miner bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// A kernel to measure; may be given several times [default: all that run here]
    #[arg(long, value_name = "NAME", value_parser = kernel_parser())]
    pub kernel: Vec<KernelChoice>,
    /// Hashing threads; may be given several times [default: one, and all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Vec<u16>,
    /// Versions of a header that may be tried: a power of two up to 65536, or off for one [default: 65536]
    #[arg(long, value_name = "N", value_parser = parse_versions)]
    pub versions: Option<u32>,
    /// Keep each thread on a processor of its own (Linux)
    #[arg(long)]
    pub pin: bool,
    /// Seconds to measure each kernel with each number of threads
    #[arg(long, default_value = "3", value_parser = parse_seconds)]
    pub seconds: Duration,
    /// A JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,
}

/// `miner kernels`.
#[derive(Debug, Args)]
pub struct KernelsArgs {
    /// A JSON object a line instead of a table
    #[arg(long)]
    pub json: bool,
}

/// `miner completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// A kernel by its name.
#[derive(Clone, Copy)]
pub struct KernelChoice(pub &'static dyn Kernel);

impl std::fmt::Debug for KernelChoice {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.name())
    }
}

fn kernel_parser() -> impl TypedValueParser<Value = KernelChoice> {
    let auto = PossibleValue::new("auto").help("the fastest that runs here");
    let named = kernel::all().iter().map(|kernel| PossibleValue::new(kernel.name()).help(kernel.description()));
    // Only names of the list arrive here, and all but `auto` are kernels.
    PossibleValuesParser::new(std::iter::once(auto).chain(named))
        .map(|name| KernelChoice(kernel::by_name(&name).unwrap_or_else(kernel::best)))
}

/// A rate: a number, with k, M or G for a thousand, a million or a milliard.
fn parse_rate(text: &str) -> Result<f64, String> {
    let (number, unit) = match text.char_indices().next_back() {
        Some((at, 'k' | 'K')) => (&text[..at], 1e3),
        Some((at, 'M')) => (&text[..at], 1e6),
        Some((at, 'G')) => (&text[..at], 1e9),
        _ => (text, 1.0),
    };
    match number.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate * unit),
        _ => Err("expected a positive number of hashes a second, such as 1000, 25k or 1.5M".to_owned()),
    }
}

/// A number of versions as bits of a mask: the lowest of those that BIP 320 gives to miners.
fn parse_versions(text: &str) -> Result<u32, String> {
    let versions = if text == "off" { Ok(1) } else { text.parse::<u32>() };
    match versions {
        Ok(versions) if versions.is_power_of_two() && versions <= 1 << BIP_320_MASK.count_ones() => {
            Ok((versions - 1) << BIP_320_MASK.trailing_zeros())
        }
        _ => Err("expected off, or a power of two up to 65536".to_owned()),
    }
}

fn parse_seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.1..=3600.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected a number of seconds from 0.1 to 3600".to_owned()),
    }
}

#[cfg(test)]
mod tests;
