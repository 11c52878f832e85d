//! `miner run --stratum` against pools that check every share, go away, come back, and misbehave.

mod support;

use serde_json::{Value, json};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};
use support::miner::{Miner, command, output};
use support::pool::{Configure, FakePool, NONE, SOME, Submit};

fn run(pool: &FakePool, more: &[&str]) -> Miner {
    Miner::run(&[&["--stratum", &pool.url(), "--user", "me"], more].concat())
}

fn assert_all_right(submits: &[Submit]) {
    let wrong: Vec<&Submit> = submits.iter().filter(|submit| submit.error.is_some()).collect();
    assert!(!submits.is_empty() && wrong.is_empty(), "{wrong:?} of {}", submits.len());
}

/// A pool at the address of one that was killed. The old listener may need a moment to let go of the port.
fn restart(address: SocketAddr, ease: u32) -> FakePool {
    let deadline = Instant::now() + Duration::from_secs(60);
    while let Err(error) = TcpListener::bind(address) {
        assert!(Instant::now() < deadline, "{address} is not free again: {error}");
        std::thread::yield_now();
    }
    FakePool::start_at(address, ease)
}

#[test]
fn shares_are_right_and_it_stops_after_enough() {
    let pool = FakePool::start(SOME);
    let miner = run(&pool, &["--shares", "20"]);
    assert_eq!(miner.wait_for("started")["user"], "me");
    assert_eq!(miner.wait_for("connected")["url"], pool.url());
    let work = miner.wait_for("work");
    assert_eq!(
        (&work["job"], &work["clean"], &work["difficulty"]),
        (&"job-1".into(), &true.into(), &json!(2.0_f64.powi(-16)))
    );
    for _ in 0..20 {
        let share = miner.wait_for("share");
        assert_eq!((&share["accepted"], &share["job"]), (&true.into(), &"job-1".into()), "{share}");
    }
    let ended = miner.wait_for("ended");
    assert_eq!((&ended["accepted"], &ended["rejected"], &ended["blocks"]), (&20.into(), &0.into(), &0.into()));
    assert!(ended["found"].as_u64() >= Some(20) && ended["expected"].as_f64() > Some(0.0), "{ended}");
    let (status, stderr) = miner.end();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
    let state = pool.state();
    assert_eq!(state.submits.len(), 20, "not one more than was asked for");
    assert_all_right(&state.submits);
    assert!(state.submits.iter().all(|submit| submit.params.len() == 6), "with the version's bits");
}

#[test]
fn shares_that_are_blocks_are_counted() {
    let pool = FakePool::start(SOME);
    // Every second hash would be a block.
    pool.state().bits = 0x207f_ffff;
    let miner = run(&pool, &["--blocks", "3"]);
    assert_eq!(miner.wait_for("share")["is_block"], true);
    assert_eq!(miner.wait_for("ended")["blocks"], 3);
    assert_all_right(&pool.state().submits);
}

#[test]
fn servers_without_version_rolling_are_no_problem() {
    for configure in [Configure::Off, Configure::Unknown, Configure::Silent, Configure::HangUp] {
        let pool = FakePool::start(SOME);
        pool.state().configure = configure;
        let miner = run(&pool, &["--shares", "3"]);
        assert_eq!(miner.wait_for("ended")["accepted"], 3, "{configure:?}");
        let state = pool.state();
        assert_all_right(&state.submits);
        assert!(state.submits.iter().all(|submit| submit.params.len() == 5), "{configure:?}");
        assert_eq!(state.connected, if configure == Configure::HangUp { 2 } else { 1 });
    }
}

#[test]
fn every_size_of_the_extra_nonce_works() {
    for size in [0, 1, 2, 8, 12] {
        let pool = FakePool::start(SOME);
        pool.state().extra_nonce.1 = size;
        let miner = run(&pool, &["--shares", "3"]);
        assert_eq!(miner.wait_for("ended")["accepted"], 3, "{size} bytes");
        assert_all_right(&pool.state().submits);
    }
}

