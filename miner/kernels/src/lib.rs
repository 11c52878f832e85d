//! Hashing for proof of work: the kernels that try nonces, and the engine that keeps all cores busy with them.
//!
//! What it forbids itself: it knows no block, no transaction and no network, only 80-byte headers and 32-byte
//! targets (so it needs nothing of ours and any miner can use it), and it opens no file and no socket.
//!
//! - [`sha256`]: constants and the portable compression function
//! - [`prepared`]: everything about a header that does not depend on its nonce, computed once
//!   - `start`: the same further on: what no nonce changes in the compression of the second block
//! - [`kernel`]: the [`Kernel`] trait and the registry; the choice is made at run time
//!   - [`calibration`]: the choice, by measuring for a moment
//!   - `double_hash`: the double hash with every saving, as a macro over a kernel's operations
//!   - `candidates`: from a kernel's candidates to hits
//!   - [`scalar`]: portable: one nonce at a time
//!   - [`sha2_crate`]: the sha2 crate's compression function, with the midstate kept: the yardstick
//!   - `avx2`, `avx512`: eight and sixteen nonces in a vector (x86-64)
//!   - `sha_ni`, `aarch64`: the SHA-256 instructions of x86-64 and of ARM
//! - [`work`]: what is to be hashed: [`Work`], [`Job`], [`CoinbaseWork`]
//! - [`engine`]: threads, extra nonces, switching of jobs, rate limit, pause, counters
//!   - `engine/space`: in which order extra nonces, versions and nonces are tried
//!   - [`engine::limiter`]: the rate limit as a pure state machine
//!
//! A further instruction set is one more file beside `scalar` and one more line in [`kernel::all`]. Only these files are `unsafe`,
//! in two ways: calling a function that is compiled for instructions which not every processor has (after asking whether this
//! one has them), and reading memory into vectors.

#[macro_use]
mod double_hash;

#[cfg(target_arch = "aarch64")]
pub mod aarch64;
#[cfg(target_arch = "x86_64")]
pub mod avx2;
#[cfg(target_arch = "x86_64")]
pub mod avx512;
pub mod calibration;
mod candidates;
pub mod engine;
pub mod kernel;
pub mod prepared;
pub mod scalar;
pub mod sha256;
pub mod sha2_crate;
#[cfg(target_arch = "x86_64")]
pub mod sha_ni;
mod start;
pub mod work;

pub use engine::{Engine, EngineConfig, EngineError, Found};
pub use kernel::Kernel;
pub use prepared::{Hit, Prepared};
pub use work::{BIP_320_MASK, CoinbaseWork, Job, Report, Work};
