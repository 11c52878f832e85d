//! `testnet lab`: networks on virtual time.

use clap::CommandFactory;
use serde::Serialize;
use tally_sim::labs::Effort;
use tally_sim::labs::churn::Churn;
use tally_sim::labs::double_spend::DoubleSpend;
use tally_sim::labs::eclipse::Eclipse;
use tally_sim::labs::gossip::Gossip;
use tally_sim::labs::latency::Latency;
use tally_sim::labs::partition::Partition;
use tally_sim::labs::race::{Race, Rule};
use tally_sim::labs::selfish::Selfish;

use crate::args::Args;
use crate::args::lab::{DoubleSpendArgs, LabArgs, LabCommand, ListArgs, MeasureArgs, RuleChoice, SelfishArgs};
use crate::commands::{print_json, print_line};
use crate::error::Error;

mod measure;
mod worlds;

/// The largest network of the lab about gossip.
const GOSSIP_NODES: usize = 1_000;
/// Blocks in a world of the lab about latency.
const LATENCY_BLOCKS: u64 = 400;
/// Sessions of a node in a world of the lab about churn.
const CHURN_CYCLES: u64 = 25;

/// Parts into which the labs about races are cut.
const RACE_WORLDS: usize = 50;

pub(super) fn run(args: &LabArgs) -> Result<(), Error> {
    match &args.lab {
        LabCommand::List(args) => list(args),
        LabCommand::Worlds(args) => worlds::run(args),
        LabCommand::Gossip(args) => measure::run(args, &Gossip { effort: effort(args, 4), max_nodes: GOSSIP_NODES }),
        LabCommand::Latency(args) => measure::run(args, &Latency { effort: effort(args, 30), blocks: LATENCY_BLOCKS }),
        LabCommand::Partition(args) => measure::run(args, &Partition { effort: effort(args, 100) }),
        LabCommand::Eclipse(args) => measure::run(args, &Eclipse { effort: effort(args, 1_000) }),
        LabCommand::Churn(args) => measure::run(args, &Churn { effort: effort(args, 20), cycles: CHURN_CYCLES }),
        LabCommand::DoubleSpend(args) => measure::run(&args.measure, &double_spend(args)),
        LabCommand::Selfish(args) => measure::run(&args.measure, &selfish(args)),
    }
}

fn effort(args: &MeasureArgs, worlds: usize) -> Effort {
    let worlds = args.worlds.map_or(worlds, |worlds| worlds as usize);
    Effort { seed: args.seed, worlds }
}

fn double_spend(args: &DoubleSpendArgs) -> DoubleSpend {
    let rule = match args.rule {
        RuleChoice::Strict => Rule::Strict,
        RuleChoice::Tie => Rule::Tie,
    };
    DoubleSpend {
        effort: effort(&args.measure, RACE_WORLDS),
        race: Race { share: args.share, rule, premined: args.premined },
        confirmations: args.confirmations.clone(),
        trials: args.trials,
    }
}

fn selfish(args: &SelfishArgs) -> Selfish {
    Selfish {
        effort: effort(&args.measure, RACE_WORLDS),
        shares: args.share.clone(),
        gamma: args.gamma,
        blocks: args.blocks,
    }
}

/// A lab, as `list --json` shows it.
#[derive(Serialize)]
struct Listed {
    lab: String,
    about: String,
}

/// The labs are subcommands, so their names and descriptions stand in one place.
fn list(args: &ListArgs) -> Result<(), Error> {
    let command = Args::command();
    let lab = command.find_subcommand("lab");
    let labs: Vec<Listed> = lab
        .into_iter()
        .flat_map(|lab| lab.get_subcommands())
        .filter(|lab| lab.get_name() != "list")
        .map(|lab| {
            let about = lab.get_about().map(ToString::to_string).unwrap_or_default();
            Listed { lab: lab.get_name().to_owned(), about }
        })
        .collect();
    if args.json {
        return print_json(&labs);
    }
    labs.iter().try_for_each(|lab| print_line(&format!("{:<13}{}", lab.lab, lab.about)))
}
