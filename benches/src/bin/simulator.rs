//! How fast the simulator is: the six-region world with thousands of real nodes, in CPU time and memory. One thread.
//!
//! `cargo run --release -p tally-benches --bin simulator -- --nodes 6000 --blocks 100`

use std::env;
use std::fs;
use std::process::Command;

use clap::Parser;
use tally_sim::globe::Globe;

/// Asks glibc for large pages where the system has them (transparent huge pages): thousands of nodes are spread over more small ones than a processor
/// remembers. It is read before a program begins, so the benchmark starts itself again with it.
const LARGE_PAGES: (&str, &str) = ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1");

/// Clock ticks a second in /proc, on every Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// Where user and system time stand in /proc/self/stat, counted behind the program's name.
const USER_TIME: usize = 11;
const SYSTEM_TIME: usize = 12;

/// Runs the six-region world and prints what it cost.
#[derive(Parser)]
struct Args {
    /// Nodes
    #[arg(long, default_value_t = 6_000)]
    nodes: usize,
    /// Blocks
    #[arg(long, default_value_t = 100)]
    blocks: u64,
    /// Seconds between blocks
    #[arg(long, default_value_t = 600)]
    spacing: u64,
    /// Let nodes ping each other every minute, as in life; `SimBlock`'s do not
    #[arg(long)]
    pings: bool,
    /// Let nodes tell each other of addresses, as in life; `SimBlock`'s do not
    #[arg(long)]
    gossip: bool,
    /// Do not ask for large pages of memory
    #[arg(long)]
    small_pages: bool,
    /// Measure how long blocks take to half and nine tenths of the nodes
    #[arg(long)]
    propagation: bool,
    /// The seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() {
    let args = Args::parse();
    if !args.small_pages && env::var_os(LARGE_PAGES.0).is_none() {
        start_again_with_large_pages();
    }
    let globe = Globe {
        seed: args.seed,
        nodes: args.nodes,
        blocks: args.blocks,
        spacing_ms: args.spacing * 1_000,
        ping_interval_ms: (!args.pings).then_some(u64::MAX >> 1),
        gossip: args.gossip,
        measures_propagation: args.propagation,
    };
    let report = globe.run();
    let seconds = cpu_seconds().unwrap_or(f64::NAN);
    println!("nodes        {} with {} links", args.nodes, report.links);
    println!(
        "blocks       {} in {} virtual seconds, height {}",
        report.blocks,
        report.virtual_ms / 1_000,
        report.height
    );
    println!("behind       {} nodes; {} violations", report.behind, report.violations);
    if args.propagation {
        println!("propagation  {} ms to half of the nodes, {} ms to nine tenths", report.half_ms, report.ninety_ms);
    }
    println!("messages     {}", report.messages);
    println!("events       {}", report.steps);
    println!("hash         {}", report.log_hash);
    println!("CPU          {seconds:.2} s, {:.0} events a second", report.steps as f64 / seconds);
    println!("memory       {:.0} MB at most", peak_megabytes().unwrap_or(f64::NAN));
}

/// Returns only if that fails: then small pages have to do.
#[cfg(unix)]
fn start_again_with_large_pages() {
    use std::os::unix::process::CommandExt;
    if let Ok(program) = env::current_exe() {
        let error = Command::new(program).args(env::args_os().skip(1)).env(LARGE_PAGES.0, LARGE_PAGES.1).exec();
        eprintln!("no large pages: {error}");
    }
}

/// Only glibc knows of them.
#[cfg(not(unix))]
fn start_again_with_large_pages() {}

/// User and system time of this process so far.
fn cpu_seconds() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |place: usize| fields.get(place)?.parse::<f64>().ok();
    Some((ticks(USER_TIME)? + ticks(SYSTEM_TIME)?) / TICKS_PER_SECOND)
}

/// The most memory that was resident.
fn peak_megabytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1_000.0)
}
