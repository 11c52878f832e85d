//! `testnet lab`: networks on virtual time.

use clap::CommandFactory;
use serde::Serialize;
use tally_sim::labs::Effort;
use tally_sim::labs::gossip::Gossip;
use tally_sim::labs::latency::Latency;
use tally_sim::labs::partition::Partition;

use crate::args::Args;
use crate::args::lab::{LabArgs, LabCommand, ListArgs, MeasureArgs};
use crate::commands::{print_json, print_line};
use crate::error::Error;

mod measure;
mod worlds;

/// The largest network of the lab about gossip.
const GOSSIP_NODES: usize = 1_000;
/// Blocks in a world of the lab about latency.
const LATENCY_BLOCKS: u64 = 400;

pub(super) fn run(args: &LabArgs) -> Result<(), Error> {
    match &args.lab {
        LabCommand::List(args) => list(args),
        LabCommand::Worlds(args) => worlds::run(args),
        LabCommand::Gossip(args) => measure::run(args, &Gossip { effort: effort(args, 4), max_nodes: GOSSIP_NODES }),
        LabCommand::Latency(args) => measure::run(args, &Latency { effort: effort(args, 30), blocks: LATENCY_BLOCKS }),
        LabCommand::Partition(args) => measure::run(args, &Partition { effort: effort(args, 100) }),
    }
}

fn effort(args: &MeasureArgs, worlds: usize) -> Effort {
    let worlds = args.worlds.map_or(worlds, |worlds| worlds as usize);
    Effort { seed: args.seed, worlds }
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
    labs.iter().try_for_each(|lab| print_line(&format!("{:<10}{}", lab.lab, lab.about)))
}
