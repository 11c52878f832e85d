//! The wallet file: one JSON document that holds the words and the state, encrypted unless its owner chose
//! otherwise; replaced as a whole, never changed in place.
//!
//! Three failures are told apart. A file that was damaged fails its checksum, which needs no passphrase. A file that
//! is whole but does not decrypt means a wrong passphrase (or an attacker who altered the file and mended the checksum:
//! authenticated encryption cannot tell these two apart, but lets neither through). A newer format says so.

mod atomic;
mod envelope;
mod lock;
mod seal;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zeroize::Zeroizing;

use crate::keys::Words;
use crate::state::{ChangeSet, State};

pub use atomic::write_atomically;
pub use envelope::Mark;
pub use lock::FileLock;
pub use seal::{KdfParams, Passphrase};

use envelope::{Contents, Envelope};
use seal::Sealing;

/// How long a change waits for another process that holds the file.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);

/// What can go wrong with a wallet file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// No such file.
    #[error("there is no wallet file {}", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// Creating would overwrite.
    #[error("{} exists already; a wallet is never overwritten", path.display())]
    Exists {
        /// Where.
        path: PathBuf,
    },
    /// Damaged, or never a wallet file.
    #[error("the wallet file {} is corrupt: {problem}", path.display())]
    Corrupt {
        /// Where.
        path: PathBuf,
        /// What does not fit.
        problem: String,
    },
    /// Written by a later version of this program.
    #[error("the wallet file {} has format version {found}; this program knows up to {known}", path.display())]
    NewerVersion {
        /// Where.
        path: PathBuf,
        /// The file's version.
        found: u64,
        /// Ours.
        known: u64,
    },
    /// The file is whole, but this passphrase does not open it.
    #[error("wrong passphrase for {}", path.display())]
    WrongPassphrase {
        /// Where.
        path: PathBuf,
    },
    /// An encrypted file was opened without a passphrase.
    #[error("{} is encrypted and needs its passphrase", path.display())]
    PassphraseNeeded {
        /// Where.
        path: PathBuf,
    },
    /// Another process works with the file.
    #[error("{} is in use by another wallet process{}", path.display(), owner_text(*owner))]
    Locked {
        /// Where.
        path: PathBuf,
        /// The other process, where it could be read.
        owner: Option<u32>,
    },
    /// The file is not the one that was opened: somebody put another in its place.
    #[error("{} was replaced by another wallet meanwhile", path.display())]
    Replaced {
        /// Where.
        path: PathBuf,
    },
    /// The key derivation failed: too little memory.
    #[error("cannot derive the file's key: {reason}")]
    KeyDerivation {
        /// Why.
        reason: String,
    },
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers: {reason}")]
    NoRandomness {
        /// The system's own message.
        reason: String,
    },
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's own error.
        source: io::Error,
    },
}

fn owner_text(owner: Option<u32>) -> String {
    owner.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

impl FileError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
        let path = path.to_owned();
        move |source| FileError::Io { action, path, source }
    }
}

/// How a new file is protected.
#[derive(Debug)]
pub enum Protection {
    /// Not at all: whoever reads the file has the money. For networks without value.
    None,
    /// By a passphrase, with this cost of trying one.
    Passphrase {
        /// The passphrase.
        passphrase: Passphrase,
        /// The cost.
        cost: KdfParams,
    },
}

/// A wallet file that was read and not opened yet: what can be known without its passphrase.
#[derive(Debug)]
pub struct Closed {
    path: PathBuf,
    envelope: Envelope,
}

impl Closed {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// No file, a damaged one, one of a newer version.
    pub fn read(path: &Path) -> Result<Closed, FileError> {
        // The file is replaced by renaming: through a symbolic link that would replace the link.
        let path = match path.canonicalize() {
            Ok(path) => path,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(FileError::Missing { path: path.to_owned() });
            }
            Err(error) => return Err(FileError::io("open", path)(error)),
        };
        let envelope = Envelope::read(&path)?;
        Ok(Closed { path, envelope })
    }

    /// The network that the wallet belongs to.
    pub fn mark(&self) -> &Mark {
        &self.envelope.mark
    }

    /// Whether a passphrase is needed.
    pub fn is_encrypted(&self) -> bool {
        self.envelope.is_encrypted()
    }

    /// Opens the file.
    ///
    /// # Errors
    /// A passphrase that is missing or wrong; contents that make no sense.
    pub fn open(self, passphrase: Option<&Passphrase>) -> Result<WalletFile, FileError> {
        let sealing = self.envelope.sealing(&self.path, passphrase)?;
        let contents = self.envelope.open(&self.path, &sealing)?;
        Ok(WalletFile {
            path: self.path,
            mark: self.envelope.mark,
            sealing,
            words: contents.words,
            state: contents.state,
        })
    }
}

