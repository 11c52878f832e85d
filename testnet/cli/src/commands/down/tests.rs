use std::fs;

use super::run;
use crate::args::{DirArgs, DownArgs};
use crate::layout::Layout;

fn down(layout: &Layout, delete: bool) {
    let dir = DirArgs { dir: Some(layout.dir().to_owned()) };
    run(&DownArgs { dir, delete, json: true }).expect("done");
}

#[test]
fn deletes_what_up_made_and_nothing_else() {
    let parent = tempfile::tempdir().expect("a directory");
    let layout = Layout::create(Some(&parent.path().join("net"))).expect("a layout");
    let make = || {
        fs::create_dir_all(layout.node_dir("node-1").join("blocks")).expect("made");
        for name in ["network.toml", "settings.json", "state.json", "alice.wallet", "alice.wallet.toml", "up.lock"] {
            fs::write(layout.dir().join(name), "{").expect("written");
        }
        fs::write(layout.node_file("node-1"), "{").expect("written");
    };
    make();
    down(&layout, false);
    assert!(!layout.state().exists() && !layout.node_file("node-1").exists());
    assert!(layout.node_dir("node-1").join("blocks").exists() && layout.wallet("alice").exists());
    down(&layout, true);
    assert!(!layout.dir().exists());
    down(&layout, true);
    fs::create_dir(layout.dir()).expect("made");
    make();
    let mine = [layout.dir().join("notes.txt"), layout.dir().join("node-mine")];
    for path in &mine {
        fs::write(path, "").expect("written");
    }
    down(&layout, true);
    let left = fs::read_dir(layout.dir()).expect("it stays").count();
    assert_eq!(left, mine.len());
}
