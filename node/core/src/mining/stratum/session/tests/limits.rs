//! Hostile and hopeless miners.

use serde_json::json;

use super::{Bench, EVERY_HASH, EVERY_SECOND, OWN, difficulty, work_on};
use crate::mining::stratum::error::DisconnectReason;
use crate::mining::stratum::limits::{
    AUTHORIZE_TIMEOUT_MS, BAD_BURST, BAD_REFILL_MS, IDLE_TIMEOUT_MS, REQUEST_BURST, REQUEST_REFILL_MS,
};
use crate::mining::stratum::session::Output;

fn end(outputs: &[Output]) -> Option<DisconnectReason> {
    outputs.iter().find_map(|output| match output {
        Output::Disconnect(reason) => Some(*reason),
        _ => None,
    })
}

#[test]
fn silence_before_the_first_words() {
    let mut bench = Bench::new(Some(OWN));
    assert_eq!(end(&bench.pass(AUTHORIZE_TIMEOUT_MS - 1)), None);
    bench.subscribe();
    assert_eq!(end(&bench.pass(1)), Some(DisconnectReason::NotAuthorized), "half of the first words is not enough");
    assert_eq!(bench.send("{}"), [], "nothing counts after the end");
    assert_eq!(bench.session.poll_output(), None);
}

#[test]
fn silence_afterwards() {
    let mut bench = Bench::ready(EVERY_SECOND);
    bench.pass(IDLE_TIMEOUT_MS - 1);
    bench.ask("mining.extranonce.subscribe", json!([]));
    assert_eq!(end(&bench.pass(IDLE_TIMEOUT_MS - 1)), None);
    assert_eq!(end(&bench.pass(1)), Some(DisconnectReason::Idle));
}

#[test]
fn more_requests_than_anybody_needs() {
    let mut bench = Bench::ready(EVERY_SECOND);
    let ends = |bench: &mut Bench, count: u32| {
        let ask = |_| end(&bench.send(r#"{"id": 1, "method": "mining.extranonce.subscribe"}"#));
        (0..count).find_map(ask)
    };
    // Three were made already.
    assert_eq!(ends(&mut bench, REQUEST_BURST - 3), None);
    bench.now = bench.now.saturating_add_millis(10 * REQUEST_REFILL_MS);
    assert_eq!(ends(&mut bench, 10), None);
    assert_eq!(ends(&mut bench, 1), Some(DisconnectReason::TooManyRequests));
    assert!(DisconnectReason::TooManyRequests.is_abuse());
}

#[test]
fn bad_shares() {
    let mut bench = Bench::ready(EVERY_SECOND);
    let bad = bench.find(difficulty(EVERY_HASH), Some(difficulty(EVERY_SECOND)));
    let line = json!({"id": 1, "method": "mining.submit",
        "params": ["x", bad.job, bad.extranonce2, bad.time, bad.nonce]});
    let line = line.to_string();
    for _ in 0..BAD_BURST {
        assert_eq!(end(&bench.send(&line)), None);
    }
    bench.now = bench.now.saturating_add_millis(BAD_REFILL_MS);
    assert_eq!(end(&bench.send(&line)), None);
    let outputs = bench.send(&line);
    assert_eq!(end(&outputs), Some(DisconnectReason::TooManyBad));
    assert!(matches!(&outputs[0], Output::Line(line) if line.contains("low difficulty")), "it is told: {outputs:?}");
    assert!(DisconnectReason::TooManyBad.is_abuse());
}

#[test]
fn rubbish() {
    let mut bench = Bench::new(Some(OWN));
    let ended = (0..=BAD_BURST).find_map(|_| end(&bench.send("GET / HTTP/1.1")));
    assert_eq!(ended, Some(DisconnectReason::TooManyBad));
}

#[test]
fn stale_shares_are_nobodys_fault() {
    let mut bench = Bench::ready(EVERY_SECOND);
    let late = bench.find(difficulty(EVERY_SECOND), None);
    bench.work(Some(work_on(2)));
    for _ in 0..10 * BAD_BURST {
        assert_eq!(super::code(&bench.submit(&late)), 21);
    }
}

/// An idle miner's difficulty falls, and every step is told with a job.
#[test]
fn a_miner_that_finds_nothing_is_asked_for_less() {
    let mut bench = Bench::ready(EVERY_HASH * 128.0);
    bench.pass(500_000);
    assert_eq!(bench.difficulty, Some(EVERY_HASH));
    assert_ne!(bench.job.clone().unwrap()[0], json!("1"));
}
