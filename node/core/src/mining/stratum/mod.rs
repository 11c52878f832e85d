//! Stratum v1: miners connect to the node, are given work, and send what they find.
//!
//! The protocol is lines of JSON, as the miners of the field speak it (no standard; BIP 310 for version rolling). A
//! [`Session`] is one connection, without sockets or a clock; a [`Gate`] says who may connect. Blocks pay the address that a
//! miner gives as its user name: this is no pool, shares only show who works how fast.
//!
//! | file | what |
//! |---|---|
//! | [`session`] | [`Session`]: lines, work and time in; lines, blocks and the end out |
//! | [`gate`] | [`Gate`]: limits on connections, and their extranonce1 |
//! | [`work`] | [`Work`]: a template, prepared for all connections |
//! | [`job`] | [`job::Job`]: one connection's share of it; shares are judged here |
//! | [`difficulty`], [`vardiff`], [`meter`] | difficulty and targets; variable difficulty; hash rates |
//! | [`user`] | user names: who is paid |
//! | [`lines`], [`message`], [`error`] | bytes to lines, lines to requests, refusals and their codes |
//! | [`bucket`], [`limits`] | allowances; every limit |

pub mod bucket;
pub mod difficulty;
pub mod error;
pub mod gate;
pub mod job;
pub mod limits;
pub mod lines;
pub mod message;
pub mod meter;
pub mod session;
pub mod user;
pub mod vardiff;
pub mod work;

pub use gate::Gate;
pub use session::{Output, Session, Settings};
pub use work::Work;
