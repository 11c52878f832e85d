//! Small files in the data directory that other programs read: written whole or not at all, gone after a clean stop.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tally_rpc::auth::{COOKIE_FILE, COOKIE_USER};

use crate::error::CommandError;

/// The name of the file that says where a running node is.
pub const NODE_FILE: &str = "node.json";

/// Random bytes in a cookie.
const COOKIE_BYTES: usize = 32;

/// Where a running node is: the content of `node.json`, written once RPC answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeFile {
    /// Its process.
    pub pid: u32,
    /// Where peers connect.
    pub listen: SocketAddr,
    /// Where JSON-RPC is answered.
    pub rpc: SocketAddr,
    /// Where /health is answered.
    pub web: Option<SocketAddr>,
    /// Where miners connect by Stratum.
    #[serde(default)]
    pub stratum: Option<SocketAddr>,
}

impl NodeFile {
    /// Reads the file of a data directory; `None` if no node says that it runs there.
    pub fn read(directory: &Path) -> Option<Self> {
        let text = fs::read(directory.join(NODE_FILE)).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

/// A file that is removed when this is dropped.
#[derive(Debug)]
pub struct PrivateFile {
    path: PathBuf,
}

impl PrivateFile {
    /// Writes a file that its owner alone may read, replacing another of that name in one step.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub fn write(directory: &Path, name: &str, content: &[u8]) -> Result<Self, CommandError> {
        let path = directory.join(name);
        let failed = |error: io::Error| CommandError::failure(format!("cannot write {}: {error}", path.display()));
        let temporary = directory.join(format!("{name}.new"));
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(&temporary).map_err(failed)?;
        file.write_all(content).and_then(|()| fs::rename(&temporary, &path)).map_err(failed)?;
        Ok(Self { path })
    }

    /// The file stays when the node stops: it is meant for the next run.
    pub fn keep(self) {
        std::mem::forget(self);
    }

    /// Writes `node.json`.
    ///
    /// # Errors
    /// As [`PrivateFile::write`].
    pub fn write_node(directory: &Path, node: &NodeFile) -> Result<Self, CommandError> {
        let text = serde_json::to_vec(node).map_err(CommandError::failure)?;
        Self::write(directory, NODE_FILE, &text)
    }

    /// Makes a new cookie; gives the file and the `user:password` in it.
    ///
    /// # Errors
    /// If there is no randomness, or as [`PrivateFile::write`].
    pub fn write_cookie(directory: &Path) -> Result<(Self, String), CommandError> {
        let mut secret = [0; COOKIE_BYTES];
        getrandom::fill(&mut secret)
            .map_err(|error| CommandError::failure(format!("the system gives no random bytes: {error}")))?;
        let cookie = format!("{COOKIE_USER}:{}", hex::encode(secret));
        let file = Self::write(directory, COOKIE_FILE, cookie.as_bytes())?;
        Ok((file, cookie))
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "removing");
        }
    }
}

#[cfg(test)]
mod tests;
