//! Helpers of the tests that keep the book and the house rules true.
//!
//! The book itself is `docs/src` (mdBook); this crate builds no part of it. Its tests read the repository as text and run the built programs:
//! `tests/tidy.rs` holds the style of HOUSE as assertions, `tests/book.rs` compares the book with the programs.
//!
//! What it forbids: being imported. It is a leaf that reads everything and that nothing depends on.
//!
//! | module | what is in it |
//! |---|---|
//! | [`workspace`] | the root of the repository, its text files, its crates |
//! | [`manifest`] | what a crate's `Cargo.toml` says: edges, and whether versions come from the workspace |
//! | [`rust`] | Rust source with comments and literals blanked out |
//! | [`markdown`] | fences, links, headings and inline code of a page |
//! | [`console`] | `console,check` blocks: commands, the expected output, and how it is compared |
//! | [`programs`] | the built programs, and everything their `--help` mentions |

pub mod console;
pub mod manifest;
pub mod markdown;
pub mod programs;
pub mod rust;
pub mod workspace;
