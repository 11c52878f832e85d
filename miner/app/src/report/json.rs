//! The report for programs: every JSON object has an `event`: `started`, `connected`, `work`, `block`, `share`, `no_work`,
//! `lost`, `notice`, `fault`, `status` (every ten seconds), `stopping` and at last `ended`. Amounts are notches.

use super::{Happening, Numbers, Payee};
use crate::luck;
use crate::source::{Handed, Outcome, Purpose, Submission};
use serde_json::{Value, json};

/// What has happened, as an object.
pub(super) fn happening(happening: &Happening) -> Value {
    match happening {
        Happening::Started { payee, threads, kernel, limit } => match payee {
            Payee::Address(address) => {
                json!({"event": "started", "address": address, "threads": threads, "kernel": kernel, "limit": limit})
            }
            Payee::User(user) => {
                json!({"event": "started", "user": user, "threads": threads, "kernel": kernel, "limit": limit})
            }
        },
        Happening::Connected { url } => json!({"event": "connected", "url": url}),
        Happening::Work { prev_block, purpose, target } => match purpose {
            Purpose::Block { height, transactions, reward } => json!({
                "event": "work", "height": height, "prev_block": prev_block, "transactions": transactions,
                "reward": reward, "target": target,
            }),
            Purpose::Share { job, difficulty, clean } => json!({
                "event": "work", "job": job, "prev_block": prev_block, "difficulty": difficulty, "clean": clean,
                "target": target,
            }),
        },
        Happening::Result(submission) => result(submission),
        Happening::NoWork { reason } => json!({"event": "no_work", "reason": reason}),
        Happening::Lost { url, reason } => json!({"event": "lost", "url": url, "reason": reason}),
        Happening::Notice { text } => json!({"event": "notice", "text": text}),
        Happening::Fault { kernel, faults } => json!({"event": "fault", "kernel": kernel, "faults": faults}),
        Happening::Stopping { handed_in } => json!({"event": "stopping", "handed_in": handed_in}),
        Happening::Ended(numbers) => self::numbers("ended", numbers),
    }
}

fn result(submission: &Submission) -> Value {
    let Submission { hash, result, outcome } = submission;
    let reason = match outcome {
        Outcome::Accepted => None,
        Outcome::Rejected { reason } => Some(reason),
    };
    let accepted = reason.is_none();
    match result {
        Handed::Block { height, reward } => json!({
            "event": "block", "height": height, "hash": hash, "reward": reward, "accepted": accepted, "reason": reason,
        }),
        Handed::Share { job, difficulty, is_block } => json!({
            "event": "share", "job": job, "hash": hash, "difficulty": difficulty, "is_block": is_block,
            "accepted": accepted, "reason": reason,
        }),
    }
}

/// How it goes, as an object.
pub(super) fn numbers(event: &str, numbers: &Numbers) -> Value {
    let temperature = luck::temperature(numbers.found, numbers.expected).map(|it| it.to_string());
    json!({
        "event": event, "seconds": numbers.seconds, "hashes": numbers.hashes,
        "hashes_per_second": numbers.hashes_per_second, "accepted": numbers.accepted, "blocks": numbers.blocks,
        "rejected": numbers.rejected, "stale": numbers.stale, "dropped": numbers.dropped,
        "unanswered": numbers.unanswered, "found": numbers.found, "expected": numbers.expected,
        "temperature": temperature, "difficulty": numbers.difficulty,
    })
}
