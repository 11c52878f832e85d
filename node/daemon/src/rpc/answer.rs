//! Errors of the node and of the store as answers, with Bitcoin Core's codes.

use serde::Serialize;
use serde_json::{Value, json};
use tally_node_core::chain::ChainError;
use tally_node_core::chain::store::StoreError;
use tally_node_core::mempool::MempoolError;
use tally_rpc::error::{
    DATABASE_ERROR, DESERIALIZATION_ERROR, OUT_OF_MEMORY, RpcError, VERIFY_ALREADY_IN_CHAIN, VERIFY_ERROR,
    VERIFY_REJECTED,
};

use crate::driver::Stopped;
use crate::store::query::QueryError;

/// A result as JSON.
pub(super) fn json_of(result: &impl Serialize) -> Result<Value, RpcError> {
    serde_json::to_value(result).map_err(|error| RpcError::internal(error.to_string()))
}

pub(super) fn stopped(_: Stopped) -> RpcError {
    RpcError::internal("the node stops")
}

pub(super) fn store_error(error: StoreError) -> RpcError {
    RpcError::new(DATABASE_ERROR, error.to_string())
}

pub(super) fn query_error(error: QueryError) -> RpcError {
    match error {
        QueryError::Store(error) => store_error(error),
        QueryError::TooMany { max } => RpcError::new(OUT_OF_MEMORY, format!("the answer has more than {max} entries")),
    }
}

pub(super) fn undecodable(what: &str, error: impl std::fmt::Display) -> RpcError {
    RpcError::new(DESERIALIZATION_ERROR, format!("{what} does not decode: {error}"))
}

pub(super) fn unknown_block(hash: impl std::fmt::Display) -> RpcError {
    RpcError::not_found(format!("no block {hash} is known"))
}

/// A failure of the chain where the request was about a block.
pub(super) fn chain_error(error: &ChainError) -> RpcError {
    match error {
        ChainError::UnknownBlock { hash } => unknown_block(hash),
        ChainError::GenesisIsValid => RpcError::invalid_parameter(error.to_string()),
        ChainError::Store(_) | ChainError::Inconsistent { .. } | ChainError::WrongGenesis { .. } => {
            RpcError::new(DATABASE_ERROR, error.to_string())
        }
        _ => with_rule(RpcError::new(VERIFY_REJECTED, error.to_string()), error.rule_id()),
    }
}

/// Why the mempool refuses a transaction.
pub(super) fn mempool_error(error: &MempoolError) -> RpcError {
    let text = error.to_string();
    match error {
        MempoolError::MissingInputs { .. } => RpcError::new(VERIFY_ERROR, text),
        MempoolError::AlreadyConfirmed { .. } => RpcError::new(VERIFY_ALREADY_IN_CHAIN, text),
        MempoolError::Chain(error) => chain_error(error),
        MempoolError::Rule(error) | MempoolError::NotFinal { error } => {
            with_rule(RpcError::new(VERIFY_REJECTED, text), Some(error.rule_id()))
        }
        _ => RpcError::new(VERIFY_REJECTED, text),
    }
}

fn with_rule(error: RpcError, rule: Option<impl std::fmt::Display>) -> RpcError {
    match rule {
        Some(rule) => error.with_data(json!({ "rule": rule.to_string() })),
        None => error,
    }
}
