//! Shares: good ones, blocks, and every reason to refuse one.

use serde_json::{Value, json};
use tally_consensus::block::check_block;
use tally_primitives::block::Block;
use tally_primitives::units::Height;

use super::{Bench, EVERY_16TH, EVERY_HASH, EVERY_SECOND, Found, OWN, code, difficulty, work_on};
use crate::mining::stratum::difficulty::Difficulty;
use crate::mining::stratum::limits::{MAX_JOBS, MAX_SHARES_PER_JOB, RENEW_AFTER_SHARES};
use crate::mining::stratum::session::{Counts, Output};

fn block_difficulty() -> Difficulty {
    // The target itself, not what is announced.
    let hashes = 256.0 * 256.0 / 255.996;
    difficulty(hashes * EVERY_HASH)
}

fn blocks(outputs: &[Output]) -> Vec<&Block> {
    let blocks = outputs.iter().filter_map(|output| match output {
        Output::Block(block) => Some(block.as_ref()),
        _ => None,
    });
    blocks.collect()
}

#[test]
fn a_good_share_counts_once() {
    let mut bench = Bench::ready(EVERY_16TH);
    let found = bench.find(difficulty(EVERY_16TH), Some(block_difficulty()));
    assert_eq!(bench.submit(&found), json!({"id": 4, "result": true, "error": null}));
    let again = bench.submit(&found);
    assert_eq!((code(&again), &again["result"]), (22, &json!(false)));
    let status = bench.session.status(bench.now);
    assert_eq!(status.counts, Counts { accepted: 1, rejected: 1, ..Counts::default() });
    assert_eq!(status.last_share_at, Some(bench.now));
    assert!(status.hashes_per_second > 0.0);
}

#[test]
fn a_share_above_the_target_is_refused() {
    let mut bench = Bench::ready(EVERY_16TH);
    let found = bench.find(difficulty(EVERY_HASH), Some(difficulty(EVERY_16TH)));
    assert_eq!(code(&bench.submit(&found)), 23);
    // It is not remembered: there are endlessly many of them.
    assert_eq!(code(&bench.submit(&found)), 23);
}

#[test]
fn a_share_that_is_a_block_becomes_one() {
    let mut bench = Bench::ready(EVERY_16TH);
    let found = bench.find(block_difficulty(), None);
    let line = json!({"id": 9, "method": "mining.submit",
        "params": ["x", found.job, found.extranonce2, found.time, found.nonce]});
    let outputs = bench.send(&line.to_string());
    let [block] = blocks(&outputs)[..] else { panic!("{outputs:?}") };
    assert_eq!(block.hash(), found.hash);
    assert_eq!(check_block(block, Height::new(1)), Ok(()));
    let coinbase = &block.transactions[0];
    assert_eq!(coinbase.outputs[0].lock, OWN);
    let memo = &coinbase.memo;
    assert_eq!(memo.len(), 32);
    assert_eq!(memo[..8], 1u64.to_le_bytes());
    assert_eq!(memo[8..12], bench.session.seat().extranonce1);
    assert_eq!(hex::encode(&memo[12..20]), found.extranonce2);
    assert_eq!(memo[20..24], 1u32.to_le_bytes());
    bench.session.handle_block_outcome(true);
    bench.session.handle_block_outcome(false);
    assert_eq!(bench.session.status(bench.now).counts.blocks, 1);
}

/// On a network whose blocks are easier than shares, a block is never lost for being too easy a share.
#[test]
fn a_block_counts_even_where_shares_are_harder() {
    let mut bench = Bench::new(Some(OWN));
    bench.session.handle_work(bench.now, Some(work_on(1)));
    bench.subscribe();
    bench.ask("mining.authorize", json!(["x"]));
    let asked = difficulty(bench.difficulty.unwrap());
    assert!(asked > block_difficulty());
    let found = bench.find(block_difficulty(), Some(asked));
    assert_eq!(bench.submit(&found)["result"], json!(true));
    // Found and judged, but it stands for less work than was asked for.
    let hashes = bench.session.status(bench.now).hashes_per_second;
    assert!((200.0..300.0).contains(&hashes), "{hashes}");
    let too_easy = bench.find(difficulty(EVERY_HASH), Some(block_difficulty()));
    assert_eq!(code(&bench.submit(&too_easy)), 23);
}

#[test]
fn stale_and_unknown_jobs() {
    let mut bench = Bench::ready(EVERY_SECOND);
    let found = bench.find(difficulty(EVERY_SECOND), None);
    for job in ["2", "ffffffff", "0", "", "x", "100000001", "-1"] {
        assert_eq!(code(&bench.submit(&Found { job: job.to_owned(), ..found.clone() })), 21, "{job}");
    }
    // A refresh keeps the old job good, a new tip does not.
    bench.work(Some(work_on(1)));
    assert_eq!(bench.submit(&found)["result"], json!(true));
    bench.work(Some(work_on(2)));
    let late = bench.submit(&found);
    assert_eq!(code(&late), 21);
    let counts = bench.session.status(bench.now).counts;
    assert_eq!((counts.accepted, counts.stale, counts.rejected), (1, 1, 7));
}

#[test]
fn old_jobs_go_when_there_are_enough() {
    let mut bench = Bench::ready(EVERY_SECOND);
    let found = bench.find(difficulty(EVERY_SECOND), None);
    for _ in 1..MAX_JOBS {
        bench.work(Some(work_on(1)));
    }
    assert_eq!(bench.submit(&found)["result"], json!(true));
    bench.work(Some(work_on(1)));
    assert_eq!(code(&bench.submit(&found)), 21);
    assert_eq!(bench.session.jobs.len(), MAX_JOBS);
}

