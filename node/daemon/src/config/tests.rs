//! Precedence and refusals.

use std::net::SocketAddr;
use std::path::Path;

use clap::Parser;
use tempfile::TempDir;

use super::{CONFIG_FILE, Config};
use crate::args::Cli;
use crate::error::{CommandError, exit_code};

fn resolve(directory: &Path, arguments: &[&str]) -> Result<Config, CommandError> {
    let directory = directory.display().to_string();
    let fixed = ["node", "--data-dir", &directory, "--network", "devnet"];
    let cli = Cli::try_parse_from(fixed.iter().chain(arguments)).unwrap();
    Config::resolve(&cli.run)
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
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
    assert!(config.mine.is_none() && config.connect.is_empty() && config.rpc.user_password.is_none());
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
    assert_eq!(config.connect, vec![address("127.0.0.1:3")]);
    assert_eq!(config.log.filter, "debug");
    let arguments = ["--listen", "127.0.0.1:9", "--connect", "127.0.0.1:7", "--log", "warn"];
    let config = resolve(directory.path(), &arguments).unwrap();
    assert_eq!(config.listen, address("127.0.0.1:9"));
    assert_eq!(config.rpc.listen, address("127.0.0.1:2"));
    assert_eq!(config.connect, vec![address("127.0.0.1:7")]);
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
    let cases: [(&[&str], &str); 6] = [
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
