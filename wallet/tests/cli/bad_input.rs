//! Every mistake gets one clear line and the right exit code.

use std::fs;

use tally_primitives::params::Params;
use tally_rpc::error::{RpcError, VERIFY_REJECTED};

use crate::node::MockNode;
use crate::run::{Desk, finish, text};

const TALLY: u64 = 100_000_000;

fn desk() -> (Desk, MockNode, String) {
    let (desk, node) = (Desk::new(), MockNode::start("bad input"));
    let address = desk.create("w", &node);
    (desk, node, address)
}

#[test]
fn a_wrong_address() {
    let (desk, node, address) = desk();
    node.pay(&address, 10 * TALLY, Some(40), false);
    let send = |to: &str| desk.run(&["--wallet", "w", "send", to, "1", "--yes"]);
    // One letter mistyped, at every place behind the prefix.
    for place in "dtally1".len()..address.len() {
        let mut letters: Vec<char> = address.chars().collect();
        letters[place] = if letters[place] == 'q' { 'p' } else { 'q' };
        if place % 7 == 0 {
            send(&letters.into_iter().collect::<String>()).fails_with(2, "is not an address");
        }
    }
    for nonsense in ["bob", "1", &address[..30], "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"] {
        send(nonsense).fails_with(2, "is not an address");
    }
    let mainnet = tally_primitives::address::Address::new(
        Params::mainnet().address_prefix,
        address.parse::<tally_primitives::address::Address>().unwrap().lock,
    );
    send(&mainnet.to_string()).fails_with(2, "is an address of another network");
    assert!(node.ledger().mempool.is_empty());
}

#[test]
fn an_amount_that_is_none_or_too_large() {
    let (desk, node, address) = desk();
    node.pay(&address, 10 * TALLY, Some(40), false);
    node.pay(&address, 90 * TALLY, None, false);
    node.pay(&address, 50 * TALLY, Some(99), true);
    let send = |amount: &str| desk.run(&["--wallet", "w", "send", &address, amount, "--yes"]);
    send("10").fails_with(3, "not enough funds: 10.00000220 TALLY needed (fee included), 10.00000000 TALLY spendable");
    send("1000000").fails_with(3, "not enough funds");
    for amount in ["", "1,5", "1e3", "0x10", "ten", "1.000000001", "99999999999999999999", "all"] {
        send(amount).fails_with(2, "invalid value");
    }
    for dust in ["0", "0.00000299", "299notch"] {
        send(dust).fails_with(2, "too little to send");
    }
    send("9.9").json_is_text();
}

impl crate::run::Outcome {
    #[track_caller]
    fn json_is_text(&self) {
        assert_eq!(self.code, 0, "{self:?}");
        assert!(self.stdout.contains("Sent in transaction"), "{self:?}");
    }
}

#[test]
fn a_node_that_is_down() {
    let (desk, node, address) = desk();
    // A port that was free a moment ago, and is closed.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{closed}");
    let cookie = text(&desk.path("cookie"));
    let down = ["--wallet", "w", "--rpc", &url, "--cookie", &cookie];
    for command in [&["balance"][..], &["history"], &["coins"], &["send", &address, "1", "--yes"], &["broadcast", HEX]]
    {
        desk.run(&[&down, command].concat()).fails_with(5, "no node can be reached");
    }
    // A node that stopped has taken its cookie along.
    let url = node.url();
    let outcome = desk.run(&["--wallet", "w", "--rpc", &url, "--cookie", "/nonexistent/.cookie", "balance"]);
    outcome.fails_with(5, "there is no cookie /nonexistent/.cookie");
    // An address can be given out all the same, with a note.
    let outcome = desk.run(&[&down[..], &["address"]].concat());
    assert_eq!((outcome.code, outcome.stdout.trim()), (0, address.as_str()), "{outcome:?}");
    assert!(outcome.stderr.starts_with("note: no node can be reached"), "{outcome:?}");
}

/// A transaction that says nothing: version 1 and four empty lists.
const HEX: &str = "01000000000000000000000000000000000000000000000000000000";

