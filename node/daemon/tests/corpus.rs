//! What the fuzzer found worth keeping (`fuzz/corpus`), and inputs of every kind, through the fuzzer's own functions.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop a test as the tests themselves do")]

#[path = "../../../fuzz/targets/mod.rs"]
mod targets;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tally_node_core::random::Random;
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

/// A fuzzer without eyes, for machines on which there is no other: inputs are changed by chance, and what came of it is not looked at. Seconds for each
/// target, and the target if not all: `TALLY_BLIND=60 TALLY_TARGET=core cargo test -p tally-node --test corpus blind -- --ignored --nocapture`.
#[test]
#[ignore = "takes as long as it is told to"]
fn blind() {
    let setting = |name: &str| std::env::var(name).ok();
    let seconds = setting("TALLY_BLIND").and_then(|text| text.parse().ok()).unwrap_or(10);
    let only = setting("TALLY_TARGET").unwrap_or_default();
    for (target, _) in TARGETS.iter().filter(|(target, _)| target.contains(&only)) {
        let inputs = [seeds::of(target), kept(target)].concat();
        let mut random = Random::new(1);
        let (begun, mut runs) = (Instant::now(), 0_u64);
        while begun.elapsed() < Duration::from_secs(seconds) {
            let input = changed(&inputs, &mut random);
            // The input that a panic is about.
            let outcome = std::panic::catch_unwind(|| run(target, &input));
            assert!(outcome.is_ok(), "{target}: {}", hex::encode(&input));
            runs += 1;
        }
        println!("{target}: {runs} runs in {seconds} s");
    }
}

/// One of the inputs with some bytes changed, left out, repeated, or taken from another one.
fn changed(inputs: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut input = inputs[random.index(inputs.len())].clone();
    for _ in 0..random.between(1, 12) {
        let at = random.index(input.len().max(1));
        let end = (at + random.index(32)).min(input.len());
        match random.below(6) {
            0 => input.truncate(at),
            1 => drop(input.drain(at.min(end)..end)),
            2 => {
                let piece = input[at.min(end)..end].to_vec();
                input.splice(at.min(end)..at.min(end), piece);
            }
            3 => {
                let other = &inputs[random.index(inputs.len())];
                let from = random.index(other.len().max(1)).min(other.len());
                input.extend(other[from..].iter().take(200));
            }
            _ if !input.is_empty() => {
                input[at] = [0, 1, 127, 128, 255, random.next_u64().to_le_bytes()[0]][random.index(6)];
            }
            _ => input.push(0),
        }
    }
    input
}

/// `cargo test -p tally-node --test corpus write -- --ignored` writes the inputs to begin with to where the fuzzer looks for them.
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
