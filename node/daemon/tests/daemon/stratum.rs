//! The Stratum server of the real program: a miner that hashes, miners that behave badly, and a clean end.

use std::io::Write;

use serde_json::{Value, json};
use tally_node_core::testing::{self, allocations, pay_on};
use tally_primitives::address::Address;
use tally_primitives::encode;
use tally_primitives::params::Params;
use tally_primitives::pow::CompactTarget;
use tally_rpc::stratum::StratumInfo;

use crate::common::{Place, TestNode, params, somebody, wait_for};
use crate::stratum_miner::{Miner, connect_from, is_closed};

/// The easiest difficulty: what a share is to be does not matter then, blocks do.
const EASIEST: f64 = 1e-9;

fn start(place: &Place, more: &[&str]) -> TestNode {
    place.start("node", &[&["--stratum-listen", "127.0.0.1:0"], more].concat())
}

fn info(node: &TestNode) -> StratumInfo {
    serde_json::from_value(node.call("getstratuminfo", &[])).unwrap()
}

fn code(answer: &Value) -> i64 {
    answer["error"][0].as_i64().unwrap_or_else(|| panic!("{answer} is no refusal"))
}

/// Waits until the server has seen that connections ended.
fn wait_until_alone(node: &TestNode) {
    wait_for("the connections end", || (info(node).connections == 0).then_some(()));
}

#[test]
fn a_miner_mines_blocks_with_transactions() {
    let place = Place::new();
    let node = start(&place, &[]);
    let params = params();
    for coin in &allocations(&params)[..3] {
        node.call("sendrawtransaction", &[json!(hex::encode(encode::encode(&pay_on(&params, coin, 1_000))))]);
    }
    let user = format!("{}.rig-7", somebody());
    let mut miner = Miner::ready(&node, &user, EASIEST);
    // The work may be older than the payments.
    miner.wait_for_job(|job| job[4].as_array().unwrap().len() == 2);
    for height in 1..=5u64 {
        let found = miner.find(&miner.block_target());
        assert_eq!(miner.submit(&found)["result"], json!(true), "{}", node.log());
        let job = miner.wait_for_job(|job| job[8] == json!(true) && job[0] != json!(found.job));
        assert_eq!(node.tip(), found.hash, "the new job comes after the block");
        let block = node.call("getblock", &[json!(found.hash), json!(2)]);
        assert_eq!(block["height"], json!(height));
        assert_eq!(block["tx"].as_array().unwrap().len(), if height == 1 { 4 } else { 1 });
        assert_eq!(block["tx"][0]["vout"][0]["address"], json!(somebody()));
        // What was good a moment ago is stale now.
        assert_eq!(code(&miner.submit(&found)), 21);
        assert_eq!(job[4], json!([]));
    }
    let info = info(&node);
    assert_eq!((info.connections, info.accepted, info.stale, info.blocks), (1, 5, 5, 5));
    assert_eq!(Some(info.listen), node.file.stratum);
    let worker = &info.workers[0];
    assert_eq!((worker.user.as_str(), worker.agent.as_str()), (user.as_str(), "daemon-test/1"));
    assert_eq!((worker.address.clone(), worker.blocks), (Some(somebody()), 5));
    assert!(worker.hashespersec > 0.0 && worker.lastshare.is_some());
    // Its figures stay in the sums when it is gone.
    drop(miner);
    wait_until_alone(&node);
    let info = self::info(&node);
    assert_eq!((info.accepted, info.blocks, info.workers.len()), (5, 5, 0));
    assert_eq!(info.hashespersec.to_bits(), 0, "nothing, and not minus nothing");
    assert_eq!(node.stop(), Some(0));
}

#[test]
fn a_new_tip_is_told_at_once_and_better_fees_after_a_moment() {
    let place = Place::new();
    let node = start(&place, &["--payout", &somebody().to_string()]);
    let mut miner = Miner::ready(&node, "x", EASIEST);
    let old = miner.find(&miner.block_target());
    let tip = *node.generate(1).last().unwrap();
    let mut parent = *tip.as_bytes();
    parent.chunks_exact_mut(4).for_each(<[u8]>::reverse);
    let job = miner.wait_for_job(|job| job[1] == json!(hex::encode(parent)));
    assert_eq!(job[8], json!(true));
    assert_eq!(code(&miner.submit(&old)), 21);
    let params = params();
    let payment = pay_on(&params, &allocations(&params)[0], 1_000);
    node.call("sendrawtransaction", &[json!(hex::encode(encode::encode(&payment)))]);
    let job = miner.wait_for_job(|job| !job[4].as_array().unwrap().is_empty());
    assert_eq!(job[8], json!(false), "what is being mined is still good");
    let found = miner.find(&miner.block_target());
    assert_eq!(miner.submit(&found)["result"], json!(true));
    miner.wait_for_job(|job| job[8] == json!(true) && job[0] != json!(found.job));
    assert_eq!(node.call("getmempoolinfo", &[])["size"], json!(0));
}

