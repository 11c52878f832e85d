//! `console,check` blocks of the book: commands that are run, and outputs that are compared.
//!
//! A block looks like a terminal. A line that starts with `$ ` is a command for `sh`; the lines up to the next command are what it prints, standard error after standard output:
//!
//! ````text
//! ```console,check,exit=2
//! $ node inspect header zz
//! error: …
//! ```
//! ````
//!
//! - The block's last command must end with the exit code of the info string, 0 when it names none; the commands before it with 0.
//! - In an expected line, `…` stands for any text. A line that is `…` alone stands for any number of lines.
//! - Spaces at the end of a printed line are not compared.
//!
//! The commands run in the repository's root, with the built programs first on `PATH` and an empty folder as `HOME`, so `~/demo.wallet` is a file that vanishes.

use crate::markdown::Fence;

/// What stands for any text.
const ANYTHING: &str = "…";

/// A command and what it prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The line after `$ `.
    pub command: String,
    /// The expected lines.
    pub output: Vec<String>,
    /// The expected exit code.
    pub exit_code: i32,
}

/// Whether a block is one that is run.
pub fn is_checked(fence: &Fence) -> bool {
    is_console(fence) && fence.info.split(',').any(|word| word == "check")
}

/// Whether a block shows a terminal.
pub fn is_console(fence: &Fence) -> bool {
    fence.info.split(',').next() == Some("console")
}

/// The commands of a block, in order.
///
/// # Panics
/// When the block does not start with a command, or its exit code is no number.
pub fn steps(fence: &Fence) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for line in &fence.lines {
        if let Some(command) = line.strip_prefix("$ ") {
            steps.push(Step { command: command.to_owned(), output: Vec::new(), exit_code: 0 });
        } else {
            let step = steps.last_mut().expect("a console block starts with a command");
            step.output.push(line.clone());
        }
    }
    if let (Some(last), Some(code)) = (steps.last_mut(), exit_code(fence)) {
        last.exit_code = code;
    }
    steps
}

fn exit_code(fence: &Fence) -> Option<i32> {
    let word = fence.info.split(',').find_map(|word| word.strip_prefix("exit="))?;
    Some(word.parse().expect("exit= is followed by a number"))
}

/// Whether the printed lines are the expected ones.
pub fn matches(expected: &[String], printed: &[String]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first.trim() == ANYTHING => {
            (0..=printed.len()).any(|skipped| matches(rest, &printed[skipped..]))
        }
        Some((first, rest)) => {
            printed.split_first().is_some_and(|(line, others)| line_matches(first, line) && matches(rest, others))
        }
    }
}

fn line_matches(expected: &str, printed: &str) -> bool {
    let printed = printed.trim_end();
    let mut parts = expected.trim_end().split(ANYTHING);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = printed.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}
