//! Coming up, going down, coming back.

use std::path::Path;
use std::process::Command;

use tally_testnet::system::our_processes;

use super::support::{Net, nodes, outcome, testnet, until};

fn down(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = testnet(["down", "--json", "--dir"]);
    command.arg(dir).args(arguments);
    command
}

#[track_caller]
fn assert_nothing_is_left(net: &tally_testnet::layout::Layout) {
    assert_eq!(our_processes(net), []);
    assert!(!net.state().exists());
    for name in ["node-1", "node-2"] {
        assert!(!net.node_file(name).exists(), "{name}/node.json is left");
        assert!(!net.cookie(name).exists(), "{name}/.cookie is left");
    }
}

#[test]
fn down_leaves_nothing_and_the_next_up_goes_on_with_the_chain() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut net = Net::up(dir.path(), &["--nodes", "2", "--spacing", "1"]);
    let layout = net.layout.clone();
    let mined = until("a few blocks", || {
        let height = net.client(0).block_count().expect("an answer");
        (height.get() >= 3).then_some(height)
    });
    let genesis = net.client(0).blockchain_info().expect("an answer").genesishash;
    // The last block may be reorganised away; the one before has to stay.
    let buried = mined.checked_sub_blocks(1).expect("above");
    net.in_step();
    let hash = net.client(1).block_hash(buried).expect("a block");
    assert_eq!(
        outcome(&mut down(dir.path(), &[])),
        (0, "{\"stopped\":2,\"deleted\":false}\n".to_owned(), String::new())
    );
    assert_eq!(net.ended().0, 0);
    assert_nothing_is_left(&layout);

    let net = Net::up(dir.path(), &[]);
    assert_eq!(nodes(&net.report).len(), 2, "as many nodes as last time");
    let client = net.client(0);
    assert_eq!(client.blockchain_info().expect("an answer").genesishash, genesis);
    assert!(client.block_count().expect("an answer") >= mined);
    assert_eq!(client.block_hash(buried).expect("a block"), hash);
    // The wallets know the new ports.
    net.wallet("alice", &["balance"]);
    let (code, stderr) = net.end();
    assert_eq!(code, 0, "{stderr}");
    assert_nothing_is_left(&layout);

    let (code, stdout, _) = outcome(&mut down(dir.path(), &["--delete"]));
    assert_eq!((code, stdout.as_str()), (0, "{\"stopped\":0,\"deleted\":true}\n"));
    assert!(!dir.path().exists());
}

#[test]
fn it_ends_by_itself_when_its_time_is_over() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut net = Net::up(dir.path(), &["--nodes", "1", "--for", "1"]);
    let (code, stderr) = net.ended();
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(our_processes(&net.layout), []);
}

#[test]
fn what_a_killed_up_left_behind_is_stopped_by_the_next() {
    let dir = tempfile::tempdir().expect("a directory");
    let layout = Net::up(dir.path(), &["--nodes", "2"]).kill();
    let orphans = our_processes(&layout);
    assert_eq!(orphans.len(), 2, "nodes outlive a killed `up`");
    let (code, stdout, stderr) = outcome(testnet(["status", "--dir"]).arg(dir.path()));
    assert_eq!(code, 0);
    assert!(stdout.contains("node-2") && stderr.contains("`testnet up` was killed"), "{stdout}{stderr}");
    let net = Net::up(dir.path(), &["--nodes", "2"]);
    let running = our_processes(&layout);
    assert_eq!(running.len(), 2);
    assert!(running.iter().all(|process| orphans.iter().all(|orphan| orphan.pid != process.pid)));
    let layout = net.kill();
    let (code, stdout, _) = outcome(&mut down(dir.path(), &[]));
    assert_eq!((code, stdout.as_str()), (0, "{\"stopped\":2,\"deleted\":false}\n"));
    assert_nothing_is_left(&layout);
}

#[test]
fn plain_output_is_a_table_and_commands_that_work() {
    let dir = tempfile::tempdir().expect("a directory");
    let (code, stdout, stderr) =
        outcome(testnet(["up", "--nodes", "2", "--hashrate", "0", "--for", "0", "--dir"]).arg(dir.path()));
    assert_eq!((code, stderr.as_str()), (0, ""));
    let lines: Vec<&str> = stdout.lines().collect();
    let heading: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!(heading, ["node", "peers", "height", "tip", "mempool", "RPC", "pid"], "{stdout}");
    assert!(lines[1].trim_start().starts_with("node-1") && lines[2].trim_start().starts_with("node-2"));
    assert!(lines.iter().any(|line| line.starts_with("2 nodes are in step after ")), "{stdout}");
    assert!(!stdout.contains('\u{1b}'), "colours without a terminal");
    let commands: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix("  /")).collect();
    assert_eq!(commands.len(), 4, "{stdout}");
    // The first command, as a shell takes it, against the network when it runs again.
    let _net = Net::up(dir.path(), &[]);
    let command = format!("/{} --json", commands[0]);
    let (code, stdout, stderr) = outcome(Command::new("sh").args(["-c", &command]));
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.contains("\"confirmed\":100000000000"), "{stdout}");
}
