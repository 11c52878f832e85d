//! What goes wrong is said in one line, with the right exit code, and leaves nothing behind.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use tally_testnet::layout::Layout;
use tally_testnet::system::our_processes;

use super::support::{Net, nodes, outcome, programs, testnet};

/// `up` must fail: its exit code, and its error line; nothing may run afterwards.
#[track_caller]
fn refused(command: &mut Command, dir: &Path) -> (i32, String) {
    let before = Layout::open(Some(dir)).map(|layout| our_processes(&layout)).unwrap_or_default();
    let (code, stdout, stderr) = outcome(command.arg("--dir").arg(dir));
    assert_eq!(stdout, "");
    let lines: Vec<&str> = stderr.lines().collect();
    assert!(lines.len() <= 2, "more than an error and a hint: {stderr}");
    assert!(lines[0].starts_with("error: "), "{stderr}");
    assert!(lines.get(1).is_none_or(|line| line.starts_with("hint: ")), "{stderr}");
    let after = Layout::open(Some(dir)).map(|layout| our_processes(&layout)).unwrap_or_default();
    assert_eq!(before, after);
    (code, lines[0].to_owned())
}

fn up() -> Command {
    testnet(["up", "--json", "--nodes", "1", "--for", "0"])
}

/// A directory with a `testnet` of its own, and links to these programs.
fn bin(others: &[(&str, &Path)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    // No link: it looks for the others where it really is.
    fs::copy(programs().join("testnet"), dir.path().join("testnet")).expect("copied");
    for (name, program) in others {
        symlink(program, dir.path().join(name)).expect("linked");
    }
    dir
}

#[test]
fn two_in_one_directory() {
    let dir = tempfile::tempdir().expect("a directory");
    let net = Net::up(dir.path(), &["--nodes", "1", "--hashrate", "0"]);
    let (code, error) = refused(&mut up(), dir.path());
    assert_eq!(code, 1);
    let expected =
        format!("error: {} is in use by another `testnet up` (pid {})", net.layout.dir().display(), net.pid());
    assert_eq!(error, expected);
    assert_eq!(nodes(&net.status())[0]["pid"], nodes(&net.report)[0]["pid"], "the first one is not disturbed");
}

#[test]
fn a_damaged_state_file() {
    let dir = tempfile::tempdir().expect("a directory");
    let layout = Net::up(dir.path(), &["--nodes", "1", "--hashrate", "0"]).kill();
    fs::write(layout.state(), "{\"nodes\": [{").expect("written");
    for mut command in [up(), testnet(["status"])] {
        let (code, error) = refused(&mut command, dir.path());
        assert_eq!(code, 1);
        let start = format!("error: {} is damaged: ", layout.state().display());
        assert!(error.starts_with(&start), "{error}");
    }
    // `down` finds the node without it.
    let (code, stdout, _) = outcome(testnet(["down", "--dir"]).arg(dir.path()));
    assert_eq!((code, stdout), (0, format!("stopped 1 node in {}\n", layout.dir().display())));
    let (code, error) = refused(&mut testnet(["status"]), dir.path());
    assert_eq!((code, error), (5, format!("error: no network runs in {}", layout.dir().display())));
    drop(Net::up(dir.path(), &[]));
}

#[test]
fn damaged_settings_and_network_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let layout = Net::up(dir.path(), &["--nodes", "1", "--hashrate", "0"]).layout.clone();
    for path in [layout.settings(), layout.network_file()] {
        let good = fs::read(&path).expect("readable");
        fs::write(&path, "?").expect("written");
        let (code, error) = refused(&mut up(), dir.path());
        assert_eq!(code, 1);
        assert!(error.starts_with(&format!("error: {} is damaged: ", path.display())), "{error}");
        fs::write(&path, good).expect("written");
    }
}

#[test]
fn a_missing_program() {
    let node = programs().join("node");
    for (present, missing) in [(&[][..], "node"), (&[("node", &*node)], "wallet")] {
        let (bin, dir) = (bin(present), tempfile::tempdir().expect("a directory"));
        let (code, error) = refused(Command::new(bin.path().join("testnet")).arg("up"), dir.path());
        assert_eq!(code, 1);
        assert!(error.starts_with(&format!("error: the program `{missing}` is missing: ")), "{error}");
    }
}

#[test]
fn a_node_that_does_not_start() {
    let wallet = programs().join("wallet");
    let scripted = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/programs/scripted");
    let bin = bin(&[("node", &scripted), ("wallet", &wallet)]);
    let dir = tempfile::tempdir().expect("a directory");
    drop(Net::up(dir.path(), &["--nodes", "2", "--hashrate", "0"]));
    fs::write(dir.path().join("script"), "echo 'error: the disk is full' >&2; exit 1").expect("written");
    let (code, error) =
        refused(Command::new(bin.path().join("testnet")).args(["up", "--json", "--nodes", "2"]), dir.path());
    assert_eq!(code, 1);
    let end = " did not start: it ended with exit code 1; its log ends with: error: the disk is full";
    assert!(error.starts_with("error: node-") && error.ends_with(end), "{error}");
}

#[test]
fn a_port_that_is_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound").port();
    let dir = tempfile::tempdir().expect("a directory");
    let (code, error) = refused(up().args(["--base-port", &port.to_string()]), dir.path());
    assert_eq!(code, 1);
    assert_eq!(error, format!("error: port {port} (node-1, peers) is in use by another program"));
}

#[test]
fn wrong_usage() {
    for arguments in [&["up", "--nodes", "0"][..], &["up", "--nodes", "31"], &["up", "--hashrate", "x"], &["fly"], &[]]
    {
        let (code, stdout, stderr) = outcome(&mut testnet(arguments));
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(!stderr.is_empty());
    }
}

#[test]
fn a_directory_that_is_not_ours() {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("thesis.txt"), "years of work").expect("written");
    let (code, error) = refused(&mut up(), dir.path());
    assert_eq!(code, 1);
    assert!(error.ends_with("holds thesis.txt, but is not a network that `testnet up` made"), "{error}");
    outcome(testnet(["down", "--delete", "--dir"]).arg(dir.path()));
    assert!(dir.path().join("thesis.txt").exists());
}

#[test]
fn nothing_runs() {
    let dir = tempfile::tempdir().expect("a directory");
    for arguments in [&["status"][..], &["status", "--json"], &["restart", "node-1"]] {
        let (code, _) = refused(&mut testnet(arguments), dir.path());
        assert_eq!(code, 5, "{arguments:?}");
        let (code, _) = refused(&mut testnet(arguments), &dir.path().join("missing"));
        assert_eq!(code, 5, "{arguments:?}");
    }
    let (code, stdout, _) = outcome(testnet(["down", "--dir"]).arg(dir.path()));
    assert_eq!((code, stdout.starts_with("nothing runs in ")), (0, true), "{stdout}");
}

#[test]
fn completions() {
    for shell in ["bash", "zsh", "fish"] {
        let (code, stdout, _) = outcome(&mut testnet(["completions", shell]));
        assert_eq!(code, 0);
        assert!(stdout.contains("restart"), "{shell}");
    }
}
