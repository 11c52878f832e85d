//! What people and programs read: lines of text with a live status line on a terminal, or a JSON object a line.
//!
//! Every JSON object has an `event`: `started`, `connected`, `work`, `block`, `no_work`, `lost`, `fault`, `status` (every ten
//! seconds), `stopping` and at last `ended`. Amounts are notches.

use crate::source::{Outcome, Submission};
use serde_json::{Value, json};
use std::io::{self, Write};
use std::time::Duration;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::{Amount, Height};

/// Something to tell.
#[derive(Clone, Debug)]
pub enum Happening {
    /// The session begins.
    Started {
        /// Whom blocks will pay.
        address: String,
        /// Hashing threads.
        threads: usize,
        /// The kernel's name.
        kernel: &'static str,
        /// Hashes a second at most.
        limit: Option<f64>,
    },
    /// A server answers (again).
    Connected {
        /// Which.
        url: String,
    },
    /// There is new work.
    Work {
        /// The block's height.
        height: Height,
        /// The block it builds on.
        prev_block: BlockHash,
        /// Transactions beside the coinbase.
        transactions: usize,
        /// What it pays.
        reward: Amount,
        /// The largest hash that counts, hex.
        target: String,
    },
    /// A block was handed in.
    Block(Submission),
    /// There is nothing to hash.
    NoWork {
        /// Why.
        reason: String,
    },
    /// No server answers.
    Lost {
        /// Which.
        url: String,
        /// Why.
        reason: String,
    },
    /// The kernel reported hashes that are none.
    Fault {
        /// Its name.
        kernel: &'static str,
        /// How many by now.
        faults: u64,
    },
    /// The session is to end, and waits for answers.
    Stopping {
        /// Blocks handed in whose fate is not known.
        handed_in: u64,
    },
    /// The session has ended.
    Ended(Numbers),
}

/// How it goes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Numbers {
    /// Since the start.
    pub seconds: f64,
    /// Computed since the start.
    pub hashes: u64,
    /// Over the last ten seconds.
    pub hashes_per_second: f64,
    /// Blocks that were taken.
    pub accepted: u64,
    /// Blocks that were not.
    pub rejected: u64,
    /// Blocks to be expected for the hashes.
    pub expected: f64,
}

/// Where the report goes and in which form.
pub struct Report {
    out: Box<dyn Write + Send>,
    /// Where the live status line goes, if there is a terminal.
    terminal: Option<Box<dyn Write + Send>>,
    json: bool,
    last_status: Duration,
    /// The height worked at, for the status line.
    height: Option<Height>,
}

impl Report {
    /// A report of JSON lines.
    #[must_use]
    pub fn json(out: Box<dyn Write + Send>) -> Report {
        Report { out, terminal: None, json: true, last_status: Duration::ZERO, height: None }
    }

    /// A report for people; with a terminal, a status line stays below the other lines.
    #[must_use]
    pub fn text(out: Box<dyn Write + Send>, terminal: Option<Box<dyn Write + Send>>) -> Report {
        Report { out, terminal, json: false, last_status: Duration::ZERO, height: None }
    }

    /// The time until the next status is due, where `now` is the session's age.
    #[must_use]
    pub fn next_status(&self, now: Duration) -> Duration {
        let every = match (self.json, &self.terminal) {
            (true, _) => Duration::from_secs(10),
            (false, Some(_)) => Duration::from_millis(500),
            (false, None) => Duration::from_secs(60),
        };
        (self.last_status + every).saturating_sub(now)
    }

    /// Tells how it goes.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn status(&mut self, numbers: &Numbers, now: Duration) -> io::Result<()> {
        self.last_status = now;
        if self.json {
            return self.line(&numbers_json("status", numbers).to_string());
        }
        let line = self.status_line(numbers);
        match &mut self.terminal {
            Some(terminal) => {
                write!(terminal, "\r\x1b[2K{line}")?;
                terminal.flush()
            }
            None => self.line(&line),
        }
    }

    /// Tells what has happened.
    ///
    /// # Errors
    /// When the output is closed.
    pub fn say(&mut self, happening: &Happening) -> io::Result<()> {
        if let Happening::Work { height, .. } = happening {
            self.height = Some(*height);
        }
        if self.json {
            return self.line(&happening_json(happening).to_string());
        }
        if let Some(terminal) = &mut self.terminal {
            write!(terminal, "\r\x1b[2K")?;
            terminal.flush()?;
        }
        match happening_text(happening) {
            Some(text) => self.line(&text),
            None => Ok(()),
        }
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    fn status_line(&self, numbers: &Numbers) -> String {
        let height = self.height.map_or_else(|| "no work yet".to_owned(), |height| format!("height {height}"));
        format!(
            "{} · {height} · found {} (expected {:.1}) · rejected {} · {}",
            rate(numbers.hashes_per_second),
            numbers.accepted,
            numbers.expected,
            numbers.rejected,
            duration(numbers.seconds),
        )
    }
}