#[test]
fn a_refused_share_is_told_and_mining_goes_on() {
    let pool = FakePool::start(SOME);
    pool.state().refuse_next = Some((23, "Low difficulty share"));
    let miner = run(&pool, &["--shares", "2"]);
    let refused = miner.wait_for("share");
    assert_eq!((&refused["accepted"], &refused["reason"]), (&false.into(), &"Low difficulty share (23)".into()));
    assert_eq!(miner.wait_for("share")["accepted"], true);
    let ended = miner.wait_for("ended");
    assert_eq!((&ended["accepted"], &ended["rejected"]), (&2.into(), &1.into()));
}

#[test]
fn a_server_that_has_forgotten_us_is_told_again_who_we_are() {
    let pool = FakePool::start(SOME);
    pool.state().refuse_next = Some((24, "Unauthorized worker"));
    let miner = run(&pool, &["--shares", "1"]);
    assert!(miner.wait_for("lost")["reason"].as_str().expect("text").contains("no longer knows us"));
    miner.wait_for("connected");
    assert_eq!(miner.wait_for("ended")["accepted"], 1);
    assert_eq!(pool.state().connected, 2);
}

#[test]
fn new_jobs_difficulties_and_extra_nonces_are_taken_up() {
    let pool = FakePool::start(SOME);
    let miner = run(&pool, &[]);
    miner.wait_until("share", |share| share["job"] == "job-1");
    pool.state().ease = SOME - 8;
    let harder = pool.new_job(false);
    let work = miner.wait_until("work", |work| work["job"] == *harder);
    assert_eq!((&work["difficulty"], &work["clean"]), (&json!(2.0_f64.powi(-8)), &false.into()));
    pool.state().ease = SOME;
    pool.state().extra_nonce = (vec![0xe2; 7], 2);
    pool.call("mining.set_extranonce", &json!([hex::encode([0xe2; 7]), 2]));
    let other = pool.new_job(true);
    let share = miner.wait_until("share", |share| share["job"] == *other);
    assert_eq!(share["accepted"], true, "{share}");
    let state = pool.state();
    let of_other: Vec<&Submit> = state.submits.iter().filter(|submit| submit.params[1] == other).collect();
    assert!(of_other.iter().all(|submit| submit.error.is_none() && submit.params[2].len() == 4), "{of_other:?}");
}

#[test]
fn a_pool_that_comes_back_is_used_again() {
    let mut pool = FakePool::start(SOME);
    let miner = run(&pool, &[]);
    miner.wait_for("share");
    for outage in 1..3 {
        pool.kill();
        assert_eq!(miner.wait_for("lost")["url"], pool.url());
        pool = restart(pool.address(), SOME);
        assert_eq!(miner.wait_for("connected")["url"], pool.url());
        assert_eq!(miner.wait_for("share")["accepted"], true);
        let state = pool.state();
        assert_all_right(&state.submits);
        // The last byte of the extra nonce is the job's number: a result of the first connection cannot pass for one of this.
        let number = format!("{outage:02x}");
        assert!(state.submits.iter().all(|submit| submit.params[2].ends_with(&number)), "{:?}", state.submits);
    }
}

#[test]
fn when_a_pool_goes_away_the_next_one_is_used() {
    let (first, second) = (FakePool::start(SOME), FakePool::start(SOME));
    let miner = run(&first, &["--stratum", &second.url()]);
    miner.wait_for("share");
    first.kill();
    assert_eq!(miner.wait_for("lost")["url"], first.url());
    assert_eq!(miner.wait_for("connected")["url"], second.url());
    second.wait_for_shares(3);
    assert_all_right(&second.state().submits);
}

#[test]
fn a_pool_that_cannot_be_reached_is_passed_over_at_the_start() {
    let (gone, there) = (FakePool::start(SOME), FakePool::start(SOME));
    gone.kill();
    let miner = run(&gone, &["--stratum", &there.url(), "--shares", "1"]);
    assert_eq!(miner.wait_for("connected")["url"], there.url());
    assert_eq!(miner.wait_for("ended")["accepted"], 1);
}

#[test]
fn the_miner_can_wait_for_a_pool_that_is_not_there_yet() {
    let pool = FakePool::start(SOME);
    pool.kill();
    let miner = run(&pool, &["--wait", "--shares", "1"]);
    miner.wait_for("lost");
    let _pool = restart(pool.address(), SOME);
    assert_eq!(miner.wait_for("ended")["accepted"], 1);
}

