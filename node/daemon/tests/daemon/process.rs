//! The program as a process: restarts, refusals with one line and the right exit code, signals, offline commands.

use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::{Value, json};
use tally_primitives::params::Params;

use crate::common::{Place, exists, program, run, stderr, wait_for};

#[test]
fn a_restart_keeps_the_chain_and_a_clean_stop_leaves_nothing() {
    let place = Place::new();
    let node = place.start("node", &[]);
    let tip = *node.generate(30).last().unwrap();
    let stats = node.client.tx_out_set_info().unwrap();
    let directory = node.data_dir.clone();
    let mode = |name: &str| std::fs::metadata(directory.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(".cookie"), 0o600);
    assert_eq!(node.stop(), Some(0));
    assert!(!exists(&directory.join(".cookie")) && !exists(&directory.join("node.json")));
    let node = place.start("node", &[]);
    assert_eq!(node.tip(), tip);
    assert_eq!(node.client.tx_out_set_info().unwrap().hash_serialized, stats.hash_serialized);
    assert!(!node.log().contains("panicked"), "{}", node.log());
}

#[test]
fn signals_stop_it_cleanly() {
    let place = Place::new();
    for name in ["INT", "TERM"] {
        let mut node = place.start("node", &[]);
        node.generate(1);
        let pid = node.pid().to_string();
        let status = std::process::Command::new("kill").args([format!("-{name}"), pid]).status().unwrap();
        assert!(status.success());
        assert_eq!(node.wait(), Some(0), "{}", node.log());
        assert!(!exists(&node.data_dir.join("node.json")));
    }
}

#[test]
fn a_second_process_on_a_directory_is_refused() {
    let place = Place::new();
    let node = place.start("node", &[]);
    let second = program()
        .args(place.location("node"))
        .args(["--listen", "127.0.0.1:0", "--rpc-listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1));
    let text = stderr(&second);
    assert!(text.contains(&node.pid().to_string()) && text.contains(&node.data_dir.display().to_string()), "{text}");
    assert_one_line(&text);
    // The first one did not notice.
    node.generate(1);
    assert!(exists(&node.data_dir.join("node.json")));
    let check = place.offline("check", "node", &[]);
    assert_eq!(check.status.code(), Some(1));
}

/// One line of error and at most one of hint.
fn assert_one_line(text: &str) {
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].starts_with("error: "), "{text}");
    assert!(lines.len() == 1 || (lines.len() == 2 && lines[1].starts_with("hint: ")), "{text}");
    assert!(!text.contains("panicked"), "{text}");
}

#[test]
fn what_cannot_work_is_said_in_one_line() {
    let place = Place::new();
    let node = place.start("node", &[]);
    let network = place.network.display().to_string();
    let free = place.data_dir("free").display().to_string();
    let taken = node.file.rpc.to_string();
    let taken_peer = node.listen();
    let file = place.directory.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let under_a_file = file.join("data").display().to_string();
    let bad_network = place.directory.path().join("bad.toml");
    std::fs::write(&bad_network, "name = 3\n").unwrap();
    let bad_network = bad_network.display().to_string();
    let other = Params { genesis_message: "another".to_owned(), ..Params::devnet() };
    let other_network = place.directory.path().join("other.toml");
    std::fs::write(&other_network, other.to_toml()).unwrap();
    let other_network = other_network.display().to_string();
    let used = place.start("used", &[]);
    let used_dir = used.data_dir.display().to_string();
    assert_eq!(used.stop(), Some(0));
    let any = "127.0.0.1:0";
    let cases: [(&[&str], i32, &str); 9] = [
        (&["--network", &network, "--data-dir", &free, "--listen", any, "--rpc-listen", &taken], 1, "--rpc-listen"),
        (&["--network", &network, "--data-dir", &free, "--listen", &taken_peer, "--rpc-listen", any], 1, "--listen"),
        (&["--network", &network, "--data-dir", &under_a_file, "--listen", any], 1, "cannot make the directory"),
        (&["--network", &bad_network, "--data-dir", &free], 2, "bad.toml"),
        (&["--network", "/nonexistent.toml", "--data-dir", &free], 2, "/nonexistent.toml"),
        (&["--network", "moonnet", "--data-dir", &free], 2, "moonnet"),
        (
            &["--network", &other_network, "--data-dir", &used_dir, "--listen", any, "--rpc-listen", any],
            1,
            "another chain",
        ),
        (&["--network", &network, "--data-dir", &free, "--mine", "tally1nonsense"], 2, "--mine"),
        (&["--network", &network, "--data-dir", &free, "--log", "[[["], 2, "log filter"),
    ];
    for (arguments, code, part) in cases {
        let output = run(arguments);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {text}");
        assert!(text.contains(part), "{arguments:?}: {text}");
        assert_one_line(&text);
    }
}