/// An open wallet file.
#[derive(Debug)]
pub struct WalletFile {
    path: PathBuf,
    mark: Mark,
    sealing: Sealing,
    words: Words,
    state: State,
}

impl WalletFile {
    /// Makes a new file. Missing directories are made.
    ///
    /// # Errors
    /// A file of that name exists, or cannot be written.
    pub fn create(path: &Path, mark: Mark, words: Words, protection: Protection) -> Result<WalletFile, FileError> {
        let path = absolute(path)?;
        if let Some(directory) = path.parent() {
            std::fs::create_dir_all(directory).map_err(FileError::io("make the directory", directory))?;
        }
        let _lock = FileLock::acquire(&path, LOCK_PATIENCE)?;
        if path.symlink_metadata().is_ok() {
            return Err(FileError::Exists { path });
        }
        let sealing = Sealing::new(protection)?;
        let file = WalletFile { path, mark, sealing, words, state: State::default() };
        file.write()?;
        Ok(file)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The network that the wallet belongs to.
    pub fn mark(&self) -> &Mark {
        &self.mark
    }

    /// The backup.
    pub fn words(&self) -> &Words {
        &self.words
    }

    /// What is remembered.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Keeps other processes from changing the file, or from spending from the same wallet, while the lock lives.
    ///
    /// # Errors
    /// [`FileError::Locked`] if another process has it for longer than a moment.
    pub fn lock(&self) -> Result<FileLock, FileError> {
        FileLock::acquire(&self.path, LOCK_PATIENCE)
    }

    /// Takes changes into the file: under the lock, on top of what other processes wrote meanwhile. Nothing is written
    /// when nothing is new.
    ///
    /// # Errors
    /// The file is locked, gone, replaced or cannot be written; the state in memory has the changes all the same.
    pub fn update(&mut self, changes: &ChangeSet) -> Result<(), FileError> {
        if self.state.apply(changes) {
            let lock = self.lock()?;
            self.write_over_newest(&lock)?;
        }
        Ok(())
    }

    /// [`WalletFile::update`] for a caller that holds the lock already.
    ///
    /// # Errors
    /// As there.
    pub fn update_locked(&mut self, lock: &FileLock, changes: &ChangeSet) -> Result<(), FileError> {
        if self.state.apply(changes) {
            self.write_over_newest(lock)?;
        }
        Ok(())
    }

    /// Takes changes in that could be found again at any time: where another process holds the lock, or the file cannot
    /// be written (a read-only disk), they stay in memory only, and nobody waits.
    ///
    /// # Errors
    /// The file is no longer this wallet's, or was damaged meanwhile.
    pub fn remember(&mut self, changes: &ChangeSet) -> Result<(), FileError> {
        if !self.state.apply(changes) {
            return Ok(());
        }
        let written = FileLock::acquire(&self.path, Duration::ZERO).and_then(|lock| self.write_over_newest(&lock));
        match written {
            Err(FileError::Locked { .. } | FileError::Io { .. }) => Ok(()),
            result => result,
        }
    }

    fn write_over_newest(&mut self, held: &FileLock) -> Result<(), FileError> {
        self.refresh(held)?;
        self.write()
    }

    /// Takes in what other processes wrote since the file was opened.
    ///
    /// # Errors
    /// The file is gone, damaged, or no longer this wallet's.
    pub fn refresh(&mut self, _held: &FileLock) -> Result<(), FileError> {
        let newest = Envelope::read(&self.path)?;
        if newest.mark != self.mark || !newest.is_sealed_with(&self.sealing) {
            return Err(FileError::Replaced { path: self.path.clone() });
        }
        let newest = newest.open(&self.path, &self.sealing)?;
        if newest.words.reveal() != self.words.reveal() {
            return Err(FileError::Replaced { path: self.path.clone() });
        }
        self.state.apply(&newest.state.into());
        Ok(())
    }

    fn write(&self) -> Result<(), FileError> {
        let contents = Contents::encode(&self.words, &self.state);
        let envelope = Envelope::seal(self.mark.clone(), &self.sealing, &contents)?;
        let text = Zeroizing::new(envelope.to_text());
        write_atomically(&self.path, text.as_bytes())
    }
}

/// The path from the root, with its directory's symbolic links left alone: the file need not exist.
fn absolute(path: &Path) -> Result<PathBuf, FileError> {
    std::path::absolute(path).map_err(FileError::io("find", path))
}

#[cfg(test)]
mod tests;