/// On a network whose blocks are not that easy: shares, duplicates and shares of too low difficulty.
#[test]
fn shares_are_judged() {
    let place = Place::with(&Params { limit: CompactTarget::from_bits(0x1f00_ffff), ..Params::clone(&params()) });
    let node = start(&place, &["--payout", &somebody().to_string()]);
    // 1,024 hashes a share, 65,536 a block.
    let difficulty = 1_024.0 / 4_294_967_296.0;
    let target = tally_node_core::mining::stratum::difficulty::Difficulty::new(difficulty).unwrap().target();
    let mut miner = Miner::ready(&node, "", difficulty);
    assert_eq!(miner.difficulty, Some(difficulty));
    let found = miner.find(&target);
    assert_eq!(miner.submit(&found)["result"], json!(true));
    assert_eq!(code(&miner.submit(&found)), 22);
    let easy = miner.find_above(&target);
    assert_eq!(code(&miner.submit(&easy)), 23);
    let block = miner.find(&miner.block_target());
    assert_eq!(miner.submit(&block)["result"], json!(true));
    miner.wait_for_job(|job| job[8] == json!(true) && job[0] != json!(block.job));
    assert_eq!(node.tip(), block.hash);
    let counts = info(&node);
    assert_eq!((counts.accepted, counts.rejected, counts.blocks), (2, 2, 1));
}

#[test]
fn who_names_no_address_is_refused_unless_the_node_has_one() {
    let place = Place::new();
    let node = start(&place, &[]);
    let foreign = Address::new(Params::mainnet().address_prefix, somebody().lock).to_string();
    let mut miner = Miner::connect(&node);
    miner.subscribe();
    for user in ["x", "", &foreign] {
        assert_eq!(code(&miner.authorize(user)), 24, "{user}");
    }
    assert!(miner.messages[0].contains("must be an address"), "{:?}", miner.messages);
    assert!(miner.messages[2].contains("another network"), "{:?}", miner.messages);
    assert_eq!(miner.job, None);
    assert_eq!(miner.authorize(&somebody().to_string())["result"], json!(true));
    miner.wait_for_job(|_| true);
    assert_eq!(node.stop(), Some(0));

    // A node that mines has an address.
    let own = Address::new(params().address_prefix.clone(), testing::lock_of(&testing::key(5)));
    let node = place.start("miner", &["--stratum-listen", "127.0.0.1:0", "--payout", &own.to_string()]);
    let miner = Miner::ready(&node, "rig1", EASIEST);
    let coinb1 = miner.job.as_ref().unwrap()[2].as_str().unwrap().to_owned();
    assert!(coinb1.contains(&hex::encode(own.lock.as_bytes())));
    assert_eq!(info(&node).payout, Some(own));
}

#[test]
fn version_rolling_over_the_wire() {
    let place = Place::new();
    let node = start(&place, &["--payout", &somebody().to_string()]);
    let mut miner = Miner::connect(&node);
    let options = json!({"version-rolling.mask": "1fffe000", "version-rolling.min-bit-count": 4});
    let answer = miner.ask("mining.configure", json!([["version-rolling"], options]));
    assert_eq!(answer["result"], json!({"version-rolling": true, "version-rolling.mask": "1fffe000"}));
    miner.ask("mining.suggest_difficulty", json!([EASIEST]));
    miner.subscribe();
    miner.authorize("x");
    miner.wait_for_job(|_| true);
    // The miner hashes with a version of its own, and says which bits it rolled.
    let job = miner.job.as_mut().unwrap();
    assert_eq!(job[5], json!("20000000"));
    job[5] = json!("2abce000");
    let found = miner.find(&miner.block_target());
    let share = |bits: &str| json!(["x", found.job, "00".repeat(8), found.time, found.nonce, bits]);
    assert_eq!(code(&miner.ask("mining.submit", share("2abce000"))), 20);
    assert_eq!(miner.ask("mining.submit", share("0abce000"))["result"], json!(true));
    miner.wait_for_job(|job| job[0] != json!(found.job));
    let header = node.call("getblockheader", &[json!(found.hash)]);
    assert_eq!(header["versionHex"], json!("2abce000"));
}

