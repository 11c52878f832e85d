//! Append-only files of blocks and undo: the truth from which everything else can be made again.
//!
//! Records (`record`) are appended to `blocks-00000.dat`, `undo-00000.dat` and so on; a file that has grown past
//! its limit is closed and the next number begun. A record is durable after [`FlatFiles::sync`]. Whatever a crash
//! leaves half written at the end is cut off when the files are opened again (`scan`).

pub mod record;
mod scan;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tally_primitives::hash::BlockHash;

pub use record::Kind;
use record::{RECORD_HEADER_SIZE, RecordHeader};
pub use scan::{Found, ScanReport};

/// A file is closed once it is at least this long, in bytes.
pub const FILE_SIZE_LIMIT: u64 = 128 * 1024 * 1024;

/// Where a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The file's number.
    pub file: u32,
    /// Where the record's header starts, in bytes.
    pub offset: u64,
    /// The payload's length, in bytes.
    pub length: u32,
}

/// A point between two records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The file's number.
    pub file: u32,
    /// Bytes from the file's start.
    pub offset: u64,
}

/// Why a flat file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FlatError {
    /// The operating system refused.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The record is not what was written.
    #[error("{} holds a damaged record at byte {offset}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the record starts.
        offset: u64,
    },
    /// The payload is longer than any record may be.
    #[error("a record of {size} bytes is longer than any block can be")]
    TooLong {
        /// Its length, in bytes.
        size: usize,
    },
}

/// The files of one kind in one directory.
pub struct FlatFiles {
    directory: PathBuf,
    kind: Kind,
    file_limit: u64,
    state: Mutex<State>,
}

struct State {
    end: Position,
    files: BTreeMap<u32, Arc<File>>,
    /// Files written since the last sync, and whether one of them is new.
    unsynced: BTreeMap<u32, Arc<File>>,
    created: bool,
}

impl FlatFiles {
    /// Opens the files of `kind` in `directory` (which exists), to append after `end`.
    ///
    /// Nothing is read: [`FlatFiles::recover`] looks at what stands behind `end`.
    pub fn open(directory: &Path, kind: Kind, end: Position, file_limit: u64) -> Self {
        Self {
            directory: directory.to_owned(),
            kind,
            file_limit,
            state: Mutex::new(State { end, files: BTreeMap::new(), unsynced: BTreeMap::new(), created: false }),
        }
    }

    /// Where the next record goes (unless the file is full).
    pub fn end(&self) -> Position {
        self.lock().end
    }

    /// Appends a record. It is durable only after [`FlatFiles::sync`].
    pub fn append(&self, hash: &BlockHash, payload: &[u8]) -> Result<Place, FlatError> {
        let too_long = FlatError::TooLong { size: payload.len() };
        let header = RecordHeader::of(self.kind, *hash, payload).ok_or(too_long)?;
        let mut state = self.lock();
        if state.end.offset >= self.file_limit {
            state.end = Position { file: state.end.file.saturating_add(1), offset: 0 };
        }
        let end = state.end;
        let file = self.file_for_writing(&mut state, end.file)?;
        let mut record = Vec::with_capacity(RECORD_HEADER_SIZE + payload.len());
        record.extend_from_slice(&header.to_bytes(self.kind));
        record.extend_from_slice(payload);
        file.write_all_at(&record, end.offset).map_err(|source| self.io("writing", end.file, source))?;
        state.unsynced.insert(end.file, file);
        state.end.offset += record.len() as u64;
        Ok(Place { file: end.file, offset: end.offset, length: header.length })
    }

    /// Makes everything appended so far durable. One caller at a time; meanwhile others may append and read.
    pub fn sync(&self) -> Result<(), FlatError> {
        let (unsynced, created) = {
            let mut state = self.lock();
            (std::mem::take(&mut state.unsynced), std::mem::take(&mut state.created))
        };
        for (number, file) in &unsynced {
            file.sync_data().map_err(|source| self.io("syncing", *number, source))?;
        }
        if created {
            sync_directory(&self.directory).map_err(|source| FlatError::Io {
                action: "syncing",
                path: self.directory.clone(),
                source,
            })?;
        }
        Ok(())
    }

    /// The payload of the record at `place`, which must belong to `hash` and be undamaged.
    pub fn read(&self, place: &Place, hash: &BlockHash) -> Result<Vec<u8>, FlatError> {
        let file = self.file_for_reading(place.file)?;
        let damaged = || FlatError::Damaged { path: self.path(place.file), offset: place.offset };
        let mut header = [0; RECORD_HEADER_SIZE];
        let failed = |source: io::Error| {
            if source.kind() == io::ErrorKind::UnexpectedEof {
                damaged()
            } else {
                self.io("reading", place.file, source)
            }
        };
        file.read_exact_at(&mut header, place.offset).map_err(failed)?;
        let header = RecordHeader::from_bytes(self.kind, &header).ok_or_else(damaged)?;
        if header.length != place.length || header.hash != *hash {
            return Err(damaged());
        }
        let size = usize::try_from(header.length).map_err(|_| damaged())?;
        let mut payload = vec![0; size];
        file.read_exact_at(&mut payload, place.offset + RECORD_HEADER_SIZE as u64).map_err(failed)?;
        if header.matches(self.kind, &payload) { Ok(payload) } else { Err(damaged()) }
    }

    /// The numbers of the files that exist, lowest first.
    pub fn numbers(&self) -> Result<Vec<u32>, FlatError> {
        let failed = |source| FlatError::Io { action: "listing", path: self.directory.clone(), source };
        let mut numbers = Vec::new();
        for entry in std::fs::read_dir(&self.directory).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            numbers.extend(name.to_str().and_then(|name| self.kind.number_of(name)));
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> Result<u64, FlatError> {
        let mut bytes = 0;
        for number in self.numbers()? {
            bytes += self.length_of(number)?;
        }
        Ok(bytes)
    }

    /// Deletes every file: the undo files are made again when the chain is connected again.
    pub fn delete_all(&self) -> Result<(), FlatError> {
        let numbers = self.numbers()?;
        let mut state = self.lock();
        state.files.clear();
        state.unsynced.clear();
        state.end = Position::default();
        for number in numbers {
            std::fs::remove_file(self.path(number)).map_err(|source| self.io("removing", number, source))?;
        }
        Ok(())
    }

    fn length_of(&self, number: u32) -> Result<u64, FlatError> {
        match std::fs::metadata(self.path(number)) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(source) => Err(self.io("reading", number, source)),
        }
    }

    fn file_for_writing(&self, state: &mut State, number: u32) -> Result<Arc<File>, FlatError> {
        if let Some(file) = state.files.get(&number) {
            return Ok(Arc::clone(file));
        }
        let path = self.path(number);
        let new = !path.exists();
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|source| self.io("opening", number, source))?;
        let file = Arc::new(file);
        state.created |= new;
        state.files.insert(number, Arc::clone(&file));
        Ok(file)
    }

    fn file_for_reading(&self, number: u32) -> Result<Arc<File>, FlatError> {
        let mut state = self.lock();
        if let Some(file) = state.files.get(&number) {
            return Ok(Arc::clone(file));
        }
        let path = self.path(number);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(|source| self.io("opening", number, source))?;
        let file = Arc::new(file);
        state.files.insert(number, Arc::clone(&file));
        Ok(file)
    }

    fn path(&self, number: u32) -> PathBuf {
        self.directory.join(self.kind.file_name(number))
    }

    fn io(&self, action: &'static str, number: u32, source: io::Error) -> FlatError {
        FlatError::Io { action, path: self.path(number), source }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the names in a directory durable.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests;
