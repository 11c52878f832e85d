//! How a command fails: one line, at most one hint, and the exit code that scripts rely on.

use std::fmt::Display;

/// Exit codes of all Tallystick programs.
pub mod exit_code {
    /// Anything that has no code of its own.
    pub const FAILURE: u8 = 1;
    /// The command line, a configuration file or an input was wrong.
    pub const USAGE: u8 = 2;
    /// The node refused what it was asked for.
    pub const REFUSED: u8 = 4;
    /// No node answers.
    pub const UNREACHABLE: u8 = 5;
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct CommandError {
    /// What was wrong, in one line.
    pub message: String,
    /// What to do about it, in one line.
    pub hint: Option<String>,
    /// One of [`exit_code`].
    pub code: u8,
}

impl CommandError {
    /// A failure without a code of its own.
    pub fn failure(message: impl Display) -> Self {
        Self::new(exit_code::FAILURE, message)
    }

    /// A wrong command line, configuration or input.
    pub fn usage(message: impl Display) -> Self {
        Self::new(exit_code::USAGE, message)
    }

    /// A failure with a code of [`exit_code`].
    pub fn new(code: u8, message: impl Display) -> Self {
        Self { message: one_line(&message.to_string()), hint: None, code }
    }

    /// The same with a hint.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Display) -> Self {
        self.hint = Some(one_line(&hint.to_string()));
        self
    }
}

fn one_line(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
