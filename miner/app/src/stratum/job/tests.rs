use super::{ShareJob, ShareWork, TIME_ROLL_MAX};
use crate::stratum::difficulty::Difficulty;
use crate::stratum::message::{ExtraNonce, Notify};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::sync::Arc;
use tally_kernels::work::BIP_320_MASK;
use tally_kernels::{Found, Work};

fn sha256d(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(Sha256::digest(bytes)).into()
}

fn notify() -> Notify {
    Notify {
        job: "j1".to_owned(),
        prev_block: [9; 32],
        coinbase_1: b"first part".to_vec(),
        coinbase_2: b"second part".to_vec(),
        branch: vec![[0x11; 32], [0x22; 32]],
        version: 0x2000_0004,
        bits: 0x207f_ffff,
        time: 1_700_000_000,
        clean: true,
    }
}

fn work(size: usize, number: u64) -> ShareWork {
    let extra_nonce = ExtraNonce { prefix: vec![0xaa, 0xbb], size };
    ShareWork::new(&notify(), &extra_nonce, number, Difficulty::ONE, BIP_320_MASK)
}

fn job(size: usize) -> ShareJob {
    let (notify, work) = (Arc::new(notify()), Arc::new(work(size, 5)));
    ShareJob { number: 5, notify, difficulty: Difficulty::ONE, work, is_cleaned: false }
}

fn found(job: &ShareJob, extra_nonce: u64, version: u32, nonce: u32) -> Found {
    let mut header_bytes = job.work.header(extra_nonce).unwrap();
    header_bytes[..4].copy_from_slice(&version.to_le_bytes());
    header_bytes[76..].copy_from_slice(&nonce.to_le_bytes());
    Found { job_id: job.number, extra_nonce, header_bytes, hash: sha256d(&header_bytes) }
}

#[test]
fn the_header_is_what_the_server_will_make_of_the_share() {
    for size in 0..=10 {
        let job = job(size);
        let extra_nonce = if size < 2 { 0 } else { 0x7f };
        let header = job.work.header(extra_nonce).unwrap();
        let extra_nonce_2 = job.work.extra_nonce_2(extra_nonce);
        assert_eq!(extra_nonce_2.len(), size);
        let coinbase = [&b"first part\xaa\xbb"[..], &extra_nonce_2, b"second part"].concat();
        let root = notify().branch.iter().fold(sha256d(&coinbase), |node, it| sha256d(&[node, *it].concat()));
        assert_eq!(header[..4], 0x2000_0004_u32.to_le_bytes());
        assert_eq!(header[4..36], [9; 32]);
        assert_eq!(header[36..68], root, "size {size}");
        assert_eq!(header[68..72], 1_700_000_000_u32.to_le_bytes());
        assert_eq!(header[72..76], 0x207f_ffff_u32.to_le_bytes());
        assert_eq!(job.work.version_mask(), BIP_320_MASK);
        assert_eq!(job.work.target(), Difficulty::ONE.target());
    }
}

#[test]
fn the_counter_is_first_and_the_jobs_number_last() {
    assert_eq!(hex::encode(work(4, 0x1234).extra_nonce_2(0x0001_0203)), "03020134");
    assert_eq!(hex::encode(work(8, 1).extra_nonce_2(0x0001_0203)), "0302010000000001");
    assert_eq!(hex::encode(work(10, 0xff).extra_nonce_2(u64::MAX)), "ffffffffffffffff00ff");
    assert_eq!(hex::encode(work(1, 7).extra_nonce_2(0)), "07");
    assert!(work(0, 7).extra_nonce_2(0).is_empty());
}

#[test]
fn when_the_counter_has_run_out_the_time_moves_on() {
    for (size, counters) in [(0, 1), (1, 1), (2, 256_u64)] {
        let work = work(size, 5);
        let last = counters * (u64::from(TIME_ROLL_MAX) + 1) - 1;
        let time = |extra_nonce| {
            let header = work.header(extra_nonce).unwrap();
            u32::from_le_bytes(header[68..72].try_into().unwrap()) - 1_700_000_000
        };
        assert_eq!((time(counters - 1), time(counters), time(last)), (0, 1, TIME_ROLL_MAX));
        assert_eq!(work.header(last + 1), None, "size {size}");
        let headers: BTreeSet<[u8; 80]> = (0..=last).map(|extra_nonce| work.header(extra_nonce).unwrap()).collect();
        assert_eq!(headers.len() as u64, last + 1, "no header twice");
    }
    assert!(work(9, 5).header(u64::MAX).is_some());
    assert!(work(8, 5).header(u64::MAX).is_some());
}

#[test]
fn the_same_job_given_out_twice_is_other_work() {
    let headers = |number| (0..100).map(move |extra_nonce| work(4, number).header(extra_nonce).unwrap());
    let both: BTreeSet<[u8; 80]> = headers(1).chain(headers(2)).collect();
    assert_eq!(both.len(), 200);
}

#[test]
fn a_share_is_submitted_in_the_orders_of_the_wire() {
    let job = job(4);
    let share = found(&job, 1, 0x2000_0004, 0x0102_0304);
    let expected = json!(["me", "j1", "01000005", "6553f100", "01020304"]);
    assert_eq!(job.submit_params("me", &share, None), Some(expected.clone()));
    let mut with_version = expected;
    with_version.as_array_mut().unwrap().push(json!("00000000"));
    assert_eq!(job.submit_params("me", &share, Some(BIP_320_MASK)), Some(with_version));
}

#[test]
fn rolled_bits_go_with_the_share_if_the_server_can_make_the_version_again() {
    let job = job(4);
    let rolled = found(&job, 1, 0x2000_0004 | 0x1555_4000, 9);
    let bits = |mask| job.submit_params("me", &rolled, mask).map(|params| params[5].clone());
    assert_eq!(bits(Some(BIP_320_MASK)), Some(json!("15554000")));
    assert_eq!(bits(Some(0x1555_4000)), Some(json!("15554000")));
    assert_eq!(bits(Some(0x0555_4000)), None, "a bit that is no longer allowed");
    assert_eq!(bits(Some(0)), None);
    assert_eq!(bits(None), None);
}

#[test]
fn a_share_may_be_a_block() {
    let job = job(4);
    let mut share = found(&job, 1, 0x2000_0004, 9);
    // Hashes are numbers with the least significant byte first.
    share.hash = [0xff; 32];
    assert!(!job.is_block(&share));
    share.hash[31] = 0x7e;
    assert!(job.is_block(&share));
    let impossible = ShareJob { notify: Arc::new(Notify { bits: 0, ..notify() }), ..job };
    assert!(!impossible.is_block(&share));
}
