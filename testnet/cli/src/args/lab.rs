//! `testnet lab …` on the command line.

use std::num::NonZeroU32;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

/// `testnet lab`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  testnet lab list                            what there is
  testnet lab latency                         blocks lost because news travels slowly
  testnet lab double-spend --share 0.1        payments undone, against confirmations
  testnet lab churn --seed 7 --plot churn.svg
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
    /// How likely it is that all whom a node calls are hostile, with the defences and without
    Eclipse(MeasureArgs),
    /// How well a node keeps up that comes and goes
    Churn(MeasureArgs),
    /// How often a payment is undone by an attacker who mines in private
    DoubleSpend(DoubleSpendArgs),
    /// What a miner earns who keeps blocks back
    Selfish(SelfishArgs),
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

/// `testnet lab double-spend`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  testnet lab double-spend --share 0.1
  testnet lab double-spend --share 0.3 --confirmations 1,2,3,6 --rule tie     Rosenfeld's table
  testnet lab double-spend --share 0.4 --premined 1 --trials 1000000 --json")]
pub struct DoubleSpendArgs {
    /// The attacker's share of the hash rate, below a half
    #[arg(long, value_name = "Q", default_value = "0.3", value_parser = minority)]
    pub share: f64,
    /// Confirmations that the merchant waits for
    #[arg(long, value_name = "Z,…", value_delimiter = ',', default_value = "1,2,3,4,5,6", value_parser = clap::value_parser!(u32).range(0..=1_000))]
    pub confirmations: Vec<u32>,
    /// Races for each number of confirmations
    #[arg(long, value_name = "N", default_value_t = 200_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000_000))]
    pub trials: u64,
    /// What the attacker's chain must be to win
    #[arg(long, value_enum, default_value_t = RuleChoice::Strict)]
    pub rule: RuleChoice,
    /// Blocks that the attacker has when the payment is made
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub premined: u32,
    /// As for every lab.
    #[command(flatten)]
    pub measure: MeasureArgs,
}

/// What the attacker's chain must be to win.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RuleChoice {
    /// Longer than the others'
    Strict,
    /// As long as the others'
    Tie,
}

/// `testnet lab selfish`.
#[derive(Clone, Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  testnet lab selfish
  testnet lab selfish --share 0.25,0.3,0.4 --gamma 0.5")]
pub struct SelfishArgs {
    /// The pool's shares of the hash rate, below a half each
    #[arg(long, value_name = "A,…", value_delimiter = ',', default_value = "0.3,0.35,0.4,0.45", value_parser = minority)]
    pub share: Vec<f64>,
    /// The share of the others that mines on the pool's block when two are equally high
    #[arg(long, value_name = "G", default_value = "0", value_parser = share)]
    pub gamma: f64,
    /// Blocks in each world
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1_000..=1_000_000_000))]
    pub blocks: u64,
    /// As for every lab.
    #[command(flatten)]
    pub measure: MeasureArgs,
}

/// A share of less than a half: from there on everything is won in the end.
fn minority(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 0.49 => Ok(share),
        _ => Err("expected a share between 0 and 0.49: from a half on the race is won, and near it takes very long"
            .to_owned()),
    }
}

/// A share.
fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a share from 0 to 1".to_owned()),
    }
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
