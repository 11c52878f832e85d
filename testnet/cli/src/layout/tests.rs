use super::{Layout, quoted};
use crate::error::Error;

#[test]
fn a_directory_is_made_and_absolute() {
    let dir = tempfile::tempdir().expect("a directory");
    let wanted = dir.path().join("a/../b c");
    assert!(matches!(Layout::open(Some(&wanted)), Err(Error::NotRunning { .. })));
    std::fs::create_dir(dir.path().join("a")).expect("made");
    let layout = Layout::create(Some(&wanted)).expect("made");
    assert!(layout.dir().is_absolute());
    assert!(layout.dir().ends_with("b c"));
    assert_eq!(Layout::open(Some(&wanted)).expect("there"), layout);
    assert_eq!(layout.node_log(&Layout::node_name(0)), layout.dir().join("node-1/node.log"));
}

#[test]
fn a_file_in_its_place_is_an_error() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file");
    std::fs::write(&file, "").expect("written");
    let error = Layout::create(Some(&file)).expect_err("a file");
    assert!(error.to_string().starts_with("cannot make the directory "), "{error}");
}

#[test]
fn a_path_that_is_no_text_is_an_error() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().expect("a directory");
    let odd = dir.path().join(std::ffi::OsStr::from_bytes(b"\xff"));
    // Some file systems refuse such names themselves.
    if std::fs::create_dir(&odd).is_ok() {
        let error = Layout::open(Some(&odd)).expect_err("no text");
        assert!(error.to_string().ends_with("its path is not UTF-8"), "{error}");
    }
}

#[test]
fn words_for_the_shell() {
    assert_eq!(quoted("/a/b-c_1.d"), "/a/b-c_1.d");
    assert_eq!(quoted("a b"), "'a b'");
    assert_eq!(quoted("it's"), r"'it'\''s'");
    assert_eq!(quoted(""), "''");
}