/// Exit code, output, errors of a run that ends by itself.
fn outcome(args: &[&str]) -> (Option<i32>, String, String) {
    let output = output(&mut command(args));
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_user_that_no_pool_lets_in_is_code_4() {
    let (first, second) = (FakePool::start(SOME), FakePool::start(SOME));
    first.state().user = Some("somebody else".to_owned());
    second.state().user = Some("me".to_owned());
    let (status, _, stderr) = outcome(&["run", "--stratum", &first.url(), "--user", "me", "--threads", "1"]);
    let lines: Vec<&str> = stderr.lines().collect();
    let error = format!("error: {}: it does not let \"me\" in: Unauthorized worker (24)", first.url());
    assert_eq!((status, lines[0]), (Some(4), error.as_str()));
    assert!(lines.len() == 2 && lines[1].starts_with("hint: check --user"), "{stderr}");
    let miner = run(&first, &["--stratum", &second.url(), "--shares", "1"]);
    assert_eq!(miner.wait_for("ended")["accepted"], 1, "the other lets us in");
    assert_eq!(first.state().submits.len(), 0);
}

#[test]
fn a_pool_that_is_not_there_is_code_5() {
    let pool = FakePool::start(SOME);
    pool.kill();
    let (status, stdout, stderr) = outcome(&["run", "--stratum", &pool.url(), "--user", "me"]);
    assert_eq!((status, stdout.as_str()), (Some(5), ""));
    assert!(stderr.starts_with(&format!("error: cannot reach {}: ", pool.url())), "{stderr}");
    assert!(stderr.contains("\nhint: start the server"), "{stderr}");
}

#[test]
fn wrong_usage_is_code_2() {
    for (args, words) in [
        (&["run", "--stratum", "127.0.0.1:1"][..], "--user"),
        (&["run", "--stratum", "127.0.0.1", "--user", "me"], "the port is missing"),
        (&["run", "--stratum", "stratum+ssl://127.0.0.1:1", "--user", "me"], "only stratum+tcp"),
        (&["run", "--stratum", "me:x@127.0.0.1:1", "--user", "me"], "belongs into --user"),
        (
            &["run", "--stratum", "127.0.0.1:1", "--user", "me", "--rpc", "127.0.0.1:2", "--address", "a"],
            "cannot be used",
        ),
        (&["run", "--stratum", "127.0.0.1:1", "--user", "me", "--address", "tally1"], "cannot be used"),
        (&["run", "--rpc", "127.0.0.1:1"], "--address"),
        (&["run", "--rpc", "127.0.0.1:1", "--address", "a", "--shares", "1"], "--stratum"),
        (&["run"], "--rpc"),
    ] {
        let (status, _, stderr) = outcome(args);
        assert_eq!(status, Some(2), "{args:?}: {stderr}");
        assert!(stderr.starts_with("error: ") && stderr.contains(words), "{args:?}: {stderr}");
    }
}

fn passwords(pool: &FakePool) -> Vec<Value> {
    let state = pool.state();
    let authorize = state.requests.iter().filter(|request| request["method"] == "mining.authorize");
    authorize.map(|request| request["params"].clone()).collect()
}

#[test]
fn the_password_may_come_from_the_environment() {
    let pool = FakePool::start(SOME);
    let args = ["run", "--stratum", &pool.url(), "--user", "me.desk", "--shares", "1", "--threads", "1"];
    assert!(output(&mut command(&args)).status.success());
    let mut with_password = command(&args);
    assert!(output(with_password.env("MINER_STRATUM_PASSWORD", "secret")).status.success());
    assert_eq!(passwords(&pool), [json!(["me.desk", "x"]), json!(["me.desk", "secret"])]);
    let help = outcome(&["run", "--help"]).1;
    assert!(help.contains("MINER_STRATUM_PASSWORD"), "{help}");
    let mut help = command(&["run", "--help"]);
    let output = output(help.env("MINER_STRATUM_PASSWORD", "secret-word"));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("secret-word"));
}

