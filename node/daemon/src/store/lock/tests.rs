//! One process a directory.

use tempfile::TempDir;

use super::{DirectoryLock, LockError};

#[test]
fn a_second_lock_names_the_first_holder() {
    let directory = TempDir::new().unwrap();
    let first = DirectoryLock::take(directory.path()).unwrap();
    let error = DirectoryLock::take(directory.path()).unwrap_err();
    let LockError::InUse { pid, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!(*pid, Some(std::process::id()));
    let text = error.to_string();
    assert!(text.contains(&directory.path().display().to_string()));
    drop(first);
    DirectoryLock::take(directory.path()).unwrap();
}
