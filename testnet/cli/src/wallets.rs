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
mod tests {
    use std::path::{Path, PathBuf};

    use super::{RpcEndpoint, configure, create};
    use crate::error::Error;
    use crate::layout::Layout;
    use crate::network::fresh;

    struct Fixture {
        _dir: tempfile::TempDir,
        layout: Layout,
    }

    fn fixture() -> Fixture {
        let dir = tempfile::tempdir().expect("a directory");
        let layout = Layout::create(Some(dir.path())).expect("a layout");
        Fixture { _dir: dir, layout }
    }

    impl Fixture {
        /// A program in place of the wallet, that does this.
        fn program(&self, script: &str) -> PathBuf {
            std::fs::write(self.layout.dir().join("script"), script).expect("written");
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/programs/scripted").into()
        }
    }

    #[test]
    fn the_first_address_is_read() {
        let fixture = fixture();
        let prefix = fresh(1, 1).expect("a network").address_prefix;
        let lock = tally_primitives::hash::LockHash::from_bytes([7; 32]);
        let address = tally_primitives::address::Address::new(prefix, lock);
        let program =
            fixture.program(&format!(r#"echo "$arguments" > "$file"; echo '{{"address":"{address}","words":[]}}'"#));
        assert_eq!(create(&program, &fixture.layout, "alice").expect("made"), address);
        let arguments = std::fs::read_to_string(fixture.layout.wallet("alice")).expect("written");
        let dir = fixture.layout.dir().display();
        assert_eq!(
            arguments,
            format!("--wallet {dir}/alice.wallet create --network {dir}/network.toml --no-passphrase --json\n")
        );
    }

    #[test]
    fn a_refusal_is_passed_on_in_one_line() {
        let fixture = fixture();
        let program = fixture.program("echo 'error: the file exists' >&2; echo 'hint: x' >&2; exit 1");
        let error = create(&program, &fixture.layout, "bob").expect_err("refused");
        assert!(error.to_string().ends_with("bob.wallet create` failed: error: the file exists"), "{error}");
        let program = fixture.program("echo hello");
        let error = create(&program, &fixture.layout, "bob").expect_err("no JSON");
        assert!(error.to_string().contains("makes no sense"), "{error}");
        let missing = fixture.layout.dir().join("missing");
        assert!(matches!(create(&missing, &fixture.layout, "bob"), Err(Error::Start { .. })));
    }

    #[test]
    fn each_wallet_asks_another_node_first() {
        let Fixture { _dir, layout } = fixture();
        let endpoint = |port: u16, dir: &Path| RpcEndpoint {
            url: format!("http://127.0.0.1:{port}"),
            cookie: dir.join(format!("node-{port}/.cookie")),
        };
        let endpoints = [endpoint(1, layout.dir()), endpoint(2, layout.dir())];
        configure(&layout, &["alice", "bob"], &endpoints).expect("written");
        let read = |person| {
            let text = std::fs::read_to_string(layout.wallet_config(person)).expect("written");
            text.parse::<toml::Table>().expect("TOML")
        };
        for (person, first) in [("alice", 1), ("bob", 2)] {
            let config = read(person);
            assert_eq!(config["network"].as_str(), Some("network.toml"));
            let rpc = config["rpc"].as_array().expect("a list");
            assert_eq!(rpc.len(), 2);
            assert_eq!(rpc[0].clone().try_into::<RpcEndpoint>().expect("an endpoint"), endpoint(first, Path::new("")));
        }
    }
}
