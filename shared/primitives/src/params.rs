//! Networks: what the nodes of one network agree on before the first block. Three are built in; others come from
//! TOML files with the same fields.

use serde::{Deserialize, Serialize};

use crate::address::{Address, AddressPrefix};
use crate::block::{Block, Header};
use crate::hash::{BlockHash, MerkleRoot};
use crate::pow::{CompactTarget, Target};
use crate::transaction::{Output, Transaction};
use crate::units::{Amount, Height};

/// The version of the genesis block's header: the top bits 001, nothing rolled.
const GENESIS_VERSION: u32 = 0x2000_0000;

/// The longest message in the genesis coinbase: what its memo holds beside the height.
const MAX_GENESIS_MESSAGE: usize = 92;

/// Seeds of a network.
const MAX_SEEDS: usize = 32;

/// The longest name that DNS knows, with a port.
const MAX_SEED_LENGTH: usize = 253 + 6;

/// Whether a text may be the name of a seed: a host name or an address, with or without a port.
fn is_seed(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':' | b'[' | b']');
    !text.is_empty() && text.len() <= MAX_SEED_LENGTH && text.bytes().all(is_plain)
}

/// Why a text is not a network file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// Not TOML, a field missing, unknown or of the wrong type.
    #[error("not a network file: {reason}")]
    Malformed {
        /// What the parser says, with the line.
        reason: String,
    },
    /// A field whose value cannot work.
    #[error("network file: {field} {problem}")]
    BadField {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
}

/// Coins of the genesis block, spendable at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Allocation {
    /// Who may spend them.
    pub address: Address,
    /// Their value in notches.
    pub value: Amount,
}

/// The parameters of a network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// The network's name.
    pub name: String,
    /// The human-readable part of its addresses.
    pub address_prefix: AddressPrefix,
    /// The first four bytes of every frame between its nodes.
    pub magic: u32,
    /// Seconds between blocks that the difficulty aims at; 0: blocks are made on demand.
    pub spacing_seconds: u32,
    /// ASERT's half-life in seconds; without it every block has the easiest target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub half_life_seconds: Option<u32>,
    /// The easiest target.
    pub limit: CompactTarget,
    /// Blocks after which a coinbase may be spent.
    pub coinbase_maturity: u32,
    /// What the first blocks' coinbases may create, in notches.
    pub subsidy: Amount,
    /// Blocks after which the subsidy halves.
    pub halving_interval: u32,
    /// The port for peers.
    pub peer_port: u16,
    /// The port for JSON-RPC.
    pub rpc_port: u16,
    /// The port for the explorer.
    pub web_port: u16,
    /// The genesis block's time.
    pub genesis_time: u32,
    /// Text in the genesis coinbase; networks that differ in nothing else differ here.
    #[serde(default)]
    pub genesis_message: String,
    /// Where a node that knows nobody begins: names or addresses of nodes, `host` or `host:port`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<String>,
    /// Coins of the genesis block.
    #[serde(default)]
    pub allocations: Vec<Allocation>,
}

impl Params {
    /// The network that people would keep.
    pub fn mainnet() -> Params {
        Params::built_in("mainnet", "tally", 0x7a11_9740, 9740, CompactTarget::from_bits(0x1e00_ffff))
    }

    /// The network to test on, ten times as fast.
    pub fn testnet() -> Params {
        Params {
            spacing_seconds: 10,
            half_life_seconds: Some(10 * 60),
            coinbase_maturity: 10,
            ..Params::built_in("testnet", "ttally", 0x7a12_9740, 19740, CompactTarget::from_bits(0x1f00_ffff))
        }
    }

    /// The network to develop on: blocks on demand, at the easiest target.
    pub fn devnet() -> Params {
        Params {
            spacing_seconds: 0,
            half_life_seconds: None,
            coinbase_maturity: 10,
            halving_interval: 150,
            ..Params::built_in("devnet", "dtally", 0x7a13_9740, 29740, CompactTarget::from_bits(0x207f_ffff))
        }
    }