#[test]
fn nonsense_from_the_server_does_no_harm() {
    let pool = FakePool::start(SOME);
    let miner = run(&pool, &[]);
    miner.wait_for("share");
    for line in
        ["", "{", "\u{1b}[2J", "[1,2,3]", r#"{"id":99999,"result":true}"#, r#"{"method":"mining.notify","params":[]}"#]
    {
        pool.say(line);
    }
    assert!(miner.wait_for("notice")["text"].as_str().expect("text").contains("no message"));
    let job = pool.new_job(true);
    assert_eq!(miner.wait_until("share", |share| share["job"] == *job)["accepted"], true);
    assert_eq!(pool.state().connected, 1);
    // Another protocol altogether.
    pool.say(&"HTTP/1.1 400 Bad Request\n".repeat(40));
    assert!(miner.wait_for("lost")["reason"].as_str().expect("text").contains("does not speak Stratum"));
    assert_eq!(miner.wait_for("share")["accepted"], true, "it has connected again");
}

#[test]
fn a_line_without_an_end_ends_the_connection() {
    let pool = FakePool::start(SOME);
    let miner = run(&pool, &[]);
    miner.wait_for("share");
    pool.say(&"x".repeat(1_000_000));
    assert!(miner.wait_for("lost")["reason"].as_str().expect("text").contains("a line of more than 131072 bytes"));
    miner.wait_for("connected");
    assert_eq!(miner.wait_for("share")["accepted"], true);
}

#[test]
fn the_server_may_send_us_to_another_port_and_say_things() {
    let (first, second) = (FakePool::start(SOME), FakePool::start(SOME));
    let miner = run(&first, &[]);
    miner.wait_for("share");
    first.call("client.show_message", &json!(["moving"]));
    assert_eq!(miner.wait_for("notice")["text"], "the server says: moving");
    first.call("client.reconnect", &json!(["evil.example", second.address().port(), 0]));
    assert!(miner.wait_for("notice")["text"].as_str().expect("text").contains("not followed"));
    first.say(&json!({"id": 7, "method": "client.get_version", "params": []}).to_string());
    first.call("client.reconnect", &json!(["127.0.0.1", second.address().port(), 0]));
    assert_eq!(miner.wait_for("connected")["url"], second.url());
    second.wait_for_shares(1);
    let state = first.state();
    let version = state.requests.iter().find(|request| request["id"] == 7 && request["method"].is_null());
    assert!(version.expect("an answer")["result"].as_str().expect("text").starts_with("tally-miner/"));
}

#[test]
fn shares_whose_answer_is_lost_are_counted() {
    let pool = FakePool::start(SOME);
    pool.state().holds_answers = true;
    let miner = run(&pool, &[]);
    pool.wait_for_shares(2);
    pool.kill();
    miner.wait_for("lost");
    miner.signal("TERM");
    let ended = miner.wait_for("ended");
    assert!(ended["unanswered"].as_u64() >= Some(2) && ended["accepted"] == 0, "{ended}");
}

#[test]
fn text_tells_of_refusals_and_of_the_end() {
    let pool = FakePool::start(SOME);
    pool.state().refuse_next = Some((21, "Job not found"));
    let url = pool.url();
    let args = ["run", "--stratum", &url, "--user", "me", "--shares", "3", "--threads", "1"];
    let (status, stdout, stderr) = outcome(&args);
    assert_eq!((status, stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = stdout.lines().collect();
    assert!(lines[0].starts_with("mining as me: 1 thread, kernel "), "{stdout}");
    assert_eq!(lines[1..3], [format!("work from {url}").as_str(), "share refused: Job not found (21)"]);
    assert!(lines[3].starts_with("stopped after ") && lines[3].contains(": 3 shares accepted, 1 refused"), "{stdout}");
    assert_eq!(lines.len(), 4);
}

#[test]
fn signals_stop_it_cleanly() {
    let pool = FakePool::start(NONE);
    let miner = run(&pool, &[]);
    miner.wait_for("work");
    miner.signal("INT");
    assert_eq!(miner.wait_for("ended")["found"], 0);
    assert_eq!(miner.end().0.code(), Some(0));
}
