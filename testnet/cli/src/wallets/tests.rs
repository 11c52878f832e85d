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
