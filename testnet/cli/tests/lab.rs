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

#[test]
fn a_lab_prints_its_figures_and_draws_them() {
    let dir = tempfile::tempdir().expect("a directory");
    let plot = dir.path().join("plot.svg");
    let path = plot.to_str().expect("text");
    let arguments = ["lab", "partition", "--worlds", "5", "--seed", "3", "--plot", path, "--json"];
    let (one, two) = (testnet(&arguments, "1"), testnet(&arguments, "2"));
    let answer = json(&one);
    assert_eq!(answer, json(&two), "the number of threads changes nothing");
    assert_eq!((&answer["lab"], &answer["seed"]), (&Value::from("partition"), &Value::from(3)));
    assert_eq!(one.status.code(), Some(if answer["pass"] == true { 0 } else { 1 }));
    let rows = answer["rows"].as_array().expect("rows");
    let numbers = ["measured", "theory", "spacings"];
    assert!(
        rows.iter().all(|row| numbers.iter().all(|name| row[name].is_f64()) && row["pass"].is_boolean()),
        "{rows:?}"
    );
    for value in ["measured", "theory", "interval"] {
        assert_eq!(answer[value], rows.last().expect("a row")[value], "the last row is the headline");
    }
    let drawn = std::fs::read_to_string(plot).expect("drawn");
    assert!(drawn.starts_with("<svg ") && drawn.contains("<circle"));
}

#[test]
fn every_lab_is_listed() {
    let listed = json(&testnet(&["lab", "list", "--json"], "1"));
    let names: Vec<&str> = listed.as_array().expect("a list").iter().filter_map(|lab| lab["lab"].as_str()).collect();
    assert_eq!(names, ["worlds", "gossip", "latency", "partition", "eclipse", "churn", "double-spend", "selfish"]);
}

#[test]
fn a_plot_that_cannot_be_written_is_an_error_that_names_it() {
    let output = testnet(&["lab", "partition", "--worlds", "2", "--plot", "/nowhere/at/all.svg"], "2");
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.starts_with("error: cannot write /nowhere/at/all.svg: "), "{error}");
}
