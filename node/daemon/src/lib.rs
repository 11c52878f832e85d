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
//! | [`commands`] | one file a subcommand |
//! | [`store`] | flat files of blocks and undo, and the index derived from them |
//! | [`driver`] | the thread that owns the node, and the handle by which all others ask it |
//! | [`transport`] | TCP and Noise: listener, dialers, two tasks a connection |
//! | [`addresses`] | the address book on disk |
//! | [`lan`] | nodes of the same network on the LAN |
//! | [`rpc`] | JSON-RPC over HTTP and WebSocket, a file an area |
//! | [`web`] | /health for load balancers |
//! | [`mine`] | the node's own miner |
//! | [`stratum`] | the Stratum server: miners connect here |
//! | [`logging`], [`progress`], [`private_file`], [`clock`], [`error`] | logs, progress bars, cookie and node file, the wall clock, how commands fail |

pub mod addresses;
pub mod args;
pub mod clock;
pub mod commands;
pub mod config;
pub mod driver;
pub mod error;
pub mod lan;
pub mod logging;
pub mod mine;
pub mod private_file;
pub mod progress;
pub mod rpc;
pub mod store;
pub mod stratum;
pub mod transport;
pub mod web;
