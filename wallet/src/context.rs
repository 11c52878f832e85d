//! The command line, the environment and the settings beside the wallet, resolved once into what commands need.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tally_primitives::params::Params;
use tally_rpc::client::Auth;
use zeroize::Zeroizing;

use crate::args::Global;
use crate::config::{Config, RpcEntry, directory_of};
use crate::error::WalletError;
use crate::file::{Closed, Mark};
use crate::network;
use crate::nodes::{Endpoint, Nodes};
use crate::prompt::PassphraseSource;
use crate::wallet::Wallet;

/// The node's password, for `--rpc-user`.
const RPC_PASSWORD_VARIABLE: &str = "TALLY_RPC_PASSWORD";

/// A command line that cannot be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// Nowhere to look for the wallet.
    #[error("there is no home directory: name the wallet with --wallet FILE")]
    NoHome,
    /// Cookies that belong to no node.
    #[error("{cookies} --cookie for {nodes} --rpc: give one for all, or one for each")]
    CookieCount {
        /// How many cookies.
        cookies: usize,
        /// How many nodes.
        nodes: usize,
    },
    /// A user without a password.
    #[error("--rpc-user needs a password: set {RPC_PASSWORD_VARIABLE}, or give --rpc-password-file FILE")]
    NoPassword,
    /// A file that was named cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
}

/// What all commands need to know.
#[derive(Debug)]
pub struct Context {
    /// The wallet file.
    pub wallet: PathBuf,
    /// Where the passphrase comes from.
    pub passphrase: PassphraseSource,
    /// Whether to print JSON.
    pub json: bool,
    /// `--network`, if given.
    network: Option<String>,
    /// The settings, with `--rpc` in place of their nodes if given.
    config: Config,
}

impl Context {
    /// Arguments over environment over settings over defaults.
    ///
    /// # Errors
    /// See [`ContextError`]; and settings that cannot be read.
    pub fn resolve(global: Global) -> Result<Context, WalletError> {
        let wallet = match &global.wallet {
            Some(path) => path.clone(),
            None => home()?.join("wallet"),
        };
        let mut config = Config::load(&wallet)?;
        let typed = typed_nodes(&global, &config.rpc)?;
        if !typed.is_empty() {
            config.rpc = typed;
        }
        Ok(Context {
            wallet,
            passphrase: PassphraseSource::new(global.passphrase_file),
            json: global.json,
            network: global.network,
            config,
        })
    }

    /// The network: of the command line, else of the settings, else the one that `recorded` names.
    ///
    /// # Errors
    /// There is none of that name, or its file is wrong.
    pub fn params(&self, recorded: Option<&Mark>) -> Result<Params, WalletError> {
        let beside = directory_of(&self.wallet);
        Ok(match (&self.network, &self.config.network, recorded) {
            (Some(name), ..) => network::resolve(name, Path::new("."))?,
            (None, Some(name), _) => network::resolve(name, &beside)?,
            (None, None, Some(mark)) => network::resolve(&mark.network, &beside)?,
            (None, None, None) => Params::mainnet(),
        })
    }

    /// The settings to write beside a new wallet.
    pub fn new_config(&self) -> Config {
        let absolute = |name: &String| match Params::by_name(name) {
            Some(_) => name.clone(),
            None => std::path::absolute(name).map_or_else(|_| name.clone(), |path| path.display().to_string()),
        };
        let network = self.network.as_ref().map(absolute).or_else(|| self.config.network.clone());
        Config { network, rpc: self.config.rpc.clone() }
    }

    /// Reads the wallet file, asks for its passphrase if it has one, and opens it.
    ///
    /// # Errors
    /// Everything that can be wrong with file, passphrase and network.
    pub fn open(&self) -> Result<Wallet, WalletError> {
        let closed = Closed::read(&self.wallet)?;
        let params = self.params(Some(closed.mark()))?;
        network::check_mark(closed.mark(), &params)?;
        let passphrase = match closed.is_encrypted() {
            true => Some(self.passphrase.existing(&self.wallet)?),
            false => None,
        };
        Wallet::new(closed.open(passphrase.as_ref())?, params)
    }

