//! `node reindex`: the index made again from the block files.

use std::time::Instant;

use serde::Serialize;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::Height;

use super::maintenance::{finish_rebuild, open_failure, store_config};
use super::{print, print_json};
use crate::args::ReindexArgs;
use crate::config::{Location, LogConfig};
use crate::error::CommandError;
use crate::logging;
use crate::progress::Bar;
use crate::store::Store;

/// What `reindex` did.
#[derive(Debug, Serialize)]
struct Outcome {
    blocks: u64,
    unusable: u64,
    height: Height,
    tip: BlockHash,
    seconds: f64,
}

/// Runs `node reindex`.
///
/// # Errors
/// If the directory cannot be used, or holds no blocks.
pub fn run(args: &ReindexArgs) -> Result<(), CommandError> {
    let location = Location::resolve(&args.location)?;
    let bar = Bar::new(args.json);
    logging::start(&LogConfig { filter: "warn".to_owned(), json: false }, &bar)?;
    if !location.data_dir.exists() {
        return Err(CommandError::failure(format!("there is no data directory {}", location.data_dir.display())));
    }
    let begun = Instant::now();
    let opened = Store::open_for_reindex(&store_config(&location)).map_err(|error| open_failure(&error))?;
    let report = finish_rebuild(&opened, &location, &bar, || true)?;
    let outcome = Outcome {
        blocks: report.blocks,
        unusable: report.unusable,
        height: report.height,
        tip: report.tip,
        seconds: begun.elapsed().as_secs_f64(),
    };
    if args.json {
        return print_json(&outcome);
    }
    let Outcome { blocks, unusable, height, tip, seconds } = outcome;
    let height = height.get();
    print(format!("{blocks} blocks in {seconds:.1} s, {unusable} of them unusable; tip {height} {tip}\n").as_bytes())
}
