//! Making wallets, and bringing them back.

use std::fs;

use serde_json::json;
use tally_primitives::params::{Allocation, Params};
use tally_primitives::units::Amount;

use crate::node::MockNode;
use crate::run::Desk;

#[test]
fn a_wallet_comes_back_from_its_words_with_balance_and_history() {
    let (desk, node) = (Desk::new(), MockNode::start("restore"));
    let address = desk.create("old", &node);
    node.pay(&address, 500_000, Some(40), false);
    let second = desk.run(&["--wallet", "old", "address"]).stdout.trim().to_owned();
    node.pay(&second, 600_000, Some(41), false);
    desk.run(&["--wallet", "old", "send", &second, "0.001", "--yes"]).json_free();
    let words = desk.run(&["--wallet", "old", "words", "--yes", "--json"]).json()["words"].as_str().unwrap().to_owned();

    fs::create_dir(desk.path("elsewhere")).unwrap();
    let url = node.url();
    let restored = desk.run_with_input(
        &[
            "--wallet",
            "elsewhere/new",
            "restore",
            "--words-file",
            "-",
            "--network",
            "network.toml",
            "--no-passphrase",
            "--rpc",
            &url,
            "--cookie",
            "cookie",
            "--json",
        ],
        &format!("{}\n", words.to_uppercase()),
    );
    let next = desk.run(&["--wallet", "old", "address", "--json"]).json();
    assert_eq!(restored.json()["address"], next["address"], "the first unused one is found");
    for command in ["balance", "history", "coins"] {
        let old = desk.run(&["--wallet", "old", "--json", command]).json();
        let new = desk.run(&["--wallet", "elsewhere/new", "--json", command]).json();
        assert_eq!(old, new, "{command}");
    }
}

impl crate::run::Outcome {
    #[track_caller]
    fn json_free(&self) {
        assert_eq!(self.code, 0, "{self:?}");
    }
}

#[test]
fn wrong_words_make_no_wallet_and_are_not_repeated() {
    let desk = Desk::new();
    let restore = ["--wallet", "w", "restore", "--words-file", "-", "--network", "devnet", "--no-passphrase"];
    let cases = [
        ("", "12, 15, 18, 21 or 24 words, not 0"),
        ("abandon abandon abandon", "not 3"),
        ("secretword abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about", "word 1"),
        ("abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon", "checksum"),
    ];
    for (words, message) in cases {
        let outcome = desk.run_with_input(&restore, words);
        outcome.fails_with(2, message);
        assert!(!outcome.stderr.contains("secretword"));
    }
    assert!(!desk.path("w").exists());
    desk.run(&restore[..3]).fails_with(2, "no terminal to ask for the words");
}

#[test]
fn creating_shows_the_words_once_and_overwrites_nothing() {
    let desk = Desk::new();
    let create = ["--wallet", "sub/dir/w", "create", "--network", "devnet", "--no-passphrase", "--words", "24"];
    let created = desk.run(&create);
    assert_eq!(created.code, 0, "{created:?}");
    let words = desk.run(&["--wallet", "sub/dir/w", "words", "--yes"]).stdout;
    assert_eq!(words.split_whitespace().count(), 24);
    let shown = created.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for (number, word) in (1..).zip(words.split_whitespace()) {
        assert!(shown.contains(&format!("{number} {word}")), "{shown}");
    }
    assert!(created.stdout.contains("dtally1"));
    let before = fs::read(desk.path("sub/dir/w")).unwrap();
    desk.run(&create).fails_with(1, "exists already");
    assert_eq!(fs::read(desk.path("sub/dir/w")).unwrap(), before);
    desk.run(&["--wallet", "other", "create", "--network", "devnet"]).fails_with(2, "--no-passphrase");
    let empty = desk.run_with_passphrase(&["--wallet", "other", "create", "--network", "devnet"], "");
    empty.fails_with(1, "an empty passphrase protects nothing");
    assert!(!desk.path("other").exists());
}

#[test]
fn a_network_file_may_gain_allocations_after_the_wallet_was_made() {
    let (desk, node) = (Desk::new(), MockNode::start("allocations"));
    let address = desk.create("w", &node);
    let with_allocation = Params {
        allocations: vec![Allocation { address: address.parse().unwrap(), value: Amount::from_notches(100) }],
        ..node.params()
    };
    assert_ne!(with_allocation.genesis_hash(), node.params().genesis_hash());
    fs::write(desk.path("network.toml"), with_allocation.to_toml()).unwrap();
    // The node is still on the old genesis: that is another network now.
    desk.run(&["--wallet", "w", "balance"]).fails_with(1, "is on another network");
    fs::write(desk.path("network.toml"), node.params().to_toml()).unwrap();
    assert_eq!(desk.run(&["--wallet", "w", "balance", "--json"]).json()["confirmed"], 0);
    desk.run(&["--wallet", "w", "--network", "mainnet", "balance"]).fails_with(1, "the wallet is for play");
}

#[test]
fn the_whole_directory_can_move() {
    let (desk, node) = (Desk::new(), MockNode::start("move"));
    desk.create("w", &node);
    let config = fs::read_to_string(desk.path("w.toml")).unwrap();
    assert!(config.contains("network = \"network.toml\"") && config.contains("cookie = \"cookie\""), "{config}");
    fs::create_dir(desk.path("moved")).unwrap();
    for name in ["w", "w.toml", "network.toml", "cookie"] {
        fs::rename(desk.path(name), desk.path("moved").join(name)).unwrap();
    }
    assert_eq!(desk.run(&["--wallet", "moved/w", "balance", "--json"]).json()["pending"], 0);
    // The environment names the wallet as well as the argument does.
    let outcome = crate::run::finish(desk.command(&["balance", "--json"]).env("TALLY_WALLET", "moved/w"), "");
    assert_eq!(outcome.json(), json!({"confirmed": 0, "pending": 0, "immature": 0}));
}

#[test]
fn a_file_in_use_says_by_whom() {
    let (desk, node) = (Desk::new(), MockNode::start("lock"));
    let address = desk.create("w", &node);
    node.pay(&address, 500_000, Some(40), false);
    // What a payment that waits for its owner's yes holds.
    let held = tally_wallet::file::FileLock::acquire(&desk.path("w"), std::time::Duration::ZERO).unwrap();
    let outcome = desk.run(&["--wallet", "w", "send", &address, "0.001", "--yes"]);
    outcome.fails_with(1, &format!("is in use by another wallet process (process {})", std::process::id()));
    // Looking is possible meanwhile.
    assert_eq!(desk.run(&["--wallet", "w", "balance", "--json"]).json()["confirmed"], 500_000);
    drop(held);
    assert_eq!(desk.run(&["--wallet", "w", "send", &address, "0.001", "--yes"]).code, 0);
}

#[test]
fn completions_name_every_command() {
    let desk = Desk::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = desk.run(&["completions", shell]).stdout;
        for command in ["create", "restore", "address", "balance", "send", "history", "coins", "broadcast", "words"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
    desk.run(&["completions", "csh"]).fails_with(2, "invalid value 'csh'");
}
