//! The demo wallets: made by the wallet program like any other wallet, with a configuration beside each that names all
//! nodes of the network.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use tally_primitives::address::Address;

use crate::error::Error;
use crate::files;
use crate::layout::{Layout, quoted_path};
use crate::programs::without_settings;

/// What `wallet create --json` prints of interest.
#[derive(Deserialize)]
struct Created {
    address: Address,
}

/// Makes a wallet without a passphrase, and gives its first address.
///
/// # Errors
/// If the wallet program cannot be run or refuses.
pub fn create(program: &Path, layout: &Layout, person: &str) -> Result<Address, Error> {
    let mut command = Command::new(program);
    command.arg("--wallet").arg(layout.wallet(person)).args(["create", "--network"]).arg(layout.network_file());
    command.args(["--no-passphrase", "--json"]);
    let shown = format!("{} --wallet {} create", quoted_path(program), quoted_path(&layout.wallet(person)));
    without_settings(&mut command);
    let output =
        command.stdin(Stdio::null()).output().map_err(|source| Error::Start { path: program.to_owned(), source })?;
    let failed = |reason: String| Error::Wallet { command: shown, reason };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(failed(said.lines().next().unwrap_or("it said nothing").to_owned()));
    }
    serde_json::from_slice::<Created>(&output.stdout)
        .map(|created| created.address)
        .map_err(|error| failed(format!("its answer makes no sense: {error}")))
}

/// The configuration beside a wallet. Paths are relative to its directory, so that the whole network may move.
#[derive(Serialize)]
struct Config<'a> {
    network: &'a Path,
    rpc: &'a [RpcEndpoint],
}

/// One node that a wallet may ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RpcEndpoint {
    /// The node's URL.
    pub url: String,
    /// Its cookie file.
    pub cookie: PathBuf,
}

/// Writes the configuration of all wallets. Each person asks another node first, as people do; if it does not answer,
/// the wallet asks the next.
///
/// # Errors
/// If the directory cannot be written.
pub fn configure(layout: &Layout, people: &[&str], endpoints: &[RpcEndpoint]) -> Result<(), Error> {
    let mut endpoints = endpoints.to_vec();
    for endpoint in &mut endpoints {
        endpoint.cookie = relative(layout, &endpoint.cookie);
    }
    let network = relative(layout, &layout.network_file());
    for person in people {
        let config = Config { network: &network, rpc: &endpoints };
        let text = toml::to_string(&config)
            .map_err(|error| Error::System { what: "to write TOML", reason: error.to_string() })?;
        let note = "# Written by `testnet up` at every start: ports may change.\n";
        files::replace(&layout.wallet_config(person), &format!("{note}{text}"))?;
        if !endpoints.is_empty() {
            endpoints.rotate_left(1);
        }
    }
    Ok(())
}

fn relative(layout: &Layout, path: &Path) -> PathBuf {
    path.strip_prefix(layout.dir()).unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests;