#[test]
fn every_parameter_is_checked() {
    let mut bench = Bench::ready(EVERY_SECOND);
    let found = bench.find(difficulty(EVERY_SECOND), None);
    let good = json!(["x", found.job, found.extranonce2, found.time, found.nonce]);
    let mut with = |index: usize, value: Value| {
        let mut params = good.clone();
        params[index] = value;
        code(&bench.ask("mining.submit", params))
    };
    assert_eq!(with(0, json!("somebody")), 24);
    assert_eq!(with(0, json!(5)), 20);
    for bad in [json!("00"), json!("zz".repeat(8)), json!("0".repeat(18)), Value::Null, json!(5)] {
        assert_eq!(with(2, bad), 20);
    }
    let (min_time, now) = (work_on(1).template().min_time, super::start().as_seconds());
    for time in [0, min_time - 1, now + 7_201, u32::MAX] {
        assert_eq!(with(3, json!(format!("{time:08x}"))), 20, "{time}");
    }
    for bad in [json!("0"), json!("000000001"), Value::Null] {
        assert_eq!(with(3, bad.clone()), 20);
        assert_eq!(with(4, bad), 20);
    }
    assert_eq!(code(&bench.ask("mining.submit", json!([]))), 20);
    assert_eq!(bench.submit(&found)["result"], json!(true));
}

#[test]
fn the_bounds_of_time_are_allowed() {
    let mut bench = Bench::ready(EVERY_HASH);
    let found = bench.find(difficulty(EVERY_HASH), None);
    let (least, most) = (work_on(1).template().min_time, bench.now.as_seconds() + 7_200);
    for time in [least, most] {
        let found = Found { time: format!("{time:08x}"), ..found.clone() };
        assert_eq!(bench.submit(&found)["result"], json!(true), "{time}");
    }
}

#[test]
fn nobody_mines_unannounced() {
    let mut bench = Bench::new(Some(OWN));
    let share = json!(["x", "1", "0".repeat(16), "00000000", "00000000"]);
    assert_eq!(code(&bench.ask("mining.submit", share.clone())), 25);
    bench.subscribe();
    assert_eq!(code(&bench.ask("mining.submit", share.clone())), 24);
    bench.ask("mining.authorize", json!(["x"]));
    assert_eq!(code(&bench.ask("mining.submit", share)), 21);
}

#[test]
fn version_bits_within_the_mask() {
    let mut bench = Bench::ready(EVERY_SECOND);
    let bits = 0x0abc_2000;
    let found = bench.find_as(0x2000_0000 | bits, 5, difficulty(EVERY_SECOND), None);
    let with = |bits: Value| json!(["x", found.job, found.extranonce2, found.time, found.nonce, bits]);
    assert_eq!(code(&bench.ask("mining.submit", with(json!("0abc2000")))), 20, "nothing was agreed");
    bench.ask("mining.configure", json!([["version-rolling"], {"version-rolling.mask": "0fffe000"}]));
    for bad in ["1abc2000", "0abc2001", "2abc2000", "abc2000", "0abc20000"] {
        assert_eq!(code(&bench.ask("mining.submit", with(json!(bad)))), 20, "{bad}");
    }
    assert_eq!(bench.ask("mining.submit", with(json!("0abc2000")))["result"], json!(true));
    // Another version is another share; without the field the version is the template's.
    let plain = bench.find_as(0x2000_0000, 5, difficulty(EVERY_SECOND), None);
    assert_eq!(bench.submit(&plain)["result"], json!(true));
    let explicit = json!(["x", plain.job, plain.extranonce2, plain.time, plain.nonce, "00000000"]);
    assert_eq!(code(&bench.ask("mining.submit", explicit)), 22);
}

#[test]
fn a_difficulty_holds_from_the_next_job_on() {
    let mut bench = Bench::ready(EVERY_SECOND);
    let (old_job, easy) = (bench.job.clone(), bench.find(difficulty(EVERY_SECOND), Some(difficulty(EVERY_16TH))));
    bench.ask("mining.suggest_difficulty", json!([EVERY_16TH]));
    assert_eq!(bench.difficulty, Some(EVERY_16TH));
    assert_ne!(bench.job, old_job);
    assert_eq!(bench.submit(&easy)["result"], json!(true), "the old job keeps its difficulty");
    let easy = bench.find(difficulty(EVERY_SECOND), Some(difficulty(EVERY_16TH)));
    assert_eq!(code(&bench.submit(&easy)), 23);
}

/// A miner that floods is given harder work, and no job takes shares without end.
#[test]
fn a_flood_of_shares_is_slowed_down_and_bounded() {
    let mut bench = Bench::ready(EVERY_HASH);
    let first = bench.job.clone();
    let mut accepted = 0;
    for extranonce2 in 0..(MAX_SHARES_PER_JOB as u64 + 10) {
        bench.now = bench.now.saturating_add_millis(20);
        let job = bench.job.replace(first.clone().unwrap());
        let found = bench.find_as(0x2000_0000, extranonce2, difficulty(EVERY_HASH), Some(block_difficulty()));
        bench.job = job;
        accepted += usize::from(bench.submit(&found)["result"] == json!(true));
        assert!(bench.session.jobs.iter().all(|job| job.share_count() <= MAX_SHARES_PER_JOB));
    }
    assert!(bench.difficulty.unwrap() > EVERY_16TH, "{:?}", bench.difficulty);
    assert!((RENEW_AFTER_SHARES..=MAX_SHARES_PER_JOB).contains(&accepted), "{accepted}");
}
