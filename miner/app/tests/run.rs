//! `miner run` against nodes that go away, come back, refuse and change their minds.

mod support;

use std::fs;
use std::net::TcpListener;
use support::miner::Miner;
use support::{EASY, FakeNode, HARD, payout};
use tally_primitives::hash::{LockHash, Txid};
use tally_primitives::spending::{SpendingPolicy, Witness};
use tally_primitives::transaction::{CURRENT_VERSION, Input, OutPoint, Output, Transaction};
use tally_primitives::units::{Amount, Height};

/// Transactions that look like payments.
fn payments(count: u32) -> Vec<Transaction> {
    let payment = |index| Transaction {
        version: CURRENT_VERSION,
        inputs: vec![Input {
            outpoint: OutPoint { txid: Txid::ZERO, index },
            witness: Witness {
                policy: SpendingPolicy::After(Height::new(index)),
                signatures: Vec::new(),
                preimages: Vec::new(),
            },
        }],
        outputs: vec![Output { value: Amount::ONE_TALLY, lock: LockHash::ZERO }],
        memo: Vec::new(),
    };
    (0..count).map(payment).collect()
}

#[test]
fn mines_blocks_that_follow_the_rules_and_stops_after_enough() {
    let node = FakeNode::start(EASY);
    node.state().transactions = payments(6);
    let (lock, address) = payout();
    let miner = Miner::run(&["--rpc", &node.url(), "--address", &address, "--blocks", "5"]);
    assert_eq!(miner.wait_for("started")["address"], address);
    assert_eq!(miner.wait_for("connected")["url"], node.url());
    for height in 1..=5 {
        let block = miner.wait_for("block");
        assert_eq!((block["height"].as_u64(), block["accepted"].as_bool()), (Some(height), Some(true)), "{block}");
    }
    let ended = miner.wait_for("ended");
    assert_eq!((ended["accepted"].as_u64(), ended["rejected"].as_u64()), (Some(5), Some(0)));
    assert!(ended["hashes"].as_u64() >= Some(5) && ended["expected"].as_f64() > Some(0.0), "{ended}");
    let (status, stderr) = miner.end();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
    let state = node.state();
    assert_eq!(state.blocks.len(), 5);
    for block in &state.blocks {
        assert_eq!(block.transactions[0].outputs, [Output { value: state.value, lock }]);
        assert_eq!(block.transactions.len(), 7);
    }
}

#[test]
fn two_miners_with_one_address_do_different_work() {
    let (node, (_, address)) = (FakeNode::start(EASY), payout());
    let mut coinbases = Vec::new();
    for _ in 0..2 {
        let miner = Miner::run(&["--rpc", &node.url(), "--address", &address, "--blocks", "1"]);
        miner.wait_for("ended");
        coinbases.push(node.state().blocks.last().expect("a block").transactions[0].memo[8..16].to_vec());
    }
    assert_ne!(coinbases[0], coinbases[1]);
}

#[test]
fn a_new_tip_or_template_becomes_new_work_at_once() {
    let (node, (_, address)) = (FakeNode::start(HARD), payout());
    // Without long poll nothing would come for ten minutes.
    let miner = Miner::run(&["--rpc", &node.url(), "--address", &address, "--refresh", "600"]);
    miner.wait_for("work");
    for height in 2..5 {
        let tip = node.advance().to_string();
        let work = miner.wait_until("work", |work| work["prev_block"] == tip);
        assert_eq!(work["height"], height);
    }
    node.change(|state| state.transactions = payments(3));
    assert_eq!(miner.wait_for("work")["transactions"], 3);
}

#[test]
fn the_work_is_refreshed_so_that_its_time_moves() {
    let (node, (_, address)) = (FakeNode::start(HARD), payout());
    let miner = Miner::run(&["--rpc", &node.url(), "--address", &address, "--refresh", "1"]);
    let first = miner.wait_for("work");
    // The node has nothing new: only the refresh brings work again.
    for _ in 0..2 {
        assert_eq!(miner.wait_for("work")["prev_block"], first["prev_block"]);
    }
}

#[test]
fn a_refused_block_is_told_and_mining_goes_on() {
    let cases = [
        ("rejected: HDR-05 too early", "rejected: HDR-05 too early"),
        ("inconclusive", "another block of this height"),
    ];
    for (answer, words) in cases {
        let (node, (_, address)) = (FakeNode::start(EASY), payout());
        node.state().refuse_next = Some(answer.to_owned());
        let miner = Miner::run(&["--rpc", &node.url(), "--address", &address, "--blocks", "1"]);
        let refused = miner.wait_for("block");
        let reason = refused["reason"].as_str().unwrap_or_default();
        assert!(refused["accepted"] == false && reason.starts_with(words), "{refused}");
        assert_eq!(miner.wait_for("block")["accepted"], true);
        let ended = miner.wait_for("ended");
        assert_eq!((ended["accepted"].as_u64(), ended["rejected"].as_u64()), (Some(1), Some(1)));
    }
}

