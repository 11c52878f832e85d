//! `node inspect`: what is given, decoded, every field as JSON. Nothing here needs a node, a network or a disk.

mod headers;
mod next_bits;
mod parts;

use std::io::Read;

use serde::de::DeserializeOwned;
use tally_primitives::address::Address;
use tally_primitives::block::{Block, Header, MAX_BLOCK_SIZE};
use tally_primitives::encode;
use tally_primitives::spending::SpendingPolicy;
use tally_primitives::transaction::Transaction;

use super::print_json;
use crate::args::InspectCommand;
use crate::error::CommandError;

/// More bytes of a policy than the limits on it allow to be valid, so that one beyond them can be shown.
const MAX_POLICY_BYTES: usize = 100_000;

/// Runs `node inspect`.
///
/// # Errors
/// If what is given does not decode.
pub fn run(what: &InspectCommand) -> Result<(), CommandError> {
    match what {
        InspectCommand::Header { hex } => {
            let header: Header = decode("header", hex, Header::SIZE)?;
            print_json(&parts::HeaderParts::of(&header))
        }
        InspectCommand::Block { hex } => {
            let block: Block = decode("block", hex, MAX_BLOCK_SIZE)?;
            print_json(&parts::BlockParts::of(&block))
        }
        InspectCommand::Transaction { hex } => {
            let transaction: Transaction = decode("transaction", hex, MAX_BLOCK_SIZE)?;
            print_json(&parts::TransactionParts::of(&transaction))
        }
        InspectCommand::Policy { hex } => {
            let policy: SpendingPolicy = decode("policy", hex, MAX_POLICY_BYTES)?;
            print_json(&parts::PolicyParts::of(&policy))
        }
        InspectCommand::Address { address } => {
            let address: Address = address.trim().parse().map_err(CommandError::usage)?;
            print_json(&parts::AddressParts::of(&address))
        }
        InspectCommand::Headers { file } => headers::run(file),
        InspectCommand::NextBits(args) => next_bits::run(args),
    }
}

/// Decodes hex; `-` reads it from standard input.
fn decode<T: DeserializeOwned>(what: &str, hex: &str, max_bytes: usize) -> Result<T, CommandError> {
    let mut input = String::new();
    let text = if hex == "-" {
        // Two digits a byte, and room for the line's end.
        let limit = max_bytes as u64 * 2 + 16;
        std::io::stdin()
            .take(limit)
            .read_to_string(&mut input)
            .map_err(|error| CommandError::usage(format!("cannot read standard input: {error}")))?;
        input.trim()
    } else {
        hex.trim()
    };
    encode::decode_hex(text, max_bytes).map_err(|error| CommandError::usage(format!("this is no {what}: {error}")))
}