    /// Mainnet's values, with what differs between the three in any case.
    fn built_in(name: &str, prefix: &str, magic: u32, port: u16, limit: CompactTarget) -> Params {
        Params {
            name: name.to_owned(),
            address_prefix: prefix.parse().expect("the built-in prefixes are valid"),
            magic,
            spacing_seconds: 60,
            half_life_seconds: Some(2 * 60 * 60),
            limit,
            coinbase_maturity: 100,
            subsidy: Amount::from_notches(50 * Amount::ONE_TALLY.to_notches()),
            halving_interval: 210_000,
            peer_port: port,
            rpc_port: port + 1,
            web_port: port + 2,
            // 2026-11-21 00:00:00 UTC.
            genesis_time: 1_795_219_200,
            genesis_message: format!("Tallystick {name}"),
            seeds: Vec::new(),
            allocations: Vec::new(),
        }
    }

    /// The built-in network of this name.
    pub fn by_name(name: &str) -> Option<Params> {
        match name {
            "mainnet" => Some(Params::mainnet()),
            "testnet" => Some(Params::testnet()),
            "devnet" => Some(Params::devnet()),
            _ => None,
        }
    }

    /// Reads a network file.
    ///
    /// # Errors
    /// Text that is not such a file, and values that cannot work; the message names the field.
    pub fn from_toml(text: &str) -> Result<Params, ParamsError> {
        let params: Params = toml::from_str(text)
            .map_err(|error| ParamsError::Malformed { reason: error.to_string().trim().to_owned() })?;
        params.check()?;
        Ok(params)
    }

    /// Writes a network file that [`Params::from_toml`] reads.
    ///
    /// # Panics
    /// Never: all fields have a form in TOML.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("all fields have a form in TOML")
    }

    fn check(&self) -> Result<(), ParamsError> {
        let bad = |field, problem: String| Err(ParamsError::BadField { field, problem });
        if let Err(error) = self.limit.to_target() {
            return bad("limit", format!("is no target: {error}"));
        }
        if self.half_life_seconds == Some(0) {
            return bad("half_life_seconds", "must not be 0; leave it out for a constant target".to_owned());
        }
        if self.half_life_seconds.is_some() && self.spacing_seconds == 0 {
            return bad("spacing_seconds", "must not be 0 where the difficulty adjusts".to_owned());
        }
        if self.halving_interval == 0 {
            return bad("halving_interval", "must not be 0".to_owned());
        }
        if self.subsidy > Amount::MAX_SUPPLY {
            return bad("subsidy", "is above the maximum supply".to_owned());
        }
        if self.genesis_message.len() > MAX_GENESIS_MESSAGE {
            return bad("genesis_message", format!("is longer than {MAX_GENESIS_MESSAGE} bytes"));
        }
        if self.seeds.len() > MAX_SEEDS {
            return bad("seeds", format!("are more than {MAX_SEEDS}"));
        }
        if let Some(seed) = self.seeds.iter().find(|seed| !is_seed(seed)) {
            return bad("seeds", format!("name {seed:?}, which is no host and no host:port"));
        }
        if self.allocations.iter().any(|allocation| allocation.value == Amount::ZERO) {
            return bad("allocations", "must not be of zero value".to_owned());
        }
        match Amount::checked_sum(self.allocations.iter().map(|allocation| allocation.value)) {
            Some(sum) if sum <= Amount::MAX_SUPPLY => {}
            _ => return bad("allocations", "exceed the maximum supply in sum".to_owned()),
        }
        if let Some(other) = self.allocations.iter().find(|allocation| allocation.address.prefix != self.address_prefix)
        {
            return bad("allocations", format!("name an address of another network: {}", other.address));
        }
        Ok(())
    }

    /// The easiest target as a number.
    ///
    /// # Panics
    /// When `limit` is no target, which [`Params::from_toml`] refuses.
    pub fn target_limit(&self) -> Target {
        self.limit.to_target().expect("a network's limit is a target")
    }

    /// The genesis block: valid by definition. Its coinbase pays the allocations, or nobody.
    pub fn genesis(&self) -> Block {
        let outputs = self.allocations.iter();
        let outputs = outputs.map(|allocation| Output { value: allocation.value, lock: allocation.address.lock });
        let coinbase = Transaction::coinbase(Height::GENESIS, self.genesis_message.as_bytes(), outputs.collect());
        let header = Header {
            version: GENESIS_VERSION,
            prev_block: BlockHash::ZERO,
            merkle_root: MerkleRoot::from_bytes(coinbase.wtxid().to_bytes()),
            time: self.genesis_time,
            bits: self.limit,
            nonce: 0,
        };
        Block { header, transactions: vec![coinbase] }
    }

    /// The genesis block's hash, which names the network.
    pub fn genesis_hash(&self) -> BlockHash {
        self.genesis().hash()
    }
}
