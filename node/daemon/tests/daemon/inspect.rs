//! `node inspect`: real Bitcoin headers, the published ASERT vectors, and our own encodings.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tally_node_core::testing::{TestChain, allocations, pay_on};
use tally_primitives::encode;
use tally_primitives::hash::PreimageHash;
use tally_primitives::spending::SpendingPolicy;
use tally_primitives::units::Height;

use crate::common::{params, program, run, somebody, stderr};

fn vectors() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/consensus/tests/vectors")
}

fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child =
        program().args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // The program may refuse its input before it has read all of it.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

fn inspect(what: &str, text: &str) -> Value {
    let output = run(&["inspect", what, text]);
    assert!(output.status.success(), "{what}: {}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_first_thousand_headers_of_bitcoin_are_linked_and_meet_their_targets() {
    let path = vectors().join("mainnet-headers-first-1008.bin");
    let bytes = std::fs::read(&path).unwrap();
    let from_file = run(&["inspect", "headers", &path.display().to_string()]);
    let from_input = run_with_input(&["inspect", "headers", "-"], &bytes);
    assert!(from_file.status.success() && from_input.status.success());
    assert_eq!(from_file.stdout, from_input.stdout);
    let text = String::from_utf8(from_file.stdout).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 1009);
    assert!(lines[..1008].iter().all(|line| line["meets_target"] == json!(true)));
    assert_eq!(lines[0]["hash"], json!("000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"));
    assert_eq!(lines[0]["bits"], json!("0x1d00ffff"));
    assert_eq!(lines[0]["time"], json!(1_231_006_505));
    assert!(text.lines().last().unwrap().starts_with(r#"{"count":1008,"linked":true,"chain_work":""#), "{text}");

    // A header out of its place is noticed, and so is half a header.
    let swapped = [&bytes[80..160], &bytes[..80]].concat();
    let output = run_with_input(&["inspect", "headers", "-"], &swapped);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().last().unwrap().contains(r#""count":2,"linked":false"#), "{text}");
    let output = run_with_input(&["inspect", "headers", "-"], &bytes[..100]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("within a header"));
}

#[test]
fn the_published_asert_vectors_are_reproduced() {
    let mut rows_checked = 0;
    for entry in std::fs::read_dir(vectors().join("asert")).unwrap() {
        let path = entry.unwrap().path();
        // Ours have other limits; the consensus crate's own tests read them.
        if !path.file_name().unwrap().to_str().unwrap().starts_with("run") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let head = |name: &str| {
            let line = text.lines().find(|line| line.starts_with("##") && line.contains(name)).unwrap();
            line.rsplit_once(": ").unwrap().1.trim().to_owned()
        };
        let anchor_height: i128 = head("anchor height").parse().unwrap();
        let anchor_parent_time: i128 = head("anchor ancestor time").parse().unwrap();
        let rows: Vec<Vec<&str>> = text
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
            .map(|line| line.split_whitespace().collect())
            .collect();
        let input: String = rows
            .iter()
            .map(|row| {
                let (height, time): (i128, i128) = (row[1].parse().unwrap(), row[2].parse().unwrap());
                format!("{} {}\n", time - anchor_parent_time, height - anchor_height)
            })
            .collect();
        let bits = head("anchor nBits");
        let fixed = ["--spacing", "600", "--half-life", "172800", "--limit", "0x1d00ffff"];
        let arguments = [&["inspect", "next-bits", "--anchor-bits", &bits][..], &fixed].concat();
        let output = run_with_input(&arguments, input.as_bytes());
        assert!(output.status.success(), "{}", stderr(&output));
        let answers: Vec<_> = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
        assert_eq!(answers.len(), rows.len());
        for (answer, row) in answers.iter().zip(&rows) {
            assert_eq!(std::str::from_utf8(answer).unwrap(), row[3], "{}: {row:?}", path.display());
            rows_checked += 1;
        }
    }
    assert!(rows_checked >= 265, "{rows_checked}");
}

#[test]
fn blocks_headers_and_transactions_show_their_fields() {
    let mut chain = TestChain::new();
    let params = params();
    let payment = pay_on(&params, &allocations(&params)[0], 1000);
    let block = chain.next().with(payment.clone()).build();
    chain.offer(&block).unwrap();
    let shown = inspect("block", &hex::encode(encode::encode(&block)));
    assert_eq!(shown["hash"], json!(block.hash()));
    assert_eq!(shown["height"], json!(1));
    assert_eq!(shown["merkle_root_matches"], json!(true));
    assert_eq!(shown["size"], json!(block.encoded_size()));
    assert_eq!(shown["transactions"][1]["txid"], json!(payment.txid()));
    let header = inspect("header", &hex::encode(block.header.to_bytes()));
    assert_eq!(header, shown["header"]);
    assert_eq!(header["meets_target"], json!(true));
    let transaction = inspect("transaction", &hex::encode(encode::encode(&payment)));
    assert_eq!(transaction, shown["transactions"][1]);
    assert_eq!(transaction["inputs"][0]["lock"], json!(allocations(&params)[0].1.lock));
    assert_eq!(transaction["wtxid"], json!(payment.wtxid()));
    let piped = run_with_input(&["inspect", "block", "-"], hex::encode(encode::encode(&block)).as_bytes());
    assert_eq!(serde_json::from_slice::<Value>(&piped.stdout).unwrap(), shown);
}

#[test]
fn policies_and_addresses_show_their_locks() {
    let policy = SpendingPolicy::Threshold {
        required: 1,
        of: vec![SpendingPolicy::After(Height::new(9)), SpendingPolicy::Preimage(PreimageHash::from_bytes([4; 32]))],
    };
    let shown = inspect("policy", &hex::encode(encode::encode(&policy)));
    assert_eq!(shown["lock"], json!(policy.hash()));
    assert_eq!(shown["within_limits"], json!(true));
    let address = inspect("address", shown["addresses"]["devnet"].as_str().unwrap());
    assert_eq!(address["lock"], shown["lock"]);
    assert_eq!(address["network"], json!("devnet"));
    let ours = inspect("address", &somebody().to_string());
    assert_eq!(ours["lock"], json!(somebody().lock));
}

#[test]
fn what_does_not_decode_gets_one_line_and_code_2() {
    let cases = [
        ["header", "00"],
        ["header", "zz"],
        ["block", "0011"],
        ["transaction", "ffffffffffffffffffffffffffffffff"],
        ["policy", "09000000"],
        ["address", "tally1qqqq"],
    ];
    for [what, text] in cases {
        let output = run(&["inspect", what, text]);
        assert_eq!(output.status.code(), Some(2), "{what} {text}");
        let error = stderr(&output);
        assert!(error.starts_with("error: ") && error.lines().count() == 1, "{error}");
    }
    let fixed = ["inspect", "next-bits", "--anchor-bits", "0x1d00ffff", "--spacing", "600", "--half-life", "1"];
    let output = run_with_input(&[&fixed[..], &["--limit", "0x1d00ffff"]].concat(), b"1 2\nx\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("line 2"));
    let output = run_with_input(&[&fixed[..], &["--limit", "0x00000000"]].concat(), b"");
    assert_eq!(output.status.code(), Some(2));
}
