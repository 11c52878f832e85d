//! Relay policy: what this node keeps and forwards. Every limit here is a node's own choice, none is consensus.

use tally_primitives::units::{Amount, FeeRate};

/// What a node keeps and forwards, beyond what is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayPolicy {
    /// The least fee rate.
    pub min_fee_rate: FeeRate,
    /// What a replacement pays on top for its own bytes, and how far the minimum rises above what was evicted.
    pub incremental_fee_rate: FeeRate,
    /// Bound on the memory of all entries, in bytes.
    pub max_bytes: usize,
    /// Most unconfirmed ancestors of a transaction, itself included.
    pub max_ancestors: usize,
    /// Most descendants of a transaction, itself included.
    pub max_descendants: usize,
    /// Most transactions that one replacement may throw out.
    pub max_replaced: usize,
    /// Largest transaction, in encoded bytes.
    pub max_transaction_size: usize,
    /// Least value of an output: below it, spending costs more than it brings.
    pub min_output_value: Amount,
    /// How long a transaction may wait, in milliseconds.
    pub expiry_millis: u64,
}

impl Default for RelayPolicy {
    fn default() -> Self {
        Self {
            min_fee_rate: FeeRate::from_notches_per_byte(1),
            incremental_fee_rate: FeeRate::from_notches_per_byte(1),
            max_bytes: 300_000_000,
            max_ancestors: 25,
            max_descendants: 25,
            max_replaced: 100,
            max_transaction_size: 100_000,
            min_output_value: Amount::from_notches(300),
            expiry_millis: 14 * 24 * 60 * 60 * 1000,
        }
    }
}
