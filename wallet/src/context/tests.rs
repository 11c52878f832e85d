use super::{Context, ContextError, is_this_machine, typed_nodes};
use crate::args::Arguments;
use crate::config::RpcEntry;
use clap::Parser;
use std::fs;
use std::path::{Path, PathBuf};
use tally_primitives::params::Params;

fn parse(arguments: &[&str]) -> Arguments {
    let program_and_arguments = ["wallet"].iter().chain(arguments).chain(&["balance"]);
    Arguments::try_parse_from(program_and_arguments).unwrap()
}

fn entry(url: &str, cookie: Option<&str>) -> RpcEntry {
    RpcEntry { url: url.to_owned(), cookie: cookie.map(PathBuf::from), ..RpcEntry::default() }
}

#[test]
fn cookies_belong_to_nodes_in_order() {
    let known = [entry("http://a", Some("/known"))];
    let typed = |arguments: &[&str]| typed_nodes(&parse(arguments).global, &known);
    assert_eq!(typed(&[]).unwrap(), []);
    assert_eq!(
        typed(&["--rpc", "http://a", "--rpc", "http://b"]).unwrap(),
        [entry("http://a", Some("/known")), entry("http://b", None)]
    );
    let one_for_all = ["--rpc", "http://a", "--rpc", "http://b", "--cookie", "/c"];
    assert_eq!(typed(&one_for_all).unwrap(), [entry("http://a", Some("/c")), entry("http://b", Some("/c"))]);
    let one_each = ["--rpc", "http://a", "--rpc", "http://b", "--cookie", "/c", "--cookie", "/d"];
    assert_eq!(typed(&one_each).unwrap(), [entry("http://a", Some("/c")), entry("http://b", Some("/d"))]);
    assert_eq!(typed(&["--cookie", "/c"]).unwrap(), [entry("http://a", Some("/c"))]);
    let error = typed(&["--rpc", "http://a", "--cookie", "/c", "--cookie", "/d"]).unwrap_err();
    assert!(matches!(error, ContextError::CookieCount { cookies: 2, nodes: 1 }));
}

#[test]
fn a_cookie_stays_on_this_machine() {
    for url in ["http://127.0.0.1:1", "http://localhost", "http://[::1]:9/", "127.0.0.1:5"] {
        assert!(is_this_machine(url), "{url}");
    }
    for url in ["http://127.0.0.1.evil.example", "http://localhost:x@evil.example", "http://10.0.0.1:1", "evil:1"] {
        assert!(!is_this_machine(url), "{url}");
    }
}

#[test]
fn the_network_is_the_typed_one_else_the_settings_else_the_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let wallet = directory.path().join("w");
    let text = wallet.display().to_string();
    let params = |arguments: &[&str]| {
        let context = Context::resolve(parse(&[&["--wallet", &text], arguments].concat()).global).unwrap();
        let mark =
            crate::file::Mark { network: "testnet".to_owned(), address_prefix: Params::testnet().address_prefix };
        context.params(Some(&mark)).unwrap()
    };
    assert_eq!(params(&[]), Params::testnet());
    let own = Params { name: "own".to_owned(), genesis_time: 7, ..Params::devnet() };
    fs::write(directory.path().join("network.toml"), own.to_toml()).unwrap();
    fs::write(directory.path().join("w.toml"), "network = \"network.toml\"\n").unwrap();
    assert_eq!(params(&[]), own);
    assert_eq!(params(&["--network", "mainnet"]), Params::mainnet());
    assert_eq!(Context::resolve(parse(&["--wallet", &text]).global).unwrap().wallet, Path::new(&text));
}
