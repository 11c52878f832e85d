//! The report for people.

use super::{Happening, Numbers, Payee};
use crate::luck;
use crate::source::{Handed, Outcome, Submission};
use std::time::Duration;
use tally_primitives::units::Height;

/// What has happened, in a line; `None` when people need no line for it. `shares`: whether results are shares.
pub(super) fn happening(happening: &Happening, shares: bool) -> Option<String> {
    Some(match happening {
        // The status line shows height or difficulty; here this would fill the log.
        Happening::Work { .. } => return None,
        Happening::Started { payee, threads, kernel, limit } => {
            let limit = limit.map_or_else(String::new, |limit| format!(", at most {}", rate(limit)));
            let plural = if *threads == 1 { "" } else { "s" };
            let payee = match payee {
                Payee::Address(address) => format!("for {address}"),
                Payee::User(user) => format!("as {user}"),
            };
            format!("mining {payee}: {threads} thread{plural}, kernel {kernel}{limit}")
        }
        Happening::Connected { url } => format!("work from {url}"),
        Happening::Result(submission) => return result(submission),
        Happening::NoWork { reason } => format!("nothing to hash: {reason}"),
        Happening::Lost { reason, .. } => format!("no work: {reason}; trying again"),
        Happening::Notice { text } => text.clone(),
        Happening::Fault { kernel, faults } => {
            format!(
                "kernel {kernel} has reported {faults} hashes that sha2 does not confirm: try another with --kernel"
            )
        }
        Happening::Stopping { handed_in } => format!("stopping: waiting for the answer to {handed_in} results"),
        Happening::Ended(numbers) if shares => shares_ended(numbers),
        Happening::Ended(numbers) => ended(numbers),
    })
}

/// Accepted shares have no line: the status line counts them, and there may be many.
fn result(submission: &Submission) -> Option<String> {
    let Submission { hash, result, outcome } = submission;
    Some(match (result, outcome) {
        (Handed::Block { height, reward }, Outcome::Accepted) => {
            format!("block {height} accepted: {hash} pays {reward} TALLY")
        }
        (Handed::Block { height, .. }, Outcome::Rejected { reason }) => {
            format!("block {height} refused: {hash}: {reason}")
        }
        (Handed::Share { is_block: false, .. }, Outcome::Accepted) => return None,
        (Handed::Share { is_block: true, .. }, Outcome::Accepted) => format!("share accepted that is a block: {hash}"),
        (Handed::Share { is_block: true, .. }, Outcome::Rejected { reason }) => {
            format!("share refused that would be a block: {hash}: {reason}")
        }
        (Handed::Share { is_block: false, .. }, Outcome::Rejected { reason }) => format!("share refused: {reason}"),
    })
}

/// How it goes with blocks, in a line.
pub(super) fn status(numbers: &Numbers, height: Option<Height>) -> String {
    let (speed, age) = (rate(numbers.hashes_per_second), duration(numbers.seconds));
    let Numbers { accepted, rejected, expected, .. } = numbers;
    let height = height.map_or_else(|| "no work yet".to_owned(), |height| format!("height {height}"));
    format!("{speed} · {height} · found {accepted} (expected {expected:.1}) · rejected {rejected} · {age}")
}

/// How it goes with shares, in a line.
pub(super) fn share_status(numbers: &Numbers) -> String {
    let (speed, age) = (rate(numbers.hashes_per_second), duration(numbers.seconds));
    let Numbers { accepted, rejected, stale, dropped, .. } = numbers;
    let dropped = if *dropped == 0 { String::new() } else { format!(" · dropped {dropped}") };
    let work = numbers.difficulty.map_or_else(|| "no work yet".to_owned(), |it| format!("difficulty {}", number(it)));
    let luck = luck_words(numbers);
    format!("{speed} · {work} · accepted {accepted} · rejected {rejected} · stale {stale}{dropped} · {luck} · {age}")
}

fn ended(numbers: &Numbers) -> String {
    let (speed, age) = (average(numbers), duration(numbers.seconds));
    let Numbers { accepted, rejected, hashes, expected, .. } = numbers;
    format!(
        "stopped after {age}: {accepted} blocks accepted, {rejected} refused, {expected:.1} expected for {hashes} hashes ({speed})"
    )
}

fn shares_ended(numbers: &Numbers) -> String {
    let (speed, age) = (average(numbers), duration(numbers.seconds));
    let Numbers { accepted, rejected, stale, dropped, unanswered, hashes, blocks, .. } = numbers;
    let blocks = if *blocks == 0 { String::new() } else { format!(" ({blocks} of them blocks)") };
    let more = |count: u64, word: &str| if count == 0 { String::new() } else { format!(", {count} {word}") };
    let (dropped, unanswered) = (more(*dropped, "dropped"), more(*unanswered, "unanswered"));
    let luck = luck_words(numbers);
    format!(
        "stopped after {age}: {accepted} shares accepted{blocks}, {rejected} refused, {stale} stale{dropped}{unanswered}; {luck} for {hashes} hashes ({speed})"
    )
}

/// The rate since the start.
fn average(numbers: &Numbers) -> String {
    rate(numbers.hashes as f64 / numbers.seconds.max(1e-9))
}

/// `found 121 (expected 116.3: 104 %, mild)`.
fn luck_words(numbers: &Numbers) -> String {
    let Numbers { found, expected, .. } = *numbers;
    match luck::temperature(found, expected) {
        Some(word) => {
            format!("found {found} (expected {expected:.1}: {:.0} %, {word})", 100.0 * found as f64 / expected)
        }
        None => format!("found {found} (expected {expected:.1})"),
    }
}

/// A difficulty, fractions with four digits that mean something: `65536`, `0.001234`, `4.657e-10`.
pub(super) fn number(value: f64) -> String {
    let short = format!("{value:.3e}");
    match short.parse::<f64>() {
        _ if value.fract() == 0.0 && value < 1e15 => format!("{value}"),
        Ok(rounded) if (1e-6..1e15).contains(&value) => format!("{rounded}"),
        _ => short,
    }
}

/// A rate with three or more digits that mean something: `6.91 MH/s`.
pub(super) fn rate(hashes_per_second: f64) -> String {
    let (scaled, unit) = match hashes_per_second {
        rate if rate >= 1e9 => (rate / 1e9, "GH/s"),
        rate if rate >= 1e6 => (rate / 1e6, "MH/s"),
        rate if rate >= 1e3 => (rate / 1e3, "kH/s"),
        rate => return format!("{rate:.0} H/s"),
    };
    format!("{scaled:.2} {unit}")
}

pub(super) fn duration(seconds: f64) -> String {
    let whole = Duration::from_secs_f64(seconds.max(0.0)).as_secs();
    match whole {
        0..60 => format!("{seconds:.1} s"),
        60..3600 => format!("{}m {:02}s", whole / 60, whole % 60),
        _ => format!("{}h {:02}m", whole / 3600, whole % 3600 / 60),
    }
}
