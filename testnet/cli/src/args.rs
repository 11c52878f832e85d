//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};
use clap_complete::Shell;

use crate::args::lab::LabArgs;

pub mod lab;

const EXAMPLES: &str = "\
Examples:
  testnet up                       four nodes, two wallets, until Ctrl-C
  testnet up --nodes 8 --for 60    eight nodes for a minute
  testnet status                   what the nodes say, from another terminal
  testnet down --delete            stop everything and throw the chain away
  testnet lab worlds               200 random networks with faults, simulated

Exit codes: 0 done, 1 a lab failed or anything else, 2 wrong usage, 5 nodes do not run or do not answer.";

/// A whole Tallystick network on this machine: real nodes, real mining, two wallets with coins.
#[derive(Debug, Parser)]
#[command(name = "testnet", version, after_help = EXAMPLES)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a network, or go on with one, and keep it running until Ctrl-C
    Up(UpArgs),
    /// Show every node: peers, height, tip
    Status(StatusArgs),
    /// Stop what `up` started in a directory
    Down(DownArgs),
    /// Stop one node and start it again
    Restart(RestartArgs),
    /// Networks on virtual time: thousands of nodes in one process, repeatable from a seed
    Lab(LabArgs),
    /// Print completions for a shell
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Which network.
#[derive(Clone, Debug, ClapArgs)]
pub struct DirArgs {
    /// Directory of the network [default: testnet/data where it exists, else testnet-data]
    #[arg(long, value_name = "DIR", env = "TALLY_TESTNET_DIR")]
    pub dir: Option<PathBuf>,
}

/// `testnet up`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  testnet up --dir /tmp/net
  testnet up --nodes 8 --hashrate 1M
  testnet up --for 120 --json
  testnet up --hashrate 0 --stratum-listen 127.0.0.1:3333    only miners that connect by Stratum make blocks

Ctrl-C stops all nodes; the chain stays, and the next `up` in the same directory goes on with it.")]
pub struct UpArgs {
    /// Which network.
    #[command(flatten)]
    pub dir: DirArgs,
    /// How many nodes, 1 to 30 [default: as many as last time, else 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=30))]
    pub nodes: Option<u8>,
    /// Hashes a second of all nodes together, e.g. 400k or 2M; 0: nobody mines [default: as last time, else 400k]
    #[arg(long, value_name = "H", value_parser = parse_hash_rate)]
    pub hashrate: Option<u64>,
    /// Seconds between blocks that a new network aims at
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub spacing: u32,
    /// Fixed ports: node N listens for peers on PORT+2N-2 and for RPC on the one above [default: any free ports]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1024..=65_000))]
    pub base_port: Option<u16>,
    /// Where the first node lets miners connect by Stratum, e.g. 127.0.0.1:3333; port 0 takes a free one [default: nowhere]
    #[arg(long, value_name = "ADDR")]
    pub stratum_listen: Option<SocketAddr>,
    /// Stop by itself this many seconds after all nodes are in step
    #[arg(long = "for", value_name = "SECONDS")]
    pub for_seconds: Option<u64>,
    /// Print what `status --json` prints, once, when all nodes are in step; nothing else on standard output
    #[arg(long)]
    pub json: bool,
}

/// `testnet status`.
#[derive(Clone, Debug, ClapArgs)]
pub struct StatusArgs {
    /// Which network.
    #[command(flatten)]
    pub dir: DirArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `testnet down`.
#[derive(Clone, Debug, ClapArgs)]
pub struct DownArgs {
    /// Which network.
    #[command(flatten)]
    pub dir: DirArgs,
    /// Also delete the chain, the wallets and everything else that `up` made
    #[arg(long, visible_alias = "reset")]
    pub delete: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `testnet restart`.
#[derive(Clone, Debug, ClapArgs)]
pub struct RestartArgs {
    /// The node's name, e.g. node-2
    pub node: String,
    /// Which network.
    #[command(flatten)]
    pub dir: DirArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Reads `400000`, `400k`, `1.5M`, `2G`, with `H/s` behind it or not.
fn parse_hash_rate(text: &str) -> Result<u64, String> {
    const MAX: f64 = 1e12;
    let bare = text.strip_suffix("H/s").unwrap_or(text).trim_end();
    let (number, factor) = match bare.chars().last() {
        Some('k' | 'K') => (&bare[..bare.len() - 1], 1e3),
        Some('M') => (&bare[..bare.len() - 1], 1e6),
        Some('G') => (&bare[..bare.len() - 1], 1e9),
        _ => (bare, 1.0),
    };
    let rate = number.trim().parse::<f64>().map_or(f64::NAN, |number| number * factor);
    if !(0.0..=MAX).contains(&rate) {
        return Err("expected hashes a second, such as 400000, 400k or 2M".to_owned());
    }
    // In range by the check above; a fraction of a hash does not matter.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Ok(rate as u64)
}

#[cfg(test)]
mod tests;
