use std::time::Duration;

use super::{DirLock, holder, is_held};
use crate::error::Error;
use crate::layout::Layout;

#[test]
fn one_at_a_time() {
    let dir = tempfile::tempdir().expect("a directory");
    let layout = Layout::create(Some(dir.path())).expect("a layout");
    assert!(!is_held(&layout).expect("readable"));
    let lock = DirLock::acquire(&layout).expect("free");
    assert!(is_held(&layout).expect("readable"));
    let own = std::process::id();
    assert_eq!(holder(&layout), Some(own));
    let error = DirLock::acquire(&layout).expect_err("held");
    assert!(matches!(error, Error::InUse { pid: Some(pid), .. } if pid == own), "{error}");
    assert!(DirLock::acquire_within(&layout, Duration::ZERO).expect("readable").is_none());
    drop(lock);
    assert_eq!(holder(&layout), None);
    assert!(DirLock::acquire_within(&layout, Duration::ZERO).expect("readable").is_some());
}
