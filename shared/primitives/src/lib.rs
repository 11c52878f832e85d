//! What every Tallystick program agrees on: units, hashes, the encoding, transactions, blocks, proof of
//! work, keys, spending policies, addresses and networks.
//!
//! **Forbids** I/O, clocks and randomness (see `clippy.toml`): every function here is a function of its arguments.
//!
//! # Map
//!
//! | file | what |
//! |---|---|
//! | [`units`] | [`units::Amount`], [`units::Height`], [`units::FeeRate`], [`units::Timestamp`] |
//! | [`hash`] | block, transaction and lock hashes; SHA-256, SHA-256d, tagged hashes |
//! | [`encode`] | the one binary encoding, with limits |
//! | [`transaction`] | outpoints, inputs, outputs, transactions, coins; txid, wtxid, signature hash |
//! | [`block`] | the 80-byte header and the block |
//! | [`merkle`] | Merkle root, mutation check, proofs |
//! | [`pow`] | compact targets, targets, work |
//! | [`keys`] | BIP 340 keys and signatures |
//! | [`spending`] | spending policies and witnesses |
//! | [`address`] | bech32m addresses |
//! | [`params`] | networks and network files |

pub mod address;
pub mod block;
pub mod encode;
pub mod hash;
pub mod keys;
pub mod merkle;
pub mod params;
pub mod pow;
pub mod spending;
pub mod transaction;
pub mod units;
