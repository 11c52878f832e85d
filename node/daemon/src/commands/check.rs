//! `node check`: everything on disk read and compared, and repaired if asked for.

use serde::Serialize;
use tally_node_core::chain::store::ChainStore;
use tally_primitives::hash::BlockHash;

use super::maintenance::{finish_rebuild, open_failure, store_config};
use super::print;
use crate::args::CheckArgs;
use crate::config::{Location, LogConfig};
use crate::error::CommandError;
use crate::logging;
use crate::progress::Bar;
use crate::store::check::CheckReport;
use crate::store::{Opened, Store};

/// What `check` found.
#[derive(Debug, Serialize)]
struct Outcome {
    /// Nothing is wrong (any more).
    ok: bool,
    /// What was wrong.
    problem: Option<String>,
    /// Whether it was repaired.
    repaired: bool,
    /// The tip.
    tip: Option<BlockHash>,
    /// Coins, headers, and records of the block files that were read.
    coins: u64,
    headers: u64,
    bodies: u64,
}

/// Runs `node check`.
///
/// # Errors
/// If the directory cannot be used, or something is wrong and was not repaired.
pub fn run(args: &CheckArgs) -> Result<(), CommandError> {
    let location = Location::resolve(&args.location)?;
    let bar = Bar::new(args.json);
    logging::start(&LogConfig { filter: "warn".to_owned(), json: false }, &bar)?;
    if !location.data_dir.exists() {
        return Err(CommandError::failure(format!("there is no data directory {}", location.data_dir.display())));
    }
    let outcome = check(&location, args.repair, &bar)?;
    bar.clear();
    if args.json {
        super::print_json(&outcome)?;
    } else {
        print(describe(&outcome).as_bytes())?;
    }
    match (outcome.ok, outcome.problem) {
        (true, _) => Ok(()),
        (false, problem) => Err(CommandError::failure(problem.unwrap_or_default())
            .with_hint("node check --repair makes the index again; damaged blocks are fetched again by the node")),
    }
}

fn describe(outcome: &Outcome) -> String {
    let tip = outcome.tip.map_or_else(|| "none".to_owned(), |tip| tip.to_string());
    let mut text = format!(
        "coins    {}\nheaders  {}\nrecords  {}\ntip      {tip}\n",
        outcome.coins, outcome.headers, outcome.bodies
    );
    if let Some(problem) = outcome.problem.as_ref().filter(|_| outcome.repaired) {
        text.push_str(&format!("repaired: {problem}\n"));
    }
    if outcome.ok {
        text.push_str("all good\n");
    }
    text
}

fn check(location: &Location, repair: bool, bar: &Bar) -> Result<Outcome, CommandError> {
    let config = store_config(location);
    // Without --repair, an index that has to be dropped is only reported: opening it would already replace it.
    if !repair && let Some(problem) = Store::inspect(&config).map_err(|error| open_failure(&error))? {
        return Ok(failed(problem));
    }
    let opened = Store::open(&config).map_err(|error| open_failure(&error))?;
    let found = match &opened.rebuild {
        Some(reason) => Err(format!("the index cannot be used: {reason}")),
        None => read_all(&opened.store, bar),
    };
    match found {
        Ok((report, bodies)) => succeeded(&opened.store, report, bodies, None),
        Err(problem) if repair => {
            let opened = match opened.rebuild {
                Some(_) => opened,
                None => {
                    drop(opened);
                    Store::open_for_reindex(&config).map_err(|error| open_failure(&error))?
                }
            };
            repaired(&opened, location, bar, problem)
        }
        Err(problem) => Ok(failed(problem)),
    }
}

fn repaired(opened: &Opened, location: &Location, bar: &Bar, problem: String) -> Result<Outcome, CommandError> {
    finish_rebuild(opened, location, bar, || true)?;
    let (report, bodies) = read_all(&opened.store, bar).map_err(CommandError::failure)?;
    succeeded(&opened.store, report, bodies, Some(problem))
}

fn read_all(store: &Store, bar: &Bar) -> Result<(CheckReport, u64), String> {
    let report = store.check_index().map_err(|error| error.to_string())?;
    let bodies =
        store.check_bodies(|done, total| bar.set("checking", done, total)).map_err(|error| error.to_string())?;
    Ok((report, bodies))
}

fn succeeded(
    store: &Store,
    report: CheckReport,
    bodies: u64,
    problem: Option<String>,
) -> Result<Outcome, CommandError> {
    Ok(Outcome {
        ok: true,
        repaired: problem.is_some(),
        problem,
        tip: store.tip().map_err(CommandError::failure)?,
        coins: report.coins,
        headers: report.headers,
        bodies,
    })
}

fn failed(problem: String) -> Outcome {
    Outcome { ok: false, problem: Some(problem), repaired: false, tip: None, coins: 0, headers: 0, bodies: 0 }
}
