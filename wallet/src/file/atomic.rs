//! Replacing a file so that after a crash at any moment either the old one or the new one is there, whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::FileError;

/// Writes `bytes` to `path`, readable by the owner alone: into a temporary file beside it, which is forced to the disk
/// and then renamed; last the directory is forced to the disk, so that the renaming survives a power failure.
///
/// # Errors
/// What the operating system refuses. The old file is untouched then.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let temporary = beside(path, ".tmp");
    let written = write_new(&temporary, bytes).map_err(FileError::io("write", &temporary));
    let replaced = written.and_then(|()| fs::rename(&temporary, path).map_err(FileError::io("replace", path)));
    if let Err(error) = replaced {
        // Half a file beside the good one would only puzzle; that removing it fails too cannot be helped.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_directory(path).map_err(FileError::io("sync the directory of", path))
}

/// `path` with `suffix` after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // What a crash left behind is not ours to trust: its permissions may be wider.
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Readable and writable by the owner alone, where the system knows such a thing.
pub(super) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

fn sync_directory(path: &Path) -> io::Result<()> {
    // Only Unix lets a directory be opened and synced.
    if cfg!(unix) {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}
