//! The other subcommands, and what happens when something is wrong: one clear line and the right exit code.

mod support;

use serde_json::Value;
use std::fs;
use std::io::Read;
use std::process::Stdio;
use support::miner::command;
use support::{EASY, FakeNode, HARD, payout};
use tally_primitives::address::Address;
use tally_primitives::params::Params;

/// Exit code, output, errors.
fn outcome(args: &[&str]) -> (Option<i32>, String, String) {
    let output = command(args).output().expect("the miner runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Asserts an exit code and an error of one line (and at most a hint) with these words.
fn assert_refused(args: &[&str], code: i32, words: &str) {
    let (status, _, stderr) = outcome(args);
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(status, Some(code), "{stderr}");
    assert!(lines[0].starts_with("error: ") && lines[0].contains(words), "{stderr}");
    assert!(lines.len() == 1 || (lines.len() == 2 && lines[1].starts_with("hint: ")), "{stderr}");
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON object a line")).collect()
}

#[test]
fn bad_arguments_are_refused_before_anything_is_asked() {
    let (_, address) = payout();
    let mistyped = address.replace("tally1", "tally1q");
    assert_refused(&["run", "--rpc", "127.0.0.1:1", "--address", &mistyped], 2, "is not an address");
    for (url, words) in [
        ("127.0.0.1", "the port is missing"),
        ("https://127.0.0.1:9741", "nodes speak http"),
        ("127.0.0.1:0", "port must be"),
        ("127.0.0.1:99999", "port must be"),
        ("http://:9741", "the host is missing"),
        ("http://a b:9741", "no host"),
    ] {
        assert_refused(&["run", "--rpc", url, "--address", &address], 2, words);
    }
    let run = ["run", "--rpc", "127.0.0.1:1", "--address", &address];
    let with = |more: &[&'static str]| [&run[..], more].concat();
    assert_refused(&with(&["--threads", "0"]), 2, "at least one thread");
    assert_refused(&with(&["--cookie", "a", "--cookie", "b"]), 2, "2 cookies for 1 nodes");
}

#[test]
fn usage_that_clap_refuses_has_code_2() {
    let (_, address) = payout();
    let run = ["run", "--rpc", "127.0.0.1:1", "--address", &address];
    for more in [
        &["--limit", "0"][..],
        &["--limit", "fast"],
        &["--blocks", "0"],
        &["--refresh", "0"],
        &["--kernel", "quantum"],
        &["--cookie", "a", "--rpc-user", "me", "--rpc-password", "secret"],
        &["--rpc-user", "me"],
    ] {
        let (status, _, stderr) = outcome(&[&run[..], more].concat());
        assert_eq!(status, Some(2), "{more:?}: {stderr}");
        assert!(stderr.starts_with("error: "), "{stderr}");
    }
    assert_eq!(outcome(&["run", "--address", &address]).0, Some(2));
}

#[test]
fn a_node_that_is_not_there_is_code_5() {
    let (node, (_, address)) = (FakeNode::start(EASY), payout());
    node.kill();
    assert_refused(&["run", "--rpc", &node.url(), "--address", &address], 5, &node.url());
    let missing = ["run", "--rpc", &node.url(), "--cookie", "/nonexistent/.cookie", "--address", &address];
    assert_refused(&missing, 5, "/nonexistent/.cookie");
}

#[test]
fn a_wrong_cookie_or_password_is_code_4() {
    let (node, (_, address)) = (FakeNode::start(EASY), payout());
    node.state().credentials = Some("__cookie__:right".to_owned());
    let directory = tempfile::tempdir().expect("a directory");
    let cookie = directory.path().join(".cookie");
    fs::write(&cookie, "__cookie__:wrong").expect("written");
    let run = ["run", "--rpc", &node.url(), "--address", &address];
    let with = |more: &[&str]| -> Vec<String> { run.iter().chain(more).map(ToString::to_string).collect() };
    for (args, words) in [
        (with(&["--cookie", cookie.to_str().expect("text")]), "cookie"),
        (with(&["--rpc-user", "me", "--rpc-password", "wrong"]), "wrong password"),
        (with(&[]), "does not let us in"),
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        assert_refused(&args, 4, words);
    }
}

#[test]
fn an_address_of_another_network_is_code_2() {
    let node = FakeNode::start(EASY);
    let foreign = Address::new(Params::mainnet().address_prefix, payout().0).to_string();
    assert_refused(&["run", "--rpc", &node.url(), "--address", &foreign], 2, "another network");
    // Also when the node is only waited for.
    assert_refused(&["run", "--rpc", &node.url(), "--address", &foreign, "--wait"], 2, "another network");
    assert!(node.state().blocks.is_empty());
}

#[test]
fn text_tells_of_blocks_and_of_the_end() {
    let (node, (_, address)) = (FakeNode::start(EASY), payout());
    let args = ["run", "--rpc", &node.url(), "--address", &address, "--blocks", "2", "--threads", "1", "--limit", "5k"];
    let (status, stdout, stderr) = outcome(&args);
    assert_eq!((status, stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with(&format!("mining for {address}: 1 thread, kernel ")), "{stdout}");
    assert!(lines[0].ends_with("at most 5.00 kH/s"), "{stdout}");
    assert_eq!(lines[1], format!("work from {}", node.url()));
    assert!(lines[2].starts_with("block 1 accepted: ") && lines[2].ends_with(" pays 50.00000000 TALLY"), "{stdout}");
    assert!(lines[3].starts_with("block 2 accepted: "), "{stdout}");
    assert!(lines[4].starts_with("stopped after ") && lines[4].contains("2 blocks accepted, 0 refused"), "{stdout}");
    assert_eq!(lines.len(), 5);
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let (node, (_, address)) = (FakeNode::start(HARD), payout());
    let mut child = command(&["run", "--json", "--rpc", &node.url(), "--address", &address])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the miner starts");
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("text");
    assert_eq!((child.wait().expect("a status").code(), stderr.as_str()), (Some(0), ""));
}

#[test]
fn bench_counts_hashes() {
    let (status, stdout, stderr) = outcome(&["bench", "--seconds", "0.2", "--threads", "1", "--json"]);
    assert_eq!((status, stderr.as_str()), (Some(0), ""));
    let rows = json_lines(&stdout);
    let names: Vec<&str> = rows.iter().filter_map(|row| row["kernel"].as_str()).collect();
    assert!(names.contains(&"scalar") && names.contains(&"sha2"), "{stdout}");
    for row in &rows {
        let number = |field: &str| row[field].as_f64().unwrap_or_else(|| panic!("{field} in {row}"));
        assert_eq!(row["threads"], 1);
        assert!(number("hashes") > 0.0);
        assert!(number("seconds") >= 0.19, "{row}");
        assert!((number("mhs") - number("hashes") / number("seconds") / 1e6).abs() < 1e-9, "{row}");
        assert!(number("ratio_to_scalar") > 0.0);
    }
}

#[test]
fn bench_of_one_kernel_is_one_row() {
    let (_, stdout, _) = outcome(&["bench", "--kernel", "sha2", "--threads", "2", "--seconds", "0.1", "--json"]);
    let rows = json_lines(&stdout);
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["kernel"], &rows[0]["threads"]), (&"sha2".into(), &2.into()));
    assert!(rows[0]["ratio_to_scalar"].is_null());
    let (_, stdout, _) =
        outcome(&["bench", "--kernel", "scalar", "--threads", "1", "--versions", "off", "--seconds", "0.1", "--json"]);
    assert_eq!(json_lines(&stdout)[0]["versions"], 1);
    let (_, table, _) = outcome(&["bench", "--kernel", "auto", "--threads", "1", "--seconds", "0.1"]);
    assert_eq!(table.lines().count(), 3, "{table}");
}

#[test]
fn kernels_are_listed_and_one_is_chosen() {
    let (status, stdout, _) = outcome(&["kernels", "--json"]);
    let rows = json_lines(&stdout);
    assert_eq!(status, Some(0));
    assert_eq!(rows.iter().filter(|row| row["chosen"] == true && row["available"] == true).count(), 1);
    assert_eq!(outcome(&["kernels"]).1.lines().count(), rows.len() + 1);
}

#[test]
fn completions_exist_for_every_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let (status, script, _) = outcome(&["completions", shell]);
        assert_eq!(status, Some(0));
        assert!(script.contains("miner") && script.contains("bench"), "{shell}");
    }
}
