//! The miner: takes work from a node, hashes it on all cores, hands in what it finds, and says how it goes.
//!
//! What it forbids itself: it holds no chain and checks no rule, for the node does; it keeps no file, since all it knows
//! is on its command line. It never imports the node.
//!
//! - `cli`: the command line
//! - `commands`: a file a subcommand: `run`, `bench`, `kernels`, `completions`
//! - [`source`]: where work comes from ([`source::WorkSource`]), and what it says
//! - [`getblocktemplate`]: work from nodes over JSON-RPC: jobs, handing in blocks
//!   - `getblocktemplate/poller`: long poll and fail-over
//!   - [`nodes`]: the nodes in turn, and the pauses between attempts
//! - [`stratum`]: work from pools over Stratum v1
//! - [`block_job`]: a template with our coinbase, as work for the engine, and back into a block
//! - [`session`]: the loop between engine and source
//!   - [`gate`]: keeps results from filling a queue that others need
//!   - [`luck`]: rate, and how many blocks were to be expected
//! - [`report`]: what people and programs read of it
//! - [`benchmark`]: measures kernels in turns, by the wall and by CPU time
//! - [`error`]: what can go wrong, with exit codes

pub mod benchmark;
pub mod block_job;
pub mod cli;
pub mod commands;
pub mod error;
pub mod gate;
pub mod getblocktemplate;
pub mod luck;
pub mod nodes;
pub mod report;
pub mod session;
pub mod source;
pub mod stratum;
