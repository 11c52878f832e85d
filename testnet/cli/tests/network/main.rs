//! `testnet` with the real programs: real nodes that mine, real wallets that pay, real signals.

mod crash;
mod errors;
mod lifecycle;
mod miners;
mod partition;
mod payment;
mod support;