#[test]
fn a_block_whose_answer_got_lost_is_handed_in_again() {
    let (node, (_, address)) = (FakeNode::start(EASY), payout());
    node.state().lose_next_answer = true;
    let miner = Miner::run(&["--rpc", &node.url(), "--address", &address, "--blocks", "1"]);
    assert_eq!(miner.wait_for("block")["accepted"], true);
    let state = node.state();
    assert_eq!(state.blocks.len(), 1);
    assert_eq!(state.calls.iter().filter(|method| *method == "submitblock").count(), 2);
}

#[test]
fn when_a_node_goes_away_the_next_one_is_used() {
    let (first, second, (_, address)) = (FakeNode::start(HARD), FakeNode::start(HARD), payout());
    let miner = Miner::run(&["--rpc", &first.url(), "--rpc", &second.url(), "--address", &address]);
    assert_eq!(miner.wait_for("connected")["url"], first.url());
    miner.wait_for("work");
    first.kill();
    assert_eq!(miner.wait_for("lost")["url"], first.url());
    assert_eq!(miner.wait_for("connected")["url"], second.url());
    miner.wait_for("work");
    // Work from the second node, handed in there.
    second.change(|state| state.bits = EASY);
    assert_eq!(miner.wait_for("block")["accepted"], true);
    assert!(!second.state().blocks.is_empty());
}

#[test]
fn a_node_that_comes_back_with_another_cookie_is_used_again() {
    let directory = tempfile::tempdir().expect("a directory");
    let cookie = directory.path().join(".cookie");
    fs::write(&cookie, "__cookie__:first").expect("written");
    let (node, (_, address)) = (FakeNode::start(HARD), payout());
    node.state().credentials = Some("__cookie__:first".to_owned());
    let cookie_path = cookie.to_str().expect("text");
    let miner = Miner::run(&["--rpc", &node.url(), "--cookie", cookie_path, "--address", &address, "--blocks", "1"]);
    miner.wait_for("work");
    node.kill();
    assert_eq!(miner.wait_for("lost")["url"], node.url());
    fs::write(&cookie, "__cookie__:second").expect("written");
    let node = restart(&node);
    node.state().credentials = Some("__cookie__:second".to_owned());
    miner.wait_for("connected");
    assert_eq!(miner.wait_for("block")["accepted"], true);
    assert_eq!(miner.end().0.code(), Some(0));
}

/// The same node again, with easier blocks. The old listener may need a moment to let go of the port.
fn restart(node: &FakeNode) -> FakeNode {
    let address = node.address();
    while TcpListener::bind(address).is_err() {
        std::thread::yield_now();
    }
    FakeNode::start_at(address, EASY)
}

#[test]
fn the_miner_can_wait_for_a_node_that_is_not_there_yet() {
    let (node, (_, address)) = (FakeNode::start(HARD), payout());
    node.kill();
    let miner = Miner::run(&["--rpc", &node.url(), "--address", &address, "--wait", "--blocks", "1"]);
    miner.wait_for("lost");
    let _node = restart(&node);
    assert_eq!(miner.wait_for("block")["accepted"], true);
}

#[test]
fn a_block_that_pays_nothing_is_mined() {
    let (node, (_, address)) = (FakeNode::start(EASY), payout());
    node.state().value = Amount::ZERO;
    let miner = Miner::run(&["--rpc", &node.url(), "--address", &address, "--blocks", "1"]);
    let block = miner.wait_for("block");
    assert_eq!((&block["accepted"], &block["reward"]), (&true.into(), &0.into()));
}

#[test]
fn signals_stop_it_cleanly() {
    for signal in ["INT", "TERM"] {
        let (node, (_, address)) = (FakeNode::start(HARD), payout());
        let miner = Miner::run(&["--rpc", &node.url(), "--address", &address]);
        miner.wait_for("work");
        miner.signal(signal);
        assert_eq!(miner.wait_for("ended")["accepted"], 0);
        assert_eq!(miner.end().0.code(), Some(0));
    }
}

#[test]
fn stopping_waits_for_the_answer_to_a_block() {
    let (node, (_, address)) = (FakeNode::start(EASY), payout());
    node.state().hold_answers = true;
    let miner = Miner::run(&["--rpc", &node.url(), "--address", &address]);
    while node.state().blocks.is_empty() {
        std::thread::yield_now();
    }
    miner.signal("INT");
    assert!(miner.wait_for("stopping")["handed_in"].as_u64() >= Some(1));
    node.change(|state| state.hold_answers = false);
    assert_eq!(miner.wait_for("block")["accepted"], true);
    assert!(miner.wait_for("ended")["accepted"].as_u64() >= Some(1));
    assert_eq!(miner.end().0.code(), Some(0));
}
