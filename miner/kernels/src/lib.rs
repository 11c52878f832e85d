//! Hashing for proof of work: the kernels that try nonces, and the engine that keeps all cores busy with them.
//!
//! What it forbids itself: it knows no block, no transaction and no network, only 80-byte headers and 32-byte
//! targets (so it needs nothing of ours and any miner can use it), and it opens no file and no socket.
//!
//! - [`sha256`]: constants and the portable compression function
//! - [`prepared`]: everything about a header that does not depend on its nonce, computed once
//! - [`kernel`]: the [`Kernel`] trait and the registry; the choice is made at run time
//!   - [`scalar`]: portable, with every saving that needs no special instruction
//!   - [`sha2_crate`]: the sha2 crate's compression function, with the midstate kept
//! - [`work`]: what is to be hashed: [`Work`], [`Job`], [`CoinbaseWork`]
//! - [`engine`]: threads, extra nonces, switching of jobs, rate limit, pause, counters
//!   - `engine/space`: in which order extra nonces, versions and nonces are tried
//!   - [`engine::limiter`]: the rate limit as a pure state machine
//!
//! A further instruction set is one more file beside `scalar` and one more line in [`kernel::all`].

pub mod engine;
pub mod kernel;
pub mod prepared;
pub mod scalar;
pub mod sha256;
pub mod sha2_crate;
pub mod work;

pub use engine::{Engine, EngineConfig, EngineError, Found};
pub use kernel::Kernel;
pub use prepared::{Hit, Prepared};
pub use work::{BIP_320_MASK, CoinbaseWork, Job, Report, Work};
