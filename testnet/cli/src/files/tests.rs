use super::{last_lines, read_if_there, remove_if_there, replace};

#[test]
fn replaces_and_leaves_nothing_beside() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("state.json");
    assert_eq!(read_if_there(&path).expect("readable"), None);
    for content in ["one", "two"] {
        replace(&path, content).expect("written");
        assert_eq!(read_if_there(&path).expect("readable").as_deref(), Some(content));
    }
    assert_eq!(dir.path().read_dir().expect("a directory").count(), 1);
    for _ in 0..2 {
        remove_if_there(&path).expect("removed");
    }
    let error = replace(&dir.path().join("no/where"), "").expect_err("no such directory");
    assert!(error.to_string().starts_with("cannot write "), "{error}");
}

#[test]
fn last_lines_of_a_log() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("node.log");
    assert!(last_lines(&path, 0, 3).is_empty());
    std::fs::write(&path, "one\n\u{1b}[31mtwo\u{1b}[0m\n\nthree\u{7}\n").expect("written");
    assert_eq!(last_lines(&path, 0, 2), ["two", "three"]);
    assert_eq!(last_lines(&path, 0, 9), ["one", "two", "three"]);
    assert_eq!(last_lines(&path, 4, 9), ["two", "three"], "what an earlier process wrote does not count");
    std::fs::write(&path, "x".repeat(50_000) + "\nend").expect("written");
    assert_eq!(last_lines(&path, 0, 1), ["end"]);
}
