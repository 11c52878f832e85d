//! The node as one state machine: chain state, mempool, block templates and the peer protocol.
//!
//! **Forbids** tokio, sockets, files, the wall clock, unseeded randomness and the iteration order of hash maps (see
//! `Cargo.toml` and `clippy.toml`). Time comes in as an argument, randomness as a seed, data through
//! [`chain::store::ChainStore`]; what is to be stored leaves as [`chain::store::ChangeSet`]s. So the daemon and the
//! simulator run the identical code, and a run can be repeated from its seed.
//!
//! # Map
//!
//! | file | what |
//! |---|---|
//! | [`chain`] | [`chain::Chain`]: headers and blocks in, the active chain and its coins out |
//! | [`chain::store`] | the store's trait, and the change sets that go to it |
//! | [`chain::memory`] | a store in memory |
//! | [`chain::index`] | every known header, its work and its standing |
//! | [`chain::coins`] | the coins cache over the store |
//! | [`mempool`] | [`mempool::Mempool`]: unconfirmed transactions, relay policy, replacement, eviction |
//! | [`mempool::estimate`] | fee estimation from confirmations seen |
//! | [`mining`] | [`mining::BlockTemplate`]: the block to mine next |
//! | [`mining::stratum`] | [`mining::stratum::Session`]: a Stratum v1 connection |
//! | [`node`] | [`node::Node`]: the state machine that its driver calls, and what it wants done outside |
//! | [`net`] | the peer protocol, one file a concern |
//! | [`random`] | seeded random numbers |
//! | [`event`] | what the node tells its surroundings |
//! | [`testing`] | trivial blocks, keys and payments for tests (feature `testing`) |

pub mod chain;
pub mod event;
pub mod mempool;
pub mod mining;
pub mod net;
pub mod node;
pub mod random;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
