//! The production shell around the node core: sockets, disk, JSON-RPC, the command line; binary `node`.
//!
//! The core decides, this crate carries: **it forbids itself every decision about consensus, relay or peers**. Time and
//! randomness enter the core here, and what the core says leaves here. Nobody imports this crate.
//!
//! # Map
//!
//! | file | what |
//! |---|---|
//! | [`args`], [`config`] | the command line as written; the resolved configuration |
//! | [`store`] | flat files of blocks and undo, and the index derived from them |
//! | [`transport`] | TCP: listener, dialers, two tasks a connection |

pub mod args;
pub mod clock;
pub mod config;
pub mod error;
pub mod logging;
pub mod private_file;
pub mod progress;
pub mod store;
//pub mod transport;
