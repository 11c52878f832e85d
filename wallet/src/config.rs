//! The settings beside a wallet, `FILE.toml`: its network and its nodes. They hold no secret and may be edited by hand.
//!
//! ```toml
//! network = "network.toml"          # or mainnet, testnet, devnet; files relative to this one
//!
//! [[rpc]]                           # asked in this order until one answers
//! url = "http://127.0.0.1:19741"
//! cookie = "node-1/.cookie"         # or: user = "…" and password_file = "…"
//! ```

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::file::{FileError, write_atomically};

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
    /// Not TOML, or a field unknown or of the wrong type.
    #[error("{} is not a wallet's configuration: {problem}", path.display())]
    Invalid {
        /// Which.
        path: PathBuf,
        /// What the parser says, on one line.
        problem: String,
    },
    /// The file cannot be written.
    #[error(transparent)]
    Unwritable(#[from] FileError),
}

/// The settings beside a wallet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A network's name, or a network file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Nodes, in the order in which they are asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rpc: Vec<RpcEntry>,
}

/// One node.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RpcEntry {
    /// `http://host:port`.
    pub url: String,
    /// The node's cookie file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<PathBuf>,
    /// A user that the node was configured with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The file with that user's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
}

impl Config {
    /// Where the settings of the wallet `wallet` are: its name with `.toml` after it.
    pub fn path_for(wallet: &Path) -> PathBuf {
        let mut name: OsString = wallet.file_name().unwrap_or_default().to_owned();
        name.push(".toml");
        wallet.with_file_name(name)
    }

    /// Reads the settings of the wallet `wallet`; without such a file there are none.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn load(wallet: &Path) -> Result<Config, ConfigError> {
        let path = Config::path_for(wallet);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Config::default()),
            Err(source) => return Err(ConfigError::Unreadable { path, source }),
        };
        let mut config: Config = toml::from_str(&text).map_err(|error| {
            let line = error.span().map(|span| 1 + text[..span.start].matches('\n').count());
            let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            ConfigError::Invalid {
                path: path.clone(),
                problem: format!("{place}{}", error.message().replace('\n', " ")),
            }
        })?;
        config.make_absolute(&directory_of(wallet));
        Ok(config)
    }

    /// Writes the settings of the wallet `wallet`. Paths below its directory are written relative to it, so that the
    /// whole directory can move.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn save(&self, wallet: &Path) -> Result<(), ConfigError> {
        let directory = directory_of(wallet);
        let mut config = self.clone();
        config.network = config.network.map(|name| match Path::new(&name).strip_prefix(&directory) {
            Ok(below) => below.to_string_lossy().into_owned(),
            Err(_) => name,
        });
        for path in config.paths() {
            if let Ok(below) = path.strip_prefix(&directory) {
                *path = below.to_owned();
            }
        }
        let path = Config::path_for(wallet);
        let text = toml::to_string(&config)
            .map_err(|error| ConfigError::Invalid { path: path.clone(), problem: error.to_string() })?;
        write_atomically(&path, text.as_bytes())?;
        Ok(())
    }

    fn make_absolute(&mut self, directory: &Path) {
        for path in self.paths() {
            *path = directory.join(&*path);
        }
    }

    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        self.rpc.iter_mut().flat_map(|entry| [&mut entry.cookie, &mut entry.password_file]).flatten()
    }
}

/// The directory that relative paths start from.
pub fn directory_of(wallet: &Path) -> PathBuf {
    let wallet = std::path::absolute(wallet).unwrap_or_else(|_| wallet.to_owned());
    wallet.parent().unwrap_or(Path::new("/")).to_owned()
}

#[cfg(test)]
mod tests;
