//! The consensus rules of Tallystick: what makes a header, a transaction or a block valid.
//!
//! **What it is.** Pure functions: facts in, verdict out. Every rule of the catalogue has an ID ([`RuleId`]), one
//! `check_*` function whose documentation starts with that ID, one variant of [`RuleError`], and tests named after it
//! (`hdr_01_refuses_…`, `hdr_01_accepts_…`). `tests/catalogue.rs` proves that these sets, and the rule catalogue of the
//! book, are the same.
//!
//! **What it forbids.** State, input and output, a clock, randomness (see `clippy.toml`), floating point (the lint
//! below). A rule that needs the time, the parent or the coins gets them as arguments; whoever calls it (the chain, the
//! mempool, a test) looks them up.
//!
//! **Map.** A file for each context a rule needs:
//! - [`header`]: HDR-01 to HDR-07, with what the chain knows about the header's parent
//! - [`transaction`]: TX-01 to TX-04, a transaction in isolation
//! - [`block`]: BLK-01 to BLK-06, a block in isolation (and what its coinbase may claim)
//! - [`inputs`]: IN-01 to IN-07, a transaction with the coins it spends
//! - [`subsidy`]: how many new notches a block may create
//! - [`difficulty`]: ASERT, the target of the next block
//! - [`error`]: [`RuleError`] and [`RuleId`], the catalogue

#![deny(clippy::float_arithmetic)]

pub mod block;
pub mod difficulty;
pub mod error;
pub mod header;
pub mod inputs;
pub mod subsidy;
pub mod transaction;

pub use error::{RuleError, RuleId};
