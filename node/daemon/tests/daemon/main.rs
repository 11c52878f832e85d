//! The real program, started as a process, asked by its own interfaces.

#![allow(clippy::unwrap_used, reason = "helpers of tests stop a test as the tests themselves do")]

mod common;
mod http;
mod inspect;
mod kill;
mod methods;
mod network;
mod peers;
mod process;
mod stratum;
mod stratum_miner;
mod template;
mod websocket;
