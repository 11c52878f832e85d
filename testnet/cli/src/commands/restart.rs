//! `testnet restart NODE`: asks the running `up` to stop a node and start it again.

use std::fs;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::{print_json, print_line};
use crate::args::RestartArgs;
use crate::error::Error;
use crate::layout::Layout;
use crate::lock;
use crate::state::State;
use crate::watch::client;

/// A node that was stopped cleanly checks little when it starts.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Serialize)]
struct Restarted<'a> {
    node: &'a str,
    pid: u32,
}

pub(super) fn run(args: &RestartArgs) -> Result<(), Error> {
    let layout = Layout::open(args.dir.dir.as_deref())?;
    let not_running = || Error::NotRunning { dir: layout.dir().to_owned() };
    if !lock::is_held(&layout)? {
        return Err(not_running());
    }
    let before = State::load(&layout)?.ok_or_else(not_running)?.node(&args.node)?.pid;
    let request = layout.restart_request(&args.node);
    fs::write(&request, "").map_err(Error::file("write", &request))?;
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Some(pid) = answering(&layout, &args.node)?.filter(|pid| Some(*pid) != before) {
            return if args.json {
                print_json(&Restarted { node: &args.node, pid })
            } else {
                print_line(&format!("{} runs again (pid {pid})", args.node))
            };
        }
        if !lock::is_held(&layout)? {
            return Err(not_running());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let log = layout.node_log(&args.node);
    Err(Error::NotBack { name: args.node.clone(), seconds: PATIENCE.as_secs(), log })
}

/// The node's process, if it answers.
fn answering(layout: &Layout, name: &str) -> Result<Option<u32>, Error> {
    let Some(state) = State::load(layout)? else {
        return Ok(None);
    };
    let node = state.node(name)?;
    let answers = node.addresses.is_some_and(|addresses| client(layout, name, &addresses).uptime().is_ok());
    Ok(node.pid.filter(|_| answers))
}
