//! Precedence and refusals.

use std::net::SocketAddr;
use std::path::Path;

use clap::Parser;
use tempfile::TempDir;

use super::{CONFIG_FILE, Config};
use tally_node_core::net::address_book::group::AddressGroups;

use crate::args::Cli;
use crate::error::{CommandError, exit_code};
use crate::transport::peer_address::PeerAddress;

fn resolve(directory: &Path, arguments: &[&str]) -> Result<Config, CommandError> {
    let directory = directory.display().to_string();
    let fixed = ["node", "--data-dir", &directory, "--network", "devnet"];
    let cli = Cli::try_parse_from(fixed.iter().chain(arguments)).unwrap();
    Config::resolve(&cli.run)
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

fn peer(text: &str) -> PeerAddress {
    text.parse().unwrap()
}

#[test]
fn whoever_is_told_its_peers_looks_for_no_others_unless_asked_to() {
    let directory = TempDir::new().unwrap();
    let outbound = |arguments: &[&str]| {
        let finding = resolve(directory.path(), arguments).unwrap().peers.finding();
        (finding.full_peers, finding.block_only_peers)
    };
    assert_eq!(outbound(&[]), (8, 2));
    assert_eq!(outbound(&["--connect", "127.0.0.1:3"]), (0, 0));
    assert_eq!(outbound(&["--connect", "127.0.0.1:3", "--max-outbound", "5"]), (5, 2));
    assert_eq!(outbound(&["--connect", "127.0.0.1:3", "--discover-lan"]), (8, 2));
    assert_eq!(outbound(&["--max-outbound", "0"]), (0, 0));
}

#[test]
fn settings_about_peers_stand_in_the_file_too() {
    let directory = TempDir::new().unwrap();
    let text = "max-outbound = 3\nmax-inbound = 20\nmax-inbound-per-group = 5\naddress-groups = 'all'\n\
        seed = ['seed.example.org']\nexternal-address = '192.0.2.1:9740'\ndiscover-lan = true\nmax-upload = 500\n\
        plaintext-peers = true\n\
        minimum-chain-work = '00000000000000000000000000000000000000000000000000000000000186a0'\n";
    std::fs::write(directory.path().join(CONFIG_FILE), text).unwrap();
    let peers = resolve(directory.path(), &[]).unwrap().peers;
    assert_eq!((peers.max_outbound, peers.max_inbound, peers.max_inbound_per_group), (3, 20, 5));
    assert_eq!(peers.address_groups, AddressGroups::All);
    assert_eq!(
        (peers.seeds, peers.external_address),
        (vec!["seed.example.org".to_owned()], Some(address("192.0.2.1:9740")))
    );
    assert!(peers.discover_lan && !peers.encrypted);
    assert_eq!(peers.max_upload, Some(500_000_000));
    assert!((peers.minimum_chain_work.to_f64() - 100_000.0).abs() < 0.5);
    let peers = resolve(directory.path(), &["--address-groups", "none", "--plaintext-peers", "false"]).unwrap().peers;
    assert_eq!(peers.address_groups, AddressGroups::None);
    assert!(peers.encrypted);
}

#[test]
fn defaults_come_from_the_network() {
    let directory = TempDir::new().unwrap();
    let config = resolve(directory.path(), &[]).unwrap();
    assert_eq!(config.location.params.name, "devnet");
    assert_eq!(config.listen, address("0.0.0.0:29740"));
    assert_eq!(config.rpc.listen, address("127.0.0.1:29741"));
    assert_eq!(config.mempool_bytes, 300_000_000);
    assert_eq!(config.log.filter, "info");
    assert!(config.mine.is_none() && config.peers.connect.is_empty() && config.rpc.user_password.is_none());
}

#[test]
fn payments_are_hidden_where_there_is_time_for_it() {
    let directory = TempDir::new().unwrap();
    let trickle = |network: &str, more: &[&str]| {
        let data = directory.path().display().to_string();
        let fixed = ["node", "--data-dir", &data, "--network", network];
        Config::resolve(&Cli::try_parse_from(fixed.iter().chain(more)).unwrap().run).unwrap().trickle_ms
    };
    assert_eq!(trickle("mainnet", &[]), (2_000, 5_000));
    assert_eq!((trickle("testnet", &[]), trickle("devnet", &[])), ((50, 50), (50, 50)));
    assert_eq!(trickle("mainnet", &["--trickle", "10"]), (10, 10));
    std::fs::write(directory.path().join(CONFIG_FILE), "trickle = 300").unwrap();
    assert_eq!(trickle("devnet", &[]), (300, 300));
}

#[test]
fn the_file_goes_over_defaults_and_arguments_over_the_file() {
    let directory = TempDir::new().unwrap();
    let text = "listen = '127.0.0.1:1'\nrpc-listen = '127.0.0.1:2'\nconnect = ['127.0.0.1:3']\nlog = 'debug'\n";
    std::fs::write(directory.path().join(CONFIG_FILE), text).unwrap();
    let config = resolve(directory.path(), &[]).unwrap();
    assert_eq!(config.listen, address("127.0.0.1:1"));
    assert_eq!(config.rpc.listen, address("127.0.0.1:2"));
    assert_eq!(config.peers.connect, vec![peer("127.0.0.1:3")]);
    assert_eq!(config.log.filter, "debug");
    let arguments = ["--listen", "127.0.0.1:9", "--connect", "127.0.0.1:7", "--log", "warn"];
    let config = resolve(directory.path(), &arguments).unwrap();
    assert_eq!(config.listen, address("127.0.0.1:9"));
    assert_eq!(config.rpc.listen, address("127.0.0.1:2"));
    assert_eq!(config.peers.connect, vec![peer("127.0.0.1:7")]);
    assert_eq!(config.log.filter, "warn");
}

#[test]
fn a_network_file_is_meant_from_the_configuration_files_directory() {
    let directory = TempDir::new().unwrap();
    let mut params = tally_primitives::params::Params::devnet();
    params.name = "classroom".to_owned();
    std::fs::write(directory.path().join("network.toml"), params.to_toml()).unwrap();
    let path = directory.path().join("other.toml");
    std::fs::write(&path, "network = 'network.toml'\ndata-dir = 'data'\n").unwrap();
    let cli = Cli::try_parse_from(["node", "--config", &path.display().to_string()]).unwrap();
    let config = Config::resolve(&cli.run).unwrap();
    assert_eq!(config.location.params.name, "classroom");
    assert_eq!(config.location.data_dir, directory.path().join("data"));
}

#[test]
fn wrong_settings_get_one_line_and_the_usage_code() {
    let directory = TempDir::new().unwrap();
    let long = directory.path().join("bad.toml");
    std::fs::write(&long, "name = 'x'\nmagic = 'no'\n").unwrap();
    let network = long.display().to_string();
    let pinned = format!("{}@127.0.0.1:1", "ab".repeat(32));
    let cases: [(&[&str], &str); 10] = [
        (&["--payout", "nonsense"], "--payout"),
        (&["--max-outbound", "65"], "--max-outbound"),
        (&["--plaintext-peers", "--connect", &pinned], "without encryption"),
        (&["--external-address", "0.0.0.0:1"], "--external-address"),
        (&["--rpc-user", "me"], "--rpc-user and --rpc-password"),
        (&["--rpc-user", "a:b", "--rpc-password", "x"], "colon"),
        (&["--mine", "nonsense"], "--mine"),
        (&["--mine", "tally1qqq", "--mine-threads", "0"], "--mine"),
        (&["--config", "/nonexistent/node.toml"], "/nonexistent/node.toml"),
        (&["--config", &network], "unknown field"),
    ];
    for (arguments, part) in cases {
        let error = resolve(directory.path(), arguments).unwrap_err();
        assert_eq!(error.code, exit_code::USAGE, "{arguments:?}");
        assert!(error.message.contains(part), "{arguments:?}: {}", error.message);
        assert!(!error.message.contains('\n'), "{arguments:?}");
    }
}

#[test]
fn miners_that_name_no_address_pay_the_nodes_own() {
    let directory = TempDir::new().unwrap();
    let address = |byte: u8| {
        let lock = tally_primitives::hash::LockHash::from_bytes([byte; 32]);
        tally_primitives::address::Address::new(tally_primitives::params::Params::devnet().address_prefix, lock)
    };
    let (first, second) = (address(1), address(2));
    let paid = |arguments: &[&str]| resolve(directory.path(), arguments).unwrap().payout;
    assert_eq!(paid(&[]), None);
    assert_eq!(paid(&["--mine", &first.to_string()]), Some(first.clone()));
    assert_eq!(paid(&["--mine", &first.to_string(), "--payout", &second.to_string()]), Some(second.clone()));
    let text = format!("stratum-listen = '127.0.0.1:3333'\npayout = '{second}'\n");
    std::fs::write(directory.path().join(CONFIG_FILE), text).unwrap();
    let config = resolve(directory.path(), &[]).unwrap();
    assert_eq!((config.stratum_listen, config.payout), (Some("127.0.0.1:3333".parse().unwrap()), Some(second)));
}

#[test]
fn unknown_networks_are_named() {
    for (name, part) in [("mainnett", "mainnett"), ("/nonexistent/n.toml", "/nonexistent/n.toml")] {
        let cli = Cli::try_parse_from(["node", "--network", name]).unwrap();
        let error = Config::resolve(&cli.run).unwrap_err();
        assert_eq!(error.code, exit_code::USAGE);
        assert!(error.message.contains(part), "{}", error.message);
    }
}

#[test]
fn run_is_the_default_and_the_command_line_is_sound() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
    let cli = Cli::try_parse_from(["node", "run", "--network", "devnet"]).unwrap();
    assert!(matches!(cli.command, Some(crate::args::Command::Run(_))));
    assert!(Cli::try_parse_from(["node", "--network", "devnet", "check"]).is_err());
}
