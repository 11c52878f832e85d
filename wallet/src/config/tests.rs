use super::{Config, ConfigError, RpcEntry};
use std::fs;
use std::path::PathBuf;

#[test]
fn paths_below_the_wallets_directory_are_stored_relative() {
    let directory = tempfile::tempdir().unwrap();
    let wallet = directory.path().join("alice.wallet");
    let config = Config {
        network: Some(directory.path().join("network.toml").display().to_string()),
        rpc: vec![
            RpcEntry {
                url: "http://127.0.0.1:1".to_owned(),
                cookie: Some(directory.path().join("node-1/.cookie")),
                ..RpcEntry::default()
            },
            RpcEntry {
                url: "http://127.0.0.1:2".to_owned(),
                user: Some("me".to_owned()),
                password_file: Some(PathBuf::from("/etc/secret")),
                ..RpcEntry::default()
            },
        ],
    };
    config.save(&wallet).unwrap();
    let text = fs::read_to_string(directory.path().join("alice.wallet.toml")).unwrap();
    assert!(text.contains("cookie = \"node-1/.cookie\""), "{text}");
    assert!(text.contains("network = \"network.toml\""), "{text}");
    assert!(text.contains("password_file = \"/etc/secret\""), "{text}");
    let loaded = Config::load(&wallet).unwrap();
    assert_eq!(loaded.rpc, config.rpc);
    assert_eq!(loaded.network.as_deref(), Some("network.toml"));
}

#[test]
fn without_a_file_there_are_no_settings() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(Config::load(&directory.path().join("w")).unwrap(), Config::default());
}

#[test]
fn a_mistake_is_named_with_its_line() {
    let directory = tempfile::tempdir().unwrap();
    let wallet = directory.path().join("w");
    fs::write(directory.path().join("w.toml"), "network = \"devnet\"\nnodes = 3\n").unwrap();
    let error = Config::load(&wallet).unwrap_err();
    assert!(matches!(error, ConfigError::Invalid { .. }));
    let text = error.to_string();
    assert!(text.contains("line 2") && text.contains("nodes") && !text.contains('\n'), "{text}");
}
