//! What people and programs read: lines of text with a live status line on a terminal (`report/text`), or a JSON object a
//! line (`report/json`).

mod json;
mod text;

use crate::source::{Handed, Outcome, Purpose, Submission};
use std::io::{self, Write};
use std::time::Duration;
use tally_primitives::hash::BlockHash;
use tally_primitives::units::Height;

/// Who earns by the work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payee {
    /// Blocks pay this address.
    Address(String),
    /// A pool credits this user's shares.
    User(String),
}

/// Something to tell.
#[derive(Clone, Debug)]
pub enum Happening {
    /// The session begins.
    Started {
        /// Who earns.
        payee: Payee,
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
        /// The block it builds on.
        prev_block: BlockHash,
        /// What a result would be.
        purpose: Purpose,
        /// The largest hash that counts, hex.
        target: String,
    },
    /// A block or a share was handed in.
    Result(Submission),
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
    /// Something that people should read.
    Notice {
        /// In a line.
        text: String,
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
        /// Results handed in whose fate is not known.
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
    /// Results (blocks from a node, else shares) that were taken.
    pub accepted: u64,
    /// Of these, blocks.
    pub blocks: u64,
    /// Results that were not taken.
    pub rejected: u64,
    /// Results of work that no longer counted, not handed in.
    pub stale: u64,
    /// Results that were given up, since they came faster than they were answered.
    pub dropped: u64,
    /// Results whose answer was lost with the connection.
    pub unanswered: u64,
    /// Results that the engine found.
    pub found: u64,
    /// Results to be expected for the hashes.
    pub expected: f64,
    /// How hard a share is; `None` when there are no shares.
    pub difficulty: Option<f64>,
}

/// Where the report goes and in which form.
pub struct Report {
    out: Box<dyn Write + Send>,
    /// Where the live status line goes, if there is a terminal.
    terminal: Option<Box<dyn Write + Send>>,
    json: bool,
    last_status: Duration,
    /// Whether results are shares.
    shares: bool,
    /// The height worked at, for the status line.
    height: Option<Height>,
    /// Why a share was refused, said since the last status: a thousand refusals for one reason are one line.
    last_refusal: Option<String>,
}

impl Report {
    /// A report of JSON lines.
    #[must_use]
    pub fn json(out: Box<dyn Write + Send>) -> Report {
        Report { json: true, ..Report::text(out, None) }
    }

    /// A report for people; with a terminal, a status line stays below the other lines.
    #[must_use]
    pub fn text(out: Box<dyn Write + Send>, terminal: Option<Box<dyn Write + Send>>) -> Report {
        let (last_status, height, last_refusal) = (Duration::ZERO, None, None);
        Report { out, terminal, json: false, last_status, shares: false, height, last_refusal }
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
        self.last_refusal = None;
        if self.json {
            return self.line(&json::numbers("status", numbers).to_string());
        }
        let line = if self.shares { text::share_status(numbers) } else { text::status(numbers, self.height) };
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
        match happening {
            Happening::Work { purpose: Purpose::Block { height, .. }, .. } => self.height = Some(*height),
            Happening::Started { payee, .. } => self.shares = matches!(payee, Payee::User(_)),
            _ => {}
        }
        if self.json {
            return self.line(&json::happening(happening).to_string());
        }
        if self.is_repetition(happening) {
            return Ok(());
        }
        let Some(text) = text::happening(happening, self.shares) else {
            return Ok(());
        };
        if let Some(terminal) = &mut self.terminal {
            write!(terminal, "\r\x1b[2K")?;
            terminal.flush()?;
        }
        self.line(&text)
    }

    /// Whether this is one more share refused for the same reason.
    fn is_repetition(&mut self, happening: &Happening) -> bool {
        let Happening::Result(Submission {
            result: Handed::Share { is_block: false, .. },
            outcome: Outcome::Rejected { reason },
            ..
        }) = happening
        else {
            return false;
        };
        self.last_refusal.replace(reason.clone()).as_ref() == Some(reason)
    }

    fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests;
