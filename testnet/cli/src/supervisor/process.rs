//! One node's process: its command line, and how it ended.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use tally_primitives::address::Address;

use crate::error::Error;
use crate::files;
use crate::layout::Layout;
use crate::programs::without_settings;
use crate::state::Addresses;
use crate::system::{self, End};

/// Beyond this size a log is put aside at the next start, and the one put aside before is dropped.
const MAX_LOG_BYTES: u64 = 8 << 20;

/// How a node is started, every time.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Fixed ports for peers and RPC, instead of any free ones.
    pub ports: Option<(u16, u16)>,
    /// How it mines, if it does.
    pub mining: Option<Mining>,
    /// Who is paid by miners that name no address.
    pub payout: Option<Address>,
    /// Where it lets miners connect.
    pub stratum: Option<SocketAddr>,
    /// Whom it dials, by number.
    pub dials: Vec<usize>,
}

/// How a node mines.
#[derive(Clone, Debug, PartialEq)]
pub struct Mining {
    /// Who is paid.
    pub address: Address,
    /// Hashes a second.
    pub limit: f64,
}

/// A process that was just started.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) process: Process,
    /// Where its part of the log begins.
    pub(super) log_start: u64,
}

/// Starts a node at its usual addresses, or anywhere.
pub(super) fn spawn(
    layout: &Layout,
    plan: &Plan,
    usual: Option<Addresses>,
    peers: &[SocketAddr],
) -> Result<Started, Error> {
    let dir = layout.node_dir(&plan.name);
    fs::create_dir_all(&dir).map_err(Error::file("make the directory", &dir))?;
    // What an earlier process left there must not be taken for the new one's.
    files::remove_if_there(&layout.node_file(&plan.name))?;
    let log = open_log(&layout.node_log(&plan.name))?;
    let log_start = log.metadata().map_or(0, |log| log.len());
    let errors = log.try_clone().map_err(Error::file("open", layout.node_log(&plan.name)))?;
    let mut command = Command::new(&plan.program);
    command.args(arguments(layout, plan, usual, peers));
    command.stdin(Stdio::null()).stdout(log).stderr(errors);
    // Ctrl-C in a terminal goes to the whole group of processes; nodes are stopped by us, in order.
    command.process_group(0);
    without_settings(&mut command);
    let child = command.spawn().map_err(|source| Error::Start { path: plan.program.clone(), source })?;
    Ok(Started { process: Process::Child(child), log_start })
}

fn arguments(layout: &Layout, plan: &Plan, usual: Option<Addresses>, peers: &[SocketAddr]) -> Vec<String> {
    let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let (listen, rpc) = match (plan.ports, usual) {
        (Some((peer, rpc)), _) => (local(peer), local(rpc)),
        (None, Some(usual)) => (usual.listen, usual.rpc),
        (None, None) => (local(0), local(0)),
    };
    let web = usual.and_then(|usual| usual.web).unwrap_or(local(0));
    let path = |path: PathBuf| path.to_string_lossy().into_owned();
    let mut arguments: Vec<String> = vec!["run".to_owned()];
    let mut add = |name: &str, value: String| arguments.extend([name.to_owned(), value]);
    add("--network", path(layout.network_file()));
    add("--data-dir", path(layout.node_dir(&plan.name)));
    add("--listen", listen.to_string());
    add("--rpc-listen", rpc.to_string());
    add("--web-listen", web.to_string());
    if let Some(payout) = &plan.payout {
        add("--payout", payout.to_string());
    }
    if let Some(stratum) = plan.stratum {
        let usual = usual.and_then(|usual| usual.stratum);
        add("--stratum-listen", usual.unwrap_or(stratum).to_string());
    }
    // Who talks to whom is the testnet's shape, and the shape is ours to choose.
    add("--max-outbound", "0".to_owned());
    for peer in peers {
        add("--connect", peer.to_string());
    }
    if let Some(mining) = &plan.mining {
        add("--mine", mining.address.to_string());
        add("--mine-threads", "1".to_owned());
        add("--mine-limit", mining.limit.to_string());
    }
    arguments
}

fn open_log(path: &Path) -> Result<File, Error> {
    if fs::metadata(path).is_ok_and(|log| log.len() > MAX_LOG_BYTES) {
        fs::rename(path, path.with_extension("log.old")).map_err(Error::file("put aside", path))?;
    }
    OpenOptions::new().create(true).append(true).open(path).map_err(Error::file("open", path))
}

/// A process that we look after.
#[derive(Debug)]
pub(super) enum Process {
    /// We started it.
    Child(Child),
    /// Somebody else did, in our network's directory.
    Found(u32),
}

impl Process {
    pub(super) fn pid(&self) -> u32 {
        match self {
            Process::Child(child) => child.id(),
            Process::Found(pid) => *pid,
        }
    }

    /// Sends a signal. A child that has ended keeps its id until we have asked how it ended, so the id is still its
    /// own; one that we only found may have ended meanwhile, which `ended` will tell.
    pub(super) fn end(&self, end: End) {
        system::signal(self.pid(), end);
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self, layout: &Layout, name: &str) -> Option<Ending> {
        match self {
            Process::Child(child) => match child.try_wait() {
                Ok(Some(status)) => Some(Ending::Status(status)),
                Ok(None) => None,
                Err(error) => Some(Ending::Lost(error.to_string())),
            },
            Process::Found(pid) => {
                (system::process_of(layout, name) != Some(*pid)).then(|| Ending::Lost("ended".to_owned()))
            }
        }
    }
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Status(ExitStatus),
    Lost(String),
}

impl Ending {
    /// Whether it ended as it does when somebody asks it to.
    pub(super) fn is_clean(&self) -> bool {
        matches!(self, Ending::Status(status) if status.success())
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Status(status) => match (status.code(), status.signal()) {
                (Some(0), _) => f.write_str("ended"),
                (Some(code), _) => write!(f, "ended with exit code {code}"),
                (None, Some(9)) => f.write_str("was killed (signal 9)"),
                (None, Some(signal)) => write!(f, "was ended by signal {signal}"),
                (None, None) => write!(f, "ended: {status}"),
            },
            Ending::Lost(what) => f.write_str(what),
        }
    }
}

#[cfg(test)]
mod tests;
