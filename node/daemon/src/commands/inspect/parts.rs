//! Every field of what is inspected, hashes included.

use std::collections::BTreeMap;

use serde::Serialize;
use tally_primitives::address::{Address, AddressPrefix};
use tally_primitives::block::{Block, Header};
use tally_primitives::hash::{BlockHash, LockHash, MerkleRoot, Txid, Wtxid};
use tally_primitives::params::Params;
use tally_primitives::spending::{SpendingPolicy, Witness};
use tally_primitives::transaction::{OutPoint, Transaction};
use tally_primitives::units::{Amount, Height};

/// The fields of a header.
#[derive(Debug, Serialize)]
pub(super) struct HeaderParts {
    hash: BlockHash,
    version: u32,
    version_hex: String,
    prev_block: BlockHash,
    merkle_root: MerkleRoot,
    time: u32,
    bits: String,
    /// Absent if the bits stand for no target.
    target: Option<String>,
    nonce: u32,
    meets_target: bool,
}

impl HeaderParts {
    pub(super) fn of(header: &Header) -> Self {
        let hash = header.hash();
        let target = header.bits.to_target().ok();
        Self {
            hash,
            version: header.version,
            version_hex: format!("{:08x}", header.version),
            prev_block: header.prev_block,
            merkle_root: header.merkle_root,
            time: header.time,
            bits: header.bits.to_string(),
            target: target.map(|target| target.to_string()),
            nonce: header.nonce,
            meets_target: target.is_some_and(|target| target.is_met_by(&hash)),
        }
    }
}

/// The fields of a block.
#[derive(Debug, Serialize)]
pub(super) struct BlockParts {
    hash: BlockHash,
    /// Encoded size in bytes.
    size: usize,
    header: HeaderParts,
    /// The root over the transactions that are here.
    merkle_root: MerkleRoot,
    merkle_root_matches: bool,
    /// The height that the coinbase names.
    height: Option<Height>,
    transactions: Vec<TransactionParts>,
}

impl BlockParts {
    pub(super) fn of(block: &Block) -> Self {
        let merkle_root = block.merkle_root();
        Self {
            hash: block.hash(),
            size: block.encoded_size(),
            header: HeaderParts::of(&block.header),
            merkle_root,
            merkle_root_matches: merkle_root == block.header.merkle_root,
            height: block.transactions.first().and_then(Transaction::coinbase_height),
            transactions: block.transactions.iter().map(TransactionParts::of).collect(),
        }
    }
}

/// The fields of a transaction.
#[derive(Debug, Serialize)]
pub(super) struct TransactionParts {
    txid: Txid,
    wtxid: Wtxid,
    version: u32,
    /// Encoded size in bytes.
    size: usize,
    coinbase: bool,
    inputs: Vec<InputParts>,
    outputs: Vec<OutputParts>,
    memo: String,
    /// The memo as text, where it is text.
    memo_text: Option<String>,
}

#[derive(Debug, Serialize)]
struct InputParts {
    outpoint: OutPoint,
    /// Hash of the revealed policy: the lock of the coin that it spends.
    lock: LockHash,
    witness: Witness,
}

#[derive(Debug, Serialize)]
struct OutputParts {
    index: u32,
    /// Notches.
    value: Amount,
    lock: LockHash,
}

impl TransactionParts {
    pub(super) fn of(transaction: &Transaction) -> Self {
        let memo = &transaction.memo;
        let text = std::str::from_utf8(memo).ok().filter(|text| !text.chars().any(char::is_control));
        Self {
            txid: transaction.txid(),
            wtxid: transaction.wtxid(),
            version: transaction.version,
            size: transaction.encoded_size(),
            coinbase: transaction.is_coinbase(),
            inputs: transaction
                .inputs
                .iter()
                .map(|input| InputParts {
                    outpoint: input.outpoint,
                    lock: input.witness.policy.hash(),
                    witness: input.witness.clone(),
                })
                .collect(),
            outputs: (0u32..)
                .zip(&transaction.outputs)
                .map(|(index, output)| OutputParts { index, value: output.value, lock: output.lock })
                .collect(),
            memo: hex::encode(memo),
            memo_text: text.filter(|text| !text.is_empty()).map(str::to_owned),
        }
    }
}

/// The fields of a policy.
#[derive(Debug, Serialize)]
pub(super) struct PolicyParts {
    policy: SpendingPolicy,
    lock: LockHash,
    /// The address of the lock, by network.
    addresses: BTreeMap<String, Address>,
    within_limits: bool,
    /// Which limit it exceeds.
    problem: Option<String>,
}

impl PolicyParts {
    pub(super) fn of(policy: &SpendingPolicy) -> Self {
        let lock = policy.hash();
        let limits = policy.check_limits();
        Self {
            policy: policy.clone(),
            lock,
            addresses: networks().map(|(name, prefix)| (name, Address::new(prefix, lock))).collect(),
            within_limits: limits.is_ok(),
            problem: limits.err().map(|error| error.to_string()),
        }
    }
}

/// The fields of an address.
#[derive(Debug, Serialize)]
pub(super) struct AddressParts {
    address: Address,
    prefix: AddressPrefix,
    /// The built-in network with this prefix, if there is one.
    network: Option<String>,
    lock: LockHash,
}

impl AddressParts {
    pub(super) fn of(address: &Address) -> Self {
        let network = networks().find(|(_, prefix)| *prefix == address.prefix);
        Self {
            address: address.clone(),
            prefix: address.prefix.clone(),
            network: network.map(|(name, _)| name),
            lock: address.lock,
        }
    }
}

fn networks() -> impl Iterator<Item = (String, AddressPrefix)> {
    let built_in = [Params::mainnet(), Params::testnet(), Params::devnet()];
    built_in.into_iter().map(|params| (params.name, params.address_prefix))
}
