//! `testnet down`: ends the `up` that works in a directory, and whatever nodes an earlier one left behind.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::{print_json, print_line};
use crate::args::DownArgs;
use crate::error::Error;
use crate::files;
use crate::layout::{Layout, MINER, PEOPLE};
use crate::lock::{self, DirLock};
use crate::supervisor::forget;
use crate::system::{self, End, end_ours, our_processes};

/// `up` gives its nodes ten seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Nodes without an `up` get as much.
const NODE_PATIENCE: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct Stopped {
    stopped: usize,
    deleted: bool,
}

pub(super) fn run(args: &DownArgs) -> Result<(), Error> {
    let layout = match Layout::open(args.dir.dir.as_deref()) {
        Ok(layout) => layout,
        // Where there is nothing, there is nothing to stop.
        Err(Error::NotRunning { .. }) => return report(args, 0, false, "nothing runs there".to_owned()),
        Err(error) => return Err(error),
    };
    let running = our_processes(&layout).len();
    let lock = take_over(&layout)?;
    clean_up(&layout)?;
    let dir = layout.dir().display();
    let mut text = match running {
        0 => format!("nothing runs in {dir}"),
        1 => format!("stopped 1 node in {dir}"),
        count => format!("stopped {count} nodes in {dir}"),
    };
    if args.delete {
        delete(&layout)?;
        text.push_str("; the network is deleted");
    }
    drop(lock);
    report(args, running, args.delete, text)
}

fn report(args: &DownArgs, stopped: usize, deleted: bool, text: String) -> Result<(), Error> {
    if args.json { print_json(&Stopped { stopped, deleted }) } else { print_line(&text) }
}

/// Ends the `up` that works here, if one does, and takes its place.
fn take_over(layout: &Layout) -> Result<DirLock, Error> {
    if let Some(lock) = DirLock::try_acquire(layout)? {
        return Ok(lock);
    }
    // Who holds the lock wrote its process id into the file, so the id is still its own.
    let pid = lock::holder(layout);
    if let Some(pid) = pid {
        system::signal(pid, End::Ask);
    }
    let in_use = || match pid {
        Some(pid) => Error::DoesNotStop { dir: layout.dir().to_owned(), pid },
        None => Error::InUse { dir: layout.dir().to_owned(), pid },
    };
    DirLock::acquire_within(layout, PATIENCE)?.ok_or_else(in_use)
}

/// Stops nodes that nobody looks after, and removes what tells of running ones. It does not need the state file, which
/// may be damaged.
pub(super) fn clean_up(layout: &Layout) -> Result<usize, Error> {
    let ended = end_ours(layout, NODE_PATIENCE);
    for name in node_names(layout)? {
        forget(layout, &name);
    }
    files::remove_if_there(&layout.state())?;
    Ok(ended.len())
}

/// Names of the nodes that have a directory here.
fn node_names(layout: &Layout) -> Result<Vec<String>, Error> {
    let entries = fs::read_dir(layout.dir()).map_err(Error::file("read", layout.dir()))?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    Ok(entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.strip_prefix("node-").is_some_and(is_number))
        .collect())
}

/// Removes what `up` made, by name; anything else stays, and with it the directory.
fn delete(layout: &Layout) -> Result<(), Error> {
    for name in node_names(layout)? {
        let dir = layout.node_dir(&name);
        fs::remove_dir_all(&dir).map_err(Error::file("remove", &dir))?;
    }
    let mut files: Vec<PathBuf> = vec![layout.network_file(), layout.settings()];
    let entries = fs::read_dir(layout.dir()).map_err(Error::file("read", layout.dir()))?;
    let of_a_wallet = |name: &str| PEOPLE.iter().chain([&MINER]).any(|who| name.starts_with(&format!("{who}.wallet")));
    files.extend(entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        of_a_wallet(path.file_name()?.to_str()?).then_some(path)
    }));
    files.push(layout.lock());
    for path in files {
        files::remove_if_there(&path)?;
    }
    // Only if it is empty now.
    let _ = fs::remove_dir(layout.dir());
    Ok(())
}

#[cfg(test)]
mod tests;
