//! How long blocks and payments take from node to node: real daemons on loopback, measured from the submission by RPC to the moment
//! at which the last node says that it has them. See `benches/README.md`.
//!
//! | file | what |
//! |---|---|
//! | `cluster` | nodes as processes, connected as a line or a mesh |
//! | `watch` | when each node says what, over its WebSocket |
//! | `delay` | a proxy that holds up everything for a while |
//! | `scenarios` | what is submitted, and what is waited for |
//! | `report` | medians beside their targets |

mod cluster;
mod delay;
mod report;
mod scenarios;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::report::Report;

/// What goes wrong, in words.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

const EXAMPLES: &str = "\
Examples:
  cargo build --release -p tally-node
  cargo run --release -p tally-benches --bin propagation
  cargo run --release -p tally-benches --bin propagation -- --only known --rounds 20
  cargo run --release -p tally-benches --bin propagation -- --json";

/// Measures how fast blocks and payments spread among five nodes on this machine.
#[derive(Debug, Parser)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// The node program [default: beside this one]
    #[arg(long, value_name = "FILE")]
    node: Option<PathBuf>,
    /// How often everything is measured
    #[arg(long, value_name = "N", default_value_t = 7)]
    rounds: u32,
    /// Transactions of a full block
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    transactions: usize,
    /// Only scenarios whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(report) => {
            println!("{}", if arguments.json { report.to_json() } else { report.to_string() });
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<Report, Failure> {
    let node = match &arguments.node {
        Some(node) => node.clone(),
        None => std::env::current_exe()?.with_file_name("node"),
    };
    if !node.is_file() {
        return Err(format!("{} is not there: cargo build --release -p tally-node", node.display()).into());
    }
    let mut report = Report::new(arguments.rounds, arguments.transactions);
    for setup in scenarios::SETUPS {
        if setup.scenarios.iter().any(|scenario| scenario.name.contains(&arguments.only)) {
            setup.run(&node, arguments, &mut report)?;
        }
    }
    Ok(report)
}
