//! What can go wrong: one line each, a hint where there is something to do, and the exit code.

use std::io;
use std::path::PathBuf;

/// Every failure of `testnet`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory could not be read, written or made.
    #[error("cannot {action} {}: {source}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of ours does not hold what it should.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// The network's directory.
        dir: PathBuf,
    },
    /// Another `testnet up` works in the directory.
    #[error("{} is in use by another `testnet up`{}", dir.display(), pid.map(|pid| format!(" (pid {pid})")).unwrap_or_default())]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// Who uses it.
        pid: Option<u32>,
    },
    /// Somebody who holds the directory does not end.
    #[error("`testnet up` (pid {pid}) in {} does not stop", dir.display())]
    DoesNotStop {
        /// The directory.
        dir: PathBuf,
        /// Who holds it.
        pid: u32,
    },
    /// No network runs in the directory.
    #[error("no network runs in {}", dir.display())]
    NotRunning {
        /// The directory.
        dir: PathBuf,
    },
    /// The directory holds something, but not a whole network.
    #[error("{} holds {found}, but is not a network that `testnet up` made", dir.display())]
    NotOurs {
        /// The directory.
        dir: PathBuf,
        /// What was found in it.
        found: String,
    },
    /// A program is missing.
    #[error("the program `{name}` is missing: {} does not exist", path.display())]
    MissingProgram {
        /// Its name.
        name: &'static str,
        /// Where it should be.
        path: PathBuf,
    },
    /// A program could not be started.
    #[error("cannot start {}: {source}", path.display())]
    Start {
        /// The program.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The wallet program refused.
    #[error("`{command}` failed: {reason}")]
    Wallet {
        /// The command.
        command: String,
        /// What it said.
        reason: String,
    },
    /// A fixed port is taken.
    #[error("port {port} ({purpose}) is in use by another program")]
    PortInUse {
        /// The port.
        port: u16,
        /// What it was for.
        purpose: String,
    },
    /// A node ended before it was ready.
    #[error("{name} did not start: it {how}; its log ends with: {log}")]
    NodeFailed {
        /// The node.
        name: String,
        /// How it ended.
        how: String,
        /// The last lines of its log.
        log: String,
    },
    /// The nodes did not come together in time.
    #[error("the nodes are not in step after {seconds} s: {missing}")]
    NotInStep {
        /// How long we waited.
        seconds: u64,
        /// What was missing.
        missing: String,
        /// Where the logs are.
        dir: PathBuf,
    },
    /// There is no node of this name.
    #[error("there is no node {name:?}; there are {known}")]
    NoSuchNode {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A restarted node does not answer.
    #[error("{name} does not answer {seconds} s after its restart")]
    NotBack {
        /// The node.
        name: String,
        /// How long we waited.
        seconds: u64,
        /// Its log.
        log: PathBuf,
    },
    /// Simulated worlds broke what must hold.
    #[error("{failed} of {worlds} worlds failed")]
    WorldsFailed {
        /// How many.
        failed: usize,
        /// Of how many.
        worlds: u64,
    },
    /// A lab's figures are not those of its theory.
    #[error("lab {lab}: what was measured does not fit the theory")]
    LabFailed {
        /// The lab.
        lab: &'static str,
    },
    /// Random numbers or signals are not to be had.
    #[error("the system refuses {what}: {reason}")]
    System {
        /// What was asked for.
        what: &'static str,
        /// What it said.
        reason: String,
    },
}

impl Error {
    /// For `map_err`: an error about a file.
    pub fn file(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Error {
        let path = path.into();
        move |source| Error::File { action, path, source }
    }

    /// The process's exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::NoSuchNode { .. } => 2,
            Error::NotRunning { .. } | Error::NotInStep { .. } | Error::NotBack { .. } => 5,
            _ => 1,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Error::Damaged { dir, .. } => {
                format!("`testnet down --dir {}` cleans up; the chain is not touched", dir.display())
            }
            Error::InUse { dir, .. } => {
                format!("stop it with `testnet down --dir {}`, or choose another --dir", dir.display())
            }
            Error::NotRunning { dir } => {
                format!("start one with `testnet up --dir {}`, or say --dir", dir.display())
            }
            Error::NotOurs { dir, .. } => {
                format!("choose another --dir, or empty {} yourself", dir.display())
            }
            Error::MissingProgram { .. } => "build all programs: cargo build --release".to_owned(),
            Error::PortInUse { .. } => {
                "choose another --base-port, or leave it out: then free ports are found".to_owned()
            }
            Error::NotInStep { dir, .. } => format!("see {}/node-*/node.log", dir.display()),
            Error::NotBack { log, .. } => format!("see {}", log.display()),
            Error::DoesNotStop { pid, .. } => format!("kill -9 {pid}, then `testnet down` again"),
            _ => return None,
        })
    }
}
