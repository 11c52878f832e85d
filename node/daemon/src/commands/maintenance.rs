//! Opening the store for any command: with the index made again if it has to be, and the progress shown.

use std::ops::ControlFlow;

use crate::clock;
use crate::config::Location;
use crate::error::CommandError;
use crate::progress::Bar;
use crate::store::rebuild::{RebuildError, RebuildProgress, RebuildReport, rebuild};
use crate::store::{OpenError, Opened, Store, StoreConfig};

/// How the store of a location is opened.
pub fn store_config(location: &Location) -> StoreConfig {
    StoreConfig::new(&location.data_dir, location.params.genesis_hash())
}

/// An [`OpenError`] as a command's failure.
pub fn open_failure(error: &OpenError) -> CommandError {
    let failure = CommandError::failure(error);
    match error {
        OpenError::Lock(_) => failure.with_hint("stop that process, or give another --data-dir"),
        OpenError::OtherChain { .. } => failure.with_hint("give another --data-dir for this network"),
        OpenError::Io { .. } => failure.with_hint("check the path and its permissions, or give another --data-dir"),
        _ => failure,
    }
}

/// Opens the store, and makes the index again if that is needed. `go_on` is asked between blocks.
///
/// # Errors
/// If the directory cannot be used, or `go_on` says no.
pub fn open_store(location: &Location, bar: &Bar, go_on: impl Fn() -> bool) -> Result<Store, CommandError> {
    let opened = Store::open(&store_config(location)).map_err(|error| open_failure(&error))?;
    let recovered = opened.recovered;
    if recovered.cut_bytes > 0 || recovered.damaged_bytes > 0 {
        let (cut, damaged) = (recovered.cut_bytes, recovered.damaged_bytes);
        tracing::info!(cut, damaged, "the last run left unfinished records in the block files; they are cut off");
    }
    if let Some(reason) = &opened.rebuild {
        tracing::warn!(reason, "the index cannot be used; making it again from the block files");
        finish_rebuild(&opened, location, bar, go_on)?;
    }
    Ok(opened.store)
}

/// Makes the index of a store that was opened for it.
///
/// # Errors
/// If the store fails, or `go_on` says no.
pub fn finish_rebuild(
    opened: &Opened,
    location: &Location,
    bar: &Bar,
    go_on: impl Fn() -> bool,
) -> Result<RebuildReport, CommandError> {
    let mut progress = |progress: RebuildProgress| {
        bar.set("reindexing", progress.done, progress.total);
        if go_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let outcome = rebuild(&opened.store, &location.params, clock::now(), &mut progress);
    bar.clear();
    let report = outcome.map_err(|error| match error {
        RebuildError::Stopped => CommandError::failure("stopped before the index was complete"),
        other => CommandError::failure(format!("cannot make the index: {other}")),
    })?;
    tracing::info!(
        height = report.height.get(),
        blocks = report.blocks,
        unusable = report.unusable,
        "the index is made"
    );
    Ok(report)
}
