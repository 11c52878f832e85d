//! Cookie and node file: whose they are, and that they go away.

use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::{NodeFile, PrivateFile};

#[test]
fn a_cookie_is_its_owners_alone_and_goes_away() {
    let directory = TempDir::new().unwrap();
    let (first, one) = PrivateFile::write_cookie(directory.path()).unwrap();
    let path = directory.path().join(".cookie");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), one);
    assert!(one.starts_with("__cookie__:") && one.len() == 11 + 64);
    let (second, two) = PrivateFile::write_cookie(directory.path()).unwrap();
    assert_ne!(one, two);
    drop((first, second));
    assert!(!path.exists());
}

#[test]
fn the_node_file_is_read_back() {
    let directory = TempDir::new().unwrap();
    assert_eq!(NodeFile::read(directory.path()), None);
    let node = NodeFile {
        pid: 7,
        listen: "127.0.0.1:1".parse().unwrap(),
        rpc: "127.0.0.1:2".parse().unwrap(),
        web: None,
        stratum: None,
    };
    let file = PrivateFile::write_node(directory.path(), &node).unwrap();
    assert_eq!(NodeFile::read(directory.path()), Some(node));
    drop(file);
    assert_eq!(NodeFile::read(directory.path()), None);
}