fn happening_text(happening: &Happening) -> Option<String> {
    Some(match happening {
        // Where there is a terminal the status line shows the height; elsewhere this would fill the log.
        Happening::Work { .. } => return None,
        Happening::Started { address, threads, kernel, limit } => {
            let limit = limit.map_or_else(String::new, |limit| format!(", at most {}", rate(limit)));
            let plural = if *threads == 1 { "" } else { "s" };
            format!("mining for {address}: {threads} thread{plural}, kernel {kernel}{limit}")
        }
        Happening::Connected { url } => format!("work from {url}"),
        Happening::Block(Submission { height, hash, reward, outcome }) => match outcome {
            Outcome::Accepted => format!("block {height} accepted: {hash} pays {reward} TALLY"),
            Outcome::Rejected { reason } => format!("block {height} refused: {hash}: {reason}"),
        },
        Happening::NoWork { reason } => format!("nothing to hash: {reason}"),
        Happening::Lost { reason, .. } => format!("no work: {reason}; trying again"),
        Happening::Fault { kernel, faults } => {
            format!(
                "kernel {kernel} has reported {faults} hashes that sha2 does not confirm: try another with --kernel"
            )
        }
        Happening::Stopping { handed_in } => format!("stopping: waiting for the node's answer to {handed_in} blocks"),
        Happening::Ended(numbers) => format!(
            "stopped after {}: {} blocks accepted, {} refused, {:.1} expected for {} hashes ({})",
            duration(numbers.seconds),
            numbers.accepted,
            numbers.rejected,
            numbers.expected,
            numbers.hashes,
            rate(numbers.hashes as f64 / numbers.seconds.max(1e-9)),
        ),
    })
}

fn happening_json(happening: &Happening) -> Value {
    match happening {
        Happening::Started { address, threads, kernel, limit } => {
            json!({"event": "started", "address": address, "threads": threads, "kernel": kernel, "limit": limit})
        }
        Happening::Connected { url } => json!({"event": "connected", "url": url}),
        Happening::Work { height, prev_block, transactions, reward, target } => json!({
            "event": "work", "height": height, "prev_block": prev_block, "transactions": transactions, "reward": reward,
            "target": target,
        }),
        Happening::Block(Submission { height, hash, reward, outcome }) => {
            let reason = match outcome {
                Outcome::Accepted => None,
                Outcome::Rejected { reason } => Some(reason),
            };
            json!({
                "event": "block", "height": height, "hash": hash, "reward": reward, "accepted": reason.is_none(),
                "reason": reason,
            })
        }
        Happening::NoWork { reason } => json!({"event": "no_work", "reason": reason}),
        Happening::Lost { url, reason } => json!({"event": "lost", "url": url, "reason": reason}),
        Happening::Fault { kernel, faults } => json!({"event": "fault", "kernel": kernel, "faults": faults}),
        Happening::Stopping { handed_in } => json!({"event": "stopping", "handed_in": handed_in}),
        Happening::Ended(numbers) => numbers_json("ended", numbers),
    }
}

fn numbers_json(event: &str, numbers: &Numbers) -> Value {
    json!({
        "event": event, "seconds": numbers.seconds, "hashes": numbers.hashes,
        "hashes_per_second": numbers.hashes_per_second, "accepted": numbers.accepted, "rejected": numbers.rejected,
        "expected": numbers.expected,
    })
}

/// A rate with three or more digits that mean something: `6.91 MH/s`.
#[must_use]
pub fn rate(hashes_per_second: f64) -> String {
    let (scaled, unit) = match hashes_per_second {
        rate if rate >= 1e9 => (rate / 1e9, "GH/s"),
        rate if rate >= 1e6 => (rate / 1e6, "MH/s"),
        rate if rate >= 1e3 => (rate / 1e3, "kH/s"),
        rate => return format!("{rate:.0} H/s"),
    };
    format!("{scaled:.2} {unit}")
}

fn duration(seconds: f64) -> String {
    let whole = Duration::from_secs_f64(seconds.max(0.0)).as_secs();
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{}m {:02}s", whole / 60, whole % 60),
        _ => format!("{}h {:02}m", whole / 3600, whole % 3600 / 60),
    }
}

#[cfg(test)]
mod tests;
