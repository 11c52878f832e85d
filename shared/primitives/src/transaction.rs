//! Transactions: they destroy coins (inputs) and create coins (outputs).

use core::fmt;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::encode::{self, encode};
use crate::hash::{BlockHash, HashTag, LockHash, SigHash, Txid, Wtxid, sha256d};
use crate::spending::Witness;
use crate::units::{Amount, Height};

/// The version of the transactions that our programs make.
pub const CURRENT_VERSION: u32 = 1;

/// The largest transaction that decodes: the size of a whole block.
pub const MAX_ENCODED_SIZE: usize = crate::block::MAX_BLOCK_SIZE;

/// The bytes at the front of a coinbase's memo that hold the block's height, as u64.
pub const COINBASE_HEIGHT_SIZE: usize = 8;

static SIGHASH_TAG: HashTag = HashTag::new("tallystick/sighash");

/// A reference to an output: the transaction that made it, and its position there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct OutPoint {
    /// The transaction that made the output.
    pub txid: Txid,
    /// The output's position, from 0.
    pub index: u32,
}

impl fmt::Display for OutPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.txid, self.index)
    }
}

/// Why a text is not an outpoint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not an outpoint: write TXID:INDEX")]
pub struct OutPointParseError {
    /// What was given.
    pub text: String,
}

impl FromStr for OutPoint {
    type Err = OutPointParseError;

    fn from_str(text: &str) -> Result<OutPoint, OutPointParseError> {
        let parse = || {
            let (txid, index) = text.split_once(':')?;
            Some(OutPoint { txid: txid.parse().ok()?, index: index.parse().ok()? })
        };
        parse().ok_or_else(|| OutPointParseError { text: text.to_owned() })
    }
}

/// The spending of a coin: which one, and why that is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// The coin that is spent.
    pub outpoint: OutPoint,
    /// The policy that locks it, and what satisfies the policy.
    pub witness: Witness,
}

/// A new coin: its value, and the hash of the policy that says who may spend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// The coin's value.
    pub value: Amount,
    /// The hash of its spending policy.
    pub lock: LockHash,
}

/// An unspent output together with what the rules need to know of its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coin {
    /// The output itself.
    pub output: Output,
    /// The height of the block that made it.
    pub height: Height,
    /// Whether a coinbase made it, so that it must mature. False for the allocations of the genesis block, which
    /// are spendable at once.
    pub coinbase: bool,
}

/// A transaction. A coinbase is the only one without inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The version; no rule reads it yet.
    pub version: u32,
    /// The coins spent.
    #[serde(with = "encode::list")]
    pub inputs: Vec<Input>,
    /// The coins made.
    #[serde(with = "encode::list")]
    pub outputs: Vec<Output>,
    /// Free bytes: at most 80; in a coinbase the height as u64 and then the miner's bytes, 8 to 100 in all.
    #[serde(with = "encode::bytes")]
    pub memo: Vec<u8>,
}

/// A transaction with its witnesses left out: what the [`Txid`] identifies and signatures sign.
#[derive(Serialize)]
struct WithoutWitnesses<'a> {
    version: u32,
    outpoints: Vec<OutPoint>,
    outputs: &'a [Output],
    #[serde(with = "encode::bytes")]
    memo: &'a [u8],
}

impl Transaction {
    /// A coinbase for the block at `height`, which pays `outputs`; `extra` follows the height in the memo.
    pub fn coinbase(height: Height, extra: &[u8], outputs: Vec<Output>) -> Transaction {
        let mut memo = u64::from(height.get()).to_le_bytes().to_vec();
        memo.extend_from_slice(extra);
        Transaction { version: CURRENT_VERSION, inputs: Vec::new(), outputs, memo }
    }

    /// Whether this is a coinbase: it has no inputs.
    pub fn is_coinbase(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The height in a coinbase's memo; `None` when the memo is too short or the number too large.
    pub fn coinbase_height(&self) -> Option<Height> {
        let bytes = self.memo.first_chunk::<COINBASE_HEIGHT_SIZE>()?;
        u32::try_from(u64::from_le_bytes(*bytes)).ok().map(Height::new)
    }

    /// The bytes whose SHA-256d is the txid: version, outpoints, outputs, memo.
    pub fn txid_preimage(&self) -> Vec<u8> {
        encode(&WithoutWitnesses {
            version: self.version,
            outpoints: self.inputs.iter().map(|input| input.outpoint).collect(),
            outputs: &self.outputs,
            memo: &self.memo,
        })
    }

    /// The identifier without witnesses: a third party cannot change it.
    pub fn txid(&self) -> Txid {
        Txid::from_bytes(sha256d(&self.txid_preimage()))
    }

    /// The identifier with witnesses; a coinbase's equals its txid.
    pub fn wtxid(&self) -> Wtxid {
        Wtxid::from_bytes(sha256d(&encode(self)))
    }

    /// The size of the encoding in bytes.
    pub fn encoded_size(&self) -> usize {
        encode::encoded_size(self)
    }

    /// The one message that every signature of this transaction signs. It commits to the network (by its `genesis`
    /// hash), to the whole transaction but the witnesses, and to the value and lock of every output that it spends
    /// (`spent`, in the order of the inputs), so that a signer cannot be deceived about fees.
    pub fn sighash(&self, genesis: &BlockHash, spent: &[Output]) -> SigHash {
        let mut spent_bytes = Vec::with_capacity(spent.len() * 40);
        for output in spent {
            spent_bytes.extend_from_slice(&output.value.to_notches().to_le_bytes());
            spent_bytes.extend_from_slice(output.lock.as_bytes());
        }
        let preimage = self.txid_preimage();
        SigHash::from_bytes(SIGHASH_TAG.hash(&[genesis.as_bytes(), &preimage, &spent_bytes]))
    }
}
