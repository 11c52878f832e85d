//! What a node says to wallets, miners and people: JSON-RPC 2.0 with Bitcoin Core's method names, field names and
//! error codes, the schema of chain events, and a blocking client.
//!
//! Amounts are integers of notches and fee rates integers of notches per 1,000 bytes, here as everywhere in `--json`;
//! this is the one deliberate difference from Core, whose amounts are decimal numbers of coins.
//!
//! This crate **forbids** knowledge of a node: it names shapes, and takes or gives only bytes and types. It holds no
//! server, no chain state and no threads; only the `client` feature (on by default) opens sockets and reads a file
//! (the cookie).
//!
//! | file | what it holds |
//! |---|---|
//! | `jsonrpc` | requests, responses, batches; versions 1.0, 1.1 and 2.0 |
//! | `error` | [`RpcError`](error::RpcError) and Core's codes |
//! | `methods` | the table of every method: name, parameters, one line of help |
//! | `arguments` | a request's parameters, by position or by name, as typed values |
//! | `auth` | the cookie, and the header of HTTP Basic |
//! | `fields` | how compact targets and targets are written |
//! | `chain` | results about blocks and the coin set |
//! | `transaction` | results about transactions |
//! | `mempool` | results about waiting transactions |
//! | `network` | results about peers |
//! | `mining` | results about mining, and the block template |
//! | `stratum` | results about the Stratum server |
//! | `address` | results about addresses, and what wallets ask |
//! | `events` | the subscription and its notifications |
//! | `client` | the blocking client |

pub mod address;
pub mod arguments;
pub mod auth;
pub mod chain;
#[cfg(feature = "client")]
pub mod client;
pub mod error;
pub mod events;
pub mod fields;
pub mod jsonrpc;
pub mod mempool;
pub mod methods;
pub mod mining;
pub mod network;
pub mod stratum;
pub mod transaction;

#[cfg(test)]
mod tests;
