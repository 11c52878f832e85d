//! One process at a time: an advisory lock on a file beside the wallet (the wallet file itself is replaced by
//! renaming, so a lock on it would be on a file that is gone). The operating system drops the lock with its process,
//! however that ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::FileError;
use super::atomic::{beside, private};

/// How often a waiting process tries again.
const RETRY: Duration = Duration::from_millis(20);

/// Held while it lives.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

impl FileLock {
    /// Takes the lock of the wallet file `wallet`, waiting for it at most `patience`.
    ///
    /// # Errors
    /// [`FileError::Locked`] with the other process's id, or what the operating system refuses.
    pub fn acquire(wallet: &Path, patience: Duration) -> Result<FileLock, FileError> {
        let path = lock_path(wallet);
        let mut file = private(OpenOptions::new().read(true).write(true).create(true).truncate(false))
            .open(&path)
            .map_err(FileError::io("open", &path))?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < deadline => std::thread::sleep(RETRY),
                Err(TryLockError::WouldBlock) => {
                    return Err(FileError::Locked { path: wallet.to_owned(), owner: read_owner(&mut file) });
                }
                Err(TryLockError::Error(error)) => return Err(FileError::io("lock", &path)(error)),
            }
        }
        write_owner(&mut file).map_err(FileError::io("write", &path))?;
        Ok(FileLock { file })
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Closing the file drops the lock anyway; an empty file says that nobody holds it.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

fn lock_path(wallet: &Path) -> PathBuf {
    beside(wallet, ".lock")
}

fn write_owner(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn read_owner(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}
