//! `testnet status`: what the nodes say, asked by anybody.

use std::io::{self, IsTerminal};

use super::{print_json, print_line};
use crate::args::StatusArgs;
use crate::error::Error;
use crate::layout::{Layout, quoted_path};
use crate::lock;
use crate::report::Report;
use crate::state::State;
use crate::system::our_processes;
use crate::table::{self, Colours};
use crate::watch::Watch;

pub(super) fn run(args: &StatusArgs) -> Result<(), Error> {
    let layout = Layout::open(args.dir.dir.as_deref())?;
    let not_running = || Error::NotRunning { dir: layout.dir().to_owned() };
    let mut state = State::load(&layout)?.ok_or_else(not_running)?;
    // What was written last may be older than the latest crash.
    let alive = our_processes(&layout);
    for node in &mut state.nodes {
        node.pid = alive.iter().find(|process| process.node == node.name).map(|process| process.pid);
    }
    let is_held = lock::is_held(&layout)?;
    if alive.is_empty() && !is_held {
        return Err(not_running());
    }
    if !is_held {
        let dir = quoted_path(layout.dir());
        eprintln!("note: `testnet up` was killed, its nodes run on; `testnet down --dir {dir}` stops them");
    }
    let health = Watch::default().ask(&layout, &state.nodes);
    let report = Report::new(&layout, &state, &health);
    if args.json {
        return print_json(&report);
    }
    let lines = table::lines(&report, Colours::new(io::stdout().is_terminal()));
    lines.iter().try_for_each(|line| print_line(line))
}
