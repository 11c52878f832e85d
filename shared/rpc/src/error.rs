//! Errors as a node answers them. Codes are Bitcoin Core's (`src/rpc/protocol.h`), so that what is known about them
//! elsewhere holds here.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The body is not JSON.
pub const PARSE_ERROR: i32 = -32700;
/// The body is JSON, but no request; or a batch that is empty or too long.
pub const INVALID_REQUEST: i32 = -32600;
/// There is no such method.
pub const METHOD_NOT_FOUND: i32 = -32601;
/// A parameter is missing, is one too many, or has a name that the method does not know.
pub const INVALID_PARAMS: i32 = -32602;
/// Something went wrong in the node itself.
pub const INTERNAL_ERROR: i32 = -32603;

/// A general failure; the message says which.
pub const MISC_ERROR: i32 = -1;
/// A parameter has the wrong JSON type.
pub const TYPE_ERROR: i32 = -3;
/// An address or key is not valid; also: no such block, transaction or mempool entry.
pub const INVALID_ADDRESS_OR_KEY: i32 = -5;
/// The node is out of memory or of an allowance.
pub const OUT_OF_MEMORY: i32 = -7;
/// A parameter is out of range, or makes no sense.
pub const INVALID_PARAMETER: i32 = -8;
/// There are no peers, and the method needs some.
pub const CLIENT_NOT_CONNECTED: i32 = -9;
/// The node still downloads the chain.
pub const CLIENT_IN_INITIAL_DOWNLOAD: i32 = -10;
/// `addnode add`: the node is in the list already; also `setban add` of a banned peer.
pub const CLIENT_NODE_ALREADY_ADDED: i32 = -23;
/// `addnode remove`: the node is not in the list.
pub const CLIENT_NODE_NOT_ADDED: i32 = -24;
/// `disconnectnode`: no such peer is connected.
pub const CLIENT_NODE_NOT_CONNECTED: i32 = -29;
/// `setban`: not an address, or not banned.
pub const CLIENT_INVALID_IP_OR_SUBNET: i32 = -30;
/// The store failed.
pub const DATABASE_ERROR: i32 = -20;
/// Bytes or text do not decode as what was asked for.
pub const DESERIALIZATION_ERROR: i32 = -22;
/// The transaction or block cannot be checked: inputs are missing or spent.
pub const VERIFY_ERROR: i32 = -25;
/// The transaction or block breaks a rule of consensus or of relay.
pub const VERIFY_REJECTED: i32 = -26;
/// The transaction is in the chain already.
pub const VERIFY_ALREADY_IN_CHAIN: i32 = -27;
/// The node starts, and cannot answer yet.
pub const IN_WARMUP: i32 = -28;

/// An error answer. `data` is optional detail for programs; the message alone is enough for people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("{message} (code {code})")]
pub struct RpcError {
    /// One of the constants of this module.
    pub code: i32,
    /// One line: what was wrong.
    pub message: String,
    /// Detail for programs, e.g. `{"rule": "TX-03"}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Value>,
}

impl RpcError {
    /// An error with a code of this module and one line of text.
    pub fn new(code: i32, message: impl Into<String>) -> RpcError {
        RpcError { code, message: message.into(), data: None }
    }

    /// The same error with detail for programs.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> RpcError {
        self.data = Some(data);
        self
    }

    /// There is no method of this name.
    pub fn method_not_found(method: &str) -> RpcError {
        RpcError::new(METHOD_NOT_FOUND, format!("no method {method:?}; `help` lists them"))
    }

    /// A parameter is out of range or makes no sense (-8).
    pub fn invalid_parameter(message: impl Into<String>) -> RpcError {
        RpcError::new(INVALID_PARAMETER, message)
    }

    /// No such block, transaction or mempool entry, or a bad address (-5).
    pub fn not_found(message: impl Into<String>) -> RpcError {
        RpcError::new(INVALID_ADDRESS_OR_KEY, message)
    }

    /// Something went wrong in the node (-32603).
    pub fn internal(message: impl Into<String>) -> RpcError {
        RpcError::new(INTERNAL_ERROR, message)
    }
}