#[test]
fn a_corrupt_wallet_file() {
    let (desk, ..) = desk();
    let good = fs::read(desk.path("w")).unwrap();
    let mut flipped = good.clone();
    flipped[good.len() / 2] ^= 1;
    let bad: [&[u8]; 6] = [b"", b"\0\xff\xfe", b"{}", b"[1, 2]", &good[..good.len() - 2], &flipped];
    for bytes in bad {
        fs::write(desk.path("w"), bytes).unwrap();
        for command in ["balance", "address", "words", "history"] {
            desk.run(&["--wallet", "w", command]).fails_with(1, "is corrupt");
        }
        assert_eq!(fs::read(desk.path("w")).unwrap(), bytes, "a damaged file is evidence, and stays as it is");
    }
    desk.run(&["--wallet", "none", "balance"]).fails_with(1, "there is no wallet file");
    desk.run(&["--wallet", ".", "balance"]).fails_with(1, "cannot read");
}

#[test]
fn a_wrong_passphrase() {
    let (desk, node) = (Desk::new(), MockNode::start("passphrase"));
    fs::write(desk.path("network.toml"), node.params().to_toml()).unwrap();
    fs::write(desk.path("secret"), "correct horse\n").unwrap();
    let created =
        desk.run(&["--wallet", "w", "create", "--network", "network.toml", "--passphrase-file", "secret", "--json"]);
    created.json();
    let outcome = desk.run_with_passphrase(&["--wallet", "w", "address"], "battery staple");
    outcome.fails_with(1, "wrong passphrase for");
    assert!(!outcome.stderr.contains("battery"), "{outcome:?}");
    desk.run(&["--wallet", "w", "balance"]).fails_with(2, "no terminal to ask for the passphrase");
    assert_eq!(desk.run_with_passphrase(&["--wallet", "w", "words", "--yes"], "correct horse").code, 0);
    let by_file = desk.run(&["--wallet", "w", "--passphrase-file", "secret", "words", "--yes", "--json"]);
    assert_eq!(by_file.json()["words"], created.json()["words"]);
    // A file that is damaged is not a wrong passphrase, whatever the passphrase.
    let mut bytes = fs::read(desk.path("w")).unwrap();
    let payload = bytes.windows(11).position(|window| window == b"\"payload\": ").unwrap();
    bytes[payload + 30] ^= 1;
    fs::write(desk.path("w"), bytes).unwrap();
    desk.run_with_passphrase(&["--wallet", "w", "balance"], "correct horse").fails_with(1, "is corrupt");
}

#[test]
fn a_node_that_refuses() {
    let (desk, node, address) = desk();
    node.pay(&address, 10 * TALLY, Some(40), false);
    let send = || desk.run(&["--wallet", "w", "send", &address, "1", "--yes", "--fee-rate", "0.5"]);
    send().fails_with(4, "the fee rate is below the minimum (code -26)");
    node.ledger().refuses = Some(RpcError::new(VERIFY_REJECTED, "mempool full"));
    send().fails_with(4, "mempool full");
    desk.run(&["--wallet", "w", "broadcast", HEX]).fails_with(4, "mempool full");
    for nonsense in ["xyz", "00", ""] {
        desk.run(&["--wallet", "w", "broadcast", nonsense]).fails_with(2, "not a transaction");
    }
}

#[test]
fn a_command_line_that_makes_no_sense() {
    let (desk, _node, address) = desk();
    let cases: [(&[&str], &str); 9] = [
        (&["spend"], "unrecognized subcommand 'spend'"),
        (&["balance", "--fast"], "unexpected argument '--fast'"),
        (&["send", &address], "required arguments"),
        (&["send", &address, "1", "--fee-rate", "1", "--confirm-within", "2"], "cannot be used with"),
        (&["send", &address, "1", "--fee-rate", "-1"], "-1"),
        (&["send", &address, "1", "--confirm-within", "0"], "invalid value '0'"),
        (&["balance", "--network", "fakenet"], "there is no network 'fakenet'"),
        (&["balance", "--cookie", "a", "--cookie", "b"], "2 --cookie for 0 --rpc"),
        (&["create", "--words", "13"], "invalid value '13'"),
    ];
    for (arguments, message) in cases {
        desk.run(&[&["--wallet", "w"], arguments].concat()).fails_with(2, message);
    }
    let memo = "x".repeat(81);
    let outcome = desk.run(&["--wallet", "w", "send", &address, "1", "--yes", "--memo", &memo]);
    outcome.fails_with(2, "the memo has 81 bytes");
}

#[test]
fn secrets_are_no_arguments() {
    let desk = Desk::new();
    let help = finish(desk.command(&["--help"]).env("COLUMNS", "200"), "").stdout;
    assert!(!help.contains("--passphrase <") && !help.contains("--rpc-password <"), "{help}");
}
