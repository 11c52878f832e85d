//! The real program against a node that the test plays: what it prints, what it sends, and how it fails.

// Helpers of tests may panic as tests do.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod files;
mod node;
mod nodes;
mod payments;
mod run;
