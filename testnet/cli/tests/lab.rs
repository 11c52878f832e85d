//! `testnet lab` as people and programs call it.

use std::process::{Command, Output};

use serde_json::Value;

fn testnet(arguments: &[&str], threads: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_testnet"));
    command.args(arguments).env("RAYON_NUM_THREADS", threads).output().expect("it starts")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("one JSON value")
}

#[test]
fn worlds_do_not_depend_on_the_number_of_threads() {
    let arguments = ["lab", "worlds", "--seeds", "6", "--first-seed", "40", "--json"];
    let (one, three) = (testnet(&arguments, "1"), testnet(&arguments, "3"));
    assert!(one.status.success() && three.status.success());
    let answer = json(&one);
    assert_eq!(answer, json(&three));
    assert_eq!((&answer["worlds"], &answer["failed"]), (&Value::from(6), &Value::from(0)));
    assert_eq!(answer["failures"], Value::Array(Vec::new()));
    assert!(answer["events"].as_u64().is_some_and(|events| events > 600), "{answer}");
    assert_eq!(answer["hash"].as_str().map(str::len), Some(64));
    let others = ["lab", "worlds", "--seeds", "6", "--first-seed", "41", "--json"];
    assert_ne!(json(&testnet(&others, "2"))["hash"], answer["hash"]);
}

#[test]
fn a_traced_world_tells_its_story() {
    let output = testnet(&["lab", "worlds", "--seeds", "1", "--first-seed", "7", "--trace"], "1");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(text.lines().any(|line| line.contains("host 0: starts")), "{text}");
    assert!(text.lines().any(|line| line.starts_with("world 7: ")), "{text}");
}

#[test]
fn no_worlds_at_all_is_a_wrong_usage() {
    assert_eq!(testnet(&["lab", "worlds", "--seeds", "0"], "1").status.code(), Some(2));
}