    /// The nodes of the network.
    ///
    /// # Errors
    /// A password that is nowhere to be found.
    pub fn nodes(&self, params: &Params) -> Result<Nodes, WalletError> {
        let mut endpoints = Vec::new();
        for entry in &self.config.rpc {
            endpoints.push(endpoint(entry, params)?);
        }
        if endpoints.is_empty() {
            let url = format!("http://127.0.0.1:{}", params.rpc_port);
            endpoints.push(endpoint(&RpcEntry { url, ..RpcEntry::default() }, params)?);
        }
        Ok(Nodes::new(endpoints, params))
    }
}

/// `~/.tallystick`.
fn home() -> Result<PathBuf, ContextError> {
    match env::var_os("HOME") {
        Some(home) if !home.is_empty() => Ok(PathBuf::from(home).join(".tallystick")),
        _ => Err(ContextError::NoHome),
    }
}

/// The nodes of the command line. One whose URL stands in the settings too is let in as it is there.
fn typed_nodes(global: &Global, known: &[RpcEntry]) -> Result<Vec<RpcEntry>, ContextError> {
    let (cookies, nodes) = (global.cookie.len(), global.rpc.len());
    if cookies > 1 && cookies != nodes {
        return Err(ContextError::CookieCount { cookies, nodes });
    }
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    // Credentials without --rpc are for the nodes of the settings.
    let base: Vec<RpcEntry> = match global.rpc.is_empty() {
        false => global.rpc.iter().map(|url| by_url(url, known)).collect(),
        true if cookies == 0 && global.rpc_user.is_none() => Vec::new(),
        true => known.to_vec(),
    };
    let with_credentials = |(index, entry): (usize, RpcEntry)| {
        if let Some(cookie) = global.cookie.get(index).or(global.cookie.first()) {
            return RpcEntry { cookie: Some(absolute(cookie)), user: None, password_file: None, ..entry };
        }
        if let Some(user) = &global.rpc_user {
            let password_file = global.rpc_password_file.as_ref().map(absolute);
            return RpcEntry { cookie: None, user: Some(user.clone()), password_file, ..entry };
        }
        entry
    };
    Ok(base.into_iter().enumerate().map(with_credentials).collect())
}

fn by_url(url: &str, known: &[RpcEntry]) -> RpcEntry {
    let found = known.iter().find(|entry| entry.url == url).cloned();
    found.unwrap_or_else(|| RpcEntry { url: url.to_owned(), ..RpcEntry::default() })
}

fn endpoint(entry: &RpcEntry, params: &Params) -> Result<Endpoint, ContextError> {
    let auth = match (&entry.cookie, &entry.user) {
        (Some(cookie), _) => Auth::CookieFile(cookie.clone()),
        (None, Some(user)) => Auth::UserPass { user: user.clone(), password: password(entry)? },
        // This machine's own node, with its usual data directory; never would its cookie go to another machine.
        (None, None) if is_this_machine(&entry.url) => match home() {
            Ok(home) => Auth::CookieFile(home.join(&params.name).join(tally_rpc::auth::COOKIE_FILE)),
            Err(_) => Auth::None,
        },
        (None, None) => Auth::None,
    };
    Ok(Endpoint { url: entry.url.clone(), auth })
}

fn password(entry: &RpcEntry) -> Result<String, ContextError> {
    if let Some(path) = &entry.password_file {
        return first_line(path).map(|line| line.to_string());
    }
    env::var(RPC_PASSWORD_VARIABLE).map_err(|_| ContextError::NoPassword)
}

/// The first line of a file that holds a secret.
///
/// # Errors
/// The file cannot be read.
pub fn first_line(path: &Path) -> Result<Zeroizing<String>, ContextError> {
    let text = fs::read_to_string(path)
        .map(Zeroizing::new)
        .map_err(|source| ContextError::Unreadable { path: path.to_owned(), source })?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}

fn is_this_machine(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = host.split(['/', '?', '#']).next().unwrap_or_default();
    // With a user part the host is something else than it seems.
    !authority.contains('@')
        && ["127.0.0.1", "localhost", "[::1]"]
            .iter()
            .any(|name| authority.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')))
}

#[cfg(test)]
mod tests;
