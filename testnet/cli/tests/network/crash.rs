//! Nodes that die, and come back with all they had.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tally_testnet::system::{End, signal};

use super::support::{Net, client, nodes, outcome, testnet, until};

fn pid(node: &Value) -> Option<u32> {
    node["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok())
}

/// Waits until a node that died runs in another process and has all its blocks again.
#[track_caller]
fn is_back(net: &Net, index: usize, dead: u32, height: u64) -> Value {
    until("the node is back and has caught up", || {
        let status = net.status();
        let node = &nodes(&status)[index];
        let others = &nodes(&status)[(index + 1) % nodes(&status).len()];
        let is_new = pid(node).is_some_and(|pid| pid != dead);
        let caught_up = node["tip"].is_string() && node["tip"] == others["tip"];
        (is_new && caught_up && node["height"].as_u64()? >= height).then(|| status.clone())
    })
}

#[test]
fn twenty_kills_while_mining_lose_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let net = Net::up(dir.path(), &["--nodes", "3", "--spacing", "1"]);
    let mut status = net.report.clone();
    for round in 0..20 {
        let index = round % 3;
        let node = &nodes(&status)[index];
        // What the node has said that it has, it must have afterwards.
        let (height, tip) = (node["height"].as_u64().expect("a height"), node["tip"].clone());
        let dead = pid(node).expect("it runs");
        assert!(signal(dead, End::Kill), "round {round}: {status}");
        status = is_back(&net, index, dead, height);
        let node = client(&nodes(&status)[index]);
        let header: Value = node.call("getblockheader", vec![tip]).expect("the block is still there");
        assert_eq!(header["height"], height, "round {round}");
    }
    assert!(nodes(&status)[0]["height"].as_u64().expect("a height") > 0, "the network mined");
    let (code, said) = net.end();
    assert_eq!(code, 0);
    assert_eq!(said.matches(" was killed (signal 9); it is started again in 0.5 s").count(), 20, "{said}");
}

#[test]
fn restart_stops_a_node_and_starts_it_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let net = Net::up(dir.path(), &["--nodes", "2"]);
    let restart = |node: &str| outcome(testnet(["restart", node, "--json", "--dir"]).arg(dir.path()));
    let before = pid(&nodes(&net.report)[1]).expect("it runs");
    let (code, stdout, stderr) = restart("node-2");
    assert_eq!(code, 0, "{stderr}");
    let answer: Value = serde_json::from_str(&stdout).expect("JSON");
    assert_eq!(answer["node"], "node-2");
    assert_ne!(pid(&answer), Some(before));
    let status = is_back(&net, 1, before, 0);
    assert_eq!(nodes(&status)[1]["rpc"], nodes(&net.report)[1]["rpc"], "it keeps its ports");
    until("the node has its peer again", || (nodes(&net.status())[1]["peers"] == 1).then_some(()));

    let (code, _, stderr) = restart("node-7");
    assert_eq!(code, 2);
    assert_eq!(stderr, "error: there is no node \"node-7\"; there are node-1, node-2\n");
}

#[test]
fn a_node_that_was_stopped_stays_down_until_it_is_restarted() {
    let dir = tempfile::tempdir().expect("a directory");
    let net = Net::up(dir.path(), &["--nodes", "2"]);
    net.client(1).stop().expect("it stops");
    until("the node is down", || nodes(&net.status())[1]["pid"].is_null().then_some(()));
    let (code, stdout, _) = outcome(testnet(["status", "--dir"]).arg(dir.path()));
    assert_eq!(code, 0);
    assert!(stdout.lines().any(|line| line.contains("node-2") && line.contains("does not run")), "{stdout}");
    // The wallet asks another node.
    net.wallet("bob", &["balance"]);
    let (code, _, stderr) = outcome(testnet(["restart", "node-2", "--dir"]).arg(dir.path()));
    assert_eq!(code, 0, "{stderr}");
    net.in_step();
    let log = std::fs::read_to_string(Path::new(&net.layout.node_log("node-2"))).expect("a log");
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn a_node_that_hangs_is_shown_and_can_be_stopped() {
    let dir = tempfile::tempdir().expect("a directory");
    let net = Net::up(dir.path(), &["--nodes", "2", "--hashrate", "0"]);
    let hanging = pid(&nodes(&net.report)[0]).expect("it runs");
    let stopped = Command::new("kill").args(["-STOP", &hanging.to_string()]).status().expect("kill runs");
    assert!(stopped.success());
    let (code, stdout, stderr) = outcome(testnet(["status", "--dir"]).arg(dir.path()));
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.lines().any(|line| line.contains("node-1") && line.contains("does not answer")), "{stdout}");
    let (code, said) = net.end();
    assert_eq!(code, 0, "{said}");
}
