//! `testnet lab …` on the command line.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

/// `testnet lab`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  testnet lab list                            what there is
  testnet lab latency                         blocks lost because news travels slowly
  testnet lab latency --seed 7 --plot latency.svg
  testnet lab worlds --seeds 10000 --json     a long run of random worlds

Exit codes: 0 all is as it must be, 1 it is not, 2 wrong usage.")]
pub struct LabArgs {
    /// Which lab.
    #[command(subcommand)]
    pub lab: LabCommand,
}

/// The labs.
#[derive(Clone, Debug, Subcommand)]
pub enum LabCommand {
    /// What labs there are
    List(ListArgs),
    /// Random networks with faults: each must end in agreement
    Worlds(WorldsArgs),
    /// What it costs to tell everybody of a payment, by flooding and by inventory
    Gossip(MeasureArgs),
    /// Blocks that are lost because news of a block takes time
    Latency(MeasureArgs),
    /// What dies when a network falls apart and meets again
    Partition(MeasureArgs),
}

/// `testnet lab list`.
#[derive(Clone, Debug, ClapArgs)]
pub struct ListArgs {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A lab that measures something and compares it with a theory.
#[derive(Clone, Debug, ClapArgs)]
pub struct MeasureArgs {
    /// The source of all chance: the same seed gives the same figures
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// Worlds for each point [default: as many as the lab needs for a clear answer]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pub worlds: Option<u32>,
    /// Where to draw the result, as SVG [default: lab-NAME.svg in the current directory]
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Draw nothing
    #[arg(long, conflicts_with = "plot")]
    pub no_plot: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `testnet lab worlds`.
#[derive(Clone, Debug, ClapArgs)]
pub struct WorldsArgs {
    /// How many worlds
    #[arg(long, value_name = "N", default_value = "200")]
    pub seeds: NonZeroU32,
    /// The seed of the first; the others have the numbers after it
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=u64::MAX >> 1))]
    pub first_seed: u64,
    /// Print everything that happens in every world
    #[arg(long, conflicts_with = "json")]
    pub trace: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
