//! One `testnet up` a directory. The lock is the operating system's: it ends with the process that holds it, however
//! that process ends, so a lock is never left behind.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::layout::Layout;

/// Held while somebody works in the directory. The file holds the process id of who does.
#[derive(Debug)]
pub struct DirLock {
    file: File,
}

impl DirLock {
    /// Takes the lock.
    ///
    /// # Errors
    /// [`Error::InUse`] if another process holds it.
    pub fn acquire(layout: &Layout) -> Result<DirLock, Error> {
        match DirLock::try_acquire(layout)? {
            Some(lock) => Ok(lock),
            None => Err(Error::InUse { dir: layout.dir().to_owned(), pid: holder(layout) }),
        }
    }

    /// Takes the lock if nobody holds it.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub fn try_acquire(layout: &Layout) -> Result<Option<DirLock>, Error> {
        let path = layout.lock();
        // Not truncated here: the content belongs to whoever holds the lock.
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(Error::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(Error::file("lock", &path)(error)),
        }
        let mut write = || {
            file.set_len(0)?;
            writeln!(file, "{}", std::process::id())
        };
        write().map_err(Error::file("write", &path))?;
        Ok(Some(DirLock { file }))
    }

    /// Takes the lock as soon as it is free, or gives up.
    ///
    /// # Errors
    /// If the directory cannot be written.
    pub fn acquire_within(layout: &Layout, limit: Duration) -> Result<Option<DirLock>, Error> {
        let end = Instant::now() + limit;
        loop {
            let lock = DirLock::try_acquire(layout)?;
            if lock.is_some() || Instant::now() >= end {
                return Ok(lock);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for DirLock {
    fn drop(&mut self) {
        // An empty file says that nobody is there. Closing it would free the lock as well; whether this succeeds
        // changes nothing.
        let _ = self.file.set_len(0);
        let _ = self.file.unlock();
    }
}

/// The process that holds the lock, if somebody does and has said who.
pub fn holder(layout: &Layout) -> Option<u32> {
    fs::read_to_string(layout.lock()).ok()?.trim().parse().ok()
}

/// Whether somebody holds the lock.
///
/// # Errors
/// If the lock file is there and cannot be opened.
pub fn is_held(layout: &Layout) -> Result<bool, Error> {
    let path = layout.lock();
    match File::open(&path) {
        // A shared lock: two that ask at once do not see each other.
        Ok(file) => Ok(matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::file("open", &path)(error)),
    }
}

#[cfg(test)]
mod tests;
