//! Blocks for those who have the transactions already (BIP 152): six bytes for each, in place of the transaction.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;
use tally_primitives::block::{Block, Header};
use tally_primitives::encode;
use tally_primitives::hash::{BlockHash, Wtxid, sha256};
use tally_primitives::transaction::Transaction;

use crate::limits::{COMPACT_BLOCK_TARGET_BYTES, KIND_BYTES, LENGTH_BYTES, MAX_PREFILLED_BYTES};

/// What stands for a transaction in a [`CompactBlock`]: the low six bytes of a keyed hash of its wtxid. Two
/// transactions of a mempool share one by chance about once in 2^48 pairs, and nobody can prepare such a pair, since the key is new with every
/// sender and block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShortId(pub [u8; ShortId::SIZE]);

impl ShortId {
    /// Its length in bytes.
    pub const SIZE: usize = 6;

    /// As a number, for comparing.
    #[must_use]
    pub fn to_u64(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }
}

/// Makes the short ids of one compact block: SipHash-2-4 whose key is the first 16 bytes of SHA-256(header ‖ nonce).
#[derive(Clone, Copy, Debug)]
pub struct ShortIdKey(SipHasher24);

impl ShortIdKey {
    /// The key of a compact block with this header and nonce.
    #[must_use]
    pub fn new(header: &Header, nonce: u64) -> ShortIdKey {
        let mut salted = header.to_bytes().to_vec();
        salted.extend_from_slice(&nonce.to_le_bytes());
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, ..] = sha256(&salted);
        let (low, high) = ([a, b, c, d, e, f, g, h], [i, j, k, l, m, n, o, p]);
        ShortIdKey(SipHasher24::new_with_keys(u64::from_le_bytes(low), u64::from_le_bytes(high)))
    }

    /// The short id of a transaction.
    #[must_use]
    pub fn short_id(&self, wtxid: &Wtxid) -> ShortId {
        let [a, b, c, d, e, f, _, _] = self.0.hash(wtxid.as_bytes()).to_le_bytes();
        ShortId([a, b, c, d, e, f])
    }
}

/// A transaction that a [`CompactBlock`] carries whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefilled {
    /// Its place in the block. (BIP 152 sends differences, which varints make shorter; our integers have one length, so the
    /// place itself is simpler.)
    pub index: u16,
    /// The transaction.
    pub transaction: Arc<Transaction>,
}

/// A block for those who have most of its transactions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompactBlock {
    /// The block's header.
    pub header: Header,
    /// Chosen by the sender, so that nobody knows short ids beforehand.
    pub nonce: u64,
    /// The transactions that are not prefilled, in the order of the block.
    #[serde(with = "encode::list")]
    pub short_ids: Vec<ShortId>,
    /// Transactions that the receiver cannot have (the coinbase) or will hardly have, by ascending places.
    #[serde(with = "encode::list")]
    pub prefilled: Vec<Prefilled>,
}

impl CompactBlock {
    /// The compact form of a block whose wtxids are these. The coinbase is prefilled, and so are those that `is_news`
    /// names by their place, as long as there is room: all prefilled ones have at most [`MAX_PREFILLED_BYTES`], and
    /// for news the message stays within [`COMPACT_BLOCK_TARGET_BYTES`].
    #[must_use]
    pub fn new(block: &Block, wtxids: &[Wtxid], nonce: u64, is_news: impl Fn(usize) -> bool) -> CompactBlock {
        let key = ShortIdKey::new(&block.header, nonce);
        let ids_bytes = block.transactions.len() * ShortId::SIZE;
        let fixed_bytes = KIND_BYTES + Header::SIZE + size_of::<u64>() + 2 * LENGTH_BYTES;
        let room_for_news = COMPACT_BLOCK_TARGET_BYTES.saturating_sub(fixed_bytes + ids_bytes).min(MAX_PREFILLED_BYTES);
        let mut used = 0;
        let (mut short_ids, mut prefilled) = (Vec::with_capacity(wtxids.len()), Vec::new());
        for (place, (transaction, wtxid)) in block.transactions.iter().zip(wtxids).enumerate() {
            let room = if place == 0 { MAX_PREFILLED_BYTES } else { room_for_news };
            let wanted = place == 0 || (used < room && is_news(place));
            let bytes = if wanted { size_of::<u16>() + transaction.encoded_size() } else { 0 };
            match u16::try_from(place) {
                Ok(index) if wanted && used + bytes <= room => {
                    used += bytes;
                    prefilled.push(Prefilled { index, transaction: Arc::new(transaction.clone()) });
                }
                _ => short_ids.push(key.short_id(wtxid)),
            }
        }
        CompactBlock { header: block.header, nonce, short_ids, prefilled }
    }

    /// The block's hash.
    #[must_use]
    pub fn hash(&self) -> BlockHash {
        self.header.hash()
    }

    /// How many transactions the block has.
    #[must_use]
    pub fn transaction_count(&self) -> usize {
        self.short_ids.len() + self.prefilled.len()
    }

    /// Whether the places of the prefilled transactions ascend within the block, and these keep their limit.
    pub(crate) fn is_well_formed(&self) -> bool {
        let places = self.prefilled.iter().map(|prefilled| prefilled.index);
        let bytes: usize = self.prefilled.iter().map(encode::encoded_size).sum();
        ascend_below(places, self.transaction_count()) && bytes <= MAX_PREFILLED_BYTES
    }
}

/// Whether places ascend strictly and stay below a bound.
pub(crate) fn ascend_below(places: impl Iterator<Item = u16>, bound: usize) -> bool {
    let mut lowest = 0;
    for place in places.map(usize::from) {
        if place < lowest || place >= bound {
            return false;
        }
        lowest = place + 1;
    }
    true
}

#[cfg(test)]
mod tests;
