use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{End, OurProcess, end_ours, node_of, our_processes, process_of, signal};
use crate::layout::Layout;

#[test]
fn command_lines_of_our_nodes() {
    let node = |line: &str| {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        node_of(Path::new("/net"), &words)
    };
    assert_eq!(node("/bin/node run --data-dir /net/node-2 --listen x").as_deref(), Some("node-2"));
    for other in [
        "/bin/node run --data-dir /other/node-2",
        "/bin/node run --data-dir /net2/node-2",
        "/bin/node run --data-dir /net/node-2/x",
        "/bin/node run --data-dir /net/nodes",
        "vi /net/node-2",
        "/bin/node run --data-dir",
    ] {
        assert_eq!(node(other), None, "{other}");
    }
}

#[test]
fn only_ours_are_found_and_ended() {
    let dir = tempfile::tempdir().expect("a directory");
    let layout = Layout::create(Some(dir.path())).expect("a layout");
    assert!(our_processes(&layout).is_empty());
    let start = |script: &str, data_dir: &Path| {
        let mut command = Command::new("sh");
        command.args(["-c", script, "sh", "--data-dir"]).arg(data_dir);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("started")
    };
    // They read what nobody writes.
    let waiting = "echo ready; read -r _";
    let stubborn = "trap '' TERM; echo ready; read -r _";
    let mut polite = start(waiting, &layout.node_dir("node-1"));
    let mut deaf = start(stubborn, &layout.node_dir("node-2"));
    let mut stranger = start(waiting, Path::new("/elsewhere/node-1"));
    for child in [&mut polite, &mut deaf, &mut stranger] {
        // The traps stand once the script has said so.
        use std::io::Read;
        let mut word = [0; 5];
        child.stdout.as_mut().expect("piped").read_exact(&mut word).expect("it says ready");
    }
    assert_eq!(process_of(&layout, "node-1"), Some(polite.id()));
    let found = end_ours(&layout, Duration::from_millis(200));
    let expected = |child: &std::process::Child, node: &str| OurProcess { pid: child.id(), node: node.to_owned() };
    let mut all = vec![expected(&polite, "node-1"), expected(&deaf, "node-2")];
    all.sort_by_key(|process| process.pid);
    assert_eq!(found, all);
    assert!(our_processes(&layout).is_empty());
    assert!(!polite.wait().expect("ended").success());
    assert!(!deaf.wait().expect("ended").success());
    assert!(stranger.try_wait().expect("asked").is_none(), "a stranger was ended");
    assert!(signal(stranger.id(), End::Kill));
    stranger.wait().expect("ended");
}

#[test]
fn nobody_to_signal() {
    assert!(!signal(0, End::Ask));
    assert!(!signal(u32::MAX, End::Ask));
}