#[test]
fn a_nuisance_is_cut_off_and_others_are_not() {
    let place = Place::new();
    let node = start(&place, &["--payout", &somebody().to_string()]);
    let address = node.file.stratum.unwrap();
    let mut honest = Miner::ready(&node, "x", EASIEST);
    // A line without end; then its address is refused for a while.
    let mut endless = connect_from(2, address, None);
    // The server may hang up while this is still being written.
    let _ = endless.write_all(&vec![b'a'; 100_000]);
    assert!(is_closed(endless));
    wait_for("it is refused", || is_closed_at_once(&node, 2).then_some(()));
    // Rubbish.
    let mut rubbish = connect_from(3, address, None);
    let _ = rubbish.write_all("GET / HTTP/1.1\r\n".repeat(60).as_bytes());
    assert!(is_closed(rubbish));
    // Bad shares without end: nonces that were never tried.
    let mut bad = Miner::connect_from(4, &node);
    bad.ask("mining.suggest_difficulty", json!([1.0]));
    bad.subscribe();
    bad.authorize("x");
    bad.wait_for_job(|_| true);
    let above = bad.find_above(&bad.block_target());
    let line = json!({"id": 5, "method": "mining.submit",
        "params": ["x", above.job, "00".repeat(8), above.time, above.nonce]});
    // The server may hang up while this is still being written.
    bad.try_write(&format!("{line}\n").repeat(300));
    while bad.read().is_some() {}
    wait_for("it is counted", || (info(&node).connections == 1).then_some(()));
    assert!((51..300).contains(&info(&node).rejected), "fifty are forgiven, and one every two seconds");
    // More requests than anybody needs.
    let mut flood = connect_from(5, address, None);
    let _ = flood.write_all("{\"id\":null,\"method\":\"mining.extranonce.subscribe\"}\n".repeat(4_000).as_bytes());
    assert!(is_closed(flood));
    // The honest miner, and the node, have noticed nothing.
    let found = honest.find(&honest.block_target());
    assert_eq!(honest.submit(&found)["result"], json!(true));
    honest.wait_for_job(|job| job[0] != json!(found.job));
    assert_eq!(node.tip(), found.hash);
    assert!(info(&node).turned_away >= 1);
    assert!(!node.log().contains("panicked"), "{}", node.log());
}

fn is_closed_at_once(node: &TestNode, last_byte: u8) -> bool {
    let before = info(node).turned_away;
    let closed = is_closed(connect_from(last_byte, node.file.stratum.unwrap(), None));
    closed && info(node).turned_away > before
}

#[test]
fn so_many_connections_and_no_more() {
    let place = Place::new();
    let node = start(&place, &["--payout", &somebody().to_string()]);
    let address = node.file.stratum.unwrap();
    let mut inside = Vec::new();
    for last_byte in 1..=4 {
        inside.extend((0..64).map(|_| connect_from(last_byte, address, None)));
        let count = inside.len() as u64;
        wait_for("they are in", || (info(&node).connections == count).then_some(()));
        // One more from there is too many, or one more in all.
        assert!(is_closed(connect_from(last_byte, address, None)));
    }
    assert!(is_closed(connect_from(9, address, None)));
    assert_eq!((info(&node).connections, info(&node).turned_away), (256, 5));
    // Blocks still connect, and a place that becomes free is given away.
    node.generate(1);
    inside.truncate(255);
    wait_for("one leaves", || (info(&node).connections == 255).then_some(()));
    Miner::connect_from(9, &node).subscribe();
    drop(inside);
    wait_until_alone(&node);
}

/// The server's lines pile up in the system's buffers, then in its own queue, and then it hangs up.
#[test]
fn a_miner_that_does_not_read_is_cut_off() {
    let place = Place::new();
    let node = start(&place, &[]);
    let mut stream = connect_from(2, node.file.stratum.unwrap(), Some(4_096));
    let names: Vec<String> = (0..16).map(|number| format!("{number:0>230}")).collect();
    let line = json!({"id": 1, "method": "mining.configure", "params": [names, {}]}).to_string() + "\n";
    stream.set_write_timeout(Some(std::time::Duration::from_secs(1))).unwrap();
    // Eight megabytes, fewer requests than are allowed at once; it stops when the server reads no more.
    for _ in 0..1_990 {
        if stream.write_all(line.as_bytes()).is_err() {
            break;
        }
    }
    wait_until_alone(&node);
    assert!(node.log().contains("does not read"), "{}", node.log());
}

#[test]
fn a_stop_does_not_wait_for_miners() {
    let place = Place::new();
    let node = start(&place, &["--payout", &somebody().to_string()]);
    let mut miner = Miner::ready(&node, "x", EASIEST);
    let silent = connect_from(2, node.file.stratum.unwrap(), None);
    assert_eq!(node.stop(), Some(0));
    while miner.read().is_some() {}
    assert!(is_closed(silent));
}

#[test]
fn without_the_option_there_is_no_server() {
    let place = Place::new();
    let node = place.start("node", &[]);
    assert_eq!(node.file.stratum, None);
    let (code, message) = node.refusal("getstratuminfo", &[]);
    assert_eq!(code, -1);
    assert!(message.contains("--stratum-listen"), "{message}");
}
