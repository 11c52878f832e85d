//! Every method, what it answers, and what it refuses.

use serde_json::{Value, json};
use tally_primitives::params::Params;

use super::{Bench, EVERY_SECOND, OWN, address, code, work_on};
use crate::mining::stratum::difficulty::Difficulty;
use crate::mining::stratum::session::Output;
use crate::testing;

fn methods(outputs: &[Output]) -> Vec<String> {
    let lines = outputs.iter().filter_map(|output| match output {
        Output::Line(line) => Some(serde_json::from_str::<Value>(line).unwrap()),
        _ => None,
    });
    lines.map(|line| line["method"].as_str().unwrap_or("answer").to_owned()).collect()
}

#[test]
fn the_first_words() {
    let mut bench = Bench::new(Some(OWN));
    bench.session.handle_work(bench.now, Some(work_on(1)));
    let outputs = bench.send(r#"{"id": 1, "method": "mining.subscribe", "params": ["cpuminer/2.5.1"]}"#);
    let [Output::Line(line)] = outputs.as_slice() else { panic!("{outputs:?}") };
    let answer: Value = serde_json::from_str(line).unwrap();
    assert_eq!((&answer["id"], &answer["error"]), (&json!(1), &Value::Null));
    let extranonce1 = answer["result"][1].as_str().unwrap();
    assert_eq!(extranonce1, hex::encode(bench.session.seat().extranonce1));
    assert_eq!(answer["result"][2], json!(8));
    assert_eq!(answer["result"][0][1], json!(["mining.notify", extranonce1]));

    let outputs = bench.send(r#"{"id": 2, "method": "mining.authorize", "params": ["x", "x"]}"#);
    assert_eq!(methods(&outputs), ["answer", "mining.set_difficulty", "mining.notify"]);
    let job = bench.job.clone().unwrap();
    assert_eq!(job[0], json!("1"));
    // Eight words of 01010101 read the same both ways.
    assert_eq!(job[1], json!("01".repeat(32)));
    assert_eq!((&job[5], &job[6], &job[8]), (&json!("20000000"), &json!("2000ffff"), &json!(true)));
    assert_eq!(job[7], json!(format!("{:08x}", bench.now.as_seconds())));
    let status = bench.session.status(bench.now);
    assert_eq!(status.agent, "cpuminer/2.5.1");
    assert_eq!(status.user.unwrap().payout.lock, OWN);
    // Asking again changes nothing.
    let extranonce1 = json!(extranonce1);
    assert_eq!(bench.ask("mining.subscribe", json!(["again", "08000002"]))["result"][1], extranonce1);
    assert_eq!(bench.ask("mining.authorize", json!(["x", "x"]))["result"], json!(true));
    assert_eq!(bench.job, Some(job));
}

#[test]
fn the_order_of_the_first_words_does_not_matter() {
    let mut bench = Bench::new(Some(OWN));
    bench.ask("mining.authorize", json!(["x"]));
    assert_eq!(bench.job, None);
    bench.subscribe();
    assert_eq!(bench.job, None, "there is no work yet");
    let outputs = bench.work(Some(work_on(1)));
    assert_eq!(methods(&outputs), ["mining.set_difficulty", "mining.notify"]);
}

#[test]
fn who_is_paid() {
    let params = testing::params();
    let ours = address(&params);
    let mut bench = Bench::new(None);
    bench.session.handle_work(bench.now, Some(work_on(1)));
    bench.subscribe();
    let foreign = address(&Params::mainnet()).to_string();
    for name in ["", "x", "rig1", foreign.as_str(), "a b"] {
        let outputs = bench.send(&json!({"id": 7, "method": "mining.authorize", "params": [name, "x"]}).to_string());
        assert_eq!(methods(&outputs), ["client.show_message", "answer"], "{name}");
        let Output::Line(line) = &outputs[1] else { panic!("{outputs:?}") };
        let answer: Value = serde_json::from_str(line).unwrap();
        assert_eq!((code(&answer), &answer["result"]), (24, &json!(false)), "{name}");
    }
    assert_eq!(code(&bench.ask("mining.authorize", json!([]))), 20);
    assert_eq!(code(&bench.ask("mining.authorize", json!([5]))), 20);
    let name = format!("{ours}.rig");
    assert_eq!(bench.ask("mining.authorize", json!([name, "x"]))["result"], json!(true));
    assert_eq!(bench.session.user().unwrap().payout, ours);
    // The coinbase pays the address.
    let coinb1 = bench.job.clone().unwrap()[2].as_str().unwrap().to_owned();
    assert!(coinb1.contains(&hex::encode(ours.lock.as_bytes())), "{coinb1}");
    // One connection, one worker.
    assert_eq!(code(&bench.ask("mining.authorize", json!([ours, "x"]))), 24);
}

#[test]
fn version_rolling_is_negotiated() {
    let mut bench = Bench::new(Some(OWN));
    let mut configure = |mask: Value| {
        let options = json!({"version-rolling.mask": mask, "version-rolling.min-bit-count": 2});
        bench.ask("mining.configure", json!([["version-rolling"], options]))
    };
    let agreed = |mask: &str| json!({"version-rolling": true, "version-rolling.mask": mask});
    assert_eq!(configure(json!("ffffffff"))["result"], agreed("1fffe000"));
    assert_eq!(configure(json!("1fffe000"))["result"], agreed("1fffe000"));
    // One bit where two were wanted: the miner sees it, and may work with less.
    assert_eq!(configure(json!("00003fff"))["result"], agreed("00002000"));
    assert_eq!(configure(json!("e0001fff"))["result"], json!({"version-rolling": false}));
    for bad in [json!("xyz"), json!(5), json!("1fffe0000"), Value::Null] {
        assert_eq!(code(&configure(bad)), 20);
    }
    assert_eq!(bench.ask("mining.configure", json!([["version-rolling"], {}]))["result"], agreed("1fffe000"));
    let count = json!([["version-rolling"], {"version-rolling.min-bit-count": "two"}]);
    assert_eq!(code(&bench.ask("mining.configure", count)), 20);
    let others = json!([["minimum-difficulty", "subscribe-extranonce", 5], {"minimum-difficulty.value": 1}]);
    let result = json!({"minimum-difficulty": false, "subscribe-extranonce": true});
    assert_eq!(bench.ask("mining.configure", others)["result"], result);
    assert_eq!(code(&bench.ask("mining.configure", json!([]))), 20);
}

#[test]
fn the_small_ones() {
    let mut bench = Bench::ready(EVERY_SECOND);
    assert_eq!(bench.ask("mining.extranonce.subscribe", json!([]))["result"], json!(true));
    let before = bench.job.clone();
    assert_eq!(bench.ask("mining.suggest_difficulty", json!([0.5]))["result"], json!(true));
    assert_ne!(bench.job, before, "a difficulty holds from the next job, so there is one");
    let before = bench.job.clone();
    bench.ask("mining.suggest_difficulty", json!([0.5]));
    assert_eq!(bench.job, before, "nothing new, no new job");
    for bad in [json!([0]), json!([-1]), json!(["x"]), json!([])] {
        assert_eq!(code(&bench.ask("mining.suggest_difficulty", bad)), 20);
    }
    let answer = bench.ask("mining.get_transactions", json!(["1"]));
    assert_eq!((code(&answer), &answer["result"]), (-32601, &Value::Null));
    assert!(answer["error"][1].as_str().unwrap().contains("mining.get_transactions"));
}

#[test]
fn lines_that_are_no_requests() {
    let mut bench = Bench::ready(EVERY_SECOND);
    let mut answer = |line: &str| {
        let outputs = bench.send(line);
        let [Output::Line(line)] = outputs.as_slice() else { panic!("{line}: {outputs:?}") };
        serde_json::from_str::<Value>(line).unwrap()
    };
    for (line, expected) in [
        ("", -32700),
        ("{", -32700),
        ("GET / HTTP/1.1", -32700),
        (&"[".repeat(2_000), -32700),
        ("[]", -32600),
        ("5", -32600),
        ("{}", -32600),
        (r#"{"id": 1, "method": 5}"#, -32600),
        (r#"{"id": [1], "method": "mining.subscribe"}"#, -32600),
        (r#"{"id": 1, "method": "mining.subscribe", "params": {}}"#, -32600),
        (r#"{"id": 1, "method": "eth_submitLogin", "params": ["x"]}"#, -32601),
    ] {
        // What has no id that could be answered is told to nobody, but counts.
        if line != "{}" {
            assert_eq!(code(&answer(line)), expected, "{line}");
        }
    }
    assert_eq!(answer(r#"{"id": "seven", "method": "mining.extranonce.subscribe"}"#)["id"], json!("seven"));
    // Answers to what we said, and notifications, want no answer.
    for quiet in [r#"{"id": 5, "result": true, "error": null}"#, r#"{"method": "mining.extranonce.subscribe"}"#, "{}"] {
        assert_eq!(bench.send(quiet), []);
    }
}

#[test]
fn a_new_tip_cleans_and_a_refresh_does_not() {
    let mut bench = Bench::ready(EVERY_SECOND);
    let is_clean = |bench: &Bench| bench.job.clone().unwrap()[8] == json!(true);
    assert!(is_clean(&bench));
    assert_eq!(methods(&bench.work(Some(work_on(1)))), ["mining.notify"]);
    assert!(!is_clean(&bench));
    bench.work(Some(work_on(2)));
    assert!(is_clean(&bench));
    // While the node catches up there is no work, and then there is.
    assert_eq!(bench.work(None), []);
    bench.work(Some(work_on(2)));
    assert!(is_clean(&bench));
}

#[test]
fn a_share_is_no_harder_than_a_block_unless_blocks_are_a_flood() {
    // A block takes 256 hashes, and 64 times less than the first difficulty is harder than that.
    let mut bench = Bench::new(Some(OWN));
    bench.session.handle_work(bench.now, Some(work_on(1)));
    bench.subscribe();
    bench.ask("mining.authorize", json!(["x"]));
    assert_eq!(bench.difficulty, Some(Difficulty::power_of_two(-16).get()));
    // At 64 times the difficulty of a block or less, a share is as hard as a block.
    let block = work_on(1).difficulty().get();
    for (suggested, asked) in [(block * 60.0, block), (block * 2.0, block), (block / 2.0, block / 2.0)] {
        bench.ask("mining.suggest_difficulty", json!([suggested]));
        let ratio = bench.difficulty.unwrap() / asked;
        assert!((ratio - 1.0).abs() < 1e-9, "{suggested}: {ratio}");
    }
}