#[test]
fn arguments_go_over_the_environment_and_that_over_the_file() {
    let place = Place::new();
    let directory = place.data_dir("node");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join("node.toml"), "network = 'from-the-file'\n").unwrap();
    // Which network is asked for shows in the refusal of one that does not exist.
    let refusal = |environment: Option<&str>, argument: Option<&str>| {
        let mut command = program();
        command.arg("run").arg("--data-dir").arg(&directory);
        command.envs(environment.map(|value| ("TALLY_NETWORK", value)));
        command.args(argument.into_iter().flat_map(|value| ["--network", value]));
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        stderr(&output)
    };
    assert!(refusal(None, None).contains("from-the-file"));
    assert!(refusal(Some("from-the-environment"), None).contains("from-the-environment"));
    assert!(refusal(Some("from-the-environment"), Some("from-an-argument")).contains("from-an-argument"));
}

#[test]
fn offline_commands_check_and_repair() {
    let place = Place::new();
    let missing = place.offline("check", "nowhere", &[]);
    assert_eq!(missing.status.code(), Some(1));
    assert_one_line(&stderr(&missing));

    let node = place.start("node", &[]);
    node.generate(12);
    let tip = node.tip();
    assert_eq!(node.stop(), Some(0));
    let checked = place.offline("check", "node", &["--json"]);
    assert!(checked.status.success(), "{checked:?}");
    let outcome: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(outcome["tip"], json!(tip));
    assert_eq!(outcome["headers"], json!(13));

    let again = place.offline("reindex", "node", &["--json"]);
    assert!(again.status.success(), "{again:?}");
    let outcome: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((&outcome["height"], &outcome["tip"], &outcome["unusable"]), (&json!(12), &json!(tip), &json!(0)));

    // Rubbish in the index is reported, then repaired, then gone.
    let index = place.data_dir("node").join("index").join("db");
    let size = std::fs::metadata(&index).unwrap().len();
    std::fs::write(&index, vec![0x55; usize::try_from(size).unwrap()]).unwrap();
    let found = place.offline("check", "node", &["--json"]);
    assert_eq!(found.status.code(), Some(1), "{found:?}");
    let repaired = place.offline("check", "node", &["--repair", "--json"]);
    assert!(repaired.status.success(), "{repaired:?}");
    let outcome: Value = serde_json::from_slice(&repaired.stdout).unwrap();
    assert_eq!((&outcome["ok"], &outcome["repaired"], &outcome["tip"]), (&json!(true), &json!(true), &json!(tip)));
    let node = place.start("node", &[]);
    assert_eq!(node.tip(), tip);
}

#[test]
fn a_damaged_index_does_not_keep_a_node_from_starting() {
    let place = Place::new();
    let node = place.start("node", &[]);
    node.generate(8);
    let tip = node.tip();
    node.kill();
    std::fs::remove_dir_all(place.data_dir("node").join("index")).unwrap();
    let node = place.start("node", &[]);
    assert_eq!(node.tip(), tip);
    assert!(node.log().contains("making it again"), "{}", node.log());
}

#[test]
fn the_rpc_command_talks_to_a_node() {
    let place = Place::new();
    let node = place.start("node", &[]);
    let ask = |more: &[&str]| {
        let output =
            program().arg("rpc").args(place.location("node")).args(more).stdin(Stdio::null()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout.clone()).unwrap(), stderr(&output))
    };
    assert_eq!(ask(&["getblockcount"]), (Some(0), "0\n".to_owned(), String::new()));
    let (code, text, _) = ask(&["help"]);
    assert!(code == Some(0) && text.contains("== Blockchain ==") && text.contains("getblocktemplate"), "{text}");
    let (code, _, error) = ask(&["getblockhash", "5"]);
    assert_eq!(code, Some(4));
    assert_one_line(&error);
    let (code, _, error) = ask(&["--user", "x", "--password", "y", "getblockcount"]);
    assert_eq!(code, Some(4), "{error}");
    assert_eq!(node.stop(), Some(0));
    let (code, _, error) = ask(&["getblockcount"]);
    assert_eq!(code, Some(5));
    assert_one_line(&error);
}

#[test]
fn health_says_whether_the_node_is_in_step() {
    let place = Place::new();
    let node = place.start("node", &["--web-listen", "127.0.0.1:0"]);
    let address = node.file.web.unwrap();
    let answer = crate::http::exchange(address, "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!((&body["ready"], &body["height"]), (&json!(true), &json!(0)));
}

#[test]
fn the_nodes_own_miner_mines_and_says_so() {
    let place = Place::new();
    let address = crate::common::somebody().to_string();
    let node = place.start("node", &["--mine", &address, "--mine-threads", "2", "--mine-limit", "200"]);
    wait_for("it mines", || (node.height().get() >= 3).then_some(()));
    wait_for("it is measured", || {
        let miner = node.call("getmininginfo", &[])["miner"].clone();
        let hashes = miner["hashes"].as_u64().unwrap();
        (miner["threads"] == json!(2) && hashes > 0 && miner["hashespersec"].as_f64().unwrap() > 0.0).then_some(())
    });
    assert_eq!(node.stop(), Some(0));
}

#[test]
fn completions_and_help_are_printed() {
    for shell in ["bash", "zsh", "fish"] {
        let output = run(&["completions", shell]);
        assert!(output.status.success());
        assert!(String::from_utf8(output.stdout).unwrap().contains("reindex"));
    }
    let help = run(&["--help"]);
    assert!(help.status.success());
    assert!(String::from_utf8(help.stdout).unwrap().contains("Examples:"));
    assert_eq!(run(&["--no-such-option"]).status.code(), Some(2));
}
