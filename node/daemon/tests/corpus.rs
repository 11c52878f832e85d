//! What the fuzzer found worth keeping (`fuzz/corpus`), and inputs of every kind, through the fuzzer's own functions.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop a test as the tests themselves do")]

#[path = "../../../fuzz/targets/mod.rs"]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

use targets::{TARGETS, run, seeds};

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target)
}

fn kept(target: &str) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(folder(target)).into_iter().flatten();
    entries.map(|entry| fs::read(entry.unwrap().path()).unwrap()).collect()
}

#[test]
fn nothing_that_was_ever_found_comes_back() {
    for (target, _) in TARGETS {
        let (seeds, kept) = (seeds::of(target), kept(target));
        assert!(!seeds.is_empty() || !kept.is_empty(), "{target} has no input");
        for input in seeds.iter().chain(&kept) {
            run(target, input);
        }
        println!("{target}: {} inputs", seeds.len() + kept.len());
    }
}

/// Cut short and with a bit changed, at every place: the neighbourhood of what is right.
#[test]
fn neighbours_of_what_is_right_do_no_harm() {
    for (target, _) in TARGETS {
        for input in seeds::of(target) {
            let step = (input.len() / 200).max(1);
            for at in (0..input.len()).step_by(step) {
                run(target, &input[..at]);
                let mut changed = input.clone();
                changed[at] ^= 1 << (at % 8);
                run(target, &changed);
            }
        }
    }
}

/// `cargo test -p tally-node --test corpus -- --ignored` writes the inputs to begin with to where the fuzzer looks for them.
#[test]
#[ignore = "writes into the repository"]
fn write_the_seeds() {
    for (target, _) in TARGETS {
        fs::create_dir_all(folder(target)).unwrap();
        for (number, input) in seeds::of(target).iter().enumerate() {
            fs::write(folder(target).join(format!("seed-{number}")), input).unwrap();
        }
    }
}
