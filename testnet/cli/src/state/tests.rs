use super::{Addresses, NodeFile, NodeState, State};
use crate::error::Error;
use crate::layout::Layout;

fn layout() -> (tempfile::TempDir, Layout) {
    let dir = tempfile::tempdir().expect("a directory");
    let layout = Layout::create(Some(dir.path())).expect("a layout");
    (dir, layout)
}

#[test]
fn state_comes_back() {
    let (_dir, layout) = layout();
    assert_eq!(State::load(&layout).expect("readable"), None);
    let addresses = Addresses {
        listen: "127.0.0.1:1".parse().expect("an address"),
        rpc: "127.0.0.1:2".parse().expect("an address"),
        web: None,
        stratum: None,
    };
    let running = NodeState { name: "node-1".to_owned(), pid: Some(7), addresses: Some(addresses) };
    let down = NodeState { name: "node-2".to_owned(), pid: None, addresses: None };
    let state = State { nodes: vec![running, down] };
    state.save(&layout).expect("written");
    assert_eq!(State::load(&layout).expect("readable"), Some(state.clone()));
    assert_eq!(state.node("node-2").expect("there").pid, None);
    let error = state.node("node-3").expect_err("not there");
    assert_eq!(error.to_string(), "there is no node \"node-3\"; there are node-1, node-2");
    assert_eq!(error.exit_code(), 2);
}

#[test]
fn damaged_state_is_said_once_and_clearly() {
    let (_dir, layout) = layout();
    for text in ["", "{", "{\"nodes\": 5}", "[]", "{\"nodes\":[{\"name\":\"x\"}", "\u{0}\u{0}"] {
        std::fs::write(layout.state(), text).expect("written");
        let error = State::load(&layout).expect_err("damaged");
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        assert!(error.to_string().contains("state.json is damaged: "), "{error}");
        assert!(error.hint().expect("a hint").contains("testnet down --dir"), "{error}");
        assert_eq!(error.exit_code(), 1);
    }
}

#[test]
fn node_files() {
    let (_dir, layout) = layout();
    let path = layout.dir().join("node.json");
    assert_eq!(NodeFile::load(&path), None);
    let texts = [
        r#"{"pid":7,"listen":"127.0.0.1:1","rpc":"127.0.0.1:2","web":null,"more":1}"#,
        r#"{"pid":7,"listen":"127.0.0.1:1","rpc":"http://127.0.0.1:2/"}"#,
    ];
    for text in texts {
        std::fs::write(&path, text).expect("written");
        let file = NodeFile::load(&path).expect("a node's file");
        assert_eq!(file.pid, 7);
        assert_eq!(file.addresses.rpc_url(), "http://127.0.0.1:2");
        assert_eq!(file.addresses.web_url(), None);
    }
    for text in ["", "{}", r#"{"pid":7,"listen":"x","rpc":"127.0.0.1:2"}"#] {
        std::fs::write(&path, text).expect("written");
        assert_eq!(NodeFile::load(&path), None);
    }
}
