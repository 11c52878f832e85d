//! The address book over a restart: one encoded value with a checksum, for the driver to keep and to give back.
//!
//! A book that cannot be read is worth nothing and costs nothing: the node starts with an empty one.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use tally_primitives::encode::{self, DecodeError};
use tally_primitives::hash::{BlockHash, sha256d};

use super::AddressBook;
use super::entry::Entry;
use super::group::{AddressGroups, canonical, is_dialable};
use super::secret::Secret;
use super::table::BUCKET_PLACES;
use crate::net::finding::EclipseDefences;
use crate::net::limits::{MAX_ADDRESS_BOOK, MAX_ANCHORS, NEW_BUCKETS, TRIED_BUCKETS};

/// The form of the value.
const FORMAT: u32 = 1;

const _: () = assert!(MAX_ADDRESS_BOOK as u64 == (NEW_BUCKETS + TRIED_BUCKETS) * BUCKET_PLACES);

/// Longer than any book.
pub const MAX_SAVED_BYTES: usize = 256 + MAX_ADDRESS_BOOK * 128;

const CHECKSUM_BYTES: usize = 32;

/// Why kept bytes are no address book.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SavedError {
    /// Cut short, or changed.
    #[error("its checksum is wrong")]
    WrongChecksum,
    /// Something else.
    #[error("{source}")]
    Malformed {
        /// What the decoder says.
        #[from]
        source: DecodeError,
    },
    /// Of another version of this program.
    #[error("its format is {found}, this program reads {FORMAT}")]
    WrongFormat {
        /// The format that it names.
        found: u32,
    },
    /// Of another network.
    #[error("it is of the network with genesis {found}")]
    WrongNetwork {
        /// The genesis that it names.
        found: BlockHash,
    },
}

/// What is kept of an address book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedBook {
    format: u32,
    genesis: BlockHash,
    secret: Secret,
    /// Block-only peers, to be called first.
    #[serde(with = "encode::list")]
    anchors: Vec<SocketAddr>,
    #[serde(with = "encode::list")]
    entries: Vec<(SocketAddr, Entry)>,
}

impl SavedBook {
    /// Reads what [`SavedBook::encode`] gave.
    ///
    /// # Errors
    /// Bytes that are damaged, of another format or of another network.
    pub fn decode(bytes: &[u8], genesis: BlockHash) -> Result<SavedBook, SavedError> {
        let (value, checksum) =
            bytes.split_at_checked(bytes.len().saturating_sub(CHECKSUM_BYTES)).ok_or(SavedError::WrongChecksum)?;
        if sha256d(value) != *checksum {
            return Err(SavedError::WrongChecksum);
        }
        let saved: SavedBook = encode::decode(value, MAX_SAVED_BYTES)?;
        if saved.format != FORMAT {
            return Err(SavedError::WrongFormat { found: saved.format });
        }
        if saved.genesis != genesis {
            return Err(SavedError::WrongNetwork { found: saved.genesis });
        }
        Ok(saved)
    }

    /// The bytes to keep.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = encode::encode(self);
        let checksum = sha256d(&bytes);
        bytes.extend_from_slice(&checksum);
        bytes
    }

    /// Addresses in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds no address.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Block-only peers, to be called first.
    pub(crate) fn anchors(&self) -> Vec<SocketAddr> {
        self.anchors.iter().copied().filter(|address| is_dialable(*address)).take(MAX_ANCHORS).collect()
    }
}

impl AddressBook {
    /// What to keep of the book.
    pub(crate) fn save(&self, genesis: BlockHash, anchors: Vec<SocketAddr>) -> SavedBook {
        let entries = self.entries.iter().map(|(address, entry)| (*address, entry.clone())).collect();
        SavedBook { format: FORMAT, genesis, secret: self.secret, anchors, entries }
    }

    /// The book of an earlier run.
    pub(crate) fn restore(
        saved: &SavedBook,
        seed: u64,
        groups: AddressGroups,
        defences: EclipseDefences,
    ) -> AddressBook {
        let mut book = AddressBook::new(saved.secret, seed, groups, defences);
        for (address, entry) in saved.entries.iter().take(MAX_ADDRESS_BOOK) {
            let address = canonical(*address);
            if is_dialable(address) && !book.entries.contains_key(&address) {
                book.put_back(address, entry.clone());
            }
        }
        book
    }

    /// Gives an entry its place again. Tried addresses whose place is taken (the groups may be others now) become rumours.
    fn put_back(&mut self, address: SocketAddr, mut entry: Entry) {
        entry.places.clear();
        self.last_good = self.last_good.max(entry.last_success);
        let tried = self.tried_place(address);
        if entry.tried && self.tried.get(tried).is_none() {
            self.tried.set(tried, address);
            self.entries.insert(address, entry);
            return;
        }
        entry.tried = false;
        let place = self.new_place(address, entry.source);
        if self.new.get(place).is_none() {
            self.new.set(place, address);
            entry.places.push(place);
            self.entries.insert(address, entry);
        }
    }
}
