//! `testnet lab …` on the command line.

use std::num::NonZeroU32;

use clap::{Args as ClapArgs, Subcommand};

/// `testnet lab`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  testnet lab worlds                          200 random worlds
  testnet lab worlds --seeds 10000 --json     a long run
  testnet lab worlds --seeds 1 --first-seed 7 --trace

Exit codes: 0 all is as it must be, 1 it is not, 2 wrong usage.")]
pub struct LabArgs {
    /// Which lab.
    #[command(subcommand)]
    pub lab: LabCommand,
}

/// The labs.
#[derive(Clone, Debug, Subcommand)]
pub enum LabCommand {
    /// Random networks with faults: each must end in agreement
    Worlds(WorldsArgs),
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
