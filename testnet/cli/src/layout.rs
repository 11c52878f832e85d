//! Where everything lies in a network's directory.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The people who have wallets with coins.
pub const PEOPLE: [&str; 2] = ["alice", "bob"];

/// Whose wallet earns what the nodes mine.
pub const MINER: &str = "miner";

/// A network's directory, as an absolute path: nodes are recognised by it on their command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    dir: PathBuf,
}

impl Layout {
    /// The directory that was asked for, or the usual one, made if it is not there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn create(dir: Option<&Path>) -> Result<Layout, Error> {
        let dir = chosen(dir);
        fs::create_dir_all(&dir).map_err(Error::file("make the directory", &dir))?;
        Layout::absolute(&dir)
    }

    /// The directory that was asked for, or the usual one.
    ///
    /// # Errors
    /// If it is not there.
    pub fn open(dir: Option<&Path>) -> Result<Layout, Error> {
        let dir = chosen(dir);
        if !dir.is_dir() {
            return Err(Error::NotRunning { dir });
        }
        Layout::absolute(&dir)
    }

    fn absolute(dir: &Path) -> Result<Layout, Error> {
        let dir = dir.canonicalize().map_err(Error::file("use the directory", dir))?;
        if dir.to_str().is_none() {
            // Paths go through JSON, TOML and command lines.
            let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "its path is not UTF-8");
            return Err(Error::File { action: "use the directory", path: dir, source });
        }
        Ok(Layout { dir })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The network's parameters.
    pub fn network_file(&self) -> PathBuf {
        self.dir.join("network.toml")
    }

    /// What the network was made with; written last, so that a network with this file is whole.
    pub fn settings(&self) -> PathBuf {
        self.dir.join("settings.json")
    }

    /// What runs now; there is none when nothing runs.
    pub fn state(&self) -> PathBuf {
        self.dir.join("state.json")
    }

    /// Held by the `up` that works here.
    pub fn lock(&self) -> PathBuf {
        self.dir.join("up.lock")
    }

    /// A person's wallet.
    pub fn wallet(&self, person: &str) -> PathBuf {
        self.dir.join(format!("{person}.wallet"))
    }

    /// Configuration of a person's wallet, beside the wallet.
    pub fn wallet_config(&self, person: &str) -> PathBuf {
        self.dir.join(format!("{person}.wallet.toml"))
    }

    /// A node's name; nodes are counted from 0 in the code and from 1 in their names.
    pub fn node_name(index: usize) -> String {
        format!("node-{}", index + 1)
    }

    /// A node's data directory.
    pub fn node_dir(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Standard output and error of a node.
    pub fn node_log(&self, name: &str) -> PathBuf {
        self.node_dir(name).join("node.log")
    }

    /// What a node says of itself while it runs.
    pub fn node_file(&self, name: &str) -> PathBuf {
        self.node_dir(name).join("node.json")
    }

    /// A node's RPC cookie.
    pub fn cookie(&self, name: &str) -> PathBuf {
        self.node_dir(name).join(tally_rpc::auth::COOKIE_FILE)
    }

    /// While it is there, `up` is asked to restart this node.
    pub fn restart_request(&self, name: &str) -> PathBuf {
        self.dir.join(format!("restart.{name}"))
    }
}

/// The usual directory is the one of `testnet/up` when we stand in the repository.
fn chosen(dir: Option<&Path>) -> PathBuf {
    if let Some(dir) = dir {
        return dir.to_owned();
    }
    let of_the_script = PathBuf::from("testnet").join("data");
    if of_the_script.is_dir() { of_the_script } else { PathBuf::from("testnet-data") }
}

/// A command line word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// A path as a shell takes it.
pub fn quoted_path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}

/// The directory of the running program.
///
/// # Errors
/// If the system does not say.
pub fn program_dir() -> Result<PathBuf, Error> {
    let program = env::current_exe().map_err(Error::file("find", "the running program"))?;
    Ok(program.parent().map(Path::to_owned).unwrap_or_default())
}

#[cfg(test)]
mod tests;
