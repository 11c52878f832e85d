//! What the records of the index look like: keys, values, and the checksum that every value carries.
//!
//! A value is its content followed by a crc32c over table, key and content. So a flipped bit is found when the record
//! is read, and so is a value that belongs to another key. That a key is missing shows only in the count and hash of
//! the coin set, which [`Meta`] carries.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tally_node_core::chain::store::{CoinStats, StoreError};
use tally_primitives::encode;
use tally_primitives::hash::{BlockHash, LockHash, Txid};
use tally_primitives::transaction::OutPoint;
use tally_primitives::units::{Amount, Height};

use super::flat::{Kind, Position};
use super::index::{IndexBatch, IndexStore, Table};

/// The layout of the index. One of another version is dropped and made again.
pub const INDEX_VERSION: u32 = 1;

/// The key of the one record of [`Table::Meta`].
pub const META_KEY: &[u8] = b"meta";

const CHECKSUM_SIZE: usize = 4;

/// What the index as a whole says of itself. Written with every change set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// [`INDEX_VERSION`] of the program that wrote it.
    pub version: u32,
    /// The network's genesis block.
    pub genesis: BlockHash,
    /// The block that the coin set belongs to.
    pub tip: Option<BlockHash>,
    /// Count, sum and hash of the coin set.
    pub stats: CoinStats,
    /// Everything before this point of the block files is in the index.
    pub blocks_end: Position,
    /// Everything before this point of the undo files is in the index.
    pub undo_end: Position,
    /// The index is being made from the block files and is not complete.
    pub rebuilding: bool,
}

/// What one transaction did to one lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// The transaction.
    pub txid: Txid,
    /// Sum of its outputs to the lock.
    pub received: Amount,
    /// Sum of the lock's coins that it spent.
    pub spent: Amount,
    /// Its whole fee; zero for a coinbase.
    pub fee: Amount,
}

/// Where a transaction stands in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TransactionPlace {
    /// The block's height.
    pub height: Height,
    /// Its number in the block; the coinbase is 0.
    pub position: u32,
}

/// Why a value is not one: the checksum does not match, or the content does not decode.
fn damaged(table: Table, key: &[u8]) -> StoreError {
    StoreError::Damaged {
        what: format!("record {} of the index's table {:?} is not what was written", hex::encode(key), table.name()),
    }
}

fn checksum(table: Table, key: &[u8], content: &[u8]) -> [u8; CHECKSUM_SIZE] {
    let sum = crc32c::crc32c(table.name().as_bytes());
    let sum = crc32c::crc32c_append(sum, key);
    crc32c::crc32c_append(sum, content).to_le_bytes()
}

/// The value for `content` under `key`.
pub fn seal<T: Serialize>(table: Table, key: &[u8], content: &T) -> Vec<u8> {
    let mut value = encode::encode(content);
    let sum = checksum(table, key, &value);
    value.extend_from_slice(&sum);
    value
}

/// The content of a value read under `key`.
///
/// # Errors
/// [`StoreError::Damaged`] if it is not what [`seal`] made for this key.
pub fn open<T: DeserializeOwned>(table: Table, key: &[u8], value: &[u8]) -> Result<T, StoreError> {
    let split = value.len().checked_sub(CHECKSUM_SIZE);
    let (content, sum) = split.map(|at| value.split_at(at)).ok_or_else(|| damaged(table, key))?;
    if checksum(table, key, content) != sum {
        return Err(damaged(table, key));
    }
    encode::decode(content, content.len()).map_err(|_| damaged(table, key))
}

/// Reads and opens a record.
///
/// # Errors
/// If the engine fails or the record is damaged.
pub fn read<T: DeserializeOwned>(index: &dyn IndexStore, table: Table, key: &[u8]) -> Result<Option<T>, StoreError> {
    let value = index.get(table, key)?;
    value.map(|value| open(table, key, &value)).transpose()
}

impl IndexBatch {
    /// Adds a put of a sealed record.
    pub fn put_record<T: Serialize>(&mut self, table: Table, key: Vec<u8>, content: &T) {
        let value = seal(table, &key, content);
        self.put(table, key, value);
    }
}

/// Key of [`Table::Coins`]: sorts by transaction, then by number.
pub fn outpoint_key(outpoint: &OutPoint) -> Vec<u8> {
    let mut key = outpoint.txid.as_bytes().to_vec();
    key.extend_from_slice(&outpoint.index.to_be_bytes());
    key
}

/// The outpoint of a key of [`Table::Coins`].
pub fn outpoint_of(key: &[u8]) -> Option<OutPoint> {
    let (txid, index) = key.split_first_chunk::<32>()?;
    Some(OutPoint { txid: Txid::from_bytes(*txid), index: u32::from_be_bytes(index.try_into().ok()?) })
}

/// Key of [`Table::Places`].
pub fn place_key(kind: Kind, hash: &BlockHash) -> Vec<u8> {
    let mut key = vec![match kind {
        Kind::Block => b'b',
        Kind::Undo => b'u',
    }];
    key.extend_from_slice(hash.as_bytes());
    key
}

/// Key of [`Table::Active`].
pub fn height_key(height: Height) -> Vec<u8> {
    height.get().to_be_bytes().to_vec()
}

/// Key of [`Table::Unspent`].
pub fn unspent_key(lock: &LockHash, outpoint: &OutPoint) -> Vec<u8> {
    let mut key = lock.as_bytes().to_vec();
    key.extend_from_slice(&outpoint_key(outpoint));
    key
}

/// Key of [`Table::History`]: sorts by lock, then as the chain does.
pub fn history_key(lock: &LockHash, place: TransactionPlace) -> Vec<u8> {
    let mut key = lock.as_bytes().to_vec();
    key.extend_from_slice(&place.height.get().to_be_bytes());
    key.extend_from_slice(&place.position.to_be_bytes());
    key
}

/// Where the transaction of a key of [`Table::History`] stands.
pub fn history_place(key: &[u8]) -> Option<TransactionPlace> {
    let (height, position) = key.get(32..)?.split_first_chunk::<4>()?;
    Some(TransactionPlace {
        height: Height::new(u32::from_be_bytes(*height)),
        position: u32::from_be_bytes(position.try_into().ok()?),
    })
}
