//! Whatever a server sends: no panic, bounded memory, and only whole lines in answer.

use proptest::collection::vec;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tally_kernels::{Found, Work};
use tally_miner::stratum::client::{Client, Login, Output};
use tally_miner::stratum::difficulty::Difficulty;
use tally_miner::stratum::lines::{LINE_MAX_BYTES, Lines};
use tally_primitives::pow::Target;

/// Parameters as a server might send them, and as no server should.
fn parameter() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[0-9a-f]{8}".prop_map(Value::from),
        "[0-9a-f]{64}".prop_map(Value::from),
        vec("[0-9a-f]{64}", 0..4).prop_map(Value::from),
        Just(json!({"version-rolling": true, "version-rolling.mask": "1fffe000"})),
        Just(json!([[], "aabb", 4])),
    ]
}

fn method() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        Just("mining.notify"),
        Just("mining.set_difficulty"),
        Just("mining.set_extranonce"),
        Just("mining.set_version_mask"),
        Just("client.reconnect"),
        Just("client.show_message"),
        Just("client.get_version"),
        Just("mining.dance"),
    ]
}

/// A job that is right, with any names and numbers.
fn right_job() -> impl Strategy<Value = Value> {
    (any::<[u32; 3]>(), vec("[0-9a-f]{64}", 0..33), "[0-9a-f]{64}", "([0-9a-f]{2}){0,80}", any::<bool>(), 0..3_u8)
        .prop_map(|([version, bits, time], branch, prev_block, coinbase, clean, job)| {
            json!({"id": null, "method": "mining.notify", "params": [
                format!("j{job}"), prev_block, coinbase, "00", branch, format!("{version:08x}"), format!("{bits:08x}"),
                format!("{time:08x}"), clean,
            ]})
        })
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let calls = (method(), vec(parameter(), 0..10), parameter())
        .prop_map(|(method, params, id)| json!({"id": id, "method": method, "params": params}));
    let answers = (0..20_u64, parameter(), parameter())
        .prop_map(|(id, result, error)| json!({"id": id, "result": result, "error": error}));
    let welcome = prop_oneof![
        Just(json!({"id": 2, "result": [[], "aabb", 4], "error": null})),
        Just(json!({"id": 3, "result": true, "error": null})),
    ];
    prop_oneof![
        1 => vec(any::<u8>(), 0..200),
        4 => calls.prop_map(|value| value.to_string().into_bytes()),
        3 => answers.prop_map(|value| value.to_string().into_bytes()),
        3 => welcome.prop_map(|value| value.to_string().into_bytes()),
        3 => right_job().prop_map(|value| value.to_string().into_bytes()),
    ]
}

/// Takes all outputs; returns the works among them.
fn drain(client: &mut Client) -> Vec<(u64, Arc<dyn Work>)> {
    let mut works = Vec::new();
    while let Some(output) = client.poll_output() {
        match output {
            Output::Line(line) => {
                assert!(line.ends_with('\n') && line.trim_end().lines().count() == 1, "{line:?}");
                serde_json::from_str::<Value>(&line).expect("JSON");
            }
            Output::Work(offer) => works.push((offer.job.id, offer.job.work)),
            Output::Notice(text) => assert!(!text.chars().any(char::is_control), "{text:?}"),
            Output::Ready | Output::Answered(_) | Output::Over(_) => {}
        }
    }
    works
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_line_makes_a_client_panic(lines in vec(line(), 0..60), extra_nonce: u64, is_plain: bool) {
        let (host, user, password) = ("pool".to_owned(), "me".to_owned(), "x".to_owned());
        let mut client = Client::new(Login { host, user, password, is_plain }, 0, Duration::ZERO);
        for (second, line) in (0..).zip(lines) {
            let now = Duration::from_secs(second);
            client.handle_line(&line, now);
            for (job_id, work) in drain(&mut client) {
                for extra_nonce in [0, extra_nonce] {
                    if let Some(header_bytes) = work.header(extra_nonce) {
                        let found = Found { job_id, extra_nonce, header_bytes, hash: [0; 32] };
                        client.submit(&found, now);
                    }
                }
            }
            drain(&mut client);
            client.handle_timeout(now);
            assert!(client.unanswered() <= 256);
        }
    }

    #[test]
    fn lines_come_out_as_they_went_in(lines in vec(vec(any::<u8>().prop_filter("no break", |it| *it != b'\n'), 0..300), 0..20)) {
        let text: Vec<u8> = lines.iter().flat_map(|line| [line.as_slice(), b"\n"].concat()).collect();
        let mut reader = Lines::new(text.as_slice());
        for line in &lines {
            let expected = line.strip_suffix(b"\r").unwrap_or(line);
            assert_eq!(reader.next_line().expect("a line").as_deref(), Some(expected));
        }
        assert!(reader.next_line().expect("the end").is_none());
        assert!(text.len() < LINE_MAX_BYTES);
    }

    #[test]
    fn a_target_is_the_quotient_rounded_down(difficulty in 1_u64..) {
        let target = |difficulty: u64| {
            let difficulty = Difficulty::from_number(&difficulty.into()).expect("positive");
            Target::from_be_bytes(difficulty.target()).to_u256()
        };
        let (one, quotient) = (target(1), target(difficulty));
        assert!(quotient.full_mul(difficulty.into()) <= one.into());
        assert!((quotient + 1).full_mul(difficulty.into()) > one.into());
    }

    #[test]
    fn any_float_has_a_target(value: f64, factor in 1.0..1e6_f64) {
        if let Some(difficulty) = Difficulty::from_f64(value) {
            assert_eq!(difficulty.to_f64(), value);
            if let Some(harder) = Difficulty::from_f64(value * factor) {
                assert!(harder.target() <= difficulty.target());
            }
        }
    }
}
