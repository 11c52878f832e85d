use super::{BackOff, Credentials, Nodes};
use crate::error::MinerError;
use std::path::PathBuf;
use std::time::Duration;

fn nodes(urls: &[&str], cookies: usize) -> Result<Nodes, MinerError> {
    let urls: Vec<String> = urls.iter().map(ToString::to_string).collect();
    Nodes::new(&urls, &Credentials::Cookies(vec![PathBuf::from("cookie"); cookies]))
}

#[test]
fn urls_may_be_short_and_of_any_host() {
    for url in ["http://127.0.0.1:9741", "http://127.0.0.1:9741/", "localhost:1", "[::1]:65535", "node-1.example:80"] {
        assert!(nodes(&[url], 0).is_ok(), "{url}");
    }
    for url in ["", "localhost", "https://a:1", "a:", "a:0", "a:65536", ":1", "a/b:1", "user@a:1"] {
        assert!(matches!(nodes(&[url], 0), Err(MinerError::BadUrl { .. })), "{url}");
    }
}

#[test]
fn cookies_are_for_all_or_for_each() {
    let urls = ["a:1", "b:2", "c:3"];
    for fits in [0, 1, 3] {
        assert!(nodes(&urls, fits).is_ok());
    }
    for does_not in [2, 4] {
        assert!(matches!(nodes(&urls, does_not), Err(MinerError::CookieCount { nodes: 3, .. })));
    }
}

#[test]
fn nodes_take_turns_and_a_pause_is_due_after_the_last() {
    let nodes = nodes(&["a:1", "b:2", "c:3"], 0).unwrap();
    assert_eq!(nodes.current().1.url(), "http://a:1");
    assert!(!nodes.move_on(0));
    // Another thread saw the same failure: the second is not passed over for it.
    assert!(!nodes.move_on(0));
    assert_eq!(nodes.current().1.url(), "http://b:2");
    assert!(!nodes.move_on(1));
    assert!(nodes.move_on(2));
    assert_eq!(nodes.current().0, 0);
}

#[test]
fn one_node_is_tried_again_after_a_pause() {
    let nodes = nodes(&["a:1"], 0).unwrap();
    assert!(nodes.move_on(0));
    assert_eq!((nodes.current().0, nodes.count()), (0, 1));
}

#[test]
fn pauses_double_up_to_ten_seconds() {
    let mut back_off = BackOff::new();
    let pauses: Vec<Duration> = (0..8).map(|_| back_off.pause()).collect();
    assert_eq!(pauses[..3], [250, 500, 1000].map(Duration::from_millis));
    assert_eq!(pauses[6..], [Duration::from_secs(10); 2]);
}
