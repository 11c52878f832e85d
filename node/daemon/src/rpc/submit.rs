//! `submitblock`, and proposals: blocks in two forms, and verdicts in BIP 22's words.

use std::sync::Arc;

use serde_json::Value;
use tally_consensus::error::RuleId;
use tally_node_core::chain::store::BlockStatus;
use tally_node_core::chain::{BlockFate, Chain, ChainError};
use tally_primitives::block::{Block, Header, MAX_BLOCK_SIZE};
use tally_primitives::encode::{self, DecodeError};
use tally_rpc::arguments::Arguments;
use tally_rpc::error::RpcError;

use super::Context;
use super::answer::{chain_error, json_of, stopped, undecodable};

/// Bytes of our own count of transactions: a u64.
const COUNT_SIZE: usize = 8;

pub(super) async fn submitblock(context: &Context, arguments: &Arguments) -> Result<Value, RpcError> {
    let text: String = arguments.required("hexdata")?;
    let block = decode(&text).map_err(|error| undecodable("the block", error))?;
    let fate = context.node.submit_block(Arc::new(block)).await.map_err(stopped)?;
    json_of(&verdict(&fate)?)
}

/// Whether a block would do, but for its work: null, or why not.
pub(super) async fn propose(context: &Context, data: Option<&str>) -> Result<Value, RpcError> {
    let text = data.ok_or_else(|| RpcError::invalid_parameter("a proposal needs the block as \"data\""))?;
    let block = decode(text).map_err(|error| undecodable("the block", error))?;
    let judged = context.node.call(move |core, now| {
        let chain = core.node.chain();
        match known(chain, &block) {
            Some(word) => Ok(Some(word.to_owned())),
            None => refusal(chain.check_proposal(&block, now).err()),
        }
    });
    json_of(&judged.await.map_err(stopped)??)
}

/// What is to be said of a block that is known already, or that builds elsewhere.
fn known(chain: &Chain, block: &Block) -> Option<&'static str> {
    if let Some(entry) = chain.index().entry(&block.hash()) {
        return Some(match entry.status {
            _ if entry.is_invalid() => "duplicate-invalid",
            BlockStatus::Connected => "duplicate",
            _ => "duplicate-inconclusive",
        });
    }
    let parent = chain.index().entry(&block.header.prev_block);
    (parent.is_some() && block.header.prev_block != chain.tip().hash).then_some("stale-prevblk")
}

/// A block in the one encoding, or as Bitcoin's miners write it: header, count in Bitcoin's compact form, coinbase,
/// transactions. The two differ in the count alone.
fn decode(text: &str) -> Result<Block, DecodeError> {
    // Bitcoin's count is up to 7 bytes shorter.
    if text.len() / 2 > MAX_BLOCK_SIZE {
        return Err(DecodeError::TooLong { size: text.len() / 2, max: MAX_BLOCK_SIZE });
    }
    let bytes = hex::decode(text).map_err(|error| DecodeError::NotHex { reason: error.to_string() })?;
    encode::decode(&bytes, MAX_BLOCK_SIZE).or_else(|error| match with_own_count(&bytes) {
        Some(bytes) => encode::decode(&bytes, MAX_BLOCK_SIZE),
        None => Err(error),
    })
}

/// The same bytes with our own count; `None` if no compact count stands there.
fn with_own_count(bytes: &[u8]) -> Option<Vec<u8>> {
    let (header, rest) = bytes.split_at_checked(Header::SIZE)?;
    let (first, rest) = rest.split_first()?;
    let (count, size) = match first {
        0xfd => (u64::from(u16::from_le_bytes(*rest.first_chunk()?)), 2),
        0xfe => (u64::from(u32::from_le_bytes(*rest.first_chunk()?)), 4),
        0xff => (u64::from_le_bytes(*rest.first_chunk()?), 8),
        small => (u64::from(*small), 0),
    };
    let mut own = Vec::with_capacity(bytes.len() + COUNT_SIZE);
    own.extend_from_slice(header);
    own.extend_from_slice(&count.to_le_bytes());
    own.extend_from_slice(rest.get(size..)?);
    Some(own)
}

/// Null, or why not, as BIP 22 has it.
fn verdict(fate: &Result<BlockFate, ChainError>) -> Result<Option<String>, RpcError> {
    match fate {
        Ok(BlockFate::Duplicate) => Ok(Some("duplicate".to_owned())),
        Ok(BlockFate::Stored) => Ok(Some("inconclusive".to_owned())),
        Ok(_) => Ok(None),
        Err(error) => refusal(Some(error.clone())),
    }
}

/// BIP 22's word, and behind it the rule's ID and text.
fn refusal(error: Option<ChainError>) -> Result<Option<String>, RpcError> {
    let Some(error) = error else {
        return Ok(None);
    };
    match (&error, error.rule_id()) {
        (ChainError::KnownInvalid { .. }, _) => Ok(Some("duplicate-invalid".to_owned())),
        // A rule's text starts with its ID.
        (ChainError::Rule { error, .. }, Some(rule)) => Ok(Some(format!("{}: {error}", word(rule)))),
        (other, Some(rule)) => Ok(Some(format!("{}: {rule}: {other}", word(rule)))),
        (other, None) => Err(chain_error(other)),
    }
}

/// What BIP 22 (and where it has no word, Bitcoin Core) calls a block that breaks this rule.
fn word(rule: RuleId) -> &'static str {
    match rule {
        RuleId::Hdr01 => "high-hash",
        RuleId::Hdr02 | RuleId::Hdr03 => "bad-diffbits",
        RuleId::Hdr04 => "bad-prevblk",
        RuleId::Hdr05 => "time-too-old",
        RuleId::Hdr06 => "time-too-new",
        RuleId::Hdr07 => "bad-version",
        RuleId::Blk01 => "bad-cb-missing",
        RuleId::Blk02 => "bad-txnmrklroot",
        RuleId::Blk03 => "bad-txns-duplicate",
        RuleId::Blk04 => "bad-blk-length",
        RuleId::Blk05 => "bad-cb-height",
        RuleId::Blk06 => "bad-cb-amount",
        _ => "bad-txns",
    }
}

#[cfg(test)]
mod tests;
