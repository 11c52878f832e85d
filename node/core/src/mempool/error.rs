//! Why the mempool refuses a transaction.

use tally_consensus::error::RuleError;
use tally_primitives::hash::Txid;
use tally_primitives::spending::SpendError;
use tally_primitives::transaction::OutPoint;
use tally_primitives::units::{Amount, FeeRate};

use crate::chain::ChainError;

/// Why the mempool refuses a transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MempoolError {
    /// It breaks a consensus rule, whatever the chain: nobody honest sends this.
    #[error(transparent)]
    Rule(RuleError),
    /// It would break a consensus rule in the next block, but not in a later one: an immature coin or a time lock.
    #[error("too early: {error}")]
    NotFinal {
        /// The rule, and by how much.
        error: RuleError,
    },
    /// Coins that are neither on the chain nor in the mempool: spent already, or their transaction has yet to come.
    #[error("{} of its inputs are missing or spent, the first is {}", missing.len(), shown_first(missing))]
    MissingInputs {
        /// The coins, in the order of the inputs.
        missing: Vec<OutPoint>,
    },
    /// It is here already, perhaps with another witness.
    #[error("transaction {txid} is already in the mempool")]
    AlreadyInMempool {
        /// Its id.
        txid: Txid,
    },
    /// A block of the active chain holds it.
    #[error("transaction {txid} is already confirmed")]
    AlreadyConfirmed {
        /// Its id.
        txid: Txid,
    },
    /// A version that has no meaning yet.
    #[error("transaction version {version} is not relayed")]
    UnknownVersion {
        /// The version.
        version: u32,
    },
    /// Larger than this node forwards.
    #[error("the transaction has {size} bytes, this node relays at most {max}")]
    TooLarge {
        /// Encoded size in bytes.
        size: usize,
        /// The limit.
        max: usize,
    },
    /// An output not worth spending.
    #[error("output {index} of {} notches is dust: at least {} are relayed", value.to_notches(), min.to_notches())]
    Dust {
        /// The output's index.
        index: usize,
        /// Its value.
        value: Amount,
        /// The least value relayed.
        min: Amount,
    },
    /// The fee is below the minimum that the mempool asks for now.
    #[error("the fee of {} notches is too low: {} are needed for {size} bytes", fee.to_notches(), needed.to_notches())]
    FeeTooLow {
        /// The fee.
        fee: Amount,
        /// The least fee accepted.
        needed: Amount,
        /// Encoded size in bytes.
        size: usize,
    },
    /// Too many unconfirmed ancestors.
    #[error("it would have {count} unconfirmed ancestors (itself included), at most {max} are allowed")]
    TooManyAncestors {
        /// Their number, the transaction included.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// An ancestor has too many descendants.
    #[error("its ancestor {ancestor} would have {count} descendants (itself included), at most {max} are allowed")]
    TooManyDescendants {
        /// The ancestor.
        ancestor: Txid,
        /// Their number, the ancestor included.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// It conflicts with transactions here and does not pay enough to replace them.
    #[error("to replace {conflict} it must pay {} notches, it pays {}", needed.to_notches(), fee.to_notches())]
    ReplacementTooCheap {
        /// A transaction that spends the same coin.
        conflict: Txid,
        /// The fee.
        fee: Amount,
        /// The least fee accepted.
        needed: Amount,
    },
    /// It would throw out too many transactions.
    #[error("it would replace {count} transactions, at most {max} are allowed")]
    ReplacesTooMany {
        /// Their number.
        count: usize,
        /// The limit.
        max: usize,
    },
    /// It spends an output of a transaction that it conflicts with.
    #[error("it spends an output of {conflict}, which it would replace")]
    SpendsReplaced {
        /// The transaction.
        conflict: Txid,
    },
    /// The mempool is full of transactions that pay more.
    #[error("the mempool is full: the minimum is now {min_fee_rate}")]
    Full {
        /// The least fee rate now.
        min_fee_rate: FeeRate,
    },
    /// The chain could not answer.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl MempoolError {
    /// Whether the transaction may stand in a block for all we know: this node's own limits are against it, or it is early.
    pub fn is_relay_policy(&self) -> bool {
        !matches!(
            self,
            Self::Rule(_)
                | Self::MissingInputs { .. }
                | Self::AlreadyInMempool { .. }
                | Self::AlreadyConfirmed { .. }
                | Self::Chain(_)
        )
    }

    /// Whether a peer that sent this transaction cannot be honest.
    pub fn is_violation(&self) -> bool {
        matches!(self, Self::Rule(_))
    }
}

impl From<RuleError> for MempoolError {
    fn from(error: RuleError) -> Self {
        let only_early = matches!(
            error,
            RuleError::ImmatureCoinbase { .. }
                | RuleError::PolicyNotSatisfied {
                    source: SpendError::TooEarly { .. } | SpendError::TooYoung { .. },
                    ..
                }
        );
        if only_early { Self::NotFinal { error } } else { Self::Rule(error) }
    }
}

fn shown_first(missing: &[OutPoint]) -> String {
    missing.first().map_or_else(String::new, ToString::to_string)
}
