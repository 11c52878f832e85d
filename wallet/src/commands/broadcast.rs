//! `wallet broadcast`: hands a finished transaction to the network.

use std::io::{self, Read};
use std::path::PathBuf;

use serde::Serialize;
use tally_primitives::encode;
use tally_primitives::hash::Txid;
use tally_primitives::transaction::{MAX_ENCODED_SIZE, Transaction};
use tally_rpc::error::VERIFY_ALREADY_IN_CHAIN;

use super::Report;
use crate::args::Broadcast;
use crate::context::{Context, ContextError};
use crate::error::WalletError;
use crate::file::{Closed, FileError};
use crate::nodes::{Nodes, NodesError};

/// A transaction that a node has taken.
#[derive(Serialize)]
pub(super) struct Sent {
    txid: Txid,
}

pub(super) fn run(context: &Context, options: &Broadcast) -> Result<Sent, WalletError> {
    let hex = match options.transaction.as_str() {
        "-" => read_standard_input()?,
        hex => hex.to_owned(),
    };
    let transaction: Transaction =
        encode::decode_hex(hex.trim(), MAX_ENCODED_SIZE).map_err(|source| WalletError::Transaction { source })?;
    // Only the network matters here: no passphrase is asked, and any wallet or none will do.
    let recorded = match Closed::read(&context.wallet) {
        Ok(closed) => Some(closed.mark().clone()),
        Err(FileError::Missing { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut nodes = context.nodes(&context.params(recorded.as_ref())?)?;
    Ok(Sent { txid: submit(&mut nodes, &transaction)? })
}

/// Hands a transaction to a node. That the chain has it already is as good: after a connection broke, nobody knows
/// whether the node took it.
pub(super) fn submit(nodes: &mut Nodes, transaction: &Transaction) -> Result<Txid, NodesError> {
    let hex = hex::encode(encode::encode(transaction));
    match nodes.ask(|node| node.send_raw_transaction(&hex)) {
        Err(NodesError::Refused { source, .. }) if source.code == VERIFY_ALREADY_IN_CHAIN => Ok(transaction.txid()),
        result => result,
    }
}

fn read_standard_input() -> Result<String, WalletError> {
    let mut text = String::new();
    let limit = 2 * MAX_ENCODED_SIZE as u64 + 16;
    io::stdin()
        .lock()
        .take(limit)
        .read_to_string(&mut text)
        .map_err(|source| ContextError::Unreadable { path: PathBuf::from("-"), source })?;
    Ok(text)
}

impl Report for Sent {
    fn text(&self) -> String {
        self.txid.to_string()
    }
}
