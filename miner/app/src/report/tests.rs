use super::text::{duration, number, rate};
use super::{Happening, Numbers, Payee, Report};
use crate::source::{Handed, Outcome, Submission};
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::{Amount, Height};

/// An output that can be read again.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn numbers() -> Numbers {
    Numbers {
        seconds: 75.0,
        hashes: 150_000,
        hashes_per_second: 2000.0,
        accepted: 2,
        blocks: 2,
        rejected: 1,
        found: 3,
        expected: 2.25,
        ..Numbers::default()
    }
}

fn block(outcome: Outcome) -> Happening {
    let result = Handed::Block { height: Height::new(7), reward: Amount::ONE_TALLY };
    Happening::Result(Submission { hash: BlockHash::ZERO, result, outcome })
}

fn share(is_block: bool, reason: Option<&str>) -> Happening {
    let result = Handed::Share { job: "a1".to_owned(), difficulty: 0.001, is_block };
    let outcome = reason.map_or(Outcome::Accepted, |reason| Outcome::Rejected { reason: reason.to_owned() });
    Happening::Result(Submission { hash: BlockHash::ZERO, result, outcome })
}

fn started() -> Happening {
    Happening::Started { payee: Payee::User("me".to_owned()), threads: 2, kernel: "sha2", limit: None }
}

fn share_numbers() -> Numbers {
    Numbers { difficulty: Some(0.001), accepted: 120, found: 121, expected: 100.0, stale: 1, ..numbers() }
}

#[test]
fn a_terminal_keeps_one_live_line_below_the_others() {
    let (out, terminal) = (Kept::default(), Kept::default());
    let mut report = Report::text(Box::new(out.clone()), Some(Box::new(terminal.clone())));
    report.status(&numbers(), Duration::from_secs(75)).unwrap();
    report.say(&block(Outcome::Accepted)).unwrap();
    let line = "2.00 kH/s · no work yet · found 2 (expected 2.2) · rejected 1 · 1m 15s";
    assert_eq!(terminal.text(), format!("\r\x1b[2K{line}\r\x1b[2K"), "written, then cleared for the block");
    assert_eq!(out.text(), format!("block 7 accepted: {} pays 1.00000000 TALLY\n", BlockHash::ZERO));
}

#[test]
fn json_is_one_object_a_line_without_escapes() {
    let out = Kept::default();
    let mut report = Report::json(Box::new(out.clone()));
    report.say(&block(Outcome::Rejected { reason: "HDR-05 too early".to_owned() })).unwrap();
    report.status(&numbers(), Duration::ZERO).unwrap();
    let lines: Vec<serde_json::Value> = out.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["reason"], "HDR-05 too early");
    assert_eq!((&lines[0]["reward"], &lines[0]["accepted"]), (&100_000_000.into(), &false.into()));
    assert_eq!((&lines[1]["event"], &lines[1]["hashes"]), (&"status".into(), &150_000.into()));
}

#[test]
fn a_status_is_due_in_its_time() {
    let mut report = Report::json(Box::new(io::sink()));
    assert_eq!(report.next_status(Duration::from_secs(4)), Duration::from_secs(6));
    report.status(&numbers(), Duration::from_secs(12)).unwrap();
    assert_eq!(report.next_status(Duration::from_secs(12)), Duration::from_secs(10));
    assert_eq!(report.next_status(Duration::from_secs(40)), Duration::ZERO);
}

#[test]
fn rates_and_times_read_well() {
    let rates = [0.0, 999.0, 1000.0, 25_000.0, 6.913e6, 1.5e9].map(rate);
    assert_eq!(rates, ["0 H/s", "999 H/s", "1.00 kH/s", "25.00 kH/s", "6.91 MH/s", "1.50 GH/s"]);
    let numbers = [65536.0, 1234.5678, 1.0, 0.000_599_044, 0.001, 4.656_542e-10, 1e20].map(number);
    assert_eq!(numbers, ["65536", "1235", "1", "0.000599", "0.001", "4.657e-10", "1.000e20"]);
    assert_eq!([1.25, 61.0, 3700.0].map(duration), ["1.2 s", "1m 01s", "1h 01m"]);
}

#[test]
fn the_status_of_shares_has_difficulty_and_luck() {
    let (out, terminal) = (Kept::default(), Kept::default());
    let mut report = Report::text(Box::new(out.clone()), Some(Box::new(terminal.clone())));
    report.say(&started()).unwrap();
    report.status(&share_numbers(), Duration::from_secs(75)).unwrap();
    let line =
        "2.00 kH/s · difficulty 0.001 · accepted 120 · rejected 1 · stale 1 · found 121 (expected 100.0: 121 %, hot)";
    assert_eq!(terminal.text(), format!("\r\x1b[2K\r\x1b[2K{line} · 1m 15s"));
    report.say(&share(false, None)).unwrap();
    let begin = "mining as me: 2 threads, kernel sha2\n";
    assert_eq!(out.text(), begin, "an accepted share has no line");
    report.say(&share(true, None)).unwrap();
    assert_eq!(out.text(), format!("{begin}share accepted that is a block: {}\n", BlockHash::ZERO));
}

#[test]
fn the_end_speaks_of_shares_even_before_there_was_work() {
    let out = Kept::default();
    let mut report = Report::text(Box::new(out.clone()), None);
    report.say(&started()).unwrap();
    let (seconds, unanswered) = (2.0, 3);
    report.say(&Happening::Ended(Numbers { seconds, unanswered, ..Numbers::default() })).unwrap();
    let end = "stopped after 2.0 s: 0 shares accepted, 0 refused, 0 stale, 3 unanswered; found 0 (expected 0.0) for 0 hashes (0 H/s)";
    assert_eq!(out.text().lines().nth(1), Some(end));
    report.say(&Happening::Ended(Numbers { blocks: 1, dropped: 2, ..share_numbers() })).unwrap();
    let luck = "found 121 (expected 100.0: 121 %, hot) for 150000 hashes (2.00 kH/s)";
    let end =
        format!("stopped after 1m 15s: 120 shares accepted (1 of them blocks), 1 refused, 1 stale, 2 dropped; {luck}");
    assert_eq!(out.text().lines().nth(2), Some(end.as_str()));
}

#[test]
fn a_reason_is_said_once_between_two_status_lines() {
    let out = Kept::default();
    let mut report = Report::text(Box::new(out.clone()), None);
    for reason in ["low", "low", "stale", "stale"] {
        report.say(&share(false, Some(reason))).unwrap();
    }
    assert_eq!(out.text(), "share refused: low\nshare refused: stale\n");
    report.status(&numbers(), Duration::from_secs(60)).unwrap();
    report.say(&share(false, Some("stale"))).unwrap();
    report.say(&share(true, Some("stale"))).unwrap();
    let lines: Vec<String> = out.text().lines().skip(3).map(ToOwned::to_owned).collect();
    let block = format!("share refused that would be a block: {}: stale", BlockHash::ZERO);
    assert_eq!(lines, ["share refused: stale", block.as_str()]);
}

#[test]
fn shares_in_json_name_their_job() {
    let out = Kept::default();
    let mut report = Report::json(Box::new(out.clone()));
    report.say(&share(false, Some("low"))).unwrap();
    report.status(&share_numbers(), Duration::ZERO).unwrap();
    let lines: Vec<serde_json::Value> = out.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&lines[0]["event"], &lines[0]["job"], &lines[0]["reason"]),
        (&"share".into(), &"a1".into(), &"low".into())
    );
    assert_eq!((&lines[1]["temperature"], &lines[1]["difficulty"]), (&"hot".into(), &0.001.into()));
}
