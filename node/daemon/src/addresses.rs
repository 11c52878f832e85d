//! The address book on disk: `peers.dat`, written whole or not at all, read once at the start. It is a help and no more, so a file that cannot be
//! read or written is a warning.

use std::io::ErrorKind;
use std::path::Path;

use tally_node_core::net::address_book::saved::{MAX_SAVED_BYTES, SavedBook};
use tally_primitives::hash::BlockHash;

use crate::private_file::PrivateFile;

/// The file's name in the data directory.
pub const ADDRESSES_FILE: &str = "peers.dat";

/// Reads the book of an earlier run; `None` if there is none, or none that makes sense.
pub fn read(directory: &Path, genesis: BlockHash) -> Option<SavedBook> {
    let path = directory.join(ADDRESSES_FILE);
    let unreadable = |reason: String| {
        tracing::warn!(path = %path.display(), reason, "ignoring the address book; starting with an empty one");
    };
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Ok(metadata) if metadata.len() > MAX_SAVED_BYTES as u64 => {
            unreadable(format!("{} bytes are more than any address book has", metadata.len()));
            return None;
        }
        _ => {}
    }
    let bytes = std::fs::read(&path).map_err(|error| unreadable(error.to_string())).ok()?;
    SavedBook::decode(&bytes, genesis).map_err(|error| unreadable(error.to_string())).ok()
}

/// Keeps the book for the next start.
pub fn keep(directory: &Path, book: &[u8]) {
    match PrivateFile::write(directory, ADDRESSES_FILE, book) {
        Ok(file) => file.keep(),
        Err(error) => tracing::warn!(%error, "the address book is not kept"),
    }
}

#[cfg(test)]
mod tests;
